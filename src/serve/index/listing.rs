//! The listed articles in memory, for searches: routes of the store or of a manifest, titles, dates
//! and tags of the meta objects.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Deserialize;

use super::published::Mark;
use super::query::{Query, Sort};
use crate::article::Route;
use crate::publish::keys::Keys;
use crate::store::reading::{Ask, Reading};
use crate::store::{Reply, StoreError};

/// So many meta objects are read in one round trip.
const BATCH: usize = 128;

/// So much is read of a meta object, in bytes. Ours are smaller; a part of a larger one is no JSON.
const META_BYTES: usize = 1024 * 1024;

/// What is kept of the title and the tags of an article: ours are within this.
const MOST_TAGS: usize = 64;
const MOST_CHARS: usize = 200;
const MOST_DATE_BYTES: usize = 40;

/// A listing older than this is made anew. It is only searched: what is shown of an article
/// is read when it is shown.
const LASTS: Duration = Duration::from_secs(30);

/// A listing of the store lasts so many times as long as it took to make: so a small store is
/// listed as it is, and a large one is not read all the time.
const LASTS_TIMES: u32 = 20;

/// What is read of a meta object.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Meta {
    #[serde(default)]
    pub(super) run: String,
    #[serde(default)]
    pub(super) written_at: String,
    #[serde(default)]
    pub(super) robots: String,
    /// Which object of the archive the page is; empty for an article.
    #[serde(default)]
    pub(super) archive: String,
    #[serde(default)]
    pub(super) title: String,
    #[serde(default)]
    pub(super) metadata: Metadata,
}

/// What is read of the metadata of an article.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Metadata {
    #[serde(default)]
    pub(super) tags: Vec<String>,
    /// Whatever anybody wrote there.
    #[serde(default)]
    date: serde_json::Value,
}

impl Metadata {
    /// The date, if it is one that can be shown.
    pub(super) fn date(&self) -> Option<&str> {
        let date = self.date.as_str()?;
        (date.len() <= MOST_DATE_BYTES).then_some(date)
    }
}

impl Meta {
    /// Reads one; none if it is missing or none of ours.
    pub(super) fn of(reply: &Reply) -> Option<Self> {
        let Reply::Bulk(bytes) = reply else {
            return None;
        };
        let mut meta: Self = serde_json::from_slice(bytes).ok()?;
        meta.metadata.tags.truncate(MOST_TAGS);
        let texts = [&mut meta.title, &mut meta.run, &mut meta.written_at];
        texts
            .into_iter()
            .chain(&mut meta.metadata.tags)
            .for_each(cut);
        Some(meta)
    }
}

fn cut(text: &mut String) {
    if let Some((end, _)) = text.char_indices().nth(MOST_CHARS) {
        text.truncate(end);
        text.shrink_to_fit();
    }
}

/// Where the routes of a listing are from.
#[derive(Clone, Debug)]
pub(super) enum ListingSource {
    /// The store, of which these may not be all.
    Store { is_whole: bool },
    /// A run.
    Run(Box<Mark>),
}

impl ListingSource {
    /// Whether both are the store, or the same run at the same point.
    fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Store { .. }, Self::Store { .. }) => true,
            (Self::Run(one), Self::Run(other)) => one.is(other),
            _ => false,
        }
    }
}

/// The articles that are listed.
pub(super) struct Listing {
    pub(super) source: ListingSource,
    pub(super) articles: Vec<Article>,
    made_at: Instant,
    lasts: Duration,
}

/// One of them.
pub(super) struct Article {
    pub(super) route: Route,
    /// As it was when the listing was made; none if the meta object was gone then, and before.
    pub(super) title: Option<String>,
    pub(super) tags: Vec<String>,
    pub(super) date: Option<String>,
    written_at: String,
    /// Title, route and tags in lower case.
    text: String,
}

impl Article {
    fn new(route: Route, meta: Option<Meta>, before: Option<&Self>) -> Self {
        let (title, tags, date, written_at) = match (meta, before) {
            (Some(meta), _) => {
                let date = meta.metadata.date().map(str::to_owned);
                (Some(meta.title), meta.metadata.tags, date, meta.written_at)
            }
            (None, Some(before)) => (
                before.title.clone(),
                before.tags.clone(),
                before.date.clone(),
                before.written_at.clone(),
            ),
            (None, None) => Default::default(),
        };
        let shown = title.as_deref().unwrap_or_default();
        let text = format!("{shown} {route} {}", tags.join(" ")).to_lowercase();
        Self {
            route,
            title,
            tags,
            date,
            written_at,
            text,
        }
    }

    /// What it is called where it has no title.
    fn name(&self) -> String {
        match self.title.as_deref() {
            None | Some("") => self.route.to_string(),
            Some(title) => title.to_lowercase(),
        }
    }
}

impl Listing {
    /// Whether it still stands for what `source` is now.
    pub(super) fn is_good_for(&self, source: &ListingSource) -> bool {
        self.source.is(source) && self.made_at.elapsed() < self.lasts
    }

    /// The routes, if they are those of the same run at the same point.
    pub(super) fn routes_of(&self, source: &ListingSource) -> Option<Vec<Route>> {
        let routes = || self.articles.iter().map(|article| article.route.clone());
        self.source.is(source).then(|| routes().collect())
    }

    /// Reads titles and tags of `routes`, which took since `began` to find. Articles that are gone
    /// keep those of `before`.
    pub(super) async fn make(
        source: ListingSource,
        (routes, began): (Vec<Route>, Instant),
        before: Option<Arc<Self>>,
        store: &Reading,
        keys: &Keys,
    ) -> Result<Self, StoreError> {
        let made_at = Instant::now();
        let known: HashMap<&Route, &Article> = before
            .iter()
            .flat_map(|before| &before.articles)
            .map(|article| (&article.route, article))
            .collect();
        let mut articles = Vec::with_capacity(routes.len());
        for batch in routes.chunks(BATCH) {
            let metas = metas(batch, store, keys).await?;
            for (route, meta) in batch.iter().zip(metas) {
                let before = known.get(route).copied();
                articles.push(Article::new(route.clone(), meta, before));
            }
        }
        let lasts = match source {
            ListingSource::Store { .. } => (began.elapsed() * LASTS_TIMES).min(LASTS),
            ListingSource::Run(_) => LASTS,
        };
        Ok(Self {
            source,
            articles,
            made_at,
            lasts,
        })
    }

    /// The articles that `query` asks for, in its order.
    pub(super) fn search(&self, query: &Query) -> Vec<&Article> {
        let words = query.words.to_lowercase();
        let words: Vec<&str> = words.split_whitespace().collect();
        let tag = query.tag.to_lowercase();
        let fits = |article: &&Article| {
            words.iter().all(|word| article.text.contains(word))
                && (tag.is_empty() || article.tags.iter().any(|own| own.to_lowercase() == tag))
                && article.route.as_str().starts_with(&query.section)
        };
        let mut found: Vec<&Article> = self.articles.iter().filter(fits).collect();
        match query.sort {
            Sort::Route => found.sort_by(|a, b| a.route.cmp(&b.route)),
            Sort::Title => found.sort_by_cached_key(|article| article.name()),
            Sort::Date => found.sort_by(|a, b| b.date.cmp(&a.date)),
            Sort::Written => found.sort_by(|a, b| b.written_at.cmp(&a.written_at)),
        }
        found
    }
}

/// The meta objects of `routes`, in order.
pub(super) async fn metas(
    routes: &[Route],
    store: &Reading,
    keys: &Keys,
) -> Result<Vec<Option<Meta>>, StoreError> {
    let keys: Vec<String> = routes.iter().map(|route| keys.meta(route)).collect();
    let mut replies = store
        .ask(&[Ask::Heads(&keys, META_BYTES)], "reading meta objects")
        .await?;
    match replies.pop() {
        Some(Reply::Array(values)) => Ok(values.iter().map(Meta::of).collect()),
        _ => Ok(vec![None; routes.len()]),
    }
}
