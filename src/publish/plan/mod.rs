//! What a run will do to the store, finished before its first write: articles to be written or
//! refreshed, routes to be removed.

pub mod cause;
pub mod entry;
pub mod expiry;
pub(crate) mod leftover;
pub(crate) mod moved;
pub mod need;
pub(crate) mod orphans;
pub(crate) mod prune;
pub(crate) mod reach;
#[cfg(feature = "probe")]
pub(crate) mod sample;
pub(crate) mod scan;
pub(crate) mod stale;
pub mod stored_article;
pub(crate) mod withdrawn;

use std::io;

use entry::{Entry, EntryKind, FillSpot, Prior};
use leftover::Leftover;
use need::Need;

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
use crate::render::{self, Fill};
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
        let objects = kept.map(|entry| entry.kinds().len() as u64);
        Counts {
            kept: objects.sum(),
            invalid: self.invalid,
            ..Counts::default()
        }
    }

    /// Number of articles with this need.
    pub(crate) fn count(&self, need: Need) -> usize {
        let articles = self.entries.iter().filter(|entry| !entry.kind.is_archive());
        articles.filter(|entry| entry.need == need).count()
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
        let written = touched.flat_map(|entry| entry.objects(keys));
        let written =
            written.map(|(_, key, seen, bytes)| (key, prior(seen.bytes.into()).max(bytes.into())));
        let leftovers = self.leftovers.iter();
        let removed = leftovers.flat_map(|leftover| leftover.objects(keys));
        let removed = removed.map(|(seen, key)| (key, prior(seen.bytes())));
        written.chain(removed).max_by_key(|(_, bytes)| *bytes)
    }

    pub(crate) fn steps(&self) -> u64 {
        let written = self.entries.iter().filter(|entry| entry.is_touched());
        let written = written.map(|entry| entry.kinds().len());
        let removed = self.leftovers.iter().map(Leftover::stored);
        written.chain(removed).sum::<usize>() as u64
    }

    /// The places of the articles that are touched, in the order in which they are written:
    /// refreshes before the next expiry is due, then the others as they are, or, where there are archive
    /// objects, each behind what it links to.
    pub(crate) fn order(&self) -> Vec<u32> {
        let places = |need: Need| {
            let all = (0_u32..).zip(&self.entries);
            all.filter(move |(_, entry)| entry.need == need)
                .map(|(place, _)| place)
        };
        let mut order: Vec<u32> = places(Need::Refresh).collect();
        order.sort_by_key(|place| self.entries[*place as usize].first_expiry_ms());
        let mut written: Vec<u32> = places(Need::Write).collect();
        if self.entries.iter().any(|entry| entry.kind.is_archive()) {
            written.sort_by_key(|place| link_order(&self.entries[*place as usize]));
        }
        order.extend(written);
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
                    of_archive: leftover.is_archive(),
                    prior_bytes: seen.bytes() as usize,
                })
                .collect())
        });
        writes.chain(removes)
    }

    /// The objects of an entry that are written, each with its key and what the survey saw of it.
    pub(crate) fn objects(
        &self,
        entry: &Entry,
        keys: &Keys,
    ) -> impl Iterator<Item = (ObjectKind, String, Prior)> {
        let (to, within) = (entry.expires_at_ms, self.refreshed_within_ms);
        let all = entry
            .objects(keys)
            .map(|(kind, key, prior, _)| (kind, key, prior));
        all.filter(move |(_, _, prior)| {
            let is_refreshed =
                |within| !prior.is_absent && same_expiry(prior.expires_at_ms, Some(to), within);
            !within.is_some_and(is_refreshed)
        })
    }

    fn group(&self, entry: &Entry, keys: &Keys) -> Result<Group, Stop> {
        let spooled = self.spooled.as_ref().filter(|_| entry.spot().is_some());
        let bodies = spooled.map(|spooled| bodies(entry, spooled));
        let mut bodies = bodies.transpose().map_err(Stop::Spool)?;
        let steps = self.objects(entry, keys).map(|(object, key, prior)| {
            let body = bodies.as_mut().map(|bodies| match object {
                ObjectKind::Meta => std::mem::take(&mut bodies.meta),
                ObjectKind::Text => std::mem::take(&mut bodies.text),
                _ => std::mem::take(&mut bodies.page),
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
                of_archive: entry.kind.is_archive(),
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
                let why = (Action::Remove, Some(leftover.reason), leftover.is_archive());
                foreseen(report, &key, why, None);
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
        for (_, key, prior, bytes) in entry.objects(keys) {
            let action = match entry.need {
                Need::Keep | Need::Wait | Need::Blocked => continue,
                Need::Refresh => Action::Refresh,
                Need::Write if prior.is_absent => Action::Create,
                Need::Write => Action::Update,
            };
            counts.add(action, u64::from(bytes));
            let why = (action, entry.reason, entry.kind.is_archive());
            foreseen(report, &key, why, Some(entry.expires_at_ms));
        }
    }
}

fn foreseen(
    report: &mut dyn Report,
    key: &str,
    (action, reason, of_archive): (Action, Option<Reason>, bool),
    expires_at_ms: Option<i64>,
) {
    report.key(&KeyReport {
        key,
        action: Some(action),
        reason,
        of_archive,
        fate: Fate::Written,
        expires_at_ms,
    });
}

/// Where an entry comes among those that are written, so that no reader finds a link to a page that is not
/// there yet. Nothing links to new articles before lists do, so they come first, then the new lists that they
/// link to; then what readers see already. The list of all articles comes last of each.
///
/// Before all of them come new redirects from the old routes of articles. The old pages hide them until they are
/// removed, and if the run ends before that, the next one knows by them where the articles are.
fn link_order(entry: &Entry) -> (bool, bool, bool, bool) {
    let is_archive = entry.kind.is_archive();
    let is_home = is_archive && entry.route.is_root();
    let is_stored = entry.stored() > 0;
    let is_of_old_route = matches!(entry.reason, Some(Reason::Moved | Reason::Withdrawn));
    let is_hidden = entry.kind == EntryKind::Redirect && is_of_old_route && !is_stored;
    (!is_hidden, is_stored, is_archive, is_home)
}

/// The objects of an entry that is written.
pub(crate) struct Bodies {
    /// Its page; of what has one object alone, that.
    pub page: Vec<u8>,
    /// Its meta object.
    pub meta: Vec<u8>,
    /// Its text, empty if it has none.
    pub text: Vec<u8>,
}

/// The objects of an entry that is written, with what fills the holes of the page.
///
/// # Errors
/// When the spool cannot be read.
pub(crate) fn bodies(entry: &Entry, spooled: &FinishedSpool) -> io::Result<Bodies> {
    let spot = entry.spot().unwrap_or_default();
    let [page_bytes, meta_bytes, text_bytes] =
        [spot.page_bytes, spot.meta_bytes, spot.text_bytes].map(|bytes| bytes as usize);
    let mut page = spooled.read(spot.offset, page_bytes + meta_bytes + text_bytes)?;
    let text = page.split_off(page_bytes + meta_bytes);
    let meta = page.split_off(page_bytes);
    if !entry.is_open() {
        return Ok(Bodies { page, meta, text });
    }
    let FillSpot {
        offset,
        section_bytes,
        json_bytes,
    } = entry.fill_at;
    let section_bytes = section_bytes as usize;
    let length = section_bytes + json_bytes as usize;
    let section = match length {
        0 => Vec::new(),
        length => spooled.read(offset, length)?,
    };
    let mut section = String::from_utf8(section).map_err(io::Error::other)?;
    let json = section.split_off(section_bytes);
    let fill = Fill {
        hash: entry.fill,
        section,
        json,
    };
    let (page, meta) = render::fill(page, meta, &fill);
    Ok(Bodies { page, meta, text })
}
