//! Single values: the type and limits of a field against a cleaned text.

use super::super::findings::Findings;
use super::super::forms;
use super::super::given_route::slug_path;
use super::super::metadata::Value;
use super::super::route::MAX_SEGMENT_BYTES;
use super::super::schema::{Kind, MAX_EXACT, MAX_URL, MAX_VERSION};
use super::shape::Name;
use crate::diagnostic::Span;
use crate::duration;
use crate::yaml::scalar::{flag, quoted, whole_number};

/// A scalar of `kind`; none if it is wrong, and reported.
pub(super) fn scalar(
    findings: &mut Findings<'_>,
    kind: &Kind,
    text: String,
    span: Span,
    name: &Name<'_>,
) -> Option<Value> {
    let fits = |max: usize| text.len() <= max || text.chars().count() <= max;
    let fit = match kind {
        Kind::Text { max } => fits(*max),
        Kind::Numbered {
            max,
            prefix,
            suffix_digits,
        } => {
            fits(*max)
                && (!text.starts_with(prefix)
                    || forms::numbered(&text, prefix, *suffix_digits).is_some())
        }
        Kind::Token { max, alphabet } => fits(*max) && text.chars().all(|c| alphabet.contains(c)),
        Kind::Choice(choices) => choices.contains(&text.as_str()),
        Kind::SemVer => fits(MAX_VERSION) && forms::is_semver(&text),
        Kind::Hex(digits) => {
            text.len() == *digits && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        }
        Kind::Duration { min_ms, max_ms } => {
            duration::parse_ms(&text).is_some_and(|ms| (min_ms..=max_ms).contains(&&ms))
        }
        Kind::Url => fits(MAX_URL) && forms::url_host(&text).is_some(),
        Kind::Slug => return slug(findings, &text, span, name),
        Kind::Date
        | Kind::Integer { .. }
        | Kind::Flag
        | Kind::Host
        | Kind::Language
        | Kind::Route
        | Kind::Weight => {
            let value = match kind {
                Kind::Language => forms::language(&text).map(Value::Text),
                Kind::Route if text.eq_ignore_ascii_case("false") => Some(Value::Flag(false)),
                Kind::Route => fits(MAX_URL).then(|| Value::Text(text.clone())),
                Kind::Weight => number(&text),
                Kind::Date => forms::date(&text).map(Value::Text),
                Kind::Integer { min, max } => whole_number(&text)
                    .filter(|number| (min..=max).contains(&number))
                    .map(Value::Number),
                Kind::Flag => flag(&text).map(Value::Flag),
                _ => forms::is_host(&text).then(|| Value::Text(text.to_ascii_lowercase())),
            };
            if value.is_none() {
                unfit(findings, kind, &text, span, name);
            }
            return value;
        }
        Kind::List { .. } | Kind::Pairs { .. } | Kind::Group(_) => false,
    };
    if fit {
        return Some(Value::Text(text));
    }
    unfit(findings, kind, &text, span, name);
    None
}

/// A number as JSON has it, without an exponent.
pub(super) fn number(text: &str) -> Option<Value> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let (whole, decimals) = match text.split_once('.') {
        Some((whole, decimals)) => (whole, Some(decimals)),
        None => (text, None),
    };
    let amount = whole.strip_prefix('-').unwrap_or(whole);
    let is_number = digits(amount)
        && (amount == "0" || !amount.starts_with('0'))
        && decimals.is_none_or(digits)
        && text.len() <= 17;
    match whole_number(text).filter(|number| *number <= MAX_EXACT) {
        _ if !is_number => None,
        Some(number) => Some(Value::Number(number)),
        None => Some(Value::Decimal(text.to_owned())),
    }
}

fn unfit(findings: &mut Findings<'_>, kind: &Kind, text: &str, span: Span, name: &Name<'_>) {
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
    let message = format!("expected {}, found {found}", kind.expected());
    findings.error(&name.code(), Some(span), message, None);
}

fn slug(findings: &mut Findings<'_>, text: &str, span: Span, name: &Name<'_>) -> Option<Value> {
    let fits = |slug: &String| slug.split('/').all(|part| part.len() <= MAX_SEGMENT_BYTES);
    let Some(slug) = slug_path(text).filter(fits) else {
        unfit(findings, &Kind::Slug, text, span, name);
        return None;
    };
    let plain = text.strip_suffix('/').unwrap_or(text);
    if slug != plain && slug != text {
        let message = format!(
            "expected a slug of [a-z0-9-], found {}, used as '{slug}'",
            quoted(text)
        );
        findings.warning(&name.code(), Some(span), message, None);
    }
    Some(Value::Text(slug))
}
