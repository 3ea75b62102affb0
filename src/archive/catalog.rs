//! The catalog: a small record of every article that lists, feeds and similar posts are made from.
//!
//! It is kept small: an article takes 96 bytes, the text of its route, and 4 bytes for each value of it.
//! Its texts and terms are on the disk, and a [`TextSpot`] says where.

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

impl TextSpot {
    /// Where it ends in the file.
    #[must_use]
    pub fn end(self) -> u64 {
        self.at + u64::from(self.bytes)
    }
}

/// One article.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Its route.
    pub route: Route,
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
    /// Hash of its terms.
    pub about: u64,
    /// Whether search engines are told to leave it out: then nothing lists it.
    pub is_noindex: bool,
    values_from: u32,
    values: u16,
    terms: u8,
}

impl Listed {
    /// Where its terms are on the disk: 8 bytes each, little-endian, at the end of its texts.
    #[must_use]
    pub fn terms(&self) -> TextSpot {
        let bytes = 8 * u32::from(self.terms);
        let texts = self.texts;
        TextSpot {
            at: texts.at + u64::from(texts.bytes.saturating_sub(bytes)),
            bytes,
            ..texts
        }
    }
}

/// What a batch found of one article.
#[derive(Debug)]
pub struct Draft {
    listed: Listed,
    values: Vec<ListedValue>,
    section: Option<[u8; 16]>,
    aliases: Vec<String>,
}

impl Draft {
    /// The article of `source`, whose `listing` is at `texts`.
    #[must_use]
    pub fn new(source: u32, texts: TextSpot, listing: Listing) -> Self {
        Self {
            listed: Listed {
                route: Route::root(),
                source,
                texts,
                published_ms: listing.published_ms(),
                changed_ms: listing.changed_ms(),
                shown: listing.shown(),
                titled: listing.titled(),
                about: listing.about(),
                is_noindex: listing.is_noindex,
                values_from: 0,
                values: u16::try_from(listing.values.len()).unwrap_or(u16::MAX),
                terms: u8::try_from(listing.terms.len()).unwrap_or(0),
            },
            values: listing.values,
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
    names: Vec<ValueName>,
    name_places: HashMap<(u8, String), u32>,
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
            section,
            aliases,
        } = draft;
        if !aliases.is_empty() {
            self.aliases.insert(listed.source, aliases);
        }
        self.sections
            .extend(section.map(|digest| (listed.source, digest)));
        listed.values_from = place(&self.values);
        for value in values.into_iter().take(listed.values.into()) {
            let number = self.number_of(value);
            self.values.push(number);
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
    pub fn finish(mut self, route_of: impl Fn(u32) -> Option<Route>) -> Catalog {
        self.articles.retain_mut(|listed| {
            let route = route_of(listed.source);
            route.map(|route| listed.route = route).is_some()
        });
        // In place: with a million articles, a second vector has 100 MB.
        let order =
            |a: &Listed, b: &Listed| (a.published_ms, &a.route).cmp(&(b.published_ms, &b.route));
        self.articles.sort_unstable_by(order);
        let articles = || (0..).zip(&self.articles);
        let sections = articles().filter_map(|(number, listed)| {
            let digest = self.sections.get(&listed.source)?;
            Some((number, *digest))
        });
        let aliases = articles().filter_map(|(number, listed)| {
            let aliases = self.aliases.get(&listed.source)?;
            Some((number, aliases.clone()))
        });
        Catalog {
            aliases: aliases.collect(),
            sections: sections.collect(),
            articles: self.articles,
            values: self.values,
            names: self.names,
        }
    }
}

/// All articles that are published, the oldest first. Their numbers are places in this order.
#[derive(Debug, Default)]
pub struct Catalog {
    articles: Vec<Listed>,
    values: Vec<u32>,
    names: Vec<ValueName>,
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
        &self.articles[number as usize].route
    }

    /// Their routes, by their numbers.
    pub fn routes(&self) -> impl Iterator<Item = &Route> + Clone {
        self.articles.iter().map(|listed| &listed.route)
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
}

fn range(from: u32, count: u16) -> Range<usize> {
    let from = from as usize;
    from..from + usize::from(count)
}

/// The place of the next item.
fn place<T>(items: &[T]) -> u32 {
    u32::try_from(items.len()).expect("fewer than 4 billion values: each takes 4 bytes")
}
