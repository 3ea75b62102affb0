//! A run named on the command line, and the manifest behind the name.

use std::collections::HashSet;
use std::path::Path;

use crate::exit::Exit;
use crate::failure::Failure;
pub(super) use crate::ops::refusal::unusable;
use crate::ops::runs::{Runs, run_of_part};
use crate::publish::manifest::{Damage, Fate, Intent, Line, Manifest, Verify};
use crate::publish::plan::Keys;
use crate::publish::state::Found;
use crate::report::log;
use crate::settings::Settings;
use crate::store::{Address, Session, StoreError};

/// So many keys are looked at in one round trip.
const LOOK_KEYS: usize = 256;

/// Opens the manifest of a run's id, a file, or `last`: the run that started last and is
/// no rollback.
pub(super) fn open(settings: &Settings, name: &str) -> Result<Manifest, Failure> {
    let manifest = find(settings, name)?;
    let is_one = manifest.shards().is_none();
    for (path, offset) in manifest.torn() {
        let which = if is_one {
            String::new()
        } else {
            format!(" {}", path.display())
        };
        log::note(format!(
            "the manifest{which} is torn at byte {offset}; nothing was done of what it lost there"
        ));
    }
    if let Some(shards) = manifest.shards()
        && shards.done < shards.of
    {
        log::note(format!(
            "{} of the {} shards of run {} were started, {} of them did their share",
            shards.started,
            shards.of,
            manifest.header().run,
            shards.done
        ));
    }
    Ok(manifest)
}

/// Opens what `manifest` was opened from by that `name` once more, and says nothing of it again.
pub(super) fn again(
    settings: &Settings,
    name: &str,
    manifest: &Manifest,
) -> Result<Manifest, Failure> {
    let run = &manifest.header().run;
    // The last run may be another one by now.
    find(settings, if name == "last" { run } else { name })
}

fn find(settings: &Settings, name: &str) -> Result<Manifest, Failure> {
    let runs = Runs::of(&settings.state_dir);
    let failed = |error: std::io::Error| Failure::state_folder("cannot list the runs", &error);
    if name != "last" {
        let path = Path::new(name);
        let is_file = name.contains('/') || path.is_file();
        let listed = if !is_file {
            runs.find(name).map_err(failed)?
        } else if let Some((runs, id)) = run_of_part(path) {
            // One shard alone is no run: its file stands for all of them.
            runs.find(&id).map_err(failed)?
        } else {
            None
        };
        let file = if is_file {
            path.to_owned()
        } else {
            runs.file(name)
        };
        let opened = match listed {
            Some(listed) => listed.open(Verify::All),
            None if file.exists() => Manifest::open(&file, Verify::All),
            None => return Err(no_such_run(settings, name)),
        };
        return opened.map_err(|damage| unusable(&damage));
    }
    for listed in runs.list().map_err(failed)?.into_iter().rev() {
        match listed.open(Verify::All) {
            Ok(manifest) if manifest.header().command == "rollback" => {}
            Ok(manifest) => return Ok(manifest),
            Err(damage) => {
                let failure = unusable(&damage);
                let earlier = last_that_wrote(settings);
                return Err(match (damage, earlier) {
                    // It wrote nothing; undoing an earlier run is for a person to decide.
                    (Damage::NoHeader { .. }, Some(command)) => failure.note("earlier", command),
                    _ => failure,
                });
            }
        }
    }
    let shown = settings.state_dir.display();
    Err(
        Failure::new(Exit::Usage, format!("no run is recorded in {shown}"))
            .note("expected", "a state folder with runs in it")
            .note("retry", "with another --state-dir; nothing was written"),
    )
}

fn no_such_run(settings: &Settings, name: &str) -> Failure {
    let shown = settings.state_dir.display();
    Failure::new(Exit::Usage, format!("there is no run '{name}' in {shown}"))
        .note(
            "expected",
            "a run that 'anp runs' lists, the file of a manifest, or 'last'",
        )
        .note(
            "retry",
            "with another run or --state-dir; nothing was written",
        )
}

/// The last run before `manifest` that wrote something and is no rollback.
pub(super) fn last_that_wrote(settings: &Settings) -> Option<String> {
    let runs = Runs::of(&settings.state_dir).all().ok()?;
    runs.into_iter().rev().find_map(|(_, manifest)| {
        let manifest = manifest.ok()?;
        let is_rollback = manifest.header().command == "rollback";
        (!is_rollback && manifest.wrote()).then(|| manifest.header().rollback.clone())
    })
}

/// Keys whose intents were recorded and then not carried out.
///
/// # Errors
/// When the manifest turns out to be damaged.
pub(super) fn untouched(manifest: &Manifest) -> Result<HashSet<String>, Failure> {
    read_through(manifest).map(|(keys, _)| keys)
}

/// The same, with the number of all intents. Reads every line, so that damage anywhere is known
/// before anything is done.
///
/// # Errors
/// When the manifest turns out to be damaged.
pub(super) fn read_through(manifest: &Manifest) -> Result<(HashSet<String>, u64), Failure> {
    let mut keys = HashSet::new();
    let mut intents = 0;
    let known = Keys::new(&manifest.header().prefix);
    let (page, meta) = (known.page_prefix(), known.meta_prefix());
    for batch in manifest.batches() {
        for line in batch.map_err(|damage| unusable(&damage))? {
            match line {
                Line::Outcome(outcome) if outcome.fate != Fate::Written => {
                    keys.insert(outcome.key);
                }
                Line::Intent(intent)
                    if !(intent.key.starts_with(&page) || intent.key.starts_with(&meta)) =>
                {
                    let what = format!(
                        "the manifest names the key {:?}, none of its prefix",
                        intent.key
                    );
                    return Err(Failure::new(Exit::Refused, what)
                        .note("expected", format!("keys that begin with {page} or {meta}"))
                        .note("retry", "not with this file; nothing was written"));
                }
                Line::Intent(_) => intents += 1,
                _ => {}
            }
        }
    }
    Ok((keys, intents))
}

/// The intents that were, or may have been, carried out, in order.
pub(super) fn intents<'a>(
    manifest: &'a Manifest,
    untouched: &'a HashSet<String>,
) -> impl Iterator<Item = Result<Intent, Damage>> + 'a {
    manifest.batches().flat_map(move |batch| {
        let lines = match batch {
            Ok(lines) => lines,
            Err(damage) => return vec![Err(damage)],
        };
        lines
            .into_iter()
            .filter_map(|line| match line {
                Line::Intent(intent) if !untouched.contains(&intent.key) => Some(Ok(intent)),
                _ => None,
            })
            .collect()
    })
}

/// Looks at the key of every intent that counts, in order, many in one round trip.
pub(super) fn look_at_each(
    manifest: &Manifest,
    untouched: &HashSet<String>,
    session: &mut Session,
    doing: &str,
    visit: &mut dyn FnMut(Intent, Found) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut intents = intents(manifest, untouched);
    loop {
        let chunk: Vec<Intent> = intents
            .by_ref()
            .take(LOOK_KEYS)
            .collect::<Result<_, _>>()
            .map_err(|damage| unusable(&damage))?;
        if chunk.is_empty() {
            return Ok(());
        }
        let failed = |error: StoreError| Failure::before_writing(&error);
        let keys: Vec<&str> = chunk.iter().map(|intent| intent.key.as_str()).collect();
        let found = Found::read_all(session, &keys, doing).map_err(failed)?;
        for (intent, found) in chunk.into_iter().zip(found) {
            visit(intent, found)?;
        }
    }
}

/// Where a manifest's run wrote: `--redis` if it was given, else the server of its header,
/// with the credentials of the settings.
///
/// # Errors
/// When the header names no server.
pub(super) fn address(settings: &Settings, manifest: &Manifest) -> Result<Address, Failure> {
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
