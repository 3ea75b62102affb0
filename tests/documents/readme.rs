//! README.md, RUNBOOK.md, deploy/README.md and the pages in docs/ are true: these tests run their
//! commands, compare their tables with the code, and follow their links.

mod story;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anp::cli::Cli;
use anp::settings::KEYS;
use clap::CommandFactory as _;
use regex::Regex;

use self::story::{Block, Story, blocks};
use crate::support;

fn page(path: &str) -> String {
    std::fs::read_to_string(path).unwrap()
}

/// The cells of the table whose header starts with `| first |`, row by row.
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

/// Does what a page says, block by block.
fn follow(path: &str) -> Story {
    let mut story = Story::begin();
    for block in blocks(&page(path)) {
        match block.language.as_str() {
            _ if block.file.is_some() => story.write(&block),
            "console" => story.run(&block),
            "cron" => assert_eq!(block.text, job_of_cron(), "line {}", block.line),
            "acl" => {
                assert_eq!(block.text.trim_end(), anp::store::ACL_LINE);
                rights_suffice(&story, block.text.trim_end());
            }
            // Not run: it calls a service on the internet, or is not a command.
            "text" => {}
            other => panic!("line {}: no test knows blocks of '{other}'", block.line),
        }
    }
    story
}

/// The pages whose commands are run by the tests below.
const FOLLOWED: [&str; 13] = [
    "README.md",
    "RUNBOOK.md",
    "docs/archive.md",
    "docs/configuration.md",
    "docs/first-steps.md",
    "docs/guides/load-test.md",
    "docs/guides/re-warm.md",
    "docs/manifest.md",
    "docs/operations.md",
    "docs/output.md",
    "docs/scaling.md",
    "docs/templates.md",
    "docs/visibility.md",
];

/// Every page for people.
fn pages() -> Vec<String> {
    let mut found = vec![
        "README.md".to_owned(),
        "RUNBOOK.md".to_owned(),
        "CHANGELOG.md".to_owned(),
        "deploy/README.md".to_owned(),
    ];
    for entry in walkdir::WalkDir::new("docs").sort_by_file_name() {
        let path = entry.unwrap().into_path();
        if path.extension().is_some_and(|ending| ending == "md") {
            found.push(path.to_str().unwrap().to_owned());
        }
    }
    found
}

#[test]
fn the_commands_of_every_page_are_run() {
    let with_commands: Vec<String> = pages()
        .into_iter()
        .filter(|path| page(path).contains("```console"))
        // The tests of the preview start `anp serve`, which ends with a signal.
        .filter(|path| path != "docs/serving.md")
        .collect();
    assert_eq!(with_commands, FOLLOWED);
}

#[test]
fn every_command_of_the_readme_does_what_it_shows() {
    assert!(follow("README.md").commands >= 15);
}

#[test]
fn every_command_of_the_first_steps_does_what_it_shows() {
    assert!(follow("docs/first-steps.md").commands >= 12);
}

#[test]
fn every_command_of_the_page_about_configuration_does_what_it_shows() {
    assert!(follow("docs/configuration.md").commands >= 2);
}

#[test]
fn every_command_of_the_page_about_output_does_what_it_shows() {
    assert!(follow("docs/output.md").commands >= 7);
}

#[test]
fn every_command_of_the_page_about_operations_does_what_it_shows() {
    assert!(follow("docs/operations.md").commands >= 9);
}

#[test]
fn every_command_of_the_page_about_templates_does_what_it_shows() {
    assert!(follow("docs/templates.md").commands >= 4);
}

#[test]
fn every_command_of_the_page_about_archives_does_what_it_shows() {
    assert!(follow("docs/archive.md").commands >= 9);
}

#[test]
fn every_command_of_the_page_about_visibility_does_what_it_shows() {
    assert!(follow("docs/visibility.md").commands >= 2);
}

#[test]
fn every_command_of_the_guides_does_what_it_shows() {
    assert!(follow("docs/guides/load-test.md").commands >= 5);
    assert!(follow("docs/guides/re-warm.md").commands >= 4);
}

#[test]
fn every_command_of_the_manifest_page_does_what_it_shows() {
    if let Some(tool) = Story::missing_tool() {
        // make test installs them where it can; anp itself needs neither.
        eprintln!("left out: {tool} is missing");
        return;
    }
    assert!(follow("docs/manifest.md").commands >= 15);
}

#[test]
fn every_command_of_the_page_about_scaling_does_what_it_shows() {
    assert!(follow("docs/scaling.md").commands >= 4);
}

/// The job of deploy/cron.d/anp, with the end of its line.
fn job_of_cron() -> String {
    let file = page("deploy/cron.d/anp");
    format!("{}\n", file.lines().last().unwrap())
}

/// A password that systemd and a shell read differently unless it is quoted.
const PASSWORD: &str = r#"p$a"s\s#w;d"#;

/// Stand-ins for programs of a real machine. They print their arguments; `kubectl get` also prints a
/// CronJob, and `kubectl create` what it reads.
const STAND_INS: &str = r#"
for name in useradd systemctl docker sbatch scontrol; do
    eval "$name() { echo $name \"\$@\"; }"
done
kubectl() {
    echo kubectl "$@" >&2
    case $1 in
        get) echo '{"spec":{"jobTemplate":{"spec":{"template":{"spec":{"containers":[{}]}}}}}}' ;;
        create) [ "$3" != - ] || cat ;;
    esac
}
"#;

/// Follows deploy/README.md in the story's folder. Owners are left out: only root can set them.
fn set_up(story: &Story) -> support::Ran {
    let owners = Regex::new(r" -o [a-z]+ -g [a-z]+").unwrap();
    for folder in ["etc/cron.d", "etc/systemd/system"] {
        std::fs::create_dir_all(story.path(folder)).unwrap();
    }
    let mut script = format!("set -eu{STAND_INS}");
    for block in blocks(&page("deploy/README.md")) {
        assert_eq!(block.language, "sh", "line {}", block.line);
        script += &owners.replace_all(&story.real(&block.text), "");
    }
    let mut shell = std::process::Command::new("sh");
    let ran = support::Ran::of(shell.args(["-c", &script]));
    ran.exits(0);
    // The page says to set these.
    let change = |file: &str, changes: &[(&str, &str)]| {
        let mut text = std::fs::read_to_string(story.path(file)).unwrap();
        for (from, to) in changes {
            assert!(text.contains(from), "{file}: {from}");
            text = text.replace(from, to);
        }
        std::fs::write(story.path(file), story.real(&text)).unwrap();
    };
    let server = format!("{}?user=anp", story.server.url());
    change(
        "etc/anp/anp.yaml",
        &[("redis://anp@cache.example.org:6379/0", &server)],
    );
    let password = format!("ANP_REDIS_PASSWORD='{PASSWORD}'");
    change("etc/anp/anp.env", &[("ANP_REDIS_PASSWORD=''", &password)]);
    ran
}

#[test]
fn a_machine_is_set_up_by_the_commands_of_deploy() {
    if let Some(tool) = Story::missing_tool() {
        eprintln!("left out: {tool} is missing");
        return;
    }
    let story = Story::begin();
    let ran = set_up(&story);
    for called in [
        "useradd --system --home-dir ",
        "systemctl enable --now anp-import.timer\n",
        "docker push registry.example.org/anp:0.1.0\n",
        "sbatch deploy/slurm/import.sbatch\n",
        "scontrol requeue 4711_2\n",
    ] {
        ran.says(called);
    }
    // The Job that rolls back is the CronJob's, with other arguments.
    ran.says("\"kind\": \"Job\"").says("\"rollback\",\n");
    for (path, mode) in [
        ("var/lib/anp", 0o750),
        ("etc/anp", 0o750),
        ("etc/anp/anp.env", 0o640),
        ("etc/anp/anp.yaml", 0o640),
        ("etc/cron.d/anp", 0o644),
    ] {
        let metadata = std::fs::metadata(story.path(path)).unwrap();
        let found = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions());
        assert_eq!(found & 0o777, mode, "{path}");
    }
    for unit in [
        "anp-import.service",
        "anp-import.timer",
        "anp-failed@.service",
    ] {
        assert!(
            story.path("etc/systemd/system").join(unit).is_file(),
            "{unit}"
        );
    }
    let file = Regex::new(r"deploy/[A-Za-z0-9_./@-]+[A-Za-z0-9]").unwrap();
    for block in blocks(&page("deploy/README.md")) {
        for found in file.find_iter(&block.text.replace("anp-*", "anp-import.timer")) {
            assert!(Path::new(found.as_str()).is_file(), "{}", found.as_str());
        }
    }
}

/// The lines `NAME=value` of a unit's section or of an environment file as systemd reads them.
fn assignments(text: &str) -> BTreeMap<String, String> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| {
            let quoted = value
                .strip_prefix('\'')
                .and_then(|it| it.strip_suffix('\''));
            assert!(quoted.is_none_or(|text| !text.contains('\'')), "{name}");
            (name.to_owned(), quoted.unwrap_or(value).to_owned())
        })
        .collect()
}

/// Runs the installed service as systemd would: in its folder, with only its environment.
fn start_service(story: &Story) {
    let unit = story.path("etc/systemd/system/anp-import.service");
    let unit = std::fs::read_to_string(unit).unwrap();
    let service = assignments(&story.real(unit.split("[Service]\n").nth(1).unwrap()));
    let own = Path::new(env!("CARGO_BIN_EXE_anp")).parent().unwrap();
    let mut words = service["ExecStart"].split(' ');
    let environment = std::fs::read_to_string(&service["EnvironmentFile"]).unwrap();
    let mut command = std::process::Command::new(own.join(words.next().unwrap()));
    command
        .args(words)
        .current_dir("/")
        .env_clear()
        .envs(assignments(&environment))
        .env("HOME", story.path("var/lib/anp"));
    assert!(
        !service.contains_key("Environment"),
        "the environment file has everything"
    );
    support::Ran::of(&mut command).exits(0);
}

/// Brings about the symptom of a section of the runbook.
fn set_the_scene(story: &mut Story, section: &str) {
    let mut typed = |text: &str| {
        story.run(&Block {
            language: "console".to_owned(),
            file: None,
            line: 0,
            text: text.to_owned(),
        });
    };
    match section {
        "Roll back" => typed("$ anp purge --all --yes --quiet\n$ anp import --quiet\n"),
        "Take one article down" => {
            typed("$ anp import --quiet\n");
            let source = story.path("content/redis-caching/cache-stampede.md");
            let text = std::fs::read_to_string(&source).unwrap();
            let text = text.replacen("---\n", "---\nwithdrawn: true\n", 1);
            std::fs::write(source, text).unwrap();
        }
        "Re-warm" => typed("$ anp purge --glob '/http/**' --quiet\n"),
        // The lock of a run on another host.
        "Break a lock" => {
            let lease = serde_json::json!({
                "token": "00ff", "run": "20261124T031700.000Z-00ff", "owner": "archive desk",
                "host": "cache-7", "pid": 4711, "state_dir": "/var/lib/anp",
            });
            let value = lease.to_string();
            story
                .server
                .run(&["SET", "anp:lock", &value, "PX", "25000"]);
        }
        _ => {}
    }
}

#[test]
fn on_a_machine_set_up_as_deploy_says_every_command_of_the_runbook_does_what_it_shows() {
    if let Some(tool) = Story::missing_tool() {
        eprintln!("left out: {tool} is missing");
        return;
    }
    let page = page("RUNBOOK.md");
    let mut story = Story::begin();
    set_up(&story);
    let rights = anp::store::ACL_LINE.replace("PASSWORD", PASSWORD);
    story.server.command(&rights);
    // The job by systemd and by cron, then a person at a shell: all see the same runs.
    start_service(&story);
    let cron = std::fs::read_to_string(story.path("etc/cron.d/anp")).unwrap();
    assert_eq!(story.run_cron(cron.lines().last().unwrap()), 0);
    let runs = std::fs::read_dir(story.path("var/lib/anp/runs")).unwrap();
    assert_eq!(runs.count(), 2);
    let blocks = blocks(&page);
    let (prelude, blocks) = blocks.split_first().unwrap();
    assert_eq!(prelude.language, "sh", "line {}", prelude.line);
    let environment = prelude.text.strip_prefix("runuser -u anp -- sh\n").unwrap();
    story.prelude = format!("cd /\n{}", story.real(environment));
    for block in blocks {
        assert_eq!(block.language, "console", "line {}", block.line);
        let before: Vec<&str> = page.lines().take(block.line).collect();
        let heading = before
            .iter()
            .rev()
            .find_map(|line| line.strip_prefix("## "));
        set_the_scene(&mut story, heading.unwrap());
        story.run(block);
    }
    let lines = page.lines().count();
    assert!(lines <= 120, "{lines} lines are more than one page");
}

#[test]
fn every_symptom_of_the_runbook_has_its_section() {
    let page = page("RUNBOOK.md");
    let sections: BTreeSet<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("## "))
        .collect();
    let rows = table(&page, "symptom");
    let named = rows
        .iter()
        .map(|row| row[1].split([']', '[']).nth(1).unwrap());
    assert_eq!(named.collect::<BTreeSet<_>>(), sections);
}

/// Names in the first column of the table whose header starts with `| first |`.
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
        Action, Counts, FORMAT, Fate, Footer, Header, Intent, KeyOutcome, Snapshot, Status,
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
        user: some(),
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
        reason: Some(anp::publish::reason::Reason::New),
        prior: None,
        made: None,
        also: Vec::new(),
        settled: false,
        absent_at: Some(0),
        again: true,
        of_archive: true,
    };
    assert_eq!(named(&page, "intent"), members(&intent));
    let outcome = KeyOutcome {
        key: String::new(),
        fate: Fate::Conflict,
    };
    assert_eq!(named(&page, "outcome"), members(&outcome));
    let footer = Footer {
        status: Status::Done,
        ended_at: 0,
        counts: Counts::default(),
        articles: Some(anp::publish::manifest::ArticleCounts::default()),
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

/// A user with these rights can run every command.
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

#[test]
fn exit_codes_are_those_of_the_code() {
    let said: Vec<(String, String)> = table(&page("docs/output.md"), "code")
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
    let rows = table(&page("docs/configuration.md"), "flag");
    let plain = |cell: &str| cell.replace('`', "");
    let said: Vec<(String, String)> = rows
        .iter()
        .map(|row| (plain(&row[2]), plain(&row[1])))
        .collect();
    let known = KEYS.map(|(key, variable)| (key.to_owned(), variable.to_owned()));
    assert_eq!(said, known);

    let cli = Cli::command();
    // anp synth has no settings, the flags of anp probe are about the front, and those of anp show say
    // what is shown.
    let others = ["synth", "probe", "show"];
    let commands = cli.get_subcommands().chain([&cli]);
    let commands = commands.filter(|command| !others.contains(&command.get_name()));
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
        // The flags of the group `tls` have its name: `--ca` alone would not say of what.
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
            // The sample sets these two, for trying anp out.
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
    let mib = 1024 * 1024;
    let (source, prior) = (
        anp::article::MAX_SOURCE_BYTES / mib,
        anp::publish::state::LARGEST_PRIOR_BYTES / mib,
    );
    let (front_matter, nesting) = (anp::yaml::MAX_BYTES / 1024, anp::yaml::MAX_NESTING);
    let operations = page("docs/operations.md");
    for limit in [
        format!("at most {source} MiB"),
        format!("A value above {prior} MiB"),
        format!("at most {front_matter} KiB, nested at\n  most {nesting} deep"),
    ] {
        assert!(operations.contains(&limit), "{limit}");
    }
    let tail = format!("last {} bytes", anp::render::PAGE_TAIL_BYTES);
    assert!(page("README.md").contains(&tail), "{tail}");
}

/// The anchor of a heading.
fn anchor(heading: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || [' ', '-', '_'].contains(c);
    let plain: String = heading.to_lowercase().chars().filter(kept).collect();
    plain.replace(' ', "-")
}

#[test]
fn every_link_points_to_a_file_and_a_heading() {
    let link = Regex::new(r"\]\(([^)\s]+)\)").unwrap();
    let code = Regex::new("(?s)\n(```+).*?\n```|`[^`\n]+`").unwrap();
    for path in pages() {
        // What a page shows of links is no link.
        let text = code.replace_all(&page(&path), "").into_owned();
        let folder = Path::new(&path).parent().unwrap();
        for found in link.captures_iter(&text) {
            let target = &found[1];
            if target.starts_with("https://") {
                continue;
            }
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let file = match file {
                "" => Path::new(&path).to_owned(),
                file => folder.join(file),
            };
            assert!(file.is_file(), "{path}: {target}");
            if !heading.is_empty() {
                let page = page(file.to_str().unwrap());
                let headings = page.lines().filter(|line| line.starts_with('#'));
                let mut anchors = headings.map(|line| anchor(line.trim_start_matches('#').trim()));
                assert!(anchors.any(|it| it == heading), "{path}: {target}");
            }
        }
    }
}

#[test]
fn the_readme_is_short_and_names_every_page() {
    let text = page("README.md");
    let lines = text.lines().count();
    assert!(lines < 200, "{lines}");
    for path in pages() {
        assert!(
            path == "README.md" || text.contains(&format!("]({path})")),
            "{path}"
        );
    }
}

/// The variables of templates, from the error about an unknown one.
fn variables(world: &support::World) -> Vec<String> {
    world.write("wrong/header.html", "{{ wrong }}");
    let ran = world.anp("check --templates wrong");
    ran.exits(78);
    let list = ran.stderr.split("one of the variables ").nth(1).unwrap();
    let list = list.split(", found 'wrong'").next().unwrap();
    list.split(", ").map(str::to_owned).collect()
}

#[test]
fn the_page_about_templates_has_every_variable_and_what_it_prints() {
    let text = page("docs/templates.md");
    let rows = table(&text, "variable");
    let world = support::World::new();
    let plain = |cell: &str| cell.trim_matches('`').to_owned();
    let named: Vec<String> = rows.iter().map(|row| plain(&row[0])).collect();
    assert_eq!(named, variables(&world));
    // The page's article, the sample's settings, and a template that prints every variable.
    let article = blocks(&text)
        .into_iter()
        .find(|block| block.language == "markdown")
        .unwrap();
    world.write(article.file.as_deref().unwrap(), &article.text);
    let sample = page("anp.yaml");
    let site = sample.split("\nsite:\n").nth(1).unwrap();
    let site = site.split("\n\n").next().unwrap();
    world.write("anp.yaml", format!("site:\n{site}\n"));
    let lines = named
        .iter()
        .map(|name| format!("{name}=[{{{{ {name} }}}}\n"));
    let template = format!("{{{{ body }}}}\n{}", lines.collect::<String>());
    world.write("mine/page.html", &template);
    world.anp("import --templates mine").exits(0);
    let ran = world.anp("show /hello/ --page");
    ran.exits(0);
    for row in &rows {
        let name = plain(&row[0]);
        let shown = ran.stdout.split(&format!("\n{name}=[")).nth(1).unwrap();
        let shown = shown.lines().next().unwrap();
        let example = regex::escape(&plain(&row[1])).replace('…', ".*");
        let example = Regex::new(&format!("^{example}$")).unwrap();
        assert!(example.is_match(shown), "{name}: {shown}");
    }
}

#[test]
fn the_page_about_the_architecture_names_tests_that_exist_for_every_promise() {
    let rows = table(&page("docs/architecture.md"), "promise");
    let mut tests = String::new();
    for entry in walkdir::WalkDir::new("tests") {
        let path = entry.unwrap().into_path();
        if path.extension().is_some_and(|ending| ending == "rs") {
            tests += &page(path.to_str().unwrap());
        }
    }
    for (index, row) in rows.iter().enumerate() {
        assert!(
            row[0].starts_with(&format!("{}. ", index + 1)),
            "{}",
            row[0]
        );
        for name in row[2].split(", ") {
            let named = format!("fn {}()", name.trim_matches('`'));
            assert!(tests.contains(&named), "{named}");
        }
    }
    assert_eq!(rows.len(), 11);
}

#[test]
fn the_page_about_the_architecture_names_files_and_folders_that_exist() {
    let text = page("docs/architecture.md");
    let path = Regex::new(r"src/[a-z_]+[a-z_/.]*[a-z_]").unwrap();
    let mut named: Vec<String> = path
        .find_iter(&text)
        .map(|it| it.as_str().to_owned())
        .collect();
    for row in table(&text, "promise") {
        let folders = row[1].split(", ");
        named.extend(folders.map(|it| format!("src/{}", it.trim_matches('`'))));
    }
    assert!(named.len() > 30, "{named:?}");
    for path in named {
        assert!(Path::new(&path).exists(), "{path}");
    }
}
