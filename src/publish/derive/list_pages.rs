//! The pages of lists.

use std::io;

use super::derivation::Derivation;
use super::objects::{Numbers, Wanted, entries};
use crate::archive::{List, ListKind, Lists, PageNumber, Paging};
use crate::article::Route;
use crate::hashing::add_part;
use crate::publish::plan::entry::{Entry, EntryKind};
use crate::publish::survey::batch::SurveyError;
use crate::publish::survey::read::SourceReader;
use crate::render::{self, Digest, ListItem, ListPage};

/// Most lists that the page above them names.
const MAX_CHILDREN: usize = 2_000;

/// A page of a list.
pub(super) struct OnePage<'l> {
    list: &'l List,
    paging: Paging,
    number: PageNumber,
    /// The pages with the next older and the next newer articles.
    neighbours: [Option<PageNumber>; 2],
}

/// Makes the pages of lists.
#[derive(Clone, Copy)]
pub(super) struct ListPages<'m, 'd, 's> {
    pub with: &'m Derivation<'d, 's>,
}

impl ListPages<'_, '_, '_> {
    /// The pages of all lists.
    pub(super) fn entries(&self, number: &mut Numbers) -> Result<Vec<Entry>, SurveyError> {
        let lists = &self.with.archive.lists;
        let mut wanted = Vec::new();
        for list in &lists.all {
            let paging = lists.paging(list);
            for page in paging.pages() {
                let route = lists.page_route(list, page);
                let Some(route) = route.filter(|route| self.with.is_own(route)) else {
                    continue;
                };
                let page = OnePage {
                    list,
                    paging,
                    number: page,
                    neighbours: lists.neighbours(list, page),
                };
                let section = list.section.filter(|_| page.number == PageNumber::Front);
                let source = section.map(|number| {
                    let articles = self.with.archive.catalog.articles();
                    articles[number as usize].source
                });
                wanted.push(Wanted {
                    number: source.unwrap_or_else(|| number.next()),
                    kind: match source {
                        Some(_) => EntryKind::Section,
                        None => EntryKind::List,
                    },
                    digest: self.digest_of_page(lists, &page),
                    route,
                    of: page,
                });
            }
        }
        entries(self.with, wanted, |one| self.page(lists, one))
    }

    /// The title of a list whose folder has no page of its own.
    pub(super) fn plain_title(&self, list: &List) -> String {
        let (label, value) = self.name(list);
        self.kind(list, &label, &value)
            .title(&self.with.settings.render.site_name)
    }

    fn kind<'n>(&self, list: &'n List, label: &'n str, value: &'n str) -> render::ListKind<'n> {
        match list.kind {
            ListKind::Home => render::ListKind::Home,
            ListKind::Value(_) => render::ListKind::Value { label, value },
            ListKind::Field(_) => render::ListKind::Field(label),
            ListKind::Folder => render::ListKind::Folder(list.route.last_segment()),
        }
    }

    /// The label of the field of a list, and its value.
    fn name(&self, list: &List) -> (String, String) {
        let label = |field: u8| {
            let name = self.with.settings.archive.fields().get(usize::from(field));
            name.map_or(String::new(), |name| render::field_label(name))
        };
        match list.kind {
            ListKind::Value(value) => {
                let name = &self.with.archive.catalog.names()[value as usize];
                (label(name.field), name.text.clone())
            }
            ListKind::Field(field) => (label(field), String::new()),
            ListKind::Home | ListKind::Folder => Default::default(),
        }
    }

    /// The lists above a list, from home down; with the list itself for a numbered page.
    fn crumbs(&self, lists: &Lists, page: &OnePage<'_>) -> Vec<(String, Route)> {
        let list = page.list;
        let first = match page.number {
            PageNumber::Front => list.route.parent(),
            PageNumber::Numbered(_) => Some(list.route.clone()),
        };
        let above = std::iter::successors(first, Route::parent);
        let mut crumbs: Vec<(String, Route)> = above
            .filter_map(|route| {
                let list = &lists.all[lists.find(&route)?];
                let title = match list.kind {
                    ListKind::Home => "Home".to_owned(),
                    _ => self.plain_title(list),
                };
                Some((title, route))
            })
            .collect();
        crumbs.reverse();
        crumbs
    }

    /// The lists below a list that its front page names, by title.
    fn children(&self, lists: &Lists, page: &OnePage<'_>) -> Vec<(String, Route, u64)> {
        if page.number != PageNumber::Front {
            return Vec::new();
        }
        let children = page
            .list
            .children
            .iter()
            .map(|child| &lists.all[*child as usize]);
        let mut children: Vec<&List> = children.collect();
        children.sort_by(|a, b| (b.members.len(), &a.route).cmp(&(a.members.len(), &b.route)));
        children.truncate(MAX_CHILDREN);
        let named = children.into_iter().map(|list| {
            let title = match list.kind {
                ListKind::Value(value) => self.with.archive.catalog.names()[value as usize]
                    .text
                    .clone(),
                _ => self.plain_title(list),
            };
            (title, list.route.clone(), count(lists, list))
        });
        let mut named: Vec<(String, Route, u64)> = named.collect();
        named.sort();
        named
    }

    /// The path of the feed of a list.
    pub(super) fn feed(&self, list: &List) -> Option<String> {
        let has_feed = matches!(list.kind, ListKind::Home | ListKind::Folder);
        self.with.settings.archive.feeds.filter(|_| has_feed)?;
        Some(format!("{}feed.xml", list.route))
    }

    /// Digest of what decides a page of a list. Of its articles it covers the hashes of what lists show,
    /// so that no text has to be read for it.
    fn digest_of_page(&self, lists: &Lists, page: &OnePage<'_>) -> Digest {
        let list = page.list;
        let mut hasher = blake3::Hasher::new_derive_key("anp 2026 digest of a page of a list");
        let mut part = |bytes: &[u8]| add_part(&mut hasher, bytes);
        part(&self.with.surveyor.renderer.list_fingerprint());
        part(list.route.as_str().as_bytes());
        part(format!("{:?}", page.number).as_bytes());
        part(format!("{:?}", page.neighbours).as_bytes());
        part(self.plain_title(list).as_bytes());
        part(self.feed(list).unwrap_or_default().as_bytes());
        // Its text stands on the front page alone, and so its digest counts there; title and noindex count
        // everywhere.
        if let Some(section) = list.section {
            let listed = &self.with.archive.catalog.articles()[section as usize];
            part(&listed.titled.to_le_bytes());
            part(&[u8::from(listed.is_noindex)]);
            let digest = self.with.archive.catalog.sections().get(&section);
            if let Some(digest) = digest.filter(|_| page.number == PageNumber::Front) {
                part(digest);
            }
        }
        if page.number == PageNumber::Front {
            part(&page.paging.total.to_le_bytes());
        }
        for (title, route) in self.crumbs(lists, page) {
            part(title.as_bytes());
            part(route.as_str().as_bytes());
        }
        for (title, route, count) in self.children(lists, page) {
            part(title.as_bytes());
            part(route.as_str().as_bytes());
            part(&count.to_le_bytes());
        }
        for member in &list.members[page.paging.members(page.number)] {
            part(self.with.archive.catalog.route(*member).as_str().as_bytes());
            part(
                &self.with.archive.catalog.articles()[*member as usize]
                    .shown
                    .to_le_bytes(),
            );
        }
        Digest::of_hash(&hasher)
    }

    /// Page and meta object of a page of a list.
    fn page(
        &self,
        lists: &Lists,
        wanted: &Wanted<OnePage<'_>>,
    ) -> Result<(Vec<u8>, Vec<u8>), SurveyError> {
        let page = &wanted.of;
        let list = page.list;
        let section = self.section(page)?;
        let (label, value) = self.name(list);
        let title = match &section {
            Some(section) => section.title.clone(),
            None => self.plain_title(list),
        };
        let listings = list.members[page.paging.members(page.number)]
            .iter()
            .rev()
            .map(|member| {
                let listing = self
                    .with
                    .texts()
                    .of(&self.with.archive.catalog.articles()[*member as usize])?;
                Ok((*member, listing))
            })
            .collect::<io::Result<Vec<_>>>()?;
        let items: Vec<ListItem<'_>> = listings
            .iter()
            .map(|(member, listing)| ListItem {
                route: self.with.archive.catalog.route(*member).as_str(),
                title: &listing.title,
                summary: &listing.summary,
                date: &listing.date,
                updated: &listing.updated,
            })
            .collect();
        let route = |number: Option<PageNumber>| lists.page_route(list, number?);
        let [older, newer] = page.neighbours.map(route);
        let (crumbs, children) = (self.crumbs(lists, page), self.children(lists, page));
        let feed = self.feed(list);
        let is_noindex = section.as_ref().is_some_and(|section| section.is_noindex);
        let shown = ListPage {
            route: &wanted.route,
            title: &title,
            description: section.as_ref().map_or("", |section| &section.summary),
            lang: None,
            is_noindex,
            body: section.as_ref().and_then(|section| section.body.as_deref()),
            kind: self.kind(list, &label, &value),
            items: &items,
            number: match page.number {
                PageNumber::Front => None,
                PageNumber::Numbered(number) => Some(number),
            },
            pages: page.paging.numbered(),
            total: list.members.len() as u64,
            older: older.as_ref(),
            newer: newer.as_ref(),
            crumbs: &crumbs,
            feed: feed.as_deref(),
            children: &children,
        };
        let renderer = self.with.surveyor.renderer;
        let made = renderer.list_page(&shown, wanted.digest, &self.with.surveyor.stamp);
        made.map_err(|error| SurveyError::Render(wanted.route.clone(), error))
    }

    /// What the `_index.md` of a folder says of its list.
    fn section(&self, page: &OnePage<'_>) -> Result<Option<Section>, SurveyError> {
        let Some(section) = page.list.section else {
            return Ok(None);
        };
        let listed = &self.with.archive.catalog.articles()[section as usize];
        let listing = self.with.texts().of(listed)?;
        let body = match page.number {
            PageNumber::Front => {
                let reader = SourceReader {
                    surveyor: self.with.surveyor,
                    origin: self.with.origin,
                };
                reader.body(listed.source)?
            }
            PageNumber::Numbered(_) => None,
        };
        Ok(Some(Section {
            title: listing.title,
            summary: listing.summary,
            is_noindex: listed.is_noindex,
            body,
        }))
    }
}

/// What the page above a list says of its size: its articles, or, for a field, its values.
pub(super) fn count(lists: &Lists, list: &List) -> u64 {
    match list.kind {
        ListKind::Field(_) => lists.values(list) as u64,
        _ => list.members.len() as u64,
    }
}

/// What the page of a folder says of its list.
struct Section {
    title: String,
    summary: String,
    is_noindex: bool,
    body: Option<String>,
}
