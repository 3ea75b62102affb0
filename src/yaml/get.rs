//! Typed access to nodes, with errors in the house style: expected this, found that.

use std::ops::RangeInclusive;

use super::scalar::{flag, is_null_word, quoted, whole_number};
use super::{Fault, Key, Kind, Node, YamlError};
use crate::duration;

impl Node {
    /// What a message calls this node: `a list`, `a mapping`, `nothing`, or the value.
    #[must_use]
    pub fn describe(&self) -> String {
        match &self.kind {
            Kind::Sequence(_) => "a list".to_owned(),
            Kind::Mapping(_) => "a mapping".to_owned(),
            Kind::Scalar { text, .. } if text.trim().is_empty() => "nothing".to_owned(),
            Kind::Scalar { text, .. } => quoted(text.trim()),
        }
    }

    /// Whether nothing, `~` or `null` stands here, unquoted.
    #[must_use]
    pub fn is_null(&self) -> bool {
        match &self.kind {
            Kind::Scalar { text, plain: true } => {
                text.is_empty() || text == "~" || is_null_word(text)
            }
            _ => false,
        }
    }

    /// The error that this node is not what was `expected` (a noun phrase: `a text`).
    #[must_use]
    pub fn mismatch(&self, expected: &str) -> YamlError {
        let message = format!("expected {expected}, found {}", self.describe());
        YamlError::new(Fault::Value, self.span, message)
    }

    /// The text of a scalar, trimmed.
    ///
    /// # Errors
    ///
    /// The node is a list or mapping, or empty.
    pub fn text(&self) -> Result<&str, YamlError> {
        match &self.kind {
            Kind::Scalar { text, .. } if !text.trim().is_empty() => Ok(text.trim()),
            _ => Err(self.mismatch("a text")),
        }
    }

    /// A whole number within `range`.
    ///
    /// # Errors
    ///
    /// The node is something else, or the number is outside.
    pub fn whole(&self, range: RangeInclusive<u64>) -> Result<u64, YamlError> {
        self.text()
            .ok()
            .and_then(whole_number)
            .filter(|number| range.contains(number))
            .ok_or_else(|| {
                self.mismatch(&format!(
                    "a whole number from {} to {}",
                    range.start(),
                    range.end()
                ))
            })
    }

    /// `true`, `false`, `1` or `0`.
    ///
    /// # Errors
    ///
    /// The node is something else.
    pub fn flag(&self) -> Result<bool, YamlError> {
        self.text()
            .ok()
            .and_then(flag)
            .ok_or_else(|| self.mismatch("true or false"))
    }

    /// A duration such as `12h`, in milliseconds, within `range_ms`.
    ///
    /// # Errors
    ///
    /// The node is something else, or the duration is outside.
    pub fn duration_ms(&self, range_ms: RangeInclusive<u64>) -> Result<u64, YamlError> {
        self.text()
            .ok()
            .and_then(duration::parse_ms)
            .filter(|ms| range_ms.contains(ms))
            .ok_or_else(|| {
                let (low, high) = (
                    duration::show(*range_ms.start()),
                    duration::show(*range_ms.end()),
                );
                self.mismatch(&format!(
                    "a duration from {low} to {high} (for example 12h)"
                ))
            })
    }

    /// One of `choices`, without regard to case; its index.
    ///
    /// # Errors
    ///
    /// The node is something else.
    pub fn choice(&self, choices: &[&str]) -> Result<usize, YamlError> {
        self.text()
            .ok()
            .and_then(|text| {
                choices
                    .iter()
                    .position(|choice| choice.eq_ignore_ascii_case(text))
            })
            .ok_or_else(|| self.mismatch(&one_of(choices)))
    }

    /// The items of a list.
    ///
    /// # Errors
    ///
    /// The node is something else.
    pub fn list(&self) -> Result<&[Node], YamlError> {
        match &self.kind {
            Kind::Sequence(items) => Ok(items),
            _ => Err(self.mismatch("a list")),
        }
    }

    /// The entries of a mapping. Nothing (a key without value) is an empty mapping.
    ///
    /// # Errors
    ///
    /// The node is something else.
    pub fn mapping(&self) -> Result<&[(Key, Node)], YamlError> {
        match &self.kind {
            Kind::Mapping(entries) => Ok(entries),
            _ if self.is_null() => Ok(&[]),
            _ => Err(self.mismatch("a mapping")),
        }
    }
}

impl Key {
    /// The error for a key that is not in `known`, with a guess of what was meant.
    #[must_use]
    pub fn unknown<'a>(&self, known: impl IntoIterator<Item = &'a str>) -> YamlError {
        let message = format!("unknown key '{}'", super::scalar::shortened(self.text()));
        let error = YamlError::new(Fault::Key, self.span, message);
        match suggestion(&self.name, known) {
            Some(name) => error.with_help(format!("did you mean '{name}'?")),
            None => error,
        }
    }
}

/// The one of `known` that `name` was probably meant to be: at most two slips away, and
/// no more than one in three characters. Names above 40 bytes are not guessed at.
#[must_use]
pub fn suggestion<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if name.len() > 40 {
        return None;
    }
    let length = name.chars().count();
    known
        .into_iter()
        // As many slips at least as it is longer or shorter; mostly that settles it.
        .filter(|candidate| candidate.chars().count().abs_diff(length) <= 2)
        .map(|candidate| (strsim::osa_distance(name, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 2 && distance * 3 <= candidate.len())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// `a, b or c`.
#[must_use]
pub fn one_of(choices: &[&str]) -> String {
    match choices.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        Some((last, _)) => (*last).to_owned(),
        None => String::new(),
    }
}
