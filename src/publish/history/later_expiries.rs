//! Which expiries later runs of anp gave to the keys of a run: a warm or an import refreshes them.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::AtomicBool;

use super::intents::{intents, unusable, void};
use super::runs::Runs;
use crate::failure::Failure;
use crate::publish::manifest::{Manifest, Verify};
use crate::publish::report::Report;
use crate::publish::state::same_expiry;

/// The last expiry that a later run gave to each key. Of a key its hash is enough: what counts is
/// that hash and expiry both match.
#[derive(Default)]
pub(crate) struct LaterExpiries {
    last: HashMap<u64, i64>,
    hasher: RandomState,
}

impl LaterExpiries {
    /// What the runs in the folder `runs` say that came after that of `manifest` and wrote under
    /// its prefix.
    ///
    /// # Errors
    /// When the folder cannot be listed, or `interrupted` is set.
    pub(crate) fn find(
        runs: &Runs,
        manifest: &Manifest,
        interrupted: &AtomicBool,
        report: &mut dyn Report,
    ) -> Result<Self, Failure> {
        let mut later = Self::default();
        let header = manifest.header();
        let listed = runs.list();
        let listed = listed.map_err(|error| Failure::unlisted_runs(runs.folder(), &error))?;
        let after = listed.iter().skip_while(|listed| listed.id != header.run);
        for listed in after.skip(1) {
            let read = match listed.open(Verify::Ends) {
                Ok(other) if other.header().prefix != header.prefix => continue,
                Ok(other) => later.add(&other, interrupted),
                Err(damage) => Err(unusable(&damage)),
            };
            match read {
                Err(failure) if failure.exit == crate::exit::Exit::Interrupted => {
                    return Err(failure);
                }
                Err(_) => report.note(&format!(
                    "the manifest of the later run {} cannot be read: what it refreshed counts as \
                     another expiry",
                    listed.id
                )),
                Ok(()) => {}
            }
        }
        Ok(later)
    }

    fn add(&mut self, manifest: &Manifest, interrupted: &AtomicBool) -> Result<(), Failure> {
        let void = void(manifest, interrupted)?;
        for intent in intents(manifest, &void) {
            let intent = intent.map_err(|damage| unusable(&damage))?;
            if let Some(at_ms) = intent.made.and_then(|made| made.expires_at) {
                self.last.insert(self.hasher.hash_one(&intent.key), at_ms);
            }
        }
        Ok(())
    }

    /// Whether a later run gave `key` the expiry `found_ms`, give or take `slack_ms`.
    pub(crate) fn explain(&self, key: &str, found_ms: Option<i64>, slack_ms: i64) -> bool {
        let last = self.last.get(&self.hasher.hash_one(key));
        last.is_some_and(|last| same_expiry(Some(*last), found_ms, slack_ms))
    }
}
