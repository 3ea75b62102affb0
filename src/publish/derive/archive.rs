//! What a run knows of all articles, for as long as it works: of what expires meanwhile, it makes the
//! archive objects again.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use super::texts::Texts;
use crate::archive::{
    Aliases, ArchiveSettings, ArticleIdentity, Catalog, Explanation, Lists, Scratch, Similar,
    TermIndex,
};
use crate::article::Route;
use crate::hashing::short_hash;
use crate::publish::plan::entry::Entry;
use crate::publish::plan::need::Need;
use crate::render::Renderer;
use crate::source::CachedListings;
use crate::spool::FinishedSpool;

/// What archive objects are made from.
#[derive(Debug)]
pub struct Archive {
    pub(super) catalog: Catalog,
    pub(super) lists: Lists,
    /// Routes that redirect to articles.
    pub(super) aliases: Aliases,
    /// Routes of withdrawn articles.
    pub(super) gone: BTreeSet<Route>,
    /// Whether pages have similar posts.
    has_similar: bool,
    /// What those are found by, once somebody asks: a night without changes asks for none.
    terms: Mutex<Option<Arc<TermIndex>>>,
    pub(super) similar_fingerprint: [u8; 32],
    /// The numbers of the articles, by their sources.
    numbers: Vec<(u32, u32)>,
    spool: FinishedSpool,
    cache: CachedListings,
    /// How many sources there are: archive objects have numbers behind theirs.
    pub(super) sources: usize,
}

impl Archive {
    /// What is made from the articles of `catalog`, whose texts are in `spool`, and in `cache` for those that
    /// did not change.
    pub(crate) fn new(
        catalog: Catalog,
        (spool, cache): (FinishedSpool, CachedListings),
        (settings, renderer): (&ArchiveSettings, &Renderer),
        sources: usize,
    ) -> Self {
        let sources_of = catalog.articles().iter().map(|listed| listed.source);
        let mut numbers: Vec<(u32, u32)> = sources_of.zip(0..).collect();
        numbers.sort_unstable();
        Self {
            similar_fingerprint: renderer.similar_fingerprint(),
            catalog,
            lists: Lists::default(),
            aliases: Aliases::default(),
            gone: BTreeSet::new(),
            has_similar: settings.similar > 0,
            terms: Mutex::default(),
            numbers,
            spool,
            cache,
            sources,
        }
    }

    /// Whether pages have similar posts.
    pub(super) fn has_similar(&self) -> bool {
        self.has_similar
    }

    /// What similar posts are found by.
    ///
    /// # Errors
    /// When the disk does not give the terms.
    pub(super) fn terms(&self) -> io::Result<Arc<TermIndex>> {
        let mut terms = self.terms.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(terms) = &*terms {
            return Ok(Arc::clone(terms));
        }
        let articles = self.catalog.articles();
        let is_candidate = |number| self.catalog.is_listed(number);
        // Read as they are on the disk, one behind the other.
        let mut by_place: Vec<u32> = (0..articles.len() as u32).collect();
        let spot = |number: &u32| &articles[*number as usize].texts;
        by_place.sort_unstable_by_key(|number| (spot(number).is_cached, spot(number).at));
        let texts = self.texts();
        let made = TermIndex::of(articles.len(), is_candidate, |take| {
            texts.each_terms(articles, &by_place, take)
        })?;
        Ok(Arc::clone(terms.insert(Arc::new(made))))
    }

    /// Gives back the memory of what similar posts are found by.
    pub(super) fn forget_terms(&self) {
        *self.terms.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Why `most` articles are similar to the one with this number; none where pages have no similar posts.
    ///
    /// # Errors
    /// When the disk does not give the terms.
    pub(crate) fn explain(&self, number: u32, most: usize) -> io::Result<Option<Explanation>> {
        if !self.has_similar {
            return Ok(None);
        }
        let explanation = self.terms()?.explain(number, most, &mut Scratch::default());
        Ok(Some(explanation))
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
        short_hash(&hasher).max(1)
    }

    /// Hash of what fills the page of the article of a source.
    ///
    /// # Errors
    /// When the disk does not give the terms.
    pub(crate) fn fill_of(&self, source: u32, most: usize) -> io::Result<u64> {
        match self.number_of(source).filter(|_| self.has_similar) {
            Some(number) => {
                let similar = self.terms()?.similar(number, most, &mut Scratch::default());
                Ok(self.hash(&similar))
            }
            None => Ok(0),
        }
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

    /// The lists of it.
    pub(crate) fn lists(&self) -> &Lists {
        &self.lists
    }

    /// Whether there is a list at a route.
    pub(crate) fn has_list(&self, route: &Route) -> bool {
        self.lists.all.iter().any(|list| list.route == *route)
    }

    /// Sorts what is written by age, where pages have similar posts.
    pub(crate) fn sort_by_age(&self, entries: &mut [Entry]) {
        let is_written = |entry: &Entry| entry.need == Need::Write;
        if self.has_similar && entries.iter().any(is_written) {
            entries.sort_by_cached_key(|entry| self.number_of(entry.source));
        }
    }

    /// The route of an article.
    pub(crate) fn route(&self, number: u32) -> &Route {
        self.catalog.route(number)
    }

    /// The routes of all articles, by their numbers.
    pub(crate) fn article_routes(&self) -> impl Iterator<Item = &Route> + Clone {
        self.catalog.routes()
    }

    /// The routes of all articles and lists.
    pub(crate) fn routes(&self) -> impl Iterator<Item = &Route> {
        let lists = self.lists.all.iter().map(|list| &list.route);
        self.catalog.routes().chain(lists)
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
            cache: &self.cache,
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
    ///
    /// # Errors
    /// When the disk does not give the terms.
    pub(crate) fn fill_of(&self, place: usize) -> io::Result<u64> {
        match self.numbers.get(place) {
            Some(number) => self.archive.fill_of(*number, self.similar),
            None => Ok(0),
        }
    }
}
