//! Files that may hold articles and are not read: counted by reason, and the first ones named.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Most paths that are named for one reason.
const NAMED: usize = 3;

/// Most reasons; what a hostile tree has besides is counted together.
const MAX_REASONS: usize = 64;

/// Why files are not read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// They are in a folder that is not published: its path below the root.
    Folder(PathBuf),
    /// Their names begin with `_`.
    Underscore,
    /// An editor or a synchroniser made them beside the article.
    Copy,
    /// A README beside the index of its folder.
    SecondIndex,
    /// `exclude` or an `.anpignore` names them.
    Excluded,
    /// Their names end with this, a dot first; empty: with nothing.
    Ending(String),
    /// They are items of an export that are no articles: what they are.
    Kind(String),
    /// Folders or endings besides those that are counted one by one.
    Other,
}

/// How many files are not read for one reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Passed {
    /// How many were counted.
    pub files: u64,
    /// Whether the counting ended before all of them were.
    pub is_at_least: bool,
    /// Paths of the first ones below the root, in the order of the walk.
    pub first: Vec<PathBuf>,
}

impl Passed {
    /// Counts one more.
    pub(super) fn count(&mut self, relative: &Path) {
        self.files += 1;
        if self.first.len() < NAMED {
            self.first.push(relative.to_owned());
        }
    }
}

/// What was passed over, by reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PassedOver(BTreeMap<Reason, Passed>);

impl PassedOver {
    /// Counts the file at `relative`.
    pub(super) fn count(&mut self, reason: Reason, relative: &Path) {
        self.slot(reason).count(relative);
    }

    /// Adds what was counted in one folder.
    pub(super) fn add(&mut self, reason: Reason, passed: Passed) {
        let slot = self.slot(reason);
        slot.files += passed.files;
        slot.is_at_least |= passed.is_at_least;
        let room = NAMED.saturating_sub(slot.first.len());
        slot.first.extend(passed.first.into_iter().take(room));
    }

    /// Counts items of an export, which have no path.
    pub(super) fn add_kind(&mut self, kind: &str, count: u64) {
        self.slot(Reason::Kind(kind.to_owned())).files += count;
    }

    /// Reasons and counts, in the order in which they are reported.
    pub fn iter(&self) -> impl Iterator<Item = (&Reason, &Passed)> {
        self.0.iter()
    }

    fn slot(&mut self, reason: Reason) -> &mut Passed {
        let is_full = self.0.len() >= MAX_REASONS && !self.0.contains_key(&reason);
        self.0
            .entry(if is_full { Reason::Other } else { reason })
            .or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::{MAX_REASONS, PassedOver, Reason};

    #[test]
    fn promise_10_a_tree_of_endings_takes_no_more_than_its_room() {
        let mut over = PassedOver::default();
        for number in 0..1000 {
            let ending = Reason::Ending(format!(".{number}"));
            over.count(ending, Path::new(&format!("{number:04}.{number}")));
        }
        over.count(Reason::Ending(".7".to_owned()), Path::new("b.7"));
        assert_eq!(over.iter().count(), MAX_REASONS + 1);
        let files: u64 = over.iter().map(|(_, passed)| passed.files).sum();
        assert_eq!(files, 1001);
        let (_, other) = over.iter().last().unwrap();
        let first = ["0064.64", "0065.65", "0066.66"].map(PathBuf::from);
        assert_eq!((other.files, &other.first[..]), (936, &first[..]));
    }
}
