//! Finds the value that a field expects inside a value of another shape: the names of `authors: [{name:
//! Ann}]`, the path of `cover: {src: /a.png, alt: A}`.

use super::super::dates::{self, Timezone};
use super::super::metadata::Value;
use super::super::schema::Kind;
use super::scalar::scalar;

/// Members with a name, in the order in which they are looked for.
const NAMES: &[&str] = &["name", "title", "label", "slug"];

/// Members with the path of an image.
const PATHS: &[&str] = &["src", "url", "path", "image", "file", "href", "publicURL"];

/// Members with the day of publication.
const DAYS: &[&str] = &["created", "published", "date"];

/// The value of `kind` within an own value, if it has one.
pub(super) fn within(kind: &Kind, value: &Value, timezone: &Timezone) -> Option<Value> {
    match (kind, value) {
        (
            Kind::List {
                of: of @ Kind::Text { .. },
                max,
                ..
            },
            _,
        ) => {
            let items = match value {
                Value::List(items) => items.as_slice(),
                item => std::slice::from_ref(item),
            };
            let names = items.iter().map(|item| {
                let name = text(item, NAMES)?;
                scalar(of, name.to_owned(), timezone).ok()
            });
            let names: Vec<Value> = names.collect::<Option<_>>()?;
            (names.len() <= *max).then_some(Value::List(names))
        }
        (Kind::Image, Value::List(items)) => within(kind, items.first()?, timezone),
        (Kind::Image, _) => {
            let path = text(value, PATHS)?.to_owned();
            scalar(kind, path, timezone).ok()
        }
        (Kind::Date, Value::Group(_)) => dates::date(text(value, DAYS)?, timezone).map(Value::Text),
        _ => None,
    }
}

/// A text, or the first member of these that is one.
fn text<'v>(value: &'v Value, members: &[&str]) -> Option<&'v str> {
    let of = |value: &'v Value| match value {
        Value::Text(text) => Some(text.as_str()),
        _ => None,
    };
    match value {
        Value::Group(group) => members.iter().find_map(|member| {
            let (_, value) = group.iter().find(|(name, _)| name == member)?;
            of(value)
        }),
        value => of(value),
    }
}
