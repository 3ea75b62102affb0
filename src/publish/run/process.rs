//! This process and its host.

/// So much of the name of a user is recorded, in characters.
const LONGEST_USER: usize = 64;

/// The name of this host.
#[must_use]
pub fn host() -> String {
    rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned()
}

/// The name of the user who runs this: behind `sudo`, the one who called it.
#[must_use]
pub fn user() -> String {
    let uid = nix::unistd::getuid();
    let variable = |name: &&str| std::env::var(name).ok().filter(|user| !user.is_empty());
    let name = ["SUDO_USER", "USER", "LOGNAME"]
        .iter()
        .find_map(variable)
        .or_else(|| Some(nix::unistd::User::from_uid(uid).ok()??.name));
    // The environment may hold anything.
    name.map_or_else(
        || format!("uid {uid}"),
        |name| name.chars().take(LONGEST_USER).collect(),
    )
}

/// Whether a process `pid` lives on this host.
#[must_use]
pub fn is_alive(pid: u32) -> bool {
    let pid = i32::try_from(pid).ok();
    let pid = pid.and_then(rustix::process::Pid::from_raw);
    // Not permitted means that it is there.
    pid.is_some_and(|pid| {
        !matches!(
            rustix::process::test_kill_process(pid),
            Err(rustix::io::Errno::SRCH)
        )
    })
}

/// A number that no other run has: the random keys that the standard library seeds its
/// hash maps with.
#[must_use]
pub fn salt() -> u64 {
    use std::hash::{BuildHasher as _, RandomState};
    RandomState::new().hash_one(std::process::id())
}
