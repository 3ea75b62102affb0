//! How a command fails: what failed, what was expected, whether a retry is safe, and the
//! exit code.

use std::fmt;
use std::path::Path;

use crate::exit::Exit;
use crate::private;
use crate::store::{Class, StoreError};

/// What lets threads be started.
pub const ROOM_FOR_THREADS: &str = "a limit of processes with room for threads (ulimit -u, TasksMax, \
                                    pids of the container)";

/// A failure that ends the command.
#[derive(Debug)]
pub struct Failure {
    /// The code the process exits with.
    pub exit: Exit,
    /// What failed: one or more lines. Never holds a password.
    pub what: String,
    /// Further lines, each with its label: `expected`, `retry`, `rollback`.
    pub notes: Vec<(&'static str, String)>,
    /// Further lines for people who were told nothing before.
    pub details: Vec<String>,
}

impl Failure {
    /// A failure that exits with `exit`.
    pub fn new(exit: Exit, what: impl Into<String>) -> Self {
        Self {
            exit,
            what: what.into(),
            notes: Vec::new(),
            details: Vec::new(),
        }
    }

    /// Adds a line such as `= retry: safe, nothing was written`. It stays one line, whatever it
    /// quotes.
    #[must_use]
    pub fn note(mut self, label: &'static str, text: impl Into<String>) -> Self {
        let text: String = text.into();
        self.notes
            .push((label, text.replace(char::is_control, " ")));
        self
    }

    /// The failure for machines: message, exit code, and the notes by their labels.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        let notes: serde_json::Map<_, _> = self
            .notes
            .iter()
            .map(|(label, text)| ((*label).to_owned(), text.as_str().into()))
            .collect();
        serde_json::json!({
            "message": self.what, "exit": self.exit.code(), "notes": notes,
        })
    }

    /// The refusal of options that make no sense.
    pub fn usage(what: impl Into<String>) -> Self {
        Self::new(Exit::Usage, what).note("retry", "after you fix the options; nothing was written")
    }

    /// A signal ended the command before anything was written.
    #[must_use]
    pub fn interrupted() -> Self {
        Self::new(Exit::Interrupted, "interrupted by a signal")
            .note("retry", "safe, nothing was written")
    }

    /// The store failed before anything was written to it.
    #[must_use]
    pub fn before_writing(error: &StoreError) -> Self {
        Self::of_store(error, crate::store::ACL_LINE)
    }

    /// The store failed a command that only reads published objects.
    #[must_use]
    pub fn of_reading(error: &StoreError) -> Self {
        Self::of_store(error, crate::store::READER_ACL_LINE)
    }

    fn of_store(error: &StoreError, acl_line: &str) -> Self {
        match error.class {
            Class::Never if error.is_login_refused() => {
                Self::new(Exit::NotPermitted, error.to_string())
                    .note(
                        "expected",
                        "the user and password of the server: redis://USER@HOST:PORT and \
                         ANP_REDIS_PASSWORD (the nightly job reads it from /etc/anp/anp.env)",
                    )
                    .note("retry", "after you change the credentials; nothing was written")
            }
            Class::Never => Self::new(Exit::NotPermitted, error.to_string())
                .note("expected", "user and password (ANP_REDIS_URL, ANP_REDIS_PASSWORD) and rights as in this ACL line")
                .note("acl", acl_line)
                .note(
                    "retry",
                    "after you change the credentials or rights; nothing was written",
                ),
            Class::Config => Self::new(Exit::Config, error.to_string())
                .note(
                    "expected",
                    "an address, and TLS and sentinel settings, that fit the server \
                     (docs/stores.md)",
                )
                .note(
                    "retry",
                    "after you change the settings or the server; nothing was written",
                ),
            Class::NoThread => Self::new(Exit::Unavailable, error.to_string())
                .note("expected", ROOM_FOR_THREADS)
                .note("retry", "safe once the limit is raised; nothing was written"),
            Class::Interrupted => Self::new(Exit::Interrupted, error.to_string())
                .note("retry", "safe, nothing was written"),
            Class::Fenced => Self::new(Exit::Locked, error.to_string())
                .note("expected", "one writing run at a time")
                .note("retry", "safe once the other run has ended; nothing was written"),
            _ => Self::new(Exit::Unavailable, error.to_string())
                .note(
                    "expected",
                    "a Redis (7.0 or later) or Valkey (7.2 or later) server that answers",
                )
                .note("retry", "safe, nothing was written"),
        }
    }

    /// The store failed at the one command that this is about. Where its answer is missing, it
    /// may have been carried out all the same.
    #[must_use]
    pub fn perhaps_done(error: &StoreError) -> Self {
        let exit = match error.class {
            Class::FindAgain => Exit::Stopped,
            Class::Interrupted => Exit::Interrupted,
            _ => return Self::before_writing(error),
        };
        let what = format!("{error}; it may have been carried out all the same");
        Self::new(exit, what)
            .note(
                "expected",
                "a server that answers, and takes writes, within --deadline",
            )
            .note("retry", "safe: the same command again says how it stands")
    }

    /// The runs in `folder`, that of the state folder, cannot be listed.
    #[must_use]
    pub fn unlisted_runs(folder: &Path, error: &std::io::Error) -> Self {
        let what = format!("cannot list the runs in {}: {error}", folder.display());
        Self::new(Exit::Manifest, what)
            .note("expected", "a state folder that can be read")
            .note(
                "retry",
                format!(
                    "safe once the folder can be read{}; nothing was written to the store",
                    private::sudo_tip(folder)
                ),
            )
    }

    /// The state folder could not be written before anything was written to the store.
    #[must_use]
    pub fn state_folder(what: &str, error: &std::io::Error) -> Self {
        Self::new(Exit::Manifest, format!("{what}: {error}"))
            .note(
                "expected",
                "a state folder that can be written, with free space",
            )
            .note(
                "retry",
                "safe once the folder can be written; nothing was written to the store",
            )
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.what)?;
        for (label, text) in &self.notes {
            write!(f, "\n  = {label}: {text}")?;
        }
        if !self.details.is_empty() {
            write!(f, "\n\n{}", self.details.join("\n"))?;
        }
        Ok(())
    }
}

impl std::error::Error for Failure {}
