//! Lines of a text, which end with LF, CRLF or CR.

use std::iter;

use memchr::memchr2;

/// The first line without its end, and what follows it.
#[must_use]
pub fn next_line(text: &str) -> (&str, &str) {
    let Some(end) = memchr2(b'\n', b'\r', text.as_bytes()) else {
        return (text, "");
    };
    let (line, rest) = text.split_at(end);
    let rest = rest
        .strip_prefix("\r\n")
        .unwrap_or_else(|| rest.get(1..).unwrap_or_default());
    (line, rest)
}

/// The first byte of each line; of an empty one, too, behind a last line end.
pub(super) fn line_starts(text: &str) -> impl Iterator<Item = usize> {
    iter::successors(Some(0), |start| {
        let (line, rest) = next_line(&text[*start..]);
        (start + line.len() < text.len()).then_some(text.len() - rest.len())
    })
}

/// Whether the line is `mark`, perhaps with blanks behind it.
pub(super) fn is_fence(line: &str, mark: &str) -> bool {
    // Cheap for the many lines that are none.
    line.starts_with(mark) && line.trim_end_matches([' ', '\t']).len() == mark.len()
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
}
