//! What lists and feeds say of articles, read from the disk when it is needed.

use std::io;

use crate::archive::{Listed, Listing, MAX_TERMS, Shown, TextSpot};
use crate::source::{Cache, ListingSpot};
use crate::spool::FinishedSpool;

/// So many bytes are read at once where all texts are.
const TOGETHER_BYTES: u64 = 256 * 1024;

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
        Shown::read(&self.bytes(listed.texts)?).ok_or_else(damaged)
    }

    /// All that is said of an article.
    ///
    /// # Errors
    /// When the disk does not give it.
    pub(crate) fn whole(&self, listed: &Listed) -> io::Result<Listing> {
        Listing::read(&self.bytes(listed.texts)?).ok_or_else(damaged)
    }

    /// Hands the hashes of the terms of the articles with these `numbers` to `take`, each with the number of its
    /// article. The numbers are in the order of the texts on the disk, which is read from front to end.
    ///
    /// # Errors
    /// When the disk does not give them.
    pub(crate) fn each_terms(
        &self,
        articles: &[Listed],
        mut numbers: &[u32],
        take: &mut dyn FnMut(u32, &[u64]),
    ) -> io::Result<()> {
        let spot = |number: &u32| articles[*number as usize].terms();
        let mut terms = Vec::with_capacity(MAX_TERMS);
        while let Some(start) = numbers.first().map(spot) {
            let is_near = |number: &&u32| {
                let other = spot(number);
                other.is_cached == start.is_cached && other.end() <= start.at + TOGETHER_BYTES
            };
            let near = numbers.iter().take_while(is_near).count().max(1);
            let (together, others) = numbers.split_at(near);
            let end = together.last().map_or(start.at, |last| spot(last).end());
            let bytes = self.bytes(TextSpot {
                bytes: u32::try_from(end - start.at).map_err(io::Error::other)?,
                ..start
            })?;
            for number in together {
                let at = usize::try_from(spot(number).at - start.at).map_err(io::Error::other)?;
                let bytes = bytes.get(at..at + spot(number).bytes as usize);
                let (numbers, _) = bytes.ok_or_else(damaged)?.as_chunks();
                terms.clear();
                terms.extend(numbers.iter().copied().map(u64::from_le_bytes));
                take(*number, &terms);
            }
            numbers = others;
        }
        Ok(())
    }

    fn bytes(&self, spot: TextSpot) -> io::Result<Vec<u8>> {
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
