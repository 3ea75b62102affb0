//! What `anp runs` prints: what ran, when, by whom, with what result, and how to undo it.

use serde_json::{Value, json};

use crate::duration::show_time;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::publish::history::records::{Record, rolled_back};
use crate::publish::history::runs::Runs;
use crate::publish::manifest::{Damage, Manifest};
use crate::publish::run::command_line::rollback_line;
use crate::publish::{one_line, one_line_within};
use crate::report::Output;
use crate::settings::Settings;

/// So much is shown of a text of a manifest, in characters: a path may be as long.
const LONGEST_TEXT: usize = 4096;

/// Lists the runs of the state folder.
///
/// # Errors
/// 74 when the folder cannot be read.
pub(crate) fn list(settings: &Settings, output: &mut Output) -> Result<Exit, Failure> {
    let runs = Runs::of(&settings.state_dir);
    let all = runs.all();
    let all = all.map_err(|error| Failure::unlisted_runs(runs.folder(), &error))?;
    if all.is_empty() {
        let shown = settings.state_dir_shown();
        output.text(format!("no run is recorded in {shown}"));
    }
    let whole = all
        .iter()
        .filter_map(|(_, manifest)| manifest.as_ref().ok());
    let records: Vec<Record> = whole.map(Record::of).collect();
    let rolled_back = rolled_back(&records);
    let mut exit = Exit::Done;
    for (id, manifest) in &all {
        match manifest {
            Ok(manifest) => {
                let by = rolled_back.get(manifest.header().run.as_str()).copied();
                item(settings, manifest, by, output);
            }
            Err(damage) => {
                let status = match damage {
                    Damage::NoHeader { .. } => "died before it wrote anything",
                    _ => {
                        exit = Exit::Partial;
                        "damaged"
                    }
                };
                output.text(format!("{id}  {status}\n  {damage}"));
                output.json(&json!({
                    "type": "run", "run": id, "status": status, "error": damage.to_string(),
                }));
            }
        }
    }
    Ok(exit)
}

/// How the run ended, by its own footer.
pub(crate) fn status(manifest: &Manifest) -> &'static str {
    let footer = manifest.footer();
    footer.map_or("unfinished", |footer| footer.status.word())
}

/// How the run ended, and what became of it since.
pub(crate) fn status_since(manifest: &Manifest, rolled_back_by: Option<&str>) -> String {
    let status = status(manifest);
    match rolled_back_by {
        Some(rollback) => format!("{status}, rolled back by {rollback}"),
        None => status.to_owned(),
    }
}

/// Seconds from the start to the end, if it ended by itself.
pub(crate) fn seconds(manifest: &Manifest) -> Option<f64> {
    let ended_at = manifest.footer()?.ended_at;
    Some((ended_at - manifest.header().started_at) as f64 / 1000.0)
}

/// The run as an object.
pub(crate) fn object(
    settings: &Settings,
    manifest: &Manifest,
    rolled_back_by: Option<&str>,
) -> Value {
    let header = manifest.header();
    let footer = manifest.footer();
    let mut object = json!({
        "type": "run",
        "run": header.run, "command": header.command, "started_at": header.started_at,
        "ended_at": footer.map(|footer| footer.ended_at), "seconds": seconds(manifest),
        "status": status(manifest), "rolled_back_by": rolled_back_by,
        "counts": footer.map(|footer| footer.counts), "owner": header.owner,
        "expected_result": header.expected_result, "server": header.server, "db": header.db,
        "prefix": header.prefix, "content": header.content, "undoes": header.undoes,
        "host": header.host, "pid": header.pid, "anp": header.anp,
        "torn_at": manifest.torn_at(),
        "manifest": manifest.path(), "rollback": rollback_line(settings, manifest),
    });
    if let Some(shards) = manifest.shards() {
        object["shards"] = json!({
            "of": shards.of, "started": shards.started, "done": shards.done,
        });
        object["manifests"] = manifest.paths().map(|path| json!(path)).collect();
    } else if let Some(shard) = header.shard {
        object["shard"] = json!(shard);
    }
    object
}

/// A text of a manifest, which may be anybody's, as one line.
pub(crate) fn recorded(text: &str) -> String {
    one_line_within(text, LONGEST_TEXT)
}

/// Which part of the articles the run is about, or how many shards did theirs.
pub(crate) fn share(manifest: &Manifest) -> Option<String> {
    match (manifest.shards(), manifest.header().shard) {
        (Some(shards), _) => Some(format!("{} of {} done", shards.done, shards.of)),
        (None, Some(shard)) => Some(format!("{shard} alone")),
        (None, None) => None,
    }
}

fn item(
    settings: &Settings,
    manifest: &Manifest,
    rolled_back_by: Option<&str>,
    output: &mut Output,
) {
    let header = manifest.header();
    output.json(&object(settings, manifest, rolled_back_by));
    output.text(format!(
        "{}  {}  {}  {}",
        header.run,
        one_line(&header.command),
        status(manifest),
        show_time(header.started_at)
    ));
    let result = match (manifest.footer(), rolled_back_by) {
        (Some(footer), _) => {
            let c = &footer.counts;
            format!(
                "{} created, {} updated, {} refreshed, {} removed, {} kept, {} conflicts, \
                 {} invalid",
                c.created, c.updated, c.refreshed, c.removed, c.kept, c.conflicts, c.invalid
            )
        }
        (None, None) => "it did not end by itself: its rollback is safe".to_owned(),
        (None, Some(_)) => "it did not end by itself".to_owned(),
    };
    let share = share(manifest);
    let optional = [
        ("shards", share.as_deref()),
        ("undone by", rolled_back_by),
        ("owner", header.owner.as_deref()),
        ("expected", header.expected_result.as_deref()),
        ("undoes", header.undoes.as_deref()),
    ];
    let store = format!("{}, prefix {}", header.server, header.prefix);
    let rollback = rollback_line(settings, manifest);
    let present = optional
        .into_iter()
        .filter_map(|(label, text)| Some((label, text?)));
    let rows = std::iter::once(("result", result.as_str()))
        .chain(present)
        .chain([("store", store.as_str())]);
    for (label, text) in rows {
        output.text(format!("  {label:11}{}", recorded(text)));
    }
    output.text(format!("  {:11}{rollback}", "rollback"));
}
