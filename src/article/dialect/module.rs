//! Imports and exports of MDX: what begins one, and where it ends.

use memchr::memchr2;

/// How many lines one can have.
const MAX_LINES: usize = 400;

/// The imports and exports of a body, line by line.
#[derive(Default)]
pub(super) struct Modules {
    /// How many of the next lines belong to the one at hand.
    lines: usize,
    /// One that begins more than this many bytes before the end of the body has no end.
    unclosed_from: Option<usize>,
}

impl Modules {
    /// Whether `line`, which `after` follows, is an import or export, or begins one.
    pub(super) fn begin(&mut self, line: &str, after: &str, after_blank: bool) -> bool {
        let line = without_note(line);
        if is_import(line) {
            return true;
        }
        let opens_import = opens_import(line);
        if !after_blank || !(opens_import || is_export(line)) {
            return false;
        }
        if self.unclosed_from.is_none_or(|left| after.len() <= left) {
            match lines_after(line, after) {
                Ok(lines) => self.lines = lines,
                Err(left) => self.unclosed_from = Some(left),
            }
        }
        // An export without an end is one line; the start of an import without an end is prose.
        !opens_import || self.lines > 0
    }

    /// Whether the next line belongs to the import or export before it.
    pub(super) fn go_on(&mut self) -> bool {
        let goes_on = self.lines > 0;
        self.lines = self.lines.saturating_sub(1);
        goes_on
    }
}

/// A line without the note at its end: `import a from 'a' // note`.
fn without_note(line: &str) -> &str {
    let note = line.rfind(" //");
    note.map_or(line, |at| &line[..at]).trim_end()
}

/// Whether a line is an import: `import 'a'`, `import a from 'a'`.
fn is_import(line: &str) -> bool {
    let Some(rest) = line.strip_prefix("import ") else {
        return false;
    };
    let source = if rest.starts_with(['\'', '"']) {
        Some(rest)
    } else {
        rest.split_once(" from ").map(|(_, source)| source)
    };
    source.is_some_and(is_source)
}

/// Whether `text` is a quoted name, and the end of a statement.
fn is_source(text: &str) -> bool {
    let Some(quote) = text.chars().next().filter(|c| matches!(c, '\'' | '"')) else {
        return false;
    };
    let after = text[1..].split_once(quote).map(|(_, after)| after.trim());
    after.is_some_and(|after| after.is_empty() || after.starts_with(';'))
}

/// Whether a line is the start of an import of several lines: `import {`, `import a, {b,`.
fn opens_import(line: &str) -> bool {
    let rest = line.strip_prefix("import ");
    rest.is_some_and(|rest| rest.contains('{') && !rest.contains('}'))
}

/// Whether a line is an export, or the start of one.
fn is_export(line: &str) -> bool {
    let Some(rest) = line.strip_prefix("export ") else {
        return false;
    };
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | '.');
    let (word, after) = rest.split_once(' ').unwrap_or((rest, ""));
    match word {
        "const" | "let" | "var" | "type" => {
            let after = after.trim_start_matches(is_name).trim_start();
            after.starts_with(['=', ':', '{', '[', '<'])
        }
        "default" => {
            after.contains(['=', '(', '{', '[', '<'])
                || after.ends_with(';')
                || !after.is_empty() && after.chars().all(is_name)
        }
        "function" | "async" | "class" | "interface" | "enum" => after.contains(['(', '{']),
        "*" => after.contains("from '") || after.contains("from \""),
        _ => word.starts_with('{'),
    }
}

/// How many lines after `first` belong to its statement. If it has no end, an error with the number
/// of bytes behind the lines that were read.
fn lines_after(first: &str, after: &str) -> Result<usize, usize> {
    let mut brackets = Brackets::default();
    brackets.read(first);
    let mut rest = after;
    let mut lines = 0;
    while !brackets.are_closed() {
        if rest.is_empty() || lines == MAX_LINES {
            return Err(rest.len());
        }
        let end = memchr2(b'\n', b'\r', rest.as_bytes()).unwrap_or(rest.len());
        brackets.read(without_note(&rest[..end]));
        let is_pair = rest[end..].starts_with("\r\n");
        rest = rest
            .get(end + 1 + usize::from(is_pair)..)
            .unwrap_or_default();
        lines += 1;
    }
    Ok(lines)
}

/// The brackets of a statement that are open.
#[derive(Default)]
struct Brackets {
    depth: usize,
    /// A text in backticks is open.
    in_text: bool,
    /// The last line cannot be the last of a statement.
    goes_on: bool,
}

impl Brackets {
    fn are_closed(&self) -> bool {
        self.depth == 0 && !self.in_text && !self.goes_on
    }

    fn read(&mut self, line: &str) {
        let bytes = line.as_bytes();
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            at += 1;
            match byte {
                b'\\' => at += 1,
                b'`' => self.in_text = !self.in_text,
                _ if self.in_text => {}
                // An apostrophe in a text has no other.
                b'\'' | b'"' => {
                    let end = bytes[at..].iter().position(|b| b == byte);
                    at += end.map_or(0, |length| length + 1);
                }
                b'(' | b'[' | b'{' => self.depth += 1,
                b')' | b']' | b'}' => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
        }
        let line = line.trim_end();
        if !line.is_empty() {
            self.goes_on =
                line.ends_with(['=', ',', '+', '?', ':', '|', '&']) || line.ends_with("=>");
        }
    }
}
