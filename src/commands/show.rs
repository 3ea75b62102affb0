//! `anp show`: what the store holds for one route or file, or why the similar posts of an article are these.

use crate::article::Route;
use crate::cli::{Common, Show};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::publish::keys::Keys;
use crate::publish::run::connection::Connected;
use crate::publish::similar::explain_similar;
use crate::publish::stored_route::{StoredObject, StoredRoute, did_you_mean};
use crate::publish::survey::selection::{TypedPath, typed_path, typed_route};
use crate::report::{Output, Progress, Stderr, similar, stored_route};
use crate::settings::Needs;
use crate::signals::watch;

pub(super) fn run(common: &Common, arguments: &Show) -> Result<Exit, Failure> {
    if arguments.similar {
        return similar(common, arguments, &typed_route(&arguments.route)?);
    }
    let path = typed_path(&arguments.route)?;
    let settings = super::inputs::settings_needing(Needs::Store, common, Vec::new())?;
    let mut store = Connected::open(&settings.address, &settings, &watch()?)?;
    let keys = Keys::new(&settings.prefix);
    let stored = StoredRoute::read(&mut store.session, &keys, &path)
        .map_err(|error| Failure::before_writing(&error))?;
    let mut not_held = || {
        let failure = not_held(&settings.address.to_string(), &path);
        match did_you_mean(&mut store.session, &keys, &path) {
            Some(question) => failure.note("help", question),
            None => failure,
        }
    };
    let mut output = Output::stdout(common.format);
    let wanted = match (arguments.page, arguments.meta, arguments.text) {
        (true, _, _) => Some(stored.page.as_ref().or(stored.file.as_ref())),
        (_, true, _) => Some(stored.meta.as_ref()),
        (_, _, true) => Some(stored.text.as_ref()),
        _ => None,
    };
    if let Some(wanted) = wanted {
        let plain = wanted.map(StoredObject::readable).transpose()?.flatten();
        output.raw(&plain.ok_or_else(&mut not_held)?);
        return Ok(Exit::Done);
    }
    if !stored.is_there() {
        return Err(not_held());
    }
    stored_route::show(&stored, &path, &mut output);
    Ok(Exit::Done)
}

fn similar(common: &Common, arguments: &Show, route: &Route) -> Result<Exit, Failure> {
    let settings = super::inputs::settings_alone(common, arguments.settings())?;
    let mut report = Stderr(Progress::new(common.quiet));
    let posts = explain_similar(&settings, route, &watch()?, &mut report)?;
    similar::show(&posts, &mut Output::stdout(common.format));
    Ok(Exit::Done)
}

fn not_held(server: &str, path: &TypedPath) -> Failure {
    let route = &path.route;
    let what = format!("the store {server} holds nothing for {route}");
    let failure = Failure::new(Exit::Partial, what);
    match path.is_file {
        true => failure
            .note(
                "expected",
                "the path of a published file, such as /feed.xml",
            )
            .note("retry", "safe once the file is published"),
        false => failure
            .note(
                "expected",
                "the route of a published article, such as /redis-caching/ttl-jitter/",
            )
            .note("retry", "safe once the article is published"),
    }
}
