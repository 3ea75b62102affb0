//! Feeds, the sitemap and robots.txt.

use std::io;

use jiff::SignedDuration;
use jiff::civil::DateTime;

use super::derivation::Derivation;
use super::list_pages::{ListPages, count};
use super::llms_txt;
use super::objects::{Numbers, Wanted, entries};
use crate::archive::feed::{self, FeedHead, FeedItem};
use crate::archive::sitemap::{self, Month, Part, SitemapEntry};
use crate::archive::{FilePath, List, ListKind, Shown};
use crate::article::Route;
use crate::hashing::add_part;
use crate::publish::plan::entry::{Entry, EntryKind};
use crate::publish::survey::batch::SurveyError;
use crate::render::{Digest, FileSeal};

/// What the names of the parts of the sitemap that have the lists begin with.
const OF_LISTS: &str = "sitemap-lists";

/// Counts up whenever the same articles would give other files.
const VERSION: u32 = 2;

/// A file that is made.
pub(super) enum OneFile<'l> {
    Feed(&'l List, Format),
    Part(Part),
    /// A part of the sitemap that has lists.
    Lists(Vec<Route>),
    /// The index of these parts, each with the time of its last change.
    Index(Vec<(String, Option<String>)>),
    Robots,
    LlmsTxt,
}

/// The form of a feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Atom,
    Json,
}

/// Makes files.
pub(super) struct Files<'m, 'd, 's> {
    pub with: &'m Derivation<'d, 's>,
    pub lists: ListPages<'m, 'd, 's>,
}

impl Files<'_, '_, '_> {
    /// All files.
    pub(super) fn entries(&self, number: &mut Numbers) -> Result<Vec<Entry>, SurveyError> {
        let mut files = self.feeds();
        files.extend(self.sitemap());
        if self.with.settings.archive.robots_txt {
            files.push(("/robots.txt".to_owned(), OneFile::Robots));
        }
        if self.with.settings.archive.llms_txt {
            files.push(("/llms.txt".to_owned(), OneFile::LlmsTxt));
        }
        let wanted = files.into_iter().filter_map(|(path, file)| {
            let number = number.next();
            let route = FilePath::parse(&path)?.as_route();
            let digest = self.digest_of_file(&route, &file);
            self.with.is_own(&route).then_some(Wanted {
                number,
                kind: EntryKind::File,
                route,
                digest,
                of: file,
            })
        });
        let wanted = wanted.collect();
        entries(self.with, wanted, |one| {
            let mut file = self.file(&one.route, &one.of)?;
            if let Some(seal) = FileSeal::of(one.route.as_str()) {
                seal.write(&mut file, one.digest);
            }
            Ok((file, Vec::new()))
        })
    }

    /// The feeds of home and folders.
    fn feeds(&self) -> Vec<(String, OneFile<'_>)> {
        let lists = self.with.archive.lists.all.iter();
        let with_feeds = lists.filter(|list| self.lists.feed(list).is_some());
        let feeds = with_feeds.flat_map(|list| {
            [("feed.xml", Format::Atom), ("feed.json", Format::Json)].map(|(name, format)| {
                (format!("{}{name}", list.route), OneFile::Feed(list, format))
            })
        });
        feeds.collect()
    }

    fn sitemap(&self) -> Vec<(String, OneFile<'_>)> {
        if !self.with.settings.archive.sitemap {
            return Vec::new();
        }
        let catalog = &self.with.archive.catalog;
        let meant = (0..).zip(catalog.articles());
        let meant = meant.filter(|(number, listed)| {
            // Those that are pages of lists are with the lists.
            let is_list = self
                .with
                .archive
                .lists
                .find(catalog.route(*number))
                .is_some();
            !listed.is_noindex && !is_list
        });
        let mut meant: Vec<u32> = meant.map(|(number, _)| number).collect();
        meant.sort_unstable_by_key(|number| catalog.route(*number));
        let entry = |place: u32| {
            let number = meant[place as usize];
            SitemapEntry {
                route: catalog.route(number).as_str(),
                month: month(catalog.articles()[number as usize].published_ms),
            }
        };
        let count = u32::try_from(meant.len()).unwrap_or(u32::MAX);
        let site_url = &self.with.settings.render.site_url;
        let mut parts = sitemap::parts(count, entry, site_url, sitemap::PROTOCOL);
        for part in &mut parts {
            for place in &mut part.members {
                *place = meant[*place as usize];
            }
        }
        let changed = |part: &Part| {
            let members = part.members.iter();
            let changed = members.map(|number| catalog.articles()[*number as usize].changed_ms);
            let known = changed.filter(|at_ms| utc(*at_ms).is_some());
            known.max().and_then(rfc3339)
        };
        let mut index: Vec<(String, Option<String>)> = parts
            .iter()
            .map(|part| (part.name.clone(), changed(part)))
            .collect();
        let mut files: Vec<(String, OneFile<'_>)> = Vec::new();
        let lists = self.with.archive.lists.all.iter();
        let lists = lists.filter(|list| !self.is_hidden(list));
        let lists: Vec<&Route> = lists.map(|list| &list.route).collect();
        for (name, routes) in lists_in_parts(&lists, site_url) {
            files.push((format!("/{name}"), OneFile::Lists(routes)));
            index.push((name, None));
        }
        let parts = parts.into_iter();
        files.extend(parts.map(|part| (format!("/{}", part.name), OneFile::Part(part))));
        // An index names one part at least.
        if !index.is_empty() {
            files.push(("/sitemap.xml".to_owned(), OneFile::Index(index)));
        }
        files
    }

    /// Whether the page of the folder of a list asks search engines to leave it out.
    fn is_hidden(&self, list: &List) -> bool {
        let section = list.section;
        section
            .is_some_and(|number| self.with.archive.catalog.articles()[number as usize].is_noindex)
    }

    /// The articles of a feed, the newest first.
    fn newest<'l>(&self, list: &'l List) -> impl Iterator<Item = u32> + use<'l> {
        let count = self.with.settings.archive.feeds.unwrap_or_default();
        list.members.iter().rev().take(count).copied()
    }

    /// The values of an article that have lists, as those lists write them, each once.
    fn tags(&self, number: u32) -> Vec<&str> {
        let catalog = &self.with.archive.catalog;
        let values = catalog.values_of(&catalog.articles()[number as usize]);
        let mut tags: Vec<&str> = Vec::new();
        for value in values {
            let text = &*catalog.names()[*value as usize].text;
            if !tags.contains(&text) {
                tags.push(text);
            }
        }
        tags
    }

    fn digest_of_file(&self, route: &Route, file: &OneFile<'_>) -> Digest {
        let mut hasher = blake3::Hasher::new_derive_key("anp 2026 digest of a file");
        let mut part = |bytes: &[u8]| add_part(&mut hasher, bytes);
        let render = &self.with.settings.render;
        part(&VERSION.to_le_bytes());
        for text in [
            route.as_str(),
            &render.site_url,
            &render.site_name,
            &render.lang,
        ] {
            part(text.as_bytes());
        }
        if let Some(compression) = render.compression.identity() {
            part(compression);
        }
        let articles = self.with.archive.catalog.articles();
        match file {
            OneFile::Feed(list, _) => {
                part(self.title_mark(list).as_bytes());
                for number in self.newest(list) {
                    part(self.with.archive.catalog.route(number).as_str().as_bytes());
                    part(&articles[number as usize].shown.to_le_bytes());
                    for tag in self.tags(number) {
                        part(tag.as_bytes());
                    }
                }
            }
            OneFile::Part(one) => {
                for number in &one.members {
                    part(self.with.archive.catalog.route(*number).as_str().as_bytes());
                    part(&articles[*number as usize].changed_ms.to_le_bytes());
                }
            }
            OneFile::Lists(routes) => {
                for route in routes {
                    part(route.as_str().as_bytes());
                }
            }
            OneFile::Index(parts) => {
                for (name, changed) in parts {
                    part(name.as_bytes());
                    part(changed.as_deref().unwrap_or_default().as_bytes());
                }
            }
            OneFile::Robots => part(&[u8::from(self.with.settings.archive.sitemap)]),
            OneFile::LlmsTxt => {
                if self.with.settings.archive.text {
                    part(b"text");
                }
                for list in llms_txt::lists(self.with) {
                    part(self.lists.plain_title(list).as_bytes());
                    part(list.route.as_str().as_bytes());
                    part(&count(&self.with.archive.lists, list).to_le_bytes());
                }
                for number in llms_txt::newest(self.with) {
                    part(self.with.archive.catalog.route(number).as_str().as_bytes());
                    part(&articles[number as usize].shown.to_le_bytes());
                }
            }
        }
        Digest::of_hash(&hasher)
    }

    /// What decides the title of a list, without reading the page of its folder.
    fn title_mark(&self, list: &List) -> String {
        let section = list.section.map(|number| {
            let listed = &self.with.archive.catalog.articles()[number as usize];
            format!("{:016x}", listed.titled)
        });
        section.unwrap_or_else(|| self.lists.plain_title(list))
    }

    fn file(&self, route: &Route, file: &OneFile<'_>) -> io::Result<Vec<u8>> {
        let site_url = &self.with.settings.render.site_url;
        Ok(match file {
            OneFile::Feed(list, format) => self.feed_file(route, list, *format)?,
            OneFile::Part(part) => {
                let items: Vec<(&str, Option<String>)> = part
                    .members
                    .iter()
                    .map(|number| {
                        let listed = &self.with.archive.catalog.articles()[*number as usize];
                        let route = self.with.archive.catalog.route(*number).as_str();
                        (route, rfc3339(listed.changed_ms))
                    })
                    .collect();
                let items = items.iter();
                sitemap::part_xml(site_url, items.map(|(route, at)| (*route, at.as_deref())))
            }
            OneFile::Lists(routes) => {
                sitemap::part_xml(site_url, routes.iter().map(|route| (route.as_str(), None)))
            }
            OneFile::Index(parts) => {
                let parts = parts.iter();
                sitemap::index_xml(site_url, parts.map(|(name, at)| (&**name, at.as_deref())))
            }
            OneFile::LlmsTxt => llms_txt::file(self.lists)?,
            OneFile::Robots => {
                let sitemap = match self.with.settings.archive.sitemap {
                    true => format!("Sitemap: {site_url}/sitemap.xml\n"),
                    false => String::new(),
                };
                format!("User-agent: *\nAllow: /\n{sitemap}").into_bytes()
            }
        })
    }

    fn feed_file(&self, route: &Route, list: &List, format: Format) -> io::Result<Vec<u8>> {
        let of = |number: u32| {
            let listing = self
                .with
                .texts()
                .of(&self.with.archive.catalog.articles()[number as usize])?;
            Ok((number, listing))
        };
        let listings = self.newest(list).map(of);
        let listings: Vec<(u32, Shown)> = listings.collect::<io::Result<_>>()?;
        let items: Vec<FeedItem<'_>> = listings
            .iter()
            .map(|(number, listing)| FeedItem {
                route: self.with.archive.catalog.route(*number).as_str(),
                title: &listing.title,
                summary: &listing.summary,
                authors: authors(&listing.author),
                published: Some(&*listing.date).filter(|date| !date.is_empty()),
                updated: Some(&*listing.updated).filter(|date| !date.is_empty()),
                tags: self.tags(*number),
            })
            .collect();
        let title = match list.section {
            Some(section) => of(section)?.1.title,
            None => self.lists.plain_title(list),
        };
        let title = match list.kind {
            ListKind::Home => title,
            _ if self.with.settings.render.site_name.is_empty() => title,
            _ => format!("{} · {title}", self.with.settings.render.site_name),
        };
        let head = FeedHead {
            title: &title,
            site_url: &self.with.settings.render.site_url,
            list: list.route.as_str(),
            path: route.as_str(),
            language: &self.with.settings.render.lang,
        };
        Ok(match format {
            Format::Atom => feed::atom(&head, &items),
            Format::Json => feed::json(&head, &items),
        })
    }
}

/// The lists in parts of the sitemap, of which there is one unless they are very many.
fn lists_in_parts(lists: &[&Route], site_url: &str) -> Vec<(String, Vec<Route>)> {
    let entry = |place: u32| SitemapEntry {
        route: lists[place as usize].as_str(),
        month: None,
    };
    let count = u32::try_from(lists.len()).unwrap_or(u32::MAX);
    let parts = sitemap::parts(count, entry, site_url, sitemap::PROTOCOL);
    let parts = parts.into_iter().map(|part| {
        let routes = part.members.iter();
        let routes = routes.map(|place| lists[*place as usize].clone());
        (
            part.name.replace("sitemap-undated", OF_LISTS),
            routes.collect(),
        )
    });
    parts.collect()
}

fn authors(text: &str) -> Vec<&str> {
    let names = text.split(", ");
    names.filter(|name| !name.is_empty()).collect()
}

/// A time in ms since 1970 by UTC; none outside of the years 1 to 9999, which other programs do not read.
fn utc(at_ms: i64) -> Option<DateTime> {
    const EPOCH: DateTime = jiff::civil::date(1970, 1, 1).at(0, 0, 0, 0);
    let at = EPOCH.checked_add(SignedDuration::from_millis(at_ms)).ok()?;
    (1..=9999).contains(&at.year()).then_some(at)
}

/// The month of a time in ms since 1970, by UTC.
fn month(at_ms: i64) -> Option<Month> {
    let at = utc(at_ms)?;
    Some(Month {
        year: u16::try_from(at.year()).ok()?,
        month: u8::try_from(at.month()).ok()?,
    })
}

/// A time in ms since 1970 as RFC 3339; the day alone where it begins.
fn rfc3339(at_ms: i64) -> Option<String> {
    const DAY_MS: i64 = 24 * 60 * 60 * 1000;
    let at = utc(at_ms)?;
    Some(match at_ms % DAY_MS {
        0 => at.date().to_string(),
        _ => format!("{at:.0}Z"),
    })
}
