//! What lists and feeds say of articles, read from the disk when it is needed.

use std::io;

use crate::archive::{Listed, Listing, Shown};
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
    /// What other pages show of an article.
    ///
    /// # Errors
    /// When the disk does not give it.
    pub(crate) fn of(&self, listed: &Listed) -> io::Result<Shown> {
        Shown::read(&self.bytes(listed)?).ok_or_else(damaged)
    }

    /// All that is said of an article.
    ///
    /// # Errors
    /// When the disk does not give it.
    pub(crate) fn whole(&self, listed: &Listed) -> io::Result<Listing> {
        Listing::read(&self.bytes(listed)?).ok_or_else(damaged)
    }

    fn bytes(&self, listed: &Listed) -> io::Result<Vec<u8>> {
        let spot = listed.texts;
        match (spot.is_cached, self.cache) {
            (true, Some(cache)) => cache.listing(ListingSpot {
                at: spot.at,
                bytes: spot.bytes,
            }),
            _ => self.spool.read(spot.at, spot.bytes as usize),
        }
    }
}

fn damaged() -> io::Error {
    io::Error::other("what a run kept of an article for lists is damaged")
}
