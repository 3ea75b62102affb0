//! A source in two parts: front matter and body.

use super::lines::{is_fence, next_line};
use super::names::HoldsBack;
use super::opening::{Opening, find};
use super::parts::{Format, Parts};
use super::places::position;
use super::{json, stray_fields, unfenced};
use crate::diagnostic::Span;
use crate::yaml::{Fault, YamlError};

/// Splits `text`, which has no byte order mark. Lines end with LF, CRLF or CR.
///
/// The front matter is
/// - YAML between a line `---` and a line `---` or `...`; blanks may follow on both,
/// - TOML between two lines `+++`,
/// - what the name says behind `---yaml`, `---toml` or `---json`, to a line `---`,
/// - a JSON object,
/// - YAML without a line before it, if common fields are the whole first paragraph and a line
///   `---` ends them,
/// - plain fields that are the whole first paragraph, one of them the title.
///
/// Only empty lines and HTML comments may stand before it, and these leave the body. A first
/// line `---` always opens front matter. Further down, and for all other forms, what follows has
/// to look like fields: a rule, a shortcode or a brace at the start of a text are a body's.
///
/// # Errors
///
/// What looks like front matter, and is not closed or of a form that is not read; and a field among
/// the first lines of the body that would hold the article back.
pub fn split(text: &str, holds_back: HoldsBack) -> Result<Parts<'_>, YamlError> {
    let parts = cut(text, holds_back)?;
    stray_fields::refuse(&parts, holds_back)?;
    Ok(parts)
}

fn cut(text: &str, holds_back: HoldsBack) -> Result<Parts<'_>, YamlError> {
    let (first, rest) = next_line(text);
    if is_fence(first, "---") {
        return fenced(Format::Yaml, "---", rest, 2);
    }
    let Some(opening) = find(text, holds_back)? else {
        return Ok(unfenced::find(text)?.unwrap_or(Parts {
            format: None,
            text: "",
            line: 1,
            body: text,
            body_line: 1,
        }));
    };
    match opening {
        Opening::Fence {
            format,
            close,
            inside,
            line,
        } => fenced(format, close, inside, line),
        Opening::Brace { text, line } => object(text, line),
    }
}

/// Front matter that begins with `inside`, on `line`, and ends with a line `close`.
fn fenced<'a>(
    format: Format,
    close: &str,
    inside: &'a str,
    line: u32,
) -> Result<Parts<'a>, YamlError> {
    let (mut rest, mut number) = (inside, line);
    while !rest.is_empty() {
        let (text, after) = next_line(rest);
        if is_fence(text, close) || format == Format::Yaml && is_fence(text, "...") {
            return Ok(Parts {
                format: Some(format),
                text: &inside[..inside.len() - rest.len()],
                line,
                body: after,
                body_line: number + 1,
            });
        }
        (rest, number) = (after, number + 1);
    }
    let span = Span {
        line: line - 1,
        column: 1,
        length: 3,
    };
    let message =
        format!("expected a line '{close}' that closes the front matter opened here, found none");
    Err(YamlError::new(Fault::Syntax, span, message))
}

/// JSON that begins with `text`. If it is broken, nothing tells where it ends.
fn object(text: &str, line: u32) -> Result<Parts<'_>, YamlError> {
    let length = json::length(text).unwrap_or(text.len());
    let (object, behind) = text.split_at(length);
    let at_end = position(text, length, line);
    let (end, body) = next_line(behind);
    if !end.trim().is_empty() {
        let message = "expected the end of the line after the closing brace, found more";
        return Err(YamlError::new(Fault::Syntax, at_end, message));
    }
    Ok(Parts {
        format: Some(Format::Json),
        text: object,
        line,
        body,
        body_line: at_end.line + 1,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds_back(name: &str, value: &str, at_start: bool) -> bool {
        match name {
            "draft" => value == "true",
            "status" => at_start && value == "draft",
            _ => false,
        }
    }

    /// Format, front matter, body and the line of the body.
    type Found<'a> = (Option<Format>, &'a str, &'a str, u32);

    fn are_split<const N: usize>(cases: [(&str, Found<'_>); N]) {
        for (text, found) in cases {
            let parts =
                split(text, holds_back).unwrap_or_else(|error| panic!("{text:?}: {error:?}"));
            let parts = (parts.format, parts.text, parts.body, parts.body_line);
            assert_eq!(parts, found, "{text:?}");
        }
    }

    const YAML: Option<Format> = Some(Format::Yaml);
    const TOML: Option<Format> = Some(Format::Toml);
    const JSON: Option<Format> = Some(Format::Json);
    const FIELDS: Option<Format> = Some(Format::PlainFields);

    #[test]
    fn front_matter_stands_between_two_lines() {
        are_split([
            ("---\na: 1\n---\nbody", (YAML, "a: 1\n", "body", 4)),
            ("---\r\na: 1\r\n---\r\nbody", (YAML, "a: 1\r\n", "body", 4)),
            ("---\ra: 1\r---\rbody", (YAML, "a: 1\r", "body", 4)),
            ("--- \t\na: 1\n...\nbody", (YAML, "a: 1\n", "body", 4)),
            ("---\n---", (YAML, "", "", 3)),
            ("---\na: 1\n--- b\n---\n", (YAML, "a: 1\n--- b\n", "", 5)),
            ("+++\na = 1\n+++ \nbody", (TOML, "a = 1\n", "body", 4)),
            (
                "+++\r\na = 1\r\n---\r\n+++\r\nb",
                (TOML, "a = 1\r\n---\r\n", "b", 5),
            ),
            ("+++\n+++\nbody", (TOML, "", "body", 3)),
            ("---toml\na = 1\n---\nbody", (TOML, "a = 1\n", "body", 4)),
            ("--- YAML \na: 1\n---\nbody", (YAML, "a: 1\n", "body", 4)),
            ("---json\n{}\n---\nbody", (JSON, "{}\n", "body", 4)),
        ]);
    }

    #[test]
    fn json_ends_at_its_closing_brace() {
        are_split([
            (
                "{\n \"a\": \"}\"\n}\n\nb",
                (JSON, "{\n \"a\": \"}\"\n}", "\nb", 4),
            ),
            (
                "{\"a\": {\"b\": [1]}} \t\nb",
                (JSON, "{\"a\": {\"b\": [1]}}", "b", 2),
            ),
            ("\n {\n\"a\":1\n}", (JSON, " {\n\"a\":1\n}", "", 5)),
            ("{}\nb", (JSON, "{}", "b", 2)),
            // Broken: the reader says where.
            (
                "{\n  \"a\": 1,\n}\nb",
                (JSON, "{\n  \"a\": 1,\n}\nb", "", 5),
            ),
            ("{\n  a: 1\n}\nb", (JSON, "{\n  a: 1\n}\nb", "", 5)),
            ("{ \"a\": 1\nb", (JSON, "{ \"a\": 1\nb", "", 3)),
            ("{title: \"x\"}\nb", (JSON, "{title: \"x\"}\nb", "", 3)),
        ]);
        assert!(split("{\n\"a\": 1\n} b\n", holds_back).is_err());
    }

    #[test]
    fn empty_lines_and_comments_may_stand_before_it() {
        are_split([
            ("\n---\na: 1\n---\nb", (YAML, "a: 1\n", "b", 5)),
            (
                " \t\r\n\r\n---\r\na: 1\r\n---\r\nb",
                (YAML, "a: 1\r\n", "b", 6),
            ),
            (" ---\na: 1\n---\nb", (YAML, "a: 1\n", "b", 4)),
            ("<!-- c -->\n---\na: 1\n---\nb", (YAML, "a: 1\n", "b", 5)),
            (
                "<!-- c\n\nd --> \n\n<!-- e -->\n+++\na = 1\n+++\n",
                (TOML, "a = 1\n", "", 9),
            ),
            (
                "<!---->\n{\n\"a\": 1\n}\nb",
                (JSON, "{\n\"a\": 1\n}", "b", 5),
            ),
            (
                "\n---\n\n# c\ntitle: [\n\nx]\n---\n",
                (YAML, "\n# c\ntitle: [\n\nx]\n", "", 9),
            ),
            ("----\ntitle: x\n----\nb", (YAML, "title: x\n", "b", 4)),
            // Hexo.
            (
                "\nlayout: post\ntags:\n- a\n---\nb",
                (YAML, "layout: post\ntags:\n- a\n", "b", 6),
            ),
            (
                "title: x\r\ndate: y \r\n--- \r\nb",
                (YAML, "title: x\r\ndate: y \r\n", "b", 4),
            ),
            // Pelican, MultiMarkdown.
            (
                "Title: x: y\nTags: a,\n    b\n\ntext\n",
                (FIELDS, "Title: x: y\nTags: a,\n    b\n", "\ntext\n", 4),
            ),
            (
                "\r\nDate: 2020-01-01\r\nTitle: x",
                (FIELDS, "Date: 2020-01-01\r\nTitle: x", "", 4),
            ),
            (
                "Title: x\nStatus: hidden\n\ntext\n",
                (FIELDS, "Title: x\nStatus: hidden\n", "\ntext\n", 3),
            ),
            ("--- # c\ntitle: x\n---\nb", (YAML, "title: x\n", "b", 4)),
            (
                "{ /* c */\n\"a\": 1\n}\nb",
                (JSON, "{ /* c */\n\"a\": 1\n}\nb", "", 5),
            ),
            // Broken, but meant as front matter.
            (
                "\n---\ntitle: \"a\ndraft: true\n---\n",
                (YAML, "title: \"a\ndraft: true\n", "", 6),
            ),
            (
                "\n---\nname x\ndraft: true\n---\n",
                (YAML, "name x\ndraft: true\n", "", 6),
            ),
            ("+++\ntitle \"x\"\n+++\n", (TOML, "title \"x\"\n", "", 4)),
            ("+++\ntitle: x\n+++\n", (TOML, "title: x\n", "", 4)),
        ]);
    }

    #[test]
    fn what_a_body_may_begin_with_stays_a_body() {
        for text in [
            "",
            "# title\n",
            "    ---\n    a: 1\n    ---\n",
            "----\n",
            "--- a\n",
            "---a\n",
            "\n---\n---\n",
            "\n---\n\nA rule first.\n\n---\n\nAnother.\n",
            "<!-- licence -->\n\n---\n\nNote: read this.\nAll of it.\n\n# One\n\nx\n\n---\n",
            "\n---\nNote: read this.\n\nMore.\n",
            "<!-- never closed\n---\na: 1\n---\n",
            "<!-- c --> text\n---\na: 1\n---\n",
            "+++\n",
            "+++\n\nBlock break of MyST.\n",
            "++++\na = 1\n++++\n",
            "***\n\nTitle: x\n",
            "***\nNote: this is text.\n***\n",
            "~~~\ntitle: x\n~~~\n",
            "--- a\nNote that this is text.\n",
            "{{< youtube x >}}\n",
            "{{ page.title }}\n",
            "{% raw %}\n{\"a\": 1}\n",
            "{# comment #}\n",
            "{#id}\n",
            "{: .note}\n# a\n",
            "{.class}\n",
            "{\"a\": 1} is JSON.\n",
            "{\"a\"} is none.\n",
            "{\n",
            "{\nlet x = 1\n}\n",
            "{} is an object.\n",
            "[\"a\"]\n",
            "Note: this is text.\nIt goes on.\n",
            "Note: this is text.\nTip: so is this.\n",
            "Title: A book\n---\n\nText.\n",
            ";;;\n",
        ] {
            are_split([(text, (None, "", text, 1))]);
        }
    }

    #[test]
    fn what_is_not_closed_or_of_another_form_is_an_error() {
        for (text, line) in [
            ("---", 1),
            ("---\n", 1),
            ("---\na: 1\n", 1),
            ("---\na: 1\n ---\n", 1),
            ("---\n----\n", 1),
            ("---\n\nA rule, as ever.\n", 1),
            ("\n\n---\ntitle: x\n\ntext\n", 3),
            ("<!-- c -->\n---\nname: x\nsize: 1\n\ntext\n", 2),
            ("+++\ntitle = \"x\"\n\ntext\n", 1),
            ("+++\ntitle: x\n---\n", 1),
            ("---toml\na = 1\n", 1),
            ("---json\n{}\n", 1),
            ("---js\n{ title: 'x' }\n---\n", 1),
            ("---coffee\n---\n", 1),
            (";;;\n\"title\": \"x\",\n;;;\n", 1),
            ("<!--\n.. title: x\n.. status: draft\n-->\n# x\n", 1),
            ("<!--\n---\ntitle: x\ndraft: true\n---\n-->\n# x\n", 1),
            // Fences that nobody reads.
            ("--- post\ntitle: x\n---\ntext\n", 1),
            ("\n---post\ndraft: true\n---\ntext\n", 2),
            ("+++toml\ntitle = \"x\"\n+++\ntext\n", 1),
            ("+++ \"x\"\n# c\ntitle = \"x\"\n\ntext\n", 1),
            ("++++\ntitle = \"x\"\n++++\ntext\n", 1),
            ("***\ntitle: x\nsize: 1\n***\ntext\n", 1),
            ("\u{2014}\ntitle: x\n\u{2014}\ntext\n", 1),
            ("--\ntitle: x\n--\ntext\n", 1),
            ("{\"title\": \"x\"} text\n", 1),
            // Pelican, MultiMarkdown, Hexo.
            ("\nDate: 2020-01-01\nStatus: draft\n\n# text\n", 3),
            ("\"title\": \"x\",\n\"draft\": true\n;;;\ntext\n", 1),
        ] {
            let error = split(text, holds_back).expect_err(text);
            assert_eq!(error.span.line, line, "{text:?}");
        }
    }
}
