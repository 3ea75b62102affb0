//! The front matter: every field of the schema, in its order, agreeing with the body.

use super::body::Body;
use super::grammar::{Topic, number, one_of};
use super::options::{IMAGE_HEAVY_FROM, NAME, Options};
use super::phrases as say;
use super::rng::Rng;
use super::vocabulary::{ENTITY_TYPES, KINDS, METRICS, OWNERS, TTLS};
use jiff::ToSpan;
use jiff::civil::{Date, date};

/// The first date of an article; the last is in October 2023, and the dates of updates and
/// reviews end in 2025. Fixed, because a clock would make the articles of a seed change.
const FIRST_DATE: Date = date(2009, 1, 1);
const DATE_SPAN_DAYS: u32 = 5_400;
const UPDATE_SPAN_DAYS: u32 = 500;
const REVIEW_SPAN_DAYS: u32 = 200;

/// A word is six bytes with its space, and a reader manages 200 a minute.
const BYTES_A_MINUTE: usize = 1_200;
/// The schema takes no more; the largest bodies would need ten times as long.
const MAX_MINUTES: usize = 600;

/// Appends the front matter of article `n`, both `---` lines included.
pub(super) fn write(
    n: u64,
    topic: &Topic,
    body: &Body,
    options: &Options,
    rng: &mut Rng,
    out: &mut String,
) {
    let mut writer = Writer { topic, rng, out };
    writer.put(&["---\n"]);
    let updated = writer.identity(n);
    writer.guidance();
    writer.classification(body);
    writer.judgement();
    writer.revision(n, updated, body);
    writer.lists(body);
    writer.payload(n, body);
    writer.operations(options);
    writer.put(&["---\n\n"]);
}

struct Writer<'a> {
    topic: &'a Topic,
    rng: &'a mut Rng,
    out: &'a mut String,
}

impl Writer<'_> {
    /// Title to topic. Returns the date of the last update.
    fn identity(&mut self, n: u64) -> Date {
        let Topic {
            stack,
            scenario,
            context,
        } = *self.topic;
        let (kind, part) = (self.rng.word(&KINDS), self.rng.word(&stack.parts));
        // The only text with a colon in it, hence the quotes.
        self.put(&[
            "title: \"",
            stack.name,
            " ",
            kind,
            ": ",
            scenario.activity,
            " ",
            context,
        ]);
        self.put(&[", with a look at the ", part, "\"\n"]);
        self.put(&["slug: ", scenario.slug, &format!("-{n:06}\n")]);

        let written = later(FIRST_DATE, self.rng.below(DATE_SPAN_DAYS));
        let updated = later(written, self.rng.below(UPDATE_SPAN_DAYS));
        self.put(&[&format!("date: {written}\nupdated: {updated}")]);
        if self.rng.once_in(3) {
            let (hour, minute) = (self.rng.below(24), self.rng.below(60));
            self.put(&[&format!("T{hour:02}:{minute:02}:00Z")]);
        }
        self.put(&["\ntopic: ", scenario.activity, " / ", stack.name, "\n"]);
        updated
    }

    /// Summary, outline and brief.
    fn guidance(&mut self) {
        self.phrase("summary: ", &say::SUMMARIES);
        self.put(&["ai_outline:\n"]);
        for (label, template) in say::OUTLINE {
            self.put(&["  - ", label]);
            self.phrase(": ", &[template]);
        }
        self.phrase("ai_brief: ", &say::BRIEFS);
    }

    /// Stack to view count.
    fn classification(&mut self, body: &Body) {
        let Topic {
            stack, scenario, ..
        } = *self.topic;
        let tools = self.rng.sample(&stack.tools, 2);
        let parts = self.rng.sample(&stack.parts, 2);
        self.put(&["stack: [", stack.name, ", ", stack.area, "]\n"]);
        self.put(&["tools: [", tools[0], ", ", tools[1], "]\n"]);
        self.put(&[
            "tags: [",
            parts[0],
            ", ",
            scenario.slug,
            ", ",
            parts[1],
            "]\n",
        ]);
        self.put(&[
            "categories: [",
            stack.area,
            "]\ncode_language: ",
            stack.code.name(),
        ]);
        let levels = ["beginner", "intermediate", "advanced", "expert"];
        self.phrase("\ndifficulty: ", &levels);
        self.count(
            "reading_time: ",
            (1 + body.markdown.len() / BYTES_A_MINUTE).min(MAX_MINUTES) as u64,
        );
        let views = self.rng.views();
        self.count("\nview_count: ", views);
    }

    fn judgement(&mut self) {
        self.drawn("\nscore:\n  quality: ", 40, 100);
        self.drawn("\n  freshness: ", 5, 100);
        self.drawn("\n  depth: ", 20, 100);
        self.drawn("\n  clarity: ", 40, 100);
    }

    /// Revision to flags.
    fn revision(&mut self, n: u64, updated: Date, body: &Body) {
        let states = ["stable", "stable", "reviewed", "published", "revised"];
        self.phrase("\nrevision:\n  status: ", &states);
        self.drawn("  version: ", 1, 4);
        self.drawn(".", 0, 11);
        self.drawn(".", 0, 9);
        let reviewed = later(updated, self.rng.below(REVIEW_SPAN_DAYS));
        let serial = self.rng.range(1000, 9999);
        self.put(&[&format!("\n  last_reviewed: {reviewed}\n")]);
        self.put(&[&format!("reference: anp-ref-{n:06}-{serial}\n")]);

        let hash = blake3::hash(body.markdown.as_bytes()).to_hex();
        self.put(&["hash: ", &hash[..24]]);
        let images = body.images.len();
        let (generated, doubtful) = (!self.rng.once_in(5), self.rng.once_in(12));
        self.count("\nflags:\n  ai_generated_style: ", generated);
        self.count("\n  has_images: ", images > 0);
        self.count("\n  image_heavy: ", images >= IMAGE_HEAVY_FROM as usize);
        self.count("\n  needs_human_review: ", doubtful);
    }

    fn lists(&mut self, body: &Body) {
        self.put(&["\nchecklist:\n"]);
        let count = self.rng.range(3, 5);
        for template in self.rng.sample(&say::CHECKS, count as usize) {
            self.phrase("  - ", &[template]);
        }

        let stack = self.topic.stack;
        let [tool, part, practice, signal] = ENTITY_TYPES;
        self.put(&["entities:\n"]);
        self.entity(stack.area, "area");
        self.entity(stack.name, practice);
        let (a_tool, a_part) = (self.rng.word(&stack.tools), self.rng.word(&stack.parts));
        self.entity(a_tool, tool);
        self.entity(a_part, part);
        let metric = self.rng.pick(&METRICS);
        self.entity(metric.name, signal);

        self.put(&["image_sources:\n"]);
        for image in &body.images {
            self.put(&["  - source: ", image.host, "\n    url: ", &image.url]);
            self.put(&["\n    caption: ", &image.caption, "\n"]);
        }
    }

    fn payload(&mut self, n: u64, body: &Body) {
        self.put(&[&format!("payload:\n  source_id: alphanode-{n:06}\n")]);
        self.put(&["  generator: ", NAME]);
        self.count("\n  paragraphs: ", body.paragraphs);
        self.put(&["\n  scenario: ", self.topic.scenario.slug]);
        self.count("\n  seed: ", n);
    }

    /// Notes, and what the person who runs the import wants to know.
    fn operations(&mut self, options: &Options) {
        self.put(&["\nnotes:\n"]);
        let count = self.rng.range(1, 3);
        for template in self.rng.sample(&say::NOTES, count as usize) {
            self.phrase("  - ", &[template]);
        }
        self.phrase("owner: ", &OWNERS);
        self.phrase("expected_result: ", &say::EXPECTED_RESULTS);
        self.phrase("rollback_note: ", &say::ROLLBACK_NOTES);
        self.put(&["draft: false\n"]);
        if options.ttl {
            self.phrase("ttl: ", &TTLS);
        }
    }

    fn put(&mut self, pieces: &[&str]) {
        for piece in pieces {
            self.out.push_str(piece);
        }
    }

    fn count(&mut self, label: &str, n: impl Into<u64>) {
        self.out.push_str(label);
        number(n, self.out);
    }

    /// `label`, then a random number from `low` to `high`.
    fn drawn(&mut self, label: &str, low: u32, high: u32) {
        let n = self.rng.range(low, high);
        self.count(label, n);
    }

    /// A line: `label`, then one of `templates`.
    fn phrase(&mut self, label: &str, templates: &[&str]) {
        self.out.push_str(label);
        one_of(templates, self.topic, self.rng, self.out);
        self.out.push('\n');
    }

    fn entity(&mut self, name: &str, kind: &str) {
        self.put(&["  - {name: ", name, ", type: ", kind, "}\n"]);
    }
}

fn later(from: Date, days: u32) -> Date {
    from.saturating_add(i64::from(days).days())
}
