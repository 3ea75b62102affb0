//! Single values: the type and limits of a field against a cleaned text.

use super::super::dates::{self, Timezone};
use super::super::findings::Findings;
use super::super::forms::{self, is_digits};
use super::super::given_route::slug_path;
use super::super::metadata::Value;
use super::super::route::MAX_SEGMENT_BYTES;
use super::super::schema::{Alphabet, Kind, MAX_EXACT, MAX_URL, MAX_VERSION};
use super::shape::Name;
use crate::diagnostic::Span;
use crate::duration;
use crate::yaml;
use crate::yaml::scalar::{quoted, whole_number};

/// A text that is no value of a kind.
pub(super) enum Unfit {
    /// It is of the kind, and beyond its limits.
    Beyond(String),
    /// It is something else, which the field was not meant for.
    Other(String),
}

/// The value of `kind` that a cleaned text stands for. A slug is made by [`slug`].
pub(super) fn scalar(kind: &Kind, text: String, timezone: &Timezone) -> Result<Value, Unfit> {
    let fits = |max: usize| text.len() <= max || text.chars().count() <= max;
    let (is_of_kind, is_within) = match kind {
        Kind::Text { max } => (true, fits(*max)),
        Kind::Route if text.eq_ignore_ascii_case("false") => return Ok(Value::Flag(false)),
        Kind::Route | Kind::Image => (true, fits(MAX_URL)),
        Kind::Numbered {
            max,
            prefix,
            suffix_digits,
        } => {
            let is_name = || forms::numbered(&text, prefix, *suffix_digits).is_some();
            (true, fits(*max) && (!text.starts_with(prefix) || is_name()))
        }
        Kind::Token { max, alphabet } => {
            let text = match alphabet {
                Alphabet::Language if text.bytes().any(|b| b.is_ascii_uppercase()) => {
                    return scalar(kind, text.to_ascii_lowercase(), timezone);
                }
                _ => &text,
            };
            (text.chars().all(|c| alphabet.contains(c)), fits(*max))
        }
        Kind::Hex(digits) => (
            text.len() == *digits && text.bytes().all(|b| b.is_ascii_hexdigit()),
            !text.bytes().any(|b| b.is_ascii_uppercase()),
        ),
        Kind::SemVer => (forms::is_semver(&text), fits(MAX_VERSION)),
        Kind::Duration { min_ms, max_ms } => {
            let ms = duration::parse_ms(&text);
            (
                ms.is_some(),
                ms.is_some_and(|ms| (min_ms..=max_ms).contains(&&ms)),
            )
        }
        Kind::Url => (forms::url_host(&text).is_some(), fits(MAX_URL)),
        _ => return converted(kind, text, timezone),
    };
    match (is_of_kind, is_within) {
        (true, true) => Ok(Value::Text(text)),
        (true, false) => Err(Unfit::Beyond(text)),
        (false, _) => Err(Unfit::Other(text)),
    }
}

/// The same for kinds whose value is not the text itself.
fn converted(kind: &Kind, text: String, timezone: &Timezone) -> Result<Value, Unfit> {
    let value = match kind {
        Kind::Choice(choices) => {
            let mut choices = choices.iter();
            let choice = choices.find(|choice| choice.eq_ignore_ascii_case(&text));
            choice.map(|choice| Value::Text((*choice).to_owned()))
        }
        Kind::Date => dates::date(&text, timezone).map(Value::Text),
        Kind::Flag => flag(&text).map(Value::Flag),
        Kind::Language => forms::language(&text).map(Value::Text),
        Kind::Number => number(&text),
        Kind::Host => forms::is_host(&text).then(|| Value::Text(text.to_ascii_lowercase())),
        Kind::Integer { min, max } => {
            let whole = whole_number(&text);
            match whole.filter(|number| (min..=max).contains(&number)) {
                None if whole.is_some() || is_number(&text) => return Err(Unfit::Beyond(text)),
                number => number.map(Value::Number),
            }
        }
        Kind::Minutes { max } => match forms::minutes(&text) {
            Some(minutes) if minutes > *max => return Err(Unfit::Beyond(text)),
            minutes => minutes.map(Value::Number),
        },
        _ => None,
    };
    value.ok_or(Unfit::Other(text))
}

/// A flag as YAML 1.1 writes it too: nothing else can be meant where one is expected.
fn flag(text: &str) -> Option<bool> {
    let is = |words: [&str; 2]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    yaml::scalar::flag(text)
        .or_else(|| is(["yes", "on"]).then_some(true))
        .or_else(|| is(["no", "off"]).then_some(false))
}

/// Whether the text is a number as JSON writes it, without an exponent.
fn is_number(text: &str) -> bool {
    let (whole, decimals) = match text.split_once('.') {
        Some((whole, decimals)) => (whole, Some(decimals)),
        None => (text, None),
    };
    let amount = whole.strip_prefix('-').unwrap_or(whole);
    let has_no_leading_zero = amount == "0" || !amount.starts_with('0');
    is_digits(amount) && has_no_leading_zero && decimals.is_none_or(is_digits)
}

/// The most characters of a number that readers of JSON keep as it is.
const MAX_NUMBER: usize = 16;

/// A number, if readers of JSON keep it as it is written: a version 1.10 is none.
pub(super) fn number(text: &str) -> Option<Value> {
    let ends_in_zero = text.contains('.') && text.ends_with('0');
    if !is_number(text) || ends_in_zero || text.len() > MAX_NUMBER {
        return None;
    }
    match whole_number(text) {
        Some(number) => (number <= MAX_EXACT).then_some(Value::Number(number)),
        None => Some(Value::Decimal(text.to_owned())),
    }
}

/// What is wrong with a text in the place of a value.
pub(super) fn mismatch(kind: &Kind, text: &str) -> String {
    let count = text.chars().count();
    let (kind, found) = match kind {
        Kind::Text { .. } => (kind, count.to_string()),
        // Too long, and no numbered name.
        Kind::Numbered { max, prefix, .. } if !text.starts_with(prefix) => {
            (&Kind::Text { max: *max }, count.to_string())
        }
        _ if count > 60 => (kind, format!("{} ({count} characters)", quoted(text))),
        _ => (kind, quoted(text)),
    };
    format!("expected {}, found {found}", kind.expected())
}

/// The slug that a text makes; one that differs from the text is worth a warning.
pub(super) fn slug(
    findings: &mut Findings<'_>,
    text: String,
    span: Span,
    name: &Name<'_>,
) -> Result<Value, Unfit> {
    let fits = |slug: &String| slug.split('/').all(|part| part.len() <= MAX_SEGMENT_BYTES);
    let Some(slug) = slug_path(&text).filter(fits) else {
        return Err(Unfit::Beyond(text));
    };
    let plain = text.strip_suffix('/').unwrap_or(&text);
    if slug != plain && slug != text {
        let message = format!(
            "expected a slug of [a-z0-9-], found {}, used as '{slug}'",
            quoted(&text)
        );
        findings.warning(&name.code(), Some(span), message, None);
    }
    Ok(Value::Text(slug))
}
