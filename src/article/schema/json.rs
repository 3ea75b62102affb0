//! The table as a JSON Schema (draft 2020-12).
//!
//! It accepts what the boundary accepts, seen through a YAML parser that guesses types: a
//! text may arrive as a number, a number as a string. Two things it cannot say: lengths
//! count after cleaning, and keys may be spelled with spaces, hyphens or capitals (such
//! keys fall under `additionalProperties` and are left to the boundary).

use serde_json::{Map, Value, json};

use super::{Alphabet, Field, Kind, MAX_URL, MAX_VERSION, Schema};

/// The schema of the front matter.
#[must_use]
pub fn json_schema(schema: &Schema) -> Value {
    let mut schema = object(schema.fields());
    let head = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Front matter of an article",
        "description": "Keys are matched after lower-casing and turning spaces and hyphens into underscores. \
                        Lengths count characters after cleaning. Unknown keys are kept as own fields.",
    });
    let mut whole = head.as_object().cloned().unwrap_or_default();
    whole.append(&mut schema);
    Value::Object(whole)
}

fn object(fields: &[Field]) -> Map<String, Value> {
    let mut properties = Map::new();
    for field in fields {
        for name in std::iter::once(&field.name).chain(field.aliases) {
            properties.insert((*name).to_owned(), property(field));
        }
    }
    let required: Vec<&str> = fields
        .iter()
        .filter(|field| field.required)
        .map(|field| field.name)
        .collect();
    let mut schema = Map::new();
    schema.insert("type".to_owned(), json!("object"));
    schema.insert("properties".to_owned(), Value::Object(properties));
    schema.insert("additionalProperties".to_owned(), json!(true));
    // A required member may be spelled with a capital: only the boundary can tell.
    if !required.is_empty() {
        schema.insert("minProperties".to_owned(), json!(required.len()));
    }
    schema
}

fn property(field: &Field) -> Value {
    let mut schema = json!({ "anyOf": [value(&field.kind), nothing()] });
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("title".to_owned(), json!(field.label));
        schema.insert("description".to_owned(), json!(field.description));
    }
    schema
}

fn value(kind: &Kind) -> Value {
    match kind {
        Kind::Text { max } => text(*max),
        Kind::Numbered {
            max,
            prefix,
            suffix_digits,
        } => numbered(*max, prefix, *suffix_digits),
        Kind::Slug => text(1_000),
        Kind::Route | Kind::Image => text(MAX_URL),
        Kind::Language => string("^\\s*[A-Za-z]{2,3}([-_][A-Za-z0-9]{1,8})*\\s*$"),
        Kind::Number => number(
            &json!({ "type": "number" }),
            "^\\s*-?[0-9]+(\\.[0-9]+)?\\s*$",
        ),
        Kind::Token { max, alphabet } => token(*max, *alphabet),
        Kind::Choice(choices) => choice(choices),
        Kind::Date => string(DATE),
        Kind::Integer { min, max } => number(
            &json!({ "type": "integer", "minimum": min, "maximum": max }),
            "^\\s*[0-9]+\\s*$",
        ),
        Kind::Any => json!({}),
        Kind::Minutes { max } => number(
            &json!({ "type": "number", "minimum": 0, "maximum": max }),
            "^\\s*[~≈]?\\s*[0-9]+(\\.[0-9]+)?\\s*([Mm][A-Za-z. ]*)?\\s*$",
        ),
        Kind::Flag => json!({
            "anyOf": [{ "type": "boolean" }, { "enum": [0, 1] }, string(FLAG)],
        }),
        Kind::SemVer => json!({
            "type": "string",
            "maxLength": MAX_VERSION,
            "pattern": SEM_VER,
        }),
        Kind::Hex(digits) => {
            json!({ "type": SCALAR, "pattern": format!("^\\s*[0-9a-f]{{{digits}}}\\s*$") })
        }
        Kind::Duration { .. } => string(DURATION),
        Kind::Host => {
            json!({ "type": SCALAR, "maxLength": 253, "pattern": "^\\s*[A-Za-z0-9.-]+\\s*$" })
        }
        Kind::Url => json!({
            "type": "string",
            "maxLength": MAX_URL,
            "pattern": "^\\s*[Hh][Tt][Tt][Pp][Ss]?://[A-Za-z0-9]",
        }),
        Kind::List { max, of, .. } => list(*max, of),
        Kind::Pairs { max, text_max, .. } => {
            let pairs = json!({ "type": "object", "additionalProperties": text(*text_max), "maxProperties": max });
            json!({ "anyOf": [{ "type": "array", "maxItems": max, "items": pairs }, pairs] })
        }
        Kind::Group(members) => Value::Object(object(members)),
    }
}

fn string(pattern: &str) -> Value {
    json!({ "type": "string", "pattern": pattern })
}

/// A number, or a string that spells one.
fn number(number: &Value, pattern: &str) -> Value {
    json!({ "anyOf": [number, string(pattern)] })
}

/// Text that is free, unless it begins as the numbers of the field do.
fn numbered(max: usize, prefix: &str, suffix_digits: usize) -> Value {
    let suffix = if suffix_digits > 0 {
        format!("-[0-9]{{{suffix_digits}}}")
    } else {
        String::new()
    };
    json!({
        "type": SCALAR,
        "maxLength": max,
        "anyOf": [
            { "not": string(&format!("^\\s*{prefix}")) },
            { "pattern": format!("^\\s*{prefix}[0-9]{{6,}}{suffix}\\s*$") },
        ],
    })
}

fn token(max: usize, alphabet: Alphabet) -> Value {
    let class = match alphabet {
        Alphabet::Language => "[A-Za-z0-9+#.-]",
        Alphabet::Common => alphabet.class(),
    };
    json!({ "type": SCALAR, "pattern": format!("^\\s*{class}{{1,{max}}}\\s*$") })
}

fn choice(choices: &[&str]) -> Value {
    let spellings: Vec<String> = choices.iter().map(|choice| in_any_case(choice)).collect();
    let spelling = format!("^\\s*({})\\s*$", spellings.join("|"));
    json!({ "anyOf": [{ "enum": choices }, string(&spelling)] })
}

fn list(max: usize, of: &Kind) -> Value {
    let list = json!({
        "type": "array",
        "maxItems": max,
        "items": { "anyOf": [value(of), nothing()] },
    });
    match of {
        Kind::Group(_) => list,
        // A text is a list of one, or several with commas between them.
        _ => json!({ "anyOf": [list, { "type": SCALAR }] }),
    }
}

const FLAG: &str = concat!(
    "^\\s*([01]|[Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee]|[Yy][Ee][Ss]|[Nn][Oo]|",
    "[Oo][Nn]|[Oo][Ff][Ff])\\s*$",
);

/// `1.4.0-rc.1+build`: see semver.org.
const SEM_VER: &str = concat!(
    "^\\s*(0|[1-9][0-9]*)\\.(0|[1-9][0-9]*)\\.(0|[1-9][0-9]*)",
    "(-[0-9A-Za-z.-]+)?(\\+[0-9A-Za-z.-]+)?\\s*$",
);

/// `1w2d12h30m10s`.
const DURATION: &str =
    "^\\s*([0-9]+[Ww])?([0-9]+[Dd])?([0-9]+[Hh])?([0-9]+[Mm])?([0-9]+[Ss])?\\s*$";

/// A day with its numbers or the name of its month; then a time; then a zone.
const DATE: &str = concat!(
    "^\\s*([0-9]{4}-[0-9]{1,2}-[0-9]{1,2}|[0-9]{4}/[0-9]{1,2}/[0-9]{1,2}|",
    "([A-Za-z]{3,9}[.,]? )?([A-Za-z]{3,9}[.,]? [0-9]{1,2}|[0-9]{1,2}(st|nd|rd|th)? [A-Za-z]{3,9}[.,]?)",
    "(st|nd|rd|th)?,? [0-9]{4})",
    "([Tt ,]+[0-9]{1,2}:[0-9]{2}(:[0-9]{2}(\\.[0-9]{1,9})?)?",
    "( ?([Zz]|UTC|GMT|[+-][0-9]{2}(:?[0-9]{2})?( [A-Z]{3,5})?))?)?\\s*$",
);

/// A pattern of a word: JSON Schema has none that disregards case.
fn in_any_case(word: &str) -> String {
    let letters = word.chars().map(|c| match c {
        c if c.is_ascii_alphabetic() => format!("[{}{c}]", c.to_ascii_uppercase()),
        c if c.is_ascii_alphanumeric() || c == '-' || c == '_' => c.to_string(),
        c => format!("\\{c}"),
    });
    letters.collect()
}

/// What a guessing YAML parser makes of a scalar that is read as text here.
const SCALAR: [&str; 3] = ["string", "number", "boolean"];

fn text(max: usize) -> Value {
    json!({ "type": SCALAR, "maxLength": max })
}

/// Empty is absent.
fn nothing() -> Value {
    json!({ "anyOf": [{ "type": "null" }, { "type": "string", "pattern": "^\\s*$" }] })
}
