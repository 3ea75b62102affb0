//! Spoilt seeded articles, through boundary and renderer: each is refused, or harmless.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, OnceLock};

use anp::article::{Input, Rules, read};
use anp::render::{Rendered, Renderer};
use anp::synth::{Attack, Flaw, Generator, Kind, Options, Share, SynthArticle};

use super::judge::judge;
use super::support::{DIGEST, STAMP, settings};

/// Articles of which each is spoilt.
fn spoilt(invalid: Share, hostile: Share) -> impl Iterator<Item = (Kind, SynthArticle)> {
    let options = Options {
        invalid,
        hostile,
        ..Options::default()
    };
    let generator = Generator::new(28_802, options);
    (0..500).map(move |n| (generator.kind(n), generator.article(n)))
}

/// What an import would publish, or the codes of the errors.
fn published(synth: &SynthArticle) -> Result<Rendered, Vec<String>> {
    static RENDERER: LazyLock<Renderer> = LazyLock::new(|| Renderer::new(&settings()).unwrap());
    let input = Input {
        path: Arc::new(PathBuf::from(&synth.path)),
        relative: Path::new(&synth.path),
        markup: anp::article::Markup::of_path(Path::new(&synth.path)),
        bytes: &synth.bytes,
        cleaned: &OnceLock::new(),
    };
    let reading = read(&input, &Rules::default());
    let Some(article) = reading.article else {
        let codes = reading.diagnostics.iter().map(|found| found.code.clone());
        return Err(codes.collect());
    };
    let rendered = RENDERER.render(&article, DIGEST, &STAMP);
    rendered.map_err(|error| vec![error.code.to_string()])
}

#[test]
fn every_invalid_article_is_refused() {
    let mut flaws = HashSet::new();
    for (kind, synth) in spoilt(Share::ALL, Share::NONE) {
        let Kind::Invalid(flaw) = kind else {
            panic!("{kind:?}, but all are to be invalid");
        };
        assert!(
            published(&synth).is_err(),
            "{flaw:?} in {}:\n{}",
            synth.path,
            lossy(&synth)
        );
        flaws.insert(flaw);
    }
    assert_eq!(flaws.len(), Flaw::ALL.len(), "{flaws:?}");
}

#[test]
fn every_hostile_article_is_refused_or_harmless_as_foretold() {
    let mut attacks = HashSet::new();
    for (kind, synth) in spoilt(Share::NONE, Share::ALL) {
        let Kind::Hostile(attack) = kind else {
            panic!("{kind:?}, but all are to be hostile");
        };
        println!("{attack:?} in {}", synth.path);
        attacks.insert(attack);
        match published(&synth) {
            Ok(rendered) => {
                assert!(!kind.is_refused(), "{}", lossy(&synth));
                is_harmless(attack, &rendered);
            }
            Err(codes) => assert!(kind.is_refused(), "{codes:?} {}", lossy(&synth)),
        }
    }
    assert_eq!(attacks.len(), Attack::ALL.len(), "{attacks:?}");
}

fn is_harmless(attack: Attack, rendered: &Rendered) {
    let page = std::str::from_utf8(&rendered.page).unwrap();
    let dom = judge(page);
    if attack == Attack::TemplateTitle {
        // As it was written, neither run nor swallowed.
        let title = dom.document.find("h1")[0].text();
        assert!(title.starts_with('{') && !title.contains("49"), "{title}");
    }
    if attack == Attack::PathTraversal {
        assert!(!page.contains("../"), "{page}");
    }
    let meta: serde_json::Value = serde_json::from_slice(&rendered.meta).unwrap();
    every_text(&meta, &|text| {
        let steers = |c: char| {
            c.is_control()
                || ('\u{202a}'..='\u{202e}').contains(&c)
                || ('\u{2066}'..='\u{2069}').contains(&c)
        };
        assert!(!text.contains(steers), "{attack:?}: {text:?}");
    });
}

fn every_text(value: &serde_json::Value, look: &impl Fn(&str)) {
    match value {
        serde_json::Value::String(text) => look(text),
        serde_json::Value::Array(items) => items.iter().for_each(|item| every_text(item, look)),
        serde_json::Value::Object(members) => {
            members.values().for_each(|member| every_text(member, look));
        }
        _ => {}
    }
}

fn lossy(synth: &SynthArticle) -> String {
    String::from_utf8_lossy(&synth.bytes)
        .chars()
        .take(4_000)
        .collect()
}
