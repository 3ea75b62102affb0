//! Purging: just these articles, lists, files and redirects out of the store, each with its way back.
//!
//! Routes come from the caller, a manifest or the content tree. The keyspace is scanned for all of
//! them, and for patterns: those of archive objects, and of articles where there is no tree.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::io::ErrorKind::NotFound;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::outcome::Outcome;
use super::report::Report;
use crate::archive::FilePath;
use crate::article::Route;
use crate::failure::Failure;
use crate::publish::history::intents::{intents, void};
use crate::publish::history::open_manifest;
use crate::publish::history::open_manifest::unusable;
use crate::publish::job::Job;
use crate::publish::keys::{Keys, ObjectKind};
use crate::publish::manifest::{Action, Damage, Intent, Manifest};
use crate::publish::plan::Plan;
use crate::publish::plan::entry::EntryKind;
use crate::publish::plan::leftover::Leftover;
use crate::publish::plan::scan::scan;
use crate::publish::plan::stale::scan_singles;
use crate::publish::reason::Reason;
use crate::publish::survey::content::{stopped, unreadable, walked};
use crate::publish::survey::pool::in_pool;
use crate::publish::survey::routes::{NamedRoutes, nearest, routes};
use crate::publish::survey::selection::{Selection, Selectors, TypedPath, parsed, typed_path};
use crate::publish::work::{PlanInputs, Work};
use crate::settings::Settings;
use crate::source::{Caching, Tree};
use crate::store::{Class, Session, StoreError};

/// So many routes are offered in place of one that is not there.
const NEAREST: usize = 3;

/// What is removed: all of these together.
#[derive(Clone, Debug, Default)]
pub struct Purge {
    /// Routes and paths of files, as they are typed.
    pub routes: Vec<String>,
    /// Articles that these name; patterns also name lists, files and redirects.
    pub selectors: Selectors,
    /// What this run wrote: its id, the file of its manifest, or `last`.
    pub run: Option<String>,
    /// Every article under the prefix.
    pub all: bool,
    /// Whether it stops just before its first write.
    pub dry_run: bool,
}

/// Removes articles from the store. Ends when `interrupted` is set.
///
/// # Errors
/// With the exit code that says what was removed: see [`crate::exit::Exit`].
pub fn purge(
    settings: &Settings,
    purge: &Purge,
    interrupted: &Arc<AtomicBool>,
    report: &mut dyn Report,
) -> Result<Outcome, Failure> {
    let manifest = match &purge.run {
        Some(run) => Some(open_manifest::open(settings, run, report)?),
        None => None,
    };
    let address = match &manifest {
        Some(manifest) => open_manifest::address(settings, manifest)?,
        None => settings.address.clone(),
    };
    let prefix = match &manifest {
        Some(manifest) => manifest.header().prefix.clone(),
        None => settings.prefix.clone(),
    };
    report.prefix(&prefix);
    let explicit: Result<Vec<TypedPath>, Failure> =
        purge.routes.iter().map(|typed| typed_path(typed)).collect();
    // What a manifest names counts in every message and every printed command.
    let settings = &Settings {
        address_is_explicit: settings.address_is_explicit || !address.same_as(&settings.address),
        address,
        prefix,
        expect: settings.expect.of_articles_alone(),
        ..settings.clone()
    };
    let job = Job {
        // What must go, goes while publishing is paused too.
        switch: None,
        ..Job::new("purge", settings, interrupted)
    };
    let purging = PurgePlan {
        job: &job,
        explicit: explicit?,
        selection: parsed(&purge.selectors, settings)?,
        manifest: manifest.as_ref(),
        all: purge.all,
        tree: OnceCell::new(),
    };
    let outcome = job.run_and_notify(&purging, purge.dry_run, report)?;
    let may_come_back = manifest
        .as_ref()
        .is_none_or(open_manifest::published_from_tree);
    if !purge.dry_run && outcome.counts.removed > 0 && may_come_back {
        report.comes_back();
    }
    Ok(outcome)
}

/// What is to be removed.
struct PurgePlan<'a> {
    job: &'a Job<'a>,
    /// Routes and paths of files of the command line.
    explicit: Vec<TypedPath>,
    selection: Selection,
    /// The run whose keys go.
    manifest: Option<&'a Manifest>,
    /// Whether every article goes.
    all: bool,
    /// The routes of the content tree, once it was read; none where there is no tree.
    tree: OnceCell<Option<NamedRoutes>>,
}

/// The routes of what goes, as far as the store has it.
#[derive(Default)]
struct Wanted {
    /// Of articles and lists.
    pages: BTreeSet<Route>,
    files: BTreeSet<Route>,
    redirects: BTreeSet<Route>,
}

impl Wanted {
    /// Adds the files and redirects of the store that `is_meant`.
    fn add_singles(
        &mut self,
        session: &mut Session,
        keys: &Keys,
        is_meant: impl Fn(&Route) -> bool,
    ) -> Result<(), StoreError> {
        let [(_, files), (_, redirects), (_, texts)] = scan_singles(session, keys)?;
        // A text goes with its article.
        self.pages.extend(texts.into_iter().filter(&is_meant));
        self.files.extend(files.into_iter().filter(&is_meant));
        self.redirects
            .extend(redirects.into_iter().filter(&is_meant));
        Ok(())
    }

    /// What the store holds of it.
    fn leftovers(&self, session: &mut Session, keys: &Keys) -> Result<Vec<Leftover>, StoreError> {
        let purged = (|seen| seen, Reason::Purged);
        let pages: Vec<&Route> = self.pages.iter().collect();
        let mut leftovers = Leftover::whole(session, keys, &pages, purged)?;
        for single in [
            (EntryKind::File, &self.files),
            (EntryKind::Redirect, &self.redirects),
        ] {
            match Leftover::singles(session, keys, single, purged) {
                // A user who publishes articles alone needs no right to redirects.
                Err(error) if error.class == Class::Never && single.0 == EntryKind::Redirect => {}
                found => leftovers.extend(found?),
            }
        }
        Ok(leftovers)
    }
}

impl Work for PurgePlan<'_> {
    fn plan(&self, begun: PlanInputs<'_>, report: &mut dyn Report) -> Result<Plan, Failure> {
        let before = |error: StoreError| Failure::before_writing(&error);
        let keys = Keys::new(&self.job.settings.prefix);
        let mut wanted = Wanted::default();
        let mut is_partial = false;
        for TypedPath { route, is_file } in &self.explicit {
            if *is_file {
                wanted.files.insert(route.clone());
            } else {
                wanted.pages.insert(route.clone());
                wanted.redirects.insert(route.clone());
            }
        }
        if let Some(manifest) = self.manifest {
            for (kind, route) in written_by(manifest, &keys, self.job.interrupted)? {
                match kind {
                    ObjectKind::Page | ObjectKind::Meta | ObjectKind::Text => {
                        wanted.pages.insert(route)
                    }
                    ObjectKind::File => wanted.files.insert(route),
                    ObjectKind::Redirect => wanted.redirects.insert(route),
                };
            }
        }
        if self.all {
            let stored = scan(begun.session, &keys).map_err(before)?;
            wanted.pages.extend(stored);
            let all = wanted.add_singles(begun.session, &keys, |_| true);
            all.map_err(before)?;
        }
        if !self.selection.is_empty() {
            is_partial |= self.select(begun.session, &keys, &mut wanted, report)?;
        }
        let leftovers = wanted.leftovers(begun.session, &keys).map_err(before)?;
        let held: BTreeSet<&Route> = leftovers.iter().map(|leftover| &leftover.route).collect();
        let typed = self.explicit.iter();
        for path in typed.filter(|path| !held.contains(&path.route)) {
            is_partial |= self.not_held(path, begun.session, &keys, report)?;
        }
        if let Some(Some(named)) = self.tree.get() {
            for (file, _) in named.gone.iter().filter(|(_, route)| !held.contains(route)) {
                is_partial = true;
                report.warning(&format!("no article matches --source {file}"));
            }
        }
        if leftovers.is_empty() && self.explicit.is_empty() && !is_partial {
            report.note("the store holds none of these articles: nothing to do");
        }
        Ok(Plan {
            leftovers,
            is_partial,
            ..Plan::default()
        })
    }
}

impl PurgePlan<'_> {
    /// Adds what the selection means; says whether a part of it means nothing.
    fn select(
        &self,
        session: &mut Session,
        keys: &Keys,
        wanted: &mut Wanted,
        report: &mut dyn Report,
    ) -> Result<bool, Failure> {
        let root = &self.job.settings.content;
        let mut is_partial = false;
        let mut idle: Vec<String> = if let Some(named) = self.tree(report)? {
            let gone = named.gone.iter().map(|(_, route)| route);
            wanted
                .pages
                .extend(named.selected.iter().chain(gone).cloned());
            for file in &named.untold {
                report.warning(&format!(
                    "{} cannot be read as an article: whether --tag means it cannot be told",
                    file.display()
                ));
            }
            is_partial = !named.untold.is_empty() || named.unreadable > 0;
            named.idle.clone()
        } else if self.selection.tags.is_empty() && self.selection.sources.is_empty() {
            report.note(&format!(
                "there is no content folder {}: looking for the routes in the store (SCAN)",
                root.display()
            ));
            self.selection.names()
        } else {
            let error = std::fs::read_dir(root).err();
            let error = error.unwrap_or_else(|| NotFound.into());
            return Err(unreadable(self.job.settings, &error));
        };
        if !self.selection.globs.is_empty() {
            self.add_matching(session, keys, wanted, report)?;
            idle.retain(|name| !self.is_busy(name, wanted));
        }
        for name in &idle {
            report.warning(&format!("no article matches {name}"));
        }
        Ok(is_partial || !idle.is_empty())
    }

    /// Whether a selector is a pattern that fits what is wanted.
    fn is_busy(&self, name: &str, wanted: &Wanted) -> bool {
        let mut globs = self.selection.globs.iter();
        let glob = globs.find(|glob| format!("--glob {glob}") == name);
        glob.is_some_and(|glob| {
            let all = [&wanted.pages, &wanted.files, &wanted.redirects];
            all.into_iter().flatten().any(|route| glob.matches(route))
        })
    }

    /// Adds the archive objects of the store that fit the patterns, and where there is no tree all that fits.
    fn add_matching(
        &self,
        session: &mut Session,
        keys: &Keys,
        wanted: &mut Wanted,
        report: &mut dyn Report,
    ) -> Result<(), Failure> {
        let has_tree = matches!(self.tree.get(), Some(Some(_)));
        if has_tree && !self.job.settings.archive.is_on() {
            return Ok(());
        }
        let globs = &self.selection.globs;
        let is_meant = |route: &Route| globs.iter().any(|glob| glob.matches(route));
        let mut add = || {
            let mut stored = scan(session, keys)?;
            stored.retain(|route| is_meant(route));
            if has_tree {
                let lists = Leftover::lists(session, keys, &stored)?;
                stored = lists.into_iter().map(|list| list.route).collect();
            }
            wanted.pages.append(&mut stored);
            wanted.add_singles(session, keys, is_meant)
        };
        match add() {
            // What the tree names needs no right to SCAN.
            Err(error) if has_tree && error.class == Class::Never => {
                report.note(
                    "lists, files and redirects are not looked for: that needs the right to SCAN",
                );
                Ok(())
            }
            added => added.map_err(|error| Failure::before_writing(&error)),
        }
    }

    /// Reports a route or file that the store does not hold; says whether that is a mistake, and not
    /// an article that is gone already.
    fn not_held(
        &self,
        TypedPath { route, is_file }: &TypedPath,
        session: &mut Session,
        keys: &Keys,
        report: &mut dyn Report,
    ) -> Result<bool, Failure> {
        let from_store;
        let before = |error: StoreError| Failure::before_writing(&error);
        let known: &BTreeSet<Route> = if *is_file {
            let [(_, files), ..] = scan_singles(session, keys).map_err(before)?;
            from_store = files;
            &from_store
        } else if let Some(named) = self.tree(report)? {
            if named.all.contains(route) {
                report.note(&format!(
                    "{route} is not in the store: nothing to do for it"
                ));
                return Ok(false);
            }
            &named.all
        } else {
            from_store = scan(session, keys).map_err(before)?;
            &from_store
        };
        let alike: Vec<String> = nearest(route, known, NEAREST)
            .iter()
            .map(ToString::to_string)
            .collect();
        let hint = match alike.len() {
            0 => String::new(),
            _ => format!("; did you mean {}?", alike.join(" or ")),
        };
        let what = if *is_file { "file" } else { "article" };
        report.warning(&format!("there is no {what} {route}{hint}"));
        Ok(true)
    }

    /// The routes of the content tree.
    fn read_tree(&self, report: &mut dyn Report) -> Result<NamedRoutes, Failure> {
        let Job {
            settings,
            interrupted,
            time_limit,
            ..
        } = self.job;
        // One file is selected by --source.
        if !settings.is_packed() {
            std::fs::read_dir(settings.sources()).map_err(|error| unreadable(settings, &error))?;
        }
        let found = walked(settings, interrupted, *time_limit, Caching::Read)?;
        let unread: Vec<_> = found.skipped.iter().filter(|s| s.unreadable).collect();
        for skipped in &unread {
            let path = settings.content.join(&skipped.relative);
            let path = path.display();
            report.warning(&format!(
                "{path} {}: routes of articles in it are not known",
                skipped.reason
            ));
        }
        let tree = Tree {
            root: &settings.content,
            found: &found,
        };
        let selection = &self.selection;
        let named = in_pool(|| routes(&tree, selection, &settings.rules, interrupted))
            .map_err(|error| Failure::before_writing(&error))?;
        let named = named.map_err(|error| stopped(&error))?;
        Ok(NamedRoutes {
            unreadable: unread.len(),
            ..named
        })
    }

    /// The routes of the content tree; none where there is no tree.
    fn tree(&self, report: &mut dyn Report) -> Result<Option<&NamedRoutes>, Failure> {
        if self.tree.get().is_none() {
            let is_there = self.job.settings.has_content();
            let named = is_there.then(|| self.read_tree(report)).transpose()?;
            let _ = self.tree.set(named);
        }
        Ok(self.tree.get().and_then(Option::as_ref))
    }
}

/// What a run created or updated. What it refreshed alone was there before.
fn written_by(
    manifest: &Manifest,
    keys: &Keys,
    interrupted: &AtomicBool,
) -> Result<Vec<(ObjectKind, Route)>, Failure> {
    let void = void(manifest, interrupted)?;
    let of_key = |key: &str| {
        ObjectKind::ALL.into_iter().find_map(|kind| {
            let path = key.strip_prefix(&keys.prefix_of(kind))?;
            let route = match kind {
                ObjectKind::File => FilePath::parse(path)?.as_route(),
                _ => Route::parse(path).ok()?,
            };
            Some((kind, route))
        })
    };
    let object = |intent: Result<Intent, Damage>| {
        let intent = intent.map_err(|damage| unusable(&damage))?;
        let made = matches!(intent.action, Action::Create | Action::Update);
        Ok(made.then(|| of_key(&intent.key)).flatten())
    };
    let all = intents(manifest, &void).map(object);
    all.filter_map(Result::transpose).collect()
}
