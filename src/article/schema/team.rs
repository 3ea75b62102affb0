//! A schema file: the fields of a team, with the types and limits of the built-in ones.
//!
//! The file is read once, and its names are leaked: they live as long as the process, as those of the
//! built-in table do.

use super::fields::Schema;
use super::types::{COMMON, TYPES, example, parameters};
use super::{Alphabet, FIELD, Field, Kind, MAX_EXACT, Split, TABLE};
use crate::article::text::{Cleaned, clean};
use crate::diagnostic::Span;
use crate::duration::DAY_MS;
use crate::yaml::{self, Fault, Key, Node, YamlError};

/// Most fields of a schema file, and most members of a group.
const MAX_FIELDS: usize = 200;

/// The longest text that a field may ask for: no front matter is longer.
const MAX_TEXT: u64 = 65_536;

/// Built-in fields that every page has a place for.
const OF_PAGES: [&str; 11] = [
    "aliases",
    "updated",
    "author",
    "lang",
    "summary",
    "description",
    "image",
    "tags",
    "categories",
    "hide_meta",
    "weight",
];

/// Whether a built-in field stays when the built-in table is switched off.
fn is_permanent(field: &Field) -> bool {
    field.acts || OF_PAGES.contains(&field.name)
}

/// Reads a schema file.
///
/// # Errors
/// Everything that is wrong with it, by place.
pub fn read(text: &str) -> Result<Schema, Vec<YamlError>> {
    let root = yaml::parse(text, 1)?;
    let mut reader = Reader { errors: Vec::new() };
    let fields = reader.file(&root);
    if reader.errors.is_empty() {
        Ok(Schema::of_a_team(
            fields,
            blake3::hash(text.as_bytes()).as_bytes(),
        ))
    } else {
        reader
            .errors
            .sort_by_key(|error| (error.span.line, error.span.column));
        Err(reader.errors)
    }
}

struct Reader {
    errors: Vec<YamlError>,
}

impl Reader {
    fn file(&mut self, root: &Node) -> Vec<Field> {
        let entries = self.take(root.mapping()).unwrap_or_default();
        let mut is_built_in = true;
        let mut own = &[][..];
        for (key, node) in entries {
            match key.name.as_str() {
                "built_in" => is_built_in = self.take(node.flag()).unwrap_or(true),
                "fields" => own = self.take(node.mapping()).unwrap_or_default(),
                _ => self.errors.push(key.unknown(["built_in", "fields"])),
            }
        }
        let kept = TABLE
            .iter()
            .filter(|field| is_built_in || is_permanent(field));
        let mut fields: Vec<Field> = kept.copied().collect();
        if own.len() > MAX_FIELDS {
            let message = format!("expected at most {MAX_FIELDS} fields, found {}", own.len());
            self.error(root, message);
            return fields;
        }
        for (key, node) in own {
            let built_in = fields.iter().position(|field| field.name == key.name);
            let Some(field) = self.field(key, node, built_in.map(|index| &fields[index])) else {
                continue;
            };
            match built_in {
                Some(index) => fields[index] = field,
                None => fields.push(field),
            }
        }
        self.check_names(&fields, own);
        fields
    }

    /// A field; `before` is the built-in one of that name.
    fn field(&mut self, key: &Key, node: &Node, before: Option<&Field>) -> Option<Field> {
        let name = self.name(key)?;
        let entries = self.take(node.mapping())?;
        let said = |name: &str| entries.iter().find(|(key, _)| key.name == name);
        let mut field = match (before, said("type")) {
            (Some(before), None) => *before,
            (Some(before), Some((key, _))) if is_permanent(before) => {
                let message = format!("'{name}' has a type of its own, which cannot be changed");
                self.errors.push(error(key.span, message));
                return None;
            }
            (before, _) => Field {
                name,
                kind: self.kind(node, entries)?,
                label: before.map_or_else(|| leak(label(name)), |before| before.label),
                description: before
                    .map_or("A field of the schema file.", |before| before.description),
                acts: true,
                ..FIELD
            },
        };
        let parameters = match said("type") {
            Some(_) => parameters(entries),
            None => &[],
        };
        for (key, node) in entries {
            match key.name.as_str() {
                "type" => {}
                "label" => field.label = self.text(node).unwrap_or(field.label),
                "description" => field.description = self.text(node).unwrap_or(field.description),
                "example" => field.example = self.text(node).unwrap_or(field.example),
                "required" => field.required = self.take(node.flag()).unwrap_or(false),
                "aliases" => field.aliases = self.aliases(node, field.aliases),
                name if parameters.contains(&name) => {}
                _ => {
                    let known = COMMON.iter().chain(parameters);
                    self.errors.push(key.unknown(known.copied()));
                }
            }
        }
        if field.example.is_empty() {
            field.example = leak(format!("{name}: {}", example(&field.kind)));
        }
        Some(field)
    }

    /// The name of a field, limited to what templates and JSON readers take as a name.
    fn name(&mut self, key: &Key) -> Option<&'static str> {
        let is_name = |name: &str| {
            (1..=40).contains(&name.len())
                && name
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
                && !name.starts_with(|c: char| c.is_ascii_digit())
        };
        if !is_name(&key.name) || key.name == "extra" {
            let message = format!(
                "expected a name of at most 40 characters from [a-z0-9_] besides 'extra', found '{}'",
                yaml::scalar::shortened(key.text())
            );
            self.errors.push(error(key.span, message));
            return None;
        }
        Some(leak(key.name.clone()))
    }

    fn aliases(&mut self, node: &Node, before: &[&'static str]) -> &'static [&'static str] {
        let mut aliases = before.to_vec();
        for node in self.take(node.list()).unwrap_or_default() {
            if let Some(text) = self.take(node.text()) {
                aliases.push(leak(yaml::normalise(text)));
            }
        }
        Box::leak(aliases.into_boxed_slice())
    }

    /// No two fields may answer to one name.
    fn check_names(&mut self, fields: &[Field], own: &[(Key, Node)]) {
        for (index, field) in fields.iter().enumerate() {
            for name in field.aliases.iter().chain([&field.name]) {
                let mut before = fields[..index].iter();
                let Some(other) = before.find(|other| other.answers_to(name)) else {
                    continue;
                };
                let place = own
                    .iter()
                    .find(|(key, _)| key.name == field.name)
                    .or_else(|| own.iter().find(|(key, _)| key.name == other.name));
                if let Some((key, _)) = place {
                    let message = format!(
                        "expected each name once, found '{name}' for '{}' and '{}'",
                        other.name, field.name
                    );
                    self.errors.push(error(key.span, message));
                }
            }
        }
    }

    fn kind(&mut self, node: &Node, entries: &[(Key, Node)]) -> Option<Kind> {
        match entries.iter().find(|(key, _)| key.name == "type") {
            Some((_, named)) => self.named_kind(named, entries),
            None => {
                self.error(node, "expected a type, found none".to_owned());
                None
            }
        }
    }

    /// The kind whose type is `named`, with the limits that `entries` give.
    fn named_kind(&mut self, named: &Node, entries: &[(Key, Node)]) -> Option<Kind> {
        let said = |name: &str| {
            let entry = entries.iter().find(|(key, _)| key.name == name);
            entry.map(|(_, node)| node)
        };
        let names = TYPES.map(|(name, _)| name);
        let index = self.take(named.choice(&names))?;
        let mut whole = |name: &str, default: u64, range| match said(name) {
            Some(node) => self.take(node.whole(range)),
            None => Some(default),
        };
        Some(match names[index] {
            "text" => Kind::Text {
                max: length(whole("max", 500, 1..=MAX_TEXT)?),
            },
            "token" => Kind::Token {
                max: length(whole("max", 80, 1..=1_000)?),
                alphabet: Alphabet::Common,
            },
            "choice" => self.choices(said("choices").unwrap_or(named))?,
            "date" => Kind::Date,
            "whole" => {
                let min = whole("min", 0, 0..=MAX_EXACT)?;
                let max = whole("max", MAX_EXACT, min..=MAX_EXACT)?;
                Kind::Integer { min, max }
            }
            "number" => Kind::Number,
            "minutes" => Kind::Minutes {
                max: whole("max", 600, 0..=MAX_EXACT)?,
            },
            "flag" => Kind::Flag,
            "version" => Kind::SemVer,
            "hex" => Kind::Hex(length(whole("digits", 40, 1..=1_000)?)),
            "duration" => {
                let mut ms = |name: &str, default: u64, least: u64| match said(name) {
                    Some(node) => self.take(node.duration_ms(least..=36_500 * DAY_MS)),
                    None => Some(default.max(least)),
                };
                let min_ms = ms("min", 1_000, 0)?;
                let max_ms = ms("max", 3_650 * DAY_MS, min_ms)?;
                Kind::Duration { min_ms, max_ms }
            }
            "host" => Kind::Host,
            "url" => Kind::Url,
            "image" => Kind::Image,
            "language" => Kind::Language,
            "list" => {
                let max = length(whole("max", 64, 1..=1_000)?);
                let of = match said("of") {
                    None => Kind::Text { max: 500 },
                    Some(node) => self.item(node)?,
                };
                let split = match said("split") {
                    None => 0,
                    Some(node) => self.take(node.choice(&["never", "commas", "spaces"]))?,
                };
                Kind::List {
                    max,
                    of: Box::leak(Box::new(of)),
                    split: [Split::Never, Split::AtCommas, Split::AtCommasOrSpaces][split],
                }
            }
            "pairs" => Kind::Pairs {
                max: length(whole("max", 32, 1..=1_000)?),
                label_max: 80,
                text_max: 500,
            },
            "group" => self.group(said("fields").unwrap_or(named))?,
            _ => Kind::Any,
        })
    }

    /// The kind of the items of a list: the name of a type, or a mapping with its limits.
    fn item(&mut self, node: &Node) -> Option<Kind> {
        let kind = match &node.kind {
            yaml::Kind::Scalar { .. } => self.named_kind(node, &[]),
            _ => {
                let entries = self.take(node.mapping())?;
                let parameters = parameters(entries);
                for (key, _) in entries {
                    let name = key.name.as_str();
                    if name != "type" && !parameters.contains(&name) {
                        let known = ["type"].into_iter().chain(parameters.iter().copied());
                        self.errors.push(key.unknown(known));
                    }
                }
                self.kind(node, entries)
            }
        }?;
        if matches!(kind, Kind::List { .. } | Kind::Pairs { .. }) {
            self.error(node, "expected no list in a list".to_owned());
            return None;
        }
        Some(kind)
    }

    fn choices(&mut self, node: &Node) -> Option<Kind> {
        let mut choices: Vec<&'static str> = Vec::new();
        for node in self.take(node.list())? {
            choices.push(leak(self.take(node.text())?.to_owned()));
        }
        if choices.is_empty() || choices.len() > MAX_FIELDS {
            let message = format!(
                "expected 1 to {MAX_FIELDS} choices, found {}",
                choices.len()
            );
            self.error(node, message);
            return None;
        }
        Some(Kind::Choice(Box::leak(choices.into_boxed_slice())))
    }

    fn group(&mut self, node: &Node) -> Option<Kind> {
        let entries = self.take(node.mapping())?;
        if entries.is_empty() || entries.len() > MAX_FIELDS {
            let message = format!("expected 1 to {MAX_FIELDS} fields, found {}", entries.len());
            self.error(node, message);
            return None;
        }
        let fields: Vec<Field> = entries
            .iter()
            .filter_map(|(key, node)| self.field(key, node, None))
            .collect();
        self.check_names(&fields, entries);
        Some(Kind::Group(Box::leak(fields.into_boxed_slice())))
    }

    fn text(&mut self, node: &Node) -> Option<&'static str> {
        let text = self.take(node.text())?;
        Some(leak(clean(text.to_owned(), &mut Cleaned::default())))
    }

    fn take<T>(&mut self, result: Result<T, YamlError>) -> Option<T> {
        result.map_err(|error| self.errors.push(error)).ok()
    }

    fn error(&mut self, node: &Node, message: String) {
        self.errors.push(error(node.span, message));
    }
}

fn error(span: Span, message: String) -> YamlError {
    YamlError {
        fault: Fault::Value,
        message,
        help: None,
        span,
    }
}

fn leak(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

fn length(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// `release_train` → `Release train`.
fn label(name: &str) -> String {
    let words = name.replace('_', " ");
    let mut chars = words.chars();
    let first = chars.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(chars).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAYING: &str = "title slug route aliases date updated publish_at expires_at author lang summary \
                           description image tags categories draft published withdrawn noindex robots \
                           hidden hide_meta weight ttl";

    #[test]
    fn what_anp_acts_on_stays() {
        let staying: Vec<&str> = STAYING.split_whitespace().collect();
        for field in TABLE.iter().filter(|field| field.acts) {
            assert!(staying.contains(&field.name), "{}", field.name);
        }
        let names: Vec<&str> = TABLE.iter().map(|field| field.name).collect();
        assert!(staying.iter().all(|name| names.contains(name)));
        assert!(OF_PAGES.iter().all(|name| names.contains(name)));
    }

    fn errors(text: &str) -> Vec<String> {
        let errors = read(text).err().unwrap_or_default();
        let shown = errors.into_iter().map(|error| {
            format!(
                "{}:{} {}",
                error.span.line, error.span.column, error.message
            )
        });
        shown.collect()
    }

    #[test]
    fn a_wrong_file_says_where() {
        for (text, expected) in [
            ("field: 1\n", "1:1 unknown key 'field'"),
            ("fields: [a]\n", "1:9 expected a mapping, found a list"),
            ("fields:\n  a: {}\n", "2:6 expected a type, found none"),
            (
                "fields:\n  a: {type: texts}\n",
                "2:13 expected text, token, choice,",
            ),
            (
                "fields:\n  a: {type: text, mx: 3}\n",
                "2:19 unknown key 'mx'",
            ),
            (
                "fields:\n  a: {type: text, max: 0}\n",
                "2:24 expected a whole number from 1 to 65536, found 0",
            ),
            (
                "fields:\n  title: {type: text}\n",
                "2:11 'title' has a type of its own",
            ),
            (
                "fields:\n  a b c!: {type: text}\n",
                "2:3 expected a name of at most 40 characters",
            ),
            (
                "fields:\n  a: {type: text, aliases: [tags]}\n",
                "2:3 expected each name once, found 'tags' for 'tags' and 'a'",
            ),
            (
                "fields:\n  a: {type: list, of: list}\n",
                "2:23 expected no list in a list",
            ),
            ("fields:\n  a: {type: choice}\n", "2:13 expected a list"),
            (
                "fields:\n  a: {type: whole, min: 5, max: 4}\n",
                "2:33 expected a whole number from 5 to",
            ),
        ] {
            let found = errors(text);
            assert!(
                found.iter().any(|found| found.starts_with(expected)),
                "{text}: {found:?}"
            );
        }
    }

    #[test]
    fn every_type_can_be_declared_and_its_example_read() {
        for (name, _) in TYPES {
            let more = match name {
                "choice" => ", choices: [a, b]",
                "group" => ", fields: {b: {type: text}}",
                _ => "",
            };
            let text = format!("fields:\n  a: {{type: {name}{more}}}\n");
            let schema = read(&text).unwrap_or_else(|errors| panic!("{name}: {errors:?}"));
            let field = schema.fields().last().unwrap();
            assert_eq!((field.name, field.label), ("a", "A"), "{name}");
            assert!(field.example.starts_with("a: "), "{name}");
        }
    }

    #[test]
    fn the_built_in_table_can_be_switched_off_and_adjusted() {
        let schema = read(
            "built_in: false\nfields:\n  date: {required: true, label: Day, aliases: [created]}\n  difficulty: {type: text}\n",
        )
        .unwrap();
        let names: Vec<&str> = schema.fields().iter().map(|field| field.name).collect();
        let (difficulty, staying) = names.split_last().unwrap();
        assert_eq!(staying, STAYING.split_whitespace().collect::<Vec<_>>());
        assert_eq!(*difficulty, "difficulty");
        let date = schema
            .fields()
            .iter()
            .find(|field| field.name == "date")
            .unwrap();
        assert!(date.required && date.answers_to("created") && date.answers_to("pub_date"));
        assert_eq!(date.label, "Day");
    }
}
