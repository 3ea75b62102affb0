//! Fields that the table does not know, grouped over a run.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::fmt;

use crate::characters::is_hidden;
use crate::words::counted;

/// What happens to fields that the table does not know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownFields {
    /// They are kept; one whose name is close to a known one is counted, as [`Self::Warn`] counts all.
    #[default]
    Keep,
    /// They are kept and counted, for one warning a name over the whole run.
    Warn,
    /// Each is an error.
    Deny,
}

/// A field of one source that the table does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownField {
    /// Its normalised name with its parents (`score.qualty`), shortened. It may hold any
    /// character; [`shown`] escapes it.
    pub name: String,
    /// The field it was probably meant to be.
    pub suggestion: Option<&'static str>,
}

impl UnknownField {
    pub(super) fn new(parent: &str, name: &str, suggestion: Option<&'static str>) -> Self {
        Self {
            name: format!("{parent}{}", cut(name)),
            suggestion,
        }
    }
}

/// The name, or its beginning: one source could have a thousand names of 64 KiB together.
fn cut(name: &str) -> Cow<'_, str> {
    match name.char_indices().nth(MAX_NAME_CHARS) {
        None => Cow::Borrowed(name),
        Some((end, _)) => Cow::Owned(format!("{}…", &name[..end])),
    }
}

/// A name as a text for people repeats it: what a terminal would act on, or hide, is escaped.
pub(super) fn shown(name: &str) -> String {
    let mut shown = String::with_capacity(name.len());
    for c in name.chars() {
        if is_hidden(c) || c == '\t' {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Unknown fields over many sources: `unknown field 'menu' in 212 files`. The order in which counts
/// are merged does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnknownCount {
    fields: BTreeMap<String, (u64, Option<&'static str>)>,
    /// Whether names were left out because there were too many.
    pub more: bool,
}

/// One line about one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownLine<'c> {
    /// The name.
    pub name: &'c str,
    /// Files that have it.
    pub files: u64,
    /// The field it was probably meant to be.
    pub suggestion: Option<&'static str>,
}

/// A name is kept up to this long, in characters.
const MAX_NAME_CHARS: usize = 59;

/// Most names that are kept: the first by name, so that they do not depend on the order of the files.
const MAX_NAMES: usize = 1_000;

impl UnknownCount {
    /// Counts the unknown fields of one source; a name that occurs twice counts once.
    pub fn add(&mut self, fields: &[UnknownField]) {
        let mut seen = HashSet::new();
        for field in fields {
            if seen.insert(field.name.as_str()) {
                self.count(&field.name, 1, field.suggestion);
            }
        }
    }

    /// Adds another count.
    pub fn merge(&mut self, other: &Self) {
        for (name, (files, suggestion)) in &other.fields {
            self.count(name, *files, *suggestion);
        }
        self.more |= other.more;
    }

    fn count(&mut self, name: &str, files: u64, suggestion: Option<&'static str>) {
        if let Some((count, _)) = self.fields.get_mut(name) {
            *count += files;
            return;
        }
        if self.fields.len() == MAX_NAMES {
            self.more = true;
            match self.fields.last_key_value() {
                Some((last, _)) if last.as_str() > name => self.fields.pop_last(),
                _ => return,
            };
        }
        self.fields.insert(name.to_owned(), (files, suggestion));
    }

    /// The lines, sorted by name.
    pub fn lines(&self) -> impl Iterator<Item = UnknownLine<'_>> {
        self.fields
            .iter()
            .map(|(name, (files, suggestion))| UnknownLine {
                name,
                files: *files,
                suggestion: *suggestion,
            })
    }
}

impl fmt::Display for UnknownLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let files = counted(self.files, "file");
        write!(f, "unknown field '{}' in {files}", shown(self.name))?;
        match self.suggestion {
            Some(name) => write!(f, " (did you mean '{name}'?)"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unknown(name: &str) -> UnknownField {
        UnknownField::new("", name, None)
    }

    #[test]
    fn names_are_counted_once_a_file() {
        let mut count = UnknownCount::default();
        count.add(&[
            unknown("menu"),
            unknown("menu"),
            UnknownField::new("score.", "qualty", Some("quality")),
        ]);
        let mut other = UnknownCount::default();
        other.add(&[unknown("menu")]);
        count.merge(&other);
        let lines: Vec<String> = count.lines().map(|line| line.to_string()).collect();
        assert_eq!(
            lines,
            [
                "unknown field 'menu' in 2 files",
                "unknown field 'score.qualty' in 1 file (did you mean 'quality'?)"
            ]
        );
    }

    #[test]
    fn a_name_is_kept_as_it_is_and_escaped_where_it_is_shown() {
        let mut count = UnknownCount::default();
        count.add(&[unknown("k\u{1b}]0;x\u{7}"), unknown(&"y".repeat(60))]);
        let lines: Vec<_> = count.lines().collect();
        assert_eq!(lines[0].name, "k\u{1b}]0;x\u{7}");
        assert_eq!(
            lines[0].to_string(),
            "unknown field 'k\\u{1b}]0;x\\u{7}' in 1 file"
        );
        assert_eq!(lines[1].name, "y".repeat(59) + "…");
    }

    #[test]
    fn what_is_kept_does_not_depend_on_the_order() {
        let names: Vec<UnknownField> = (0..3_000).map(|n| unknown(&format!("f{n:05}"))).collect();
        let (mut forward, mut backward) = (UnknownCount::default(), UnknownCount::default());
        for name in &names {
            forward.add(std::slice::from_ref(name));
        }
        for name in names.iter().rev() {
            backward.add(std::slice::from_ref(name));
        }
        assert_eq!(forward, backward);
        assert_eq!(forward.lines().count(), MAX_NAMES);
        assert!(forward.more);
    }
}
