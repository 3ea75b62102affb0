//! What `anp runs` prints: what ran, when, by whom, with what result, and how to undo it.

use serde_json::{Value, json};

use super::Output;
use super::articles::{changes, listed, undoings};
use super::table::{Cells, Table};
use crate::duration::show_local;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::publish::history::listing::{RunFilter, RunItem, RunList};
use crate::publish::manifest::{ArticleCounts, Damage, Footer, Manifest, Status};
use crate::publish::one_line_within;
use crate::publish::run::command_line::rollback_line;
use crate::settings::Settings;
use crate::words::counted;

/// So much is shown of a text of a manifest, in characters: a path may be as long.
const LONGEST_TEXT: usize = 4096;

/// So much is shown of the name of who ran it, and of a command.
const LONGEST_NAME: usize = 40;
const LONGEST_COMMAND: usize = 10;

/// So many runs are shown where not all are asked for.
const NEWEST: usize = 20;

/// Lists the runs of the state folder: for people the newest first, and not more than 20 unless `all`
/// are asked for; for machines every one, the oldest first.
///
/// # Errors
/// 74 when the folder cannot be read.
pub(crate) fn list(
    settings: &Settings,
    filter: RunFilter,
    all: bool,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let list = RunList::read(settings, filter)?;
    let mut exit = Exit::Done;
    for item in &list.items {
        if let Err(damage) = &item.manifest
            && !matches!(damage, Damage::NoHeader { .. })
        {
            exit = Exit::Partial;
        }
    }
    if output.is_json() {
        for item in &list.items {
            output.json(&json_of(settings, item));
        }
        return Ok(exit);
    }
    if list.items.is_empty() {
        let shown = settings.state_dir_shown();
        output.text(match list.all {
            0 => format!("no run is recorded in {shown}"),
            all => format!("none of the {} in {shown} fits", counted(all as u64, "run")),
        });
        return Ok(exit);
    }
    let most = if all { usize::MAX } else { NEWEST };
    let shown: Vec<&RunItem> = list.items.iter().rev().take(most).collect();
    output.text(table(&list, &shown));
    for item in &shown {
        if let Err(damage) = &item.manifest {
            output.text(format!("{}: {damage}", list.short(&item.id)));
        }
    }
    output.text("");
    let older = list.items.len() - shown.len();
    if older > 0 {
        let older = counted(older as u64, "older run");
        output.text(format!("{older} left out; --all lists every run"));
    }
    output.text("anp runs show RUN shows one with its keys and its rollback command");
    Ok(exit)
}

/// The rows of `shown`.
fn table(list: &RunList, shown: &[&RunItem]) -> String {
    let columns = [
        ("RUN", Cells::Whole),
        ("COMMAND", Cells::Whole),
        ("WHEN", Cells::Whole),
        ("WHO", Cells::Broken),
        ("RESULT", Cells::Broken),
    ];
    let now_ms = jiff::Timestamp::now().as_millisecond();
    let mut table = Table::new(&columns);
    for item in shown {
        let header = item.manifest.as_ref().ok().map(Manifest::header);
        let who = header.and_then(|header| header.owner.as_ref().or(header.user.as_ref()));
        let undone_by = item.undone_by.as_deref();
        let undone = undone_by.map(|by| format!(", undone by {}", list.short(by)));
        table.row(vec![
            list.short(&item.id).to_owned(),
            header.map_or(String::new(), |header| {
                one_line_within(&header.command, LONGEST_COMMAND)
            }),
            show_local(item.started_at_ms(), now_ms),
            who.map_or(String::new(), |who| one_line_within(who, LONGEST_NAME)),
            result(item) + &undone.unwrap_or_default(),
        ]);
    }
    table.text()
}

/// How a run ended, and what it did to articles, without what it did not do.
pub(crate) fn result(item: &RunItem) -> String {
    match &item.manifest {
        Ok(manifest) => result_of(manifest),
        Err(Damage::NoHeader { .. }) => "died before it wrote anything".to_owned(),
        Err(_) => "damaged".to_owned(),
    }
}

fn result_of(manifest: &Manifest) -> String {
    let shards = manifest.shards().filter(|shards| shards.done < shards.of);
    let shards = shards.map(|shards| format!("{} of {} shards done", shards.done, shards.of));
    let Some(footer) = manifest.footer() else {
        return shards.map_or("unfinished".to_owned(), |shards| {
            format!("unfinished, {shards}")
        });
    };
    let counts = &footer.counts;
    let of = footer.articles.and_then(|articles| articles.of);
    let invalid = match (counts.invalid, of) {
        (0, _) => None,
        (invalid, Some(of)) if footer.status == Status::Refused => {
            Some(format!("{invalid} of {of} invalid"))
        }
        (invalid, _) => Some(format!("{invalid} invalid")),
    };
    let mut parts: Vec<String> = match footer.status {
        Status::Done | Status::Partial => Vec::new(),
        status => vec![status.word().to_owned()],
    };
    parts.extend(shards);
    if let (None, Some(shard)) = (manifest.shards(), manifest.header().shard) {
        parts.push(format!("shard {shard}"));
    }
    parts.extend(changed(manifest, footer));
    parts.extend(invalid);
    for (number, word) in [
        (counts.conflicts, "in conflict"),
        (counts.expired, "expired"),
        (counts.withheld, "withheld"),
    ] {
        if number > 0 {
            parts.push(format!("{} {word}", counted(number, "key")));
        }
    }
    if parts.is_empty() {
        parts.push("nothing to do".to_owned());
    }
    parts.join(", ")
}

/// What the run changed: articles, or where an old manifest does not tell these, keys.
fn changed(manifest: &Manifest, footer: &Footer) -> Option<String> {
    let is_rollback = manifest.header().undoes.is_some();
    let keys = &footer.counts;
    let counts = footer.articles.unwrap_or(ArticleCounts {
        created: keys.created,
        updated: keys.updated,
        refreshed: keys.refreshed,
        removed: keys.removed,
        ..ArticleCounts::default()
    });
    let unit = if footer.articles.is_some() {
        "article"
    } else {
        "key"
    };
    let text = if is_rollback {
        listed(unit, undoings(&counts, false).iter())
    } else {
        listed(unit, changes(&counts, false).iter())
    };
    (!text.is_empty()).then_some(text)
}

fn json_of(settings: &Settings, item: &RunItem) -> Value {
    match &item.manifest {
        Ok(manifest) => object(settings, manifest, item.undone_by.as_deref()),
        Err(damage) => {
            let status = match damage {
                Damage::NoHeader { .. } => "died before it wrote anything",
                _ => "damaged",
            };
            json!({
                "type": "run", "run": item.id, "status": status, "error": damage.to_string(),
            })
        }
    }
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
        "manifest": manifest.path(),
        "rollback": manifest.wrote().then(|| rollback_line(settings, manifest)),
        "user": header.user, "wrote": manifest.wrote(),
        "articles": footer.and_then(|footer| footer.articles),
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
