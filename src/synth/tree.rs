//! Articles as files.

use super::{Counts, Generator, SynthArticle};
use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What [`Generator::write_tree`] wrote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    /// Number of files.
    pub files: u64,
    /// Their sizes, added up.
    pub bytes: u64,
    /// How many of them are of each kind.
    pub counts: Counts,
}

impl Generator {
    /// Writes the articles 1 to `count` below `dir`, which is made if it is not there, in
    /// folders of less than 1,000 files. Files of the same name are overwritten, others stay.
    ///
    /// # Errors
    ///
    /// The first folder or file that could not be written, named in the message. The files
    /// before it are complete; trying again is safe.
    pub fn write_tree(&self, dir: &Path, count: u64) -> io::Result<Tree> {
        let mut article = SynthArticle::default();
        let mut folders: HashSet<PathBuf> = HashSet::new();
        let mut tree = Tree::default();
        for n in 1..=count {
            let kind = self.article_into(n, &mut article);
            let file = dir.join(&article.path);
            let folder = file.parent().unwrap_or(dir);
            if !folders.contains(folder) {
                fs::create_dir_all(folder).map_err(|error| naming(folder, &error))?;
                folders.insert(folder.to_path_buf());
            }
            fs::write(&file, &article.bytes).map_err(|error| naming(&file, &error))?;
            tree.files += 1;
            tree.counts.add(kind);
            tree.bytes += article.bytes.len() as u64;
        }
        Ok(tree)
    }
}

fn naming(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
