//! How good the lists of similar posts are, and what they cost.
//!
//! `cargo bench --bench similar_quality` measures seeded articles; with `-- speed` only what they cost.
//! `cargo bench --bench similar_quality -- FOLDER FIELD` measures the posts of a folder, whose labels are the texts of
//! FIELD; these are no terms then. With a third argument `split`, half of the texts that occur in
//! FIELD are labels, and the others are tags.
//!
//! Precision at 5: of five listed posts, the share that has a label of the post itself. An empty place in a list
//! counts as wrong. Only posts with five or more older ones of a label of theirs are asked, so that 1 can be reached.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anp::archive::{Scratch, TermIndex, term_hashes};
use anp::article::{self, Article, Input, Markup, Rules, Value, schema::TABLE};
use anp::synth::{Generator, Options, SynthArticle};

const SEED: u64 = 28_802;
const QUALITY_ARTICLES: u64 = 20_000;
const SPEED_ARTICLES: [u64; 2] = [100_000, 300_000];
const LISTED: usize = 5;

/// A post, as it is measured.
struct Post {
    /// Date and path.
    order: (String, String),
    labels: Vec<String>,
    tags: Vec<String>,
    terms: Vec<u64>,
}

fn main() {
    // cargo adds `--bench`.
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| !a.starts_with("--"))
        .collect();
    if let [folder, field, rest @ ..] = arguments.as_slice() {
        let posts = posts_of(Path::new(folder), field, rest == ["split"]);
        report_quality(folder, &posts);
        return;
    }
    if arguments == ["speed"] {
        speed();
        return;
    }
    report_quality(
        "topic, without the topic as a term",
        &seeded(QUALITY_ARTICLES, &topic, false),
    );
    report_quality("topic, with it", &seeded(QUALITY_ARTICLES, &topic, true));
    report_quality(
        "folder, without the topic as a term",
        &seeded(QUALITY_ARTICLES, &folder, false),
    );
    report_quality("folder, with it", &seeded(QUALITY_ARTICLES, &folder, true));
    speed();
}

fn speed() {
    for count in SPEED_ARTICLES {
        report_speed(&seeded(count, &folder, true));
    }
    report_time_of_terms();
}

fn topic(article: &Article<'_>, _: &str) -> String {
    article
        .metadata
        .text("topic")
        .unwrap_or_default()
        .to_owned()
}

fn folder(_: &Article<'_>, path: &str) -> String {
    path.split('/').next().unwrap_or_default().to_owned()
}

/// Reads a source and hands its article on, if there is one.
fn with_article<T>(path: &str, bytes: &[u8], use_it: impl FnOnce(Article<'_>) -> T) -> Option<T> {
    let cleaned = OnceLock::new();
    let input = Input {
        path: Arc::new(path.into()),
        relative: Path::new(path),
        markup: Markup::of_path(Path::new(path)),
        bytes,
        cleaned: &cleaned,
    };
    article::read(&input, &Rules::default()).article.map(use_it)
}

fn order(article: &Article<'_>, path: &str) -> (String, String) {
    let date = article.metadata.text("date").unwrap_or_default();
    (date.to_owned(), path.to_owned())
}

/// Seeded articles by age, labelled with what `label` says of article and path.
fn seeded(count: u64, label: &dyn Fn(&Article<'_>, &str) -> String, with_topic: bool) -> Vec<Post> {
    let generator = Generator::new(SEED, Options::default());
    let mut source = SynthArticle::default();
    let mut posts: Vec<Post> = (1..=count)
        .filter_map(|n| {
            generator.article_into(n, &mut source);
            with_article(&source.path, &source.bytes, |mut article| {
                let labels = vec![label(&article, &source.path)];
                if !with_topic {
                    article
                        .metadata
                        .entries
                        .retain(|(field, _)| field.name != "topic");
                }
                post(&article, &source.path, labels)
            })
        })
        .collect();
    posts.sort_unstable_by(|a, b| a.order.cmp(&b.order));
    posts
}

fn post(article: &Article<'_>, path: &str, labels: Vec<String>) -> Post {
    Post {
        order: order(article, path),
        labels,
        tags: article
            .metadata
            .texts("tags")
            .into_iter()
            .map(folded)
            .collect(),
        terms: term_hashes(article),
    }
}

/// The published posts of a folder by age.
fn posts_of(folder: &Path, field: &str, split: bool) -> Vec<Post> {
    let files = walkdir::WalkDir::new(folder)
        .into_iter()
        .filter_map(Result::ok);
    let files = files.filter(|file| file.path().extension().is_some_and(|ending| ending == "md"));
    let mut posts: Vec<Post> = files
        .filter_map(|file| {
            let bytes = std::fs::read(file.path()).ok()?;
            let relative = file.path().strip_prefix(folder).ok()?.to_str()?;
            with_article(relative, &bytes, |mut article| {
                let labels = take_labels(&mut article, field, split);
                post(&article, relative, labels)
            })
        })
        .collect();
    posts.sort_unstable_by(|a, b| a.order.cmp(&b.order));
    posts
}

/// Takes the labels out of an article, so that they are no terms. The other half of a split field become its tags.
fn take_labels(article: &mut Article<'_>, field: &str, split: bool) -> Vec<String> {
    let metadata = &mut article.metadata;
    let own = metadata.extra.iter().find(|(key, _)| key == field);
    let texts = match metadata.get(field).or(own.map(|(_, value)| value)) {
        Some(Value::List(items)) => items.clone(),
        Some(Value::Text(text)) => vec![Value::Text(text.clone())],
        _ => Vec::new(),
    };
    let mut texts: Vec<String> = texts
        .into_iter()
        .filter_map(|item| {
            if let Value::Text(text) = item {
                Some(folded(&text))
            } else {
                None
            }
        })
        .collect();
    let mut tags: Vec<String> = metadata.texts("tags").into_iter().map(folded).collect();
    if split {
        let is_label = |text: &String| blake3::hash(text.as_bytes()).as_bytes()[0] % 2 == 1;
        (texts, tags) = texts.into_iter().partition(is_label);
    }
    tags.retain(|tag| !texts.contains(tag));
    metadata
        .entries
        .retain(|(entry, _)| entry.name != field && entry.name != "tags");
    let field = TABLE
        .iter()
        .find(|field| field.name == "tags")
        .expect("a field of the table");
    let tags = tags.into_iter().map(Value::Text).collect();
    metadata.entries.push((field, Value::List(tags)));
    texts
}

fn folded(text: &str) -> String {
    text.to_lowercase().replace(['-', '_'], " ")
}

fn index(posts: &[Post]) -> TermIndex {
    let index = TermIndex::of(
        posts.len(),
        |_| true,
        |take| {
            for (place, post) in (0..).zip(posts) {
                take(place, &post.terms);
            }
            Ok::<(), std::convert::Infallible>(())
        },
    );
    index.unwrap_or_else(|never| match never {})
}

fn number(place: usize) -> u32 {
    u32::try_from(place).expect("few posts")
}

fn report_quality(name: &str, posts: &[Post]) {
    let index = index(posts);
    let mut scratch = Scratch::default();
    let mut by_tag: HashMap<&str, Vec<usize>> = HashMap::new();
    let mut older: HashMap<&str, usize> = HashMap::new();
    let (mut asked, mut ours, mut overlap) = (0_usize, 0, 0);
    for (place, post) in posts.iter().enumerate() {
        let labels = post.labels.iter().map(String::as_str);
        if labels
            .clone()
            .any(|label| older.get(label).is_some_and(|count| *count >= LISTED))
        {
            let is_right =
                |other: &usize| posts[*other].labels.iter().any(|l| post.labels.contains(l));
            asked += 1;
            let list = index.similar(number(place), LISTED, &mut scratch);
            ours += list
                .iter()
                .filter(|similar| is_right(&(similar.place as usize)))
                .count();
            overlap += most_tags(post, &by_tag)
                .iter()
                .filter(|other| is_right(other))
                .count();
        }
        for label in labels {
            *older.entry(label).or_default() += 1;
        }
        for tag in post.tags.iter().map(String::as_str).collect::<HashSet<_>>() {
            by_tag.entry(tag).or_default().push(place);
        }
    }
    let share = |right: usize| right as f64 / (asked * LISTED) as f64;
    let (all, ours, overlap) = (posts.len(), share(ours), share(overlap));
    println!(
        "{name}: {all} posts, {asked} asked; precision at 5: {ours:.3}, by shared tags {overlap:.3}"
    );
}

/// The older posts that share the most tags, of two the newer first: what anp is compared with.
fn most_tags(post: &Post, by_tag: &HashMap<&str, Vec<usize>>) -> Vec<usize> {
    let mut shared: HashMap<usize, usize> = HashMap::new();
    for other in post
        .tags
        .iter()
        .filter_map(|tag| by_tag.get(tag.as_str()))
        .flatten()
    {
        *shared.entry(*other).or_default() += 1;
    }
    let mut shared: Vec<(usize, usize)> = shared
        .into_iter()
        .map(|(other, count)| (count, other))
        .collect();
    shared.sort_unstable_by(|a, b| b.cmp(a));
    shared
        .into_iter()
        .take(LISTED)
        .map(|(_, other)| other)
        .collect()
}

fn report_speed(posts: &[Post]) {
    let start = cpu_time();
    let index = index(posts);
    let built = each(cpu_time().saturating_sub(start), posts.len());
    let mut scratch = Scratch::default();
    let start = cpu_time();
    let listed: usize = (0..posts.len())
        .map(|place| index.similar(number(place), LISTED, &mut scratch).len())
        .sum();
    let made = each(cpu_time().saturating_sub(start), posts.len());
    let terms =
        posts.iter().map(|post| post.terms.len()).sum::<usize>() as f64 / posts.len() as f64;
    let bytes = index.bytes() as f64 / posts.len() as f64;
    let articles = posts.len();
    println!(
        "{articles} articles of {terms:.1} terms, {listed} listed: index {built:.2} µs, list {made:.2} µs, {bytes:.0} bytes an article"
    );
}

fn report_time_of_terms() {
    let source = Generator::new(SEED, Options::default()).article(SEED);
    let rounds = 100_000;
    let time = with_article(&source.path, &source.bytes, |article| {
        let start = cpu_time();
        for _ in 0..rounds {
            std::hint::black_box(term_hashes(std::hint::black_box(&article)));
        }
        cpu_time().saturating_sub(start)
    });
    println!(
        "terms: {:.2} µs an article",
        each(time.unwrap_or_default(), rounds)
    );
}

/// How long this process has had a core, so that other work on the machine does not count (Linux).
fn cpu_time() -> Duration {
    let statistics = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let first = statistics.split(' ').next().and_then(|ns| ns.parse().ok());
    Duration::from_nanos(first.unwrap_or_default())
}

/// Microseconds for each of `count`.
fn each(time: Duration, count: usize) -> f64 {
    time.as_secs_f64() * 1e6 / count as f64
}
