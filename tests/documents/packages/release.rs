//! .ci/release: which commits it releases, and with which text.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;

use regex::Regex;
use tempfile::TempDir;

use super::page;
use crate::support::Ran;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A repository with one commit, of the files that a release reads.
struct Repository(TempDir);

impl Repository {
    fn new() -> Self {
        let repository = Self(tempfile::tempdir().unwrap());
        std::fs::create_dir(repository.path(".ci")).unwrap();
        for file in [".ci/release", "Cargo.toml", "Cargo.lock", "CHANGELOG.md"] {
            std::fs::copy(file, repository.path(file)).unwrap();
        }
        std::fs::write(repository.path(".gitignore"), "/target\n").unwrap();
        repository.git("init -q");
        repository.git("add .");
        repository.git("commit -qm first");
        repository
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn git(&self, line: &str) {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=a", "-c", "user.email=a@example.org"]);
        Ran::of(git.args(line.split(' ')).current_dir(self.0.path())).exits(0);
    }

    fn program(&self) -> Command {
        let mut program = Command::new("bash");
        program.arg(".ci/release").current_dir(self.0.path());
        program
    }

    /// The checks alone, of `tag` or (empty) of the tag of this commit.
    fn check(&self, tag: &str) -> Ran {
        Ran::of(self.program().args([tag, "--check"]))
    }
}

#[test]
fn a_release_is_refused_unless_tag_manifest_and_changelog_agree() {
    let repository = Repository::new();
    let tag = format!("v{VERSION}");
    repository
        .check(&tag)
        .exits(0)
        .says(&format!("release: {tag} may be released\n"));
    repository
        .check("v9.9.9")
        .exits(1)
        .notes("the tag is v9.9.9, but Cargo.toml has version ");
    let changelog = page("CHANGELOG.md");
    let other = changelog.replace(&format!("## [{VERSION}]"), "## [9.9.8]");
    std::fs::write(repository.path("CHANGELOG.md"), other).unwrap();
    repository
        .check(&tag)
        .exits(1)
        .notes("the newest section of CHANGELOG.md is 9.9.8");
    std::fs::write(repository.path("CHANGELOG.md"), changelog + "\n").unwrap();
    repository
        .check(&tag)
        .exits(1)
        .notes("the sources differ from their commit");
    // git that fails does not count as a clean folder.
    std::fs::rename(repository.path(".git"), repository.path("git")).unwrap();
    repository
        .check(&tag)
        .exits(1)
        .notes("this folder is not a git repository");
}

#[test]
fn a_release_is_of_the_commit_that_has_the_tag_of_the_version() {
    let repository = Repository::new();
    let tag = format!("v{VERSION}");
    repository
        .check("")
        .exits(1)
        .notes("this commit has no tag; name one: ");
    repository.git("tag candidate");
    repository.check("").exits(1).notes(&format!(
        "no tag of this commit is {tag}, the version in Cargo.toml: candidate"
    ));
    repository.git(&format!("tag -am release {tag}"));
    repository.git("tag zz-last");
    repository
        .check("")
        .exits(0)
        .says(&format!("release: {tag} may be released\n"));
    repository.git("commit -qm second --allow-empty");
    repository
        .check(&tag)
        .exits(1)
        .notes(&format!("the tag {tag} is on commit "));
}

#[test]
fn the_text_of_a_release_links_to_the_repository_at_the_tag() {
    let repository = Repository::new();
    let tag = format!("v{VERSION}");
    repository.check(&tag).exits(0);
    let notes = std::fs::read_to_string(repository.path("target/release-notes.md")).unwrap();
    assert!(
        notes.contains("\n### Added\n") && !notes.contains("\n## "),
        "{notes}"
    );
    let link = format!("](https://github.com/alphanode/anp/blob/{tag}/docs/install.md)");
    assert!(notes.contains(&link), "{notes}");
    for link in Regex::new(r"\]\(([^)]*)").unwrap().captures_iter(&notes) {
        assert!(link[1].starts_with("https://"), "{}", &link[1]);
    }
}

#[test]
fn a_release_leaves_the_test_of_the_packages_out_only_when_told_to() {
    let repository = Repository::new();
    // A user who is not root, and a build that ends at once.
    let programs = tempfile::tempdir().unwrap();
    for (name, script) in [("id", "echo 1000"), ("make", "echo make $*; exit 9")] {
        let program = programs.path().join(name);
        std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(program, Permissions::from_mode(0o755)).unwrap();
    }
    let path = std::env::var("PATH").unwrap();
    let path = format!("{}:{path}", programs.path().display());
    let release = || {
        let mut release = repository.program();
        release.arg(format!("v{VERSION}")).env("PATH", &path);
        release
    };
    Ran::of(&mut release())
        .exits(1)
        .notes("(WITHOUT_PACKAGE_TEST=1 leaves it out)");
    Ran::of(release().env("WITHOUT_PACKAGE_TEST", "1"))
        .exits(9)
        .says("make dist\n");
}
