//! Published articles that the content tree no longer has, or holds back: an import counts and
//! names them, since they stay until they expire.
//!
//! The keyspace is scanned only where the database holds more keys than the survey saw: what is
//! more may be such an article, or somebody else's key.

use std::collections::{BTreeSet, HashSet};

use super::entry::Entry;
use super::leftover::Leftover;
use super::reach::{OutOfReach, Scope, ours};
use super::scan::{scan_kind, stored_route};
use crate::article::Route;
use crate::failure::Failure;
use crate::publish::keys::Keys;
use crate::publish::report::Report;
use crate::publish::shards::shard::Shard;
use crate::store::{Class, Session, StoreError};
use crate::words::{counted, listed, with};

/// So many pages out of reach are looked at.
pub(super) const MOST_FAR: usize = 10_000;

/// How many of them people see by name; machines get all.
const NAMED: usize = 20;

/// The articles that the tree no longer has.
pub(crate) struct Orphans {
    leftovers: Vec<Leftover>,
    /// Pages out of reach whose articles may have moved.
    far: Vec<Leftover>,
    /// Pages that may be of another tree.
    outside: OutOfReach,
    /// Number of sources that may be theirs, since nobody can tell the routes of these.
    broken: u64,
    /// Whether they could be looked for.
    are_known: bool,
}

impl Orphans {
    /// Finds those that belong to `share`. The store has `other_keys` besides: that of the
    /// run itself, and those of withdrawn articles.
    ///
    /// # Errors
    /// 65 and 130 when the run has to end, 69 when the store fails.
    pub(crate) fn find(
        scope: &Scope<'_>,
        session: &mut Session,
        other_keys: u64,
        share: Option<Shard>,
    ) -> Result<Self, Failure> {
        let survey = scope.survey;
        let mut orphans = Self {
            leftovers: Vec::new(),
            far: Vec::new(),
            outside: OutOfReach::default(),
            broken: survey.invalid + survey.skipped + survey.changed,
            are_known: true,
        };
        let keys = Keys::new(&scope.settings.prefix);
        let found = match is_all_seen(scope, session, other_keys, share) {
            Ok(true) => return Ok(orphans),
            Ok(false) => unknown_pages(scope, session, &keys, share),
            Err(error) => Err(error),
        };
        let mut routes = match found {
            Ok((routes, far, outside)) => {
                orphans.far = ours(session, &keys, &far)?;
                orphans.far.retain(|one| !one.is_archive());
                orphans.outside = outside;
                routes
            }
            // An import needs no right to SCAN.
            Err(error) if error.class == Class::Never => {
                orphans.are_known = false;
                return Ok(orphans);
            }
            Err(error) => return Err(Failure::before_writing(&error)),
        };
        orphans.broken += u64::from(!scope.drop_claimed(&mut routes)?);
        let leftovers = ours(session, &keys, &routes)?;
        let articles = leftovers.into_iter().filter(|one| !one.is_archive());
        orphans.leftovers = articles.collect();
        Ok(orphans)
    }

    /// Whether they could be looked for.
    pub(crate) fn are_known(&self) -> bool {
        self.are_known
    }

    /// What the store holds of them.
    pub(crate) fn leftovers(&self) -> &[Leftover] {
        &self.leftovers
    }

    /// The same, without the rest.
    pub(crate) fn into_leftovers(self) -> Vec<Leftover> {
        self.leftovers
    }

    /// Pages out of reach whose articles may have moved.
    pub(crate) fn far(&self) -> &[Leftover] {
        &self.far
    }

    /// Takes those out that are at these routes. The others out of reach may be of another tree.
    pub(crate) fn take(&mut self, is_meant: impl Fn(&Route) -> bool) -> Vec<Leftover> {
        let meant = |one: &mut Leftover| is_meant(&one.route);
        let mut taken: Vec<Leftover> = self.leftovers.extract_if(.., meant).collect();
        taken.extend(self.far.extract_if(.., meant));
        for one in std::mem::take(&mut self.far) {
            self.outside.add(one.route);
        }
        taken
    }

    /// Counts and names them.
    pub(crate) fn report(&self, report: &mut dyn Report) {
        if !self.are_known {
            report.note(
                "published articles that the content tree no longer has are not counted: that \
                 needs the right to SCAN",
            );
            return;
        }
        let routes: Vec<Route> = self.leftovers.iter().map(|one| one.route.clone()).collect();
        report.orphans(&routes);
        if let Some(text) = self.text() {
            report.warning(&text);
        }
        self.outside.report(report);
    }

    fn text(&self) -> Option<String> {
        let all = self.leftovers.len();
        if all == 0 {
            return None;
        }
        let count = all as u64;
        let names = self.leftovers.iter().take(NAMED);
        let names = names.map(|one| one.route.to_string());
        let perhaps = match self.broken {
            0 => "",
            _ => ", unless a source that is invalid or unreadable has that route",
        };
        Some(format!(
            "{} {} no longer in the content tree, or held back there, or under another \
             route{perhaps}: {}; --prune removes {}",
            counted(count, "published article"),
            with(count, "is", "are"),
            listed(names, all),
            with(count, "it", "them")
        ))
    }
}

/// Whether the database holds no keys but those that the survey saw, and the `other_keys`.
///
/// # Errors
/// When the store fails.
pub(crate) fn is_all_seen(
    scope: &Scope<'_>,
    session: &mut Session,
    other_keys: u64,
    share: Option<Shard>,
) -> Result<bool, StoreError> {
    let is_file = scope.settings.part.is_some() && !scope.settings.sources().is_dir();
    if is_file {
        return Ok(true);
    }
    if scope.settings.part.is_some() || share.is_some() {
        return Ok(false);
    }
    let entries = scope.survey.entries.iter().chain(&scope.survey.objects);
    let seen: u64 = entries.map(Entry::stored).sum();
    Ok(keys_in(session, scope.settings.address.db)? <= seen + other_keys)
}

/// The number of keys in the database `db`.
fn keys_in(session: &mut Session, db: i64) -> Result<u64, StoreError> {
    let doing = "asking the server for the number of its keys";
    let name = format!("db{db}:");
    let counts = session.on_each_master(&mut |one| {
        let reply = one.command(&[b"INFO", b"keyspace"], doing)?;
        let Some(info) = reply.lossy() else {
            return reply.fail(doing);
        };
        Ok(number_of_keys(&info, &name))
    })?;
    Ok(counts.iter().sum())
}

/// `db0:keys=12,expires=12,avg_ttl=1`; an empty database has no line.
fn number_of_keys(info: &str, name: &str) -> u64 {
    let line = info.lines().find_map(|line| line.strip_prefix(name));
    let keys = line.and_then(|line| line.split(',').find_map(|pair| pair.strip_prefix("keys=")));
    keys.and_then(|keys| keys.parse().ok()).unwrap_or(0)
}

/// The stored pages that the survey does not know, though it would, and those that it cannot know.
fn unknown_pages(
    scope: &Scope<'_>,
    session: &mut Session,
    keys: &Keys,
    share: Option<Shard>,
) -> Result<(BTreeSet<Route>, BTreeSet<Route>, OutOfReach), StoreError> {
    let survey = scope.survey;
    let own = survey.entries.iter().map(|entry| &entry.route);
    let all = own.chain(&survey.elsewhere).chain(&survey.claimed);
    let all = all.chain(survey.withdrawn_routes());
    let all = all.chain(scope.list_routes());
    let known: HashSet<&str> = all.map(Route::as_str).collect();
    let is_theirs = |route: &Route| share.is_none_or(|shard| shard.takes(route));
    let (mut routes, mut far, mut outside) =
        (BTreeSet::new(), BTreeSet::new(), OutOfReach::default());
    session.on_each_master(&mut |one| {
        scan_kind(one, &keys.page_prefix(), &mut |path| {
            if known.contains(path) {
                return;
            }
            match stored_route(path).filter(is_theirs) {
                Some(route) if scope.reaches(&route) => drop(routes.insert(route)),
                Some(route) if scope.looks_far() && far.len() < MOST_FAR => {
                    far.insert(route);
                }
                Some(route) if scope.settings.part.is_none() => outside.add(route),
                _ => {}
            }
        })
    })?;
    Ok((routes, far, outside))
}

#[cfg(test)]
mod tests {
    use super::{Leftover, Orphans, OutOfReach, number_of_keys};
    use crate::article::Route;
    use crate::publish::plan::entry::EntryKind;
    use crate::publish::plan::stored_article::StoredArticle;
    use crate::publish::reason::Reason;

    #[test]
    fn the_number_of_keys_is_that_of_the_database() {
        let info = "# Keyspace\r\ndb1:keys=7,expires=0,avg_ttl=0\r\ndb11:keys=9,expires=1\r\n";
        assert_eq!(number_of_keys(info, "db1:"), 7);
        assert_eq!(number_of_keys(info, "db11:"), 9);
        assert_eq!(number_of_keys(info, "db0:"), 0);
    }

    #[test]
    fn twenty_are_named_and_the_others_counted() {
        let text = |count: usize, broken| {
            let leftovers = (0..count).map(|n| Leftover {
                kind: EntryKind::Article,
                route: Route::parse(&format!("/n{n}/")).unwrap(),
                stored: StoredArticle::absent(false),
                reason: Reason::Pruned,
            });
            let orphans = Orphans {
                leftovers: leftovers.collect(),
                far: Vec::new(),
                outside: OutOfReach::default(),
                broken,
                are_known: true,
            };
            orphans.text()
        };
        assert_eq!(text(0, 1), None);
        let start = "no longer in the content tree, or held back there, or under another route";
        assert_eq!(
            text(1, 0).unwrap(),
            format!("1 published article is {start}: /n0/; --prune removes it")
        );
        let many = text(22, 2).unwrap();
        let named = (0..20).map(|n| format!("/n{n}/"));
        assert_eq!(
            many,
            format!(
                "22 published articles are {start}, unless a source that is invalid or unreadable \
                 has that route: {} and 2 more; --prune removes them",
                named.collect::<Vec<_>>().join(", ")
            )
        );
    }
}
