//! The articles of a run in memory, for searches: routes of the manifest, titles and tags of
//! the meta objects.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Deserialize;

use super::published::Mark;
use super::query::Query;
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

/// A listing older than this is made anew. It is only searched: what is shown of an article
/// is read when it is shown.
const LASTS: Duration = Duration::from_secs(30);

/// What is read of a meta object.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Meta {
    #[serde(default)]
    pub(super) run: String,
    #[serde(default)]
    pub(super) written_at: String,
    #[serde(default)]
    pub(super) robots: String,
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

/// The articles of a run.
pub(super) struct Listing {
    pub(super) mark: Mark,
    pub(super) articles: Vec<Article>,
    made_at: Instant,
}

/// One of them.
pub(super) struct Article {
    pub(super) route: Route,
    /// As it was when the listing was made; none if the meta object was gone then, and before.
    pub(super) title: Option<String>,
    pub(super) tags: Vec<String>,
    /// Title, route and tags in lower case.
    text: String,
}

impl Article {
    fn new(route: Route, title: Option<String>, tags: Vec<String>) -> Self {
        let shown = title.as_deref().unwrap_or_default();
        let text = format!("{shown} {route} {}", tags.join(" ")).to_lowercase();
        Self {
            route,
            title,
            tags,
            text,
        }
    }
}

impl Listing {
    /// Whether it still stands for the run at this point.
    pub(super) fn is_good_for(&self, mark: &Mark) -> bool {
        self.mark.is(mark) && self.made_at.elapsed() < LASTS
    }

    /// The routes, if they are those of the run at this point.
    pub(super) fn routes_of(&self, mark: &Mark) -> Option<Vec<Route>> {
        let routes = || self.articles.iter().map(|article| article.route.clone());
        self.mark.is(mark).then(|| routes().collect())
    }

    /// Reads titles and tags of `routes`. Articles that are gone keep those of `before`.
    pub(super) async fn make(
        mark: Mark,
        routes: Vec<Route>,
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
                let (title, tags) = match (meta, known.get(route)) {
                    (Some(meta), _) => (Some(meta.title), meta.metadata.tags),
                    (None, Some(known)) => (known.title.clone(), known.tags.clone()),
                    (None, None) => (None, Vec::new()),
                };
                articles.push(Article::new(route.clone(), title, tags));
            }
        }
        Ok(Self {
            mark,
            articles,
            made_at,
        })
    }

    /// The articles that `query` asks for.
    pub(super) fn search(&self, query: &Query) -> Vec<&Article> {
        let words = query.words.to_lowercase();
        let words: Vec<&str> = words.split_whitespace().collect();
        let tag = query.tag.to_lowercase();
        let fits = |article: &&Article| {
            words.iter().all(|word| article.text.contains(word))
                && (tag.is_empty() || article.tags.iter().any(|own| own.to_lowercase() == tag))
        };
        self.articles.iter().filter(fits).collect()
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
