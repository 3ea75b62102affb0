//! Seeded articles at the real boundary: a strict reading finds nothing to say, every field
//! is there, and what the fields say of the body is true.

use crate::support::World;
use anp::article::schema::TABLE;
use anp::article::{
    Article, Cleaned, Input, MAX_SOURCE_BYTES, Reading, Rules, UnknownFields, Value, read,
};
use anp::synth::{Generator, IMAGE_HEAVY_FROM, Options, SynthArticle};
use pulldown_cmark::{Event, Parser, Tag, TagEnd};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Articles of low and of high numbers.
fn articles() -> impl Iterator<Item = (u64, SynthArticle)> {
    let generator = Generator::new(28_802, Options::default());
    let numbers = (0..1_000).map(|i| i * i * 37).chain([(1 << 40) - 1]);
    numbers.map(move |n| (n, generator.article(n)))
}

fn read_strictly(synth: &SynthArticle) -> Reading<'_> {
    let rules = Rules {
        strict: true,
        unknown_fields: UnknownFields::Deny,
        ..Rules::default()
    };
    let input = Input {
        path: Arc::new(PathBuf::from(&synth.path)),
        relative: Path::new(&synth.path),
        markup: anp::article::Markup::of_path(Path::new(&synth.path)),
        bytes: &synth.bytes,
        cleaned: Box::leak(Box::default()),
    };
    read(&input, &rules)
}

/// Fields that other generators write.
const OF_OTHERS: [&str; 15] = [
    "route",
    "aliases",
    "publish_at",
    "expires_at",
    "author",
    "lang",
    "description",
    "image",
    "published",
    "withdrawn",
    "noindex",
    "robots",
    "hidden",
    "hide_meta",
    "weight",
];

/// The names of the other fields that the article lacks.
fn absent(article: &Article<'_>) -> Vec<&'static str> {
    let names = TABLE.iter().map(|field| field.name);
    names
        .filter(|name| !OF_OTHERS.contains(name) && article.metadata.get(name).is_none())
        .collect()
}

#[test]
fn a_strict_reading_finds_nothing_and_cleans_nothing() {
    for (n, synth) in articles() {
        let reading = read_strictly(&synth);
        assert_eq!(reading.diagnostics, [], "article {n}");
        assert_eq!(reading.cleaned, Cleaned::default(), "article {n}");
        let article = reading.article.unwrap();
        let route = format!("/{}/", synth.path.trim_end_matches(".md"));
        assert_eq!(article.route.as_str(), route);
        assert_eq!(absent(&article), [""; 0], "article {n}");
    }
}

#[test]
fn without_the_option_only_the_ttl_is_left_to_the_settings() {
    let options = Options {
        ttl: false,
        ..Options::default()
    };
    let synth = Generator::new(1, options).article(1);
    let reading = read_strictly(&synth);
    assert_eq!(absent(&reading.article.unwrap()), ["ttl"]);
}

#[test]
fn the_largest_bodies_are_articles_too() {
    let options = Options {
        body_kb: 4_000,
        spread: 150,
        ..Options::default()
    };
    let generator = Generator::new(1, options);
    let sizes = (0..20).map(|n| {
        let synth = generator.article(n);
        assert_eq!(read_strictly(&synth).diagnostics, [], "article {n}");
        synth.bytes.len()
    });
    let largest = sizes.max().unwrap();
    assert!(
        largest > 4_000 * 1024,
        "{largest} is not cut to the maximum"
    );
    assert!(largest < MAX_SOURCE_BYTES, "{largest}");
}

#[test]
fn what_the_fields_say_of_the_article_is_true() {
    for (n, synth) in articles() {
        let article = read_strictly(&synth).article.unwrap();
        let text = std::str::from_utf8(&synth.bytes).unwrap();
        let body = text.split_once("\n---\n\n").unwrap().1;
        let (paragraphs, shown) = count(body);
        let metadata = &article.metadata;

        let Some(Value::List(sources)) = metadata.get("image_sources") else {
            panic!("article {n} lists no images");
        };
        let listed: Vec<&str> = sources
            .iter()
            .map(|source| text_of(source, "url"))
            .collect();
        assert_eq!(listed, shown, "article {n}");
        let heavy = shown.len() >= IMAGE_HEAVY_FROM as usize;
        assert_eq!(metadata.flag("flags", "image_heavy"), heavy, "article {n}");
        assert!(metadata.flag("flags", "has_images"), "article {n}");

        let payload = metadata.get("payload").unwrap();
        assert_eq!(
            member(payload, "paragraphs"),
            &Value::Number(paragraphs),
            "article {n}"
        );
        assert_eq!(member(payload, "seed"), &Value::Number(n));
        assert_eq!(text_of(payload, "source_id"), format!("alphanode-{n:06}"));
        let reference = metadata.text("reference").unwrap();
        assert!(
            reference.starts_with(&format!("anp-ref-{n:06}-")),
            "{reference}"
        );
        let hash = blake3::hash(body.as_bytes()).to_hex();
        assert_eq!(metadata.text("hash"), Some(&hash[..24]), "article {n}");

        let (date, updated) = (
            metadata.text("date").unwrap(),
            metadata.text("updated").unwrap(),
        );
        let reviewed = text_of(metadata.get("revision").unwrap(), "last_reviewed");
        assert!(
            date <= &updated[..10] && &updated[..10] <= reviewed,
            "article {n}"
        );
    }
}

fn member<'a>(group: &'a Value, name: &str) -> &'a Value {
    let Value::Group(members) = group else {
        panic!("{group:?} has no {name}");
    };
    &members.iter().find(|(member, _)| member == name).unwrap().1
}

fn text_of<'a>(group: &'a Value, name: &str) -> &'a str {
    match member(group, name) {
        Value::Text(text) => text,
        other => panic!("{name} is {other:?}"),
    }
}

/// The number of top-level paragraphs of a body, and the URLs of its images in order.
fn count(body: &str) -> (u64, Vec<String>) {
    let (mut depth, mut paragraphs, mut urls) = (0, 0, Vec::new());
    for event in Parser::new_ext(body, pulldown_cmark::Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::Image { dest_url, .. }) => urls.push(dest_url.to_string()),
            Event::End(TagEnd::Image) => {}
            Event::Start(tag) => {
                paragraphs += u64::from(depth == 0 && tag == Tag::Paragraph);
                depth += 1;
            }
            Event::End(_) => depth -= 1,
            _ => {}
        }
    }
    (paragraphs, urls)
}

#[test]
fn the_command_writes_what_the_library_makes_and_all_of_it_is_strict() {
    let world = World::new();
    let ran = world.anp("synth --count 30 --seed 7 --out content --format json");
    let summary = &ran.exits(0).of_type("summary")[0];
    assert_eq!(
        (&summary["articles"], &summary["seed"]),
        (&30.into(), &7.into())
    );
    let generator = anp::synth::Generator::new(7, anp::synth::Options::default());
    let article = generator.article(30);
    let written = std::fs::read(world.path("content").join(&article.path)).unwrap();
    assert_eq!(written, article.bytes);
    world.anp("check --strict").exits(0);
    world.anp("import").exits(0);
    world.anp("verify last").exits(0);
    world.anp("rollback last").exits(0);
    assert!(world.server.dump().is_empty());
    // Again is the same; into a file, and without a number, is an error.
    world
        .anp("synth --count 30 --seed 7 --out content")
        .exits(0);
    world
        .anp("synth --count 1 --out content/file")
        .exits(0)
        .says("1 article of seed 28802, ");
    world.write("plain", "");
    world
        .anp("synth --count 1 --out plain")
        .exits(74)
        .notes("error: cannot write the articles: plain/")
        .notes("= retry: safe, it writes the same files again\n");
    world.anp("synth --out x").exits(2);
    world.anp("synth --count 0 --out x").exits(2);
}

#[test]
fn exactly_the_announced_articles_are_refused() {
    let world = World::new();
    let ran = world
        .anp("synth --count 2000 --seed 7 --invalid 5% --hostile 5% --out content --format json");
    let summary = &ran.exits(0).of_type("summary")[0];
    let count = |name: &str| summary[name].as_u64().unwrap();
    assert!((70..130).contains(&count("invalid")), "{ran}");
    assert!((70..130).contains(&count("hostile")), "{ran}");
    assert!(count("hostile_refused") < count("hostile"), "{ran}");
    assert_eq!(
        count("refused"),
        count("invalid") + count("hostile_refused")
    );
    assert_eq!(count("valid") + count("invalid") + count("hostile"), 2000);

    let checked = world.anp("check --max-invalid 20% --format json");
    let found = &checked.exits(3).of_type("summary")[0];
    assert_eq!(found["invalid"], count("refused"), "{ran}{checked}");
    assert_eq!(found["valid"], 2000 - count("refused"));

    let diagnostics = checked.of_type("diagnostic");
    let refused: BTreeSet<&str> = diagnostics
        .iter()
        .filter(|found| found["severity"] == "error")
        .map(|found| found["path"].as_str().unwrap())
        .collect();
    let share = || "5%".parse().unwrap();
    let options = Options {
        invalid: share(),
        hostile: share(),
        ..Options::default()
    };
    let generator = Generator::new(7, options);
    let announced: BTreeSet<String> = (1..=2000)
        .filter(|n| generator.kind(*n).is_refused())
        .map(|n| format!("content/{}", generator.article(n).path))
        .collect();
    assert!(refused.iter().eq(&announced), "{refused:?}\n{announced:?}");
}

#[test]
fn hostile_articles_can_be_published_and_taken_back() {
    let world = World::new();
    let ran =
        world.anp("synth --count 200 --invalid 10% --hostile 40% --out content --format text");
    ran.exits(0)
        .says(" must be refused: the invalid ones, and ");
    world.anp("import --max-invalid 100%").exits(3);
    let pages = world.server.dump();
    assert!(pages.len() > 200, "{}", pages.len());
    for (key, page) in pages.iter().filter(|(key, _)| key.starts_with("anp:page:")) {
        let scripts = page.to_lowercase().matches("<script").count();
        assert_eq!(scripts, 1, "only the page's own JSON-LD: {key}");
        assert!(!page.contains("../"), "{key}");
    }
    world.anp("verify last").exits(0);
    world.anp("rollback last").exits(0);
    assert!(world.server.dump().is_empty());
}

#[test]
fn shares_that_are_none_are_refused_before_anything_is_written() {
    let world = World::new();
    world
        .anp("synth --count 9 --out x --invalid 1")
        .exits(2)
        .notes_exactly(
            "
error: --invalid: expected a percentage from 0% to 100% with at most two decimals (for example 1% or 0.25%), found '1'
  = retry: after you fix the options; nothing was written
",
        );
    world
        .anp("synth --count 9 --out x --invalid 60% --hostile 40.01%")
        .exits(2)
        .notes("--invalid and --hostile: expected at most 100% together, found 60% and 40.01%");
    world.anp("synth --count 9 --out x --spread 151").exits(2);
    world.anp("synth --count 9").exits(2).notes("--out <PATH>");
    assert!(!world.path("x").exists());
}

#[test]
fn a_file_of_a_kind_that_is_not_written_is_refused_and_a_folder_on_the_way_is_made() {
    let world = World::new();
    for name in ["x.zip", "x.tar.bz2", "x.gz"] {
        let ran = world.anp(&format!("synth --count 3 --out {name}"));
        ran.exits(2)
            .notes(&format!("error: --out: anp does not write {name}\n"))
            .notes("a file that ends in .jsonl, .tar or .xml");
        assert!(!world.path(name).exists());
    }
    world.anp("synth --count 3 --out deep/er/x.jsonl").exits(0);
    assert!(world.path("deep/er/x.jsonl").is_file());
    world.write("file", "");
    let ran = world.anp("synth --count 3 --out file/x.jsonl");
    ran.exits(74)
        .notes("error: cannot write the articles: file/x.jsonl: ");
}
