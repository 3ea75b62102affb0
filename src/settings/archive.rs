//! The group `archive:`, which says what is made from many articles.

use super::files;
use super::keys::DAY_MS;
use super::reader::Reader;
use crate::archive::{ArchiveSettings, ListSettings};
use crate::exit::Exit;
use crate::render::ListLinks;
use crate::yaml::{self, Kind, Node, YamlError};

const DAYS_KEPT: u64 = 90;
const FEED_ARTICLES: u64 = 20;

/// Reads which archive objects are made. `has_url`: whether `site.url` is set.
pub(super) fn read(reader: &mut Reader, has_url: bool) -> ArchiveSettings {
    let similar = reader.get("archive.similar", 0, |node| node.whole(0..=20));
    let settings = ArchiveSettings {
        similar: usize::try_from(similar).unwrap_or_default(),
        lists: reader.get("archive.lists", None, lists),
        feeds: reader.get("archive.feeds", None, feeds),
        sitemap: reader.flag("archive.sitemap"),
        robots_txt: reader.flag("archive.robots_txt"),
        llms_txt: reader.flag("archive.llms_txt"),
        redirects: reader.get("archive.redirects", None, redirects),
        text: reader.flag("archive.text"),
    };
    for (key, is_on) in [
        ("archive.feeds", settings.feeds.is_some()),
        ("archive.sitemap", settings.sitemap),
        ("archive.robots_txt", settings.robots_txt),
        ("archive.llms_txt", settings.llms_txt),
    ] {
        if is_on && !has_url {
            let what = format!("{key} needs site.url, since it names whole URLs");
            reader.problems.push((Exit::Config, what));
        }
    }
    settings
}

/// The lists that pages link to.
pub(super) fn links(lists: &ListSettings) -> ListLinks {
    ListLinks {
        home: lists.home,
        folders: lists.folders,
        fields: lists.fields.clone(),
    }
}

/// `true`, `false`, or a mapping. A variable has the mapping in braces.
enum Group {
    Off,
    On(Node),
}

fn group(node: &Node) -> Result<Group, YamlError> {
    let empty = || Node {
        kind: Kind::Mapping(Vec::new()),
        span: node.span,
    };
    match &node.kind {
        Kind::Scalar { text, .. } if text.trim_start().starts_with('{') => {
            let read = yaml::parse(text, 1);
            read.map(Group::On).map_err(|errors| {
                let first = errors.into_iter().next();
                first.unwrap_or_else(|| node.mismatch("a mapping in braces"))
            })
        }
        Kind::Scalar { .. } => Ok(match node.flag()? {
            true => Group::On(empty()),
            false => Group::Off,
        }),
        _ => {
            node.mapping()?;
            Ok(Group::On(node.clone()))
        }
    }
}

/// Reads each member of the group with `take`, which says whether it knows the name.
fn members(
    node: &Node,
    known: &[&str],
    mut take: impl FnMut(&str, &Node) -> Result<(), YamlError>,
) -> Result<(), YamlError> {
    for (key, value) in node.mapping()? {
        match known.contains(&key.name.as_str()) {
            true => take(&key.name, value)?,
            false => return Err(key.unknown(known.iter().copied())),
        }
    }
    Ok(())
}

fn lists(node: &Node) -> Result<Option<ListSettings>, YamlError> {
    let Group::On(node) = group(node)? else {
        return Ok(None);
    };
    let mut lists = ListSettings::default();
    let known = ["home", "folders", "fields", "per_page"];
    members(&node, &known, |name, node| {
        match name {
            "home" => lists.home = node.flag()?,
            "folders" => lists.folders = node.flag()?,
            "fields" => lists.fields = fields(node)?,
            _ => lists.per_page = usize::try_from(node.whole(1..=1000)?).unwrap_or(1000),
        }
        Ok(())
    })?;
    Ok(Some(lists))
}

/// Names of fields that lists are made of, as their routes have them.
fn fields(node: &Node) -> Result<Vec<String>, YamlError> {
    let mut names = files::names(node)?;
    for name in &mut names {
        *name = yaml::normalise(name);
    }
    let most = usize::from(u8::MAX);
    let mut sorted = names.clone();
    sorted.sort();
    sorted.dedup();
    if sorted.len() != names.len() || names.len() > most {
        return Err(node.mismatch("names of at most 255 fields, each once"));
    }
    Ok(names)
}

fn feeds(node: &Node) -> Result<Option<usize>, YamlError> {
    let Group::On(node) = group(node)? else {
        return Ok(None);
    };
    let mut count = FEED_ARTICLES;
    members(&node, &["count"], |_, node| {
        count = node.whole(1..=1000)?;
        Ok(())
    })?;
    Ok(usize::try_from(count).ok())
}

fn redirects(node: &Node) -> Result<Option<i64>, YamlError> {
    let Group::On(node) = group(node)? else {
        return Ok(None);
    };
    let mut keep_ms = DAYS_KEPT * DAY_MS;
    members(&node, &["keep"], |_, node| {
        keep_ms = node.duration_ms(DAY_MS..=3650 * DAY_MS)?;
        Ok(())
    })?;
    Ok(Some(keep_ms.cast_signed()))
}
