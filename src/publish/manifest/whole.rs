//! All that was recorded of a run: one file, or one for each start of each of its shards.

use std::path::{Path, PathBuf};

use super::reader::{Damage, Lost, ManifestFile, Verify};
use super::record::{ArticleCounts, Counts, Footer, Header, Line, Status};
use crate::publish::one_line;
use crate::publish::shards::merge;

/// The record of a run, whose frames are known to be whole.
pub struct Manifest {
    /// In the order of the shards, and of their starts.
    parts: Vec<ManifestFile>,
    /// Files that end before their header is whole.
    without_header: Vec<PathBuf>,
    /// What cannot be read of them.
    lost: Vec<Lost>,
    footer: Option<Footer>,
}

/// How far the shards of a run are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shards {
    /// Into how many the run is divided.
    pub of: u32,
    /// How many of them did what they were to do.
    pub done: u32,
    /// How many were started, ever.
    pub started: u32,
}

impl Manifest {
    /// Opens one file and decides what of it can be used.
    ///
    /// # Errors
    /// See [`Damage`].
    pub fn open(path: &Path, verify: Verify) -> Result<Self, Damage> {
        let part = ManifestFile::open(path, verify)?;
        Ok(Self {
            footer: part.footer().cloned(),
            lost: part.lost().to_vec(),
            parts: vec![part],
            without_header: Vec::new(),
        })
    }

    /// The record of a run of which each of `files` holds a part. A part that ends before its
    /// header is whole wrote nothing, and is left out; with [`Verify::Rest`] one with a damaged
    /// header is lost.
    ///
    /// # Errors
    /// See [`Damage`]; without any other part, that there is no header.
    pub fn open_all(files: &[impl AsRef<Path>], verify: Verify) -> Result<Self, Damage> {
        let mut parts = Vec::new();
        let mut without_header = Vec::new();
        let mut without_any = None;
        let mut lost = Vec::new();
        for file in files {
            match ManifestFile::open(file.as_ref(), verify) {
                Ok(part) => {
                    lost.extend_from_slice(part.lost());
                    parts.push(part);
                }
                Err(Damage::NoHeader { path }) => without_header.push(path),
                Err(damage @ Damage::Damaged { .. }) if verify == Verify::Rest => {
                    lost.extend(Lost::whole(&damage));
                    without_any = without_any.or(Some(damage));
                }
                Err(damage) => return Err(damage),
            }
        }
        if parts.is_empty() {
            match (without_any, without_header.first()) {
                (Some(damage), _) => return Err(damage),
                (None, Some(path)) => return Err(Damage::NoHeader { path: path.clone() }),
                (None, None) => {}
            }
        }
        agree(&parts)?;
        parts.sort_by_key(|part| (part.header().shard, part.header().attempt));
        let footer = match &parts[..] {
            [only] if only.header().attempt.is_none() => only.footer().cloned(),
            parts => footer_of(parts),
        };
        Ok(Self {
            parts,
            without_header,
            lost,
            footer,
        })
    }

    /// Takes it that a file of the run is missing, because of `damage`.
    pub fn lose(&mut self, damage: &Damage) {
        self.lost.extend(Lost::whole(damage));
    }

    /// What of the record cannot be read; nothing unless it was opened with [`Verify::Rest`].
    #[must_use]
    pub fn lost(&self) -> &[Lost] {
        &self.lost
    }

    /// The first line; of several, the one of the first shard.
    ///
    /// # Panics
    /// Never: a manifest has a part.
    #[must_use]
    pub fn header(&self) -> &Header {
        self.parts[0].header()
    }

    /// The last line, if the run ended by itself; of a run in shards what they did together, once
    /// each of them ended.
    #[must_use]
    pub fn footer(&self) -> Option<&Footer> {
        self.footer.as_ref()
    }

    /// The file; of several, the first.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.parts[0].path()
    }

    /// All of its files.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.parts.iter().map(ManifestFile::path)
    }

    /// Each of its files with its header.
    pub fn headers(&self) -> impl Iterator<Item = (&Path, &Header)> {
        self.parts.iter().map(|part| (part.path(), part.header()))
    }

    /// Those of its files that end before their header is whole.
    pub fn without_header(&self) -> impl Iterator<Item = &Path> {
        self.without_header.iter().map(PathBuf::as_path)
    }

    /// Where the file was cut because it was torn there.
    #[must_use]
    pub fn torn_at(&self) -> Option<u64> {
        self.torn().next().map(|(_, offset)| offset)
    }

    /// Each file that was torn, and where it was cut.
    pub fn torn(&self) -> impl Iterator<Item = (&Path, u64)> {
        let torn = self.parts.iter();
        torn.filter_map(|part| Some((part.path(), part.torn_at()?)))
    }

    /// Number of whole frames, the headers included.
    #[must_use]
    pub fn frames(&self) -> usize {
        self.parts.iter().map(ManifestFile::frames).sum()
    }

    /// Whether the run may have written a key: without a clean end, every intent counts.
    #[must_use]
    pub fn wrote(&self) -> bool {
        self.parts.iter().any(ManifestFile::wrote)
    }

    /// Whether it announces a write. What cannot be read may be one.
    #[must_use]
    pub fn has_intents(&self) -> bool {
        self.parts.iter().any(ManifestFile::has_intents)
    }

    /// The shards that did this run together, if there are any.
    #[must_use]
    pub fn shards(&self) -> Option<Shards> {
        self.header().attempt?;
        let of = self.header().shard?.of;
        let last = last_starts(&self.parts);
        let is_done = |part: &&&ManifestFile| part.is_finished();
        Some(Shards {
            of,
            done: last.iter().filter(is_done).count() as u32,
            started: last.len() as u32,
        })
    }

    /// The lines of each frame behind the header, one frame at a time, in order; of a run in shards
    /// those of each shard, with one intent for each key.
    pub fn batches(&self) -> impl Iterator<Item = Result<Vec<Line>, Damage>> + Send + '_ {
        starts(&self.parts).flat_map(merge::batches)
    }
}

/// Whether all parts are of one run, which did the same everywhere.
fn agree(parts: &[ManifestFile]) -> Result<(), Damage> {
    let common = |part: &ManifestFile| {
        let header = part.header();
        [
            ("run", header.run.clone()),
            ("server", header.server.clone()),
            ("database", header.db.to_string()),
            ("prefix", header.prefix.clone()),
            (
                "number of shards",
                header.shard.map_or(0, |shard| shard.of).to_string(),
            ),
            ("settings digest", header.settings_digest.clone()),
        ]
    };
    let Some((first, others)) = parts.split_first() else {
        return Ok(());
    };
    let expected = common(first);
    for part in others {
        let found = common(part);
        let other = expected.iter().zip(found).find(|(one, two)| **one != *two);
        if let Some(((what, expected), (_, found))) = other {
            let shown = first.path().display();
            return Err(Damage::Damaged {
                path: part.path().to_owned(),
                offset: 0,
                what: format!(
                    "expected the {what} {} as in {shown}, found {}",
                    one_line(expected),
                    one_line(&found)
                ),
            });
        }
    }
    Ok(())
}

/// The parts of each shard.
fn starts(parts: &[ManifestFile]) -> impl Iterator<Item = &[ManifestFile]> + Send {
    parts.chunk_by(|a, b| a.header().shard == b.header().shard)
}

/// The last start of each shard.
fn last_starts(parts: &[ManifestFile]) -> Vec<&ManifestFile> {
    starts(parts).filter_map(<[ManifestFile]>::last).collect()
}

/// The end of a run in shards: none before each of them ended.
///
/// What was written counts for every start; what was left alone, for the last one of each shard,
/// since the next one looks at it again. Each shard sees all invalid articles.
fn footer_of(parts: &[ManifestFile]) -> Option<Footer> {
    let of = parts.first()?.header().shard?.of;
    let last: Option<Vec<&Footer>> = last_starts(parts)
        .into_iter()
        .map(ManifestFile::footer)
        .collect();
    let last = last.filter(|last| last.len() == of as usize)?;
    let mut counts = Counts::default();
    for footer in parts.iter().filter_map(ManifestFile::footer) {
        let of_part = &footer.counts;
        counts.created += of_part.created;
        counts.updated += of_part.updated;
        counts.refreshed += of_part.refreshed;
        counts.removed += of_part.removed;
        counts.bytes += of_part.bytes;
    }
    for footer in &last {
        let of_part = &footer.counts;
        counts.kept += of_part.kept;
        counts.conflicts += of_part.conflicts;
        counts.expired += of_part.expired;
        counts.withheld += of_part.withheld;
        counts.invalid = counts.invalid.max(of_part.invalid);
    }
    let articles = articles_of(parts, &last);
    let any = |status| last.iter().any(|footer| footer.status == status);
    let status = if last.iter().all(|footer| footer.status == Status::Refused) {
        Status::Refused
    } else if any(Status::Stopped) || any(Status::Refused) {
        Status::Stopped
    } else if any(Status::Partial) {
        Status::Partial
    } else {
        Status::Done
    };
    Some(Footer {
        status,
        ended_at: last.iter().map(|footer| footer.ended_at).max()?,
        counts,
        articles,
    })
}

/// The articles of all shards, if each of their starts tells its own.
fn articles_of(parts: &[ManifestFile], last: &[&Footer]) -> Option<ArticleCounts> {
    let mut sum = ArticleCounts::default();
    for footer in parts.iter().filter_map(ManifestFile::footer) {
        let of_part = footer.articles?;
        sum.created += of_part.created;
        sum.updated += of_part.updated;
        sum.refreshed += of_part.refreshed;
        sum.removed += of_part.removed;
    }
    // Each shard judges all of them.
    sum.of = last.iter().filter_map(|footer| footer.articles?.of).max();
    // Each shard looks for its own.
    let orphans: Vec<u64> = last
        .iter()
        .filter_map(|footer| footer.articles?.orphans)
        .collect();
    sum.orphans = (orphans.len() == last.len()).then(|| orphans.iter().sum());
    Some(sum)
}
