//! The reference page and the JSON Schema against the boundary they describe.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use anp::article::schema::{Schema, TABLE, json_schema, markdown, read_schema};
use anp::article::{Input, Rules, read};
use anp::yaml::{self, Kind, Node};
use regex::Regex;
use serde_json::{Value, json};

#[test]
fn docs_schema_is_the_table() {
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::create_dir_all("docs").unwrap();
        fs::write("docs/schema.md", markdown()).unwrap();
    }
    let page = fs::read_to_string("docs/schema.md").unwrap_or_default();
    assert_eq!(
        page,
        markdown(),
        "UPDATE_DOCS=1 cargo test docs_schema writes it"
    );
}

fn errors(yaml: &str) -> Vec<String> {
    let text = format!("---\n{yaml}\n---\n# heading\n");
    let path = Arc::new(PathBuf::from("x.md"));
    let input = Input {
        path,
        relative: Path::new("x.md"),
        markup: anp::article::Markup::Markdown,
        bytes: text.as_bytes(),
        cleaned: &OnceLock::new(),
    };
    let reading = read(&input, &Rules::default());
    reading
        .diagnostics
        .into_iter()
        .map(|found| found.message)
        .collect()
}

#[test]
fn every_example_of_the_table_is_valid_and_passes_the_schema() {
    for field in TABLE {
        let found = errors(field.example);
        // Examples stand alone, so flags have no images to agree with.
        let disagreements = field.name == "flags";
        assert!(
            found.is_empty() || disagreements,
            "{}: {found:?}",
            field.name
        );
        assert_eq!(
            judge(
                &json_schema(&Schema::default()),
                &guess(&yaml::parse(field.example, 1).unwrap())
            ),
            Ok(())
        );
    }
}

/// What a YAML parser that guesses types (core schema) makes of a node.
fn guess(node: &Node) -> Value {
    match &node.kind {
        Kind::Sequence(items) => items.iter().map(guess).collect(),
        Kind::Mapping(entries) => Value::Object(
            entries
                .iter()
                .map(|(key, node)| (key.text().to_owned(), guess(node)))
                .collect(),
        ),
        Kind::Scalar { text, plain: false } => json!(text),
        Kind::Scalar { text, .. } => match text.as_str() {
            "" | "~" | "null" | "Null" | "NULL" => Value::Null,
            "true" | "True" | "TRUE" => json!(true),
            "false" | "False" | "FALSE" => json!(false),
            _ => match (text.parse::<u64>(), text.parse::<f64>()) {
                (Ok(number), _) => json!(number),
                (_, Ok(number)) if number.is_finite() => json!(number),
                _ => json!(text),
            },
        },
    }
}

/// Judges by the keywords that our schema uses; an unknown keyword is an error.
fn judge(schema: &Value, value: &Value) -> Result<(), String> {
    let fail = |keyword: &str| Err(format!("{keyword} {} refuses {value}", schema[keyword]));
    for (keyword, rule) in schema.as_object().ok_or("no object")? {
        let fine = match keyword.as_str() {
            "$schema" | "title" | "description" => true,
            "type" => {
                let name = match value {
                    Value::Null => "null",
                    Value::Bool(_) => "boolean",
                    Value::Number(number) if number.is_u64() => "integer",
                    Value::Number(_) => "number",
                    Value::String(_) => "string",
                    Value::Array(_) => "array",
                    Value::Object(_) => "object",
                };
                let fits =
                    |wanted: &Value| wanted == name || (wanted == "number" && name == "integer");
                rule.as_array()
                    .map_or_else(|| fits(rule), |names| names.iter().any(fits))
            }
            "anyOf" => rule
                .as_array()
                .unwrap()
                .iter()
                .any(|one| judge(one, value).is_ok()),
            "not" => judge(rule, value).is_err(),
            "enum" => rule.as_array().unwrap().contains(value),
            "pattern" => value
                .as_str()
                .is_none_or(|text| Regex::new(rule.as_str().unwrap()).unwrap().is_match(text)),
            "maxLength" => value
                .as_str()
                .is_none_or(|text| text.chars().count() as u64 <= rule.as_u64().unwrap()),
            "minimum" => value
                .as_u64()
                .is_none_or(|number| number >= rule.as_u64().unwrap()),
            "maximum" => value
                .as_u64()
                .is_none_or(|number| number <= rule.as_u64().unwrap()),
            "maxItems" => value
                .as_array()
                .is_none_or(|items| items.len() as u64 <= rule.as_u64().unwrap()),
            "required" => value.as_object().is_none_or(|all| {
                let mut names = rule.as_array().unwrap().iter();
                names.all(|name| all.contains_key(name.as_str().unwrap()))
            }),
            "minProperties" => value
                .as_object()
                .is_none_or(|all| all.len() as u64 >= rule.as_u64().unwrap()),
            "maxProperties" => value
                .as_object()
                .is_none_or(|all| all.len() as u64 <= rule.as_u64().unwrap()),
            "items" => value
                .as_array()
                .into_iter()
                .flatten()
                .try_for_each(|item| judge(rule, item))
                .is_ok(),
            "properties" => {
                let known = |(name, value): (&String, &Value)| {
                    rule.get(name).map_or(Ok(()), |rule| judge(rule, value))
                };
                value
                    .as_object()
                    .into_iter()
                    .flatten()
                    .try_for_each(known)?;
                true
            }
            "additionalProperties" => {
                let rest =
                    |(name, value): (&String, &Value)| match (schema["properties"].get(name), rule)
                    {
                        (Some(_), _) | (None, Value::Bool(true)) => Ok(()),
                        (None, rule) => judge(rule, value),
                    };
                value.as_object().into_iter().flatten().try_for_each(rest)?;
                true
            }
            other => return Err(format!("keyword {other} is not known to this test")),
        };
        if !fine {
            return fail(keyword);
        }
    }
    Ok(())
}

#[test]
fn the_schema_of_the_settings_accepts_the_sample_and_refuses_what_settings_refuse() {
    let schema = anp::settings::json_schema();
    let judged = |text: &str| judge(&schema, &guess(&yaml::parse(text, 1).unwrap()));
    assert_eq!(judged(&fs::read_to_string("anp.yaml").unwrap()), Ok(()));
    assert_eq!(judged(&crate::sample_config::lifted()), Ok(()));
    assert_eq!(judged("site:\nstrict: true\nttl: 1d12h\n"), Ok(()));
    for text in [
        "prefx: a\n",
        "site: {titel: x}\n",
        "site.url: https://example.org\n",
        "ttl: 5 days\n",
        "strict: maybe\n",
        "unknown_fields: allow\n",
        "max_invalid: some\n",
        "keep_runs: {count: many}\n",
        "cache: {browser: 300}\n",
        "after: {purge: [{url: \"http://a\"}]}\n",
        "after: {purge: {kind: varnish}}\n",
    ] {
        assert!(judged(text).is_err(), "{text}");
    }
}

#[test]
fn the_schema_of_a_team_has_its_fields() {
    let file = "built_in: false\nfields:\n  level: {type: choice, choices: [one, two]}\n";
    let schema = json_schema(&read_schema(file).unwrap());
    let judged = |text: &str| judge(&schema, &guess(&yaml::parse(text, 1).unwrap()));
    assert_eq!(judged("title: a\nlevel: Two\ndifficulty: 7\n"), Ok(()));
    assert!(judged("level: three\n").is_err());
    assert!(judged("title: [a]\n").is_err());
}

fn front_matter(name: &str) -> Option<Node> {
    let text = fs::read_to_string(format!("fixtures/boundary/{name}.md")).ok()?;
    let (yaml, _) = text.strip_prefix("---")?.split_once("\n---")?;
    yaml::parse(yaml, 1).ok()
}

#[test]
fn the_schema_accepts_what_the_boundary_accepts() {
    let mut seen = 0;
    for entry in fs::read_dir("fixtures/boundary").unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if path.extension().is_none_or(|found| found != "expected") {
            continue;
        }
        // An editor marks what is kept with a warning.
        let found = fs::read_to_string(&path).unwrap();
        let accepted = found.contains("accepted, route") && !found.contains("kept as an own field");
        // The schema sees texts before cleaning.
        if let Some(node) = front_matter(&name).filter(|_| accepted && !name.starts_with("cleaned"))
        {
            seen += 1;
            assert_eq!(
                judge(&json_schema(&Schema::default()), &guess(&node)),
                Ok(()),
                "{name}"
            );
        }
    }
    assert!(seen > 25, "{seen}");
}

#[test]
fn the_schema_refuses_what_is_plainly_wrong() {
    for name in [
        "score-a-number",
        "score-out-of-range",
        "flag-2",
        "hash-upper-case",
        "reading-time-601",
        "tools-65-entries",
        "topic-201-characters",
        "difficulty-unknown",
        "reference-bad-form",
        "payload-source-id-bad-form",
        "revision-version-two-parts",
        "date-german",
        "ttl-without-unit",
        "image-url-javascript",
        "outline-33-pairs",
        "entities-a-text-entry",
        "image-source-without-url",
        "notes-65-entries",
        "title-a-list",
    ] {
        let node = front_matter(name).unwrap();
        assert!(
            judge(&json_schema(&Schema::default()), &guess(&node)).is_err(),
            "{name}"
        );
    }
}
