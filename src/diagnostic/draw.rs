//! Draws diagnostics for people, in the shape that compilers made familiar, and for machines.
//!
//! ```text
//! error[score.quality]: expected a whole number from 0 to 100, found 140
//!   --> content/redis/scheduled-tasks.md:23:12
//!    |
//! 23 |   quality: 140
//!    |            ^^^
//! ```
//!
//! Drawn by hand because annotate-snippets puts a further empty gutter line before notes.
//! Whatever the source holds, nothing that a terminal acts on is printed raw.

use std::fmt::Write;

use serde_json::{Value, json};
use unicode_width::UnicodeWidthChar;

use super::{Diagnostic, Place, Severity};
use crate::characters::is_hidden;

/// Columns that a tab is shown as.
const TAB: &str = "    ";

/// Most columns of a shown line; longer ones are cut around the marked span.
const MAX_COLUMNS: usize = 120;

/// Terminal styles, or nothing at all.
struct Styles {
    severity: &'static str,
    bold: &'static str,
    gutter: &'static str,
    off: &'static str,
}

impl Styles {
    fn new(colour: bool, severity: Severity) -> Self {
        if !colour {
            return Self {
                severity: "",
                bold: "",
                gutter: "",
                off: "",
            };
        }
        let severity = match severity {
            Severity::Error => "\x1b[1;31m",
            Severity::Warning => "\x1b[1;33m",
        };
        Self {
            severity,
            bold: "\x1b[1m",
            gutter: "\x1b[1;34m",
            off: "\x1b[0m",
        }
    }
}

/// The diagnostic as several lines, the last one ended too.
#[must_use]
pub fn render(diagnostic: &Diagnostic, colour: bool) -> String {
    let Styles {
        severity,
        bold,
        gutter,
        off,
    } = Styles::new(colour, diagnostic.severity);
    let path = printable(&diagnostic.path.to_string_lossy());
    let mut out = String::with_capacity(256);
    let _ = writeln!(
        out,
        "{severity}{}[{}]{off}{bold}: {}{off}",
        diagnostic.severity.word(),
        printable(&diagnostic.code),
        printable(&diagnostic.message)
    );
    let width = match &diagnostic.place {
        None => {
            let _ = writeln!(out, " {gutter}-->{off} {path}");
            1
        }
        Some(place) => {
            let width = place.line.to_string().len();
            let (text, before, marked) = window(place);
            let caret = "^".repeat(marked.max(1));
            let _ = writeln!(
                out,
                "{:width$}{gutter}-->{off} {path}:{}:{}",
                "", place.line, place.column
            );
            // Of some places only the line is known.
            if !place.text.is_empty() {
                let _ = writeln!(out, "{:width$} {gutter}|{off}", "");
                let _ = writeln!(out, "{gutter}{:>width$} |{off} {text}", place.line);
                let _ = writeln!(
                    out,
                    "{:width$} {gutter}|{off} {:before$}{severity}{caret}{off}",
                    "", ""
                );
            }
            width
        }
    };
    if let Some(help) = &diagnostic.help {
        let _ = writeln!(
            out,
            "{:width$} {gutter}={off} {bold}help{off}: {}",
            "",
            printable(help)
        );
    }
    out
}

/// The diagnostic on one line: `content/x.md:4:18: error[score.quality]: expected …`.
#[must_use]
pub fn line(diagnostic: &Diagnostic) -> String {
    let place = match &diagnostic.place {
        Some(place) => format!(":{}:{}", place.line, place.column),
        None => String::new(),
    };
    format!(
        "{}{place}: {}[{}]: {}",
        printable(&diagnostic.path.to_string_lossy()),
        diagnostic.severity.word(),
        printable(&diagnostic.code),
        printable(&diagnostic.message)
    )
}

/// The diagnostic as an annotation that GitHub shows at its line of the file
/// (<https://docs.github.com/actions/reference/workflow-commands-for-github-actions>).
#[must_use]
pub fn github(diagnostic: &Diagnostic) -> String {
    let data = |text: &str| {
        text.replace('%', "%25")
            .replace('\r', "%0D")
            .replace('\n', "%0A")
    };
    let property = |text: &str| data(text).replace(':', "%3A").replace(',', "%2C");
    let place = match &diagnostic.place {
        Some(Place {
            line,
            column,
            length,
            ..
        }) => {
            format!(",line={line},col={column},endColumn={}", column + length)
        }
        None => String::new(),
    };
    let help = diagnostic
        .help
        .as_ref()
        .map_or(String::new(), |help| format!("\nhelp: {help}"));
    format!(
        "::{} file={}{place},title={}::{}",
        diagnostic.severity.word(),
        property(&diagnostic.path.to_string_lossy()),
        property(&diagnostic.code),
        data(&(diagnostic.message.clone() + &help))
    )
}

/// The diagnostic as one object of the machine-readable output.
#[must_use]
pub fn json(diagnostic: &Diagnostic) -> Value {
    json!({
        "type": "diagnostic",
        "severity": diagnostic.severity.word(),
        "code": diagnostic.code,
        "path": diagnostic.path.to_string_lossy(),
        "line": diagnostic.place.as_ref().map(|place| place.line),
        "column": diagnostic.place.as_ref().map(|place| place.column),
        "message": diagnostic.message,
        "help": diagnostic.help,
        "retry": diagnostic.retry,
    })
}

/// The shown part of the line, and the columns before the mark and under it.
fn window(place: &Place) -> (String, usize, usize) {
    let chars: Vec<char> = place.text.chars().collect();
    let start = (place.column.saturating_sub(place.window_start) as usize).min(chars.len());
    let end = (start + place.length as usize).min(chars.len());
    // Context before the mark, then as much as fits.
    let mut from = 0;
    if chars.iter().map(|&c| columns(c)).sum::<usize>() > MAX_COLUMNS {
        from = start;
        let mut room = MAX_COLUMNS / 3;
        while from > 0 && columns(chars[from - 1]) <= room {
            from -= 1;
            room -= columns(chars[from]);
        }
    }
    let cut_before = from > 0 || place.window_start > 1;
    let mut text = String::from(if cut_before { "…" } else { "" });
    let mut shown = usize::from(cut_before);
    let (mut before, mut marked) = (shown, 0);
    for (index, &c) in chars.iter().enumerate().skip(from) {
        let width = columns(c);
        if shown + width > MAX_COLUMNS {
            text.push('…');
            break;
        }
        shown += width;
        if index < start {
            before += width;
        } else if index < end {
            marked += width;
        }
        push_printable(&mut text, c);
    }
    (text, before, marked)
}

/// Terminal columns of a character as [`push_printable`] shows it.
fn columns(c: char) -> usize {
    if c == '\t' {
        TAB.len()
    } else if is_hidden(c) {
        1
    } else {
        c.width().unwrap_or(1)
    }
}

fn push_printable(out: &mut String, c: char) {
    if c == '\t' {
        out.push_str(TAB);
    } else if is_hidden(c) {
        out.push('\u{fffd}');
    } else {
        out.push(c);
    }
}

fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        push_printable(&mut out, c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::{RETRY_AFTER_FIX, Span};
    use std::path::PathBuf;
    use std::sync::Arc;

    fn diagnostic(source: &str, line: u32, column: u32, length: u32) -> Diagnostic {
        Diagnostic {
            severity: Severity::Error,
            code: "score.quality".to_owned(),
            message: "expected a whole number from 0 to 100, found 140".to_owned(),
            path: Arc::new(PathBuf::from("content/redis/scheduled-tasks.md")),
            place: Some(Place::in_text(
                source,
                Span {
                    line,
                    column,
                    length,
                },
            )),
            help: None,
            retry: RETRY_AFTER_FIX,
        }
    }

    #[test]
    fn the_shape_is_the_documented_one() {
        let source = "\n".repeat(22) + "  quality: 140\n";
        assert_eq!(
            render(&diagnostic(&source, 23, 12, 3), false),
            "error[score.quality]: expected a whole number from 0 to 100, found 140\n\
             \x20 --> content/redis/scheduled-tasks.md:23:12\n\
             \x20  |\n\
             23 |   quality: 140\n\
             \x20  |            ^^^\n"
        );
    }

    #[test]
    fn without_a_place_the_path_stands_alone() {
        let mut diagnostic = diagnostic("", 1, 1, 1);
        diagnostic.place = None;
        diagnostic.severity = Severity::Warning;
        diagnostic.help = Some("did you mean 'summary'?".to_owned());
        assert_eq!(
            render(&diagnostic, false),
            "warning[score.quality]: expected a whole number from 0 to 100, found 140\n\
             \x20--> content/redis/scheduled-tasks.md\n\
             \x20 = help: did you mean 'summary'?\n"
        );
    }

    fn snippet(source: &str, column: u32, length: u32) -> Vec<String> {
        let drawn = render(&diagnostic(source, 1, column, length), false);
        drawn.lines().skip(3).take(2).map(str::to_owned).collect()
    }

    #[test]
    fn tabs_wide_and_combining_characters_keep_the_caret_in_place() {
        assert_eq!(
            snippet("\tx: 漢字 ab", 8, 2),
            ["1 |     x: 漢字 ab", "  |             ^^"]
        );
        assert_eq!(snippet("漢字", 2, 1), ["1 | 漢字", "  |   ^^"]);
        assert_eq!(snippet("e\u{301}b", 3, 1), ["1 | e\u{301}b", "  |  ^"]);
    }

    #[test]
    fn nothing_a_terminal_acts_on_is_printed() {
        let mut diagnostic = diagnostic("a\u{1b}[31m\u{202e}b\u{7}\r\n", 1, 8, 1);
        diagnostic.path = Arc::new(PathBuf::from("content/\u{1b}]0;x\u{7}.md"));
        diagnostic.message = "x\u{1b}[2J\ny".to_owned();
        let drawn = render(&diagnostic, false);
        assert!(
            !drawn.chars().any(|c| c != '\n' && is_hidden(c)),
            "{drawn:?}"
        );
        assert_eq!(drawn.lines().count(), 5);
        assert!(
            drawn.contains("1 | a\u{fffd}[31m\u{fffd}b\u{fffd}\n  |        ^\n"),
            "{drawn}"
        );
    }

    #[test]
    fn long_lines_are_cut_around_the_mark() {
        let line = "x".repeat(5_000) + "HERE" + &"y".repeat(5_000);
        let shown = snippet(&line, 5_001, 4);
        assert!(shown[0].chars().count() < 130, "{}", shown[0]);
        let at = shown[0].find("HERE").unwrap();
        let before = shown[0][..at].chars().count();
        assert_eq!(shown[1], format!("  | {}^^^^", " ".repeat(before - 4)));
    }

    #[test]
    fn colours_are_balanced() {
        let drawn = render(&diagnostic("a: b", 1, 4, 1), true);
        assert!(drawn.starts_with("\u{1b}[1;31merror[score.quality]\u{1b}[0m"));
        let plain = render(&diagnostic("a: b", 1, 4, 1), false);
        let mut stripped = drawn;
        for style in ["\u{1b}[1;31m", "\u{1b}[1;34m", "\u{1b}[1m", "\u{1b}[0m"] {
            stripped = stripped.replace(style, "");
        }
        assert_eq!(stripped, plain);
    }

    #[test]
    fn machines_get_one_object() {
        let value = json(&diagnostic("a: b", 1, 4, 1));
        assert_eq!(value["type"], "diagnostic");
        assert_eq!(value["severity"], "error");
        assert_eq!(
            (value["line"].as_u64(), value["column"].as_u64()),
            (Some(1), Some(4))
        );
        assert!(value["help"].is_null());
    }
}
