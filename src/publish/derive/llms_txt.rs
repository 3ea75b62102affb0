//! llms.txt: what there is, for language models (llmstxt.org).

use std::io;

use super::derivation::Derivation;
use super::list_pages::{ListPages, count};
use crate::archive::{List, ListKind};
use crate::render::TEXT_NAME;
use crate::words::counted;

/// So many articles are named, the newest first.
const NEWEST: usize = 100;

/// The lists that are named: those of folders and fields directly below the root.
pub(super) fn lists<'l>(with: &'l Derivation<'_, '_>) -> impl Iterator<Item = &'l List> {
    with.archive.lists.all.iter().filter(|list| {
        let is_kind = matches!(list.kind, ListKind::Folder | ListKind::Field(_));
        is_kind && list.route.parent().is_some_and(|parent| parent.is_root())
    })
}

/// The numbers of the articles that are named.
pub(super) fn newest<'l>(with: &'l Derivation<'_, '_>) -> impl Iterator<Item = u32> + use<'l> {
    let catalog = &with.archive.catalog;
    let count = u32::try_from(catalog.articles().len()).unwrap_or(u32::MAX);
    let listed = (0..count).rev().filter(|number| catalog.is_listed(*number));
    listed.take(NEWEST)
}

/// The file.
///
/// # Errors
/// When what is said of articles cannot be read.
pub(super) fn file(pages: ListPages<'_, '_, '_>) -> io::Result<Vec<u8>> {
    let with = pages.with;
    let render = &with.settings.render;
    let title = match render.site_name.is_empty() {
        true => &render.site_url,
        false => &render.site_name,
    };
    let mut text = format!("# {}\n", escaped(title));
    let lists: Vec<&List> = lists(with).collect();
    if !lists.is_empty() {
        text.push_str("\n## Lists\n\n");
    }
    for list in lists {
        let noun = match list.kind {
            ListKind::Field(_) => "value",
            _ => "article",
        };
        let (title, size) = (
            pages.plain_title(list),
            counted(count(&with.archive.lists, list), noun),
        );
        text += &line(&title, &format!("{}{}", render.site_url, list.route), &size);
    }
    text.push_str("\n## Newest articles\n\n");
    for number in newest(with) {
        let listing = with
            .texts()
            .of(&with.archive.catalog.articles()[number as usize])?;
        let name = if render.text { TEXT_NAME } else { "" };
        let route = with.archive.catalog.route(number);
        let url = format!("{}{route}{name}", render.site_url);
        text += &line(&listing.title, &url, &listing.summary);
    }
    Ok(text.into_bytes())
}

fn line(title: &str, url: &str, what: &str) -> String {
    match what.is_empty() {
        true => format!("- [{}]({url})\n", escaped(title)),
        false => format!("- [{}]({url}): {}\n", escaped(title), escaped(what)),
    }
}

/// A text as Markdown shows it: nothing in it is markup.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if "\\`*_[]<>#|".contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}
