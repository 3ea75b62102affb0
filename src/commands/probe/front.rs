//! The routes to check, one look at each, and the measurement after that.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::report::{self, Report};
use super::task;
use crate::article::Route;
use crate::cli::{Common, Probe};
use crate::commands::inputs::settings;
use crate::duration;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::probe::{
    CHECKS, Check, Client, Front, GONE, Load, MISSING, Scene, Stored, Target, Trouble, Visit,
    cookie, visit,
};
use crate::publish::keys::Keys;
use crate::publish::report::Bar as _;
use crate::publish::run::connection::Connected;
use crate::publish::run::process::salt;
use crate::report::{Output, Progress, log};
use crate::signals::watch;
use crate::store::StoreError;

pub(in crate::commands) fn run(common: &Common, arguments: &Probe) -> Result<Exit, Failure> {
    let settings = settings(common, Vec::new())?;
    let target = Target::parse(&arguments.url).map_err(|error| usage("URL", &error))?;
    let login_cookie = cookie(&arguments.login_cookie);
    let login_cookie = login_cookie.map_err(|error| usage("--login-cookie", &error))?;
    let interrupted = watch()?;
    let task = task::find(&settings, arguments, &interrupted)?;
    let mut store = Connected::open_to_read(&task.address, &settings, &interrupted)?;
    let unreachable = |trouble: Trouble| unreachable(&target, &trouble);
    let timeout = arguments.timeout;
    let front = Front::find(target.clone(), timeout, &interrupted).map_err(unreachable)?;
    let front = Arc::new(front);
    let mut client = Client::new(Arc::clone(&front), timeout, Arc::clone(&interrupted));
    client.at_most(arguments.rate);
    client.connect().map_err(unreachable)?;

    let mut output = Output::stdout(common.format);
    let mut report = Report::default();
    let keys = Keys::new(&task.prefix);
    let mut read = |route: &Route| {
        let stored = Stored::read(&mut store.session, &keys, route);
        stored.map_err(|error| store_failed(&error, &interrupted))
    };
    let count = task.routes.len() as u64;
    let bar = Progress::new(common.quiet).bar("probe", "routes", count);
    // Paths of the pages that are there.
    let mut there = Vec::new();
    for route in &task.routes {
        let path = front.target.path(route.as_str());
        let (stored, visit) = look(&mut client, &path, &login_cookie, &mut || read(route))?;
        let scene = Scene {
            stored: &stored,
            visit: &visit,
        };
        let is_there = stored.page.is_some();
        let checks: &[Check] = if is_there { &CHECKS } else { &[GONE] };
        for check in checks {
            report.add(&mut output, check, route.as_str(), check.judge(&scene));
        }
        if is_there {
            report.compared += 1;
            there.push(path);
        } else {
            report.gone += 1;
        }
        bar.advance(1);
    }
    drop(bar);
    missing(&mut client, &login_cookie, &mut report, &mut output)?;
    report.show(&mut output, &front.target, &task);
    if there.is_empty() {
        log::warning("the store holds none of these pages (any more): nothing was compared");
    } else if !arguments.duration.is_zero() {
        let load = Load {
            rate: arguments.rate,
            duration: arguments.duration,
            concurrency: arguments.concurrency,
            timeout,
        };
        output.flush();
        if !common.quiet {
            let shown = duration::show(load.duration.as_millis() as u64);
            log::say(format!("measuring for {shown}"));
        }
        let measured = load
            .run(&front, &there, &interrupted)
            .map_err(|_| stopped())?;
        report.measured(&mut output, &measured);
    }
    report.summary(&mut output, &front.target, &task);
    Ok(if report.is_good() {
        Exit::Done
    } else {
        Exit::Partial
    })
}

/// Visits a route; once more where the store changed meanwhile, since the front may have
/// answered with either state.
fn look(
    client: &mut Client,
    path: &str,
    login_cookie: &str,
    read: &mut dyn FnMut() -> Result<(Stored, Vec<u8>), Failure>,
) -> Result<(Stored, Visit), Failure> {
    let mut ask = |stored: &Stored, page: &[u8]| {
        let page = stored.page.as_ref().map(|_| page);
        visit(client, path, page, login_cookie).map_err(|_| stopped())
    };
    let (mut stored, page) = read()?;
    let mut seen = ask(&stored, &page)?;
    drop(page);
    let scene = Scene {
        stored: &stored,
        visit: &seen,
    };
    let is_good = |check: &Check| !report::is_failed(&check.judge(&scene));
    if !CHECKS.iter().all(is_good) {
        let (later, page) = read()?;
        if stored.differs_from(&later) {
            seen = ask(&later, &page)?;
            stored = later;
        }
    }
    Ok((stored, seen))
}

/// A route that never was.
fn missing(
    client: &mut Client,
    login_cookie: &str,
    report: &mut Report,
    output: &mut Output,
) -> Result<(), Failure> {
    let route = format!("/anp-probe-{:016x}/", salt());
    let path = client.front().target.path(&route);
    let nothing = Stored::nothing();
    let visit = visit(client, &path, None, login_cookie).map_err(|_| stopped())?;
    let scene = Scene {
        stored: &nothing,
        visit: &visit,
    };
    report.add(output, &MISSING, &route, MISSING.judge(&scene));
    Ok(())
}

fn usage(option: &str, error: &str) -> Failure {
    Failure::new(Exit::Usage, format!("{option}: {error}"))
        .note("retry", "with another one; nothing was asked for")
}

fn unreachable(target: &Target, trouble: &Trouble) -> Failure {
    if *trouble == Trouble::Interrupted {
        return stopped();
    }
    Failure::new(
        Exit::Unavailable,
        format!("cannot reach {target}: {trouble}"),
    )
    .note("expected", "a web server that listens there")
    .note("retry", "safe, nothing was written")
}

fn stopped() -> Failure {
    Failure::new(Exit::Interrupted, "interrupted by a signal")
        .note("retry", "safe: a probe writes nothing")
}

/// A wait for the store that a signal ended is no failure of the store.
fn store_failed(error: &StoreError, interrupted: &AtomicBool) -> Failure {
    if interrupted.load(std::sync::atomic::Ordering::Relaxed) {
        stopped()
    } else {
        Failure::of_reading(error)
    }
}
