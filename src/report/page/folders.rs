//! What became of the articles of each folder.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::Serialize;

use super::chart::grouped;
use crate::publish::manifest::{Action, ArticleCounts};
use crate::words::counted;

/// So many folders are shown; the others are counted together.
const MOST_FOLDERS: usize = 20;

/// Articles by the first folder of their route.
#[derive(Debug, Default)]
pub(super) struct Folders(BTreeMap<String, FolderCounts>);

#[derive(Clone, Copy, Debug, Default)]
struct FolderCounts {
    changes: ArticleCounts,
    unchanged: u64,
}

impl FolderCounts {
    fn changed(&self) -> u64 {
        let ArticleCounts {
            created,
            updated,
            refreshed,
            removed,
            ..
        } = self.changes;
        created + updated + refreshed + removed
    }
}

/// The table of folders: only columns in which something is counted.
#[derive(Debug, Default, PartialEq, Serialize)]
pub(super) struct FolderTable {
    pub heads: Vec<&'static str>,
    pub rows: Vec<FolderRow>,
}

/// A folder with its counts.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct FolderRow {
    pub name: String,
    pub cells: Vec<String>,
}

impl Folders {
    fn of(&mut self, route: &str) -> &mut FolderCounts {
        let mut parts = route.trim_matches('/').split('/');
        let first = parts.next().filter(|_| parts.next().is_some());
        let folder = first.map_or("/".to_owned(), |first| format!("/{first}/"));
        self.0.entry(folder).or_default()
    }

    /// Counts an article that changes.
    pub(super) fn change(&mut self, route: &str, action: Action) {
        self.of(route).changes.add(action);
    }

    /// Counts an article that stays as it is.
    pub(super) fn keep(&mut self, route: &str) {
        self.of(route).unchanged += 1;
    }

    /// All of a few folders; of many those with changes, and the others together. Those with the most
    /// changes come first. `words` are the changes of a folder, each number with its word.
    pub(super) fn table(
        &self,
        words: impl Fn(&ArticleCounts) -> Vec<(u64, &'static str)>,
    ) -> FolderTable {
        let mut folders: Vec<_> = self.0.iter().collect();
        folders.sort_by_key(|(name, counts)| (Reverse(counts.changed()), *name));
        let changed = folders.iter().filter(|(_, counts)| counts.changed() > 0);
        let shown = match folders.len() {
            few @ ..=MOST_FOLDERS => few,
            _ => changed.count().min(MOST_FOLDERS),
        };
        let (shown, others) = folders.split_at(shown);
        let cells = |counts: &FolderCounts| {
            let mut cells = words(&counts.changes);
            cells.push((counts.unchanged, "unchanged"));
            cells
        };
        let sum = |folders: &[(&String, &FolderCounts)]| {
            let mut all = cells(&FolderCounts::default());
            for (_, counts) in folders {
                let further = cells(counts).into_iter().zip(&mut all);
                further.for_each(|((count, _), all)| all.0 += count);
            }
            all
        };
        let all = sum(&folders);
        let counted_in = |cells: Vec<(u64, &str)>| {
            let cells = cells.into_iter().zip(&all).filter(|(_, (all, _))| *all > 0);
            cells.map(|((count, _), _)| grouped(count)).collect()
        };
        let shown = shown.iter().map(|(name, counts)| FolderRow {
            name: (*name).clone(),
            cells: counted_in(cells(counts)),
        });
        let rest = (!others.is_empty()).then(|| FolderRow {
            name: counted(others.len() as u64, "other folder"),
            cells: counted_in(sum(others)),
        });
        FolderTable {
            rows: shown.chain(rest).collect(),
            heads: all
                .iter()
                .filter(|(all, _)| *all > 0)
                .map(|(_, head)| *head)
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::articles::changes;

    #[test]
    fn articles_are_counted_by_their_first_folder() {
        let words = |counts: &ArticleCounts| changes(counts, false).to_vec();
        let mut folders = Folders::default();
        folders.change("/a/x/", Action::Create);
        folders.change("/a/b/y/", Action::Update);
        folders.change("/z/", Action::Remove);
        folders.keep("/c/x/");
        let table = folders.table(words);
        assert_eq!(
            table.heads,
            ["published", "updated", "removed", "unchanged"]
        );
        let names: Vec<&str> = table.rows.iter().map(|row| row.name.as_str()).collect();
        assert_eq!(names, ["/a/", "/", "/c/"]);
        assert_eq!(table.rows[0].cells, ["1", "1", "0", "0"]);
        for number in 0..30 {
            folders.change(&format!("/f{number:02}/x/"), Action::Create);
        }
        let rows = folders.table(words).rows;
        assert_eq!(rows.len(), MOST_FOLDERS + 1);
        assert_eq!(rows[MOST_FOLDERS].name, "13 other folders");
        assert_eq!(rows[MOST_FOLDERS].cells, ["12", "0", "0", "1"]);
        assert_eq!(Folders::default().table(words), FolderTable::default());
    }
}
