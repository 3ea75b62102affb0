//! What a run will do to the store, finished before its first write: articles to be written or
//! refreshed, routes to be removed.

pub mod cause;
pub mod entry;
pub mod expiry;
pub(crate) mod leftover;
pub(crate) mod orphans;
pub(crate) mod prune;
pub(crate) mod reach;
#[cfg(feature = "probe")]
pub(crate) mod sample;
pub(crate) mod scan;
pub(crate) mod withdrawn;

use entry::{Entry, Need, Prior};
use leftover::Leftover;

use super::keys::{Keys, ObjectKind};
use super::manifest::{Action, Counts, Fate};
use super::reason::Reason;
use super::report::Report;
use super::state::{LARGEST_PRIOR_BYTES, Present, same_expiry};
use crate::failure::Failure;
use crate::publish::apply::batch::Group;
use crate::publish::apply::progress::KeyReport;
use crate::publish::apply::step::{Step, Want};
use crate::publish::apply::stop::Stop;
use crate::spool::FinishedSpool;

/// What will be done.
#[derive(Default)]
pub(crate) struct Plan {
    /// The articles, in the order in which they are written.
    pub entries: Vec<Entry>,
    /// Their rendered objects.
    pub spooled: Option<FinishedSpool>,
    /// The routes to be removed, after that.
    pub leftovers: Vec<Leftover>,
    /// Number of sources that cannot be used.
    pub invalid: u64,
    /// Whether this is less than was asked for: invalid articles, routes that are not there.
    pub is_partial: bool,
    /// Why it must not be carried out, if that is so.
    pub refused: Option<Failure>,
    /// In a further pass of a run: an object that expires when it is to, give or take so many ms,
    /// was refreshed by the run already, and is not written.
    pub refreshed_within_ms: Option<i64>,
}

impl Plan {
    /// Counts as they stand before anything is written.
    pub(crate) fn counts(&self) -> Counts {
        let kept = self.entries.iter().filter(|entry| !entry.is_touched());
        Counts {
            kept: 2 * kept.count() as u64,
            invalid: self.invalid,
            ..Counts::default()
        }
    }

    /// Number of articles with this need.
    pub(crate) fn count(&self, need: Need) -> usize {
        let such = self.entries.iter().filter(|entry| entry.need == need);
        such.count()
    }

    /// The largest value that the run, or its way back, sends: its key, and its bytes.
    pub(crate) fn largest(&self, keys: &Keys) -> Option<(String, u64)> {
        // Larger ones are not replaced.
        let prior = |bytes: u64| {
            if bytes > LARGEST_PRIOR_BYTES as u64 {
                0
            } else {
                bytes
            }
        };
        let touched = self.entries.iter().filter(|entry| entry.is_touched());
        let of_entry = |entry: &'_ Entry| {
            let spot = entry.spot().unwrap_or_default();
            let page = prior(entry.page().bytes.into()).max(spot.page_bytes.into());
            let meta = prior(entry.meta().bytes.into()).max(spot.meta_bytes.into());
            (page, meta)
        };
        let articles = touched.map(|entry| (&entry.route, of_entry(entry)));
        let leftovers = self.leftovers.iter().map(|leftover| {
            let (page, meta) = (leftover.page.bytes(), leftover.meta.bytes());
            (&leftover.route, (prior(page), prior(meta)))
        });
        let (route, (page, meta)) = articles
            .chain(leftovers)
            .max_by_key(|(_, (page, meta))| *page.max(meta))?;
        Some(if page >= meta {
            (keys.page(route), page)
        } else {
            (keys.meta(route), meta)
        })
    }

    pub(crate) fn steps(&self) -> u64 {
        let written = self.entries.iter().filter(|entry| entry.is_touched());
        2 * (written.count() + self.leftovers.len()) as u64
    }

    /// The places of the articles that are touched, in the order in which they are written:
    /// refreshes before the next expiry is due, then the others as they are.
    pub(crate) fn order(&self) -> Vec<u32> {
        let places = |need: Need| {
            let all = (0_u32..).zip(&self.entries);
            all.filter(move |(_, entry)| entry.need == need)
                .map(|(place, _)| place)
        };
        let mut order: Vec<u32> = places(Need::Refresh).collect();
        order.sort_by_key(|place| self.entries[*place as usize].first_expiry_ms());
        order.extend(places(Need::Write));
        order
    }

    /// The steps, each article by itself, in `order`; then what is removed.
    pub(crate) fn groups(
        &self,
        keys: &Keys,
        order: &[u32],
    ) -> impl Iterator<Item = Result<Group, Stop>> {
        let writes = order
            .iter()
            .map(|place| self.group(&self.entries[*place as usize], keys));
        let removes = self.leftovers.iter().map(|leftover| {
            Ok(leftover
                .objects(keys)
                .map(|(seen, key)| Step {
                    key,
                    want: Want::Remove,
                    reason: Some(leftover.reason),
                    prior_bytes: seen.bytes() as usize,
                })
                .collect())
        });
        writes.chain(removes)
    }

    /// The objects of an article that are written, each with its key and what the survey saw of it.
    pub(crate) fn objects(
        &self,
        entry: &Entry,
        keys: &Keys,
    ) -> impl Iterator<Item = (ObjectKind, String, Prior)> {
        let both = [
            (ObjectKind::Page, keys.page(&entry.route), entry.page()),
            (ObjectKind::Meta, keys.meta(&entry.route), entry.meta()),
        ];
        let (to, within) = (entry.expires_at_ms, self.refreshed_within_ms);
        both.into_iter().filter(move |(_, _, prior)| {
            let is_refreshed =
                |within| !prior.is_absent && same_expiry(prior.expires_at_ms, Some(to), within);
            !within.is_some_and(is_refreshed)
        })
    }

    fn group(&self, entry: &Entry, keys: &Keys) -> Result<Group, Stop> {
        let mut bodies = match (entry.spot(), &self.spooled) {
            (Some(spot), Some(spooled)) => {
                let page_bytes = spot.page_bytes as usize;
                let length = page_bytes + spot.meta_bytes as usize;
                let mut page = spooled.read(spot.offset, length).map_err(Stop::Spool)?;
                let meta = page.split_off(page_bytes);
                Some((page, meta))
            }
            _ => None,
        };
        let steps = self.objects(entry, keys).map(|(object, key, prior)| {
            let body = bodies.as_mut().map(|(page, meta)| match object {
                ObjectKind::Page => std::mem::take(page),
                ObjectKind::Meta => std::mem::take(meta),
            });
            let want = match body {
                Some(content) => Want::Put {
                    made: Present::string(&content, Some(entry.expires_at_ms)),
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
                reason: entry.reason,
                prior_bytes: prior.bytes as usize,
            }
        });
        Ok(steps.collect())
    }

    /// Reports everything that would be done, and counts it.
    pub(crate) fn foresee(&self, keys: &Keys, report: &mut dyn Report) -> Counts {
        let mut counts = self.counts();
        for entry in &self.entries {
            self.foresee_entry(entry, keys, &mut counts, report);
        }
        for leftover in &self.leftovers {
            for (_, key) in leftover.objects(keys) {
                counts.removed += 1;
                let reason = Some(leftover.reason);
                foreseen(report, &key, (Action::Remove, reason), None);
            }
        }
        counts
    }

    fn foresee_entry(
        &self,
        entry: &Entry,
        keys: &Keys,
        counts: &mut Counts,
        report: &mut dyn Report,
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
            let why = (action, entry.reason);
            foreseen(report, &key, why, Some(entry.expires_at_ms));
        }
    }
}

fn foreseen(
    report: &mut dyn Report,
    key: &str,
    (action, reason): (Action, Option<Reason>),
    expires_at_ms: Option<i64>,
) {
    report.key(&KeyReport {
        key,
        action: Some(action),
        reason,
        fate: Fate::Written,
        expires_at_ms,
    });
}
