//! What `anp --version` says of a build besides its version: the commit of the sources, and the
//! target.
//!
//! The commit is the last one that changed what is built, not HEAD: a commit that touches only
//! docs or tests neither rebuilds anp nor changes its bytes. Nothing here depends on the clock,
//! the host or the path.

use std::path::{Path, PathBuf};
use std::process::Command;

/// What is compiled into the program.
const BUILT: [&str; 5] = ["src", "anp.yaml", "build.rs", "Cargo.toml", "Cargo.lock"];

/// git writes the commit into this file when it makes a source archive (.gitattributes).
const ARCHIVED: &str = "src/cli/commit.txt";

fn main() {
    for path in BUILT {
        println!("cargo:rerun-if-changed={path}");
    }
    let folder = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let commit = of_git(&folder)
        .or_else(|| of_package(&folder))
        .or_else(|| of_archive(&folder))
        .unwrap_or_else(|| "unknown (built from sources without git)".to_owned());
    println!("cargo:rustc-env=ANP_COMMIT={commit}");
    let target = std::env::var("TARGET").unwrap_or_default();
    println!("cargo:rustc-env=ANP_TARGET={target}");
}

/// The commit of a git checkout.
fn of_git(folder: &Path) -> Option<String> {
    // Sources that were unpacked inside another repository are no part of it.
    let root = git(folder, &["rev-parse", "--show-toplevel"])?;
    if Path::new(&root).canonicalize().ok()? != folder.canonicalize().ok()? {
        return None;
    }
    let mut log = vec!["log", "-1", "--format=%H", "--"];
    log.extend(BUILT);
    let commit = git(folder, &log).filter(|commit| !commit.is_empty())?;
    let mut status = vec!["--no-optional-locks", "status", "--porcelain", "--"];
    status.extend(BUILT);
    if git(folder, &status)?.is_empty() {
        return Some(commit);
    }
    // Once they are committed, a release names that commit. Other builds are not worth it: they
    // would compile everything again after each commit.
    if std::env::var("PROFILE").is_ok_and(|profile| profile == "release") {
        let log = git(folder, &["rev-parse", "--git-path", "logs/HEAD"])?;
        println!("cargo:rerun-if-changed={log}");
    }
    Some(format!("{commit}, with uncommitted changes"))
}

fn git(folder: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(arguments)
        // A hook of git sets these, for another command.
        .env_remove("GIT_DIR")
        .env_remove("GIT_INDEX_FILE")
        .env_remove("GIT_WORK_TREE")
        .output();
    let output = output.ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}

/// The commit that `cargo package` recorded.
fn of_package(folder: &Path) -> Option<String> {
    let info = std::fs::read_to_string(folder.join(".cargo_vcs_info.json")).ok()?;
    let (_, rest) = info.split_once("\"sha1\"")?;
    hash(rest.split('"').nth(1)?)
}

/// The commit that `git archive` wrote into a file.
fn of_archive(folder: &Path) -> Option<String> {
    hash(std::fs::read_to_string(folder.join(ARCHIVED)).ok()?.trim())
}

fn hash(text: &str) -> Option<String> {
    let is_hash = text.len() >= 40 && text.bytes().all(|b| b.is_ascii_hexdigit());
    is_hash.then(|| text.to_owned())
}
