//! Articles as files.

use super::{Counts, Generator, SynthArticle};
use rayon::prelude::*;
use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Numbers that one core writes before it takes the next ones: enough that folders are
/// mostly known, few enough that both cores end together.
const BLOCK: u64 = 1_024;

/// What [`write_tree`] wrote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    /// Number of files.
    pub files: u64,
    /// Their sizes, added up.
    pub bytes: u64,
    /// How many of them are of each kind.
    pub counts: Counts,
}

/// Writes the articles 1 to `count` of `generator` below `dir`, which is made if it is not there,
/// in folders of less than 1,000 files, on every core. Files of the same name are overwritten,
/// others stay.
///
/// # Errors
///
/// A folder or file that could not be written, named in the message. Trying again is safe.
pub fn write_tree(generator: &Generator, dir: &Path, count: u64) -> io::Result<Tree> {
    (0..count.div_ceil(BLOCK))
        .into_par_iter()
        .map_init(Writer::default, |writer, block| {
            let first = block * BLOCK + 1;
            let last = count.min(first + BLOCK - 1);
            writer.write(generator, dir, first, last)
        })
        .try_reduce(Tree::default, |a, b| Ok(a + b))
}

/// What one core keeps from block to block.
#[derive(Default)]
struct Writer {
    article: SynthArticle,
    folders: HashSet<PathBuf>,
}

impl Writer {
    fn write(
        &mut self,
        generator: &Generator,
        dir: &Path,
        first: u64,
        last: u64,
    ) -> io::Result<Tree> {
        let Self { article, folders } = self;
        let mut tree = Tree::default();
        for n in first..=last {
            let kind = generator.article_into(n, article);
            let file = dir.join(&article.path);
            let folder = file.parent().unwrap_or(dir);
            if !folders.contains(folder) {
                fs::create_dir_all(folder).map_err(|error| naming(folder, &error))?;
                folders.insert(folder.to_path_buf());
            }
            fs::write(&file, &article.bytes).map_err(|error| naming(&file, &error))?;
            tree.files += 1;
            tree.counts.count(kind);
            tree.bytes += article.bytes.len() as u64;
        }
        Ok(tree)
    }
}

impl std::ops::Add for Tree {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            files: self.files + other.files,
            bytes: self.bytes + other.bytes,
            counts: self.counts + other.counts,
        }
    }
}

pub(super) fn naming(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
