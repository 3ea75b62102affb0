//! Which lists there are, which articles each has, and how it is divided into pages.
//!
//! Pages are numbered from the oldest articles on, so that a page with a successor never changes: a new
//! article changes the last page, and the front page of the list, which shows the newest.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::Range;

use super::catalog::{Catalog, CatalogBuilder, ValueName};
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
    /// Routes of numbered pages that are not made, since an article or another list has them.
    pub taken_pages: BTreeSet<Route>,
    /// How many articles a page has.
    per_page: u32,
}

impl Lists {
    /// The lists that `settings` ask for. Sources without a place in the catalog have the routes `claimed`.
    #[must_use]
    pub fn of(catalog: &Catalog, settings: &ListSettings, claimed: &HashSet<&Route>) -> Self {
        let sections = catalog.sections();
        let found = found(catalog.listed(), catalog.names(), settings);
        // There are fewer lists than articles.
        let mut articles: HashMap<&str, u32> = HashMap::new();
        for (number, route) in (0..).zip(catalog.routes()) {
            if found.contains_key(route) {
                articles.insert(route.as_str(), number);
            }
        }
        let mut lists = Self {
            per_page: per_page(settings),
            ..Self::default()
        };
        // A section whose folder has no article is a page like others.
        for (route, (kind, members)) in found {
            let article = articles.get(route.as_str()).copied();
            let section = article.filter(|number| sections.contains_key(number));
            if section.is_none() && (article.is_some() || claimed.contains(&route)) {
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
        let routes = catalog.routes().chain(claimed.iter().copied());
        let routes = routes.chain(lists.all.iter().map(|list| &list.route));
        let taken = routes.filter(|route| lists.has_numbered(route));
        lists.taken_pages = taken.cloned().collect();
        lists
    }

    /// How a list is divided into pages.
    #[must_use]
    pub fn paging(&self, list: &List) -> Paging {
        Paging::of(list.members.len(), self.per_page)
    }

    /// The list whose front page, or numbered pages, have routes such as this one.
    #[must_use]
    pub fn owner(&self, route: &Route) -> Option<&List> {
        let list = match is_numbered(route) {
            true => self.find(&route.parent()?.parent()?),
            false => self.find(route),
        };
        list.map(|at| &self.all[at])
    }

    /// Whether the articles of a list reach to the numbered page with this route.
    fn has_numbered(&self, route: &Route) -> bool {
        let owner = self.owner(route).filter(|_| is_numbered(route));
        let number = route.last_segment().parse().ok();
        owner.zip(number).is_some_and(|(list, number)| {
            let is_there = (1..=self.paging(list).numbered()).contains(&number);
            is_there
                && page_route(&list.route, PageNumber::Numbered(number)).as_ref() == Some(route)
        })
    }

    /// The route of a page of a list, if it is made.
    #[must_use]
    pub fn page_route(&self, list: &List, page: PageNumber) -> Option<Route> {
        let route = page_route(&list.route, page)?;
        let is_made = page == PageNumber::Front || !self.taken_pages.contains(&route);
        is_made.then_some(route)
    }

    /// How many values have lists below the list of a field.
    #[must_use]
    pub fn values(&self, list: &List) -> usize {
        let children = list.children.iter().map(|child| &self.all[*child as usize]);
        let values = children.filter(|child| matches!(child.kind, ListKind::Value(_)));
        values.count()
    }

    /// The pages with the next older and the next newer articles, of those that are made.
    #[must_use]
    pub fn neighbours(&self, list: &List, page: PageNumber) -> [Option<PageNumber>; 2] {
        let paging = self.paging(list);
        let is_made = |page: &PageNumber| self.page_route(list, *page).is_some();
        let older = std::iter::successors(paging.older(page), |page| paging.older(*page));
        let newer = std::iter::successors(paging.newer(page), |page| paging.newer(*page));
        [{ older }.find(is_made), { newer }.find(is_made)]
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
                self.all[parent].children.push(child);
            }
        }
    }
}

/// The routes of the numbered pages that lists will have, while the survey runs. `route_of` knows the route of a
/// valid article by the number of its source, `is_claimed` the routes of sources that are pages of no folder.
pub fn numbered_routes<'c>(
    catalog: &'c CatalogBuilder,
    settings: &ListSettings,
    route_of: impl Fn(u32) -> Option<&'c Route>,
    is_claimed: impl Fn(&Route) -> bool,
) -> impl Iterator<Item = Route> {
    let lists = found(catalog.listed(route_of), catalog.names(), settings).into_iter();
    let lists = lists.filter(move |(route, _)| !is_claimed(route));
    let per_page = per_page(settings);
    lists.flat_map(move |(route, (_, members))| {
        let pages = 1..=Paging::of(members.len(), per_page).numbered();
        pages.filter_map(move |number| page_route(&route, PageNumber::Numbered(number)))
    })
}

fn per_page(settings: &ListSettings) -> u32 {
    u32::try_from(settings.per_page).unwrap_or(u32::MAX)
}

/// The kind and the members of each list of these articles, by its route. Of an article there are its number,
/// route, and values, as places in `names`. Where two lists have one route, the values of fields win over
/// folders.
fn found<'c>(
    articles: impl Iterator<Item = (u32, &'c Route, &'c [u32])>,
    names: &[ValueName],
    settings: &ListSettings,
) -> BTreeMap<Route, (ListKind, Vec<u32>)> {
    let mut found: BTreeMap<Route, (ListKind, Vec<u32>)> = BTreeMap::new();
    let mut by_value: Vec<Vec<u32>> = vec![Vec::new(); names.len()];
    let mut by_folder: HashMap<&str, Vec<u32>> = HashMap::new();
    let mut home = Vec::new();
    for (number, route, values) in articles {
        home.push(number);
        for value in values {
            by_value[*value as usize].push(number);
        }
        if settings.folders {
            for folder in route.folders() {
                by_folder.entry(folder).or_default().push(number);
            }
        }
    }
    for (folder, members) in by_folder {
        let folder = Route::parse(folder).ok();
        found.extend(folder.map(|route| (route, (ListKind::Folder, members))));
    }
    for ((value, name), members) in (0..).zip(names).zip(by_value) {
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
    fn of(total: usize, per_page: u32) -> Self {
        Self {
            total: u32::try_from(total).unwrap_or(u32::MAX),
            per_page,
        }
    }

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
