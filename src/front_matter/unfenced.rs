//! Fields without a fence before them, as Hexo, Pelican and MultiMarkdown read them.

use super::error;
use super::lines::next_line;
use super::names::{COMMON, field, is_no, is_yes};
use super::parts::{Format, Parts};
use crate::yaml::YamlError;

/// The fields that a text begins with.
struct Fields<'a> {
    /// Where they begin, and on which line.
    text: &'a str,
    line: u32,
    /// Their bytes, without the line that ends them, and its line.
    length: usize,
    end: u32,
    /// Their names, normalised.
    names: Vec<String>,
    /// Whether one of them holds the article back.
    hold_back: bool,
    /// The fence that ends them, and what follows it.
    fence: Option<(&'a str, &'a str)>,
}

/// The front matter of a text whose first paragraph is two or more lines `name: value`: YAML if
/// a line `---` ends it, which is all that Hexo asks for; plain fields if one is the title.
///
/// # Errors
///
/// Plain fields that hold the article back, and those in the JSON of Hexo, which has no braces.
pub(super) fn find(text: &str) -> Result<Option<Parts<'_>>, YamlError> {
    let Some(fields) = fields(text).filter(|fields| fields.names.len() > 1) else {
        return Ok(None);
    };
    let common = COMMON.contains(&fields.names[0].as_str());
    if let Some(("---", body)) = fields.fence
        && common
    {
        return Ok(Some(Parts {
            format: Some(Format::Yaml),
            text: &fields.text[..fields.length],
            line: fields.line,
            body,
            body_line: fields.end + 1,
        }));
    }
    let titled = common && fields.names.iter().any(|name| name == "title");
    if titled && !fields.hold_back && fields.fence.is_none() {
        return Ok(Some(Parts {
            format: Some(Format::PlainFields),
            text: &fields.text[..fields.length],
            line: fields.line,
            body: &fields.text[fields.length..],
            body_line: fields.end,
        }));
    }
    let fenced = common && fields.fence.is_some();
    if !(titled || fenced || fields.hold_back) {
        return Ok(None);
    }
    Err(error::on_line(
        fields.line,
        "expected a line '---' before these fields, found none",
        "put a line '---' before and after the front matter",
    ))
}

/// The fields that are the whole first paragraph.
fn fields(text: &str) -> Option<Fields<'_>> {
    let (mut rest, mut number) = (text, 1);
    while next_line(rest).0.trim().is_empty() && !rest.is_empty() {
        (rest, number) = (next_line(rest).1, number + 1);
    }
    let mut found = Fields {
        text: rest,
        line: number,
        length: 0,
        end: number,
        names: Vec::new(),
        hold_back: false,
        fence: None,
    };
    while !rest.is_empty() {
        found.length = found.text.len() - rest.len();
        found.end = number;
        let (line, after) = next_line(rest);
        let line = line.trim_end();
        (rest, number) = (after, number + 1);
        if line.is_empty() {
            return Some(found);
        }
        if line == ";;;" || line == "---" {
            found.fence = Some((line, after));
            return Some(found);
        }
        let continues = line.starts_with([' ', '\t']) || line.starts_with("- ");
        if continues && !found.names.is_empty() {
            continue;
        }
        let name = field(line)?;
        let value = line.split_once(':').map_or("", |(_, value)| value.trim());
        let value = value.trim_end_matches(',').trim_matches(['"', '\'']);
        found.hold_back |= holds_back(&name, value);
        found.names.push(name);
    }
    found.length = found.text.len();
    found.end = number;
    Some(found)
}

/// Whether a field holds the article back. It knows fewer fields than a search of text does: the
/// others are judged by the schema, which reads plain fields, too.
fn holds_back(name: &str, value: &str) -> bool {
    let value = value.to_ascii_lowercase();
    match name {
        "draft" | "hidden" | "private" | "noindex" => is_yes(&value),
        "published" | "publish" => is_no(&value),
        "status" | "visibility" => {
            matches!(value.as_str(), "draft" | "hidden" | "private" | "unlisted")
        }
        _ => false,
    }
}
