//! Pages that show other articles, compressed once they are filled.

use std::io;

use rayon::prelude::*;

use crate::publish::plan::entry::{Entry, EntryKind, Spot};
use crate::publish::plan::need::Need;
use crate::publish::plan::{Bodies, bodies};
use crate::render::Compression;
use crate::spool::FinishedSpool;

/// So many pages are in memory at once.
const TOGETHER: usize = 256;

/// Fills the pages of articles that are written, and puts them behind what is `spooled`, as they are stored.
///
/// # Errors
/// When the spool cannot be read, or the disk does not take them.
pub(super) fn compress_filled(
    entries: &mut [Entry],
    spooled: &FinishedSpool,
    compression: Compression,
) -> io::Result<()> {
    if compression == Compression::None {
        return Ok(());
    }
    let entries = entries.iter_mut();
    let mut filled: Vec<&mut Entry> = entries
        .filter(|entry| entry.kind == EntryKind::Article && entry.need == Need::Write)
        .collect();
    for some in filled.chunks_mut(TOGETHER) {
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
            let spot = Spot {
                offset,
                page_bytes: length(&one.page)?,
                meta_bytes: length(&one.meta)?,
                text_bytes: length(&one.text)?,
            };
            offset += [&one.page, &one.meta, &one.text]
                .map(|object| object.len() as u64)
                .iter()
                .sum::<u64>();
            entry.set_filled(spot);
        }
    }
    Ok(())
}

fn length(object: &[u8]) -> io::Result<u32> {
    u32::try_from(object.len()).map_err(|_| io::Error::other("an object of 4 GiB"))
}
