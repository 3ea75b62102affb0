//! The boundary against fixtures: each `fixtures/boundary/NAME.md` is read and everything
//! that came of it (diagnostics as drawn, route, cleaned fields) is compared with
//! `NAME.expected`. A name that begins with `strict-`, `deny-` or `keep-` sets the rules.
//! `UPDATE_EXPECTED=1` writes the expectations; review them as code.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anp::article::{Input, Reading, Rules, UnknownFields, Value, read};
use anp::diagnostic::draw::render;

const FOLDER: &str = "fixtures/boundary";

fn rules(name: &str) -> Rules {
    let unknown_fields = match name.split('-').next() {
        Some("deny") => UnknownFields::Deny,
        Some("keep") => UnknownFields::Keep,
        _ => UnknownFields::Warn,
    };
    Rules {
        strict: name.starts_with("strict-"),
        unknown_fields,
        ..Rules::default()
    }
}

fn read_fixture<'a>(relative: &'a Path, bytes: &'a [u8], rules: &Rules) -> Reading<'a> {
    let path = Arc::new(PathBuf::from(FOLDER).join(relative));
    read(
        &Input {
            path,
            relative,
            markup: anp::article::Markup::of_path(relative),
            bytes,
            cleaned: Box::leak(Box::default()),
        },
        rules,
    )
}

fn shown(value: &Value) -> String {
    match value {
        Value::Text(text) => format!("{text:?}"),
        Value::Number(number) => number.to_string(),
        Value::Decimal(number) => number.clone(),
        Value::Flag(set) => set.to_string(),
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(shown).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Group(members) => {
            let members: Vec<String> = members
                .iter()
                .map(|(name, value)| format!("{name}: {}", shown(value)))
                .collect();
            format!("{{{}}}", members.join(", "))
        }
        Value::Pairs(pairs) => format!("{pairs:?}"),
    }
}

/// Everything a user could see of a reading.
fn account(reading: &Reading<'_>) -> String {
    let mut out = String::new();
    for diagnostic in &reading.diagnostics {
        out.push_str(&render(diagnostic, false));
    }
    let verdict = if reading.article.is_some() {
        "accepted"
    } else {
        "rejected"
    };
    let route = reading
        .route
        .as_ref()
        .map_or("unknown", |route| route.as_str());
    let _ = writeln!(out, "{verdict}, route {route}");
    if reading.cleaned.any() {
        let _ = writeln!(out, "{:?}", reading.cleaned);
    }
    if let Some(article) = &reading.article {
        let _ = writeln!(out, "title = {:?}", article.title);
        for (field, value) in &article.metadata.entries {
            let _ = writeln!(out, "{}: {}", field.name, shown(value));
        }
        for (name, value) in &article.metadata.extra {
            let _ = writeln!(out, "extra {name:?}: {}", shown(value));
        }
        let body = &article.body;
        let _ = writeln!(
            out,
            "body of {} bytes, {} images",
            body.markdown.len(),
            body.images
        );
    }
    out
}

fn stems(extension: &str) -> BTreeSet<String> {
    fs::read_dir(FOLDER)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect()
}

#[test]
fn every_fixture_is_read_as_expected() {
    let update = std::env::var_os("UPDATE_EXPECTED").is_some();
    let mut wrong = String::new();
    for name in stems("md") {
        let bytes = fs::read(format!("{FOLDER}/{name}.md")).unwrap();
        let relative = PathBuf::from(format!("{name}.md"));
        let found = account(&read_fixture(&relative, &bytes, &rules(&name)));
        let expectation = format!("{FOLDER}/{name}.expected");
        if update {
            fs::write(&expectation, &found).unwrap();
        }
        let expected = fs::read_to_string(&expectation).unwrap_or_default();
        if found != expected {
            let _ = writeln!(
                wrong,
                "=== {name}\n--- expected\n{expected}--- found\n{found}"
            );
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn no_fixture_and_no_expectation_is_left_alone() {
    assert_eq!(stems("md"), stems("expected"));
    assert!(!stems("md").is_empty());
}
