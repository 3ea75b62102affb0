//! The Markdown body: opening, figure, problem, change, numbers, as many further sections as
//! the size asks for, checks, closing.

use super::grammar::{Topic, capitalise, number, one_of, sentence};
use super::options::IMAGE_HEAVY_FROM;
use super::phrases as say;
use super::rng::Rng;
use super::snippets;
use super::vocabulary::{IMAGE_HOSTS, METRICS};

/// A figure, as the body shows it and `image_sources` lists it.
pub(super) struct Image {
    pub(super) host: &'static str,
    pub(super) url: String,
    pub(super) caption: String,
}

/// The body, with what the front matter says about it.
pub(super) struct Body {
    pub(super) markdown: String,
    /// Top-level paragraphs; a figure is one of them.
    pub(super) paragraphs: u32,
    pub(super) images: Vec<Image>,
}

/// What the sections after this point need, roughly.
const TAIL_BYTES: usize = 330;
/// Half of a further section: one more is written only while it brings the length nearer to
/// the target.
const HALF_SECTION_BYTES: usize = 190;
/// Below this target, lists and paragraphs are as short as they may be.
const ROOMY_BYTES: usize = 1_500;

/// Writes the body of article `n`, about `target_bytes` long, at least about 900 bytes.
pub(super) fn write(n: u64, topic: &Topic, target_bytes: usize, rng: &mut Rng) -> Body {
    let mut writer = Writer {
        topic,
        roomy: target_bytes >= ROOMY_BYTES,
        rng,
        out: String::with_capacity(target_bytes + target_bytes / 2 + 1024),
        paragraphs: 0,
    };
    let images = writer.images(n);
    let mut figures = images.iter();

    writer.paragraph(&[&say::OPENINGS]);
    writer.figures(figures.next());
    writer.heading(&say::HEADINGS_PROBLEM);
    if writer.roomy {
        writer.paragraph(&[&say::PROBLEMS, &say::REASONS]);
    } else {
        writer.paragraph(&[&say::REASONS]);
    }
    writer.heading(&say::HEADINGS_CHANGE);
    writer.list("1. ", &say::MEASURES);
    writer.code();
    writer.heading(&say::HEADINGS_NUMBERS);
    writer.table();
    while writer.out.len() + TAIL_BYTES + HALF_SECTION_BYTES < target_bytes {
        writer.heading(&say::HEADINGS_EXTRA);
        writer.further_section();
        writer.figures(figures.next());
    }
    writer.figures(figures);
    writer.heading(&say::HEADINGS_CHECK);
    writer.list("- ", &say::CHECKS);
    writer.heading(&say::HEADINGS_CLOSING);
    writer.paragraph(&[&say::CLOSINGS]);
    Body {
        markdown: writer.out,
        paragraphs: writer.paragraphs,
        images,
    }
}

struct Writer<'a> {
    topic: &'a Topic,
    roomy: bool,
    rng: &'a mut Rng,
    out: String,
    paragraphs: u32,
}

impl Writer<'_> {
    /// At least one image: a strict reading wants `image_sources` filled. One article in
    /// twelve is heavy with them.
    fn images(&mut self, n: u64) -> Vec<Image> {
        let count = match self.rng.below(12) {
            0 => self.rng.range(IMAGE_HEAVY_FROM, IMAGE_HEAVY_FROM + 2),
            1..=3 => 2,
            _ => 1,
        };
        (1..=count).map(|i| self.image(n, i)).collect()
    }

    fn image(&mut self, n: u64, i: u32) -> Image {
        let host = self.rng.word(&IMAGE_HOSTS);
        let words = self.topic.stack.name;
        let url = match host {
            "dummyimage.com" => {
                let text = words.replace(' ', "+");
                format!("https://{host}/1200x630/243b53/f0f4f8.png?text={text}+{n:06}-{i}")
            }
            "placehold.co" => format!("https://{host}/1200x675/png?text={n:06}-{i}"),
            _ => format!("https://{host}/{}/{n:06}-{i}.webp", words.replace(' ', "-")),
        };
        let mut caption = String::with_capacity(80);
        one_of(&say::CAPTIONS, self.topic, self.rng, &mut caption);
        Image { host, url, caption }
    }

    fn figures<'i>(&mut self, images: impl IntoIterator<Item = &'i Image>) {
        for image in images {
            self.out.push_str("![");
            let start = self.out.len();
            self.out.push_str(&image.caption);
            capitalise(&mut self.out, start);
            for piece in ["](", &image.url, " \"", &image.caption, "\")\n\n"] {
                self.out.push_str(piece);
            }
            self.paragraphs += 1;
        }
    }

    fn heading(&mut self, templates: &[&str]) {
        self.out.push_str("## ");
        sentence(templates, self.topic, self.rng, &mut self.out);
        self.out.push_str("\n\n");
    }

    /// One sentence from each table, as one paragraph.
    fn paragraph(&mut self, tables: &[&[&str]]) {
        self.sentences(tables);
        self.out.push_str("\n\n");
        self.paragraphs += 1;
    }

    fn sentences(&mut self, tables: &[&[&str]]) {
        for (i, table) in tables.iter().enumerate() {
            if i > 0 {
                self.out.push(' ');
            }
            sentence(table, self.topic, self.rng, &mut self.out);
        }
    }

    /// Two to five different items.
    fn list(&mut self, marker: &str, templates: &[&str]) {
        let count = if self.roomy { self.rng.range(3, 5) } else { 2 };
        for template in self.rng.sample(templates, count as usize) {
            self.out.push_str(marker);
            one_of(&[template], self.topic, self.rng, &mut self.out);
            self.out.push('\n');
        }
        self.out.push('\n');
    }

    fn table(&mut self) {
        self.out
            .push_str("| measure | before | after |\n| --- | ---: | ---: |\n");
        let rows = if self.roomy { self.rng.range(2, 4) } else { 2 };
        for metric in self.rng.sample(&METRICS, rows as usize) {
            let bad = self.rng.range(metric.high / 2, metric.high);
            let good = self.rng.range(metric.low, metric.low * 2);
            for piece in ["| ", metric.name, " | "] {
                self.out.push_str(piece);
            }
            number(bad, &mut self.out);
            self.out.push_str(metric.unit);
            self.out.push_str(" | ");
            number(good, &mut self.out);
            self.out.push_str(metric.unit);
            self.out.push_str(" |\n");
        }
        self.out.push('\n');
    }

    fn code(&mut self) {
        let lines = snippets::lines(self.topic.stack.code);
        let count = if self.roomy { self.rng.range(3, 5) } else { 2 };
        self.out.push_str("```");
        self.out.push_str(self.topic.stack.code.name());
        self.out.push('\n');
        for template in self.rng.sample(lines, count as usize) {
            one_of(&[template], self.topic, self.rng, &mut self.out);
            self.out.push('\n');
        }
        self.out.push_str("```\n\n");
    }

    /// Prose, at times with a list or a quotation below it.
    fn further_section(&mut self) {
        match self.rng.below(6) {
            0 => {
                self.paragraph(&[&say::PROBLEMS, &say::REASONS]);
                self.list("- ", &say::MEASURES);
            }
            1 => {
                self.paragraph(&[&say::RESULTS, &say::RESULTS]);
                self.out.push_str("> ");
                self.sentences(&[&say::CLOSINGS]);
                self.out.push_str("\n\n");
            }
            2 => self.paragraph(&[&say::PROBLEMS, &say::REASONS, &say::RESULTS, &say::CLOSINGS]),
            3 => {
                self.paragraph(&[&say::REASONS, &say::RESULTS]);
                self.paragraph(&[&say::PROBLEMS, &say::RESULTS]);
            }
            _ => self.paragraph(&[&say::PROBLEMS, &say::REASONS, &say::RESULTS]),
        }
    }
}
