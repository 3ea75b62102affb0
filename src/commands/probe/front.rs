//! The routes to check, one look at each, and the measurement after that.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::report::{self, Report};
use super::task;
use crate::article::Route;
use crate::cli::{Common, Probe};
use crate::commands::inputs::settings;
use crate::duration;
use crate::edge::CachePolicy;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::probe::{
    Check, Client, Front, Load, MISSING, Scene, Stored, Subject, Target, Trouble, Visit, checks_of,
    cookie, visit,
};
use crate::publish::keys::Keys;
use crate::publish::report::Bar as _;
use crate::publish::run::connection::Connected;
use crate::publish::run::process::salt;
use crate::report::{Output, Progress, log};
use crate::signals::watch;
use crate::store::{Session, StoreError};

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
    let count = task.routes.len() + task.files.len() + task.redirects.len();
    let bar = Progress::new(common.quiet).bar("probe", "routes", count as u64);
    let mut prober = Prober {
        client,
        session: &mut store.session,
        keys: Keys::new(&task.prefix),
        target: &front.target,
        login_cookie: &login_cookie,
        policy: settings.cache,
        interrupted: &interrupted,
        report: &mut report,
        output: &mut output,
    };
    // Paths of the pages that are there.
    let mut there = Vec::new();
    for route in &task.routes {
        if prober.check(Subject::Page(route))? {
            prober.report.compared += 1;
            there.push(front.target.path(route.as_str()));
        } else {
            prober.report.gone += 1;
        }
        bar.advance(1);
    }
    for path in &task.files {
        prober.report.files += u64::from(prober.check(Subject::File(path))?);
        bar.advance(1);
    }
    for route in &task.redirects {
        prober.report.redirects += u64::from(prober.check(Subject::Redirect(route))?);
        bar.advance(1);
    }
    drop(bar);
    prober.missing()?;
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

/// Compares a front with the store, and reports it.
struct Prober<'p> {
    client: Client,
    session: &'p mut Session,
    keys: Keys,
    target: &'p Target,
    login_cookie: &'p str,
    policy: CachePolicy,
    interrupted: &'p AtomicBool,
    report: &'p mut Report,
    output: &'p mut Output,
}

impl Prober<'_> {
    /// Checks one page, file or redirect; whether the store holds it.
    fn check(&mut self, subject: Subject<'_>) -> Result<bool, Failure> {
        let (stored, visit) = self.look(subject)?;
        let scene = Scene {
            target: self.target,
            stored: &stored,
            visit: &visit,
            policy: self.policy,
        };
        for check in checks_of(subject, &stored) {
            let verdict = check.judge(&scene);
            self.report.add(self.output, check, subject.path(), verdict);
        }
        Ok(stored.is_there())
    }

    /// Reads and visits it; once more where the store changed meanwhile, since the front may have answered
    /// with either state.
    fn look(&mut self, subject: Subject<'_>) -> Result<(Stored, Visit), Failure> {
        let (stored, bytes) = self.read(subject)?;
        let seen = self.ask(subject, &stored, &bytes)?;
        drop(bytes);
        let scene = Scene {
            target: self.target,
            stored: &stored,
            visit: &seen,
            policy: self.policy,
        };
        let is_bad = |check: &Check| report::is_failed(&check.judge(&scene));
        if checks_of(subject, &stored).iter().any(is_bad) {
            let (later, bytes) = self.read(subject)?;
            if stored.differs_from(&later) {
                let seen = self.ask(subject, &later, &bytes)?;
                return Ok((later, seen));
            }
        }
        Ok((stored, seen))
    }

    fn read(&mut self, subject: Subject<'_>) -> Result<(Stored, Vec<u8>), Failure> {
        let stored = Stored::read(self.session, &self.keys, subject);
        stored.map_err(|error| store_failed(&error, self.interrupted))
    }

    fn ask(
        &mut self,
        subject: Subject<'_>,
        stored: &Stored,
        bytes: &[u8],
    ) -> Result<Visit, Failure> {
        let path = self.target.path(subject.path());
        let bytes = stored.page.as_ref().map(|_| bytes);
        let seen = visit(&mut self.client, subject, &path, bytes, self.login_cookie);
        seen.map_err(|_| stopped())
    }

    /// Checks a route that never was.
    fn missing(&mut self) -> Result<(), Failure> {
        let route = Route::parse(&format!("/anp-probe-{:016x}/", salt()));
        let route = route.expect("letters, digits and single hyphens are a route");
        let stored = Stored::nothing();
        let visit = self.ask(Subject::Page(&route), &stored, b"")?;
        let scene = Scene {
            target: self.target,
            stored: &stored,
            visit: &visit,
            policy: self.policy,
        };
        let verdict = MISSING.judge(&scene);
        self.report
            .add(self.output, &MISSING, route.as_str(), verdict);
        Ok(())
    }
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
