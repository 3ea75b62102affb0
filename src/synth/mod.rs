//! Seeded articles: realistic, self-consistent, and the same on every machine.
//!
//! Article `n` of a seed is a pure function of the two numbers: no clock, no files, no
//! floating point, so that articles can be made in any order and on any core, and a load
//! test can be repeated years later. Each one fills every field of the schema, agrees with
//! itself (paragraphs, images, references, seeds) and passes a strict reading.
//!
//! 1. `rng`: the article's own stream of random numbers; `size`: how long its body is to be.
//! 2. `vocabulary`, `phrases`, `snippets`: what articles are about, and the sentences and lines
//!    of code that they are made of.
//! 3. `grammar`: a template and the stream → text.
//! 4. `body`, then `front_matter`, which describes the body.
//! 5. `kind`: whether the article is to be spoilt for a rehearsal, and if so, `flaw` or
//!    `attack` change it in one place.
//!
//! Articles can be streamed through one buffer, in any order:
//!
//! ```
//! use anp::synth::{Counts, Generator, Kind, Options, SynthArticle};
//!
//! let options = Options {
//!     invalid: "1%".parse()?,
//!     ..Options::default()
//! };
//! let generator = Generator::new(28_802, options);
//! let (mut article, mut counts) = (SynthArticle::default(), Counts::default());
//! for n in 28_701..=28_900 {
//!     counts.count(generator.article_into(n, &mut article));
//!     assert!(article.bytes.starts_with(b"---\n"));
//! }
//! assert_eq!((counts.valid, counts.invalid), (199, 1));
//!
//! // What an article is for can be asked without making it.
//! assert_eq!(generator.kind(28_802), Kind::Valid);
//! let article = generator.article(28_802);
//! assert_eq!(article.path, "redis-caching/scheduled-tasks-028802.md");
//! # Ok::<(), anp::synth::NoShare>(())
//! ```

mod attack;
mod body;
mod edit;
mod flaw;
mod front_matter;
mod grammar;
mod kind;
mod options;
mod packed;
mod payloads;
mod phrases;
mod record;
mod rng;
mod share;
mod size;
mod snippets;
#[cfg(test)]
mod tests;
mod tree;
mod vocabulary;
mod wordpress;

pub use attack::Attack;
pub use flaw::Flaw;
pub use kind::{Counts, Kind};
pub use options::{IMAGE_HEAVY_FROM, NAME, Options};
pub use packed::{Form, write_packed};
pub use share::{NoShare, Share};
pub use tree::{Tree, write_tree};

use edit::Edit;
use grammar::Topic;
use rng::Rng;
use size::Sizes;
use std::fmt::Write;
use vocabulary::{CONTEXTS, SCENARIOS, STACKS};

/// Articles are filed by their stack, and this many consecutive ones share one set of
/// folders. With forty stacks a folder holds some 820 of them, and less than 1,000.
const ARTICLES_A_SHELF: u64 = 32_768;

/// No body is made longer, so that every source stays below the 4 MiB that `anp` reads.
const MAX_BODY_BYTES: u64 = 4_000 * 1024;

/// One article file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SynthArticle {
    /// Where it belongs in a content tree, with `/`: `redis-caching/scheduled-tasks-028802.md`.
    /// The number makes it, and the route that follows from it, unique.
    pub path: String,
    /// The whole file: front matter and Markdown, UTF-8 unless the article is broken.
    pub bytes: Vec<u8>,
}

/// Makes the articles of one seed.
#[derive(Clone, Debug)]
pub struct Generator {
    seed: u64,
    options: Options,
    sizes: Sizes,
}

impl Generator {
    /// A generator of the articles of `seed`.
    #[must_use]
    pub fn new(seed: u64, options: Options) -> Self {
        let mean = u64::from(options.body_kb) * 1024;
        Self {
            seed,
            sizes: Sizes::new(mean, options.spread, MAX_BODY_BYTES),
            options,
        }
    }

    /// Article number `n`, which may be anything below 2^40. Numbers have at least six
    /// digits in names.
    #[must_use]
    pub fn article(&self, n: u64) -> SynthArticle {
        let mut article = SynthArticle::default();
        self.article_into(n, &mut article);
        article
    }

    /// The seed.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// What article `n` is for, without making it.
    #[must_use]
    pub fn kind(&self, n: u64) -> Kind {
        kind::draw(self.seed, n, self.options.invalid, self.options.hostile).0
    }

    /// Like [`article`](Self::article), into buffers that are used again, so that a stream of
    /// articles takes the memory of its largest. Returns what the article is for.
    pub fn article_into(&self, n: u64, article: &mut SynthArticle) -> Kind {
        self.write_valid(n, article);
        let (kind, mut rng) = kind::draw(self.seed, n, self.options.invalid, self.options.hostile);
        let mut edit = Edit::new(&mut article.bytes);
        match kind {
            Kind::Valid => {}
            Kind::Invalid(flaw) => flaw.spoil(n, &mut rng, &mut edit),
            Kind::Hostile(attack) => attack.spoil(n, &mut rng, &mut edit),
        }
        kind
    }

    fn write_valid(&self, n: u64, article: &mut SynthArticle) {
        let mut rng = Rng::of_article(self.seed, n);
        let topic = Topic {
            stack: rng.pick(&STACKS),
            scenario: rng.pick(&SCENARIOS),
            context: rng.word(&CONTEXTS),
        };
        let body_bytes = self.sizes.draw(&mut rng);
        let body = body::write(n, &topic, body_bytes as usize, &mut rng);

        // Front matter goes first and describes the body, so one of them needs a buffer of
        // its own. An empty vector is valid UTF-8, so this costs no second look at the bytes.
        let mut bytes = std::mem::take(&mut article.bytes);
        bytes.clear();
        let mut text = String::from_utf8(bytes).unwrap_or_default();
        front_matter::write(n, &topic, &body, &self.options, &mut rng, &mut text);
        text.push_str(&body.markdown);
        article.bytes = text.into_bytes();
        write_path(n, &topic, &mut article.path);
    }
}

/// `STACK/SCENARIO-NUMBER.md`; from the second shelf on `STACK/shelf-S/SCENARIO-NUMBER.md`.
fn write_path(n: u64, topic: &Topic, path: &mut String) {
    path.clear();
    path.extend(
        topic
            .stack
            .name
            .chars()
            .map(|c| if c == ' ' { '-' } else { c }),
    );
    let shelf = n / ARTICLES_A_SHELF;
    let written = if shelf == 0 {
        write!(path, "/{}-{n:06}.md", topic.scenario.slug)
    } else {
        write!(path, "/shelf-{shelf}/{}-{n:06}.md", topic.scenario.slug)
    };
    written.expect("a String takes every write");
}
