//! The sample articles: they are what a reader of the README sees first, so they are held to
//! more than an import asks for.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, OnceLock};

use anp::article::schema::{Field, Kind, TABLE};
use anp::article::{Article, Input, Metadata, Rules, Value, markdown_options, read};
use anp::source::walk;
use pulldown_cmark::{Event, Parser, Tag};

const ROOT: &str = "content";

/// Hands every sample article to `look`, with its path below `content/`.
fn each(mut look: impl FnMut(&str, &Article<'_>, &str)) {
    for relative in walk(Path::new(ROOT)).unwrap().sources.paths() {
        let path = Path::new(ROOT).join(&relative);
        let bytes = std::fs::read(&path).unwrap();
        let input = Input {
            path: Arc::new(path),
            relative: &relative,
            markup: anp::article::Markup::of_path(&relative),
            bytes: &bytes,
            cleaned: &OnceLock::new(),
        };
        let reading = read(&input, &Rules::default());
        assert_eq!(reading.diagnostics, [], "{}", relative.display());
        let article = reading.article.unwrap();
        let text = std::str::from_utf8(&bytes).unwrap();
        let body = text.splitn(3, "---\n").nth(2).unwrap();
        look(relative.to_str().unwrap(), &article, body);
    }
}

fn routes() -> BTreeSet<String> {
    let mut routes = BTreeSet::new();
    each(|_, article, _| {
        routes.insert(article.route.to_string());
    });
    routes
}

#[test]
fn check_finds_nothing_to_say() {
    let output = Command::new(env!("CARGO_BIN_EXE_anp"))
        .args(["check", ROOT, "--format", "text", "--drafts"])
        .env_clear()
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), &*stderr), (Some(0), ""), "{stdout}");
    let lines: Vec<&str> = stdout.lines().collect();
    let [summary] = lines[..] else {
        panic!("expected the summary alone, found {stdout}");
    };
    assert!(!summary.contains("invalid"), "{summary}");
}

#[test]
fn there_are_a_dozen_articles_several_folders_deep() {
    let paths: Vec<PathBuf> = walk(Path::new(ROOT)).unwrap().sources.paths().collect();
    assert!(paths.len() >= 12, "{paths:?}");
    assert!(paths.iter().any(|path| path.components().count() >= 3));
}

/// Adds the names of the fields that `value` sets, members as `score.quality`.
fn collect(name: &str, kind: &Kind, value: &Value, used: &mut BTreeSet<String>) {
    used.insert(name.to_owned());
    match (kind, value) {
        (Kind::Group(fields), Value::Group(members)) => {
            for (member, value) in members {
                let field = fields.iter().find(|field| field.name == member).unwrap();
                collect(&format!("{name}.{member}"), &field.kind, value, used);
            }
        }
        (Kind::List { of, .. }, Value::List(items)) => {
            for item in items {
                collect(name, of, item, used);
            }
        }
        _ => {}
    }
}

fn names(fields: &'static [Field], prefix: &str, all: &mut BTreeSet<String>) {
    for field in fields {
        let name = format!("{prefix}{}", field.name);
        all.insert(name.clone());
        let kind = match &field.kind {
            Kind::List { of, .. } => of,
            kind => kind,
        };
        if let Kind::Group(members) = kind {
            names(members, &format!("{name}."), all);
        }
    }
}

#[test]
fn every_field_of_the_schema_is_in_use() {
    let mut all = BTreeSet::new();
    names(TABLE, "", &mut all);
    assert!(all.contains("image_sources.caption"), "{all:?}");
    let mut used = BTreeSet::new();
    each(|_, article, _| {
        for (field, value) in &article.metadata.entries {
            collect(field.name, &field.kind, value, &mut used);
        }
    });
    let unused: Vec<&String> = all.difference(&used).collect();
    assert!(unused.is_empty(), "{unused:?}");
}

#[test]
fn every_construct_that_the_renderer_knows_is_in_use() {
    let mut used = BTreeSet::new();
    each(|_, _, body| {
        let mut lists = 0;
        for event in Parser::new_ext(body, markdown_options()) {
            match event {
                Event::Start(Tag::List(_)) if lists > 0 => {
                    used.insert("nested list");
                }
                Event::Start(Tag::Table(_)) => drop(used.insert("table")),
                Event::Start(Tag::CodeBlock(_)) => drop(used.insert("code block")),
                Event::Start(Tag::Image { .. }) => drop(used.insert("figure")),
                Event::Start(Tag::FootnoteDefinition(_)) => drop(used.insert("footnote")),
                _ => {}
            }
            match event {
                Event::Start(Tag::List(_)) => lists += 1,
                Event::End(pulldown_cmark::TagEnd::List(_)) => lists -= 1,
                _ => {}
            }
        }
    });
    let expected = ["code block", "figure", "footnote", "nested list", "table"];
    assert_eq!(used, BTreeSet::from(expected));
}

#[test]
fn internal_links_lead_to_articles() {
    let routes = routes();
    let mut links = 0;
    each(|path, _, body| {
        for event in Parser::new_ext(body, markdown_options()) {
            if let Event::Start(Tag::Link { dest_url, .. }) = event
                && !dest_url.contains("://")
                && !dest_url.starts_with("mailto:")
            {
                let route = dest_url.split('#').next().unwrap();
                let to_itself = route.is_empty();
                assert!(to_itself || routes.contains(route), "{path}: {dest_url}");
                links += 1;
            }
        }
    });
    assert!(links >= 10, "{links}");
}

#[test]
fn one_draft_one_own_ttl_one_to_be_reviewed() {
    let paths = |holds: fn(&Metadata) -> bool| {
        let mut paths = Vec::new();
        each(|path, article, _| {
            if holds(&article.metadata) {
                paths.push(path.to_owned());
            }
        });
        paths
    };
    let draft = paths(|metadata| metadata.get("draft") == Some(&Value::Flag(true)));
    assert_eq!(draft.len(), 1, "{draft:?}");
    let own_ttl = paths(|metadata| metadata.get("ttl").is_some());
    assert_eq!(own_ttl.len(), 1, "{own_ttl:?}");
    let to_be_reviewed = paths(|metadata| {
        metadata.flag("flags", "needs_human_review") && metadata.get("draft").is_none()
    });
    assert_eq!(to_be_reviewed.len(), 1, "{to_be_reviewed:?}");
}
