//! Whether what a plan writes fits: into the memory of the server, and on the disk of the state
//! folder. KeyReplies before the first write.

use std::ops::Div as _;
use std::path::Path;

use super::disk::{KEEP_FREE_BYTES, ManifestBytes, free_bytes};
use super::memory::{Allocator, MemoryNeed, Room};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::publish::keys::Keys;
use crate::publish::plan::Plan;
use crate::publish::report::Report;
use crate::publish::state::KeyState;
use crate::settings::Settings;
use crate::store::{Session, StoreError};

/// So many values of other types are weighed in one round trip: the server makes a dump of each.
const WEIGHED_KEYS: usize = 32;

/// How strict the gate is.
#[derive(Clone, Copy)]
pub(crate) struct Gate {
    /// Whether to begin without room.
    pub force: bool,
    /// Whether this is a rehearsal, which pushes no other keys out of a cache.
    pub is_rehearsal: bool,
    /// Whether the rendered objects are on the disk by now.
    pub is_spooled: bool,
}

/// Refuses what does not fit, unless it is forced.
///
/// # Errors
/// 65 without memory, 74 without disk, 69 and 77 when the server cannot be asked.
pub(crate) fn admit(
    plan: &mut Plan,
    settings: &Settings,
    session: &mut Session,
    gate: Gate,
    report: &mut dyn Report,
) -> Result<(), Failure> {
    let keys = Keys::new(&settings.prefix);
    let failed = |error: StoreError| Failure::before_writing(&error);
    weigh(plan, &keys, session).map_err(failed)?;
    let rooms = Room::ask(session, settings.address.db).map_err(failed)?;
    if let Some(first) = rooms.first() {
        let is_same = rooms.iter().all(|room| room.allocator == first.allocator);
        let allocator = if is_same {
            first.allocator
        } else {
            Allocator::Other
        };
        memory(&memory_need(plan, &keys, allocator), &rooms, gate, report)?;
    }
    disk(plan, &keys, &settings.state_dir, gate, report)
}

/// A run may push other keys out of a cache that evicts, and says so; a rehearsal may not.
fn memory(
    need: &MemoryNeed,
    rooms: &[Room],
    gate: Gate,
    report: &mut dyn Report,
) -> Result<(), Failure> {
    let missing = |room: &&Room| room.needed(need).saturating_sub(room.free_bytes());
    let tightest = rooms.iter().max_by_key(missing);
    let Some(room) = tightest.filter(|room| missing(room) > 0) else {
        return Ok(());
    };
    let then = if room.evicts() {
        "would evict other keys"
    } else {
        "would run out of memory"
    };
    let what = format!(
        "{} needs {}, and the server has {} of {} left: it {then} ({})",
        named(gate),
        rounded(room.needed(need), u64::div_ceil),
        rounded(room.free_bytes(), u64::div),
        rounded(room.max_bytes, u64::div_ceil),
        room.policy
    );
    if !gate.is_rehearsal && (gate.force || room.evicts()) {
        report.warning(&what);
        return Ok(());
    }
    let failure = Failure::new(Exit::Refused, what)
        .note(
            "expected",
            "room below the server's maxmemory for what is new",
        )
        .note("retry", "safe once there is room; nothing was written");
    Err(failure.note("help", help(gate)))
}

fn disk(
    plan: &Plan,
    keys: &Keys,
    state_dir: &Path,
    gate: Gate,
    report: &mut dyn Report,
) -> Result<(), Failure> {
    let needed = disk_need(plan, keys, gate.is_spooled);
    if needed == 0 {
        return Ok(());
    }
    let needed = needed.saturating_add(KEEP_FREE_BYTES);
    let free = free_bytes(state_dir).map_err(|error| {
        let folder = state_dir.display();
        Failure::state_folder(&format!("cannot ask for the free disk of {folder}"), &error)
    })?;
    if needed <= free {
        return Ok(());
    }
    let what = format!(
        "{} needs {} of disk for its manifest{}, and {} are left on the disk of the state folder {}",
        named(gate),
        rounded(needed, u64::div_ceil),
        if gate.is_spooled {
            ""
        } else {
            " and rendered objects"
        },
        rounded(free, u64::div),
        state_dir.display()
    );
    if gate.force {
        report.warning(&what);
        return Ok(());
    }
    Err(Failure::new(Exit::Manifest, what)
        .note(
            "expected",
            "free disk for every prior value, so that the run can be rolled back",
        )
        .note(
            "retry",
            "safe once there is room, or with another --state-dir; nothing was written",
        )
        .note("help", help(gate)))
}

/// Asks how many bytes the values of other types hold that are replaced or removed.
fn weigh(plan: &mut Plan, keys: &Keys, session: &mut Session) -> Result<(), StoreError> {
    let doing = "asking for the sizes of values of other types";
    let mut unknown = Vec::new();
    for entry in plan.entries.iter().filter(|entry| entry.is_touched()) {
        let objects = entry.objects(keys);
        let such = objects.filter(|(_, _, prior, _)| prior.is_other_type);
        unknown.extend(such.map(|(_, key, _, _)| key));
    }
    for leftover in &plan.leftovers {
        let such = leftover
            .objects(keys)
            .filter(|(seen, _)| seen.is_other_type());
        unknown.extend(such.map(|(_, key)| key));
    }
    let mut sizes = Vec::with_capacity(unknown.len());
    for chunk in unknown.chunks(WEIGHED_KEYS) {
        session.goes_on(doing)?;
        let chunk: Vec<&str> = chunk.iter().map(String::as_str).collect();
        sizes.extend(KeyState::sizes(session, &chunk, doing)?);
    }
    // In the same order.
    let mut sizes = sizes.into_iter();
    for entry in plan.entries.iter_mut().filter(|entry| entry.is_touched()) {
        entry.weigh(&mut sizes);
    }
    for leftover in &mut plan.leftovers {
        let stored = &mut leftover.stored;
        let objects = [&mut stored.page, &mut stored.meta].into_iter();
        for seen in objects.chain(&mut stored.text) {
            seen.weigh(&mut sizes);
        }
    }
    Ok(())
}

/// The memory that the writes need.
fn memory_need(plan: &Plan, keys: &Keys, allocator: Allocator) -> MemoryNeed {
    let mut need = MemoryNeed::new(allocator);
    for entry in &plan.entries {
        if entry.spot().is_none() {
            continue;
        }
        for (_, key, prior, bytes) in entry.objects(keys) {
            // What another type than string frees is not known.
            if prior.is_absent || prior.is_other_type {
                need.create(key.len() as u64, bytes.into());
            } else {
                let had_expiry = prior.expires_at_ms.is_some();
                need.replace(prior.bytes.into(), bytes.into(), had_expiry);
            }
        }
    }
    need
}

/// The disk that is still to be used: the manifest, and rendered objects that are not there yet.
fn disk_need(plan: &Plan, keys: &Keys, is_spooled: bool) -> u64 {
    let mut manifest = ManifestBytes::default();
    let mut spool = 0;
    for entry in plan.entries.iter().filter(|entry| entry.is_touched()) {
        for (_, key, prior, _) in entry.objects(keys) {
            // A refresh that only prolongs records no value.
            let is_recorded = entry.spot().is_some()
                || prior
                    .expires_at_ms
                    .is_none_or(|at| at > entry.expires_at_ms);
            let bytes = if is_recorded { prior.bytes } else { 0 };
            manifest.add(key.len() as u64, bytes.into());
        }
        if let Some(spot) = entry.spot().filter(|_| !is_spooled) {
            spool += u64::from(spot.page_bytes) + u64::from(spot.meta_bytes);
        }
    }
    for leftover in &plan.leftovers {
        for (seen, key) in leftover.objects(keys) {
            manifest.add(key.len() as u64, seen.bytes());
        }
    }
    manifest.total().saturating_add(spool)
}

fn named(gate: Gate) -> &'static str {
    if gate.is_rehearsal {
        "the rehearsal"
    } else {
        "this run"
    }
}

fn help(gate: Gate) -> &'static str {
    if gate.is_rehearsal {
        "--sample N rehearses on N articles"
    } else {
        "--force begins all the same, and stops where it is full"
    }
}

/// So many bytes in KiB, or from 10 MiB on in MiB, rounded as `round` divides.
fn rounded(bytes: u64, round: fn(u64, u64) -> u64) -> String {
    const KIB: u64 = 1024;
    const MIB: u64 = 1024 * KIB;
    if bytes < 10 * MIB {
        format!("{} KiB", round(bytes, KIB))
    } else {
        format!("{} MiB", round(bytes, MIB))
    }
}

#[cfg(test)]
mod tests {
    use std::ops::Div as _;

    use super::rounded;

    #[test]
    fn little_room_is_told_in_kib() {
        let both = |bytes| (rounded(bytes, u64::div_ceil), rounded(bytes, u64::div));
        let expected = |up: &str, down: &str| (up.to_owned(), down.to_owned());
        assert_eq!(both(0), expected("0 KiB", "0 KiB"));
        assert_eq!(both(600_000), expected("586 KiB", "585 KiB"));
        assert_eq!(both((10 << 20) - 1), expected("10240 KiB", "10239 KiB"));
        assert_eq!(both(10 << 20), expected("10 MiB", "10 MiB"));
        assert_eq!(both((10 << 20) + 1), expected("11 MiB", "10 MiB"));
    }
}
