//! JSON lines: one object a line, each an article.

use std::io::BufRead;
use std::path::PathBuf;

use memchr::{memchr, memchr2};

use super::member_path::below;
use super::record::{Fault, Record};
use super::unpacking::{Member, Unpacking};
use crate::article::{ENDINGS, MAX_SOURCE_BYTES};
use crate::source::unread::WalkError;

/// The longest line, in bytes: a body of the longest source, each character of it written as `\uXXXX`,
/// and its fields.
pub(super) const MAX_LINE_BYTES: usize = 6 * MAX_SOURCE_BYTES + 64 * 1024;

/// Reads all lines of `input`.
///
/// # Errors
/// When it cannot be read, or ends in the midst of a line.
pub(super) fn read(input: &mut dyn BufRead, found: &mut Unpacking<'_>) -> Result<(), WalkError> {
    let (mut at, mut number) = (0, 0_u32);
    let mut line = Vec::new();
    loop {
        number = number.saturating_add(1);
        line.clear();
        let (length, is_ended) =
            next_line(input, &mut line).map_err(|error| WalkError::cut(&error))?;
        if length == 0 {
            return Ok(());
        }
        let bytes = strip(&line, number);
        if length > MAX_LINE_BYTES as u64 {
            add(found, (number, at), (None, length), None)?;
        } else if !bytes.trim_ascii().is_empty() {
            let skipped = bytes.as_ptr().addr() - line.as_ptr().addr();
            // Only the last line may have no end. Of the others its reading says what is wrong.
            let first = is_ended.then(|| first_member(bytes)).flatten();
            let read = || record_of(bytes).and_then(|record| path_of(&record));
            let path = first.map_or_else(read, Ok);
            if path.is_err() && !is_ended {
                return Err(WalkError::Broken(format!(
                    "it ends in the midst of line {number}, without a line end"
                )));
            }
            let place = (number, at + skipped as u64);
            add(found, place, (Some(bytes), bytes.len() as u64), path.ok())?;
        }
        at += length;
    }
}

/// The line without its end, and of the first one without a byte order mark.
fn strip(line: &[u8], number: u32) -> &[u8] {
    let bytes = line.strip_suffix(b"\n").unwrap_or(line);
    let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
    match number {
        1 => bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes),
        _ => bytes,
    }
}

/// Reads one line with its end, and holds no more of it than the limit. Returns its length, and whether
/// it has an end.
fn next_line(input: &mut dyn BufRead, line: &mut Vec<u8>) -> std::io::Result<(u64, bool)> {
    let mut length = 0;
    loop {
        let available = input.fill_buf()?;
        if available.is_empty() {
            return Ok((length, false));
        }
        let end = memchr(b'\n', available).map(|at| at + 1);
        let taken = end.unwrap_or(available.len());
        length += taken as u64;
        if length <= MAX_LINE_BYTES as u64 + 2 {
            line.extend_from_slice(&available[..taken]);
        }
        input.consume(taken);
        if end.is_some() {
            return Ok((length, true));
        }
    }
}

/// Reads a line as an article; its path is not judged.
pub(super) fn record_of(line: &[u8]) -> Result<Record<'_>, Fault> {
    let text = std::str::from_utf8(line).map_err(|error| Fault {
        message: "expected UTF-8, found another byte".to_owned(),
        at: error.valid_up_to(),
    })?;
    Record::read(text)
}

/// The path of the source that a line is.
pub(super) fn path_of(record: &Record<'_>) -> Result<PathBuf, Fault> {
    let Some(path) = record.path() else {
        let message = "expected 'path', found none".to_owned();
        return Err(Fault { message, at: 0 });
    };
    relative(path).ok_or_else(|| Fault {
        message: format!(
            "expected a path below the root such as posts/a.md as 'path', found '{}'",
            crate::yaml::scalar::shortened(path)
        ),
        at: 0,
    })
}

/// The path as that of a source: below the root, with an ending.
fn relative(path: &str) -> Option<PathBuf> {
    let path = path.trim_matches('/');
    let relative = below(path.as_bytes()).ok()?;
    // Written as it is meant, and as every system would read it.
    let is_plain = !path.contains(|c: char| c.is_control() || c == '\\');
    if path.is_empty() || relative.as_os_str() != path || !is_plain {
        return None;
    }
    let ending = relative.extension().and_then(|ending| ending.to_str());
    let has_ending = ending.is_some_and(|ending| {
        let known = ENDINGS.iter().chain(&["html", "htm"]);
        known
            .into_iter()
            .any(|known| ending.eq_ignore_ascii_case(known))
    });
    Some(match has_ending {
        true if ending.is_some_and(|ending| ending.starts_with(['h', 'H'])) => {
            relative.with_extension("md")
        }
        true => relative,
        false => PathBuf::from(format!("{path}.md")),
    })
}

/// The path where it is the first member, as programs write it: then the rest need not be looked at.
fn first_member(line: &[u8]) -> Option<PathBuf> {
    let name = line.trim_ascii_start().strip_prefix(b"{")?;
    let mark = name.trim_ascii_start().strip_prefix(b"\"path\"")?;
    let value = mark.trim_ascii_start().strip_prefix(b":")?;
    let text = value.trim_ascii_start().strip_prefix(b"\"")?;
    let end = memchr2(b'"', b'\\', text)?;
    let path = (text[end] == b'"').then(|| std::str::from_utf8(&text[..end]))?;
    relative(path.ok()?)
}

/// What the path most likely is in a line that cannot be read.
fn guess(line: &[u8]) -> Option<PathBuf> {
    let text = String::from_utf8_lossy(line);
    let (_, rest) = text.split_once("\"path\"")?;
    let value = rest.trim_start().strip_prefix(':')?.trim_start();
    relative(value.strip_prefix('"')?.split('"').next()?)
}

/// Adds a line. Of one that is broken, its reading says why.
fn add(
    found: &mut Unpacking<'_>,
    (line, at): (u32, u64),
    (bytes, length): (Option<&[u8]>, u64),
    path: Option<PathBuf>,
) -> Result<(), WalkError> {
    let path = path.or_else(|| bytes.and_then(guess));
    let path = path.unwrap_or_else(|| PathBuf::from(format!("line-{line}.md")));
    found.add(Member {
        relative: &path,
        line,
        bytes,
        length,
        at,
    })
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::{first_member, guess, relative};

    #[test]
    fn paths_are_below_the_root_and_have_an_ending() {
        for (path, expected) in [
            ("a.md", "a.md"),
            ("/posts/a/", "posts/a.md"),
            ("posts/a.html", "posts/a.md"),
            ("v1.2", "v1.2.md"),
            ("a.MDX", "a.MDX"),
        ] {
            assert_eq!(relative(path), Some(PathBuf::from(expected)), "{path}");
        }
        for path in [
            "",
            "/",
            "../a.md",
            "a/../b.md",
            "a//b.md",
            "./a.md",
            "a\\b.md",
            "a\0.md",
        ] {
            assert_eq!(relative(path), None, "{path}");
        }
        assert_eq!(relative(&"a".repeat(300)), None);
    }

    #[test]
    fn a_path_that_comes_first_is_taken_without_the_rest() {
        for (line, expected) in [
            (r#"{"path":"a/b.md","title":"x"}"#, Some("a/b.md")),
            (r#" { "path" : "a", "#, Some("a.md")),
            (r#"{"path":"a\u002fb.md"}"#, None),
            (r#"{"path":"../b.md"}"#, None),
            (r#"{"title":"x","path":"a.md"}"#, None),
            (r#"{"path":"a.md"#, None),
        ] {
            let path = expected.map(PathBuf::from);
            assert_eq!(first_member(line.as_bytes()), path, "{line}");
        }
    }

    #[test]
    fn a_broken_line_may_still_name_its_path() {
        let line = br#"{"title": "x", "path" : "a/b.md", "score": }"#;
        assert_eq!(guess(line), Some(PathBuf::from("a/b.md")));
        assert_eq!(guess(b"{\"path\": 1"), None);
    }
}
