//! The catalog: a small record of every article that lists, feeds and similar posts are made from.
//!
//! It is kept small: an article takes 80 bytes and its route, and 4 bytes for each value and term of
//! it. Its texts are on the disk, and a [`TextSpot`] says where.

use std::collections::HashMap;
use std::ops::Range;

use super::listing::{ListedValue, Listing};
use super::settings::{ArchiveSettings, field_route};
use crate::article::Route;
use crate::render::value_route;

/// Where the [`Listing`] of an article is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TextSpot {
    /// Offset in the file.
    pub at: u64,
    /// Its length.
    pub bytes: u32,
    /// Whether it is in the cache of unchanged sources, and not in the file of this run.
    pub is_cached: bool,
}

/// One article.
#[derive(Clone, Copy, Debug)]
pub struct Listed {
    /// The number of its source.
    pub source: u32,
    /// Where its texts are.
    pub texts: TextSpot,
    /// When it was published, ms since 1970; the least number if that is not said.
    pub published_ms: i64,
    /// When it last changed, in the same form.
    pub changed_ms: i64,
    /// Hash of what lists show of it.
    pub shown: u64,
    /// Hash of what other pages show of it: title and date.
    pub titled: u64,
    /// Whether search engines are told to leave it out: then nothing lists it.
    pub is_noindex: bool,
    values_from: u32,
    terms_from: u32,
    values: u16,
    terms: u16,
}

/// What a batch found of one article.
#[derive(Debug)]
pub struct Draft {
    listed: Listed,
    values: Vec<ListedValue>,
    terms: Vec<u64>,
    section: Option<[u8; 16]>,
    aliases: Vec<String>,
}

impl Draft {
    /// The article of `source`, whose `listing` is at `texts`.
    #[must_use]
    pub fn new(source: u32, texts: TextSpot, listing: Listing) -> Self {
        let count = |length: usize| u16::try_from(length).unwrap_or(u16::MAX);
        Self {
            listed: Listed {
                source,
                texts,
                published_ms: listing.published_ms(),
                changed_ms: listing.changed_ms(),
                shown: listing.shown(),
                titled: listing.titled(),
                is_noindex: listing.is_noindex,
                values_from: 0,
                terms_from: 0,
                values: count(listing.values.len()),
                terms: count(listing.terms.len()),
            },
            values: listing.values,
            terms: listing.terms,
            section: listing.section,
            aliases: listing.aliases,
        }
    }
}

/// A value that has a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueName {
    /// The place of its field in the settings.
    pub field: u8,
    /// As the route of its list has it.
    pub slug: String,
    /// The value, as one of the articles writes it: the same one whatever their order.
    pub text: String,
}

/// A catalog while the survey runs.
#[derive(Debug, Default)]
pub struct CatalogBuilder {
    articles: Vec<Listed>,
    values: Vec<u32>,
    terms: Vec<u32>,
    names: Vec<ValueName>,
    name_places: HashMap<(u8, String), u32>,
    hashes: Vec<u64>,
    hash_places: HashMap<u64, u32>,
    /// Digests of the pages of folders, by the numbers of their sources.
    sections: HashMap<u32, [u8; 16]>,
    /// Routes that redirect to articles, by the numbers of their sources.
    aliases: HashMap<u32, Vec<String>>,
}

impl CatalogBuilder {
    /// Takes what a batch found.
    pub fn add(&mut self, draft: Draft) {
        let Draft {
            mut listed,
            values,
            terms,
            section,
            aliases,
        } = draft;
        if !aliases.is_empty() {
            self.aliases.insert(listed.source, aliases);
        }
        self.sections
            .extend(section.map(|digest| (listed.source, digest)));
        listed.values_from = place(&self.values);
        listed.terms_from = place(&self.terms);
        for value in values.into_iter().take(listed.values.into()) {
            let number = self.number_of(value);
            self.values.push(number);
        }
        for hash in terms.into_iter().take(listed.terms.into()) {
            let next = place(&self.hashes);
            let number = *self.hash_places.entry(hash).or_insert_with(|| {
                self.hashes.push(hash);
                next
            });
            self.terms.push(number);
        }
        self.articles.push(listed);
    }

    fn number_of(&mut self, value: ListedValue) -> u32 {
        let ListedValue { field, slug, text } = value;
        let key = (field, slug);
        if let Some(number) = self.name_places.get(&key) {
            let name = &mut self.names[*number as usize];
            if text < name.text {
                name.text = text;
            }
            return *number;
        }
        let number = place(&self.names);
        let slug = key.1.clone();
        self.name_places.insert(key, number);
        self.names.push(ValueName { field, slug, text });
        number
    }

    /// Routes without an article that links may have: of lists of values, and aliases.
    #[must_use]
    pub fn other_routes(&self, settings: &ArchiveSettings) -> Vec<Route> {
        let fields = settings.fields();
        let of_fields = fields.iter().filter_map(|field| field_route(field));
        let of_values = self.names.iter().filter_map(|name| {
            let field = fields.get(usize::from(name.field))?;
            value_route(field, &name.slug)
        });
        let aliases = self.aliases.values().flatten();
        let aliases = aliases.filter_map(|alias| Route::parse(alias).ok());
        of_fields.chain(of_values).chain(aliases).collect()
    }

    /// The values that have lists.
    #[must_use]
    pub fn names(&self) -> &[ValueName] {
        &self.names
    }

    /// The articles that lists name, of those for which `route_of` knows a route by the number of their source:
    /// that number, the route, and the values, as places in [`Self::names`].
    pub fn listed<'c>(
        &'c self,
        route_of: impl Fn(u32) -> Option<&'c Route>,
    ) -> impl Iterator<Item = (u32, &'c Route, &'c [u32])> {
        let listed = self.articles.iter();
        let listed = listed.filter(|one| !one.is_noindex && !self.is_section(one.source));
        listed.filter_map(move |one| {
            let values = &self.values[range(one.values_from, one.values)];
            Some((one.source, route_of(one.source)?, values))
        })
    }

    /// Whether the article of a source is the page of a folder.
    #[must_use]
    pub fn is_section(&self, source: u32) -> bool {
        self.sections.contains_key(&source)
    }

    /// The catalog of the articles for which `route_of` knows a route by the number of their source,
    /// the oldest first; those of one date by their routes.
    #[must_use]
    pub fn finish(self, route_of: impl Fn(u32) -> Option<Route>) -> Catalog {
        let articles = self.articles.into_iter();
        let known = articles.filter_map(|listed| Some((listed, route_of(listed.source)?)));
        let mut known: Vec<(Listed, Route)> = known.collect();
        known.sort_unstable_by(|(a, of_a), (b, of_b)| {
            (a.published_ms, of_a).cmp(&(b.published_ms, of_b))
        });
        let (articles, routes): (Vec<Listed>, Vec<Route>) = known.into_iter().unzip();
        let sections = (0..).zip(&articles).filter_map(|(number, listed)| {
            let digest = self.sections.get(&listed.source)?;
            Some((number, *digest))
        });
        let aliases = (0..).zip(&articles).filter_map(|(number, listed)| {
            let aliases = self.aliases.get(&listed.source)?;
            Some((number, aliases.clone()))
        });
        Catalog {
            aliases: aliases.collect(),
            sections: sections.collect(),
            articles,
            routes,
            values: self.values,
            terms: self.terms,
            names: self.names,
            hashes: self.hashes,
        }
    }
}

/// All articles that are published, the oldest first. Their numbers are places in this order.
#[derive(Debug, Default)]
pub struct Catalog {
    articles: Vec<Listed>,
    routes: Vec<Route>,
    values: Vec<u32>,
    terms: Vec<u32>,
    names: Vec<ValueName>,
    hashes: Vec<u64>,
    sections: HashMap<u32, [u8; 16]>,
    aliases: Vec<(u32, Vec<String>)>,
}

impl Catalog {
    /// What the articles say of routes that redirect to them, each with the number of its article.
    #[must_use]
    pub fn aliases(&self) -> &[(u32, Vec<String>)] {
        &self.aliases
    }

    /// The articles that are pages of folders, by number, each with the digest of its page.
    #[must_use]
    pub fn sections(&self) -> &HashMap<u32, [u8; 16]> {
        &self.sections
    }

    /// Whether lists name the article `number`: no page of a folder, nor what search engines are told to
    /// leave out.
    #[must_use]
    pub fn is_listed(&self, number: u32) -> bool {
        !self.articles[number as usize].is_noindex && !self.sections.contains_key(&number)
    }

    /// The articles that lists name: number, route, and values, as places in [`Self::names`].
    pub fn listed(&self) -> impl Iterator<Item = (u32, &Route, &[u32])> {
        let listed = (0..).zip(&self.articles);
        let listed = listed.filter(|(number, _)| self.is_listed(*number));
        listed.map(|(number, one)| (number, self.route(number), self.values_of(one)))
    }

    /// The articles.
    #[must_use]
    pub fn articles(&self) -> &[Listed] {
        &self.articles
    }

    /// The route of one.
    #[must_use]
    pub fn route(&self, number: u32) -> &Route {
        &self.routes[number as usize]
    }

    /// Their routes.
    #[must_use]
    pub fn routes(&self) -> &[Route] {
        &self.routes
    }

    /// The values that have lists.
    #[must_use]
    pub fn names(&self) -> &[ValueName] {
        &self.names
    }

    /// The values of an article, as places in [`Self::names`].
    #[must_use]
    pub fn values_of(&self, listed: &Listed) -> &[u32] {
        &self.values[range(listed.values_from, listed.values)]
    }

    /// The hashes of what an article is about.
    pub fn terms_of<'c>(&'c self, listed: &Listed) -> impl Iterator<Item = u64> + use<'c> {
        let terms = &self.terms[range(listed.terms_from, listed.terms)];
        terms.iter().map(|term| self.hashes[*term as usize])
    }
}

fn range(from: u32, count: u16) -> Range<usize> {
    let from = from as usize;
    from..from + usize::from(count)
}

/// The place of the next item.
fn place<T>(items: &[T]) -> u32 {
    u32::try_from(items.len()).expect("fewer than 4 billion values: each takes 4 bytes")
}
