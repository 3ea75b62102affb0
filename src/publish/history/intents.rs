//! The intents of a manifest that count, and the keys that they are about.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::publish::keys::{Keys, ObjectKind};
use crate::publish::manifest::{Damage, Fate, Intent, Line, Manifest, Snapshot};
use crate::publish::state::KeyState;
use crate::store::{Session, StoreError};

pub(super) use crate::publish::run::refusal::unusable;

/// So many keys are looked at in one round trip …
pub(crate) const LOOK_KEYS: usize = 256;

/// … or those of intents that hold so many bytes.
pub(crate) const LOOK_BYTES: u64 = 4 * 1024 * 1024;

/// Which intents of a manifest do not count.
#[derive(Default)]
pub(crate) struct Void {
    /// Keys whose intents were recorded and then not carried out.
    left: HashSet<String>,
    /// Keys that had expired when the run came to them, and to which it came again.
    again: HashSet<String>,
}

impl Void {
    /// Whether the intent was, or may have been, carried out.
    pub(crate) fn counts(&self, intent: &Intent) -> bool {
        let is_replaced = !intent.again && self.again.contains(&intent.key);
        !is_replaced && !self.left.contains(&intent.key)
    }
}

/// The intents that do not count.
///
/// # Errors
/// When the manifest turns out to be damaged.
pub(crate) fn void(manifest: &Manifest, interrupted: &AtomicBool) -> Result<Void, Failure> {
    read_through(manifest, interrupted).map(|(void, _)| void)
}

/// The same, with the number of all intents. Reads every line, so that damage anywhere is known
/// before anything is done.
///
/// # Errors
/// When the manifest turns out to be damaged, or a signal comes.
pub(crate) fn read_through(
    manifest: &Manifest,
    interrupted: &AtomicBool,
) -> Result<(Void, u64), Failure> {
    let mut void = Void::default();
    let mut intents = 0;
    let known = Keys::new(&manifest.header().prefix);
    let kinds = ObjectKind::ALL.map(|kind| known.prefix_of(kind));
    let is_known = |key: &str| kinds.iter().any(|kind| key.starts_with(kind));
    for batch in manifest.batches() {
        if interrupted.load(Ordering::Relaxed) {
            return Err(Failure::interrupted());
        }
        for line in batch.map_err(|damage| unusable(&damage))? {
            match line {
                Line::Outcome(outcome) if outcome.fate != Fate::Written => {
                    void.left.insert(outcome.key);
                }
                Line::Intent(intent) if !is_known(&intent.key) => {
                    let what = format!(
                        "the manifest names the key {:?}, none of its prefix",
                        intent.key
                    );
                    return Err(Failure::new(Exit::Refused, what)
                        .note(
                            "expected",
                            format!("keys that begin with {}", kinds.join(", ")),
                        )
                        .note("retry", "not with this file; nothing was written"));
                }
                Line::Intent(intent) if intent.again => {
                    void.again.insert(intent.key);
                    intents += 1;
                }
                Line::Intent(_) => intents += 1,
                _ => {}
            }
        }
    }
    Ok((void, intents))
}

/// The intents that were, or may have been, carried out, in order.
pub(crate) fn intents<'a>(
    manifest: &'a Manifest,
    void: &'a Void,
) -> impl Iterator<Item = Result<Intent, Damage>> + 'a {
    manifest.batches().flat_map(move |batch| {
        let lines = match batch {
            Ok(lines) => lines,
            Err(damage) => return vec![Err(damage)],
        };
        lines
            .into_iter()
            .filter_map(|line| match line {
                Line::Intent(intent) if void.counts(&intent) => Some(Ok(intent)),
                _ => None,
            })
            .collect()
    })
}

/// Looks at the key of every intent that counts, in order, many in one round trip. The values are
/// compared and not kept.
pub(crate) fn look_at_each(
    manifest: &Manifest,
    void: &Void,
    session: &mut Session,
    doing: &str,
    visit: &mut dyn FnMut(Intent, KeyState) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let bytes = |snapshot: &Option<Snapshot>| {
        let bytes = snapshot.as_ref().and_then(|snapshot| snapshot.bytes);
        bytes.unwrap_or(0)
    };
    let mut intents = intents(manifest, void);
    loop {
        let mut chunk: Vec<Intent> = Vec::new();
        let mut held = 0_u64;
        while chunk.len() < LOOK_KEYS && held < LOOK_BYTES {
            let Some(intent) = intents.next() else { break };
            let intent = intent.map_err(|damage| unusable(&damage))?;
            held = held.saturating_add(bytes(&intent.prior));
            chunk.push(intent);
        }
        if chunk.is_empty() {
            return Ok(());
        }
        let failed = |error: StoreError| Failure::before_writing(&error);
        session.goes_on(doing).map_err(failed)?;
        let keys: Vec<(&str, u64)> = chunk
            .iter()
            .map(|intent| (intent.key.as_str(), bytes(&intent.made)))
            .collect();
        let found = KeyState::without_values(session, &keys, doing).map_err(failed)?;
        for (intent, found) in chunk.into_iter().zip(found) {
            visit(intent, found)?;
        }
    }
}
