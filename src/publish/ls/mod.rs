//! Lists articles: what the content tree has, what the store holds, and how the two compare.
//!
//! 1. With a content tree, the survey of a dry run tells the state of each article; published articles
//!    that the tree no longer has come from a scan.
//! 2. Without one, the scan alone tells what is stored: articles, lists, files and redirects.
//! 3. Titles, dates and tags come from the meta objects, a batch at a time, or from the source where
//!    that may say something else.

mod catalog;
mod head;
mod listed;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use catalog::{Catalog, Row};
use head::{Head, SourceHeads, stored_heads};

pub use listed::{ArticleState, ListedArticle};

use super::keys::Keys;
use super::report::Report;
use super::survey::selection::{RouteGlob, Selection, Selectors, Tag, parsed};
use crate::archive::Redirect;
use crate::article::Route;
use crate::failure::Failure;
use crate::publish::plan::entry::EntryKind;
use crate::publish::plan::moved;
use crate::publish::run::connection::Connected;
use crate::settings::Settings;
use crate::store::{Session, StoreError};

/// So many articles are looked up in one round trip.
const BATCH: usize = 64;

/// Which articles are listed.
#[derive(Clone, Debug, Default)]
pub struct Ls {
    /// Patterns of routes; of several, any.
    pub globs: Vec<String>,
    /// Values of list fields, `FIELD=VALUE`; of several, any.
    pub tags: Vec<String>,
    /// Only those that are stored and have less than this left, in ms.
    pub expiring_ms: Option<u64>,
    /// Only those whose source differs from what is stored.
    pub changed: bool,
    /// Whether the content tree is left out.
    pub store_only: bool,
}

/// Who is told of each article.
pub trait ArticleSink {
    /// The longest route that may come has so many characters.
    fn begin(&mut self, longest_route: usize);
    /// One article, in the order of the routes.
    fn article(&mut self, article: &ListedArticle);
}

/// Lists articles, in the order of their routes. Reads only.
///
/// # Errors
/// 65 when the content tree cannot be read, 69 when the store cannot, 130 when `interrupted` is set.
pub fn ls(
    settings: &Settings,
    ls: &Ls,
    interrupted: &Arc<AtomicBool>,
    report: &mut dyn Report,
    sink: &mut dyn ArticleSink,
) -> Result<(), Failure> {
    let selectors = Selectors {
        globs: ls.globs.clone(),
        tags: ls.tags.clone(),
        sources: Vec::new(),
    };
    let Selection { globs, tags, .. } = parsed(&selectors, settings)?;
    let mut store = Connected::open(&settings.address, settings, interrupted)?;
    let before = |error: StoreError| Failure::before_writing(&error);
    let now_ms = store.session.now_ms().map_err(before)?;
    let keys = Keys::new(&settings.prefix);
    let catalog = Catalog {
        settings,
        keys: &keys,
        interrupted,
        now_ms,
    };
    let (mut rows, sources) = if ls.store_only || !settings.has_content() {
        if !ls.store_only {
            let root = settings.content.display();
            report.note(&format!(
                "there is no content folder {root}: only what the store holds is listed"
            ));
        }
        (catalog.of_store(&mut store.session)?, None)
    } else {
        let (rows, sources) = catalog.of_tree(&mut store.session, report)?;
        (rows, Some(sources))
    };
    let filter = Filter {
        globs,
        tags,
        expiring_before_ms: ls
            .expiring_ms
            .map(|left| now_ms.saturating_add(i64::try_from(left).unwrap_or(i64::MAX))),
        changed: ls.changed,
    };
    rows.retain(|row| filter.takes(row));
    rows.sort_unstable_by(|a, b| (&a.route, a.kind).cmp(&(&b.route, b.kind)));
    let longest = rows.iter().map(|row| row.route.as_str().chars().count());
    sink.begin(longest.max().unwrap_or(0));
    for batch in rows.chunks(BATCH) {
        store
            .session
            .goes_on("reading meta objects")
            .map_err(before)?;
        let routes: Vec<_> = batch.iter().map(|row| &row.route).collect();
        let heads = stored_heads(&mut store.session, &keys, &routes).map_err(before)?;
        let mut redirects = redirects_of(&mut store.session, &keys, batch)?;
        for (row, stored) in batch.iter().zip(heads) {
            let has_meta = row.kind.objects().len() > 1;
            let stored = stored.filter(|_| has_meta);
            let source = row.source.filter(|_| stored.is_none() || row.differs());
            let read = |source| {
                sources
                    .as_ref()
                    .and_then(|heads: &SourceHeads<'_>| heads.read(source))
            };
            let head = source.and_then(read).or(stored);
            if filter.takes_head(head.as_ref()) {
                let is_redirect = row.kind == EntryKind::Redirect;
                let redirect = redirects.remove(&row.route).filter(|_| is_redirect);
                sink.article(&row.listed(head, redirect, now_ms));
            }
        }
    }
    Ok(())
}

/// The redirects among these.
fn redirects_of(
    session: &mut Session,
    keys: &Keys,
    rows: &[Row],
) -> Result<HashMap<Route, Redirect>, Failure> {
    let redirects = rows.iter().filter(|row| row.kind == EntryKind::Redirect);
    let routes: Vec<&Route> = redirects.map(|row| &row.route).collect();
    let read = moved::read(session, keys, &routes)?.into_iter();
    let read = read.map(|(route, _, redirect)| (route.clone(), redirect));
    Ok(read.collect())
}

/// Which of the articles are listed.
struct Filter {
    globs: Vec<RouteGlob>,
    tags: Vec<Tag>,
    expiring_before_ms: Option<i64>,
    changed: bool,
}

impl Filter {
    fn takes(&self, row: &Row) -> bool {
        let is_meant =
            self.globs.is_empty() || self.globs.iter().any(|glob| glob.matches(&row.route));
        let is_expiring = self
            .expiring_before_ms
            .is_none_or(|before| row.expires_at_ms.is_some_and(|at| at < before));
        let is_changed =
            !self.changed || matches!(row.state, ArticleState::Changed | ArticleState::New);
        is_meant && is_expiring && is_changed
    }

    fn takes_head(&self, head: Option<&Head>) -> bool {
        let has = |tag: &Tag| head.is_some_and(|head| tag.matches_json(&head.metadata));
        self.tags.is_empty() || self.tags.iter().any(has)
    }
}
