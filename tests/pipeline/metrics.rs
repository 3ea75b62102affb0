//! `--metrics-dir`: what became of the last run of each command, for Prometheus, however it ended.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::support::{World, set_mode};
use regex::Regex;

/// Two articles and the setting.
fn two() -> World {
    let world = World::new();
    world.article("a.md", "A.").article("b.md", "B.");
    world.write("anp.yaml", "metrics_dir: .\n");
    world
}

/// The samples of a file, which has to be in the exposition format: each family in one
/// piece, with its help and type before it, each series once.
#[track_caller]
fn samples(path: impl AsRef<Path>) -> BTreeMap<String, f64> {
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.ends_with('\n'), "{text}");
    let head = Regex::new("^# (HELP|TYPE) ([a-z_]+) (.+)$").unwrap();
    let sample = Regex::new(r#"^([a-z_]+)(\{[a-z]+="[^"\\]*"(?:,[a-z]+="[^"\\]*")*\}) (\S+)$"#);
    let sample = sample.unwrap();
    let mut samples = BTreeMap::new();
    let mut heads = Vec::new();
    for line in text.lines() {
        if let Some(found) = head.captures(line) {
            heads.push(format!("{} {}", &found[1], &found[2]));
            continue;
        }
        let found = sample
            .captures(line)
            .unwrap_or_else(|| panic!("no sample: {line}"));
        let own = [format!("HELP {}", &found[1]), format!("TYPE {}", &found[1])];
        assert_eq!(heads[heads.len() - 2..], own, "{line}");
        let series = format!("{}{}", &found[1], &found[2]);
        let value = found[3].parse().unwrap();
        assert_eq!(samples.insert(series, value), None, "{line}");
    }
    let once = heads.len();
    heads.sort();
    heads.dedup();
    assert_eq!(heads.len(), once, "{text}");
    samples
}

/// The value of `name` for the command, with the prefix `anp`.
#[track_caller]
fn value(world: &World, name: &str, command: &str) -> f64 {
    let more = name.split_once(':');
    let (name, action) = more.unwrap_or((name, ""));
    let action = match action {
        "" => String::new(),
        action => format!(",action=\"{action}\""),
    };
    let series = format!("anp_{name}{{command=\"{command}\",prefix=\"anp\"{action}}}");
    let samples = samples(world.path(&format!("anp_{command}.prom")));
    let value = samples.get(&series);
    *value.unwrap_or_else(|| panic!("no {series} in {samples:?}"))
}

const SUCCESS: &str = "last_success_timestamp_seconds";

fn now() -> f64 {
    jiff::Timestamp::now().as_millisecond() as f64 / 1000.0
}

#[test]
fn a_run_tells_when_it_ended_and_what_it_did() {
    let world = two();
    world.write("content/bad.md", "---\nscore: x\n---\nText.\n");
    let before = now();
    let ran = world.anp("import --max-invalid 1");
    ran.exits(3);
    let import = |name: &str| value(&world, name, "import");
    for name in [SUCCESS, "last_run_timestamp_seconds"] {
        let at = import(name);
        assert!(before - 0.01 <= at && at <= now(), "{name} {at}");
    }
    assert_eq!(import("last_run_exit_code"), 3.0);
    let seconds = import("last_run_duration_seconds");
    assert!(seconds > 0.0 && seconds < 60.0, "{seconds}");
    assert_eq!(import("last_run_invalid_articles"), 1.0);
    assert_eq!(import("last_run_conflicts"), 0.0);
    let counts = ran.counts();
    assert_eq!(import("last_run_written_bytes"), counts["bytes"]);
    for (action, expected) in [
        ("created", 4.0),
        ("updated", 0.0),
        ("refreshed", 0.0),
        ("removed", 0.0),
        ("kept", 0.0),
        ("expired", 0.0),
        ("withheld", 0.0),
    ] {
        let found = import(&format!("last_run_keys:{action}"));
        assert_eq!(found, expected, "{action}");
        assert_eq!(found, counts[action], "{action}");
    }
    let mode = world
        .path("anp_import.prom")
        .metadata()
        .unwrap()
        .permissions();
    assert_eq!(mode.mode() & 0o777, 0o644);
    world.article("a.md", "Changed.");
    world.anp("import --max-invalid 1").exits(3);
    assert_eq!(import("last_run_keys:updated"), 2.0);
    assert_eq!(import("last_run_keys:kept"), 2.0);
}

#[test]
fn each_command_has_a_file_and_leaves_the_others_alone() {
    let world = two();
    world.anp("import").exits(0);
    let imported = std::fs::read(world.path("anp_import.prom")).unwrap();
    world.server.command("DEL anp:page:/b/");
    world.anp("warm").exits(0);
    assert_eq!(value(&world, "last_run_keys:created", "warm"), 1.0);
    world.anp("purge /b/").exits(0);
    assert_eq!(value(&world, "last_run_keys:removed", "purge"), 2.0);
    world.server.command("SET anp:page:/b/ somebody-else");
    world.anp("rollback last").exits(3);
    let rollback = |name: &str| value(&world, name, "rollback");
    assert_eq!(rollback("last_run_exit_code"), 3.0);
    assert_eq!(rollback("last_run_keys:created"), 1.0);
    assert_eq!(rollback("last_run_conflicts"), 1.0);
    assert!(rollback(SUCCESS) >= value(&world, SUCCESS, "import"));
    for command in ["import", "warm", "purge", "rollback"] {
        let samples = samples(world.path(&format!("anp_{command}.prom")));
        assert_eq!(samples.len(), 14, "{command}");
        let own = format!("{{command=\"{command}\",prefix=\"anp\"");
        assert!(samples.keys().all(|series| series.contains(&own)));
    }
    let now = std::fs::read(world.path("anp_import.prom")).unwrap();
    assert_eq!(now, imported);
}

#[test]
fn each_prefix_has_a_file_also_of_a_rollback() {
    let world = two();
    world.anp("import").exits(0);
    let imported = std::fs::read(world.path("anp_import.prom")).unwrap();
    world.anp("import --prefix other").exits(0);
    let other = samples(world.path("other_import.prom"));
    let series = "anp_last_run_exit_code{command=\"import\",prefix=\"other\"}";
    assert_eq!(other[series], 0.0);
    let now = std::fs::read(world.path("anp_import.prom")).unwrap();
    assert_eq!(now, imported);
    // Of the run's prefix, whatever the settings say.
    world.write("here/keep", "");
    world.anp("rollback last --metrics-dir here").exits(0);
    let samples = samples(world.path("here/other_rollback.prom"));
    let series = "anp_last_run_exit_code{command=\"rollback\",prefix=\"other\"}";
    assert_eq!(samples[series], 0.0);
}

/// The run fails with `exit`, having written nothing, and the last success stays.
#[track_caller]
fn fails(world: &World, line: &str, exit: i32) {
    let before = value(world, SUCCESS, "import");
    world.anp(line).exits(exit);
    assert_eq!(
        value(world, "last_run_exit_code", "import"),
        f64::from(exit)
    );
    assert_eq!(value(world, SUCCESS, "import"), before);
    assert!(value(world, "last_run_timestamp_seconds", "import") > before);
    for action in ["created", "updated", "removed", "kept"] {
        let name = format!("last_run_keys:{action}");
        assert_eq!(value(world, &name, "import"), 0.0, "{action}");
    }
    assert_eq!(value(world, "last_run_written_bytes", "import"), 0.0);
}

#[test]
fn a_run_that_fails_is_told_and_keeps_the_last_success() {
    let mut world = two();
    world.anp("import").exits(0);
    world.article("a.md", "Changed.");
    world.write("content/bad.md", "---\nscore: x\n---\nText.\n");
    fails(&world, "import --max-invalid 0", 65);
    assert_eq!(value(&world, "last_run_invalid_articles", "import"), 1.0);
    std::fs::remove_file(world.path("content/bad.md")).unwrap();
    fails(&world, "import nowhere", 65);
    world.write("look/page.html", "{% nonsense");
    fails(&world, "import --templates look", 78);
    let header = r#"{"token":"t","run":"r","host":"elsewhere","pid":1,"state_dir":"/x"}"#;
    let lock = ["SET", "anp:lock", header, "PX", "60000"];
    world.server.run(&lock);
    fails(&world, "import", 11);
    world.server.command("DEL anp:lock");
    world.server.kill();
    fails(&world, "import --deadline 1s", 69);
}

#[test]
fn a_first_run_that_fails_says_that_there_was_no_success() {
    let world = two();
    world.anp("import nowhere").exits(65);
    assert_eq!(value(&world, SUCCESS, "import"), 0.0);
}

#[test]
fn a_run_that_stops_half_way_tells_what_it_did() {
    let world = two();
    // Pages may be written, and the metas that the rights are tried on, but no other metas.
    let rights = "on >PASSWORD +@all %R~* %RW~anp:page:* %RW~anp:meta:/.* %RW~anp:lock";
    world.server.command(&format!("ACL SETUSER half {rights}"));
    let redis = format!("{}?user=half", world.server.url());
    let variables = [("ANP_REDIS_PASSWORD", "PASSWORD")];
    let ran = world.anp_with(&["import", "--redis", &redis], &variables);
    ran.exits(75);
    assert_eq!(value(&world, "last_run_exit_code", "import"), 75.0);
    assert_eq!(value(&world, SUCCESS, "import"), 0.0);
    assert_eq!(value(&world, "last_run_keys:created", "import"), 2.0);
    world.anp("rollback last").exits(0);
    assert_eq!(value(&world, "last_run_exit_code", "rollback"), 0.0);
}

#[test]
fn a_file_of_somebody_else_or_that_cannot_be_read_is_replaced() {
    let world = two();
    for bytes in [&b"up 1\n"[..], b"\xff\xfe", b""] {
        world.write("anp_import.prom", bytes);
        world.anp("import").exits(0);
        assert_eq!(samples(world.path("anp_import.prom")).len(), 14);
    }
    set_mode(world.path("anp_import.prom"), 0);
    world.anp("import").exits(0);
    assert_eq!(samples(world.path("anp_import.prom")).len(), 14);
}

#[test]
fn a_damaged_line_does_not_make_it_forget_the_last_success() {
    let world = two();
    world.anp("import").exits(0);
    let success = value(&world, SUCCESS, "import");
    let mut bytes = std::fs::read(world.path("anp_import.prom")).unwrap();
    bytes.extend_from_slice(b"\xff\xfe 1\n");
    world.write("anp_import.prom", bytes);
    world.anp("import nowhere").exits(65);
    assert_eq!(value(&world, SUCCESS, "import"), success);
}

#[test]
fn a_file_that_cannot_be_written_is_a_warning() {
    let world = two();
    for (folder, link) in [("taken", None), ("linked", Some("nothing"))] {
        let file = world.path(&format!("{folder}/anp_import.prom"));
        match link {
            None => std::fs::create_dir_all(file).unwrap(),
            Some(target) => {
                std::fs::create_dir(world.path(folder)).unwrap();
                std::os::unix::fs::symlink(target, file).unwrap();
            }
        }
    }
    for (folder, why) in [
        ("taken", "not a regular file"),
        ("linked", "it is a symbolic link without a target"),
        ("nowhere", "No such file or directory"),
    ] {
        world
            .anp(&format!("import --metrics-dir {folder}"))
            .exits(0)
            .notes(&format!(
                "warning: cannot write the metrics file {folder}/anp_import.prom: {why}"
            ));
        world
            .anp(&format!("import nowhere --metrics-dir {folder}"))
            .exits(65)
            .notes("warning: cannot write the metrics file");
    }
    assert!(!world.path("nowhere").exists());
}

#[test]
fn nothing_is_left_beside_it_and_dry_runs_write_none() {
    let world = two();
    world.write("metrics/keep", "");
    let names = || {
        let entries = std::fs::read_dir(world.path("metrics")).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let variables = [("ANP_METRICS_DIR", "metrics")];
    let anp = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        world.anp_with(&words, &variables).exits(0);
    };
    anp("import --dry-run");
    assert_eq!(names(), ["keep"]);
    anp("import");
    assert_eq!(names(), ["anp_import.prom", "keep"]);
    std::fs::remove_file(world.path("metrics/anp_import.prom")).unwrap();
    for command in ["rollback last --dry-run", "verify last", "check", "runs"] {
        anp(command);
    }
    assert_eq!(names(), ["keep"]);
    assert!(!world.path("anp_import.prom").exists());
}
