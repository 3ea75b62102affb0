//! Which lists there are, which articles each has, and how it is divided into pages.
//!
//! Pages are numbered from the oldest articles on, so that a page with a successor never changes: a new
//! article changes the last page, and the front page of the list, which shows the newest.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use super::catalog::Catalog;
use super::settings::{ListSettings, field_route};
use crate::article::Route;
use crate::render::value_route;

/// What a list is a list of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ListKind {
    /// All articles.
    Home,
    /// The articles with a value, which is this one of [`Catalog::names`].
    Value(u32),
    /// The values of the field at this place of the settings.
    Field(u8),
    /// The articles below a folder.
    Folder,
}

/// One list.
#[derive(Debug)]
pub struct List {
    /// The route of its front page.
    pub route: Route,
    /// What it is a list of.
    pub kind: ListKind,
    /// The numbers of its articles, the oldest first.
    pub members: Vec<u32>,
    /// The number of the article that says what the list is: the `_index.md` of its folder.
    pub section: Option<u32>,
    /// The lists below it, by their places, each with the number of its articles.
    pub children: Vec<u32>,
}

/// The lists of an archive.
#[derive(Debug, Default)]
pub struct Lists {
    /// All of them, by their routes.
    pub all: Vec<List>,
    /// Routes of lists that are not made, since an article has them.
    pub taken: Vec<Route>,
}

impl Lists {
    /// The lists that `settings` ask for. `claimed` says whether a source without a place in the catalog
    /// has a route.
    #[must_use]
    pub fn of(
        catalog: &Catalog,
        settings: &ListSettings,
        claimed: impl Fn(&Route) -> bool,
    ) -> Self {
        let sections = catalog.sections();
        let found = found(catalog, settings);
        // There are fewer lists than articles.
        let mut articles: HashMap<&str, u32> = HashMap::new();
        for (number, route) in (0..).zip(catalog.routes()) {
            if found.contains_key(route) {
                articles.insert(route.as_str(), number);
            }
        }
        let mut lists = Self::default();
        // A section whose folder has no article is a page like others.
        for (route, (kind, members)) in found {
            let article = articles.get(route.as_str()).copied();
            let section = article.filter(|number| sections.contains_key(number));
            if section.is_none() && (article.is_some() || claimed(&route)) {
                lists.taken.push(route);
                continue;
            }
            lists.all.push(List {
                route,
                kind,
                members,
                section,
                children: Vec::new(),
            });
        }
        lists.set_children();
        lists
    }

    /// The place of the list at `route`.
    #[must_use]
    pub fn find(&self, route: &Route) -> Option<usize> {
        self.all.binary_search_by(|list| list.route.cmp(route)).ok()
    }

    fn set_children(&mut self) {
        for at in 0..self.all.len() {
            let list = &self.all[at];
            let Some(parent) = list.route.parent() else {
                continue;
            };
            let parent = self.find(&parent);
            if let (Some(parent), Ok(child)) = (parent, u32::try_from(at)) {
                let is_of_values = matches!(self.all[at].kind, ListKind::Value(_));
                let of = &mut self.all[parent];
                // The values of a field stand on the page of the field alone.
                if is_of_values == matches!(of.kind, ListKind::Field(_)) {
                    of.children.push(child);
                }
            }
        }
    }
}

/// The kind and the members of each list, by its route. Where two have one route, the values of fields
/// win over folders.
fn found(catalog: &Catalog, settings: &ListSettings) -> BTreeMap<Route, (ListKind, Vec<u32>)> {
    let mut found: BTreeMap<Route, (ListKind, Vec<u32>)> = BTreeMap::new();
    let mut by_value: Vec<Vec<u32>> = vec![Vec::new(); catalog.names().len()];
    let mut by_folder: HashMap<&str, Vec<u32>> = HashMap::new();
    let mut home = Vec::new();
    for (number, listed) in (0..).zip(catalog.articles()) {
        if !catalog.is_listed(number) {
            continue;
        }
        home.push(number);
        for value in catalog.values_of(listed) {
            by_value[*value as usize].push(number);
        }
        if settings.folders {
            for folder in listed.route.folders() {
                by_folder.entry(folder).or_default().push(number);
            }
        }
    }
    for (folder, members) in by_folder {
        let folder = Route::parse(folder).ok();
        found.extend(folder.map(|route| (route, (ListKind::Folder, members))));
    }
    for ((value, name), members) in (0..).zip(catalog.names()).zip(by_value) {
        let Some(field) = settings.fields.get(usize::from(name.field)) else {
            continue;
        };
        if members.is_empty() {
            continue;
        }
        if let Some(route) = field_route(field) {
            found.insert(route, (ListKind::Field(name.field), Vec::new()));
        }
        if let Some(route) = value_route(field, &name.slug) {
            found.insert(route, (ListKind::Value(value), members));
        }
    }
    if settings.home && !home.is_empty() {
        found.insert(Route::root(), (ListKind::Home, home));
    }
    found
}

/// A page of a list: its number, or the front page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PageNumber {
    /// The newest articles, under the route of the list.
    Front,
    /// So many pages after the oldest, from 1: `/redis/page/1/`.
    Numbered(u32),
}

/// How a list of so many articles is divided.
#[derive(Clone, Copy, Debug)]
pub struct Paging {
    /// The number of its articles.
    pub total: u32,
    /// How many a page has.
    pub per_page: u32,
}

impl Paging {
    /// How many numbered pages there are: none where the front page has all articles.
    #[must_use]
    pub fn numbered(self) -> u32 {
        match self.total > self.per_page {
            true => self.total.div_ceil(self.per_page),
            false => 0,
        }
    }

    /// All pages, the front page first.
    pub fn pages(self) -> impl Iterator<Item = PageNumber> {
        let numbered = (1..=self.numbered()).map(PageNumber::Numbered);
        std::iter::once(PageNumber::Front).chain(numbered)
    }

    /// The places of the articles of a page, among all of the list.
    #[must_use]
    pub fn members(self, page: PageNumber) -> Range<usize> {
        let range = match page {
            PageNumber::Front => self.total.saturating_sub(self.per_page)..self.total,
            PageNumber::Numbered(number) => {
                let from = (number - 1) * self.per_page;
                from..self.total.min(from + self.per_page)
            }
        };
        range.start as usize..range.end as usize
    }

    /// The page with the next older articles.
    #[must_use]
    pub fn older(self, page: PageNumber) -> Option<PageNumber> {
        let number = match page {
            // The page of the newest article that the front page does not show.
            PageNumber::Front if self.numbered() == 0 => 0,
            PageNumber::Front => (self.total - self.per_page).div_ceil(self.per_page),
            PageNumber::Numbered(number) => number - 1,
        };
        (number > 0).then_some(PageNumber::Numbered(number))
    }

    /// The page with the next newer articles. That of a page with a successor never changes.
    #[must_use]
    pub fn newer(self, page: PageNumber) -> Option<PageNumber> {
        match page {
            PageNumber::Front => None,
            PageNumber::Numbered(number) if number < self.numbered() => {
                Some(PageNumber::Numbered(number + 1))
            }
            PageNumber::Numbered(_) => Some(PageNumber::Front),
        }
    }
}

/// The route of a page of the list at `route`; none where it would be too long.
#[must_use]
pub fn page_route(route: &Route, page: PageNumber) -> Option<Route> {
    match page {
        PageNumber::Front => Some(route.clone()),
        PageNumber::Numbered(number) => Route::parse(&format!("{route}page/{number}/")).ok(),
    }
}

/// Whether a route has the form of that of a numbered page: `/redis/page/1/`.
#[must_use]
pub fn is_numbered(route: &Route) -> bool {
    let number = route.last_segment();
    !number.is_empty()
        && number.bytes().all(|byte| byte.is_ascii_digit())
        && route
            .parent()
            .is_some_and(|folder| folder.last_segment() == "page")
}

#[cfg(test)]
mod tests {
    use super::{PageNumber, Paging};

    #[test]
    fn every_article_is_on_one_numbered_page_and_a_page_with_a_successor_never_changes() {
        let mut before: Vec<(Vec<usize>, Option<PageNumber>, Option<PageNumber>)> = Vec::new();
        for total in 0..60 {
            let paging = Paging { total, per_page: 7 };
            let pages: Vec<PageNumber> = paging.pages().collect();
            let seen = |page: &PageNumber| {
                let members: Vec<usize> = paging.members(*page).collect();
                (members, paging.older(*page), paging.newer(*page))
            };
            let front = seen(&pages[0]).0;
            assert_eq!(front.len(), total.min(7) as usize);
            let numbered: Vec<_> = pages[1..].iter().map(seen).collect();
            if total > 7 {
                let all: Vec<usize> = numbered.iter().flat_map(|page| page.0.clone()).collect();
                assert_eq!(all, (0..total as usize).collect::<Vec<_>>());
            }
            let closed = before.len().saturating_sub(1);
            assert_eq!(numbered[..closed.min(numbered.len())], before[..closed]);
            before = numbered;
        }
    }

    #[test]
    fn readers_reach_every_article_from_the_front_page() {
        for total in [1, 7, 8, 13, 14, 15, 21, 22] {
            let paging = Paging { total, per_page: 7 };
            let (mut page, mut seen) = (Some(PageNumber::Front), Vec::new());
            while let Some(current) = page {
                seen.extend(paging.members(current));
                page = paging.older(current);
            }
            seen.sort_unstable();
            seen.dedup();
            assert_eq!(seen, (0..total as usize).collect::<Vec<_>>(), "{total}");
        }
    }
}
