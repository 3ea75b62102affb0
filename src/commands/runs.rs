//! `anp runs`: what ran, when, by whom, with what result, and how to undo it.

use serde_json::json;

use super::outcome::show_time;
use crate::cli::Common;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::ops::runs::Runs;
use crate::publish::manifest::{Damage, Manifest};
use crate::report::Output;

pub(super) fn run(common: &Common) -> Result<Exit, Failure> {
    let settings = super::settings(common, Vec::new())?;
    let all = Runs::of(&settings.state_dir)
        .all()
        .map_err(|error| Failure::state_folder("cannot list the runs", &error))?;
    let mut output = Output::stdout(common.format, false);
    if all.is_empty() {
        let shown = settings.state_dir.display();
        output.text(format!("no run is recorded in {shown}"));
    }
    let mut exit = Exit::Done;
    for (id, manifest) in all {
        match manifest {
            Ok(manifest) => show(&manifest, &mut output),
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
                    "run": id, "status": status, "error": damage.to_string(),
                }));
            }
        }
    }
    Ok(exit)
}

fn show(manifest: &Manifest, output: &mut Output) {
    let header = manifest.header();
    let footer = manifest.footer();
    let status = footer.map_or("unfinished", |footer| footer.status.word());
    output.json(&json!({
        "run": header.run, "command": header.command, "started_at": header.started_at,
        "ended_at": footer.map(|footer| footer.ended_at), "status": status,
        "counts": footer.map(|footer| footer.counts), "owner": header.owner,
        "expected_result": header.expected_result, "server": header.server, "db": header.db,
        "prefix": header.prefix, "content": header.content, "undoes": header.undoes,
        "host": header.host, "pid": header.pid,
        "manifest": manifest.path(), "rollback": header.rollback,
    }));
    output.text(format!(
        "{}  {}  {status}  {}",
        header.run,
        header.command,
        show_time(header.started_at)
    ));
    let result = footer.map_or_else(
        || "it did not end by itself: its rollback is safe".to_owned(),
        |footer| {
            let c = &footer.counts;
            format!(
                "{} created, {} updated, {} refreshed, {} removed, {} kept, {} conflicts, \
                 {} invalid",
                c.created, c.updated, c.refreshed, c.removed, c.kept, c.conflicts, c.invalid
            )
        },
    );
    let mut rows = vec![("result", result)];
    rows.extend(header.owner.clone().map(|owner| ("owner", owner)));
    rows.extend(header.expected_result.clone().map(|text| ("expected", text)));
    rows.extend(header.undoes.clone().map(|run| ("undoes", run)));
    rows.push(("store", format!("{}, prefix {}", header.server, header.prefix)));
    rows.push(("rollback", header.rollback.clone()));
    for (label, text) in rows {
        output.text(format!("  {label:9}{text}"));
    }
}
