//! Judges the entries of a content tree: what is an article, what is passed over, and why.

use std::fs::{FileType, Metadata};
use std::io;
use std::io::ErrorKind;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};

use walkdir::DirEntry;

use super::file_names::{self, Named};
use super::folders::FolderRules;
use super::passed_over::Reason;
use super::patterns::{Filter, Said};

/// What becomes of an entry of a folder.
pub(super) enum Verdict {
    /// An article: the state of its file and, of a link, the path that it resolves to.
    Source(Option<Metadata>, Option<PathBuf>),
    /// A folder whose entries are walked.
    Folder,
    /// No article, and not worth a word.
    Silence,
    PassedOver(Reason),
    Skipped(String),
    Unreadable(String),
}

/// What the path of an entry says of it.
pub(super) enum ByName {
    Article,
    Folder,
    /// It begins with a dot.
    Hidden,
    /// Something that holds no article.
    Other,
    PassedOver(Reason),
}

/// Judges an entry by its path below the root; the folders above it are read.
pub(super) fn by_name(
    filter: &Filter<'_>,
    folders: &mut FolderRules<'_>,
    relative: &Path,
    is_dir: bool,
) -> ByName {
    let name = relative.file_name().unwrap_or_default().as_encoded_bytes();
    if name.starts_with(b".") {
        return ByName::Hidden;
    }
    let said = filter.says(relative, is_dir);
    if said == Said::Excluded {
        return ByName::PassedOver(Reason::Excluded);
    }
    if is_dir {
        return match said != Said::Included && folders.is_closed(relative) {
            true => ByName::PassedOver(Reason::Folder(relative.to_owned())),
            false => ByName::Folder,
        };
    }
    match file_names::judge(name, said == Said::Included) {
        Named::Article => ByName::Article,
        Named::Other => ByName::Other,
        Named::PassedOver(reason) => ByName::PassedOver(reason),
    }
}

/// The rules by which the entries of one tree are judged.
pub(super) struct Judge<'a> {
    pub(super) real_root: &'a Path,
    pub(super) filter: Filter<'a>,
    pub(super) folders: FolderRules<'a>,
}

impl Judge<'_> {
    /// What becomes of an entry, which is at `relative` below the root.
    pub(super) fn judge(&mut self, entry: &DirEntry, relative: &Path) -> Verdict {
        let kind = entry.file_type();
        let verdict = match by_name(&self.filter, &mut self.folders, relative, kind.is_dir()) {
            ByName::Folder => return Verdict::Folder,
            ByName::Hidden => return Verdict::Silence,
            ByName::PassedOver(reason) if kind.is_dir() || reason == Reason::Excluded => {
                return Verdict::PassedOver(reason);
            }
            ByName::Article => None,
            ByName::Other => Some(Verdict::Silence),
            ByName::PassedOver(reason) => Some(Verdict::PassedOver(reason)),
        };
        if kind.is_symlink() {
            return self.judge_link(entry, relative, verdict);
        }
        match (verdict, special(kind)) {
            (Some(verdict), _) => verdict,
            (None, Some(what)) => Verdict::Skipped(what.to_owned()),
            (None, None) => Verdict::Source(entry.metadata().ok(), None),
        }
    }

    /// Judges a link; `by_name` is what its name alone says, if it is not that of an article.
    fn judge_link(
        &mut self,
        entry: &DirEntry,
        relative: &Path,
        by_name: Option<Verdict>,
    ) -> Verdict {
        let target = entry.path().canonicalize();
        let target = target.and_then(|real| Ok((real.symlink_metadata()?, real)));
        let (metadata, real) = match target {
            Ok(target) => target,
            Err(error) => return broken_link(&error),
        };
        if !metadata.is_dir()
            && let Some(verdict) = by_name
        {
            return verdict;
        }
        let skipped = |reason: &str| Verdict::Skipped(reason.to_owned());
        let Ok(inside) = real.strip_prefix(self.real_root) else {
            return skipped("a symbolic link that leads out of the content folder");
        };
        if self.closed(inside).is_some() {
            return skipped("a symbolic link to a hidden or private file or folder");
        }
        // Their folder makes them drafts, which the path of the link does not say.
        if is_draft(inside) && !is_draft(relative) {
            return skipped("a symbolic link to a draft");
        }
        if !metadata.is_dir() {
            return match special(metadata.file_type()) {
                Some(what) => skipped(what),
                None => Verdict::Source(Some(metadata), Some(inside.to_owned())),
            };
        }
        let folder = entry.path().parent().map(Path::canonicalize);
        if folder.is_some_and(|folder| folder.is_ok_and(|folder| folder.starts_with(&real))) {
            return skipped("a symbolic link loop");
        }
        Verdict::Skipped(format!(
            "a symbolic link to the folder {}, whose articles have the routes of that name alone",
            inside.display()
        ))
    }

    /// Why the file or folder at `relative` is not read, wherever it is: it, or a folder above it,
    /// is hidden, private or excluded.
    pub(super) fn closed(&mut self, relative: &Path) -> Option<String> {
        let mut above = PathBuf::new();
        let mut parts = relative.components().peekable();
        while let Some(part) = parts.next() {
            if let Err(reason) = self.filter.enter(&above) {
                return Some(reason);
            }
            let path = above.join(part);
            let name = part.as_os_str().as_encoded_bytes();
            if name.starts_with(b".") {
                return Some("its name, or that of a folder above it, begins with .".to_owned());
            }
            let is_last = parts.peek().is_none();
            let is_dir = !is_last || self.real_root.join(&path).is_dir();
            let said = self.filter.says(&path, is_dir);
            if said == Said::Excluded {
                return Some(
                    "the settings or an ignore file leave it out, or a folder above it".to_owned(),
                );
            }
            let is_private = match is_dir {
                true => self.folders.is_closed(&path),
                false => matches!(
                    file_names::judge(name, false),
                    Named::PassedOver(Reason::Underscore)
                ),
            };
            if is_private && said != Said::Included {
                let reason = "its name, or that of a folder above it, is private; 'include' in \
                              anp.yaml can name it";
                return Some(reason.to_owned());
            }
            above = path;
        }
        None
    }
}

/// Whether a file stands in a folder of drafts, as Jekyll has them.
fn is_draft(relative: &Path) -> bool {
    let mut parts = relative.components();
    parts.any(|part| part.as_os_str().eq_ignore_ascii_case("_drafts"))
}

fn broken_link(error: &io::Error) -> Verdict {
    let is_loop = error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error());
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => {
            Verdict::Skipped("a symbolic link that leads nowhere".to_owned())
        }
        _ if is_loop => Verdict::Skipped("a symbolic link that cannot be followed".to_owned()),
        _ => Verdict::Unreadable(format!("a symbolic link that cannot be followed: {error}")),
    }
}

fn special(file_type: FileType) -> Option<&'static str> {
    if file_type.is_file() {
        None
    } else if file_type.is_fifo() {
        Some("a FIFO, no file")
    } else if file_type.is_socket() {
        Some("a socket, no file")
    } else {
        Some("a device, no file")
    }
}
