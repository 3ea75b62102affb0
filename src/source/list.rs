//! The list of sources: a content tree has one line in it for each article until its survey
//! ends, so that it is kept small.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::identity::Identity;

/// The sources of a content tree, each by the folder that it stands in and its name there.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Sources {
    /// Folders below the root. One comes more than once where its files were found with others
    /// in between.
    folders: Vec<PathBuf>,
    /// The names of all files, one behind the other.
    names: Vec<u8>,
    files: Vec<File>,
    /// What symbolic links lead to, by where the name of the link begins.
    targets: HashMap<u32, PathBuf>,
}

/// 32 bytes.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct File {
    folder: u32,
    name_at: u32,
    name_bytes: u16,
    bytes: u32,
    identity: Option<Identity>,
}

impl Sources {
    /// Number of sources.
    #[must_use]
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// The paths below the root.
    pub fn paths(&self) -> impl Iterator<Item = PathBuf> {
        (0..self.len()).map(|index| self.path(index))
    }

    /// The path of one below the root.
    #[must_use]
    pub fn path(&self, index: usize) -> PathBuf {
        let file = &self.files[index];
        self.folder_of(file).join(self.name_of(file))
    }

    /// The path below the root where the file of one really is: another than its path where
    /// that is a symbolic link. No part of it was a link when it was found.
    #[must_use]
    pub fn real_path(&self, index: usize) -> PathBuf {
        match self.targets.get(&self.files[index].name_at) {
            Some(target) => target.clone(),
            None => self.path(index),
        }
    }

    /// The number of the source at `relative`, if there is one. They must be sorted.
    #[must_use]
    pub fn find(&self, relative: &Path) -> Option<usize> {
        let folder = relative.parent().unwrap_or(Path::new(""));
        let name = relative.file_name()?;
        let wanted = || Path::components(folder).chain(Path::new(name).components());
        self.files
            .binary_search_by(|file| {
                let (other, name) = (self.folder_of(file), self.name_of(file));
                let parts = Path::components(other).chain(Path::new(name).components());
                parts.cmp(wanted())
            })
            .ok()
    }

    /// Tells by what one is known again.
    pub(super) fn know(&mut self, index: usize, identity: Identity) {
        self.files[index].identity = Some(identity);
    }

    /// Whether two have the same path.
    pub(super) fn are_twins(&self, one: usize, other: usize) -> bool {
        let (one, other) = (&self.files[one], &self.files[other]);
        self.name_of(one) == self.name_of(other) && self.folder_of(one) == self.folder_of(other)
    }

    /// The folder of one below the root.
    #[must_use]
    pub fn folder(&self, index: usize) -> &Path {
        self.folder_of(&self.files[index])
    }

    /// The name of one in its folder.
    #[must_use]
    pub fn name(&self, index: usize) -> &OsStr {
        self.name_of(&self.files[index])
    }

    /// The length of one in bytes when it was found; more than 4 GiB are taken for 4 GiB.
    #[must_use]
    pub fn bytes(&self, index: usize) -> u32 {
        self.files[index].bytes
    }

    /// The state of one when it was found, if that could be told.
    #[must_use]
    pub fn identity(&self, index: usize) -> Option<Identity> {
        self.files[index].identity
    }

    /// A number that one keeps, wherever it stands in the list.
    #[must_use]
    pub fn key(&self, index: usize) -> u32 {
        self.files[index].name_at
    }

    /// The key that the next one will have.
    pub(super) fn next_key(&self) -> u32 {
        u32::try_from(self.names.len()).unwrap_or(u32::MAX)
    }

    /// Leaves only those for whose number `keep` is true.
    pub fn retain(&mut self, keep: impl Fn(usize) -> bool) {
        let mut next = 0..;
        self.files.retain(|_| next.next().is_some_and(&keep));
    }

    /// Appends one, and returns its key. Keys rise.
    pub(crate) fn push(
        &mut self,
        relative: &Path,
        bytes: u64,
        identity: Option<Identity>,
        target: Option<PathBuf>,
    ) -> io::Result<u32> {
        let too_large = || io::Error::other("too many files to list them");
        let folder = relative.parent().unwrap_or(Path::new(""));
        if self.folders.last().is_none_or(|last| last != folder) {
            self.folders.push(folder.to_owned());
        }
        let name = relative.file_name().unwrap_or_default().as_bytes();
        let name_at = u32::try_from(self.names.len()).map_err(|_| too_large())?;
        self.targets.extend(target.map(|target| (name_at, target)));
        self.files.push(File {
            folder: u32::try_from(self.folders.len() - 1).map_err(|_| too_large())?,
            name_at,
            name_bytes: u16::try_from(name.len()).map_err(|_| too_large())?,
            bytes: u32::try_from(bytes).unwrap_or(u32::MAX),
            identity,
        });
        self.names.extend_from_slice(name);
        Ok(name_at)
    }

    /// Sorts by path, as paths compare: part by part.
    pub(crate) fn sort(&mut self) {
        let mut files = std::mem::take(&mut self.files);
        files.sort_unstable_by(|a, b| self.compare(a, b));
        self.files = files;
    }

    fn compare(&self, a: &File, b: &File) -> Ordering {
        let (name_a, name_b) = (self.name_of(a), self.name_of(b));
        if a.folder == b.folder {
            return name_a.cmp(name_b);
        }
        let parts = |folder, name| Path::components(folder).chain(Path::new(name).components());
        let (folder_a, folder_b) = (self.folder_of(a), self.folder_of(b));
        parts(folder_a, name_a).cmp(parts(folder_b, name_b))
    }

    fn folder_of(&self, file: &File) -> &Path {
        &self.folders[file.folder as usize]
    }

    fn name_of(&self, file: &File) -> &OsStr {
        let at = file.name_at as usize;
        OsStr::from_bytes(&self.names[at..at + usize::from(file.name_bytes)])
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::{File, Sources};

    #[test]
    fn paths_come_back_in_their_order() {
        let paths = [
            "a.md", "b/z.md", "b/c/d.md", "b/a.md", "b-/x.md", "b.md", "b/c.md", "b/c/a.md",
        ];
        let mut sources = Sources::default();
        for (bytes, path) in (0..).zip(paths) {
            let target = (path == "b.md").then(|| PathBuf::from("b/z.md"));
            sources.push(Path::new(path), bytes, None, target).unwrap();
        }
        sources.sort();
        let sorted: Vec<PathBuf> = sources.paths().collect();
        let mut expected = paths.map(PathBuf::from);
        expected.sort();
        assert_eq!(sorted, expected);
        assert_eq!((sources.folder(0), sources.bytes(0)), (Path::new(""), 0));
        for (index, path) in sorted.iter().enumerate() {
            assert_eq!(sources.find(path), Some(index));
        }
        for path in ["", "a", "b", "b/c", "b/c/d.m", "c.md", "b/c/d.md/e.md"] {
            assert_eq!(sources.find(Path::new(path)), None, "{path}");
        }
        let link = sorted.iter().position(|path| path == Path::new("b.md"));
        for (index, path) in sorted.iter().enumerate() {
            let is_link = Some(index) == link;
            let real = if is_link { Path::new("b/z.md") } else { path };
            assert_eq!(sources.real_path(index), real);
        }
        sources.retain(|index| index % 4 == 1);
        let left: Vec<PathBuf> = sources.paths().collect();
        assert_eq!(left, [&sorted[1], &sorted[5]].map(Clone::clone));
        assert_eq!(size_of::<File>(), 32);
    }
}
