//! Fields without a fence before them, as Hexo, Pelican and MultiMarkdown read them.

use super::error;
use super::lines::next_line;
use super::names::{COMMON, field};
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
    /// The fence that ends them, and what follows it.
    fence: Option<(&'a str, &'a str)>,
}

/// The front matter of a text whose first paragraph is two or more lines `name: value`: YAML if
/// a line `---` ends it, which is all that Hexo asks for; plain fields if one is the title.
///
/// # Errors
///
/// The JSON of Hexo, which has no braces.
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
    if !common {
        return Ok(None);
    }
    if fields.fence.is_none() {
        if !fields.names.iter().any(|name| name == "title") {
            return Ok(None);
        }
        return Ok(Some(Parts {
            format: Some(Format::PlainFields),
            text: &fields.text[..fields.length],
            line: fields.line,
            body: &fields.text[fields.length..],
            body_line: fields.end,
        }));
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
        found.names.push(name);
    }
    found.length = found.text.len();
    found.end = number;
    Some(found)
}
