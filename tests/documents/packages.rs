//! What the packages hold: man pages, lists of files, maintainer scripts, and how they are made.

#[cfg(feature = "serve")]
mod compose;
mod files;
mod man;
mod release;

use regex::Regex;

fn page(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The newest version in CHANGELOG.md, and its date.
fn release() -> (String, String) {
    let heading = Regex::new(r"(?m)^## \[(\d+\.\d+\.\d+)\] - (\d{4}-\d\d-\d\d)$").unwrap();
    let text = page("CHANGELOG.md");
    let found = heading.captures(&text).expect("a section of a version");
    (found[1].to_owned(), found[2].to_owned())
}

fn release_date() -> String {
    release().1
}

#[test]
fn the_changelog_has_a_section_of_this_version() {
    assert_eq!(release().0, env!("CARGO_PKG_VERSION"));
}
