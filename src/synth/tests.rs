//! What every article keeps: it is pinned to its numbers, agrees with itself, and stays
//! within the limits of the schema.

use super::*;
use pulldown_cmark::{Event, Parser, Tag, TagEnd};
use saphyr_parser::Event as Yaml;
use std::collections::{HashMap, HashSet};
use std::path::Path;

fn generator() -> Generator {
    Generator::new(28_802, Options::default())
}

/// Some articles of low and of high numbers.
fn sample(count: u64) -> impl Iterator<Item = (u64, SynthArticle)> {
    let numbers = (0..count).map(|i| i * i * 37 % (1 << 40));
    numbers.map(|n| (n, generator().article(n)))
}

fn digest(seed: u64, n: u64) -> String {
    let article = Generator::new(seed, Options::default()).article(n);
    let mut hasher = blake3::Hasher::new();
    hasher.update(article.path.as_bytes());
    hasher.update(&article.bytes);
    hasher.finalize().to_hex()[..32].to_string()
}

/// A change here changes every load test that anybody wrote down by its seed: do it on
/// purpose, and say so in the changelog.
#[test]
fn articles_are_pinned_to_their_seed_and_number() {
    assert_eq!(digest(28_802, 28_802), "dd3b76fbfb28fc8dc87c77a5a1a44cb6");
    assert_eq!(digest(1, 0), "09a53e92d201b25f9d0144b00a7cc1ea");
    assert_eq!(
        digest(u64::MAX, (1 << 40) - 1),
        "322ad613cd069c42b3a6ce8a7955ca83"
    );
}

#[test]
fn order_and_reused_buffers_do_not_matter() {
    let mut reused = generator().article(99);
    for n in [7, 3, 28_802, 3, 7] {
        generator().article_into(n, &mut reused);
        assert_eq!(reused, generator().article(n));
    }
    let other = Generator::new(28_803, Options::default());
    assert_ne!(other.article(7).bytes, generator().article(7).bytes);
}

#[test]
fn no_two_articles_are_alike() {
    let mut bodies = HashSet::new();
    for (n, article) in sample(5_000) {
        let text = String::from_utf8(article.bytes).unwrap();
        let (_, body) = split(&text);
        let words: String = body.chars().filter(|c| !c.is_ascii_digit()).collect();
        assert!(
            bodies.insert(blake3::hash(words.as_bytes())),
            "article {n}, but for its digits"
        );
    }
}

#[test]
fn a_source_has_about_4600_bytes_and_a_long_tail() {
    let mut sizes: Vec<usize> = sample(5_000)
        .map(|(_, article)| article.bytes.len())
        .collect();
    sizes.sort_unstable();
    let mean = sizes.iter().sum::<usize>() / sizes.len();
    assert!((4_500..4_700).contains(&mean), "mean {mean}");
    assert!(
        sizes[sizes.len() / 2] < mean,
        "the median is below the mean"
    );
    assert!(
        sizes[sizes.len() - 10] > mean + mean / 2,
        "some are half as long again"
    );
}

#[test]
fn the_body_follows_the_option() {
    let options = Options {
        body_kb: 64,
        ..Options::default()
    };
    let large = Generator::new(1, options);
    let total: usize = (0..200).map(|n| large.article(n).bytes.len()).sum();
    assert!(
        (60_000..75_000).contains(&(total / 200)),
        "mean {}",
        total / 200
    );
}

#[test]
fn routes_are_unique_and_folders_small() {
    let mut names = HashSet::new();
    let mut folders: HashMap<String, u32> = HashMap::new();
    let mut article = SynthArticle::default();
    for n in 0..ARTICLES_A_SHELF + 5_000 {
        generator().article_into(n, &mut article);
        let (folder, name) = article.path.rsplit_once('/').unwrap();
        assert!(names.insert(name.to_string()), "{name} twice");
        *folders.entry(folder.to_string()).or_default() += 1;
    }
    assert!(folders.values().all(|files| *files < 1_000), "{folders:?}");
    assert!(
        generator()
            .article((1 << 40) - 1)
            .path
            .contains("/shelf-33554431/")
    );
}

#[test]
fn a_tree_holds_the_articles_1_to_count() {
    let dir = tempfile::tempdir().unwrap();
    let tree = generator()
        .write_tree(&dir.path().join("content"), 50)
        .unwrap();
    let mut bytes = 0;
    for n in 1..=50 {
        let article = generator().article(n);
        let file = dir.path().join("content").join(&article.path);
        assert_eq!(std::fs::read(file).unwrap(), article.bytes);
        bytes += article.bytes.len() as u64;
    }
    assert_eq!(tree, Tree { files: 50, bytes });
}

#[test]
fn a_tree_that_cannot_be_written_names_the_folder() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let error = generator().write_tree(file.path(), 1).unwrap_err();
    assert!(
        error
            .to_string()
            .contains(&file.path().display().to_string()),
        "{error}"
    );
}

#[test]
fn every_field_is_filled_and_within_its_limits() {
    for (n, article) in sample(2_000) {
        let text = String::from_utf8(article.bytes).unwrap();
        let (front_matter, _) = split(&text);
        assert!(front_matter.len() < 64 * 1024);
        let Node::Map(fields) = parse(front_matter) else {
            panic!("article {n}: no mapping")
        };
        let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, FIELDS, "article {n}");
        for (name, value) in &fields {
            let limit = match name.as_str() {
                "title" | "topic" => 200,
                "summary" => 500,
                "ai_brief" => 1_000,
                "stack" | "tools" | "tags" | "categories" => 80,
                "slug" => 120,
                "code_language" => 32,
                _ => 300,
            };
            for text in value.texts() {
                assert!(
                    !text.is_empty() && text.chars().count() <= limit,
                    "{n}: {name} {text}"
                );
                assert!(
                    !text.contains("  ") && text.trim() == text,
                    "{n}: {name} {text}"
                );
            }
        }
    }
}

#[test]
fn an_article_agrees_with_itself() {
    for (n, article) in sample(2_000) {
        let text = String::from_utf8(article.bytes).unwrap();
        let (front_matter, body) = split(&text);
        let fields = parse(front_matter);
        let (paragraphs, shown) = figures_of(body);

        let Node::List(sources) = fields.at("image_sources") else {
            panic!("{n}")
        };
        let listed: Vec<&str> = sources.iter().map(|source| source.text("url")).collect();
        assert_eq!(listed, shown, "article {n}");
        for source in sources {
            let rest = source.text("url").strip_prefix("https://").unwrap();
            assert_eq!(rest.split('/').next(), Some(source.text("source")));
        }
        let flags = fields.at("flags");
        assert_eq!(flags.text("has_images"), "1");
        assert_eq!(
            flags.text("image_heavy") == "1",
            shown.len() >= IMAGE_HEAVY_FROM as usize
        );

        let payload = fields.at("payload");
        assert_eq!(
            payload.text("paragraphs"),
            paragraphs.to_string(),
            "article {n}"
        );
        assert_eq!(payload.text("source_id"), format!("alphanode-{n:06}"));
        assert_eq!(payload.text("seed"), n.to_string());
        assert!(
            fields
                .text("reference")
                .starts_with(&format!("anp-ref-{n:06}-"))
        );
        let file = Path::new(&article.path).file_stem().unwrap().to_str();
        assert_eq!(Some(fields.text("slug")), file);
        assert_eq!(
            fields.text("hash"),
            &blake3::hash(body.as_bytes()).to_hex()[..24]
        );
        let (date, updated) = (fields.text("date"), fields.text("updated"));
        assert!(date <= updated && updated[..10] <= *fields.at("revision").text("last_reviewed"));
    }
}

/// Front matter and body.
fn split(text: &str) -> (&str, &str) {
    text.strip_prefix("---\n")
        .unwrap()
        .split_once("---\n\n")
        .unwrap()
}

/// The number of top-level paragraphs of a body, and the URLs of its images in order.
fn figures_of(body: &str) -> (u32, Vec<String>) {
    let (mut depth, mut paragraphs, mut urls) = (0, 0, Vec::new());
    for event in Parser::new_ext(body, pulldown_cmark::Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::Image { dest_url, .. }) => urls.push(dest_url.to_string()),
            Event::End(TagEnd::Image) => {}
            Event::Start(tag) => {
                paragraphs += u32::from(depth == 0 && tag == Tag::Paragraph);
                depth += 1;
            }
            Event::End(_) => depth -= 1,
            _ => {}
        }
    }
    (paragraphs, urls)
}

const FIELDS: [&str; 31] = [
    "title",
    "slug",
    "date",
    "updated",
    "topic",
    "summary",
    "ai_outline",
    "ai_brief",
    "stack",
    "tools",
    "tags",
    "categories",
    "code_language",
    "difficulty",
    "reading_time",
    "view_count",
    "score",
    "revision",
    "reference",
    "hash",
    "flags",
    "checklist",
    "entities",
    "image_sources",
    "payload",
    "notes",
    "owner",
    "expected_result",
    "rollback_note",
    "draft",
    "ttl",
];

/// A parsed piece of front matter.
enum Node {
    Text(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

impl Node {
    fn at(&self, name: &str) -> &Node {
        let Node::Map(members) = self else {
            panic!("{name} of no mapping")
        };
        &members.iter().find(|(member, _)| member == name).unwrap().1
    }

    fn text(&self, name: &str) -> &str {
        match self.at(name) {
            Node::Text(text) => text,
            _ => panic!("{name} is no text"),
        }
    }

    fn texts(&self) -> Vec<&str> {
        match self {
            Node::Text(text) => vec![text],
            Node::List(items) => items.iter().flat_map(Node::texts).collect(),
            Node::Map(members) => members
                .iter()
                .flat_map(|(_, value)| value.texts())
                .collect(),
        }
    }
}

fn parse(yaml: &str) -> Node {
    let mut events = saphyr_parser::Parser::new_from_str(yaml)
        .map(|event| event.unwrap().0)
        .filter(|event| !matches!(event, Yaml::StreamStart | Yaml::DocumentStart(_)));
    let first = events.next().unwrap();
    node(first, &mut events)
}

fn node<'y>(first: Yaml<'y>, events: &mut impl Iterator<Item = Yaml<'y>>) -> Node {
    match first {
        Yaml::Scalar(text, ..) => Node::Text(text.into_owned()),
        Yaml::SequenceStart(..) => {
            let mut items = Vec::new();
            loop {
                match events.next().unwrap() {
                    Yaml::SequenceEnd => return Node::List(items),
                    event => items.push(node(event, events)),
                }
            }
        }
        Yaml::MappingStart(..) => {
            let mut members = Vec::new();
            loop {
                match events.next().unwrap() {
                    Yaml::MappingEnd => return Node::Map(members),
                    Yaml::Scalar(name, ..) => {
                        let value = events.next().unwrap();
                        members.push((name.into_owned(), node(value, events)));
                    }
                    other => panic!("a key that is no scalar: {other:?}"),
                }
            }
        }
        other => panic!("unexpected {other:?}"),
    }
}
