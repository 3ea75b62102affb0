//! The sample anp.yaml: valid as it is, and honest about the defaults it shows.

use anp::article::Languages;
use anp::settings::{Settings, Sources};
use std::fs;
use std::path::Path;
use std::time::Duration;

/// Settings from a file with this text, in a folder of its own.
fn load(yaml: &str) -> Settings {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("anp.yaml");
    fs::write(&file, yaml).unwrap();
    fs::write(dir.path().join("fields.yaml"), "fields:\n").unwrap();
    let sources = Sources {
        config: Some(&file),
        flags: Vec::new(),
        env: &|_| None,
        current_dir: dir.path(),
    };
    match Settings::load(&sources) {
        Ok(settings) => settings,
        Err(failure) => panic!("{failure:?}\n{yaml}"),
    }
}

fn sample() -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("anp.yaml");
    fs::read_to_string(file).unwrap()
}

/// What the sample shows as defaults, in the order of the file.
fn defaults(settings: &Settings) -> String {
    let Settings {
        prefix,
        ttl_ms,
        jitter_permille,
        max_invalid,
        expect,
        rules,
        admits,
        keep_runs,
        patience,
        ..
    } = settings;
    format!(
        "{prefix} {admits:?} {ttl_ms} {jitter_permille} {max_invalid} {expect:?} {rules:?} {keep_runs:?} {patience:?}"
    )
}

#[test]
fn the_sample_is_valid_and_uses_the_embedded_store() {
    let settings = load(&sample());
    assert_eq!(settings.content, Path::new("content"));
    assert!(settings.state_dir.ends_with(".anp"));
    assert_eq!(settings.render.site_url, "https://example.org");
    let store = settings.address.to_string();
    assert_eq!(store, format!("embedded:{}", settings.state_dir.display()));
}

/// The sample with every setting in it.
pub fn lifted() -> String {
    let is_setting = |line: &str| {
        let key = line.split_once(": ").map_or("", |(key, _)| key);
        // The address of a real server stands beside `redis: embedded`.
        !key.is_empty() && key != "redis" && key.chars().all(|c| c.is_ascii_lowercase() || c == '_')
    };
    let lifted: Vec<String> = sample()
        .lines()
        .map(|line| match line.split_once("# ") {
            Some((indent, setting)) if indent.trim().is_empty() && is_setting(setting) => {
                format!("{indent}{setting}")
            }
            _ => line.to_owned(),
        })
        .collect();
    lifted.join("\n")
}

#[test]
fn what_is_commented_out_shows_the_default() {
    let mut settings = load(&lifted());
    assert_eq!(
        settings.expect.max_duration,
        Some(Duration::from_secs(7200))
    );
    settings.expect.max_duration = None;
    assert_eq!(settings.choice.include.texts(), ["_notes"]);
    let listed = std::mem::take(&mut settings.rules.naming.languages);
    settings.rules.naming.languages = Languages::new("en", &[]);
    assert_ne!(listed, settings.rules.naming.languages);
    assert_eq!(defaults(&settings), defaults(&load("{}")));
    assert_eq!(settings.owner.as_deref(), Some("archive desk"));
    assert_eq!(
        settings.render.templates.as_deref(),
        Some(Path::new("templates"))
    );
    assert_eq!(settings.metrics_dir.as_deref(), Some(Path::new("metrics")));
}
