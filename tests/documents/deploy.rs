//! The files in deploy/, as far as tests can check them without installing them.

mod kubernetes;
mod slurm;
mod units;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Child;

use crate::support::{Ran, World};
use anp::cli::Cli;
use clap::Parser as _;
use regex::Regex;

fn page(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The words are a command line of anp.
#[track_caller]
fn is_command_line<'a>(words: impl IntoIterator<Item = &'a str>) {
    if let Err(error) = Cli::try_parse_from(words) {
        panic!("{error}");
    }
}

/// All shards succeed, and together they have published all 30 articles.
fn publish_all(world: &World, shards: Vec<Child>) {
    for shard in shards {
        let output = shard.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{said}");
    }
    assert_eq!(world.keys().len(), 60);
}

/// The variables, the time fields and the one job of deploy/cron.d/anp.
fn crontab() -> (Vec<(String, String)>, Vec<String>, String) {
    let text = page("deploy/cron.d/anp");
    let mut variables = Vec::new();
    let mut jobs = Vec::new();
    let is_variable = Regex::new(r"^[A-Z]+=").unwrap();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        if is_variable.is_match(line) {
            let (name, value) = line.split_once('=').unwrap();
            variables.push((name.to_owned(), value.to_owned()));
        } else {
            jobs.push(line);
        }
    }
    assert_eq!(jobs.len(), 1);
    assert!(text.ends_with('\n'), "cron takes no line without its end");
    let mut rest = jobs[0];
    let mut fields = Vec::new();
    for _ in 0..6 {
        let (field, after) = rest.split_once(' ').unwrap();
        fields.push(field.to_owned());
        rest = after;
    }
    (variables, fields, rest.to_owned())
}

#[test]
fn the_crontab_line_is_one_that_cron_takes() {
    let (variables, fields, command) = crontab();
    let names: Vec<&str> = variables.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["SHELL", "PATH", "MAILTO"]);
    for (field, most) in fields.iter().zip([59, 23, 31, 12, 7]) {
        let number = || field.parse::<u32>().unwrap();
        assert!(field == "*" || number() <= most, "{fields:?}");
    }
    assert_eq!(fields[5], "anp", "the user");
    assert!(!command.contains('%'), "cron takes it for a line end");
    assert!(
        command.len() < 900,
        "cron reads no more than 1,000 bytes of a line"
    );
    let anp = command.split(" timeout -k 2m 2h ").nth(1).unwrap();
    let anp = anp.split(" >").next().unwrap();
    is_command_line(anp.split(' '));
}

/// Runs the command as cron would: its shell, its PATH (and what this test was built for),
/// with the folders of this world instead of the machine's.
fn run_by_hand(world: &World) -> Ran {
    let (variables, _, command) = crontab();
    let here = |path: &str| world.path(path).to_str().unwrap().to_owned();
    let command = command
        .replace("/srv/archive", &here(""))
        .replace("/etc/anp", &here("etc"))
        .replace("/var/lib/anp", &here("state"));
    let value = |name: &str| {
        let found = variables.iter().find(|(other, _)| other == name);
        found.unwrap().1.clone()
    };
    let own = Path::new(env!("CARGO_BIN_EXE_anp")).parent().unwrap();
    let mut shell = world.program(value("SHELL"));
    shell
        .args(["-c", &command])
        .current_dir("/")
        .env("PATH", format!("{}:{}", own.display(), value("PATH")));
    Ran::of(&mut shell)
}

#[test]
fn the_crontab_line_imports_says_what_is_wrong_and_is_quiet_when_nothing_is() {
    let world = World::new();
    world
        .server
        .command("ACL SETUSER anp on >secret ~* &* +@all");
    let redis = format!(
        "redis: {}?user=anp\nstate_dir: state\ncontent: content\nowner: archive desk\n",
        world.server.url()
    );
    world.write("anp.yaml", redis);
    let config = world.path("anp.yaml");
    let environment = |password: &str| {
        let text = page("deploy/anp.env")
            .replace("/etc/anp/anp.yaml", config.to_str().unwrap())
            .replace(
                "ANP_REDIS_PASSWORD=''",
                &format!("ANP_REDIS_PASSWORD='{password}'"),
            );
        world.write("etc/anp.env", text);
    };
    environment("secret");
    world.article("a.md", "A.");
    std::fs::create_dir(world.path("state")).unwrap();
    let ran = run_by_hand(&world);
    ran.exits(0).hides("secret");
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", ""));
    world
        .anp("runs show last")
        .says("created              2 keys")
        .says("owner      archive desk");
    assert_eq!(world.runs().len(), 1);
    // A bad article: the rest is published, and cron has output to mail.
    world.article("b.md", "B.");
    for name in ["bad", "worse"] {
        world.write(
            &format!("content/{name}.md"),
            "---\ntitle: A\nscore: {quality: 140}\n---\nText.\n",
        );
    }
    let bad = "content/bad.md:3:18: error[score.quality]: expected a whole number from 0 to 100, found 140\n";
    let ran = run_by_hand(&world);
    assert!(
        ran.stderr
            .starts_with("error: 2 of 4 articles are invalid\n"),
        "{ran}"
    );
    ran.exits(65).notes(bad);
    world.write(
        "anp.yaml",
        page("anp.yaml")
            .replace(
                "redis: embedded",
                &format!("redis: {}?user=anp\nmax_invalid: 50%", world.server.url()),
            )
            .replace("state_dir: .anp", "state_dir: state"),
    );
    let ran = run_by_hand(&world);
    assert!(
        ran.stdout
            .starts_with("1 article published, 1 updated, 2 invalid; 6 archive objects written\n"),
        "{ran}"
    );
    ran.exits(3).says(bad).says("rollback  ").notes_exactly("");
    assert!(!ran.stdout.contains("anp:page:"), "{ran}");
    assert_eq!(world.server.dump().len(), 11);
    environment("wrong");
    run_by_hand(&world)
        .notes("= retry: after you change the credentials")
        .hides("wrong");
}

#[test]
fn the_image_is_built_from_files_that_are_there_and_sent() {
    let text = page("deploy/Dockerfile");
    let ignored = page("deploy/Dockerfile.dockerignore");
    let sent: BTreeSet<&str> = ignored
        .lines()
        .filter_map(|line| line.strip_prefix('!'))
        .collect();
    assert!(ignored.lines().any(|line| line == "*"));
    let mut copied = BTreeSet::new();
    for line in text.lines().filter_map(|line| line.strip_prefix("COPY ")) {
        if !line.starts_with("--from=build ") {
            let words: Vec<&str> = line.split(' ').collect();
            copied.extend(words[..words.len() - 1].iter().copied());
        }
    }
    assert_eq!(copied, sent);
    // Without its build script the package is complete, too, and does not compile.
    assert!(copied.contains("build.rs"), "{copied:?}");
    // cargo does not build a package that names benches and lacks them.
    assert!(!page("Cargo.toml").contains("[[bench]]") || copied.contains("benches"));
    for path in &copied {
        assert!(Path::new(path).exists(), "{path}");
    }
    // These files are a complete package, and include no other file.
    let folder = tempfile::tempdir().unwrap();
    for entry in copied.iter().flat_map(walkdir::WalkDir::new) {
        let entry = entry.unwrap();
        let to = folder.path().join(entry.path());
        if entry.file_type().is_dir() {
            std::fs::create_dir_all(to).unwrap();
        } else {
            std::fs::create_dir_all(to.parent().unwrap()).unwrap();
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
    let metadata = Ran::of(
        std::process::Command::new(env!("CARGO"))
            .args([
                "metadata",
                "--offline",
                "--locked",
                "--no-deps",
                "--format-version",
                "1",
            ])
            .current_dir(folder.path()),
    );
    metadata.exits(0);
    let metadata: serde_json::Value = serde_json::from_str(&metadata.stdout).unwrap();
    let targets = metadata["packages"][0]["targets"].as_array().unwrap();
    assert!(targets.iter().any(|target| target["kind"][0] == "bin"));
    let included = Regex::new(r#"include_(?:str|bytes)!\("([^"]+)"\)"#).unwrap();
    for entry in walkdir::WalkDir::new(folder.path().join("src")) {
        let path = entry.unwrap().into_path();
        if path.extension().is_none_or(|ending| ending != "rs") {
            continue;
        }
        let source = std::fs::read_to_string(&path).unwrap();
        let source = source.split("#[cfg(test)]").next().unwrap();
        for found in included.captures_iter(source) {
            let file = path.parent().unwrap().join(&found[1]);
            assert!(file.is_file(), "{}: {}", path.display(), &found[1]);
        }
    }
}

#[test]
fn the_image_runs_as_a_user_that_is_not_root_and_agrees_with_kubernetes() {
    let text = page("deploy/Dockerfile");
    let instructions: BTreeSet<&str> = text
        .replace("\\\n", " ")
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| line.split(' ').next().unwrap().to_owned())
        .map(|word| match word.as_str() {
            "FROM" => "FROM",
            "WORKDIR" => "WORKDIR",
            "ARG" => "ARG",
            "COPY" => "COPY",
            "RUN" => "RUN",
            "USER" => "USER",
            "ENV" => "ENV",
            "ENTRYPOINT" => "ENTRYPOINT",
            "CMD" => "CMD",
            other => panic!("{other} is no instruction that is used here"),
        })
        .collect();
    assert!(instructions.contains("ENTRYPOINT"));
    let user = text
        .lines()
        .find_map(|line| line.strip_prefix("USER "))
        .unwrap();
    assert_eq!(user, "10001:10001");
    let cronjob = page("deploy/kubernetes/cronjob.yaml");
    for field in ["runAsUser", "runAsGroup", "fsGroup"] {
        assert!(cronjob.contains(&format!("{field}: 10001\n")), "{field}");
    }
    assert!(text.contains("cargo build --profile dist --locked"));
    assert!(!text.contains("redis-server "), "it is not needed there");
}

#[test]
fn the_image_stands_on_digests_and_trusts_the_public_authorities() {
    let text = page("deploy/Dockerfile");
    let pinned = Regex::new(r"^FROM [a-z]+:[a-z0-9.-]+@sha256:[0-9a-f]{64}( AS build)?$").unwrap();
    let bases: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("FROM"))
        .collect();
    assert_eq!(bases.len(), 2);
    for base in bases {
        assert!(pinned.is_match(base), "{base}");
    }
    let (first_stage, last_stage) = text.rsplit_once("\nFROM ").unwrap();
    assert!(first_stage.contains("apt-get install -y --no-install-recommends ca-certificates"));
    let authorities = "/etc/ssl/certs/ca-certificates.crt";
    let copied = format!("COPY --from=build {authorities} {authorities}\n");
    assert!(last_stage.contains(&copied));
}

#[test]
fn the_page_names_every_file() {
    let text = page("deploy/README.md");
    for entry in walkdir::WalkDir::new("deploy") {
        let entry = entry.unwrap();
        let relative = entry.path().strip_prefix("deploy").unwrap();
        let relative = relative.to_str().unwrap();
        if entry.file_type().is_file() && relative != "README.md" {
            // Of the packages it names the folder.
            let name = match relative.split_once('/') {
                Some(("packages", _)) => "`packages/`",
                _ => relative.trim_end_matches(".dockerignore"),
            };
            assert!(text.contains(name), "{name}");
        }
    }
    // The same night everywhere.
    let nightly = [
        "cron.d/anp",
        "kubernetes/cronjob.yaml",
        "kubernetes/shards-cronjob.yaml",
    ];
    for file in nightly {
        assert!(
            page(&format!("deploy/{file}")).contains("17 3 * * *"),
            "{file}"
        );
    }
    assert!(page("deploy/systemd/anp-import.timer").contains("03:17:00"));
    // The rollback in Kubernetes is a command line of anp; the runbook has the others.
    let arguments = Regex::new(r#"\["rollback"[^]]*\]"#).unwrap();
    let arguments = arguments.find(&text).unwrap().as_str();
    let arguments: Vec<String> = serde_json::from_str(arguments).unwrap();
    is_command_line(std::iter::once("anp").chain(arguments.iter().map(String::as_str)));
}
