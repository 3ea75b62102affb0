//! What became of the articles of each folder.

use std::collections::BTreeMap;

use serde::Serialize;

use super::chart::grouped;
use crate::publish::manifest::Action;
use crate::words::counted;

/// So many folders are shown; the others are counted together.
const MOST_FOLDERS: usize = 20;

/// Articles by the first folder of their route.
#[derive(Debug, Default)]
pub(super) struct Folders(BTreeMap<String, FolderCounts>);

#[derive(Clone, Copy, Debug, Default)]
struct FolderCounts {
    created: u64,
    updated: u64,
    refreshed: u64,
    removed: u64,
    unchanged: u64,
}

impl FolderCounts {
    fn changed(&self) -> u64 {
        self.created + self.updated + self.refreshed + self.removed
    }

    fn cells(&self) -> [(&'static str, u64); 5] {
        [
            ("published", self.created),
            ("updated", self.updated),
            ("refreshed", self.refreshed),
            ("removed", self.removed),
            ("unchanged", self.unchanged),
        ]
    }

    fn add(&mut self, other: &Self) {
        self.created += other.created;
        self.updated += other.updated;
        self.refreshed += other.refreshed;
        self.removed += other.removed;
        self.unchanged += other.unchanged;
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
        let counts = self.of(route);
        *match action {
            Action::Create => &mut counts.created,
            Action::Update => &mut counts.updated,
            Action::Refresh => &mut counts.refreshed,
            Action::Remove => &mut counts.removed,
        } += 1;
    }

    /// Counts an article that stays as it is.
    pub(super) fn keep(&mut self, route: &str) {
        self.of(route).unchanged += 1;
    }

    /// All of a few folders; of many those with changes, and the others together. Those with the most
    /// changes come first.
    pub(super) fn table(&self) -> FolderTable {
        let mut folders: Vec<_> = self.0.iter().collect();
        folders.sort_by_key(|(name, counts)| (std::cmp::Reverse(counts.changed()), *name));
        let changed = folders.iter().filter(|(_, counts)| counts.changed() > 0);
        let shown = match folders.len() {
            few @ ..=MOST_FOLDERS => few,
            _ => changed.count().min(MOST_FOLDERS),
        };
        let (shown, others) = folders.split_at(shown);
        let mut all = FolderCounts::default();
        self.0.values().for_each(|counts| all.add(counts));
        let cells_of = |counts: &FolderCounts| {
            let cells = counts.cells().into_iter().zip(all.cells());
            let cells = cells.filter(|(_, (_, all))| *all > 0);
            cells.map(|((_, count), _)| grouped(count)).collect()
        };
        let mut rows: Vec<FolderRow> = shown
            .iter()
            .map(|(name, counts)| FolderRow {
                name: (*name).clone(),
                cells: cells_of(counts),
            })
            .collect();
        if !others.is_empty() {
            let mut rest = FolderCounts::default();
            others.iter().for_each(|(_, counts)| rest.add(counts));
            let noun = if shown.is_empty() {
                "folder"
            } else {
                "other folder"
            };
            rows.push(FolderRow {
                name: counted(others.len() as u64, noun),
                cells: cells_of(&rest),
            });
        }
        let heads = all.cells().into_iter().filter(|(_, all)| *all > 0);
        FolderTable {
            heads: heads.map(|(head, _)| head).collect(),
            rows,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn articles_are_counted_by_their_first_folder() {
        let mut folders = Folders::default();
        folders.change("/a/x/", Action::Create);
        folders.change("/a/b/y/", Action::Update);
        folders.change("/z/", Action::Remove);
        folders.keep("/c/x/");
        let table = folders.table();
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
        let rows = folders.table().rows;
        assert_eq!(rows.len(), MOST_FOLDERS + 1);
        assert_eq!(rows[MOST_FOLDERS].name, "13 other folders");
        assert_eq!(rows[MOST_FOLDERS].cells, ["12", "0", "0", "1"]);
        assert_eq!(Folders::default().table(), FolderTable::default());
    }
}
