//! What lists and feeds say of the articles of a survey: on the disk, as most runs need it of few.

use std::io;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::batch::number;
use crate::archive::{ArchiveSettings, ArticleIdentity, Draft, Listing, TextSpot};
use crate::article::Article;
use crate::render::Digest;
use crate::source::{Cache, Known, ListingSpot};
use crate::spool::Spool;

/// Takes down what lists say of articles.
pub struct Listings<'a> {
    /// What is to be known of them.
    pub settings: &'a ArchiveSettings,
    /// Where it is kept.
    pub texts: Mutex<Spool>,
}

impl Listings<'_> {
    /// Keeps what is said of `article`, which the source `index` at `relative` has.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub(crate) fn keep(
        &self,
        index: usize,
        relative: &Path,
        (article, digest): (&Article<'_>, Digest),
    ) -> io::Result<(ListingSpot, Draft)> {
        // Also in another language: `_index.fr.md`.
        let name = relative.file_name().and_then(|name| name.to_str());
        let is_section = name.is_some_and(|name| name.starts_with("_index."));
        let listing = Listing::of(article, is_section.then_some(digest.0), self.settings);
        let bytes = listing.to_bytes();
        let mut texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        let spot = ListingSpot {
            at: texts.append(&[&bytes])?,
            bytes: u32::try_from(bytes.len()).map_err(io::Error::other)?,
        };
        Ok((spot, Draft::new(number(index), at(spot, false), listing)))
    }

    /// What an earlier run kept of the source `index`; none if that is not there, or not whole.
    pub(crate) fn recall(&self, index: usize, cache: &Cache, known: &Known) -> Option<Draft> {
        let (spot, listing) = read(cache, known)?;
        Some(Draft::new(number(index), at(spot, true), listing))
    }

    /// What an earlier run knew a withdrawn article by; none if that is not there, or not whole.
    pub(crate) fn identity(&self, cache: &Cache, known: &Known) -> Option<ArticleIdentity> {
        read(cache, known).map(|(_, listing)| listing.identity)
    }
}

/// What an earlier run kept of a source.
fn read(cache: &Cache, known: &Known) -> Option<(ListingSpot, Listing)> {
    let spot = known.listing?;
    Some((spot, Listing::read(&cache.listings().read(spot).ok()?)?))
}

fn at(spot: ListingSpot, is_cached: bool) -> TextSpot {
    TextSpot {
        at: spot.at,
        bytes: spot.bytes,
        is_cached,
    }
}
