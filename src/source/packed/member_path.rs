//! Paths of members: below the root, and of a length that a file system would take.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

/// How deep folders may be nested. Paths have 4096 bytes, which is 2048 folders.
const MOST_DEPTH: usize = 128;

/// The path of a member below the root, without `.` in it; or why it is refused.
pub(super) fn below(path: &[u8]) -> Result<PathBuf, &'static str> {
    if path.starts_with(b"/") {
        return Err("an absolute path, which leads out of the archive");
    }
    if path.len() > 4096 || path.iter().any(u8::is_ascii_control) {
        return Err("a path that is too long, or has a control character");
    }
    if path.iter().filter(|b| **b == b'/').count() > MOST_DEPTH {
        return Err("a path of more than 128 folders");
    }
    let mut relative = PathBuf::new();
    for part in path.split(|b| *b == b'/') {
        match part {
            b"" | b"." => {}
            b".." => return Err("a path with '..', which leads out of the archive"),
            part if part.len() > 255 => {
                return Err("a path that is too long, or has a control character");
            }
            part => relative.push(OsStr::from_bytes(part)),
        }
    }
    Ok(relative)
}
