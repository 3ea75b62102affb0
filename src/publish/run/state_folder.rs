//! The state folder of a run: made, private to its user, and locked.

use std::path::Path;

use super::folder_lock::{FolderLock, FolderLockError};
use super::refusal::locked;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::private;
use crate::publish::history::runs::Runs;
use crate::publish::shards::shard::Shard;
use crate::settings::Settings;

/// Makes the state folder, if need be, and takes its lock.
///
/// # Errors
/// 11 when another process holds it, 74 when the folder cannot be written, 78 when it is not this
/// user's alone.
pub fn lock_folder(settings: &Settings) -> Result<FolderLock, Failure> {
    lock_for(settings, None)
}

/// The same, or for a shard of a run that others do too, the share in it.
pub(crate) fn lock_for(
    settings: &Settings,
    joins: Option<(Shard, &str)>,
) -> Result<FolderLock, Failure> {
    let state_dir = &settings.state_dir;
    let folder = |error: std::io::Error| not_writable(settings, &error);
    for folder in [state_dir.clone(), state_dir.join("runs")] {
        private::check(&folder).map_err(|what| not_private(&folder, &what))?;
    }
    Runs::of(state_dir).make_folder().map_err(folder)?;
    let owner = settings.owner.as_deref();
    let taken = match joins {
        Some((shard, run)) => FolderLock::share(state_dir, owner, shard, run),
        None => FolderLock::take(state_dir, owner),
    };
    taken.map_err(|error| match error {
        FolderLockError::Io(error) => folder(error),
        FolderLockError::Held(holder) => {
            let who = holder.map_or(String::new(), |holder| format!(", {holder}"));
            let shown = state_dir.display();
            let what = format!("another anp process is writing with the state folder {shown}{who}");
            locked(what, "once it has ended")
        }
    })
}

/// The state folder by one name, however it was given: a lease tells people.
pub(crate) fn real(state_dir: &Path) -> String {
    let real = state_dir.canonicalize();
    let real = real.as_deref().unwrap_or(state_dir);
    real.display().to_string()
}

/// The refusal of a state folder that others could have prepared.
pub(crate) fn not_private(folder: &Path, what: &str) -> Failure {
    let shown = folder.display();
    Failure::new(Exit::Config, format!("the state folder {shown} {what}"))
        .note(
            "expected",
            "a folder of this user that no other user may write (chmod go-w)",
        )
        .note(
            "retry",
            format!(
                "as the user that the folder belongs to{}, or with another --state-dir; nothing \
                 was written",
                private::sudo_tip(folder)
            ),
        )
}

pub(crate) fn not_writable(settings: &Settings, error: &std::io::Error) -> Failure {
    let shown = settings.state_dir.display();
    if error.kind() == std::io::ErrorKind::Unsupported {
        let what = format!("cannot use the state folder {shown}: {error}");
        return Failure::new(Exit::Manifest, what)
            .note(
                "expected",
                "a file system with locks (flock) and durable folders (fsync), such as a local disk",
            )
            .note("retry", "safe with another --state-dir; nothing was written");
    }
    Failure::state_folder(&format!("cannot write the state folder {shown}"), error)
}
