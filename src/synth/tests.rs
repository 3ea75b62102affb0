//! What articles keep as a whole: they are pinned to their numbers, differ from each other,
//! and have the sizes and places that they should. `tests/pipeline/synth.rs` reads them one by one.

mod distributions;
mod spoilt;

use super::*;
use std::collections::{HashMap, HashSet};

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
    let tree = write_tree(&generator(), &dir.path().join("content"), 50).unwrap();
    let mut bytes = 0;
    for n in 1..=50 {
        let article = generator().article(n);
        let file = dir.path().join("content").join(&article.path);
        assert_eq!(std::fs::read(file).unwrap(), article.bytes);
        bytes += article.bytes.len() as u64;
    }
    assert_eq!((tree.files, tree.bytes), (50, bytes));
}

#[test]
fn a_tree_that_cannot_be_written_names_the_folder() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let error = write_tree(&generator(), file.path(), 1).unwrap_err();
    assert!(
        error
            .to_string()
            .contains(&file.path().display().to_string()),
        "{error}"
    );
}

/// Front matter and body.
fn split(text: &str) -> (&str, &str) {
    text.strip_prefix("---\n")
        .unwrap()
        .split_once("---\n\n")
        .unwrap()
}
