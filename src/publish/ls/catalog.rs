//! The articles of a list, a small record each: from the survey, or from a scan of the store.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::head::{Head, SourceHeads};
use super::listed::{ArticleState, ListedArticle};
use crate::archive::Redirect;
use crate::article::{Held, Route};
use crate::failure::Failure;
use crate::publish::history::listing::last_good_import;
use crate::publish::keys::Keys;
use crate::publish::plan::entry::{Entry, EntryKind};
use crate::publish::plan::leftover::Leftover;
use crate::publish::plan::need::Need;
use crate::publish::plan::orphans::Orphans;
use crate::publish::plan::reach::Scope;
use crate::publish::plan::scan::scan;
use crate::publish::plan::stale::scan_singles;
use crate::publish::plan::stored_article::ObjectState;
use crate::publish::reason::Reason;
use crate::publish::report::Report;
use crate::publish::survey::content::{Corpus, SurveyPurpose, SurveyScope, renderer, survey};
use crate::publish::survey::surveyor::Survey;
use crate::settings::Settings;
use crate::source::{Caching, WalkResult};
use crate::store::{Session, StoreError};
use crate::words::{counted, with};

/// One article, or an archive object that the store holds.
pub(super) struct Row {
    pub kind: EntryKind,
    pub route: Route,
    pub state: ArticleState,
    /// When the first of its keys expires, ms since 1970.
    pub expires_at_ms: Option<i64>,
    /// What its values hold in the store, in bytes.
    pub bytes: u64,
    /// The number of its source, if it has one.
    pub source: Option<u32>,
}

impl Row {
    fn of_store(leftover: Leftover, state: ArticleState) -> Self {
        let stored = &leftover.stored;
        Self {
            kind: leftover.kind,
            state,
            expires_at_ms: stored
                .objects()
                .filter_map(ObjectState::expires_at_ms)
                .min(),
            bytes: stored.objects().map(ObjectState::bytes).sum(),
            source: None,
            route: leftover.route,
        }
    }

    /// Whether the store may say something else of it than its source.
    pub(super) fn differs(&self) -> bool {
        use ArticleState::{Changed, Draft, Expired, NoPage, Scheduled, Withdrawn};
        matches!(
            self.state,
            Changed | Draft | Expired | NoPage | Scheduled | Withdrawn
        )
    }

    /// The article with what its `head` says, or the redirect with where it leads.
    pub(super) fn listed(
        &self,
        head: Option<Head>,
        redirect: Option<Redirect>,
        now_ms: i64,
    ) -> ListedArticle {
        let date = head.as_ref().and_then(Head::date).map(str::to_owned);
        let is_redirect = self.kind == EntryKind::Redirect;
        ListedArticle {
            kind: self.kind,
            state: match is_redirect && redirect.is_none() {
                true => ArticleState::Foreign,
                false => self.state,
            },
            status: redirect.as_ref().map(Redirect::status),
            to: redirect.and_then(|redirect| redirect.to().cloned()),
            route: self.route.clone(),
            title: head
                .map(|head| head.title)
                .filter(|title| !title.is_empty()),
            date,
            expires_at_ms: self.expires_at_ms,
            left_ms: self.expires_at_ms.map(|at| (at - now_ms).max(0)),
            bytes: self.bytes,
        }
    }
}

/// Makes the records.
pub(super) struct Catalog<'a> {
    pub settings: &'a Settings,
    pub keys: &'a Keys,
    pub interrupted: &'a Arc<AtomicBool>,
    /// The server's clock, ms since 1970.
    pub now_ms: i64,
}

impl<'a> Catalog<'a> {
    /// What the store holds.
    pub(super) fn of_store(&self, session: &mut Session) -> Result<Vec<Row>, Failure> {
        let before = |error: StoreError| Failure::before_writing(&error);
        let with_pages = scan(session, self.keys).map_err(before)?;
        let routes: Vec<&Route> = with_pages.iter().collect();
        let stored = self.stored(session, &routes)?;
        let rows = stored.into_iter().map(|stored| {
            let seen = &stored.stored;
            let is_absent = |seen: &ObjectState| *seen == ObjectState::Absent;
            let state = if seen.objects().any(is_absent) {
                ArticleState::Lost
            } else if seen.is_foreign() {
                ArticleState::Foreign
            } else {
                ArticleState::Stored
            };
            Row::of_store(stored, state)
        });
        let mut rows: Vec<Row> = rows.collect();
        for (kind, mut routes) in scan_singles(session, self.keys).map_err(before)? {
            if kind == EntryKind::Text {
                // The others are counted with their articles.
                routes.retain(|route| !with_pages.contains(route));
            }
            let seen = (|seen| seen, Reason::Unknown);
            let stored = Leftover::singles(session, self.keys, (kind, &routes), seen);
            rows.extend(stored.map_err(before)?.into_iter().map(|stored| {
                let state = match stored.stored.page.digest() {
                    Some(_) => ArticleState::Stored,
                    None => ArticleState::Foreign,
                };
                Row::of_store(stored, state)
            }));
        }
        Ok(rows)
    }

    /// What the content tree has, compared with the store, and what the store holds besides.
    pub(super) fn of_tree(
        &self,
        session: &mut Session,
        report: &mut dyn Report,
    ) -> Result<(Vec<Row>, SourceHeads<'a>), Failure> {
        let renderer = renderer(self.settings)?;
        let wanted = SurveyScope::all();
        let corpus = Corpus::find(
            self.settings,
            &wanted,
            self.interrupted,
            None,
            Caching::Read,
            report,
        )?;
        let purpose = SurveyPurpose {
            lengths: true,
            store: Some((&mut *session, self.keys)),
            spool_in: None,
            interrupted: self.interrupted,
            time_limit: None,
            wanted,
            code: None,
            run: "ls",
            started_at: self.now_ms,
            cache: Caching::Read,
        };
        let (mut survey, _) = survey(self.settings, &renderer, purpose, &corpus, report)?;
        let found = match corpus {
            Corpus::Tree(_, found) => *found,
            Corpus::Generated(..) => WalkResult::default(),
        };
        let heads = SourceHeads::new(self.settings, found);
        let stored = self.besides(session, &survey, report)?;
        let mut rows = self.held(session, &survey, &heads)?;
        let held: BTreeSet<&Route> = rows.iter().map(|row| &row.route).collect();
        let orphans = stored
            .into_iter()
            .filter(|orphan| !held.contains(&orphan.route));
        let orphans: Vec<Row> = orphans
            .map(|orphan| Row::of_store(orphan, ArticleState::Orphan))
            .collect();
        rows.extend(orphans);
        let imported_at = last_good_import(self.settings)?.map(|import| import.started_at_ms());
        let entries = std::mem::take(&mut survey.entries);
        rows.extend(entries.into_iter().map(|entry| {
            let is_newer = || heads.is_newer(entry.source, imported_at);
            let state = state_of(&entry, &is_newer);
            row_of(entry, state)
        }));
        self.say_what_is_missing(&survey, report);
        Ok((rows, heads))
    }

    /// The published articles that the tree no longer has.
    fn besides(
        &self,
        session: &mut Session,
        survey: &Survey,
        report: &mut dyn Report,
    ) -> Result<Vec<Leftover>, Failure> {
        let scope = Scope {
            settings: self.settings,
            survey,
            stale: &[],
            interrupted: self.interrupted,
            time_limit: None,
        };
        let orphans = Orphans::find(&scope, session, 0, None)?;
        if !orphans.are_known() {
            report.note(
                "published articles without a source are not listed: that needs the right to SCAN",
            );
        }
        Ok(orphans.into_leftovers())
    }

    /// What the store holds of `routes`.
    fn stored(&self, session: &mut Session, routes: &[&Route]) -> Result<Vec<Leftover>, Failure> {
        // Nothing is removed, so the reason does not matter.
        let routes = (routes, self.settings.archive.text);
        Leftover::all(session, self.keys, routes, (|seen| seen, Reason::Unknown))
            .map_err(|error| Failure::before_writing(&error))
    }

    /// The articles that are held back: the first of them, as the survey has them.
    fn held(
        &self,
        session: &mut Session,
        survey: &Survey,
        heads: &SourceHeads<'_>,
    ) -> Result<Vec<Row>, Failure> {
        let mut rows = Vec::new();
        for (path, why) in &survey.held_back.first {
            let Some((source, route)) = heads.find(path) else {
                continue;
            };
            let state = match why {
                Held::Draft => ArticleState::Draft,
                Held::Scheduled(_) => ArticleState::Scheduled,
                Held::Expired(_) => ArticleState::Expired,
                Held::Withdrawn => ArticleState::Withdrawn,
                Held::NoPage => ArticleState::NoPage,
            };
            rows.push(Row {
                kind: EntryKind::Article,
                route,
                state,
                expires_at_ms: None,
                bytes: 0,
                source: Some(source),
            });
        }
        let routes: Vec<&Route> = rows.iter().map(|row| &row.route).collect();
        for stored in self.stored(session, &routes)? {
            let state = ArticleState::Orphan;
            let seen = Row::of_store(stored, state);
            if let Some(row) = rows.iter_mut().find(|row| row.route == seen.route) {
                (row.expires_at_ms, row.bytes) = (seen.expires_at_ms, seen.bytes);
            }
        }
        Ok(rows)
    }

    fn say_what_is_missing(&self, survey: &Survey, report: &mut dyn Report) {
        let invalid = survey.unusable();
        if invalid > 0 {
            report.note(&format!(
                "{} {} invalid and not listed; anp check shows why",
                counted(invalid, "article"),
                with(invalid, "is", "are")
            ));
        }
        let held = survey.held_back.counts.all();
        let listed = survey.held_back.first.len() as u64;
        if held > listed {
            report.note(&format!(
                "{} of {} that are held back are listed",
                listed,
                counted(held, "article")
            ));
        }
    }
}

fn row_of(entry: Entry, state: ArticleState) -> Row {
    let first = entry.first_expiry_ms();
    Row {
        kind: EntryKind::Article,
        state,
        expires_at_ms: (first != i64::MAX).then_some(first),
        bytes: entry.stored_bytes(),
        source: Some(entry.source),
        route: entry.route,
    }
}

/// What an article of the survey is; `is_newer` tells whether its file is newer than the last import.
fn state_of(entry: &Entry, is_newer: &dyn Fn() -> bool) -> ArticleState {
    let absent = [0, 1].map(|object| entry.prior(object).is_absent);
    match entry.need {
        Need::Keep | Need::Wait | Need::Blocked => ArticleState::Fresh,
        Need::Write if absent == [true, true] && is_newer() => ArticleState::New,
        Need::Write if absent.contains(&true) || entry.reason == Some(Reason::Lost) => {
            ArticleState::Lost
        }
        Need::Write => ArticleState::Changed,
        // A ttl that was made shorter is a change as well.
        Need::Refresh if entry.first_expiry_ms() > entry.expires_at_ms => ArticleState::Changed,
        Need::Refresh => ArticleState::Expiring,
    }
}
