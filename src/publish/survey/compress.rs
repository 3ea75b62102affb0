//! Pages that show other articles, compressed once they are filled.

use std::io;

use rayon::prelude::*;

use super::batch::SurveyError;
use crate::publish::plan::entry::{Entry, EntryKind, Spot};
use crate::publish::plan::need::Need;
use crate::publish::plan::{Bodies, bodies};
use crate::render::Compression;
use crate::source::WalkError;
use crate::spool::FinishedSpool;

/// So many pages are in memory at once, …
const TOGETHER: usize = 256;
/// … or fewer, of so many bytes.
const TOGETHER_BYTES: u64 = 8 * 1024 * 1024;

/// Fills the pages of articles that are written, and puts them behind what is `spooled`, as they are stored.
/// `goes_on` says whether the run does.
///
/// # Errors
/// When the spool cannot be read, the disk does not take them, or the run has to end.
pub(super) fn compress_filled(
    entries: &mut [Entry],
    spooled: &FinishedSpool,
    compression: Compression,
    goes_on: &dyn Fn() -> Result<(), WalkError>,
) -> Result<(), SurveyError> {
    if compression == Compression::None {
        return Ok(());
    }
    let entries = entries.iter_mut();
    let mut filled: Vec<&mut Entry> = entries
        .filter(|entry| entry.kind == EntryKind::Article && entry.need == Need::Write)
        .collect();
    let mut rest = &mut filled[..];
    while !rest.is_empty() {
        goes_on()?;
        let (some, others) = rest.split_at_mut(together(rest.iter().map(|entry| bytes(entry))));
        let made = some.par_iter().map(|entry| {
            let Bodies { page, meta, text } = bodies(entry, spooled)?;
            let page = compression.store(&page).into_owned();
            Ok(Bodies { page, meta, text })
        });
        let made: Vec<Bodies> = made.collect::<io::Result<_>>()?;
        let objects = made
            .iter()
            .flat_map(|one| [&one.page, &one.meta, &one.text]);
        let objects: Vec<&[u8]> = objects.map(Vec::as_slice).collect();
        let mut offset = spooled.append(&objects.concat())?;
        for (entry, one) in some.iter_mut().zip(&made) {
            let [page_bytes, meta_bytes, text_bytes] =
                [length(&one.page)?, length(&one.meta)?, length(&one.text)?];
            entry.set_filled(Spot {
                offset,
                page_bytes,
                meta_bytes,
                text_bytes,
            });
            offset += u64::from(page_bytes) + u64::from(meta_bytes) + u64::from(text_bytes);
        }
        rest = others;
    }
    Ok(())
}

/// How many of the first entries are in memory at once, of which each takes so many bytes.
fn together(bytes: impl Iterator<Item = u64>) -> usize {
    let mut total = 0;
    let has_room = |bytes: &u64| {
        total += bytes;
        total <= TOGETHER_BYTES
    };
    bytes.take(TOGETHER).take_while(has_room).count().max(1)
}

fn bytes(entry: &Entry) -> u64 {
    entry.bytes_written().map(u64::from).iter().sum()
}

fn length(object: &[u8]) -> io::Result<u32> {
    u32::try_from(object.len()).map_err(|_| io::Error::other("an object of 4 GiB"))
}

#[cfg(test)]
mod tests {
    use super::{TOGETHER, TOGETHER_BYTES, together};

    #[test]
    fn promise_10_pages_are_compressed_a_few_mib_at_a_time() {
        let of = |bytes: u64| together(std::iter::repeat_n(bytes, 1_000));
        assert_eq!(of(16 * 1024), TOGETHER);
        assert_eq!(of(TOGETHER_BYTES / 8), 8);
        assert_eq!(of(TOGETHER_BYTES), 1);
        assert_eq!(of(20 * TOGETHER_BYTES), 1, "a large one alone");
    }
}
