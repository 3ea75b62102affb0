//! The forms of settings that say which files are read, and how their paths become routes.

use super::reader::Reader;
use crate::article::RoutePattern;
use crate::source::{Choice, Patterns};
use crate::yaml::{Node, YamlError};

/// Which files are read. Where `drafts` are published, so is the folder in which Jekyll has
/// them.
pub(super) fn choice(reader: &mut Reader, drafts: bool) -> Choice {
    let include = reader.get("include", Patterns::default(), patterns);
    Choice {
        include: if drafts {
            include.with("_drafts/")
        } else {
            include
        },
        exclude: reader.get("exclude", Patterns::default(), patterns),
    }
}

/// Patterns of names.
fn patterns(node: &Node) -> Result<Patterns, YamlError> {
    Patterns::new(texts(node)?)
        .map_err(|why| node.mismatch(&format!("patterns in the syntax of .gitignore ({why})")))
}

/// The form of routes.
pub(super) fn route(node: &Node) -> Result<RoutePattern, YamlError> {
    RoutePattern::parse(node.text()?).ok_or_else(|| node.mismatch(RoutePattern::EXPECTED))
}

/// Languages that names may end with.
pub(super) fn languages(node: &Node) -> Result<Vec<String>, YamlError> {
    let tags = texts(node)?;
    let is_part = |part: &str| {
        (2..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    let is_tag = |tag: &String| tag.len() <= 11 && tag.split('-').all(is_part);
    if tags.is_empty() || !tags.iter().all(is_tag) {
        return Err(node.mismatch("language tags (for example en, fr, pt-BR)"));
    }
    Ok(tags)
}

/// Names of fields.
pub(super) fn names(node: &Node) -> Result<Vec<String>, YamlError> {
    let names = texts(node)?;
    if names.iter().any(|name| name.is_empty() || name.len() > 80) || names.len() > 256 {
        return Err(node.mismatch("at most 256 names of fields"));
    }
    Ok(names)
}

/// A list, or (in a flag or a variable) texts with commas between them.
fn texts(node: &Node) -> Result<Vec<String>, YamlError> {
    let texts: Vec<&str> = match node.list() {
        Ok(items) => items.iter().map(Node::text).collect::<Result<_, _>>()?,
        Err(_) => node.text()?.split(',').map(str::trim).collect(),
    };
    Ok(texts.into_iter().map(str::to_owned).collect())
}
