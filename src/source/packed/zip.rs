//! A zip archive: its members are the files of a content tree. The list at its end counts, as
//! everywhere; it is read member by member and not held.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use flate2::read::DeflateDecoder;
use rawzip::{CompressionMethod, RECOMMENDED_BUFFER_SIZE, ZipArchive, ZipFileHeaderRecord};

use super::input::{FREE_GROWTH, MOST_GROWTH};
use super::member_path::below;
use super::unpacking::{Member, Unpacking};
use crate::article::MAX_SOURCE_BYTES;
use crate::source::unread::WalkError;

type Archive = ZipArchive<rawzip::FileReader>;

/// Reads all members of the archive in `file`.
///
/// # Errors
/// When it cannot be read, or is damaged.
pub(super) fn read(file: File, found: &mut Unpacking<'_>) -> Result<(), WalkError> {
    let mut buffer = vec![0; RECOMMENDED_BUFFER_SIZE];
    // Several entries may share their bytes, so that a small file grows beyond measure.
    let most = file.metadata().map_err(WalkError::Unreadable)?.len();
    let mut left = most.saturating_mul(MOST_GROWTH) + FREE_GROWTH;
    let archive = ZipArchive::from_file(file, &mut buffer).map_err(|error| damaged(&error))?;
    let mut entries = archive.entries(&mut buffer);
    while let Some(record) = entries.next_entry().map_err(|error| damaged(&error))? {
        (found.goes_on)()?;
        take(&archive, &record, &mut left, found)?;
    }
    Ok(())
}

fn damaged(error: &rawzip::Error) -> WalkError {
    WalkError::cut(&io::Error::other(error.to_string()))
}

/// Takes one member.
fn take(
    archive: &Archive,
    record: &ZipFileHeaderRecord<'_>,
    left: &mut u64,
    found: &mut Unpacking<'_>,
) -> Result<(), WalkError> {
    let path = record.file_path();
    let mut path = path.as_ref().to_vec();
    // Some programs write the paths of their system.
    if !path.contains(&b'/') {
        path.iter_mut()
            .filter(|b| **b == b'\\')
            .for_each(|b| *b = b'/');
    }
    let is_folder = path.ends_with(b"/");
    let shown = String::from_utf8_lossy(&path).into_owned();
    let relative = match below(&path) {
        Ok(relative) => relative,
        Err(why) => {
            found.skip(Path::new(&shown), why, true);
            return Ok(());
        }
    };
    if is_folder {
        return found.add_folder(relative);
    }
    if relative.as_os_str().is_empty() {
        found.skip(Path::new(&shown), "a member without a name", true);
        return Ok(());
    }
    let kind = record.mode().value() & 0o170_000;
    let refused = match kind {
        0o120_000 => Some((
            "a symbolic link, which anp does not follow in archives",
            false,
        )),
        0 | 0o100_000 | 0o040_000 => None,
        _ => Some(("a device, no file", true)),
    };
    let method = record.compression_method();
    let is_known = [CompressionMethod::STORE, CompressionMethod::DEFLATE].contains(&method);
    let refused = refused.or_else(|| {
        let is_encrypted = record.flags().is_encrypted();
        match found.wants(&relative) {
            true if is_encrypted => Some(("encrypted", true)),
            true if !is_known => Some(("compressed by another method than deflate", true)),
            _ => None,
        }
    });
    if let Some((why, unreadable)) = refused {
        found.skip(&relative, why, unreadable);
        return Ok(());
    }
    let length = record.uncompressed_size_hint();
    let is_read = found.wants(&relative) && length <= MAX_SOURCE_BYTES as u64;
    if is_read {
        *left = left.checked_sub(length).ok_or_else(|| {
            WalkError::Broken(format!(
                "decompressed it has more than {MOST_GROWTH} times its size"
            ))
        })?;
    }
    let bytes = match is_read {
        true => Some(unpacked(archive, record, length)?),
        false => None,
    };
    found.add(Member {
        relative: &relative,
        line: 0,
        bytes: bytes.as_deref(),
        length,
        at: 0,
    })
}

/// The bytes of a member, of which there must be `length` with the right checksum.
fn unpacked(
    archive: &Archive,
    record: &ZipFileHeaderRecord<'_>,
    length: u64,
) -> Result<Vec<u8>, WalkError> {
    let entry = archive
        .get_entry(record.wayfinder())
        .map_err(|error| damaged(&error))?;
    let packed = BufReader::new(entry.reader());
    let mut bytes = Vec::with_capacity(length as usize);
    let read = match record.compression_method() {
        CompressionMethod::DEFLATE => {
            let reader = entry.verifying_reader(DeflateDecoder::new(packed));
            reader.take(length + 1).read_to_end(&mut bytes)
        }
        _ => entry
            .verifying_reader(packed)
            .take(length + 1)
            .read_to_end(&mut bytes),
    };
    read.map_err(|error| WalkError::cut(&error))?;
    Ok(bytes)
}
