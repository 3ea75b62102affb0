//! What a reader of a packed source finds, member by member: a list that is kept small, and the bytes
//! of the members, where they are not in the file as they are.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};

use super::super::SMALL_FILES;
use super::super::file_names::{self, Named};
use super::super::list::Sources;
use super::super::unread::{GoesOn, Skipped, WalkError};
use super::keeper::Keeper;
use crate::spool::Spool;
use serde::{Deserialize, Serialize};

/// Most small files that say what is read, and most bytes of each.
pub(super) const MOST_SMALL_FILES: usize = 1000;
const MOST_SMALL_BYTES: usize = 256 * 1024;

/// Most bytes of all small files together.
const MOST_SMALL_BYTES_IN_ALL: usize = 16 * 1024 * 1024;

/// Most bytes of the paths of folders, beyond those that the articles pay for.
const MOST_FOLDER_BYTES: usize = 96 * 1024 * 1024;
const FOLDER_BYTES_OF_ARTICLE: usize = 150;

/// A path up to this long is paid for by its article.
const USUAL_PATH_BYTES: usize = 256;

/// Most paths of other files that are known. Beyond, every file may be there.
const MOST_OTHERS: usize = 2_000_000;

/// The longest path of a refused member that is shown, in bytes.
const MOST_SHOWN: usize = 300;

/// Most broken items whose message is held, and most kinds of items that are counted one by one.
const MOST_BROKEN: usize = 10_000;
const MOST_KINDS: usize = 64;

/// Most members that are refused by name. What a hostile archive has besides is counted in one line.
const MOST_SKIPPED: usize = 10_000;

/// Where a source is in the packed file, or in the spool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stored {
    /// Its key in the list of sources.
    pub(super) key: u32,
    /// The line on which it begins, from 1; 0: its lines are counted by themselves.
    pub(super) line: u32,
    /// Its first byte.
    pub(super) at: u64,
}

/// One member, as a reader finds it.
#[derive(Clone, Copy)]
pub(super) struct Member<'m> {
    /// Its path below the root.
    pub(super) relative: &'m Path,
    /// The line on which it begins, from 1; 0: its lines are counted by themselves.
    pub(super) line: u32,
    /// Its bytes; none where there are too many.
    pub(super) bytes: Option<&'m [u8]>,
    /// How many it has.
    pub(super) length: u64,
    /// Where it begins in the file, decompressed.
    pub(super) at: u64,
}

/// What was found in a packed source.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Members {
    /// The sources, and what may be one.
    pub(super) sources: Sources,
    /// Where each is, in the order of their keys.
    pub(super) stored: Vec<Stored>,
    /// Small files that say what is read, by path; none for one whose rules
    /// are not known: then its folder is not read.
    pub(super) small_files: HashMap<PathBuf, Option<Vec<u8>>>,
    /// Whether there are more than are held.
    pub(super) has_more_small_files: bool,
    /// Folders that the archive names itself.
    pub(super) folders: HashSet<PathBuf>,
    /// Hashes of the paths of all other files.
    pub(super) others: HashSet<u64>,
    /// What is refused.
    pub(super) skipped: Vec<Skipped>,
    /// Number of those beyond.
    further_skipped: u64,
    /// What is wrong with items that cannot be read, by key.
    pub(super) broken: HashMap<u32, String>,
    /// How many items are no articles, by what they are.
    pub(super) kinds: BTreeMap<String, u64>,
    /// The key with which each file begins.
    pub(super) parts: Vec<u32>,
}

/// Collects members.
pub(super) struct Unpacking<'a> {
    pub(super) found: Members,
    /// Where the bytes go, if they are not in the file as they are.
    keeper: Option<Keeper>,
    /// Whether that keeps bytes, and does not only hash them.
    is_spooled: bool,
    /// Which of the sources have bytes, in the order in which the keeper got them.
    kept: Vec<usize>,
    /// Says whether the run goes on.
    pub(super) goes_on: &'a GoesOn<'a>,
    small_bytes: usize,
    folders: FolderBytes,
}

/// Counts what the paths of folders take. A path of 4 KiB can name 2,000 of them, so a small archive
/// could fill the memory with them.
#[derive(Debug, Default)]
pub(super) struct FolderBytes(usize);

impl FolderBytes {
    /// Counts one more folder, while `sources` are known.
    pub(super) fn add(&mut self, folder: &Path, sources: usize) -> Result<(), WalkError> {
        self.add_bytes(folder.as_os_str().len() + 64, sources)
    }

    fn add_bytes(&mut self, bytes: usize, sources: usize) -> Result<(), WalkError> {
        self.0 += bytes;
        match self.0 > MOST_FOLDER_BYTES + FOLDER_BYTES_OF_ARTICLE * sources {
            true => Err(WalkError::Broken(
                "it has too many folders for its articles".to_owned(),
            )),
            false => Ok(()),
        }
    }
}

impl<'a> Unpacking<'a> {
    pub(super) fn new(spool: Option<Spool>, goes_on: &'a GoesOn<'a>) -> Self {
        Self {
            found: Members::default(),
            is_spooled: spool.is_some(),
            keeper: Some(Keeper::new(spool)),
            kept: Vec::new(),
            goes_on,
            small_bytes: 0,
            folders: FolderBytes::default(),
        }
    }

    /// Takes a folder that the archive names.
    pub(super) fn add_folder(&mut self, relative: PathBuf) -> Result<(), WalkError> {
        if !self.found.folders.contains(&relative) {
            self.folders.add(&relative, self.found.sources.len())?;
            self.found.folders.insert(relative);
        }
        Ok(())
    }

    /// Whether the bytes of the file at `relative` are of use: it may be a source, or says which files
    /// are. All others are only known to be there.
    pub(super) fn wants(&self, relative: &Path) -> bool {
        named(relative) == Named::Article || is_small_file(relative)
    }

    /// Takes a file.
    pub(super) fn add(&mut self, member: Member<'_>) -> Result<(), WalkError> {
        (self.goes_on)()?;
        let Member {
            relative,
            bytes,
            length,
            ..
        } = member;
        if is_small_file(relative) {
            self.add_small_file(relative, bytes);
            return Ok(());
        }
        if let Some(beyond @ 1..) = relative.as_os_str().len().checked_sub(USUAL_PATH_BYTES) {
            self.folders.add_bytes(beyond, self.found.sources.len())?;
        }
        let named = named(relative);
        if named != Named::Article && self.found.others.len() < MOST_OTHERS {
            self.found.others.insert(hash(relative));
        }
        // What looks like an article and is none is passed over by name.
        if named == Named::Other {
            return Ok(());
        }
        let index = self.found.sources.len();
        let key = self.found.sources.push(relative, length, None, None)?;
        let line = member.line;
        let mut at = member.at;
        if let Some(bytes) = bytes {
            let kept = self.keep(bytes, line > 0)?;
            self.kept.push(index);
            at = if self.is_spooled { kept } else { at };
        }
        self.found.stored.push(Stored { key, line, at });
        Ok(())
    }

    /// Keeps the bytes of a member; returns where they begin among those that are kept.
    fn keep(&mut self, bytes: &[u8], is_line: bool) -> Result<u64, WalkError> {
        let gone = || WalkError::Spool(io::Error::other("nothing is kept any more"));
        let keeper = self.keeper.as_mut().ok_or_else(gone)?;
        keeper.add(bytes, is_line).map_err(|error| {
            let keeper = self.keeper.take();
            WalkError::Spool(match keeper {
                Some(keeper) => keeper.cause(error),
                None => error,
            })
        })
    }

    /// Ends the collecting: all members, and the bytes of those that were kept.
    pub(super) fn finish(mut self) -> Result<(Members, Option<Spool>), WalkError> {
        let Some(keeper) = self.keeper.take() else {
            return Ok((self.found, None));
        };
        let work = keeper.finish().map_err(WalkError::Spool)?;
        for (index, identity) in self.kept.iter().zip(work.identities) {
            self.found.sources.know(*index, identity);
        }
        Ok((self.found, work.spool))
    }

    /// Takes a small file; without its bytes, its rules are not known.
    fn add_small_file(&mut self, relative: &Path, bytes: Option<&[u8]>) {
        let files = &mut self.found.small_files;
        let is_there = files.contains_key(relative);
        if !is_there && files.len() >= MOST_SMALL_FILES {
            self.found.has_more_small_files = true;
            return;
        }
        let left = MOST_SMALL_BYTES_IN_ALL - self.small_bytes;
        let bytes = bytes.filter(|bytes| !is_there && bytes.len() <= left.min(MOST_SMALL_BYTES));
        self.small_bytes += bytes.map_or(0, <[u8]>::len);
        files.insert(relative.to_owned(), bytes.map(<[u8]>::to_vec));
    }

    /// Begins the next file.
    pub(super) fn begin_part(&mut self) {
        let next = self.found.sources.next_key();
        self.found.parts.push(next);
    }

    /// Takes an item that cannot be read.
    pub(super) fn add_broken(
        &mut self,
        relative: &Path,
        line: u32,
        message: String,
    ) -> Result<(), WalkError> {
        self.add(Member {
            relative,
            line,
            bytes: Some(&[]),
            length: 0,
            at: 0,
        })?;
        if self.found.broken.len() < MOST_BROKEN
            && let Some(stored) = self.found.stored.last()
        {
            self.found.broken.insert(stored.key, message);
        }
        Ok(())
    }

    /// Counts an item that is no article.
    pub(super) fn count(&mut self, kind: String) {
        let kinds = &mut self.found.kinds;
        let is_full = kinds.len() >= MOST_KINDS && !kinds.contains_key(&kind);
        *kinds
            .entry(if is_full { "…".to_owned() } else { kind })
            .or_default() += 1;
    }

    /// Notes a member that is not read. It is an error if it may hold an article that is missing now.
    pub(super) fn skip(&mut self, relative: &Path, reason: &str, unreadable: bool) {
        if is_small_file(relative) {
            self.add_small_file(relative, None);
        }
        if self.found.skipped.len() >= MOST_SKIPPED {
            self.found.further_skipped += 1;
            return;
        }
        // A member may have a name of a megabyte.
        let path = relative.as_os_str().as_encoded_bytes();
        let shown = match path.get(..MOST_SHOWN) {
            Some(head) if path.len() > MOST_SHOWN => {
                PathBuf::from(format!("{}…", String::from_utf8_lossy(head)))
            }
            _ => relative.to_owned(),
        };
        self.found.skipped.push(Skipped {
            relative: shown,
            reason: reason.to_owned(),
            unreadable,
        });
    }
}

impl Members {
    /// Whether the other files are all known.
    pub(super) fn knows_all(others: &HashSet<u64>) -> bool {
        others.len() < MOST_OTHERS
    }

    /// What is refused; of many, how many more there are.
    pub(super) fn take_skipped(&mut self) -> Vec<Skipped> {
        let mut skipped = std::mem::take(&mut self.skipped);
        if self.further_skipped > 0 {
            skipped.push(Skipped {
                relative: PathBuf::from("…"),
                reason: format!("{} more members", self.further_skipped),
                unreadable: true,
            });
        }
        skipped
    }
}

/// The hash of a path, for a set of many.
pub(super) fn hash(relative: &Path) -> u64 {
    let hash = blake3::hash(relative.as_os_str().as_encoded_bytes());
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&hash.as_bytes()[..8]);
    u64::from_le_bytes(bytes)
}

/// What the name of a file says, where the settings include it.
fn named(relative: &Path) -> Named {
    let name = relative.file_name().unwrap_or_default();
    file_names::judge(name.as_encoded_bytes(), true)
}

fn is_small_file(relative: &Path) -> bool {
    let name = relative.file_name().unwrap_or_default();
    SMALL_FILES.iter().any(|small| name == *small)
}
