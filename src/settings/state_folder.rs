//! Where manifests and the record of runs are.

use std::path::PathBuf;

use super::keys::Sources;
use super::reader::Reader;

/// The state folder.
pub(super) struct StateFolder {
    /// As an absolute path.
    pub path: PathBuf,
    /// Whether anything said where it is.
    pub is_set: bool,
    /// Whether it is the default, and no settings file could have named another.
    pub is_default: bool,
}

/// Reads where the state folder is.
pub(super) fn read(reader: &mut Reader, sources: &Sources<'_>) -> StateFolder {
    let path = reader
        .path("state_dir", sources.current_dir)
        .or_else(|| xdg_state(sources.env));
    let is_set = path.is_some();
    // Without one, no command gets as far as using it.
    let path = path.unwrap_or_else(|| PathBuf::from(".local/state/anp"));
    StateFolder {
        path: sources.current_dir.join(path),
        is_set,
        is_default: reader.file.is_none() && !reader.is_given("state_dir"),
    }
}

/// `$XDG_STATE_HOME/anp`, or `~/.local/state/anp` (XDG Base Directory Specification); none where
/// neither variable is set.
fn xdg_state(env: &dyn Fn(&str) -> Option<String>) -> Option<PathBuf> {
    let absolute = |name: &str| {
        env(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let state = absolute("XDG_STATE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local/state")));
    state.map(|state| state.join("anp"))
}
