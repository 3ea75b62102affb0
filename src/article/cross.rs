//! Disagreements between fields, and between fields and body: worth a look, never an error
//! (outside strict mode).

use super::body::Body;
use super::findings::Findings;
use super::forms;
use super::metadata::{Metadata, Value};
use crate::diagnostic::Span;
use crate::yaml::{Kind, Node, quoted};

/// Compares what the fields say with each other and with the body. `tree` knows the places.
pub(super) fn check(
    metadata: &Metadata,
    body: &Body<'_>,
    tree: &Node,
    findings: &mut Findings<'_>,
) {
    let payload = |name| member(metadata, "payload", name);
    let source_id = text_of(payload("source_id"));
    let id_number = source_id.and_then(|id| forms::numbered(id, "alphanode-", 0));
    if let (Some(reference), Some(id)) = (metadata.text("reference"), id_number) {
        let number = forms::numbered(reference, "anp-ref-", 4);
        if let Some(number) = number.filter(|number| *number != id) {
            let message =
                format!("expected the number of payload.source_id ({id}), found {number}");
            findings.warning("reference", place(tree, &["reference"]), message, None);
        }
    }
    if let (Some(Value::Number(seed)), Some(id)) = (payload("seed"), id_number)
        && id.trim_start_matches('0') != seed.to_string().trim_start_matches('0')
    {
        let message =
            format!("expected the seed that payload.source_id names ({id}), found {seed}");
        findings.warning(
            "payload.seed",
            place(tree, &["payload", "seed"]),
            message,
            None,
        );
    }
    images(metadata, body, tree, findings);
    image_hosts(metadata, tree, findings);
}

fn images(metadata: &Metadata, body: &Body<'_>, tree: &Node, findings: &mut Findings<'_>) {
    let listed = match metadata.get("image_sources") {
        Some(Value::List(items)) => items.len(),
        _ => 0,
    };
    // A card that is listed for previews alone is no image of the body.
    let in_body = body.images + body.html_images;
    let images = in_body + listed;
    let flag = |name| match member(metadata, "flags", name) {
        Some(Value::Flag(set)) => Some(*set),
        _ => None,
    };
    let mut warn = |name: &str, message: String| {
        findings.warning(
            &format!("flags.{name}"),
            place(tree, &["flags", name]),
            message,
            None,
        );
    };
    match flag("has_images") {
        Some(true) if images == 0 => {
            warn(
                "has_images",
                "expected an image in the body or in image_sources, found none".to_owned(),
            );
        }
        Some(false) if in_body > 0 => {
            let message = format!("expected no image in the body, found {in_body}");
            warn("has_images", message);
        }
        _ => {}
    }
    if flag("image_heavy") == Some(true) && (images == 0 || flag("has_images") == Some(false)) {
        warn(
            "image_heavy",
            "expected has_images and at least one image, found otherwise".to_owned(),
        );
    }
}

fn image_hosts(metadata: &Metadata, tree: &Node, findings: &mut Findings<'_>) {
    let Some(Value::List(items)) = metadata.get("image_sources") else {
        return;
    };
    let nodes = mappings(tree, "image_sources");
    if nodes.len() != items.len() {
        // An entry was all wrong, has been reported, and made no value.
        return;
    }
    for (item, node) in items.iter().zip(nodes) {
        let Value::Group(members) = item else {
            continue;
        };
        let get = |name: &str| {
            let found = members.iter().find(|(member, _)| member == name);
            text_of(found.map(|(_, value)| value))
        };
        let host = get("url").and_then(forms::url_host);
        let (Some(source), Some(host)) = (get("source"), host) else {
            continue;
        };
        if !source.eq_ignore_ascii_case(host) {
            let message = format!(
                "expected the host of its source ({source}), found {}",
                quoted(host)
            );
            findings.warning("image_sources.url", place(node, &["url"]), message, None);
        }
    }
}

fn member<'m>(metadata: &'m Metadata, group: &str, name: &str) -> Option<&'m Value> {
    match metadata.get(group) {
        Some(Value::Group(members)) => members
            .iter()
            .find(|(member, _)| member == name)
            .map(|(_, value)| value),
        _ => None,
    }
}

fn text_of(value: Option<&Value>) -> Option<&str> {
    match value {
        Some(Value::Text(text)) => Some(text),
        _ => None,
    }
}

/// The place of the value under `path`.
fn place(node: &Node, path: &[&str]) -> Option<Span> {
    let Some((first, rest)) = path.split_first() else {
        return Some(node.span);
    };
    let Kind::Mapping(entries) = &node.kind else {
        return None;
    };
    let (_, child) = entries.iter().find(|(key, _)| key.name == *first)?;
    place(child, rest)
}

/// The entries of the list `name` that are mappings with something in them.
fn mappings<'n>(tree: &'n Node, name: &str) -> Vec<&'n Node> {
    let list = match &tree.kind {
        Kind::Mapping(entries) => entries.iter().find(|(key, _)| key.name == name),
        _ => None,
    };
    let filled = |node: &&Node| matches!(&node.kind, Kind::Mapping(entries) if !entries.is_empty());
    match list.map(|(_, node)| &node.kind) {
        Some(Kind::Sequence(items)) => items.iter().filter(filled).collect(),
        _ => Vec::new(),
    }
}
