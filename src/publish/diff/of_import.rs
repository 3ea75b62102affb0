//! What an import would change: the survey of a dry run tells which articles, and those that are shown
//! are rendered a second time, a few at a time, to have their bytes.

use std::cell::OnceCell;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::{
    ArchiveChange, ArticleDiff, DiffSink, MOST_BYTES, ObjectDiff, Scope, Side, TOGETHER, Totals,
    stored,
};
use crate::failure::Failure;
use crate::publish::derive::archive::Archive;
use crate::publish::keys::Keys;
use crate::publish::manifest::Action;
use crate::publish::plan::entry::{Entry, EntryKind};
use crate::publish::plan::leftover::Leftover;
use crate::publish::plan::need::Need;
use crate::publish::plan::reach;
use crate::publish::plan::withdrawn::withdrawn;
use crate::publish::plan::{Bodies, bodies};
use crate::publish::reason::Reason;
use crate::publish::removals::{OrphanPolicy, RemovalPlanner};
use crate::publish::report::Report;
use crate::publish::run::connection::Connected;
use crate::publish::survey::content::{
    Corpus, SurveyPurpose, SurveyScope, early_end, readable, renderer, survey, survey_again,
};
use crate::publish::survey::surveyor::Survey;
use crate::render::Renderer;
use crate::settings::Settings;
use crate::source::Caching;
use crate::spool::FinishedSpool;
use crate::store::Session;

/// No run has this id: the objects are compared, and never written.
const RUN: &str = "not-a-run";

/// Shows the articles that an import of the content tree would change: first what it would write, then what
/// it would remove. Names the archive objects that it would change.
///
/// # Errors
/// When the content or the store cannot be read, or `interrupted` is set.
pub(crate) fn import_would_change(
    settings: &Settings,
    scope: &Scope,
    interrupted: &Arc<AtomicBool>,
    report: &mut dyn Report,
    sink: &mut dyn DiffSink,
) -> Result<Totals, Failure> {
    let renderer = renderer(settings)?;
    readable(settings)?;
    let selection = scope.selection()?;
    let mut store = Connected::open_to_read(&settings.address, settings, interrupted)?;
    let session = &mut store.session;
    let started_at = session.now_ms();
    let wanted = SurveyScope {
        selection: &selection,
        ..SurveyScope::all()
    };
    let articles = Articles {
        settings,
        renderer: &renderer,
        keys: Keys::new(&settings.prefix),
        corpus: Corpus::find(settings, &wanted, interrupted, None, Caching::Read, report)?,
        wanted,
        archive: OnceCell::new(),
        started_at: started_at.map_err(|error| Failure::of_reading(&error))?,
        interrupted,
    };
    let purpose = articles.purpose(session, Caching::Read);
    let (mut found, _) = survey(settings, &renderer, purpose, &articles.corpus, report)?;
    if let Some(archive) = found.archive.take() {
        let _ = articles.archive.set(archive);
    }
    for name in selection.idle(&found.busy) {
        let name = name.trim_start_matches("--glob ");
        report.warning(&format!("no article matches {name}"));
    }
    let (removed, redirects) = removed(&articles, &found, scope, session, report)?;
    let (of_archive, removed): (Vec<Leftover>, Vec<Leftover>) =
        removed.into_iter().partition(Leftover::is_archive);
    let needs = |need: Need| found.entries.iter().filter(move |entry| entry.need == need);
    let mut totals = Totals {
        changed: (needs(Need::Write).count() + removed.len()) as u64,
        refreshed: needs(Need::Refresh).count() as u64,
        invalid: found.unusable(),
        ..Totals::default()
    };
    let limit = scope.limit.and_then(|limit| usize::try_from(limit).ok());
    let shown = needs(Need::Write).take(limit.unwrap_or(usize::MAX));
    let shown: Vec<u32> = shown.map(|entry| entry.source).collect();
    for numbers in shown.chunks(TOGETHER) {
        for article in articles.differences(numbers, session)? {
            totals.shown += 1;
            sink.article(&article);
        }
    }
    let left = limit.map_or(removed.len(), |limit| limit.saturating_sub(shown.len()));
    for some in removed[..left.min(removed.len())].chunks(TOGETHER) {
        for article in articles.removals(some, session)? {
            totals.shown += 1;
            sink.article(&article);
        }
    }
    let made = found
        .objects
        .iter()
        .chain(&redirects)
        .filter(|entry| entry.need == Need::Write);
    for change in made
        .map(made_object)
        .chain(of_archive.iter().map(removed_object))
    {
        totals.archive += 1;
        if scope.is_named(&totals) {
            totals.named += 1;
            sink.archive_object(&change);
        }
    }
    Ok(totals)
}

fn made_object(entry: &Entry) -> ArchiveChange {
    ArchiveChange {
        kind: entry.kind,
        route: entry.route.to_string(),
        action: action(entry),
        reason: entry.reason,
    }
}

fn removed_object(leftover: &Leftover) -> ArchiveChange {
    ArchiveChange {
        kind: leftover.kind,
        route: leftover.route.to_string(),
        action: Action::Remove,
        reason: Some(leftover.reason),
    }
}

/// What the write of an entry is.
fn action(entry: &Entry) -> Action {
    match entry.stored() {
        0 => Action::Create,
        _ => Action::Update,
    }
}

/// What the import would remove: what its sources withdraw, what moved, archive objects that are not made any
/// more, and with `--prune` what has no source. And the redirects that it would write besides. Of some articles
/// alone, only the first is looked for, unless `--prune` is given.
fn removed(
    articles: &Articles<'_>,
    survey: &Survey,
    scope: &Scope,
    session: &mut Session,
    report: &mut dyn Report,
) -> Result<(Vec<Leftover>, Vec<Entry>), Failure> {
    let reach = reach::Scope {
        settings: articles.settings,
        survey,
        stale: &[],
        interrupted: articles.interrupted,
        time_limit: None,
    };
    if !scope.routes.is_empty() && !scope.prunes {
        let mut removed = withdrawn(&reach, session, &articles.keys)?;
        removed.retain(|one| articles.wanted.selection.fits(&one.route));
        return Ok((removed, Vec::new()));
    }
    let planner = RemovalPlanner {
        orphans: match scope.prunes {
            true => OrphanPolicy::Remove,
            false => OrphanPolicy::Name,
        },
        share: None,
        archive: articles.archive.get(),
        is_selection: !scope.routes.is_empty(),
        holds_lock: false,
    };
    let mut removals = planner.removals(&reach, session, report)?;
    let redirects =
        planner.redirects(&reach, (session, articles.started_at), None, &mut removals)?;
    let mut removed = removals.leftovers;
    // A text belongs to its article, whose page changes too where texts are turned off.
    removed.retain(|one| one.kind != EntryKind::Text && articles.wanted.selection.fits(&one.route));
    // What must go whatever the options are comes first.
    removed.sort_by_key(|one| one.reason != Reason::Withdrawn);
    Ok((removed, redirects))
}

/// The articles of the content tree.
struct Articles<'a> {
    settings: &'a Settings,
    renderer: &'a Renderer,
    keys: Keys,
    corpus: Corpus<'a>,
    wanted: SurveyScope<'a>,
    /// What is known of all of them, where something is made from many.
    archive: OnceCell<Archive>,
    started_at: i64,
    interrupted: &'a AtomicBool,
}

impl Articles<'_> {
    fn purpose<'p>(&'p self, session: &'p mut Session, cache: Caching) -> SurveyPurpose<'p> {
        SurveyPurpose {
            lengths: false,
            store: Some((session, &self.keys)),
            spool_in: None,
            interrupted: self.interrupted,
            time_limit: None,
            wanted: self.wanted,
            code: None,
            run: RUN,
            started_at: self.started_at,
            cache,
        }
    }

    /// The differences of the articles of these sources. One that was published meanwhile has none.
    fn differences(
        &self,
        numbers: &[u32],
        session: &mut Session,
    ) -> Result<Vec<ArticleDiff>, Failure> {
        let folder = std::env::temp_dir();
        let purpose = SurveyPurpose {
            spool_in: Some(&folder),
            ..self.purpose(session, Caching::Off)
        };
        let (settings, renderer) = (self.settings, self.renderer);
        // What is to be said of the sources was said before.
        let meant = (self.archive.get(), numbers);
        let again = survey_again(settings, renderer, purpose, &self.corpus, meant, &mut ());
        let (found, spooled) = again.map_err(|error| early_end(error, &folder))?;
        let Some(spooled) = spooled else {
            return Ok(Vec::new());
        };
        let changed = found
            .entries
            .iter()
            .filter(|entry| entry.need == Need::Write);
        let changed: Vec<&Entry> = changed.collect();
        let keys = changed
            .iter()
            .flat_map(|entry| [self.keys.page(&entry.route), self.keys.meta(&entry.route)]);
        let keys: Vec<String> = keys.collect();
        let names: Vec<&str> = keys.iter().map(String::as_str).collect();
        let mut old = stored::read(session, &names)?.into_iter();
        let mut keys = keys.into_iter();
        let mut next = || {
            keys.next()
                .zip(old.next())
                .unwrap_or((String::new(), Side::Absent))
        };
        let articles = changed.into_iter().map(|entry| {
            let new = rendered(entry, &spooled).map_err(|error| {
                let what = format!("cannot read the spool in {}", folder.display());
                Failure::state_folder(&what, &error)
            })?;
            let objects = new.into_iter().zip([true, false]).map(|(new, is_page)| {
                let (key, old) = next();
                ObjectDiff {
                    key,
                    is_page,
                    old,
                    new,
                }
            });
            Ok(ArticleDiff {
                route: entry.route.to_string(),
                action: action(entry),
                reason: entry.reason,
                objects: objects.collect(),
            })
        });
        articles.collect()
    }

    /// What the store holds of articles that would be removed.
    fn removals(
        &self,
        leftovers: &[Leftover],
        session: &mut Session,
    ) -> Result<Vec<ArticleDiff>, Failure> {
        let keys: Vec<String> = leftovers
            .iter()
            .flat_map(|one| [self.keys.page(&one.route), self.keys.meta(&one.route)])
            .collect();
        let names: Vec<&str> = keys.iter().map(String::as_str).collect();
        let mut objects = stored::read(session, &names)?
            .into_iter()
            .zip(&keys)
            .zip([true, false].into_iter().cycle())
            .map(|((old, key), is_page)| ObjectDiff {
                key: key.clone(),
                is_page,
                old,
                new: Side::Absent,
            });
        let articles = leftovers.iter().map(|one| ArticleDiff {
            route: one.route.to_string(),
            action: Action::Remove,
            reason: Some(one.reason),
            objects: objects
                .by_ref()
                .take(2)
                .filter(|object| object.old != Side::Absent)
                .collect(),
        });
        Ok(articles.collect())
    }
}

/// The page and the meta of an article.
fn rendered(entry: &Entry, spooled: &FinishedSpool) -> std::io::Result<[Side; 2]> {
    let Bodies { page, meta, .. } = bodies(entry, spooled)?;
    let side = |object: Vec<u8>| match object.len() {
        bytes if bytes > MOST_BYTES => Side::TooLarge,
        _ => Side::Value(object),
    };
    Ok([side(page), side(meta)])
}
