//! Which state folder a lease is from.
//!
//! A run that holds the file lock of a state folder takes over a lease from the same folder at
//! once: the run that left it is dead. Host name and path do not say which folder that is:
//! containers share both on volumes of their own, and a machine that was cloned has them too. So a
//! lease names
//!
//! - the random id in the folder, which no other folder has, unless it is a copy,
//! - the boot id of the host, which tells a copy on another machine, and a folder that several
//!   machines share, where a file lock may not reach from one to another,
//! - device and inode of the lock file, which tell a copy on the same machine.

use std::fs::File;
use std::io;
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Duration;

use super::state_files::{lock_within, not_durable, open};
use crate::hex;

/// The file of the random id.
const NAME: &str = "id";
/// A shard that makes the id holds its file for the time of two syncs.
const MOST_WAIT: Duration = Duration::from_secs(5);
/// 128 bits in hex.
const DIGITS: usize = 32;

/// The identity of `state_dir`, whose lock file is `lock`. Makes the random id of a folder that
/// has none.
///
/// # Errors
/// Whatever the file system says.
pub(crate) fn identity(state_dir: &Path, lock: &File) -> io::Result<String> {
    let id = random_id(state_dir)?;
    let boot = boot_id();
    let metadata = lock.metadata()?;
    let (device, inode) = (metadata.dev(), metadata.ino());
    Ok(format!("{id} {boot} {device:x} {inode:x}"))
}

fn random_id(state_dir: &Path) -> io::Result<String> {
    let mut file = open(&state_dir.join(NAME))?;
    // Shards that begin at the same time share the lock of the folder.
    lock_within(&file, MOST_WAIT)?;
    let mut found = String::new();
    // What a crash left half-written, or somebody else's bytes, is no id.
    let _ = (&file).take(DIGITS as u64 + 1).read_to_string(&mut found);
    let is_hex = |text: &str| text.len() == DIGITS && text.bytes().all(|b| b.is_ascii_hexdigit());
    if is_hex(found.trim_end()) {
        return Ok(found.trim_end().to_owned());
    }
    let mut random = [0; DIGITS / 2];
    File::open("/dev/urandom")?.read_exact(&mut random)?;
    let id = hex::text(&random);
    file.rewind()?;
    file.set_len(0)?;
    file.write_all(format!("{id}\n").as_bytes())?;
    file.sync_all()?;
    File::open(state_dir)?.sync_all().map_err(not_durable)?;
    Ok(id)
}

/// Changes with every start of the host. Where the system tells none, the host's name has to do.
fn boot_id() -> String {
    let told = std::fs::read_to_string("/proc/sys/kernel/random/boot_id");
    told.map_or_else(|_| super::process::host(), |id| id.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::{NAME, random_id};

    #[test]
    fn a_folder_keeps_its_id_and_gets_a_new_one_for_one_that_is_torn() {
        let folder = tempfile::tempdir().unwrap();
        let id = random_id(folder.path()).unwrap();
        assert_eq!(id.len(), 32);
        assert_eq!(random_id(folder.path()).unwrap(), id);
        let file = folder.path().join(NAME);
        for torn in ["", &id[..31], &id.replace(|_| true, "z")] {
            std::fs::write(&file, torn).unwrap();
            let new = random_id(folder.path()).unwrap();
            assert_ne!(new, id);
            assert_eq!(random_id(folder.path()).unwrap(), new);
            assert_eq!(std::fs::read_to_string(&file).unwrap(), format!("{new}\n"));
        }
        let other = tempfile::tempdir().unwrap();
        assert_ne!(random_id(other.path()).unwrap(), id);
    }
}
