//! What each stage of an import costs, without the server: one core, seeded articles.
//! Throughput is in articles; `make bench-stages` prints a table of the time that one takes.

mod publishing;

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anp::article::{self, Article, Input, Rules};
use anp::render::{self, Compression, Digest, RenderSettings, Rendered, Renderer, Stamp};
use anp::source::{Origin as _, Tree, walk};
use anp::synth::{Generator, Options};
use anp::yaml;
use criterion::measurement::WallTime;
use criterion::{
    BatchSize, BenchmarkGroup, Criterion, SamplingMode, Throughput, criterion_group, criterion_main,
};

/// Articles an iteration: neither their sources (2.3 MB) nor their objects (9 MB) stay in the
/// nearest cache.
const ARTICLES: u64 = 512;
/// What makes an article one of those that the sanitiser reads.
const RAW_HTML: &str =
    "\n<details><summary>More</summary>\n\nPress <kbd>Ctrl</kbd>.\n\n</details>\n";
const NOW_MS: i64 = 1_767_225_600_000;
const STAMP: Stamp<'_> = Stamp {
    inputs: None,
    run: "20260101T000000Z-0000",
    written_at_ms: NOW_MS,
};

/// One line of the table each.
struct Stages<'c>(BenchmarkGroup<'c, WallTime>);

impl Stages<'_> {
    /// A stage that looks at each item.
    fn each<I, T>(&mut self, name: &str, items: &[I], mut stage: impl FnMut(&I) -> T) {
        let mut all = || {
            for item in items {
                black_box(stage(black_box(item)));
            }
        };
        self.0.bench_function(name, |b| b.iter(&mut all));
    }

    /// A stage that consumes each item. The items are made beforehand, outside the time.
    fn each_own<I: Clone, T>(&mut self, name: &str, items: &[I], stage: impl Fn(usize, I) -> T) {
        let all = |items: Vec<I>| {
            for (index, item) in items.into_iter().enumerate() {
                black_box(stage(index, item));
            }
        };
        self.0.bench_function(name, |b| {
            b.iter_batched(|| items.to_vec(), all, BatchSize::PerIteration);
        });
    }

    /// A stage that takes all at once.
    fn whole<T>(&mut self, name: &str, mut stage: impl FnMut() -> T) {
        self.0.bench_function(name, |b| b.iter(&mut stage));
    }
}

/// One source in memory.
struct Source {
    relative: PathBuf,
    text: String,
    cleaned: OnceLock<String>,
}

impl Source {
    fn read(&self) -> Article<'_> {
        let input = Input {
            path: Arc::new(self.relative.clone()),
            relative: &self.relative,
            markup: anp::article::Markup::of_path(&self.relative),
            bytes: self.text.as_bytes(),
            cleaned: &self.cleaned,
        };
        let article = article::read(&input, &Rules::default()).article;
        article.expect("a seeded article is valid")
    }
}

/// An article, its digest and its objects.
struct Made<'a> {
    article: Article<'a>,
    digest: Digest,
    rendered: Rendered,
}

fn make<'a>(renderer: &Renderer, source: &'a Source) -> Made<'a> {
    let article = source.read();
    let digest = renderer.digest(&article, &[]);
    let rendered = renderer.render(&article, digest, &STAMP);
    Made {
        rendered: rendered.expect("a seeded article renders"),
        article,
        digest,
    }
}

fn stages(c: &mut Criterion) {
    // Where cargo builds, not in a temporary folder: that may be memory, which never waits for
    // a disk.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let mut group = c.benchmark_group("stages");
    group.throughput(Throughput::Elements(ARTICLES));
    group.sampling_mode(SamplingMode::Flat);
    let mut stages = Stages(group);
    let renderer = Renderer::new(&RenderSettings::default()).expect("the built-in templates");

    let sources = files(&mut stages, &folder.path().join("content"));
    let made: Vec<_> = sources.iter().map(|s| make(&renderer, s)).collect();
    stages.each("digest", &made.iter().collect::<Vec<_>>(), {
        |made| renderer.digest(&made.article, &[])
    });
    boundary(&mut stages, &sources);
    rendering(&mut stages, &renderer, &sources, &made);
    publishing::bench(&mut stages, folder.path(), &made);
}

/// Finding and reading files. Returns them.
fn files(stages: &mut Stages<'_>, content: &Path) -> Vec<Source> {
    let generator = Generator::new(28_802, Options::default());
    let written = anp::synth::write_tree(&generator, content, ARTICLES).expect("a tree");
    assert_eq!(written.files, ARTICLES);

    stages.whole("walk", || walk(content).expect("a folder"));
    let found = walk(content).expect("a folder");
    let tree = Tree {
        root: content,
        found: &found,
    };
    let indexes: Vec<_> = (0..tree.count()).collect();
    stages.each("read the file", &indexes, |&index| tree.load(index));
    let source = |&index: &usize| {
        let source = tree.load(index);
        let bytes = source.bytes.expect("a file that was just written");
        Source {
            relative: source.relative,
            text: String::from_utf8(bytes).expect("text"),
            cleaned: OnceLock::new(),
        }
    };
    indexes.iter().map(source).collect()
}

fn boundary(stages: &mut Stages<'_>, sources: &[Source]) {
    let split = |source| article::stages::split(source).expect("front matter and a body");
    let parts: Vec<_> = sources.iter().map(|s| split(s.text.as_str())).collect();
    let trees: Vec<_> = parts
        .iter()
        .map(|(yaml, _)| yaml::parse(yaml, 2).expect("YAML"))
        .collect();

    stages.each("front matter: YAML to tree", &parts, |(yaml, _)| {
        yaml::read(yaml, 2)
    });
    stages.each_own("validate: tree to metadata", &trees, |index, mut tree| {
        let (metadata, is_valid) = article::stages::validate(&mut tree, &sources[index].text);
        assert!(is_valid);
        metadata
    });
    stages.each("Markdown to events", &parts, |(_, body)| {
        article::stages::markdown(body).expect("a body that is not deep")
    });
    stages.each("= whole boundary", sources, |source| drop(source.read()));
}

fn rendering(stages: &mut Stages<'_>, renderer: &Renderer, sources: &[Source], made: &[Made<'_>]) {
    let body = |made: &Made<'_>| render::stages::body(&made.article).expect("a body");
    let raw: Vec<_> = sources
        .iter()
        .map(|source| Source {
            relative: source.relative.clone(),
            text: format!("{}{RAW_HTML}", source.text),
            cleaned: OnceLock::new(),
        })
        .collect();
    let raw: Vec<_> = raw.iter().map(|source| make(renderer, source)).collect();
    let raw_bodies: Vec<_> = raw.iter().map(body).collect();
    assert!(raw_bodies.iter().all(|html| html.contains("<kbd>")));
    let parts: Vec<_> = made
        .iter()
        .map(|made| {
            let meta_box = render::stages::meta_box(&made.article.metadata);
            [body(made), meta_box, render::stages::json_ld(&made.article)]
        })
        .collect();
    let whole = |made: &Made<'_>| renderer.render(&made.article, made.digest, &STAMP).is_ok();

    stages.each("events to HTML", made, body);
    stages.each("meta box", made, |made| {
        render::stages::meta_box(&made.article.metadata)
    });
    stages.each("meta JSON", made, |made| {
        render::stages::meta(&made.article, made.digest, &STAMP)
    });
    stages.each("JSON-LD", made, |made| {
        render::stages::json_ld(&made.article)
    });
    stages.each_own("template: parts to page", &parts, |index, parts| {
        let page = render::stages::template(renderer, &made[index].article, parts);
        page.expect("a page")
    });
    stages.each("= whole render", made, whole);
    stages.each("gzip, if the settings ask for it", made, |made| {
        Compression::Gzip.store(&made.rendered.page).len()
    });
    stages.each_own("sanitise, if it has raw HTML", &raw_bodies, |_, html| {
        render::stages::sanitise(html).expect("clean HTML")
    });
    stages.each("= whole render with raw HTML", &raw, whole);
}

criterion_group! {
    name = benches;
    // Short: two dozen stages are to be told apart, not tenths of one.
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_millis(1_200))
        .nresamples(2_000)
        .without_plots();
    targets = stages
}
criterion_main!(benches);
