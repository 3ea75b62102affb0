//! Runs are known from their manifests in the state folder.

use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use crate::failpoint;
use crate::publish::manifest::{Damage, Manifest, Verify};

/// The ending of a manifest's file name.
const ENDING: &str = ".jsonl.zst";

/// The folder of manifests in a state folder.
#[derive(Clone, Debug)]
pub struct Runs {
    folder: PathBuf,
}

impl Runs {
    /// The runs of `state_dir`; nothing is made.
    #[must_use]
    pub fn of(state_dir: &Path) -> Self {
        Self {
            folder: state_dir.join("runs"),
        }
    }

    /// Makes the folders, readable by their owner alone, each durable in the folder above it
    /// before the next is made: a manifest is only as durable as the folders that lead to it.
    ///
    /// The last one that is there already may be what an earlier run made and then failed to
    /// sync, so it is synced again.
    ///
    /// # Errors
    /// Whatever the file system says.
    pub fn make_folder(&self) -> io::Result<()> {
        let there = self.folder.ancestors().find(|folder| folder.exists());
        let above_there = there.and_then(Path::parent);
        let from_below = self.folder.ancestors();
        let mut folders: Vec<&Path> = from_below
            .take_while(|folder| Some(*folder) != above_there)
            .collect();
        folders.reverse();
        for folder in folders {
            let was_there = Some(folder) == there;
            if !was_there {
                let mut builder = std::fs::DirBuilder::new();
                // Another process may make it at the same time.
                builder.recursive(true).mode(0o700).create(folder)?;
            }
            let Some(above) = folder.parent() else {
                continue;
            };
            failpoint::at("state", "sync")?;
            match std::fs::File::open(above) {
                // Others made that one, and may keep this user out of the folder above it.
                Err(error) if was_there && error.kind() == io::ErrorKind::PermissionDenied => {}
                opened => opened?.sync_all()?,
            }
        }
        Ok(())
    }

    /// The file of the run `id`.
    #[must_use]
    pub fn file(&self, id: &str) -> PathBuf {
        self.folder.join(format!("{id}{ENDING}"))
    }

    /// The ids of all runs, oldest first.
    ///
    /// # Errors
    /// Whatever the file system says; a folder that does not exist holds no runs.
    pub fn ids(&self) -> io::Result<Vec<String>> {
        let entries = match std::fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut ids = Vec::new();
        for entry in entries {
            let name = entry?.file_name();
            let id = name.to_str().and_then(|name| name.strip_suffix(ENDING));
            // A copy under another name is no run: it would pass for the last one.
            if let Some(id) = id.filter(|id| is_id(id)) {
                ids.push(id.to_owned());
            }
        }
        ids.sort();
        Ok(ids)
    }

    /// Every run, oldest first, with what its manifest says or why it cannot be read.
    ///
    /// # Errors
    /// Whatever the file system says of the folder.
    pub fn all(&self) -> io::Result<Vec<(String, Result<Manifest, Damage>)>> {
        let open = |id: String| {
            let manifest = Manifest::open(&self.file(&id), Verify::Ends);
            // A run that ends meanwhile removes old manifests: gone is not damaged.
            let is_gone = matches!(
                &manifest,
                Err(Damage::Io { error, .. }) if error.kind() == io::ErrorKind::NotFound
            );
            (!is_gone).then_some((id, manifest))
        };
        Ok(self.ids()?.into_iter().filter_map(open).collect())
    }

    /// An id for a run that starts at `now_ms`: it sorts after every run there is, also if
    /// the clock was set back meanwhile.
    ///
    /// # Errors
    /// Whatever the file system says.
    pub fn new_id(&self, now_ms: i64, salt: u16) -> io::Result<String> {
        let id = |at_ms: i64| format!("{}-{salt:04x}", time_part(at_ms));
        let mine = id(now_ms);
        match self.ids()?.pop() {
            Some(last) if last >= mine => {
                let after = parse_time(&last).map_or(now_ms, |last_ms| last_ms + 1);
                Ok(id(after.max(now_ms)))
            }
            _ => Ok(mine),
        }
    }
}

/// `20261124T054515.123Z`: sorts by time.
fn time_part(at_ms: i64) -> String {
    let at = jiff::Timestamp::from_millisecond(at_ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    at.strftime("%Y%m%dT%H%M%S.%3fZ").to_string()
}

/// Whether `name` has the form of the ids that [`Runs::new_id`] makes.
fn is_id(name: &str) -> bool {
    const FORM: &[u8] = b"00000000T000000.000Z-0000";
    let fits = |(byte, form): (u8, &u8)| match form {
        b'0' => byte.is_ascii_digit() || byte.is_ascii_lowercase() && byte.is_ascii_hexdigit(),
        form => byte == *form,
    };
    name.len() == FORM.len() && name.bytes().zip(FORM).all(fits) && parse_time(name).is_some()
}

fn parse_time(id: &str) -> Option<i64> {
    let text = id.split('-').next()?;
    let at = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%S.%fZ", text).ok()?;
    let at = jiff::tz::Offset::UTC.to_timestamp(at).ok()?;
    Some(at.as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::Runs;

    #[test]
    fn ids_sort_by_time_even_if_the_clock_was_set_back() {
        let folder = tempfile::tempdir().unwrap();
        let runs = Runs::of(folder.path());
        runs.make_folder().unwrap();
        let mut ids = Vec::new();
        for (now_ms, salt) in [(1_764_000_000_123, 0xffff), (1_764_000_000_123, 1), (5, 7)] {
            let id = runs.new_id(now_ms, salt).unwrap();
            std::fs::write(runs.file(&id), "").unwrap();
            ids.push(id);
        }
        let mut sorted = ids.clone();
        sorted.sort();
        assert_eq!(ids, sorted);
        assert_eq!(ids[0], "20251124T160000.123Z-ffff");
        assert_eq!(ids[2], "20251124T160000.125Z-0007");
        assert_eq!(runs.ids().unwrap(), ids);
    }

    #[test]
    fn other_files_in_the_folder_are_no_runs_and_do_not_hide_the_last_one() {
        let folder = tempfile::tempdir().unwrap();
        let runs = Runs::of(folder.path());
        runs.make_folder().unwrap();
        let last = "20991124T160000.123Z-00af";
        for name in [
            last,
            "night",
            "20991124T160000.123Z-00af copy",
            "20991124T160000.123Z-00AF",
            "20991324T160000.123Z-00af",
            "copy of 20251124T160000.123Z-ffff",
            "",
        ] {
            std::fs::write(runs.file(name), "").unwrap();
        }
        std::fs::write(folder.path().join("runs/notes.txt"), "").unwrap();
        assert_eq!(runs.ids().unwrap(), [last]);
        // One that another process removes meanwhile is not damaged.
        let gone = runs.file("20991124T160000.123Z-00b0");
        std::os::unix::fs::symlink(folder.path().join("nowhere"), &gone).unwrap();
        assert_eq!(runs.all().unwrap().len(), 1);
        std::fs::remove_file(gone).unwrap();
        let next = runs.new_id(1_764_000_000_123, 7).unwrap();
        assert_eq!(next, "20991124T160000.124Z-0007");
    }
}
