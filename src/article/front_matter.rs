//! Splits a source into front matter and body.

/// The longest source, in bytes.
pub const MAX_SOURCE_BYTES: usize = 4 * 1024 * 1024;

/// A source in two parts.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Parts<'a> {
    /// The YAML between the two lines, if the source opens with one.
    pub yaml: Option<&'a str>,
    /// The line on which the YAML begins, from 1.
    pub yaml_line: u32,
    /// The Markdown.
    pub body: &'a str,
    /// The line on which the Markdown begins, from 1.
    pub body_line: u32,
}

/// The first line is `---`, but no line closes the front matter.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unclosed;

/// Splits `text`, which has no byte order mark. Front matter opens with a first line `---`
/// and closes with a line `---` or `...`; blanks may follow on both. Lines end with LF, CRLF or CR.
pub(super) fn split(text: &str) -> Result<Parts<'_>, Unclosed> {
    let (first, mut rest) = next_line(text);
    if !is_fence(first, &["---"]) {
        return Ok(Parts {
            yaml: None,
            yaml_line: 1,
            body: text,
            body_line: 1,
        });
    }
    let yaml = rest;
    let mut line_number = 2;
    while !rest.is_empty() {
        let (line, after) = next_line(rest);
        if is_fence(line, &["---", "..."]) {
            let length = yaml.len() - rest.len();
            return Ok(Parts {
                yaml: Some(yaml.get(..length).unwrap_or_default()),
                yaml_line: 2,
                body: after,
                body_line: line_number + 1,
            });
        }
        rest = after;
        line_number += 1;
    }
    Err(Unclosed)
}

fn is_fence(line: &str, marks: &[&str]) -> bool {
    // Cheap for the many lines that are none.
    line.starts_with(['-', '.']) && marks.contains(&line.trim_end_matches([' ', '\t']))
}

/// The first line without its end, and what follows it.
pub(super) fn next_line(text: &str) -> (&str, &str) {
    let Some(end) = line_end(text.as_bytes()) else {
        return (text, "");
    };
    let (line, rest) = text.split_at(end);
    let rest = rest
        .strip_prefix("\r\n")
        .unwrap_or_else(|| rest.get(1..).unwrap_or_default());
    (line, rest)
}

/// Where the first line ends.
fn line_end(bytes: &[u8]) -> Option<usize> {
    const STEP: usize = 16;
    let ends = |b: u8| (b == b'\n') | (b == b'\r');
    // Without a way out within a step, this is compiled to vector instructions.
    let goes_on = |step: &&[u8]| !step.iter().fold(false, |found, &b| found | ends(b));
    let passed = bytes.chunks_exact(STEP).take_while(goes_on).count() * STEP;
    let rest = bytes.get(passed..)?;
    Some(passed + rest.iter().position(|&b| ends(b))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_all_lengths_end_where_they_end() {
        for length in 0..70 {
            let line = "x".repeat(length);
            assert_eq!(next_line(&line), (line.as_str(), ""));
            for (end, rest) in [("\n", "\r\n"), ("\r", ""), ("\r\n", "\n"), ("\n", "a\nb")] {
                let text = format!("{line}{end}{rest}");
                assert_eq!(next_line(&text), (line.as_str(), rest), "{text:?}");
            }
        }
    }

    fn parts(text: &str) -> (Option<&str>, &str, u32) {
        let parts = split(text).unwrap();
        (parts.yaml, parts.body, parts.body_line)
    }

    #[test]
    fn front_matter_stands_between_two_lines() {
        assert_eq!(parts("---\na: 1\n---\nbody"), (Some("a: 1\n"), "body", 4));
        assert_eq!(
            parts("---\r\na: 1\r\n---\r\nbody"),
            (Some("a: 1\r\n"), "body", 4)
        );
        assert_eq!(parts("---\ra: 1\r---\rbody"), (Some("a: 1\r"), "body", 4));
        assert_eq!(
            parts("--- \t\na: 1\n...\nbody"),
            (Some("a: 1\n"), "body", 4)
        );
        assert_eq!(parts("---\n---"), (Some(""), "", 3));
        assert_eq!(
            parts("---\na: 1\n--- b\n---\n"),
            (Some("a: 1\n--- b\n"), "", 5)
        );
    }

    #[test]
    fn without_an_opening_line_all_is_body() {
        for text in [
            "",
            "# title\n",
            " ---\na: 1\n---\n",
            "----\n",
            "--- a\n",
            "\n---\n---\n",
        ] {
            assert_eq!(parts(text), (None, text, 1));
        }
    }

    #[test]
    fn an_unclosed_front_matter_is_an_error() {
        for text in [
            "---",
            "---\n",
            "---\na: 1\n",
            "---\na: 1\n ---\n",
            "---\n----\n",
        ] {
            assert_eq!(split(text), Err(Unclosed), "{text:?}");
        }
    }
}
