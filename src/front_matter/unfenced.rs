//! Fields without a fence, as Pelican, Hexo and MultiMarkdown read them. They are not read
//! here, and are an error where they hold an article back or can be nothing but front matter.

use super::lines::next_line;
use super::names::{COMMON, field};
use crate::diagnostic::Span;
use crate::yaml::{Fault, YamlError};

/// Refuses a body whose first paragraph is nothing but fields: two or more lines `name: value`
/// that begin with the title or hold the article back, or that a line `---` or `;;;` ends.
pub(super) fn check(text: &str) -> Result<(), YamlError> {
    let Some((first_line, names, holds, fenced)) = fields(text) else {
        return Ok(());
    };
    let common = names.iter().filter(|name| COMMON.contains(&name.as_str()));
    let title = names.first().is_some_and(|name| name == "title");
    if names.len() < 2 || !(title || holds || fenced && common.count() > 0) {
        return Ok(());
    }
    let span = Span {
        line: first_line,
        column: 1,
        length: u32::MAX,
    };
    let message = "expected a line '---' before these fields, found none";
    Err(YamlError::new(Fault::Syntax, span, message)
        .with_help("put a line '---' before and after the front matter"))
}

/// The line of the first field, all names, whether one holds the article back, and whether a
/// fence ends them; none if the first paragraph has other lines.
fn fields(text: &str) -> Option<(u32, Vec<String>, bool, bool)> {
    let (mut rest, mut number) = (text, 1);
    let mut found = None;
    let (mut names, mut holds) = (Vec::new(), false);
    while !rest.is_empty() {
        let (line, after) = next_line(rest);
        let line = line.trim_end();
        if line.is_empty() && names.is_empty() {
            (rest, number) = (after, number + 1);
            continue;
        }
        if line.is_empty() {
            break;
        }
        let fence = line == ";;;" || line.len() >= 3 && line.bytes().all(|b| b == b'-');
        if fence {
            return Some((found?, names, holds, true));
        }
        if !line.starts_with([' ', '\t']) || names.is_empty() {
            let name = field(line)?;
            let value = line.split_once(':').map_or("", |(_, value)| value.trim());
            holds |= holds_back(&name, value.trim_end_matches(',').trim_matches(['"', '\'']));
            names.push(name);
            found.get_or_insert(number);
        }
        (rest, number) = (after, number + 1);
    }
    Some((found?, names, holds, false))
}

fn holds_back(name: &str, value: &str) -> bool {
    let value = value.to_ascii_lowercase();
    match name {
        "draft" | "hidden" | "private" | "noindex" => {
            matches!(value.as_str(), "true" | "yes" | "1" | "on")
        }
        "published" | "publish" => matches!(value.as_str(), "false" | "no" | "0" | "off"),
        "status" | "visibility" => {
            matches!(value.as_str(), "draft" | "hidden" | "private" | "unlisted")
        }
        _ => false,
    }
}
