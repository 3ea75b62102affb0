//! The folders of the listed articles, as links that narrow the list.

use std::collections::BTreeMap;

use minijinja::{Value, context};

use super::listing::Article;
use super::query::Query;

/// So many folders are shown.
const MOST: usize = 60;

/// The folders directly below the section of `query` that hold some of `articles`, with their numbers
/// of articles; and how many folders are left out.
pub(super) fn sections(articles: &[&Article], query: &Query) -> (Vec<Value>, usize) {
    let above = match query.section.as_str() {
        "" => "/",
        section => section,
    };
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for article in articles {
        let route = article.route.as_str();
        let Some(below) = route.strip_prefix(above) else {
            continue;
        };
        // An article of its own folder is in no folder further down.
        if let Some((folder, rest)) = below.split_once('/')
            && !rest.is_empty()
        {
            *counts.entry(folder).or_default() += 1;
        }
    }
    let left = counts.len().saturating_sub(MOST);
    let links = counts.into_iter().take(MOST).map(|(folder, count)| {
        let section = format!("{above}{folder}/");
        let to = Query {
            section: section.clone(),
            page: 1,
            ..query.clone()
        };
        context! { text => section, count => count, to => to.link() }
    });
    (links.collect(), left)
}
