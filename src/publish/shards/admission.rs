//! Whether a start of a shard fits in with what the state folder knows of its run.
//!
//! The way back of a run undoes all of its starts in one step, so nobody may have written between
//! them: a later start is refused once another run did. That is any run of the same store and
//! prefix (as the manifests name them) that has begun since the first start, or of whose shards one
//! has, and may have written, rollbacks of other runs included. A run that was wholly undone since,
//! and the rollback that undid it, count as if they had not been.

use std::collections::HashSet;
use std::io;

use super::shard::Shard;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::publish::history::records::{End, Record, rollback_of, rolled_back};
use crate::publish::history::runs::{ListedRun, Runs, is_id, place_of};
use crate::publish::manifest::{Damage, Header, LATEST_MS, Verify, header_of};
use crate::publish::run::refusal::{other_settings, unusable};

/// For so long after its first start a run takes further ones.
const LONGEST_MS: i64 = 24 * HOUR_MS;

const HOUR_MS: i64 = 60 * 60 * 1000;

/// Fits `header` in among the manifests of the state folder: its start, its place among the other
/// runs, and how often this shard was started. To be called by who holds the lease of the shard.
///
/// # Errors
/// 78 when the run is divided otherwise or has other settings; 65 when it was rolled back, began
/// too long ago or another one wrote since, or a manifest is damaged; 74 when the folder or a
/// manifest cannot be read.
pub(crate) fn fit_in(runs: &Runs, header: &mut Header) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::unlisted_runs(runs.folder(), &error);
    let run = header.run.clone();
    let (known, others): (Vec<_>, Vec<_>) = runs
        .list()
        .map_err(failed)?
        .into_iter()
        .partition(|listed| listed.id == run);
    let known = known.first();
    let siblings = known.map_or(Ok(Vec::new()), headers)?;
    for sibling in &siblings {
        if let (Some(theirs), Some(own)) = (sibling.shard, header.shard)
            && theirs.of != own.of
        {
            return Err(divided_otherwise(&run, own, theirs.of));
        }
        if sibling.settings_digest != header.settings_digest {
            return Err(other_settings(&run));
        }
    }
    let own = header.started_at;
    let started = siblings.iter().map(|sibling| sibling.started_at).min();
    let started_at = started.map_or(own, |first| first.min(own));
    let begun_at = header.begun_at.unwrap_or(own);
    if begun_at.saturating_sub(started_at) > LONGEST_MS {
        return Err(too_old(&run, begun_at - started_at));
    }
    if let Some(place) = siblings.iter().map(place_of).min() {
        let later = later_runs(&others, place)?;
        if let Some(rollback) = rollback_of(&later, &run) {
            return Err(rolled_back_by(&run, rollback));
        }
        let store = (header.server.clone(), header.db, header.prefix.clone());
        if let Some(other) = writer(&later, &run, &store) {
            return Err(written_by(&run, other));
        }
        let last = others.iter().map(ListedRun::place).max();
        header.order = Some(place);
        header.begun_order = Some(behind(last, begun_at.max(place)));
    } else {
        // What began before this run is never taken for later than it, whatever the clock says.
        let last = others.iter().map(last_begun).max();
        let place = behind(last, started_at);
        header.order = Some(place);
        header.begun_order = Some(place);
    }
    header.started_at = started_at;
    if let (Some(known), Some(shard)) = (known, header.shard) {
        header.attempt = Some(Runs::last_attempt(known, shard) + 1);
    }
    Ok(())
}

/// `at`, or where the clock was set back since `last`, one ms behind that: at most the latest time
/// that a header may give.
fn behind(last: Option<i64>, at: i64) -> i64 {
    last.map_or(at, |last| at.max(last.saturating_add(1)).min(LATEST_MS))
}

/// The place of the last start of a run, as far as its manifests can be read.
fn last_begun(listed: &ListedRun) -> i64 {
    let place = listed.place();
    if is_id(&listed.id) {
        return place;
    }
    let files = listed.files.iter();
    let begun = files.filter_map(|file| Some(begun_place(&header_of(file).ok()?)));
    begun.max().map_or(place, |begun| begun.max(place))
}

/// The place of one start of a shard among all runs.
fn begun_place(header: &Header) -> i64 {
    let begun = header.begun_order.or(header.begun_at);
    begun.unwrap_or(header.started_at)
}

/// Whether the run has begun behind `place`, the one of our run, or one of its shards was started
/// behind it.
fn is_later(listed: &ListedRun, place: i64) -> Result<bool, Failure> {
    // At the same place, nobody knows.
    if listed.place() >= place {
        return Ok(true);
    }
    if is_id(&listed.id) {
        return Ok(false);
    }
    Ok(headers(listed)?
        .iter()
        .any(|header| begun_place(header) > place))
}

/// What is known of the other runs that have begun since, or of which a shard has.
fn later_runs(others: &[ListedRun], place: i64) -> Result<Vec<Record>, Failure> {
    let mut records = Vec::new();
    for listed in others {
        if !is_later(listed, place)? {
            continue;
        }
        match listed.open(Verify::Ends) {
            Ok(manifest) => records.push(Record::of(&manifest)),
            // It wrote nothing.
            Err(Damage::NoHeader { .. }) => {}
            // Another shard that ended well removed it.
            Err(Damage::Io { error, .. }) if error.kind() == io::ErrorKind::NotFound => {}
            Err(damage) => return Err(unusable(&damage)),
        }
    }
    Ok(records)
}

/// The headers of the files of a run. What ends before its header is whole has none.
fn headers(listed: &ListedRun) -> Result<Vec<Header>, Failure> {
    let mut headers = Vec::with_capacity(listed.files.len());
    for file in &listed.files {
        match header_of(file) {
            Ok(header) => headers.push(header),
            Err(Damage::NoHeader { .. }) => {}
            Err(Damage::Io { error, .. }) if error.kind() == io::ErrorKind::NotFound => {}
            Err(damage) => return Err(unusable(&damage)),
        }
    }
    Ok(headers)
}

/// One of `later` that may have written to `store` what still stands there.
fn writer<'a>(later: &'a [Record], run: &str, store: &(String, i64, String)) -> Option<&'a str> {
    let undone = rolled_back(later);
    let whole: HashSet<&str> = later
        .iter()
        .filter(|record| record.is_finished() && !record.left_keys)
        .map(|record| record.run.as_str())
        .collect();
    let is_undone = |run: &str| undone.get(run).is_some_and(|by| whole.contains(by));
    let is_writer = |record: &&Record| {
        let wrote = matches!(
            record.end,
            End::Finished { wrote: true } | End::Open { intents: true }
        );
        // What it did was to take back one of these.
        let takes_back =
            record.undoes.as_deref().is_some_and(&is_undone) && whole.contains(record.run.as_str());
        wrote && record.store == *store && !is_undone(&record.run) && !takes_back
    };
    let writers = later.iter().filter(is_writer);
    let mut others = writers.filter(|record| record.run != run);
    others.next_back().map(|record| record.run.as_str())
}

fn divided_otherwise(run: &str, own: Shard, of: u32) -> Failure {
    let what = format!("run {run} is divided into {of} shards, and this is shard {own}");
    Failure::new(Exit::Config, what)
        .note(
            "expected",
            format!("a shard of {of}, or a --run-id that no run has"),
        )
        .note("retry", "after you change that; nothing was written")
}

fn rolled_back_by(run: &str, rollback: &str) -> Failure {
    let what = format!("run {run} was rolled back by {rollback}: no shard of it may write again");
    refused(what, "a run that was not rolled back")
}

fn written_by(run: &str, other: &str) -> Failure {
    let what = format!(
        "another run, {other}, wrote to this store since run {run} began: no shard of it may write \
         again"
    );
    refused(what, "no other run between the starts of one run's shards")
}

fn too_old(run: &str, age_ms: i64) -> Failure {
    let (age, longest) = (age_ms / HOUR_MS, LONGEST_MS / HOUR_MS);
    let what = format!("run {run} was begun {age} h ago: a new run needs a new --run-id");
    let expected = format!("a run whose first shard began at most {longest} h ago");
    refused(what, &expected)
}

fn refused(what: String, expected: &str) -> Failure {
    Failure::new(Exit::Refused, what)
        .note("expected", expected)
        .note(
            "retry",
            "not with this run; import again with a --run-id that no run has; nothing was written",
        )
}
