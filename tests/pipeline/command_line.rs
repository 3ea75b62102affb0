//! The command line's conventions, with the real program: help, version, colour, completions,
//! what `--verbose` adds, near misses, progress bars.

mod bars;
mod init;
mod near_misses;

use std::path::Path;
use std::process::Command;

use clap::CommandFactory as _;

use crate::support::{Ran, World};

/// Each command, `runs show` and anp without a command among them.
fn commands() -> Vec<Vec<String>> {
    let mut all = vec![Vec::new()];
    collect(&anp::cli::Cli::command(), &[], &mut all);
    assert!(all.len() > 15, "{all:?}");
    all
}

fn collect(command: &clap::Command, above: &[String], all: &mut Vec<Vec<String>>) {
    for command in command.get_subcommands() {
        let name = command.get_name().to_owned();
        let words = [above, &[name]].concat();
        collect(command, &words, all);
        all.push(words);
    }
}

fn run(world: &World, words: &[&str], variables: &[(&str, &str)]) -> Ran {
    let mut command = world.bare();
    Ran::of(command.args(words).envs(variables.iter().copied()))
}

#[test]
fn the_short_help_of_every_command_fits_on_a_screen() {
    let world = World::new();
    for words in commands() {
        let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
        words.push("-h");
        let ran = run(&world, &words, &[("COLUMNS", "80")]);
        let lines = ran.exits(0).stdout.lines().count();
        assert!(lines <= 40, "{lines} lines: {ran}");
        let is_wide = |line: &&str| line.chars().count() > 80;
        assert_eq!(ran.stdout.lines().find(is_wide), None, "{ran}");
        ran.hides("--tls-ca").hides("--wait-replicas");
    }
}

#[test]
fn the_long_help_has_every_option_under_its_heading_and_examples() {
    let world = World::new();
    for words in commands() {
        let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
        words.push("--help");
        let ran = run(&world, &words, &[]);
        ran.exits(0).says("\nExamples:\n  anp ");
        for part in ["\nTLS and sentinels:\n", "\nStore:\n", "\nOutput:\n"] {
            ran.says(part);
        }
    }
    let help = run(&world, &["import", "--help"], &[]).stdout;
    let section = |heading: &str| {
        let rest = help.split_once(&format!("\n{heading}:\n")).unwrap().1;
        let is_heading = |line: &&str| !line.is_empty() && !line.starts_with(' ');
        let lines: Vec<&str> = rest.lines().take_while(|line| !is_heading(line)).collect();
        lines.join("\n")
    };
    for (heading, option) in [
        ("Options", "--force"),
        ("Options", "--dry-run"),
        ("Content", "--strict"),
        ("Load test", "--body-kb"),
        ("Expiry", "--max-ttl"),
        ("Removal", "--prune"),
        ("Run record", "--owner"),
        ("Replicas and shards", "--shard"),
        ("TLS and sentinels", "--tls-key"),
        ("Settings and state", "--state-dir"),
        ("Output", "--color"),
    ] {
        assert!(section(heading).contains(option), "{heading} {option}");
    }
    assert!(section("Expiry").contains("[default: 7d]"), "{help}");
}

#[test]
fn help_is_a_command_too() {
    let world = World::new();
    for (words, same) in [
        (&["help"][..], &["--help"][..]),
        (&["help", "import"], &["import", "--help"]),
        (&["help", "runs", "show"], &["runs", "show", "--help"]),
    ] {
        let ran = run(&world, words, &[]);
        assert_eq!(ran.exits(0).stdout, run(&world, same, &[]).stdout);
    }
    run(&world, &["help", "imprt"], &[]).exits(2).notes("imprt");
}

#[test]
fn n_is_short_for_dry_run_wherever_that_is() {
    let world = World::new();
    let cli = anp::cli::Cli::command();
    for command in cli.get_subcommands() {
        let mut arguments = command.get_arguments();
        if let Some(dry) = arguments.find(|argument| argument.get_long() == Some("dry-run")) {
            assert_eq!(dry.get_short(), Some('n'), "{}", command.get_name());
        }
    }
    world.article("a.md", "Text.");
    let ran = world.anp("import -n --format text");
    ran.exits(0).says("dry run");
    assert!(world.server.dump().is_empty());
}

#[test]
fn version_is_short_or_tells_how_the_program_was_built() {
    let world = World::new();
    let version = env!("CARGO_PKG_VERSION");
    let short = run(&world, &["-V"], &[]);
    assert_eq!(short.exits(0).stdout, format!("anp {version}\n"));
    let long = run(&world, &["--version"], &[]);
    let lines: Vec<&str> = long.exits(0).stdout.lines().collect();
    assert_eq!(lines[0], format!("anp {version}"));
    let labels: Vec<&str> = lines[1..].iter().map(|line| line[..10].trim()).collect();
    assert_eq!(labels, ["commit", "target", "features"], "{long}");
    assert!(lines[2].ends_with("linux-gnu") || lines[2].contains('-'));
    assert_eq!(lines[3], "features  probe, serve");
}

/// build.rs as cargo runs it, in a copy of what it reads.
struct BuildScript {
    folder: tempfile::TempDir,
}

impl BuildScript {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        std::fs::create_dir_all(folder.path().join("src/cli")).unwrap();
        for file in ["build.rs", "src/cli/commit.txt", ".gitattributes"] {
            std::fs::copy(root.join(file), folder.path().join(file)).unwrap();
        }
        let mut rustc = Command::new(std::env::var_os("RUSTC").unwrap_or("rustc".into()));
        let built = rustc
            .args(["--edition", "2024", "build.rs", "-o", "build-script"])
            .current_dir(folder.path())
            .status();
        assert!(built.unwrap().success());
        Self { folder }
    }

    fn git(&self, line: &str) -> String {
        let mut git = Command::new("git");
        for setting in [
            "user.name=A",
            "user.email=a@example.org",
            "commit.gpgsign=false",
        ] {
            git.args(["-c", setting]);
        }
        // A hook of git sets these: nothing may be committed elsewhere.
        for variable in ["GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"] {
            git.env_remove(variable);
        }
        git.args(line.split(' '));
        let ran = Ran::of(git.current_dir(self.folder.path()));
        ran.exits(0).stdout.trim().to_owned()
    }

    fn write(&self, file: &str, text: &str) {
        std::fs::write(self.folder.path().join(file), text).unwrap();
    }

    /// The commit that it names, and whether it runs again after the next one.
    fn run(&self, profile: &str) -> (String, bool) {
        let folder = self.folder.path();
        let mut script = Command::new(folder.join("build-script"));
        script
            .current_dir(folder)
            .env("CARGO_MANIFEST_DIR", folder)
            .env("GIT_CEILING_DIRECTORIES", folder.parent().unwrap())
            .env("PROFILE", profile)
            .env("TARGET", "x");
        let ran = Ran::of(&mut script);
        let lines: Vec<&str> = ran.exits(0).stdout.lines().collect();
        let commit = lines
            .iter()
            .find_map(|line| line.strip_prefix("cargo:rustc-env=ANP_COMMIT="))
            .unwrap_or_else(|| panic!("no commit: {ran}"));
        let watch = "cargo:rerun-if-changed=.git/logs/HEAD";
        (commit.to_owned(), lines.contains(&watch))
    }

    fn commit(&self) -> String {
        self.run("release").0
    }
}

#[test]
fn the_commit_of_a_build_is_the_last_that_changed_what_is_built() {
    let script = BuildScript::new();
    let unknown = "unknown (built from sources without git)";
    assert_eq!(script.commit(), unknown);
    let hash = "0123456789012345678901234567890123456789";
    script.write("src/cli/commit.txt", &format!("{hash}\n"));
    assert_eq!(script.commit(), hash, "of git archive");
    let package = hash.replace('0', "f");
    let info = format!("{{\"git\": {{\"sha1\": \"{package}\"}}, \"path_in_vcs\": \"\"}}");
    script.write(".cargo_vcs_info.json", &info);
    assert_eq!(script.commit(), package, "of cargo package");

    script.git("init --quiet");
    script.git("add src build.rs .gitattributes");
    script.git("commit --quiet --message one");
    let first = script.git("rev-parse HEAD");
    assert_eq!(script.commit(), first);
    script.write("README.md", "Docs alone.");
    script.git("add README.md");
    script.git("commit --quiet --message two");
    assert_eq!(script.commit(), first, "nothing that is built has changed");
    script.write("src/lib.rs", "");
    let changed = format!("{first}, with uncommitted changes");
    assert_eq!(script.run("debug"), (changed.clone(), false));
    assert_eq!(script.run("release"), (changed, true));
    script.git("add src");
    script.git("commit --quiet --message three");
    assert_eq!(script.run("release"), (script.git("rev-parse HEAD"), false));
}

#[test]
fn colour_follows_the_flag_and_the_variables() {
    let world = World::new();
    world.article("a.md", "Text.");
    let red = "\u{1b}[1m\u{1b}[31merror:\u{1b}[0m ";
    let coloured = |ran: &Ran| ran.stderr.contains(red);
    // No store is set.
    for (flag, variables, expected) in [
        (None, &[][..], false),
        (Some("--color=always"), &[], true),
        (Some("--color=never"), &[("CLICOLOR_FORCE", "1")], false),
        (Some("--color=auto"), &[("CLICOLOR_FORCE", "1")], true),
        (None, &[("CLICOLOR_FORCE", "1")], true),
        (None, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], false),
        (Some("--color=always"), &[("NO_COLOR", "1")], true),
        (Some("--color=always"), &[("ANP_LOG_FORMAT", "json")], false),
    ] {
        let words: Vec<&str> = ["import"].into_iter().chain(flag).collect();
        let ran = run(&world, &words, variables);
        assert_eq!(coloured(ran.exits(78)), expected, "{ran}");
        assert_eq!(ran.stderr.contains('\u{1b}'), expected, "{ran}");
    }
    let result = |words: &[&str]| world.anp_with(words, &[]).exits(0).stdout.clone();
    let words = ["import", "--format", "text", "--color", "always"];
    let done = "\u{1b}[1m\u{1b}[32mdone\u{1b}[0m\n";
    assert!(result(&words).contains(done));
    assert!(!result(&words[..3]).contains('\u{1b}'));
    // Nor have JSON lines any.
    assert!(!result(&["import", "--color", "always"]).contains('\u{1b}'));
    let bold = "\u{1b}[1m";
    let help = |flag| run(&world, &["help", "--color", flag], &[]).stdout;
    assert!(!help("never").contains(bold));
    let help = |flag| run(&world, &["import", "-h", "--color", flag], &[]).stdout;
    assert!(help("always").contains(bold) && !help("never").contains(bold));
    let usage = |flag| run(&world, &["--nope", "--color", flag], &[]).stderr;
    assert!(usage("always").contains(bold) && !usage("never").contains(bold));
    run(&world, &["check", "--color", "green"], &[]).exits(2);
}

#[test]
fn verbose_names_the_origin_of_each_setting_and_times_each_stage() {
    let world = World::new();
    world.article("a.md", "Text.");
    world.write(
        "anp.yaml",
        "ttl: 3d\nsite:\n  url: https://example.org\nlanguages: [en, fr]\n",
    );
    let url = world
        .server
        .url()
        .replace("redis+unix://", "redis+unix:///")
        + "?pass=hunter2";
    let url = url.replace("////", "///");
    let variables = [("ANP_REDIS_URL", url.as_str()), ("ANP_PREFIX", "x")];
    let words = ["check", "content", "-v", "--max-invalid", "3"];
    let ran = run(&world, &words, &variables);
    let file = world.path("anp.yaml");
    let file = file.display();
    for line in [
        format!("note: setting ttl is 3d ({file}:1)"),
        format!("note: setting site.url is https://example.org ({file}:3)"),
        format!("note: setting languages is [en, fr] ({file}:4)"),
        "note: setting prefix is x (ANP_PREFIX)".to_owned(),
        "note: setting max_invalid is 3 (--max-invalid)".to_owned(),
        "note: setting content is content (CONTENT)".to_owned(),
        "?db=0 (ANP_REDIS_URL)\n".to_owned(),
        "note: every other setting has its default".to_owned(),
        "note: stage survey: 1 articles in ".to_owned(),
    ] {
        ran.exits(0).notes(&line);
    }
    ran.hides("hunter2");
    let words = ["check", "--verbose", "--log-format", "json"];
    let ran = run(&world, &words, &[]);
    let lines: Vec<serde_json::Value> = ran
        .stderr
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let ttl = lines.iter().find(|line| line["setting"] == "ttl").unwrap();
    assert_eq!(ttl["value"], "3d");
    let stage = lines.iter().find(|line| line["stage"] == "survey").unwrap();
    assert!(stage["seconds"].is_number() && stage["steps"] == 1);
    run(&world, &["check"], &[]).exits(0).notes_exactly("");
}

#[test]
fn completions_are_read_by_the_shells_that_are_here() {
    let world = World::new();
    let folder = Path::new(env!("CARGO_BIN_EXE_anp")).parent().unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let shell = |program: &str, arguments: &[&str]| {
        let mut command = world.program(program);
        Ran::of(command.args(arguments).env("PATH", &path))
    };
    let ran = shell(
        "bash",
        &[
            "--norc",
            "-c",
            "source <(anp completions bash) && complete -p anp",
        ],
    );
    ran.exits(0).says("-F _anp").says(" anp\n");
    // What bash would offer after `anp im` and `anp import --dry`.
    for (words, offered) in [("anp im", "import\n"), ("anp import --dry", "--dry-run\n")] {
        let words: Vec<&str> = words.split(' ').collect();
        let (count, last) = (words.len() - 1, words[words.len() - 1]);
        let script = format!(
            "source <(anp completions bash); COMP_WORDS=({}) COMP_CWORD={count}; \
             _anp anp '{last}' '{}'; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            words.join(" "),
            words[count - 1],
        );
        let ran = shell("bash", &["--norc", "-c", &script]);
        assert_eq!(ran.exits(0).stdout, offered, "{ran}");
    }
    let is_here = |program: &str| {
        let mut folders = std::env::split_paths(&path);
        folders.any(|folder| folder.join(program).is_file())
    };
    if is_here("zsh") {
        let script = "autoload -U compinit && compinit -D -u; source <(anp completions zsh); \
                      print $_comps[anp]";
        shell("zsh", &["-f", "-c", script]).exits(0).says("_anp");
    }
    if is_here("fish") {
        let script = "anp completions fish | source; complete --do-complete 'anp im'";
        shell("fish", &["--no-config", "-c", script])
            .exits(0)
            .says("import");
    }
    for (name, part) in [("zsh", "#compdef anp"), ("fish", "complete -c anp")] {
        run(&world, &["completions", name], &[]).exits(0).says(part);
    }
    run(&world, &["completions", "tcsh"], &[])
        .exits(2)
        .notes("bash, zsh, fish");
}
