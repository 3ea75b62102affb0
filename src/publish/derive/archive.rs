//! What a run knows of all articles, for as long as it works: of what expires meanwhile, it makes the
//! archive objects again.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

use super::texts::Texts;
use crate::archive::{
    Aliases, ArchiveSettings, ArticleIdentity, Catalog, Explanation, Lists, Scratch, Similar,
    TermIndex,
};
use crate::article::Route;
use crate::publish::plan::entry::Entry;
use crate::publish::plan::need::Need;
use crate::render::Renderer;
use crate::source::Cache;
use crate::spool::FinishedSpool;

/// What archive objects are made from.
#[derive(Debug)]
pub struct Archive {
    pub(super) catalog: Catalog,
    pub(super) lists: Lists,
    /// Routes that redirect to articles.
    pub(super) aliases: Aliases,
    /// Routes in the form of numbered pages that sources claim which are invalid.
    pub(super) claimed_pages: Vec<Route>,
    /// Routes of withdrawn articles.
    pub(super) gone: BTreeSet<Route>,
    /// What similar posts are found by, where pages have such.
    pub(super) terms: Option<TermIndex>,
    pub(super) similar_fingerprint: [u8; 32],
    /// The numbers of the articles, by their sources.
    numbers: Vec<(u32, u32)>,
    spool: FinishedSpool,
    cache: Option<Arc<Cache>>,
    /// How many sources there are: archive objects have numbers behind theirs.
    pub(super) sources: usize,
}

impl Archive {
    /// What is made from the articles of `catalog`, whose texts are in `spool`, and in `cache` for those that
    /// did not change.
    pub(crate) fn new(
        catalog: Catalog,
        (spool, cache): (FinishedSpool, Option<Arc<Cache>>),
        (settings, renderer): (&ArchiveSettings, &Renderer),
        sources: usize,
    ) -> Self {
        let terms = (settings.similar > 0).then(|| {
            let mut terms = TermIndex::builder();
            let mut of_one = Vec::new();
            for (number, listed) in (0..).zip(catalog.articles()) {
                of_one.clear();
                of_one.extend(catalog.terms_of(listed));
                terms.push(&of_one, catalog.is_listed(number));
            }
            terms.finish()
        });
        let sources_of = catalog.articles().iter().map(|listed| listed.source);
        let mut numbers: Vec<(u32, u32)> = sources_of.zip(0..).collect();
        numbers.sort_unstable();
        Self {
            similar_fingerprint: renderer.similar_fingerprint(),
            catalog,
            lists: Lists::default(),
            aliases: Aliases::default(),
            claimed_pages: Vec::new(),
            gone: BTreeSet::new(),
            terms,
            numbers,
            spool,
            cache,
            sources,
        }
    }

    /// The articles that are similar to the one with this number.
    pub(crate) fn similar(&self, number: u32, most: usize, scratch: &mut Scratch) -> Vec<Similar> {
        match &self.terms {
            Some(terms) => terms.similar(number, most, scratch),
            None => Vec::new(),
        }
    }

    /// Why `most` articles are similar to the one with this number; none where pages have no similar posts.
    pub(crate) fn explain(&self, number: u32, most: usize) -> Option<Explanation> {
        let terms = self.terms.as_ref()?;
        Some(terms.explain(number, most, &mut Scratch::default()))
    }

    /// Hash of what fills the page of an article with these `similar` posts; 0 without any.
    pub(super) fn hash(&self, similar: &[Similar]) -> u64 {
        if similar.is_empty() {
            return 0;
        }
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.similar_fingerprint);
        for post in similar {
            hasher.update(self.catalog.route(post.place).as_str().as_bytes());
            let titled = self.catalog.articles()[post.place as usize].titled;
            hasher.update(&titled.to_le_bytes());
        }
        let [a, b, c, d, e, f, g, h, ..] = *hasher.finalize().as_bytes();
        u64::from_le_bytes([a, b, c, d, e, f, g, h]).max(1)
    }

    /// Hash of what fills the page of the article of a source.
    pub(crate) fn fill_of(&self, source: u32, most: usize) -> u64 {
        let number = self.number_of(source);
        number.map_or(0, |number| {
            self.hash(&self.similar(number, most, &mut Scratch::default()))
        })
    }

    /// The number of the article of a source.
    pub(super) fn number_of(&self, source: u32) -> Option<u32> {
        let place = self.numbers.binary_search_by_key(&source, |(of, _)| *of);
        place.ok().map(|place| self.numbers[place].1)
    }

    /// The number of the article at a route.
    pub(crate) fn number_at(&self, route: &Route) -> Option<u32> {
        let mut routes = (0..).zip(self.article_routes());
        let found = routes.find(|(_, other)| *other == route);
        found.map(|(number, _)| number)
    }

    /// The number of the source of an article.
    pub(crate) fn source(&self, number: u32) -> u32 {
        self.catalog.articles()[number as usize].source
    }

    /// The title of an article.
    ///
    /// # Errors
    /// When the disk does not give it.
    pub(crate) fn title(&self, number: u32) -> io::Result<String> {
        let listed = &self.catalog.articles()[number as usize];
        Ok(self.texts().of(listed)?.title)
    }

    /// Whether there is a list at a route.
    pub(crate) fn has_list(&self, route: &Route) -> bool {
        self.lists.all.iter().any(|list| list.route == *route)
    }

    /// The texts of the articles that this run read.
    pub(crate) fn spool(&self) -> &FinishedSpool {
        &self.spool
    }

    /// Sorts what is written by age, where pages have similar posts.
    pub(crate) fn sort_by_age(&self, entries: &mut [Entry]) {
        let is_written = |entry: &Entry| entry.need == Need::Write;
        if self.terms.is_some() && entries.iter().any(is_written) {
            entries.sort_by_cached_key(|entry| self.number_of(entry.source));
        }
    }

    /// The route of an article.
    pub(crate) fn route(&self, number: u32) -> &Route {
        self.catalog.route(number)
    }

    /// The routes of all articles, by their numbers.
    pub(crate) fn article_routes(&self) -> &[Route] {
        self.catalog.routes()
    }

    /// The routes of all articles and lists.
    pub(crate) fn routes(&self) -> impl Iterator<Item = &Route> {
        let lists = self.lists.all.iter().map(|list| &list.route);
        self.catalog.routes().iter().chain(lists)
    }

    /// The articles that this run read, by number, each with what it is known by.
    ///
    /// # Errors
    /// When the disk does not give it.
    pub(crate) fn read_articles(&self) -> io::Result<Vec<(u32, ArticleIdentity)>> {
        let articles = (0..).zip(self.catalog.articles());
        let read = articles.filter(|(_, listed)| !listed.texts.is_cached);
        read.map(|(number, listed)| Ok((number, self.texts().whole(listed)?.identity)))
            .collect()
    }

    pub(super) fn texts(&self) -> Texts<'_> {
        Texts {
            spool: &self.spool,
            cache: self.cache.as_deref(),
        }
    }
}

/// The archive for a survey of some of its sources, once more.
#[derive(Clone, Copy)]
pub struct ArchiveAgain<'a> {
    /// What the run knows of all articles.
    pub archive: &'a Archive,
    /// The sources that are surveyed, by number.
    pub numbers: &'a [u32],
    /// How many similar posts stand under each article.
    pub similar: usize,
}

impl ArchiveAgain<'_> {
    /// Hash of what fills the page of the source at this place.
    pub(crate) fn fill_of(&self, place: usize) -> u64 {
        let number = self.numbers.get(place);
        number.map_or(0, |number| self.archive.fill_of(*number, self.similar))
    }
}
