//! Fail-points: places where a test build dies, or fails, on demand. A release build holds
//! none of it.
//!
//! `ANP_FAIL_POINT=NAME` kills the process (SIGKILL) when it comes to the point NAME,
//! `NAME:N` when it comes there after N times, and `NAME=EIO` or `NAME:N=ENOSPC` makes that
//! step fail with that error instead; `NAME=PANIC` makes it panic. A name is a stage and a step:
//! `intents.synced`.
//!
//! Commands and replies belong to the stage that the run is in: `begin` until the header of
//! its manifest, `survey`, then for each batch `look`, `first` and `second` (the writes, and
//! those that wait for them), and `end`.

use std::io;

/// Nothing calls it in a release build, which therefore lacks it.
mod on_demand {
    use std::io;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Mutex, OnceLock};

    use rustix::io::Errno;

    struct Armed {
        name: String,
        left: AtomicUsize,
        then: Then,
    }

    #[derive(Clone, Copy)]
    enum Then {
        Die,
        Fail(Errno),
        Panic,
    }

    fn armed() -> Option<&'static Armed> {
        static ARMED: OnceLock<Option<Armed>> = OnceLock::new();
        let parse = || {
            let text = std::env::var("ANP_FAIL_POINT").ok()?;
            let (point, then) = match text.split_once('=') {
                Some((point, "ENOSPC")) => (point, Then::Fail(Errno::NOSPC)),
                Some((point, "EINVAL")) => (point, Then::Fail(Errno::INVAL)),
                Some((point, "ENOLCK")) => (point, Then::Fail(Errno::NOLCK)),
                Some((point, "PANIC")) => (point, Then::Panic),
                Some((point, _)) => (point, Then::Fail(Errno::IO)),
                None => (text.as_str(), Then::Die),
            };
            let (name, skip) = point.split_once(':').unwrap_or((point, "0"));
            Some(Armed {
                name: name.to_owned(),
                left: AtomicUsize::new(skip.parse().ok()?),
                then,
            })
        };
        ARMED.get_or_init(parse).as_ref()
    }

    fn find(stage: &str, step: &str) -> Option<&'static Armed> {
        let armed = armed()?;
        let rest = armed.name.strip_prefix(stage)?.strip_prefix('.')?;
        (rest == step).then_some(armed)
    }

    pub(super) fn at(stage: &str, step: &str) -> io::Result<()> {
        let Some(armed) = find(stage, step) else {
            return Ok(());
        };
        // Wraps around once it has fired, and that is never again.
        if armed.left.fetch_sub(1, Ordering::SeqCst) > 0 {
            return Ok(());
        }
        match armed.then {
            Then::Fail(error) => Err(error.into()),
            Then::Panic => panic!("the point {stage}.{step} was asked for a panic"),
            Then::Die => die(),
        }
    }

    pub(super) fn torn(stage: &str, file: &mut impl io::Write, bytes: &[u8]) -> io::Result<()> {
        if find(stage, "torn").is_some_and(|armed| armed.left.load(Ordering::SeqCst) == 0) {
            file.write_all(&bytes[..bytes.len() / 2])?;
        }
        at(stage, "torn")
    }

    pub(super) fn die() -> ! {
        let own = rustix::process::getpid();
        let _ = rustix::process::kill_process(own, rustix::process::Signal::KILL);
        // The signal is on its way.
        loop {
            std::thread::park();
        }
    }

    static STAGE: Mutex<&str> = Mutex::new("begin");

    fn stage() -> &'static str {
        STAGE.lock().map_or("", |stage| *stage)
    }

    pub(super) fn enter(stage: &'static str) {
        if let Ok(mut now) = STAGE.lock() {
            *now = stage;
        }
    }

    pub(super) fn to_send(commands: usize) -> usize {
        let Some(armed) = find(stage(), "sent") else {
            return commands;
        };
        let left = armed.left.load(Ordering::SeqCst);
        if left == 0 {
            die();
        }
        if left >= commands {
            armed.left.store(left - commands, Ordering::SeqCst);
            return commands;
        }
        left
    }

    pub(super) fn replied() {
        let _ = at(stage(), "reply");
    }
}

/// The point `stage.step`.
///
/// # Errors
/// The one that was asked for.
#[inline]
pub fn at(stage: &str, step: &str) -> io::Result<()> {
    if cfg!(debug_assertions) {
        on_demand::at(stage, step)
    } else {
        Ok(())
    }
}

/// The point `stage.torn`: the first half of `bytes` has been written to `file`.
///
/// # Errors
/// The one that was asked for.
#[inline]
pub fn torn(stage: &str, file: &mut impl io::Write, bytes: &[u8]) -> io::Result<()> {
    if cfg!(debug_assertions) {
        on_demand::torn(stage, file, bytes)
    } else {
        Ok(())
    }
}

/// What is sent from here on belongs to `stage`.
#[inline]
pub fn enter(stage: &'static str) {
    if cfg!(debug_assertions) {
        on_demand::enter(stage);
    }
}

/// How many of so many commands are sent before the point `STAGE.sent`.
#[inline]
#[must_use]
pub fn to_send(commands: usize) -> usize {
    if cfg!(debug_assertions) {
        on_demand::to_send(commands)
    } else {
        commands
    }
}

/// The point `STAGE.sent`: `sent` of `all` commands of a batch have been sent.
#[inline]
pub fn sent(sent: usize, all: usize) {
    if cfg!(debug_assertions) && sent < all {
        on_demand::die();
    }
}

/// The point `STAGE.reply`: one reply has been read.
#[inline]
pub fn replied() {
    if cfg!(debug_assertions) {
        on_demand::replied();
    }
}
