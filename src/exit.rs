//! The exit codes, each with the one situation it stands for.

/// How a process of anp ends. The numbers are part of the interface; they follow
/// `sysexits.h` where it has a fitting code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done; warnings alone do not change this.
    Done = 0,
    /// `anp diff --exit-code` found differences.
    Differs = 1,
    /// The command line was wrong.
    Usage = 2,
    /// Done, but some articles were invalid, some keys in conflict, a comparison differed, or a cache was
    /// not purged.
    Partial = 3,
    /// Another run holds the lock.
    Locked = 11,
    /// Switched off with `anp pause`.
    Paused = 12,
    /// The content was refused; nothing was written.
    Refused = 65,
    /// The store could not be reached; nothing was written.
    Unavailable = 69,
    /// The manifest could not be written; the store was not touched after that.
    Manifest = 74,
    /// Stopped half-way: run the printed rollback, or import again.
    Stopped = 75,
    /// The store refused the credentials or a right is missing.
    NotPermitted = 77,
    /// The configuration is wrong.
    Config = 78,
    /// Interrupted by a signal.
    Interrupted = 130,
}

impl Exit {
    /// The number the process exits with.
    #[must_use]
    pub fn code(self) -> u8 {
        self as u8
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// The table printed by `--help` and shown in docs/output.md.
pub const TABLE: &str = "\
Exit codes:
  0    done (warnings alone are 0)
  1    'anp diff --exit-code' found differences
  2    usage
  3    done, but some articles were invalid, some keys in conflict, a comparison differed, or a cache was not purged
  11   another run holds the lock
  12   switched off
  65   content refused, nothing written
  69   store unavailable
  74   manifest or another file could not be written
  75   stopped half-way: run the printed rollback, or import again
  77   not permitted
  78   configuration
  130  interrupted";
