//! Which routes are compared with which store.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::archive::FilePath;
use crate::article::Route;
use crate::cli::Probe;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::probe::sample;
use crate::publish::history::open_manifest;
use crate::publish::history::runs::Runs;
use crate::publish::keys::Keys;
use crate::publish::manifest::{Manifest, published_routes};
use crate::publish::plan::sample::some_objects;
use crate::publish::run::connection::Connected;
use crate::publish::survey::selection::typed_route;
use crate::report::{Progress, Stderr, log};
use crate::settings::Settings;
use crate::store::{Address, Class};

/// How many routes are checked where nobody says.
const SAMPLE: usize = 20;

/// How many files, and how many redirects, are checked beside them.
const FEW: usize = 5;

/// So many keys of each master are looked at to sample some.
const MOST_LISTED: usize = 100_000;

/// What is compared with what.
pub(super) struct Task {
    pub(super) routes: Vec<Route>,
    /// Some of the files and redirects of the store, where the routes are those of the store.
    pub(super) files: Vec<FilePath>,
    pub(super) redirects: Vec<Route>,
    /// The run that the routes are of.
    pub(super) run: Option<String>,
    /// How many pages the store holds, and whether that is all, where some of them are sampled.
    pub(super) sampled_of: Option<(usize, bool)>,
    pub(super) address: Address,
    pub(super) prefix: String,
}

/// The routes that `arguments` name, or those of a run, or some that the store holds.
pub(super) fn find(
    settings: &Settings,
    arguments: &Probe,
    interrupted: &Arc<AtomicBool>,
) -> Result<Task, Failure> {
    if !arguments.routes.is_empty() {
        return Ok(Task {
            routes: named(&arguments.routes)?,
            files: Vec::new(),
            redirects: Vec::new(),
            run: None,
            sampled_of: None,
            address: settings.address.clone(),
            prefix: settings.prefix.clone(),
        });
    }
    if arguments.run.is_none()
        && let Some(task) = stored(settings, arguments, interrupted)?
    {
        return Ok(task);
    }
    let (manifest, routes) = match &arguments.run {
        Some(name) => {
            let manifest = open_manifest::open(settings, name, &mut Stderr(Progress::new(true)))?;
            let routes =
                published_routes(&manifest).map_err(|damage| open_manifest::unusable(&damage))?;
            (manifest, routes)
        }
        None => last_with_pages(settings)?,
    };
    let run = &manifest.header().run;
    if routes.is_empty() {
        return Err(
            Failure::new(Exit::Usage, format!("run {run} wrote no page"))
                .note("expected", "a run that created, updated or refreshed pages")
                .note(
                    "retry",
                    "with another run, or --routes; nothing was written",
                ),
        );
    }
    let all = arguments.run.as_ref().map(|_| routes.len());
    let count = arguments.sample.map(|count| count as usize).or(all);
    Ok(Task {
        routes: sample(routes, count.unwrap_or(SAMPLE)),
        files: Vec::new(),
        redirects: Vec::new(),
        run: Some(run.clone()),
        sampled_of: None,
        address: open_manifest::address(settings, &manifest)?,
        prefix: manifest.header().prefix.clone(),
    })
}

/// Some of the pages, files and redirects that the store holds. None where it holds no page, or its user may not list them:
/// then those of the last run are the ones to check.
fn stored(
    settings: &Settings,
    arguments: &Probe,
    interrupted: &Arc<AtomicBool>,
) -> Result<Option<Task>, Failure> {
    let mut store = Connected::open_to_read(&settings.address, settings, interrupted)?;
    let keys = Keys::new(&settings.prefix);
    let found = match some_objects(&mut store.session, &keys, MOST_LISTED) {
        Ok(found) => found,
        Err(error) if error.class == Class::Never => {
            log::note("the pages in the store cannot be listed, which needs the right to SCAN");
            return Ok(None);
        }
        Err(error) => return Err(Failure::of_reading(&error)),
    };
    if found.pages.is_empty() {
        return Ok(None);
    }
    let all = found.pages.len();
    let count = arguments.sample.map_or(SAMPLE, |count| count as usize);
    Ok(Some(Task {
        routes: sample(found.pages.into_iter().collect(), count),
        files: sample(found.files.into_iter().collect(), FEW),
        redirects: sample(found.redirects.into_iter().collect(), FEW),
        run: None,
        sampled_of: Some((all, found.is_whole)),
        address: settings.address.clone(),
        prefix: settings.prefix.clone(),
    }))
}

/// The routes of the command line, each once, in its order.
fn named(typed: &[String]) -> Result<Vec<Route>, Failure> {
    let mut routes = Vec::with_capacity(typed.len());
    let mut known = HashSet::with_capacity(typed.len());
    for typed in typed {
        let route = typed_route(typed)?;
        if known.insert(route.clone()) {
            routes.push(route);
        }
    }
    Ok(routes)
}

/// The last run with the prefix of the settings that wrote a page. An import that found nothing to
/// do wrote none; the pages of the run before it are then the ones to check.
fn last_with_pages(settings: &Settings) -> Result<(Manifest, Vec<Route>), Failure> {
    let runs = Runs::of(&settings.state_dir);
    let all = runs.all();
    let all = all.map_err(|error| Failure::unlisted_runs(runs.folder(), &error))?;
    for (_, manifest) in all.into_iter().rev() {
        let Ok(manifest) = manifest else { continue };
        let header = manifest.header();
        if header.command == "rollback" || header.prefix != settings.prefix {
            continue;
        }
        let routes =
            published_routes(&manifest).map_err(|damage| open_manifest::unusable(&damage))?;
        if !routes.is_empty() {
            return Ok((manifest, routes));
        }
    }
    let (shown, prefix) = (settings.state_dir_shown(), &settings.prefix);
    let what = format!("no run with the prefix {prefix} in {shown} wrote a page");
    Err(Failure::new(Exit::Usage, what)
        .note(
            "expected",
            "a state folder with such a run, --run, or --routes",
        )
        .note("retry", "with one of these; nothing was written"))
}
