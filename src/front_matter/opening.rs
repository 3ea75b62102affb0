//! Finds front matter that does not begin with a first line `---`.
//!
//! Most texts that begin with a rule, a brace or a comment are plain Markdown. So what follows
//! has to look like fields, and the doubt is settled so that no field is published as text.

use super::lines::{is_fence, next_line};
use super::names::{COMMON, HoldsBack, SEARCHED_LINES, field, held_back, toml_field};
use super::parts::Format;
use super::places::position;
use super::{error, json};
use crate::yaml::{YamlError, normalise};

/// Most bytes behind an opening that are searched for what makes it one.
const SEARCHED_BYTES: usize = 64 * 1024;

/// The first line of a front matter.
pub(super) enum Opening<'a> {
    /// A fence; `inside` begins behind it, on `line`.
    Fence {
        format: Format,
        close: &'a str,
        inside: &'a str,
        line: u32,
    },
    /// The brace of a JSON object, which `text` begins with.
    Brace { text: &'a str, line: u32 },
}

/// The front matter of a text that does not begin with a line `---`.
pub(super) fn find(text: &str, holds_back: HoldsBack) -> Result<Option<Opening<'_>>, YamlError> {
    let Some((rest, number)) = skip_comments(text, holds_back)? else {
        return Ok(None);
    };
    let (line, inside) = next_line(rest);
    let indented = line.trim_end();
    let mark = indented.trim_start_matches(' ');
    if indented.len() - mark.len() > 3 {
        // A block of code.
        return Ok(None);
    }
    let fence = |format, close| {
        Ok(Some(Opening::Fence {
            format,
            close,
            inside,
            line: number + 1,
        }))
    };
    if mark.len() >= 3 && mark.bytes().all(|b| b == b'-') {
        return match opens_yaml(inside, mark, holds_back) {
            true => fence(Format::Yaml, mark),
            false => Ok(None),
        };
    }
    if let Some(behind) = mark.strip_prefix("---") {
        return match behind.trim_start().to_ascii_lowercase().as_str() {
            "yaml" | "yml" => fence(Format::Yaml, "---"),
            "toml" => fence(Format::Toml, "---"),
            "json" => fence(Format::Json, "---"),
            // What gray-matter and Eleventy can be told to read.
            "js" | "javascript" | "coffee" | "coffeescript" | "cson" | "json5" | "jsonc"
            | "hjson" | "ini" | "xml" => Err(unreadable(number, mark)),
            _ if !opens_yaml(inside, "---", holds_back) => Ok(None),
            _ if behind.starts_with([' ', '\t']) && behind.trim_start().starts_with('#') => {
                fence(Format::Yaml, "---")
            }
            _ => Err(unreadable(number, mark)),
        };
    }
    match mark {
        "+++" if opens_toml(inside) => fence(Format::Toml, "+++"),
        ";;;" if inside.trim_start().starts_with(['"', ';']) => Err(unreadable(number, mark)),
        _ if is_near_fence(mark, inside) => Err(unreadable(number, mark)),
        _ if mark.starts_with('{') && opens_json(rest) => Ok(Some(Opening::Brace {
            text: rest,
            line: number,
        })),
        _ => Ok(None),
    }
}

fn unreadable(line: u32, mark: &str) -> YamlError {
    let message = format!("expected front matter in YAML, TOML or JSON, found '{mark}'");
    error::on_line(line, message, "write it as YAML between two lines '---'")
}

/// Skips empty lines and comments: gives the rest of the text, and its line. None if a comment
/// is not closed, or has text behind it.
fn skip_comments(text: &str, holds_back: HoldsBack) -> Result<Option<(&str, u32)>, YamlError> {
    let (mut rest, mut number) = (text, 1);
    while !rest.is_empty() {
        let (line, after) = next_line(rest);
        if line.trim().is_empty() {
            (rest, number) = (after, number + 1);
            continue;
        }
        let start = line.trim_start_matches(' ');
        if !start.starts_with("<!--") || line.len() - start.len() > 3 {
            break;
        }
        let comment = rest.trim_start();
        let Some(length) = comment.find("-->") else {
            return Ok(None);
        };
        let (comment, behind) = comment.split_at(length);
        refuse_commented(comment, number, holds_back)?;
        let (end, after) = next_line(&behind[3..]);
        if !end.trim().is_empty() {
            return Ok(None);
        }
        number = position(comment, comment.len(), number).line + 1;
        rest = after;
    }
    Ok(Some((rest, number)))
}

/// Refuses a comment that is front matter, as Nikola writes it.
fn refuse_commented(comment: &str, line: u32, holds_back: HoldsBack) -> Result<(), YamlError> {
    let inside = comment.trim_start_matches("<!--").trim_start();
    let (first, rest) = next_line(inside);
    let nikola = first.starts_with(".. ") && field(&first[3..]).is_some();
    let fenced = is_fence(first, "---") && field(next_line(rest.trim_start()).0).is_some()
        || is_fence(first, "+++") && opens_toml(rest);
    let is_held = || {
        inside
            .lines()
            .take(SEARCHED_LINES)
            .any(|line| held_back(line, true, holds_back).is_some())
    };
    if !nikola && !fenced && !is_held() {
        return Ok(());
    }
    Err(error::on_line(
        line,
        "expected front matter outside of a comment, found it inside of one",
        "write it as YAML between two lines '---' at the start of the file",
    ))
}

/// The lines up to one that is `close`, and whether there is one; or the first paragraph.
fn block<'a>(inside: &'a str, close: &[&str]) -> (Vec<&'a str>, bool) {
    let mut lines = Vec::new();
    let mut rest = inside;
    let mut paragraph = None;
    while !rest.is_empty() && inside.len() - rest.len() <= SEARCHED_BYTES {
        let (line, after) = next_line(rest);
        if close.iter().any(|mark| is_fence(line, mark)) {
            return (lines, true);
        }
        if line.trim().is_empty() && !lines.is_empty() {
            paragraph.get_or_insert(lines.len());
        } else if !line.trim().is_empty() {
            lines.push(line);
        }
        rest = after;
    }
    lines.truncate(paragraph.unwrap_or(lines.len()));
    (lines, false)
}

/// Whether a line is meant as a fence that nobody reads: `+++toml`, `***`, an em dash. A common field
/// follows, and a line that closes it unless it begins as one of TOML.
fn is_near_fence(mark: &str, inside: &str) -> bool {
    let is_toml = mark.starts_with("+++");
    let is_rule = !mark.is_empty()
        && mark
            .chars()
            .all(|c| !c.is_alphanumeric() && !"`~<{".contains(c));
    if !is_toml && !is_rule {
        return false;
    }
    let close = if is_rule { mark } else { "+++" };
    let (lines, closed) = block(inside, &[close]);
    let first = lines.iter().find(|line| !line.starts_with('#'));
    (closed || is_toml) && first.is_some_and(|line| is_common(line))
}

/// Whether a line gives a common field, in YAML, TOML or JSON.
fn is_common(line: &str) -> bool {
    let written = field(line).or_else(|| {
        let (name, _) = line.split_once('=').filter(|_| toml_field(line))?;
        Some(normalise(name.trim().trim_matches(['"', '\''])))
    });
    written.is_some_and(|name| COMMON.contains(&name.as_str()))
}

/// Whether YAML follows behind a fence, and no text below a rule: it begins with a common field,
/// or names one that holds an article back, or most of it is fields.
fn opens_yaml(inside: &str, mark: &str, holds_back: HoldsBack) -> bool {
    let (lines, closed) = block(inside, &[mark, "..."]);
    let own = |line: &&str| !line.starts_with([' ', '\t', '#', '-', ']', '}', '[', '{']);
    let own: Vec<&str> = lines.into_iter().filter(own).collect();
    if own.first().is_some_and(|first| is_common(first)) {
        return true;
    }
    let fields = own.iter().filter(|line| field(line).is_some()).count();
    let least = if closed { 1 } else { 2 };
    let is_held = |line: &&str| held_back(line, true, holds_back).is_some();
    own.iter().any(is_held) || fields >= least && fields * 2 > own.len()
}

/// Whether TOML follows behind a line `+++`, or what was meant as TOML.
fn opens_toml(inside: &str) -> bool {
    let (lines, closed) = block(inside, &["+++"]);
    closed
        || lines
            .iter()
            .any(|line| toml_field(line) || field(line).is_some())
}

/// Whether a JSON object begins with the brace that `text` begins with: `{` and a key in
/// quotes, or `{` on a line of its own and something like a key on the next. No template tag
/// (`{{`, `{%`, `{#`), attribute list (`{:`, `{.class}`) or sentence about JSON.
fn opens_json(text: &str) -> bool {
    let inside = text.trim_start_matches(' ').trim_start_matches('{');
    if text.trim_start_matches(' ').starts_with("{{") {
        return false;
    }
    let (first, _) = next_line(inside);
    if first.trim().is_empty() || first.trim().starts_with("//") || first.trim().starts_with("/*") {
        let (next, _) = next_line(next_line(inside).1.trim_start());
        return next.starts_with(['"', '\'', '}'])
            || next.starts_with("//")
            || field(next).is_some();
    }
    let first = first.trim();
    let quoted = first
        .strip_prefix('"')
        .and_then(|rest| rest.split_once('"'));
    let key = quoted.is_some_and(|(_, rest)| rest.trim_start().starts_with(':'));
    let common = is_common(first);
    if !key && !common && !first.starts_with('}') {
        return false;
    }
    // One line with text behind it is a sentence, unless it begins as front matter does.
    match json::length(text) {
        Some(length) => {
            let (line, _) = next_line(text);
            common || length > line.len() || line[length..].trim().is_empty()
        }
        None => true,
    }
}
