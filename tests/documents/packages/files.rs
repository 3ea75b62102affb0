//! deploy/packages/files, the list that packages are laid out and checked by, against the repository,
//! and the scripts that packages run as root.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use regex::Regex;

use super::page;
use crate::support::Ran;

/// A line of the list.
struct Line {
    packages: String,
    mode: String,
    path: String,
    source: String,
}

fn lines() -> Vec<Line> {
    let text = page("deploy/packages/files");
    let lines = text
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty());
    lines
        .map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [packages, mode, path, source] = words[..] else {
                panic!("{line}: four words are expected");
            };
            Line {
                packages: packages.to_owned(),
                mode: mode.to_owned(),
                path: path.to_owned(),
                source: source.to_owned(),
            }
        })
        .collect()
}

fn files_below(folder: &str) -> BTreeSet<String> {
    let entries = walkdir::WalkDir::new(folder)
        .into_iter()
        .map(Result::unwrap);
    let files = entries.filter(|entry| entry.file_type().is_file());
    files
        .map(|entry| entry.path().to_str().unwrap().to_owned())
        .collect()
}

#[test]
fn the_list_names_files_that_are_there_or_made() {
    let mut made = BTreeSet::new();
    for line in lines() {
        match line.source.strip_prefix("made/") {
            Some(name) => {
                made.insert(name.to_owned());
            }
            None => assert!(Path::new(&line.source).is_file(), "{}", line.source),
        }
    }
    let named = [
        "_anp",
        "anp",
        "anp.bash",
        "anp.fish",
        "changelog.Debian",
        "THIRD-PARTY-LICENCES.txt",
    ];
    assert_eq!(made, named.map(str::to_owned).into());
    let script = page("scripts/dist.py");
    for name in made {
        assert!(
            script.contains(&format!("\"{name}\"")),
            "{name} is not made"
        );
    }
}

#[test]
fn every_page_and_every_file_of_a_machine_is_in_the_packages() {
    let sources: BTreeSet<String> = lines().into_iter().map(|line| line.source).collect();
    let mut wanted = files_below("docs");
    wanted.extend(files_below("content"));
    wanted.extend(["README.md", "RUNBOOK.md", "CHANGELOG.md"].map(str::to_owned));
    wanted.extend(["LICENSE-MIT", "LICENSE-APACHE"].map(str::to_owned));
    let deploy = files_below("deploy").into_iter();
    wanted.extend(deploy.filter(|file| !file.starts_with("deploy/packages/")));
    let missing: Vec<_> = wanted.difference(&sources).collect();
    assert!(
        missing.is_empty(),
        "deploy/packages/files lacks {missing:?}"
    );
}

#[test]
fn settings_are_private_and_nothing_is_enabled() {
    for line in lines() {
        let expected = match line.path.as_str() {
            "/usr/bin/anp" => ("all", "0755"),
            "/etc/anp/anp.yaml" | "/etc/anp/anp.env" => ("deb,rpm", "0640"),
            _ => (line.packages.as_str(), "0644"),
        };
        assert_eq!(
            (line.packages.as_str(), line.mode.as_str()),
            expected,
            "{}",
            line.path
        );
        // A file in another folder of /etc could be a job that runs.
        let is_placed = line.path.starts_with("/usr/") || line.path.starts_with("/etc/anp/");
        assert!(is_placed, "{}", line.path);
        assert!(!line.path.contains(".wants/"), "{}", line.path);
        assert!(
            line.path.is_ascii() && !line.path.contains(".."),
            "{}",
            line.path
        );
    }
    let mut paths: BTreeMap<String, usize> = BTreeMap::new();
    for line in lines() {
        *paths.entry(line.path).or_default() += 1;
    }
    assert!(paths.values().all(|times| *times == 1), "{paths:?}");
}

#[test]
fn cargo_toml_packs_each_file_with_the_mode_of_the_list() {
    let cargo: toml::Table = page("Cargo.toml").parse().unwrap();
    let metadata = &cargo["package"]["metadata"];
    let deb: Vec<(String, String, String)> = metadata["deb"]["assets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|asset| {
            let text = |index: usize| asset[index].as_str().unwrap().to_owned();
            (text(0), format!("/{}", text(1)), text(2))
        })
        .collect();
    let rpm: Vec<(String, String, String)> = metadata["generate-rpm"]["assets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|asset| {
            let text = |name: &str| asset[name].as_str().unwrap().to_owned();
            (text("source"), text("dest"), text("mode"))
        })
        .collect();
    for (package, assets) in [("deb", deb), ("rpm", rpm)] {
        for line in lines() {
            if line.packages != "all" && !line.packages.split(',').any(|one| one == package) {
                continue;
            }
            let packed = assets.iter().find(|(_, to, _)| {
                line.path == *to || (to.ends_with('/') && line.path.starts_with(to))
            });
            let (from, to, mode) =
                packed.unwrap_or_else(|| panic!("no {package} has {}", line.path));
            assert_eq!(format!("0{mode}"), line.mode, "{package}: {}", line.path);
            let folder = format!("target/packages/{package}{to}");
            assert!(from.starts_with(&folder), "{from} does not become {to}");
        }
    }
    let conffiles = metadata["deb"]["conf-files"].as_array().unwrap();
    let conffiles: Vec<&str> = conffiles
        .iter()
        .map(|file| file.as_str().unwrap())
        .collect();
    assert_eq!(conffiles, ["/etc/anp/anp.env", "/etc/anp/anp.yaml"]);
    let settings = metadata["generate-rpm"]["assets"].as_array().unwrap();
    let settings = settings
        .iter()
        .find(|asset| asset["dest"].as_str() == Some("/etc/anp/"));
    let settings = settings.unwrap();
    assert_eq!(settings["config"].as_str(), Some("noreplace"));
    assert_eq!(settings["group"].as_str(), Some("anp"));
}

#[test]
fn every_relative_link_of_a_page_in_the_packages_leads_to_a_file_in_them() {
    const TOP: &str = "/usr/share/doc/anp";
    let link = Regex::new(r#"\]\(([^)\s]+)\)|(?:src|srcset|href)="([^"]+)""#).unwrap();
    let code = Regex::new(r"(?ms)^```.*?^```|`[^`\n]+`").unwrap();
    let (mut links, mut broken) = (0, BTreeSet::new());
    for package in ["tar", "deb", "rpm"] {
        let has = |line: &Line| {
            line.packages == "all" || line.packages.split(',').any(|one| one == package)
        };
        let lines: Vec<Line> = lines().into_iter().filter(has).collect();
        let paths: BTreeSet<&str> = lines.iter().map(|line| line.path.as_str()).collect();
        let is_page = |line: &&Line| line.path.starts_with(TOP) && !line.path.contains("/content/");
        for line in lines
            .iter()
            .filter(is_page)
            .filter(|line| line.path.ends_with(".md"))
        {
            let folder = Path::new(&line.path).parent().unwrap();
            let text = page(&line.source);
            let text = code.replace_all(&text, "");
            for found in link.captures_iter(&text) {
                let to = found.get(1).or(found.get(2)).unwrap().as_str();
                let to = to.split('#').next().unwrap();
                if to.is_empty() || to.contains("://") || to.starts_with("mailto:") {
                    continue;
                }
                links += 1;
                let mut path = folder.to_owned();
                for part in to.split('/') {
                    match part {
                        ".." => assert!(path.pop()),
                        "" | "." => {}
                        name => path.push(name),
                    }
                }
                let path = path.to_str().unwrap();
                let is_folder = paths.iter().any(|one| one.starts_with(&format!("{path}/")));
                if !paths.contains(path) && !is_folder {
                    broken.insert(format!("{package}: {} links to {to}", line.path));
                }
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
    assert!(links > 100, "{links} links");
}

#[test]
fn the_scripts_of_the_packages_are_posix_shell_and_say_the_same() {
    let mut scripts = files_below("deploy/packages/deb");
    scripts.extend(files_below("deploy/packages/rpm"));
    for script in &scripts {
        Ran::of(Command::new("sh").args(["-n", script])).exits(0);
        let text = page(script);
        assert!(
            !text.contains("[[") && !text.contains("function "),
            "{script}"
        );
        assert!(!text.contains(" enable "), "{script} enables something");
        if script.starts_with("deploy/packages/deb/") {
            assert!(text.starts_with("#!/bin/sh\n"), "{script}");
            assert!(text.contains("\nset -e\n"), "{script}");
        }
    }
    // The same user and the same folder in both.
    let account = "useradd --system --gid anp --home-dir /var/lib/anp";
    let folder = "install -d -o anp -g anp -m 0750 /var/lib/anp";
    for (script, text) in [
        ("deb/postinst", account),
        ("deb/postinst", folder),
        ("rpm/pre", account),
        ("rpm/post", folder),
    ] {
        assert!(
            page(&format!("deploy/packages/{script}")).contains(text),
            "{script}"
        );
    }
    // Both set the same owners and modes.
    let common = |script: &str| {
        let text = page(script);
        let start = text.find("\nwarn() ").unwrap();
        text[start..text.find("# end of the common part").unwrap()].to_owned()
    };
    assert_eq!(
        common("deploy/packages/deb/postinst"),
        common("deploy/packages/rpm/post")
    );
    // As the unit and the settings have it.
    let unit = page("deploy/systemd/anp-import.service");
    assert!(unit.contains("\nStateDirectory=anp\nStateDirectoryMode=0750\n"));
    assert!(unit.contains("\nEnvironmentFile=/etc/anp/anp.env\n"));
    assert!(page("deploy/anp.env").contains("\nANP_CONFIG='/etc/anp/anp.yaml'\n"));
    assert!(page("deploy/anp.yaml").contains("\nstate_dir: /var/lib/anp\n"));
}
