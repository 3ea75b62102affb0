//! `--log-format json`: whatever a command says on stderr is one JSON object a line.

use crate::support::{Ran, World};
use serde_json::{Value, json};

const JSON: [(&str, &str); 1] = [("ANP_LOG_FORMAT", "json")];

/// The entries on stderr: every line is one.
#[track_caller]
fn entries(ran: &Ran) -> Vec<Value> {
    let entry = |line: &str| {
        let entry: Value =
            serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}: {ran}"));
        let time = entry["time"].as_str().unwrap();
        time.parse::<jiff::Timestamp>().unwrap();
        assert!(entry["message"].is_string(), "{line}");
        assert!(
            ["error", "warning", "note"].contains(&entry["level"].as_str().unwrap()),
            "{line}"
        );
        entry
    };
    ran.stderr.lines().map(entry).collect()
}

/// `anp LINE` with the variable set.
fn logged(world: &World, line: &str) -> Ran {
    world.anp_with(&line.split(' ').collect::<Vec<_>>(), &JSON)
}

/// The one entry, an error, of a command that ends with `exit`.
#[track_caller]
fn the_error(ran: &Ran, exit: i32) -> Value {
    ran.exits(exit);
    let mut entries = entries(ran);
    assert_eq!(entries.len(), 1, "{ran}");
    let error = entries.pop().unwrap();
    assert_eq!(error["level"], "error", "{ran}");
    assert_eq!(error["exit"], exit, "{ran}");
    assert!(error["notes"].is_object(), "{ran}");
    error
}

#[test]
fn findings_have_the_members_that_they_have_on_stdout() {
    let world = World::new();
    world.article("a.md", "A.");
    world.write(
        "content/bad.md",
        "---\ntitle: a\u{202e}b\nsumary: 1\nscore: {quality: 140}\n---\nText.\n",
    );
    let ran = logged(&world, "import --max-invalid 1");
    ran.exits(3);
    let entries = entries(&ran);
    assert_eq!(entries.len(), 3, "{ran}");
    let on_stdout = ran.of_type("diagnostic");
    for ((entry, level), on_stdout) in entries.iter().zip(["warning", "error"]).zip(&on_stdout) {
        assert_eq!(entry["level"], level);
        for (member, value) in on_stdout.as_object().unwrap() {
            assert_eq!(&entry[member], value, "{member}: {ran}");
        }
    }
    assert_eq!(entries[0]["message"], "unknown field 'sumary'");
    assert_eq!(entries[2]["level"], "note");
    let cleaned = entries[2]["message"].as_str().unwrap();
    assert!(cleaned.starts_with("texts were cleaned: "), "{cleaned}");
}

#[test]
fn what_ends_a_command_has_its_exit_code_and_its_notes() {
    let world = World::new();
    let error = the_error(&logged(&world, "import"), 65);
    assert_eq!(
        error["message"],
        "no article found in content, the default without an anp.yaml in this folder or above it"
    );
    assert_eq!(
        error["notes"],
        json!({
            "expected": "at least one article",
            "retry": "safe once there is one; nothing was written",
        })
    );
    world.article("a.md", "A.");
    let mut here = World::new();
    here.article("a.md", "A.");
    here.server.kill();
    the_error(&logged(&here, "import --deadline 1s"), 69);
    // Both expectations by their names.
    world.write("anp.yaml", "expect:\n  min_articles: 5\n  max_changed: 0\n");
    let error = the_error(&logged(&world, "import"), 65);
    let notes: Vec<&String> = error["notes"].as_object().unwrap().keys().collect();
    assert_eq!(
        notes,
        ["expect.min_articles", "expect.max_changed", "retry"]
    );
}

#[test]
fn a_command_line_or_settings_that_are_wrong_are_entries_too() {
    let world = World::new();
    let error = the_error(&logged(&world, "import --nope"), 2);
    let message = error["message"].as_str().unwrap();
    assert!(
        message.starts_with("unexpected argument '--nope' found\n"),
        "{message}"
    );
    for line in [
        "publish --log-format json",
        "--log-format json import --nope",
        "import --log-format=json --no-such-flag",
        "import --log-format json --ttl 5s",
        "--log-format json",
    ] {
        the_error(&world.anp(line), 2);
    }
    world.write("anp.yaml", "menu: 1\nttl: 5s\n");
    the_error(&world.anp("import --log-format json"), 78);
    the_error(&logged(&world, "runs"), 78);
}

#[test]
fn warnings_and_notes_come_without_their_words() {
    let world = World::new();
    world.article("a.md", "A.");
    let ran = logged(&world, "import --format text");
    ran.exits(0);
    let begun = entries(&ran);
    assert_eq!(begun.len(), 1, "{ran}");
    assert_eq!(begun[0]["run"], json!(world.runs()[0]));
    assert!(
        begun[0]["rollback"]
            .as_str()
            .unwrap()
            .contains(" rollback ")
    );
    world.server.command("SET anp:page:/a/ somebody-else");
    let ran = logged(&world, "rollback last");
    ran.exits(3);
    let said: Vec<(Value, Value)> = entries(&ran)
        .into_iter()
        .map(|entry| (entry["level"].clone(), entry["message"].clone()))
        .collect();
    assert_eq!(
        said,
        [
            (
                json!("warning"),
                json!("anp:page:/a/: it changed after that run: kept as it is")
            ),
            (
                json!("note"),
                json!(
                    "a later run or another client changed the keys that were kept; to undo \
                     several runs, begin with the newest"
                )
            ),
        ],
        "{ran}"
    );
}

#[test]
fn the_flag_wins_over_the_variable_and_both_are_checked() {
    let world = World::new();
    let ran = world.anp_with(&["import", "--log-format", "text"], &JSON);
    ran.exits(65).notes("error: no article found in content");
    let ran = world.anp("import --log-format xml");
    ran.exits(2).notes("invalid value 'xml' for '--log-format");
    let ran = world.anp_with(&["import"], &[("ANP_LOG_FORMAT", "xml")]);
    ran.exits(78)
        .notes("error: ANP_LOG_FORMAT: expected json or text, found 'xml'\n");
    let ran = world.anp_with(&["import"], &[("ANP_LOG_FORMAT", "")]);
    ran.exits(65).notes("error: no article found in content");
    // Help and version are results, not log.
    for line in ["--help", "--version"] {
        logged(&world, line).exits(0).notes_exactly("");
    }
}
