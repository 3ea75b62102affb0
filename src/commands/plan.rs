//! What a run will do to the store, finished before its first write: articles to be written or
//! refreshed, routes to be removed.

use super::outcome::Outcome;
use crate::article::Route;
use crate::failure::Failure;
use crate::publish::apply::Group;
use crate::publish::manifest::{Action, Counts, Fate};
use crate::publish::plan::{Entry, Keys, Need, Seen};
use crate::publish::progress::KeyReport;
use crate::publish::spool::Spooled;
use crate::publish::state::{Fingerprint, Present};
use crate::publish::step::{Step, Want};
use crate::publish::stop::Stop;
use crate::source::{Inspector, Likely};
use crate::store::{Session, StoreError};

/// What will be done.
#[derive(Default)]
pub(super) struct Plan {
    /// The articles, in the order in which they are written.
    pub entries: Vec<Entry>,
    /// Their rendered objects.
    pub spooled: Option<Spooled>,
    /// The routes to be removed, after that.
    pub leftovers: Vec<Leftover>,
    /// Number of sources that cannot be used.
    pub invalid: u64,
    /// Whether this is less than was asked for: invalid articles, routes that are not there.
    pub is_partial: bool,
    /// Why it must not be carried out, if that is so.
    pub refused: Option<Failure>,
}

/// One route to be removed, with what the store holds for it.
pub(super) struct Leftover {
    pub route: Route,
    pub page: Seen,
    pub meta: Seen,
}

/// So many routes are looked at in one round trip.
const LOOK_ROUTES: usize = 512;

impl Leftover {
    /// Those of `routes` of which the store holds something, seen as `meant` has it.
    ///
    /// # Errors
    /// When the store fails.
    pub fn all(
        session: &mut Session,
        keys: &Keys,
        routes: &[&Route],
        meant: impl Fn(Seen) -> Seen,
    ) -> Result<Vec<Self>, StoreError> {
        let mut inspector = Inspector { session, keys };
        let mut leftovers = Vec::new();
        for chunk in routes.chunks(LOOK_ROUTES) {
            inspector.session.goes_on("looking at stored articles")?;
            let seen = inspector.inspect(chunk, Likely::Stored)?;
            for (route, (page, meta)) in chunk.iter().zip(seen) {
                let (page, meta) = (meant(page), meant(meta));
                if page != Seen::Absent || meta != Seen::Absent {
                    leftovers.push(Self {
                        route: (*route).clone(),
                        page,
                        meta,
                    });
                }
            }
        }
        Ok(leftovers)
    }

    /// What the store holds of it, each object with its key.
    pub fn objects(&self, keys: &Keys) -> impl Iterator<Item = (Seen, String)> {
        let both = [
            (self.page, keys.page(&self.route)),
            (self.meta, keys.meta(&self.route)),
        ];
        both.into_iter().filter(|(seen, _)| *seen != Seen::Absent)
    }
}

impl Plan {
    /// Counts as they stand before anything is written.
    pub(super) fn counts(&self) -> Counts {
        let kept = self.entries.iter().filter(|entry| !entry.is_touched());
        Counts {
            kept: 2 * kept.count() as u64,
            invalid: self.invalid,
            ..Counts::default()
        }
    }

    /// Number of articles with this need.
    pub(super) fn count(&self, need: Need) -> usize {
        let such = self.entries.iter().filter(|entry| entry.need == need);
        such.count()
    }

    /// Bytes of the values to be written, and of those that they replace or that are removed.
    pub(super) fn bytes(&self) -> (u64, u64) {
        let (mut new, mut old) = (0, 0);
        for entry in &self.entries {
            if let Some(spot) = entry.spot() {
                new += u64::from(spot.page_bytes) + u64::from(spot.meta_bytes);
                old += u64::from(entry.page().bytes) + u64::from(entry.meta().bytes);
            }
        }
        for leftover in &self.leftovers {
            old += leftover.page.bytes() + leftover.meta.bytes();
        }
        (new, old)
    }

    pub(super) fn steps(&self) -> u64 {
        let written = self.entries.iter().filter(|entry| entry.is_touched());
        2 * (written.count() + self.leftovers.len()) as u64
    }

    pub(super) fn groups(&self, keys: &Keys) -> impl Iterator<Item = Result<Group, Stop>> {
        let writes = self
            .entries
            .iter()
            .filter(|entry| entry.is_touched())
            .map(|entry| self.group(entry, keys));
        let removes = self.leftovers.iter().map(|leftover| {
            Ok(leftover
                .objects(keys)
                .map(|(seen, key)| Step {
                    key,
                    want: Want::Remove,
                    prior_bytes: seen.bytes() as usize,
                })
                .collect())
        });
        writes.chain(removes)
    }

    fn group(&self, entry: &Entry, keys: &Keys) -> Result<Group, Stop> {
        let objects = [
            (keys.page(&entry.route), entry.page()),
            (keys.meta(&entry.route), entry.meta()),
        ];
        let mut bodies = match (entry.spot(), &self.spooled) {
            (Some(spot), Some(spooled)) => {
                let page_bytes = spot.page_bytes as usize;
                let length = page_bytes + spot.meta_bytes as usize;
                let mut page = spooled.read(spot.offset, length).map_err(Stop::Spool)?;
                let meta = page.split_off(page_bytes);
                vec![page, meta].into_iter()
            }
            _ => Vec::new().into_iter(),
        };
        let steps = objects.into_iter().map(|(key, prior)| {
            let want = match bodies.next() {
                Some(content) => Want::Put {
                    made: Present {
                        kind: "string".to_owned(),
                        expires_at_ms: Some(entry.expires_at_ms),
                        fingerprint: Fingerprint::of(&content),
                    },
                    content,
                    create: prior.is_absent,
                },
                None => Want::Refresh {
                    to_ms: entry.expires_at_ms,
                    seen_ms: prior.expires_at_ms,
                },
            };
            Step {
                key,
                want,
                prior_bytes: prior.bytes as usize,
            }
        });
        Ok(steps.collect())
    }

    /// Reports everything that would be done, and counts it.
    pub(super) fn foresee(&self, keys: &Keys, outcome: &mut Outcome) -> Counts {
        let mut counts = self.counts();
        for entry in &self.entries {
            self.foresee_entry(entry, keys, &mut counts, outcome);
        }
        for leftover in &self.leftovers {
            for (_, key) in leftover.objects(keys) {
                counts.removed += 1;
                foreseen(outcome, &key, Action::Remove, None);
            }
        }
        counts
    }

    fn foresee_entry(
        &self,
        entry: &Entry,
        keys: &Keys,
        counts: &mut Counts,
        outcome: &mut Outcome,
    ) {
        let bytes = entry
            .spot()
            .map_or([0, 0], |spot| [spot.page_bytes, spot.meta_bytes]);
        let objects = [
            (keys.page(&entry.route), entry.page(), bytes[0]),
            (keys.meta(&entry.route), entry.meta(), bytes[1]),
        ];
        for (key, prior, bytes) in objects {
            let action = match entry.need {
                Need::Keep | Need::Wait | Need::Blocked => continue,
                Need::Refresh => Action::Refresh,
                Need::Write if prior.is_absent => Action::Create,
                Need::Write => Action::Update,
            };
            counts.add(action, u64::from(bytes));
            foreseen(outcome, &key, action, Some(entry.expires_at_ms));
        }
    }
}

fn foreseen(outcome: &mut Outcome, key: &str, action: Action, expires_at_ms: Option<i64>) {
    outcome.key(&KeyReport {
        key,
        action: Some(action),
        fate: Fate::Written,
        expires_at_ms,
    });
}
