//! The similar posts of every page: what fills its hole.

use std::io;
use std::sync::PoisonError;

use rayon::prelude::*;
use serde_json::json;

use super::Derivation;
use super::archive::Archive;
use crate::archive::{Scratch, Similar};
use crate::publish::plan::entry::{Entry, FillSpot, Need, Policy};
use crate::publish::reason::Reason;
use crate::publish::survey::batch::SurveyError;
use crate::publish::survey::read::{Again, SourceReader};
use crate::render::{Fill, SimilarPost};
use crate::source::Subset;

/// So many pages are rendered at once that change only since others did.
const TOGETHER: usize = 64;

impl Archive {
    /// The articles that are similar to the one with this number.
    pub(crate) fn similar(&self, number: u32, most: usize, scratch: &mut Scratch) -> Vec<Similar> {
        match &self.terms {
            Some(terms) => terms.similar(number, most, scratch),
            None => Vec::new(),
        }
    }

    /// Hash of what fills the page of an article with these `similar` posts; 0 without any.
    fn hash(&self, similar: &[Similar]) -> u64 {
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
}

impl Derivation<'_, '_> {
    /// Fills the holes of the pages that are written, and finds those that change since others did.
    pub(super) fn fill(&self, entries: &mut [Entry]) -> Result<(), SurveyError> {
        if self.archive.terms.is_none() {
            return Ok(());
        }
        entries
            .par_iter_mut()
            .try_for_each_init(Scratch::default, |scratch, entry| {
                self.fill_entry(entry, scratch)
            })?;
        let again = entries.iter_mut();
        let mut again: Vec<&mut Entry> = again
            .filter(|entry| entry.reason == Some(Reason::Similar))
            .collect();
        again
            .par_chunks_mut(TOGETHER)
            .with_max_len(1)
            .try_for_each(|entries| self.render_again(entries))
    }

    fn fill_entry(&self, entry: &mut Entry, scratch: &mut Scratch) -> io::Result<()> {
        let Some(number) = self.archive.number_of(self.source(entry.source)) else {
            return Ok(());
        };
        let most = self.settings.archive.similar;
        let similar = self.archive.similar(number, most, scratch);
        let hash = self.archive.hash(&similar);
        match (entry.need, self.surveyor.policy) {
            (Need::Write, _) => {}
            (Need::Keep | Need::Refresh, _) if entry.fill == hash => return Ok(()),
            (Need::Keep | Need::Refresh, Policy::Import) => {
                entry.need = Need::Write;
                entry.reason = Some(Reason::Similar);
            }
            // What is stored can be read until an import.
            (Need::Keep | Need::Refresh, Policy::Warm(_)) => {
                entry.need = Need::Wait;
                return Ok(());
            }
            _ => return Ok(()),
        }
        entry.fill = hash;
        entry.fill_at = self.spool_fill(&similar)?;
        Ok(())
    }

    /// Puts what fills a hole into the spool.
    fn spool_fill(&self, similar: &[Similar]) -> io::Result<FillSpot> {
        if similar.is_empty() {
            return Ok(FillSpot::default());
        }
        let Fill { section, json, .. } = self.made(similar)?;
        let offset = match &self.surveyor.spool {
            Some(spool) => spool
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .append(&[section.as_bytes(), json.as_bytes()])?,
            None => 0,
        };
        let bytes = |text: &str| u32::try_from(text.len()).map_err(io::Error::other);
        Ok(FillSpot {
            offset,
            section_bytes: bytes(&section)?,
            json_bytes: bytes(&json)?,
        })
    }

    fn made(&self, similar: &[Similar]) -> io::Result<Fill> {
        let posts = similar.iter().map(|post| {
            let listing = self
                .texts()
                .of(&self.archive.catalog.articles()[post.place as usize])?;
            Ok(SimilarPost {
                route: self.archive.catalog.route(post.place).clone(),
                title: listing.title,
                date: listing.date,
            })
        });
        let posts: Vec<SimilarPost> = posts.collect::<io::Result<_>>()?;
        let section = self.surveyor.renderer.similar_section(&posts);
        let json = posts
            .iter()
            .map(|post| json!({ "route": post.route.as_str(), "title": post.title }));
        let json = serde_json::Value::Array(json.collect());
        Ok(Fill {
            hash: 0,
            section: section.map_err(io::Error::other)?,
            json: json.to_string(),
        })
    }

    /// Renders the pages of `entries`, whose sources did not change. What changed meanwhile stays as it is
    /// until the next run, which finds it changed.
    fn render_again(&self, entries: &mut [&mut Entry]) -> Result<(), SurveyError> {
        self.surveyor.goes_on()?;
        let numbers: Vec<u32> = entries.iter().map(|entry| entry.source).collect();
        let subset = Subset {
            origin: self.origin,
            numbers: &numbers,
        };
        let reader = SourceReader {
            surveyor: self.surveyor,
            origin: &subset,
        };
        for (place, entry) in entries.iter_mut().enumerate() {
            match reader.render_again(place)? {
                Some(Again { spot, holes }) => {
                    entry.set_spot(spot);
                    entry.holes = holes;
                }
                None => {
                    entry.need = Need::Wait;
                    entry.reason = None;
                }
            }
        }
        Ok(())
    }
}
