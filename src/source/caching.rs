//! What earlier runs remember, and who may use it.

/// What use is made of what earlier runs remember of unchanged files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caching {
    /// None: every file is read.
    Off,
    /// It is read, and left as it is: only who holds the lock of the state folder may write it.
    Read,
    /// It is read, and what was found is written for the next run.
    Write,
}
