//! Commands of anp as they are printed: exact, with absolute paths and without passwords.

use std::path::Path;

use super::switch::Switch;
use crate::publish::history::runs::Runs;
use crate::publish::manifest::Manifest;
use crate::settings::Settings;
use crate::store::Address;

/// The command that undoes the run of `manifest`, made from the settings: what the manifest says
/// itself may have been written by anybody, and a person copies it into a shell.
#[must_use]
pub fn rollback_line(settings: &Settings, manifest: &Manifest) -> String {
    let header = manifest.header();
    let path = manifest.path();
    let runs = Runs::of(&settings.state_dir);
    let name = if runs.holds(path) {
        header.run.clone()
    } else {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        shell_word(&path.to_string_lossy())
    };
    let server = Address::parse(&header.server);
    let is_there = server.is_ok_and(|server| server.same_as(&settings.address));
    let names_the_server = settings.address_is_explicit && is_there;
    command(settings, &format!("rollback {name}"), names_the_server)
}

/// The command that switches on again.
#[must_use]
pub fn resume_line(settings: &Settings, switch: &Switch) -> String {
    command_for_store(settings, &switch.prefix, "resume")
}

/// An exact command of anp for the run of a manifest, which tells server and prefix: absolute
/// paths, no password.
pub(crate) fn command_line(settings: &Settings, what: &str) -> String {
    // A server that only this command line named gets credentials only where it is named so
    // again. The user is part of the address, the password is not.
    command(settings, what, settings.address_is_explicit)
}

/// The same for a command that no manifest tells the server and the prefix.
pub(crate) fn command_for_store(settings: &Settings, prefix: &str, what: &str) -> String {
    let command = command(settings, what, true);
    format!("{command} --prefix {}", shell_word(prefix))
}

pub(crate) fn command(settings: &Settings, what: &str, names_the_server: bool) -> String {
    let state_dir = shell_word(&settings.state_dir.to_string_lossy());
    let mut command = format!("{} {what} --state-dir {state_dir}", program());
    if let Some(config) = &settings.config {
        let config = std::path::absolute(config).unwrap_or_else(|_| config.clone());
        command = format!(
            "{command} --config {}",
            shell_word(&config.to_string_lossy())
        );
    }
    if names_the_server {
        command = format!("{command} --redis {}", server_word(settings));
    }
    for (flag, text) in &settings.connection_flags {
        command = format!("{command} {flag} {}", shell_word(text));
    }
    command
}

/// The address with its user and without its password.
pub(crate) fn server_word(settings: &Settings) -> String {
    let address = settings.address.with_user();
    shell_word(&address.unwrap_or_else(|| settings.address.to_string()))
}

/// `text` as one word of a shell command.
#[must_use]
pub fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-:=@%+,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// How this program is called: `anp` if that is what the PATH finds, else its own path.
#[must_use]
pub fn program() -> String {
    let own = std::env::current_exe().unwrap_or_else(|_| "anp".into());
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .map(|folder| folder.join("anp"))
        .find(|candidate| candidate.is_file());
    let same = found.is_some_and(|found| is_same(&found, &own));
    if same {
        "anp".to_owned()
    } else {
        shell_word(&own.to_string_lossy())
    }
}

pub(crate) fn is_same(a: &Path, b: &Path) -> bool {
    match (a.canonicalize(), b.canonicalize()) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    }
}
