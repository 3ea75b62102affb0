//! Fields that hold an article back, in a place where no reader looks: behind something like a
//! fence, in a comment, below the title. Published as text, they would show what they should hide.

use super::error;
use super::lines::next_line;
use super::names::{HoldsBack, SEARCHED_LINES, held_back};
use super::parts::Parts;
use crate::yaml::YamlError;

/// Searches the first lines of a body, up to the first that is ordinary text.
///
/// # Errors
///
/// A line that is a field and holds the article back.
pub(super) fn refuse(parts: &Parts<'_>, holds_back: HoldsBack) -> Result<(), YamlError> {
    let has_fields = parts.format.is_some();
    let (mut rest, mut number) = (parts.body, parts.body_line);
    // Whether an indented line would be code.
    let mut before_code = false;
    let mut is_first = true;
    let mut has_heading = false;
    let mut code = None;
    for _ in 0..SEARCHED_LINES {
        if rest.is_empty() {
            break;
        }
        let (line, after) = next_line(rest);
        let found = match judge(line) {
            Line::Blank => {
                before_code = code.is_none();
                (rest, number) = (after, number + 1);
                continue;
            }
            _ if code.is_some_and(|mark| line.trim_start().starts_with(mark)) => break,
            // A first block of code may be the front matter of an article that has no other.
            Line::Code(mark) if is_first && !has_fields => {
                code = Some(mark);
                None
            }
            Line::Code(_) => break,
            _ if before_code
                && (line.starts_with("    ") || line.starts_with('\t'))
                && !is_first =>
            {
                break;
            }
            Line::Heading => {
                has_heading = true;
                None
            }
            Line::Frame => None,
            Line::Fields => held_back(line, !has_fields && !has_heading, holds_back),
            Line::Text if code.is_some() => None,
            Line::Text => break,
        };
        if let Some(name) = found {
            return Err(error::on_line(
                number,
                format!("expected text, found the field '{name}', which holds the article back"),
                "put it into the front matter, between two lines '---' at the start of the file",
            ));
        }
        before_code = false;
        is_first = false;
        (rest, number) = (after, number + 1);
    }
    Ok(())
}

/// What a line looks like.
#[derive(Clone, Copy)]
enum Line {
    Blank,
    Heading,
    /// The mark that opens or closes a block of code.
    Code(&'static str),
    /// Rules, braces, comments, imports: front matter may follow on them.
    Frame,
    /// Perhaps a field.
    Fields,
    Text,
}

fn judge(line: &str) -> Line {
    let line = line.trim();
    if line.is_empty() {
        return Line::Blank;
    }
    for mark in ["```", "~~~"] {
        if line.starts_with(mark) {
            return Line::Code(mark);
        }
    }
    if line.starts_with("# ") || line.starts_with("## ") {
        return Line::Heading;
    }
    // The name of a field is short.
    let start = match line.char_indices().nth(48) {
        Some((end, _)) => &line[..end],
        None => line,
    };
    let is_image = line.starts_with(['!', '[', '|', '>', '*']) && !line.starts_with("[//]");
    if start.contains([':', '=']) && !is_image {
        return Line::Fields;
    }
    let frames = [
        "---", "+++", "{", "}", "<!--", "-->", "%", "[//]: #", "import ", "export ", "- ", "..",
    ];
    let is_frame =
        frames.iter().any(|frame| line.starts_with(frame)) || !line.contains(char::is_alphanumeric);
    if is_frame { Line::Frame } else { Line::Text }
}
