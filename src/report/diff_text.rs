//! Two versions of an object as a unified diff of what a person reads: the text of a page, the members
//! of a meta object one a line.

use std::borrow::Cow;
use std::time::Duration;

use serde_json::Value;
use similar::TextDiff;

use super::stored_route::page_text;
use crate::publish::diff::{MOST_BYTES, ObjectDiff, Side};
use crate::render::{PAGE_TAIL_BYTES, plain};

/// After this the differences are found in a coarser way.
const MOST_TIME: Duration = Duration::from_secs(1);

/// A longer diff is cut, in bytes.
const MOST_DIFF_BYTES: usize = 256 * 1024;

/// A value in gzip that unpacks to more is not compared, in bytes.
const MOST_PLAIN_BYTES: usize = 4 * MOST_BYTES;

/// Members of a meta object that tell a reader nothing: hashes, and which run wrote it.
const VOLATILE: [&str; 8] = [
    "digest",
    "inputs",
    "base",
    "fill",
    "run",
    "written_at",
    "etag",
    "body",
];

/// How two versions of an object differ.
pub(super) struct Comparison {
    /// Lines of text that only the new version has.
    pub added: u64,
    /// Lines of text that only the old version has.
    pub removed: u64,
    /// What the hunks do not say.
    pub note: Option<String>,
    /// The hunks of the unified diff; empty where the text is the same.
    pub hunks: String,
}

/// Compares two versions.
pub(super) fn compare(object: &ObjectDiff) -> Comparison {
    let note = match (&object.old, &object.new) {
        (_, Side::MovedOn) => Some(
            "the store has moved on: it no longer holds what the run wrote; to take it from the \
             later run that replaced it: --against RUN"
                .to_owned(),
        ),
        (Side::OtherType, _) => Some("it was not a string, another program wrote it".to_owned()),
        (_, Side::OtherType) => Some("it is not a string, another program wrote it".to_owned()),
        (Side::TooLarge, _) | (_, Side::TooLarge) => {
            let mib = MOST_BYTES / 1024 / 1024;
            Some(format!("above {mib} MiB: not compared"))
        }
        _ => None,
    };
    if note.is_some() {
        return Comparison {
            added: 0,
            removed: 0,
            note,
            hunks: String::new(),
        };
    }
    let sides = [&object.old, &object.new].map(|side| match side {
        Side::Value(value) => plain(value, MOST_PLAIN_BYTES),
        _ => Ok(Cow::default()),
    });
    let [old, new] = match sides {
        [Ok(old), Ok(new)] => [old, new],
        [Err(error), _] | [_, Err(error)] => {
            return Comparison {
                added: 0,
                removed: 0,
                note: Some(format!("{error}: not compared")),
                hunks: String::new(),
            };
        }
    };
    let text = |side: &Side, value: &[u8]| match side {
        Side::Value(_) if object.is_page => page_text(value),
        Side::Value(_) => meta_text(value),
        _ => String::new(),
    };
    let mut comparison = diff(&text(&object.old, &old), &text(&object.new, &new));
    if comparison.hunks.is_empty() {
        let what = if object.is_page && unsealed(&old) == unsealed(&new) {
            "the page is the same, stored in another form"
        } else if object.is_page {
            "the text is the same, the HTML around it changed"
        } else {
            "only its digest, run and time changed"
        };
        let is_same = object.old == object.new;
        comparison.note = Some(if is_same { "the same" } else { what }.to_owned());
    }
    comparison
}

/// A page without its digest.
fn unsealed(page: &[u8]) -> &[u8] {
    &page[..page.len().saturating_sub(PAGE_TAIL_BYTES)]
}

fn diff(old: &str, new: &str) -> Comparison {
    let diff = TextDiff::configure()
        .timeout(MOST_TIME)
        .diff_lines(old, new);
    let mut hunks = diff
        .unified_diff()
        .context_radius(2)
        .missing_newline_hint(false)
        .to_string();
    let count = |sign: char| hunks.lines().filter(|line| line.starts_with(sign)).count() as u64;
    let (added, removed) = (count('+'), count('-'));
    let mut note = None;
    if hunks.len() > MOST_DIFF_BYTES {
        let cut = hunks.char_indices().map(|(at, _)| at);
        let cut = cut.take_while(|at| *at <= MOST_DIFF_BYTES).last();
        hunks.truncate(cut.unwrap_or(0));
        note = Some("a long difference, of which the first part follows".to_owned());
    }
    Comparison {
        added,
        removed,
        note,
        hunks,
    }
}

/// A meta object, one member a line, without what changes with every write. What is not JSON is shown
/// as it is.
fn meta_text(meta: &[u8]) -> String {
    let parsed = serde_json::from_slice(meta);
    let Ok(Value::Object(mut members)) = parsed else {
        return String::from_utf8_lossy(meta).into_owned();
    };
    members.retain(|name, _| !VOLATILE.contains(&name.as_str()));
    let mut text = serde_json::to_string_pretty(&members).unwrap_or_default();
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::{MOST_DIFF_BYTES, compare, diff};
    use crate::publish::diff::{ObjectDiff, Side};

    fn object(is_page: bool, old: Side, new: Side) -> ObjectDiff {
        ObjectDiff {
            key: "k".to_owned(),
            is_page,
            old,
            new,
        }
    }

    fn value(text: &str) -> Side {
        Side::Value(text.as_bytes().to_vec())
    }

    #[test]
    fn pages_differ_in_what_is_read_and_not_in_tags() {
        let old = value("<html><body><article><h1>A</h1><p>One.</p></article><!--1-->");
        let new = value("<html><body><article><h1>A</h1><p class=x>Two.</p></article><!--2-->");
        let found = compare(&object(true, old.clone(), new));
        assert_eq!((found.added, found.removed), (1, 1));
        assert!(found.hunks.contains("-One.\n+Two."), "{}", found.hunks);
        let tags = value("<html><body><article><h1>A</h1><p id=x>One.</p></article><!--3-->");
        let found = compare(&object(true, old, tags));
        assert_eq!(found.hunks, "");
        assert!(found.note.unwrap().starts_with("the text is the same"));
    }

    #[test]
    fn metadata_differs_by_member_and_not_by_run() {
        let old = value(
            r#"{"digest":"1","base":"1","fill":"1","run":"a","title":"A","body":"1","metadata":{"x":[1,2]}}"#,
        );
        let new = value(r#"{"digest":"2","run":"b","title":"A","metadata":{"x":[1,3]}}"#);
        let found = compare(&object(false, old.clone(), new));
        assert_eq!((found.added, found.removed), (1, 1));
        let run = value(
            r#"{"digest":"2","base":"2","fill":"2","run":"b","title":"A","body":"2","metadata":{"x":[1,2]}}"#,
        );
        let found = compare(&object(false, old, run));
        assert_eq!(found.note.unwrap(), "only its digest, run and time changed");
    }

    #[test]
    fn promise_10_a_long_diff_is_counted_and_cut() {
        let old = "one line\n".repeat(100_000);
        let new = "another\n".repeat(100_000);
        let found = diff(&old, &new);
        assert_eq!((found.added, found.removed), (100_000, 100_000));
        assert!(found.hunks.len() <= MOST_DIFF_BYTES && found.note.is_some());
    }
}
