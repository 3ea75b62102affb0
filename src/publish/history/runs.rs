//! Runs are known from their manifests in the state folder: `RUN.jsonl.zst`, or where several
//! shards do one run, `RUN.I-of-N.K.jsonl.zst` for the start number K of shard I.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use crate::failpoint;
use crate::publish::manifest::{Damage, Header, Manifest, Verify, header_of};
use crate::publish::run::state_files::not_durable;
use crate::publish::shards::shard;
use crate::publish::shards::shard::Shard;

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

    /// Where the manifests are.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether there is a folder of them.
    #[must_use]
    pub fn are_there(&self) -> bool {
        self.folder.is_dir()
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
            failpoint::at("state", "sync").map_err(not_durable)?;
            match std::fs::File::open(above) {
                // Others made that one, and may keep this user out of the folder above it.
                Err(error) if was_there && error.kind() == io::ErrorKind::PermissionDenied => {}
                opened => opened?.sync_all().map_err(not_durable)?,
            }
        }
        Ok(())
    }

    /// The file of the run `id`, if one process does it.
    #[must_use]
    pub fn file(&self, id: &str) -> PathBuf {
        self.folder.join(format!("{id}{ENDING}"))
    }

    /// The file of the start number `attempt` of `shard`, which does the run `id` together with
    /// others.
    #[must_use]
    pub fn part(&self, id: &str, shard: Shard, attempt: u32) -> PathBuf {
        self.file(&format!("{id}.{}.{attempt}", shard.in_file_name()))
    }

    /// Whether the file at `path` is one of them.
    #[must_use]
    pub fn holds(&self, path: &Path) -> bool {
        let folder = path.parent().map(Path::canonicalize);
        match (folder, self.folder.canonicalize()) {
            (Some(Ok(folder)), Ok(own)) => folder == own && self.is_named_as_run(path),
            _ => false,
        }
    }

    fn is_named_as_run(&self, path: &Path) -> bool {
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.and_then(|name| name.strip_suffix(ENDING));
        name.is_some_and(|name| is_id(name) || part_of(name).is_some())
    }

    /// How often `shard` of the run `listed` was started, 0 if never.
    #[must_use]
    pub fn last_attempt(listed: &ListedRun, shard: Shard) -> u32 {
        let attempts = listed.files.iter().filter_map(|file| {
            let (_, of_file, attempt) = file_of_part(file)?;
            (of_file == shard).then_some(attempt)
        });
        attempts.max().unwrap_or(0)
    }

    /// Every run, oldest first, with its files, of which those of shards are opened for their
    /// start.
    ///
    /// # Errors
    /// Whatever the file system says; a folder that does not exist holds no runs.
    pub fn list(&self) -> io::Result<Vec<ListedRun>> {
        let entries = match std::fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut listed = Vec::new();
        let mut shards: BTreeMap<String, Vec<(Shard, u32)>> = BTreeMap::new();
        for entry in entries {
            let name = entry?.file_name();
            let Some(name) = name.to_str().and_then(|name| name.strip_suffix(ENDING)) else {
                continue;
            };
            // A copy under another name is no run: it would pass for the last one.
            if is_id(name) {
                listed.push(ListedRun {
                    order: name.to_owned(),
                    files: vec![self.file(name)],
                    id: name.to_owned(),
                });
            } else if let Some((id, shard, attempt)) = part_of(name) {
                let parts = shards.entry(id.to_owned()).or_default();
                parts.push((shard, attempt));
            }
        }
        for (id, mut parts) in shards {
            parts.sort_unstable();
            let files: Vec<PathBuf> = parts
                .into_iter()
                .map(|(shard, attempt)| self.part(&id, shard, attempt))
                .collect();
            listed.push(ListedRun {
                order: order_of_files(&id, &files),
                files,
                id,
            });
        }
        listed.sort_by(|a, b| a.order.cmp(&b.order));
        Ok(listed)
    }

    /// The ids of all runs, oldest first.
    ///
    /// # Errors
    /// As [`Self::list`].
    pub fn ids(&self) -> io::Result<Vec<String>> {
        let ids = self.list()?.into_iter().map(|listed| listed.id);
        Ok(ids.collect())
    }

    /// The run `id`, if there is one.
    ///
    /// # Errors
    /// As [`Self::list`].
    pub fn find(&self, id: &str) -> io::Result<Option<ListedRun>> {
        let mut all = self.list()?.into_iter();
        Ok(all.find(|listed| listed.id == id))
    }

    /// Every run, oldest first, with what its manifest says or why it cannot be read.
    ///
    /// # Errors
    /// Whatever the file system says of the folder.
    pub fn all(&self) -> io::Result<Vec<(String, Result<Manifest, Damage>)>> {
        let all = self.all_placed()?.into_iter();
        Ok(all.map(|(id, _, manifest)| (id, manifest)).collect())
    }

    /// The same, each with its place among the others, ms since 1970.
    ///
    /// # Errors
    /// As [`Self::all`].
    #[allow(clippy::type_complexity, reason = "three columns of a list")]
    pub fn all_placed(&self) -> io::Result<Vec<(String, i64, Result<Manifest, Damage>)>> {
        let open = |listed: ListedRun| {
            let manifest = listed.open(Verify::Ends);
            // A run that ends meanwhile removes old manifests: gone is not damaged.
            let is_gone = matches!(
                &manifest,
                Err(Damage::Io { error, .. }) if error.kind() == io::ErrorKind::NotFound
            );
            (!is_gone).then(|| (listed.id.clone(), listed.place(), manifest))
        };
        Ok(self.list()?.into_iter().filter_map(open).collect())
    }

    /// An id for a run that starts at `now_ms`: it sorts after every run there is, also if
    /// the clock was set back meanwhile.
    ///
    /// # Errors
    /// Whatever the file system says.
    pub fn new_id(&self, now_ms: i64, salt: u16) -> io::Result<String> {
        let id = |at_ms: i64| format!("{}-{salt:04x}", time_part(at_ms));
        let mine = id(now_ms);
        match self.list()?.pop() {
            Some(last) if last.order >= mine => {
                let after = parse_time(&last.order).map_or(now_ms, |last_ms| last_ms + 1);
                Ok(id(after.max(now_ms)))
            }
            _ => Ok(mine),
        }
    }
}

/// One run in the folder.
#[derive(Clone, Debug)]
pub struct ListedRun {
    /// Its id.
    pub id: String,
    /// What it is ordered by, as [`order_of`] its header.
    pub order: String,
    /// Its file, or those of its shards, in the order of the shards and of their starts.
    pub files: Vec<PathBuf>,
}

impl ListedRun {
    /// Its place among the others, ms since 1970.
    #[must_use]
    pub fn place(&self) -> i64 {
        parse_time(&self.order).unwrap_or(0)
    }

    /// Opens what was recorded of it.
    ///
    /// # Errors
    /// See [`Damage`].
    pub fn open(&self, verify: Verify) -> Result<Manifest, Damage> {
        let mut manifest = Manifest::open_all(&self.files, verify)?;
        self.names_fit(&manifest)?;
        match self.has_all_starts() {
            Err(damage) if verify == Verify::Rest => manifest.lose(&damage),
            checked => checked?,
        }
        Ok(manifest)
    }

    /// Whether each file of a shard holds the start that its name tells.
    fn names_fit(&self, manifest: &Manifest) -> Result<(), Damage> {
        for (path, header) in manifest.headers() {
            let Some((id, shard, attempt)) = file_of_part(path) else {
                continue;
            };
            let told = (header.run.as_str(), header.shard, header.attempt);
            if told != (id, Some(shard), Some(attempt)) {
                let of = header.shard.map_or(String::new(), |of| format!(" {of}"));
                let start = header.attempt.unwrap_or(0);
                return Err(Damage::Damaged {
                    path: path.to_owned(),
                    offset: 0,
                    what: format!(
                        "expected start {attempt} of shard {shard} of run {id} as its name says, \
                         found start {start} of shard{of} of run {}",
                        header.run
                    ),
                });
            }
        }
        Ok(())
    }

    /// Whether the starts of each shard are all there: the way back needs what the earlier ones
    /// found.
    fn has_all_starts(&self) -> Result<(), Damage> {
        let mut last = None;
        for path in &self.files {
            let Some((id, shard, attempt)) = file_of_part(path) else {
                continue;
            };
            let expected = match last {
                Some((of, attempt)) if of == shard => attempt + 1,
                _ => 1,
            };
            if attempt != expected {
                let name = format!("{id}.{}.{expected}{ENDING}", shard.in_file_name());
                return Err(Damage::Missing {
                    path: path.with_file_name(name),
                    what: format!("start {attempt} of shard {shard} of run {id} came after it"),
                });
            }
            last = Some((shard, attempt));
        }
        Ok(())
    }
}

/// The run, the shard and the number of its start that the name of a file tells.
fn file_of_part(path: &Path) -> Option<(&str, Shard, u32)> {
    part_of(path.file_name()?.to_str()?.strip_suffix(ENDING)?)
}

/// The run in its folder that the file at `path` is a part of, if it bears the name of one.
#[must_use]
pub fn run_of_part(path: &Path) -> Option<(Runs, String)> {
    let (id, _, _) = file_of_part(path)?;
    let folder = path.parent()?.to_owned();
    Some((Runs { folder }, id.to_owned()))
}

/// `RUN.I-of-N.K`: the run, the shard and the number of its start.
fn part_of(name: &str) -> Option<(&str, Shard, u32)> {
    let (rest, attempt) = name.rsplit_once('.')?;
    let (id, shard) = rest.rsplit_once('.')?;
    let attempt = shard::whole(attempt).filter(|attempt| *attempt > 0)?;
    let fits = shard::is_run_id(id) && !is_id(id);
    fits.then_some((id, Shard::of_file_name(shard)?, attempt))
}

/// What the run of `header` is ordered by: its start, or if the clock was set back since the run
/// before it, the place behind that one. The ids that anp makes tell it; whatever names a run in
/// shards does not.
#[must_use]
pub fn order_of(header: &Header) -> String {
    match header.attempt {
        None => header.run.clone(),
        Some(_) => order(&header.run, place_of(header)),
    }
}

/// The place of a run in shards among the others. Manifests of 0.1.0 do not tell it: there it is the
/// start of the run.
pub(crate) fn place_of(header: &Header) -> i64 {
    header.order.unwrap_or(header.started_at)
}

fn order(id: &str, started_at: i64) -> String {
    format!("{}-{id}", time_part(started_at))
}

/// What a run in shards is ordered by. One whose files all end before their header is whole wrote
/// nothing: it takes its place by the date of a file.
fn order_of_files(id: &str, files: &[PathBuf]) -> String {
    let place = files
        .iter()
        .find_map(|file| Some(place_of(&header_of(file).ok()?)));
    let changed_at = || {
        let metadata = std::fs::symlink_metadata(files.first()?).ok()?;
        let since = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
        i64::try_from(since.as_millis()).ok()
    };
    order(id, place.or_else(changed_at).unwrap_or(0))
}

/// `20261124T054515.123Z`: sorts by time.
fn time_part(at_ms: i64) -> String {
    let at = jiff::Timestamp::from_millisecond(at_ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    at.strftime("%Y%m%dT%H%M%S.%3fZ").to_string()
}

/// Whether `name` has the form of the ids that [`Runs::new_id`] makes.
#[must_use]
pub fn is_id(name: &str) -> bool {
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
    use super::{Runs, part_of, run_of_part};
    use crate::publish::shards::shard::Shard;

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

    #[test]
    fn the_files_of_a_run_in_shards_are_one_run() {
        let folder = tempfile::tempdir().unwrap();
        let runs = Runs::of(folder.path());
        runs.make_folder().unwrap();
        let shard = |index| Shard { index, of: 12 };
        for (id, index, attempt) in [
            ("night", 10, 1),
            ("night", 2, 11),
            ("night", 2, 2),
            ("night.2-of-12.1", 0, 1),
        ] {
            std::fs::write(runs.part(id, shard(index), attempt), "").unwrap();
        }
        for name in [
            "night.2-of-12.01",
            "night.2-of-12.0",
            "night.12-of-12.1",
            ".a.0-of-1.1",
            "x.1",
        ] {
            std::fs::write(runs.file(name), "").unwrap();
        }
        let mut ids = runs.ids().unwrap();
        ids.sort();
        assert_eq!(ids, ["night", "night.2-of-12.1"]);
        let night = runs.find("night").unwrap().unwrap();
        let names: Vec<_> = night
            .files
            .iter()
            .map(|file| file.file_name().unwrap())
            .collect();
        assert_eq!(
            names,
            [
                "night.2-of-12.2.jsonl.zst",
                "night.2-of-12.11.jsonl.zst",
                "night.10-of-12.1.jsonl.zst"
            ]
        );
        let (_, id) = run_of_part(&night.files[0]).unwrap();
        assert_eq!(id, "night");
        assert_eq!(
            run_of_part(&runs.file("20251124T160000.123Z-ffff")).map(|(_, id)| id),
            None
        );
        // A whole run's id names no run in shards.
        assert_eq!(part_of("20251124T160000.123Z-ffff.0-of-4.1"), None);
    }
}
