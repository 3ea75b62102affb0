//! What lists and feeds say of articles, read from the disk when it is needed.

use std::io;

use crate::archive::{Listed, Listing};
use crate::source::{Cache, ListingSpot};
use crate::spool::FinishedSpool;

/// Where the texts of the catalog are.
pub(crate) struct Texts<'a> {
    /// Those of sources that this run read.
    pub spool: &'a FinishedSpool,
    /// Those of the others.
    pub cache: Option<&'a Cache>,
}

impl Texts<'_> {
    /// What is said of an article.
    ///
    /// # Errors
    /// When the disk does not give it.
    pub(crate) fn of(&self, listed: &Listed) -> io::Result<Listing> {
        let spot = listed.texts;
        let bytes = match (spot.is_cached, self.cache) {
            (true, Some(cache)) => cache.listing(ListingSpot {
                at: spot.at,
                bytes: spot.bytes,
            })?,
            _ => self.spool.read(spot.at, spot.bytes as usize)?,
        };
        let damaged = || io::Error::other("what a run kept of an article for lists is damaged");
        Listing::read(&bytes).ok_or_else(damaged)
    }
}
