//! A run named on the command line, and the manifest behind the name.

use std::path::{Path, PathBuf};

use super::runs::{ListedRun, Runs, run_of_part};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::publish::manifest::{Counts, Damage, Manifest, Verify};
use crate::publish::report::Report;
use crate::settings::Settings;
use crate::store::Address;
use crate::words::{counted, listed, with};

pub(crate) use crate::publish::run::refusal::unusable;

/// So many runs are named where the start of an id fits more than one.
const NAMED_RUNS: usize = 4;

/// Opens the manifest of a run: by its id or a prefix that no other id has, a file, or `last`, the last
/// run that wrote something and is no rollback, `last~1` the one before it, and so on.
pub(crate) fn open(
    settings: &Settings,
    name: &str,
    report: &mut dyn Report,
) -> Result<Manifest, Failure> {
    Ok(open_with_files(settings, name, Verify::All, report)?.0)
}

/// The same, checked as `verify` asks for, with the files that it was opened from.
pub(crate) fn open_with_files(
    settings: &Settings,
    name: &str,
    verify: Verify,
    report: &mut dyn Report,
) -> Result<(Manifest, Files), Failure> {
    let (manifest, files) = find(settings, name, verify, report)?;
    Ok(as_found(manifest, files, report))
}

/// Says what is not as a run leaves its manifest.
fn as_found(manifest: Manifest, files: Files, report: &mut dyn Report) -> (Manifest, Files) {
    let is_one = manifest.shards().is_none();
    for (path, offset) in manifest.torn() {
        let which = if is_one {
            String::new()
        } else {
            format!(" {}", path.display())
        };
        report.note(&format!(
            "the manifest{which} is torn at byte {offset}: a run that died there wrote no key of \
             what is lost; if the file lost it later, its keys stay as they are"
        ));
    }
    for path in manifest.without_header() {
        report.note(&format!(
            "the manifest {} ends before its header is whole: that start wrote nothing",
            path.display()
        ));
    }
    if let Some(shards) = manifest.shards()
        && shards.done < shards.of
    {
        let (of, done, run) = (shards.of, shards.done, &manifest.header().run);
        report.note(&if shards.started < of {
            let started = shards.started;
            format!(
                "only manifests of {started} of the {of} shards of run {run} are there; {done} of \
                 them did their share"
            )
        } else {
            format!("{done} of the {of} shards of run {run} did their share")
        });
    }
    (manifest, files)
}

/// The files of a run, as they were when it was looked for.
pub(crate) struct Files {
    /// The run, if its folder tells which files it has.
    run: Option<(Runs, String)>,
    /// Each with its length, none if it is not there.
    found: Vec<(PathBuf, Option<u64>)>,
}

impl Files {
    fn of_run(runs: Runs, listed: &ListedRun) -> Self {
        Self {
            run: Some((runs, listed.id.clone())),
            found: lengths(&listed.files),
        }
    }

    /// Whether they still are as they were.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub(crate) fn are_same(&self) -> Result<bool, Failure> {
        let now = match &self.run {
            Some((runs, id)) => {
                let listed = runs.find(id).map_err(|error| not_listed(runs, &error))?;
                lengths(&listed.map_or(Vec::new(), |listed| listed.files))
            }
            None => {
                let files: Vec<PathBuf> = self.found.iter().map(|(path, _)| path.clone()).collect();
                lengths(&files)
            }
        };
        Ok(now == self.found)
    }
}

fn lengths(files: &[PathBuf]) -> Vec<(PathBuf, Option<u64>)> {
    let length = |path: &PathBuf| std::fs::metadata(path).ok().map(|metadata| metadata.len());
    files
        .iter()
        .map(|path| (path.clone(), length(path)))
        .collect()
}

fn not_listed(runs: &Runs, error: &std::io::Error) -> Failure {
    Failure::unlisted_runs(runs.folder(), error)
}

fn find(
    settings: &Settings,
    name: &str,
    verify: Verify,
    report: &mut dyn Report,
) -> Result<(Manifest, Files), Failure> {
    if let Some(back) = steps_back(name) {
        return last(settings, back, verify, report);
    }
    let runs = Runs::of(&settings.state_dir);
    let of_folder = |runs: Runs, listed: &ListedRun| {
        let files = Files::of_run(runs, listed);
        let opened = listed.open(verify);
        opened
            .map(|manifest| (manifest, files))
            .map_err(|damage| unusable(&damage))
    };
    // A run goes before a file of its name that lies about where the command is given.
    if !name.contains('/')
        && let Some(listed) = runs.find(name).map_err(|error| not_listed(&runs, &error))?
    {
        return of_folder(runs, &listed);
    }
    let path = Path::new(name);
    let path = if name.contains('/') || path.is_file() {
        path.to_owned()
    } else {
        runs.file(name)
    };
    // One shard alone is no run: its file stands for all of them.
    if let Some((runs, id)) = run_of_part(&path)
        && let Some(listed) = runs.find(&id).map_err(|error| not_listed(&runs, &error))?
    {
        return of_folder(runs, &listed);
    }
    if !path.exists() {
        return match by_prefix(settings, &runs, name)? {
            Some(listed) => of_folder(runs, &listed),
            None => Err(no_such_run(settings, name)),
        };
    }
    let files = Files {
        run: None,
        found: lengths(std::slice::from_ref(&path)),
    };
    let opened = Manifest::open(&path, verify);
    opened
        .map(|manifest| (manifest, files))
        .map_err(|damage| unusable(&damage))
}

/// How many runs `last`, `last~1` … goes back from the last one.
fn steps_back(name: &str) -> Option<usize> {
    match name.strip_prefix("last")? {
        "" => Some(0),
        rest => rest.strip_prefix('~')?.parse().ok(),
    }
}

/// The one run whose id begins with `start`.
fn by_prefix(settings: &Settings, runs: &Runs, start: &str) -> Result<Option<ListedRun>, Failure> {
    if start.is_empty() {
        return Ok(None);
    }
    let mut all = runs.list().map_err(|error| not_listed(runs, &error))?;
    all.retain(|listed| listed.id.starts_with(start));
    if all.len() < 2 {
        return Ok(all.pop());
    }
    let ids = all.iter().rev().take(NAMED_RUNS).map(|run| run.id.clone());
    let what = format!(
        "{} in {} begin with '{start}': {}",
        counted(all.len() as u64, "run"),
        settings.state_dir_shown(),
        listed(ids, all.len())
    );
    Err(Failure::new(Exit::Usage, what)
        .note("expected", "as much of the id as no other run begins with")
        .note("retry", "with more of the id; nothing was written"))
}

/// The run that wrote something last and is no rollback, or the one `back` before it. If none wrote
/// anything, the last one.
fn last(
    settings: &Settings,
    back: usize,
    verify: Verify,
    report: &mut dyn Report,
) -> Result<(Manifest, Files), Failure> {
    let runs = Runs::of(&settings.state_dir);
    let all = runs.list().map_err(|error| not_listed(&runs, &error))?;
    let mut wrote = 0;
    let mut idle = None;
    for listed in all.into_iter().rev() {
        let files = Files::of_run(runs.clone(), &listed);
        match listed.open(verify) {
            Ok(manifest) if manifest.header().command == "rollback" => {}
            Ok(manifest) if !manifest.wrote() => {
                idle = idle.or(Some(Ok((manifest, files))));
            }
            Ok(_) if wrote < back => wrote += 1,
            Ok(manifest) => {
                if let Some(idle) = idle {
                    let id = match &idle {
                        Ok((idle, _)) => &idle.header().run,
                        Err((id, _)) => id,
                    };
                    let run = &manifest.header().run;
                    report.note(&format!(
                        "the last run, {id}, wrote nothing; taking {run}, which did"
                    ));
                }
                return Ok((manifest, files));
            }
            Err(damage @ Damage::NoHeader { .. }) => {
                idle = idle.or(Some(Err((listed.id, damage))));
            }
            Err(damage) => return Err(unusable(&damage)),
        }
    }
    match idle {
        Some(Ok(idle)) if wrote == 0 && back == 0 => Ok(idle),
        Some(Err((_, damage))) if wrote == 0 && back == 0 => Err(unusable(&damage)),
        _ if back == 0 => Err(too_few_runs(settings, 0, "is recorded")),
        _ => Err(too_few_runs(settings, wrote, "wrote anything")),
    }
}

/// There is no run of the name `last` or `last~N`, because only `found` are there.
fn too_few_runs(settings: &Settings, found: usize, are: &str) -> Failure {
    let shown = settings.state_dir_shown();
    let what = match found {
        0 => format!("no run {are} in {shown}"),
        found => format!(
            "only {} that {} no rollback {} in {shown}",
            counted(found as u64, "run"),
            with(found as u64, "is", "are"),
            match (found, are) {
                (1, "is recorded") => "is recorded",
                (_, "is recorded") => "are recorded",
                _ => are,
            }
        ),
    };
    Failure::new(Exit::Usage, what)
        .note("expected", "a state folder with runs in it")
        .note("retry", "with another --state-dir; nothing was written")
}

fn no_such_run(settings: &Settings, name: &str) -> Failure {
    let shown = settings.state_dir_shown();
    Failure::new(Exit::Usage, format!("there is no run '{name}' in {shown}"))
        .note(
            "expected",
            "a run that 'anp runs' lists or the start of its id, the file of a manifest, 'last', or \
             'last~1'",
        )
        .note(
            "retry",
            "with another run or --state-dir; nothing was written",
        )
}

/// Whether a run published articles that have source files, as far as its manifest says. A run
/// that only pruned did not, nor one of seeded articles.
pub(crate) fn published_from_tree(manifest: &Manifest) -> bool {
    let content = manifest.header().content.as_ref();
    // Of a tree it is an absolute path.
    let has_files = content.is_none_or(|content| content.starts_with('/'));
    let published = |counts: &Counts| counts.created + counts.updated + counts.refreshed > 0;
    has_files
        && manifest
            .footer()
            .is_none_or(|footer| published(&footer.counts))
}

/// Where a manifest's run wrote: `--redis` if it was given, else the server of its header,
/// with the credentials of the settings.
///
/// # Errors
/// When the header names no server.
pub(crate) fn address(settings: &Settings, manifest: &Manifest) -> Result<Address, Failure> {
    if settings.address_is_explicit {
        return Ok(settings.address.clone());
    }
    let server = &manifest.header().server;
    let address = Address::parse(server).map_err(|error| {
        Failure::new(
            Exit::Refused,
            format!("the manifest names no server: {error}"),
        )
        .note("retry", "with --redis; nothing was written")
    })?;
    if address.same_as(&settings.address) {
        Ok(settings.address.clone())
    } else {
        // No password for a server that only the file names: the file may be anybody's.
        Ok(address)
    }
}
