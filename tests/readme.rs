//! The README and the pages in docs/ say what is so: their commands are run, their tables are
//! compared with the code, their links lead somewhere.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

#[path = "readme/story.rs"]
mod story;
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anp::cli::Cli;
use anp::settings::KEYS;
use clap::CommandFactory as _;
use regex::Regex;
use story::{Block, Story, blocks};

fn page(path: &str) -> String {
    std::fs::read_to_string(path).unwrap()
}

/// The cells of the rows of the table whose header begins with `| first |`.
fn table(page: &str, first: &str) -> Vec<Vec<String>> {
    let header = format!("| {first} |");
    let rows = page.lines().skip_while(|line| !line.starts_with(&header));
    let rows: Vec<Vec<String>> = rows
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .map(|row| {
            let cells = row.trim_matches('|').split('|');
            cells.map(|cell| cell.trim().to_owned()).collect()
        })
        .collect();
    assert!(!rows.is_empty(), "no table with '{first}'");
    rows
}

#[test]
fn every_command_of_the_readme_does_what_it_shows() {
    let page = page("README.md");
    let mut story = Story::begin();
    for block in blocks(&page) {
        match block.language.as_str() {
            "console" => story.run(&block),
            "yaml" => settings_file(&story, &block),
            "cron" => nightly(&mut story, &block),
            "acl" => {
                assert_eq!(block.text.trim_end(), anp::store::ACL_LINE);
                rights_suffice(&story, block.text.trim_end());
            }
            "markdown" => front_matter(&block),
            // What calls somebody else's service is not run.
            "text" => {}
            other => panic!("line {}: no test knows blocks of '{other}'", block.line),
        }
    }
    assert!(story.commands >= 15, "{}", story.commands);
}

#[test]
fn every_command_of_the_manifest_page_does_what_it_shows() {
    if let Some(tool) = Story::missing_tool() {
        // make test installs them where it can; anp itself needs neither.
        eprintln!("left out: {tool} is missing");
        return;
    }
    let page = page("docs/manifest.md");
    let mut story = Story::begin();
    for block in blocks(&page) {
        assert_eq!(block.language, "console", "line {}", block.line);
        story.run(&block);
    }
    assert!(story.commands >= 15, "{}", story.commands);
}

#[test]
fn every_command_of_the_page_about_scaling_does_what_it_shows() {
    let page = page("docs/scaling.md");
    let mut story = Story::begin();
    for block in blocks(&page) {
        assert_eq!(block.language, "console", "line {}", block.line);
        story.run(&block);
    }
    assert!(story.commands >= 4, "{}", story.commands);
}

/// Sets a machine up as deploy/README.md says, as far as that is possible below a folder and without
/// being root, and gives the values that a unit's `[Service]` has.
fn set_up(story: &mut Story) -> BTreeMap<String, String> {
    let text = page("deploy/README.md");
    let blocks = blocks(&text);
    let first = blocks.iter().find(|block| block.language == "sh").unwrap();
    assert!(first.text.starts_with("useradd "), "{}", first.text);
    let cron = blocks
        .iter()
        .find(|block| block.text.contains("/etc/cron.d/anp"));
    // Owners are for root to set.
    let owners = Regex::new(r" -o [a-z]+ -g [a-z]+").unwrap();
    let real = |text: &str| owners.replace_all(&story.real(text), "").into_owned();
    std::fs::create_dir_all(story.path("etc/cron.d")).unwrap();
    let script = format!(
        "set -eu\nuseradd() {{ :; }}\n{}\n{}",
        real(&first.text),
        real(&cron.unwrap().text)
    );
    let mut shell = std::process::Command::new("sh");
    support::Ran::of(shell.args(["-c", &script])).exits(0);
    // What the page says to set then.
    for file in ["anp.yaml", "etc/anp/anp.env"] {
        let text = std::fs::read_to_string(story.path(file)).unwrap();
        let server = story.server.url();
        let text = story
            .real(&text)
            .replace("redis://anp@cache.example.org:6379/0", &server);
        std::fs::write(story.path(file), text).unwrap();
    }
    let unit = page("deploy/systemd/anp-import.service");
    let service = unit.split("[Service]\n").nth(1).unwrap();
    let lines = service.lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), story.real(value)))
        .collect()
}

/// Starts the service as systemd would: its folder, its environment and nothing else.
fn start(story: &Story, service: &BTreeMap<String, String>) {
    let own = Path::new(env!("CARGO_BIN_EXE_anp")).parent().unwrap();
    let words = service["ExecStart"].replace("/usr/local/bin", own.to_str().unwrap());
    let mut words = words.split(' ');
    let file = std::fs::read_to_string(&service["EnvironmentFile"]).unwrap();
    let variables = file.lines().filter(|line| !line.starts_with('#'));
    let mut command = std::process::Command::new(words.next().unwrap());
    command
        .args(words)
        .current_dir(&service["WorkingDirectory"])
        .env_clear()
        .envs(variables.map(|line| line.split_once('=').unwrap()))
        .env("HOME", story.path("var/lib/anp"));
    assert!(!service.contains_key("Environment"), "one file has it all");
    support::Ran::of(&mut command).exits(0);
}

#[test]
fn on_a_machine_set_up_as_deploy_says_every_command_of_the_runbook_does_what_it_shows() {
    let page = page("RUNBOOK.md");
    let mut story = Story::begin();
    let service = set_up(&mut story);
    // The job by both ways, then a person at a shell: all of them mean the same runs.
    start(&story, &service);
    let cron = std::fs::read_to_string(story.path("etc/cron.d/anp")).unwrap();
    assert_eq!(story.run_cron(cron.lines().last().unwrap()), 0);
    let runs = std::fs::read_dir(story.path("var/lib/anp/runs")).unwrap();
    assert_eq!(runs.count(), 2);
    let blocks = blocks(&page);
    let (prelude, blocks) = blocks.split_first().unwrap();
    assert_eq!(prelude.language, "sh", "line {}", prelude.line);
    let environment = prelude.text.strip_prefix("runuser -u anp -- sh\n").unwrap();
    story.prelude = story.real(environment);
    story.run(&Block {
        language: "console".to_owned(),
        line: 0,
        text: "$ anp verify last\n…\n$ anp rollback last --format text\n…\n$ echo $?\n3\n\
               $ anp import --quiet\n$ anp purge --all --yes --quiet\n"
            .to_owned(),
    });
    let before = story.commands;
    for block in blocks {
        assert_eq!(block.language, "console", "line {}", block.line);
        if block.text.contains("anp unlock") {
            // As a run of another host would have left it.
            let lease = serde_json::json!({
                "token": "00ff", "run": "20261124T031700.000Z-00ff", "owner": "archive desk",
                "host": "cache-7", "pid": 4711, "state_dir": "/var/lib/anp",
            });
            let value = lease.to_string();
            story
                .server
                .run(&["SET", "anp:lock", &value, "PX", "25000"]);
        }
        story.run(block);
    }
    assert_eq!(story.commands - before, 11);
    let lines = page.lines().count();
    assert!(lines <= 120, "{lines} lines are more than one page");
}

/// Names in the first column of the table whose header begins with `first`.
fn named(page: &str, first: &str) -> BTreeSet<String> {
    let name = Regex::new("`([a-z0-9_]+)`").unwrap();
    table(page, first)
        .iter()
        .flat_map(|row| name.captures_iter(&row[0]).map(|found| found[1].to_owned()))
        .collect()
}

fn members(line: &impl serde::Serialize) -> BTreeSet<String> {
    let value = serde_json::to_value(line).unwrap();
    value.as_object().unwrap().keys().cloned().collect()
}

#[test]
fn the_manifest_page_names_every_member_of_every_line() {
    use anp::publish::manifest::{
        Action, Counts, FORMAT, Fate, Footer, Header, Intent, Outcome, Snapshot, Status,
    };
    let page = page("docs/manifest.md");
    let some = || Some(String::new());
    let header = Header {
        format: FORMAT,
        anp: String::new(),
        run: String::new(),
        command: String::new(),
        started_at: 0,
        owner: some(),
        expected_result: some(),
        server: String::new(),
        cluster: std::iter::once("07c3…".to_owned()).collect(),
        db: 0,
        prefix: String::new(),
        settings_digest: String::new(),
        rollback: String::new(),
        content: some(),
        undoes: some(),
        shard: anp::publish::shards::shard::Shard::parse("0/1"),
        attempt: Some(1),
        begun_at: Some(0),
        order: Some(0),
        begun_order: Some(0),
        skipped_bytes: Some(0),
        host: String::new(),
        pid: 0,
    };
    assert_eq!(named(&page, "header"), members(&header));
    let snapshot = Snapshot {
        kind: some(),
        expires_at: None,
        sha1: some(),
        fields: vec![anp::publish::state::ExpiringField {
            expires_at: 0,
            sha1: anp::publish::state::Fingerprint::of(b""),
        }],
        bytes: Some(0),
        value: some(),
        value_base64: some(),
        dump_base64: some(),
    };
    assert_eq!(named(&page, "`prior`, `made`"), members(&snapshot));
    let intent = Intent {
        key: String::new(),
        action: Action::Create,
        prior: None,
        made: None,
        also: Vec::new(),
        settled: false,
        absent_at: Some(0),
        again: true,
    };
    assert_eq!(named(&page, "intent"), members(&intent));
    let outcome = Outcome {
        key: String::new(),
        fate: Fate::Conflict,
    };
    assert_eq!(named(&page, "outcome"), members(&outcome));
    let footer = Footer {
        status: Status::Done,
        ended_at: 0,
        counts: Counts::default(),
    };
    assert_eq!(named(&page, "footer"), members(&footer));
    for count in members(&Counts::default()) {
        assert!(page.contains(&count), "{count}");
    }
    assert!(page.contains(&format!("| {FORMAT}; another number")));
}

#[test]
fn the_manifest_page_describes_the_frames() {
    let world = support::World::new();
    world.article("a.md", "A.");
    world.anp("import").exits(0);
    let bytes = std::fs::read(world.manifest(&world.runs()[0])).unwrap();
    let number = |range: std::ops::Range<usize>| {
        let digits = bytes[range].iter().rev();
        digits.fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte))
    };
    assert_eq!((number(0..4), number(4..8)), (0x184D_2A5A, 56));
    assert_eq!(number(8..16), 0);
    let end = 64 + usize::try_from(number(16..24)).unwrap();
    assert_eq!(bytes[24..56], *blake3::hash(&bytes[64..end]).as_bytes());
    assert_eq!(bytes[56..64], blake3::hash(&bytes[..56]).as_bytes()[..8]);
    assert_eq!(
        (number(end..end + 4), number(end + 4..end + 8)),
        (0x184D_2A5E, 4)
    );
    assert_eq!(bytes[end + 8..end + 12], *b"anp\xA5");
    assert_eq!(number(end + 20..end + 28), 1, "the next frame");
}

/// A user with these rights can do all of it.
fn rights_suffice(story: &Story, acl: &str) {
    story.server.command(acl);
    let world = support::World::new();
    world.article("a.md", "A.").article("gone.md", "Gone.");
    let redis = format!("{}?user=anp", story.server.url());
    let variables = [("ANP_REDIS_PASSWORD", "PASSWORD")];
    let redis = ["--redis", redis.as_str()];
    let run = |line: &str| {
        let words: Vec<&str> = line.split(' ').chain(redis).collect();
        world.anp_with(&words, &variables).exits(0);
    };
    run("import");
    std::fs::remove_file(world.path("content/gone.md")).unwrap();
    run("import --prune --max-removed 100%");
    run("verify last");
    run("rollback last");
    run("show /gone/");
}

/// The settings of the nightly import are settings.
fn settings_file(story: &Story, block: &Block) {
    std::fs::write(story.path("night.yaml"), &block.text).unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_anp"));
    command
        .args(["runs", "--config"])
        .arg(story.path("night.yaml"));
    support::Ran::of(&mut command).exits(0);
}

/// The crontab line runs as cron would run it, with the story's settings.
fn nightly(story: &mut Story, block: &Block) {
    std::fs::write(story.path("anp.env"), "export ANP_REDIS_PASSWORD=\n").unwrap();
    let lines: Vec<&str> = block.text.lines().collect();
    assert_eq!(lines.len(), 1);
    assert_eq!(story.run_cron(lines[0]), 0);
    let log = std::fs::read_to_string(story.path("night.log")).unwrap();
    assert!(log.contains("created             32 keys"), "{log}");
}

/// The example passes without a warning.
fn front_matter(block: &Block) {
    let world = support::World::new();
    world.write("content/example.md", &block.text);
    let ran = world.anp("check --format text");
    ran.exits(0);
    assert_eq!(
        ran.stdout,
        "1 article: 1 valid, 0 invalid, 0 drafts left out, 0 skipped\n"
    );
}

#[test]
fn exit_codes_are_those_of_the_code() {
    let said: Vec<(String, String)> = table(&page("README.md"), "code")
        .into_iter()
        .map(|row| (row[0].clone(), row[1].clone()))
        .collect();
    let known: Vec<(String, String)> = anp::exit::TABLE
        .lines()
        .skip(1)
        .map(|line| {
            let (code, meaning) = line.trim().split_once(' ').unwrap();
            (code.to_owned(), meaning.trim().to_owned())
        })
        .collect();
    assert_eq!(said, known);
}

#[test]
fn settings_are_those_of_the_code() {
    let rows = table(&page("README.md"), "flag");
    let plain = |cell: &str| cell.replace('`', "");
    let said: Vec<(String, String)> = rows
        .iter()
        .map(|row| (plain(&row[2]), plain(&row[1])))
        .collect();
    let known = KEYS.map(|(key, variable)| (key.to_owned(), variable.to_owned()));
    assert_eq!(said, known);

    let cli = Cli::command();
    // anp synth has no settings, and those of anp probe are about the front: their flags mean
    // nothing elsewhere.
    let commands = cli.get_subcommands().chain([&cli]);
    let commands = commands.filter(|command| !["synth", "probe"].contains(&command.get_name()));
    let flags: Vec<String> = commands
        .flat_map(clap::Command::get_arguments)
        .filter_map(|argument| argument.get_long().map(|long| format!("--{long}")))
        .collect();
    let sample = page("anp.yaml");
    let sample: BTreeMap<&str, &str> = sample
        .lines()
        .map(|line| line.trim_start().strip_prefix("# ").unwrap_or(line))
        .filter_map(|line| line.split_once(": "))
        .collect();
    for row in &rows {
        let (flag, key, default) = (plain(&row[0]), plain(&row[2]), plain(&row[3]));
        let name = key.rsplit('.').next().unwrap();
        // The group of TLS stands in its flags: what a `--ca` is of would not be said.
        let flag_name = match key.strip_prefix("tls.") {
            Some(_) => key.replace('.', "_"),
            None => name.to_owned(),
        };
        let expected = format!("--{}", flag_name.replace('_', "-"));
        match flag.as_str() {
            "CONTENT" => {}
            "" => assert!(!flags.contains(&expected), "{expected} is missing"),
            flag => {
                assert_eq!(flag, expected);
                assert!(flags.contains(&expected), "there is no {flag}");
            }
        }
        let is_example = |text: &str| text.contains("# example");
        match sample.get(name) {
            // The sample sets these two for trying out anp.
            Some(shown)
                if !is_example(shown) && !["redis", "state_dir"].contains(&key.as_str()) =>
            {
                assert_eq!(default, *shown, "default of {key}");
            }
            _ => {}
        }
    }
}

#[test]
fn limits_are_those_of_the_code() {
    let page = page("README.md");
    let mib = 1024 * 1024;
    let (source, prior) = (
        anp::article::MAX_SOURCE_BYTES / mib,
        anp::publish::state::LARGEST_PRIOR_BYTES / mib,
    );
    let (front_matter, nesting) = (anp::yaml::MAX_BYTES / 1024, anp::yaml::MAX_NESTING);
    for limit in [
        format!("at most {source} MiB"),
        format!("A value above {prior} MiB"),
        format!("at most {front_matter} KiB, nested at\n  most {nesting} deep"),
        format!("last {} bytes", anp::render::PAGE_TAIL_BYTES),
    ] {
        assert!(page.contains(&limit), "{limit}");
    }
}

#[test]
fn links_lead_to_files_and_headings() {
    let link = Regex::new(r"\]\(([^)\s]+)\)").unwrap();
    for path in [
        "README.md",
        "RUNBOOK.md",
        "CHANGELOG.md",
        "docs/manifest.md",
        "docs/reliability.md",
        "docs/scaling.md",
        "docs/serving.md",
        "docs/stores.md",
        "deploy/README.md",
    ] {
        let page = page(path);
        let folder = Path::new(path).parent().unwrap();
        for found in link.captures_iter(&page) {
            let target = &found[1];
            if target.starts_with("https://") {
                continue;
            }
            let file = target.split('#').next().unwrap();
            assert!(folder.join(file).is_file(), "{path}: {target}");
        }
    }
}
