//! `after.command` gets each run as JSON lines.

use std::time::{Duration, Instant};

use super::{changed, owed, published};
use crate::support::World;

const SITE: &str = "site: {url: https://www.example.org}\n";

fn world(after: &str) -> World {
    let world = published(SITE);
    world.write("anp.yaml", format!("{SITE}after:\n  {after}\n"));
    world
}

fn lines(world: &World) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(world.path("told")).unwrap_or_default();
    let _ = std::fs::remove_file(world.path("told"));
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn a_program_gets_header_changes_and_summary_of_each_run() {
    let world =
        world("command: cat > told; test \"$ANP_RUN\" = \"$(head -n 1 told | jq -r .run)\"");
    let ran = changed(&world);
    ran.exits(0);
    let run = world.runs().pop().unwrap();
    let told = lines(&world);
    assert_eq!(told.len(), 3, "{told:?}");
    assert_eq!(
        (&told[0]["type"], &told[0]["run"]),
        (&"header".into(), &run.as_str().into())
    );
    assert_eq!(
        told[1],
        serde_json::json!({
            "type": "change", "action": "update", "kind": "page", "path": "/a/",
            "url": "https://www.example.org/a/",
        })
    );
    let summary = &told[2];
    assert_eq!(summary["status"], "done");
    assert_eq!(
        (&summary["changes"], &summary["command"]),
        (&1.into(), &"import".into())
    );
    assert_eq!(summary["counts"], ran.counts());
    // One that changes nothing, too.
    world.anp("import").exits(0);
    assert_eq!(lines(&world)[1]["changes"], 0);
    world.anp("rollback last").exits(0);
    let told = lines(&world);
    assert_eq!(
        (&told[0]["undoes"], &told[1]["action"]),
        (&run.as_str().into(), &"update".into())
    );
    world.anp("purge /a/").exits(0);
    assert_eq!(lines(&world)[1]["action"], "remove");
    // And one that is refused.
    world.write("content/a.md", "---\ntitle: [\n---\n");
    world.anp("import").exits(65);
    let told = lines(&world);
    assert_eq!((told.len(), &told[1]["status"]), (2, &"refused".into()));
    // A dry run names it.
    world.article("a.md", "Text.");
    let ran = world.anp("import --dry-run");
    ran.exits(0);
    assert_eq!(ran.of_type("request")[0]["to"], "command");
    assert!(!world.path("told").exists());
}

#[test]
fn the_text_of_an_article_has_an_url_too() {
    let settings = format!("{SITE}archive: {{text: true}}\n");
    let world = published(&settings);
    world.write(
        "anp.yaml",
        format!("{settings}after:\n  command: cat > told\n"),
    );
    changed(&world).exits(0);
    let told = lines(&world);
    let mut changes: Vec<String> = told[1..told.len() - 1]
        .iter()
        .map(|change| format!("{} {}", change["kind"], change["url"]))
        .collect();
    changes.sort();
    let expected = [
        r#""page" "https://www.example.org/a/""#,
        r#""text" "https://www.example.org/a/index.md""#,
    ];
    assert_eq!(changes, expected);
}

#[test]
fn a_program_with_its_arguments_needs_no_shell() {
    let world = world("command: [tee, told, $HOME]");
    changed(&world).exits(0);
    assert_eq!(lines(&world).len(), 3);
    assert!(world.path("$HOME").exists(), "an argument as it stands");
}

#[test]
fn a_program_that_fails_or_hangs_leaves_the_run_complete_and_is_repeated() {
    let world = world("command: test -e well || { echo no good >&2; exit 9; }");
    let ran = changed(&world);
    ran.exits(3)
        .notes("  = command: it ended with 9: no good\n");
    assert_eq!(ran.of_type("summary")[0]["status"], "done");
    assert_eq!(owed(&world).len(), 1);
    world.write("well", "");
    let ran = world.anp("import");
    let run = world.runs().remove(1);
    ran.exits(0).notes(&format!(
        "note: run {run} ended without telling the caches; doing it now\n"
    ));
    let told: Vec<_> = ran
        .of_type("notified")
        .iter()
        .map(|line| line["run"].clone())
        .collect();
    assert_eq!(told, [run, world.runs().pop().unwrap()], "the oldest first");
    assert_eq!(owed(&world), [""; 0]);
    world.write(
        "anp.yaml",
        format!("{SITE}after: {{command: sleep 600, command_timeout: 1s}}\n"),
    );
    let began = Instant::now();
    world
        .anp("import")
        .exits(3)
        .notes("  = command: it took more than 1 s\n");
    assert!(began.elapsed() < Duration::from_secs(300));
    world.write(
        "anp.yaml",
        format!("{SITE}after: {{command: [none-of-that-name]}}\n"),
    );
    world
        .anp("import")
        .exits(3)
        .notes("  = command: cannot start none-of-that-name: ");
}

#[test]
fn settings_that_make_no_sense_are_refused_and_no_secret_is_repeated() {
    let world = World::new();
    world.article("a.md", "Text.");
    for (purge, said) in [
        ("{url: \"http://a\"}", "expected a mapping with 'kind'"),
        ("{kind: squid, url: \"http://a\"}", "expected"),
        ("{kind: varnish}", "expected a mapping with 'url'"),
        ("{kind: varnish, url: localhost}", "expected an http(s) URL"),
        (
            "{kind: nginx, url: \"http://a\", everything: true}",
            "unknown key 'everything'",
        ),
        (
            "{kind: varnish, url: \"http://a\", zone: x}",
            "unknown key 'zone'",
        ),
        (
            "{kind: fastly, by: key}",
            "expected a mapping with 'service'",
        ),
        (
            "{kind: fastly, everything: true}",
            "'service', which 'everything' needs",
        ),
        (
            "{kind: cloudflare, zone: ../x}",
            "expected an id of letters and digits",
        ),
        ("{kind: cloudflare, zone: x, batch: 501}", "from 1 to 500"),
        (
            "{kind: http, url: \"http://a\", batch: 2}",
            "{urls} or {paths}",
        ),
        (
            "{kind: http, url: \"http://a/{urls}\", batch: 2}",
            "expected {url} or {path} in a URL",
        ),
        (
            "{kind: http, url: \"http://a\", method: post}",
            "expected an HTTP method",
        ),
        (
            "{kind: varnish, url: \"http://a\", rate: 10}",
            "expected requests a second",
        ),
        (
            "{kind: varnish, url: \"http://u:s3cret@a\"}",
            "no secret belongs",
        ),
        (
            "{kind: fastly, token_env: s3cret-token}",
            "no secret belongs",
        ),
        (
            "{kind: http, url: \"http://a\", headers: {Authorization: Bearer s3cret}}",
            "no secret belongs",
        ),
        (
            "{kind: http, url: \"http://a\", headers: {X-Api-Key: s3cret}}",
            "no secret belongs",
        ),
    ] {
        world.write("anp.yaml", format!("{SITE}after:\n  purge: [{purge}]\n"));
        world.anp("import").exits(78).notes(said).hides("s3cret");
    }
    world.write(
        "anp.yaml",
        "after: {purge: [{kind: varnish, url: \"http://a\"}]}\n",
    );
    world
        .anp("import")
        .exits(78)
        .notes("after.purge needs site.url");
    world.write("anp.yaml", "");
    world
        .anp("runs notify")
        .exits(78)
        .notes("'after:' in anp.yaml");
    // A variable has the list in brackets.
    let variables = [
        ("ANP_SITE_URL", "https://www.example.org"),
        (
            "ANP_AFTER_PURGE",
            "[{kind: varnish, url: \"http://10.0.0.7:6081\"}]",
        ),
    ];
    let ran = world.anp_with(&["import", "--dry-run", "--format", "json"], &variables);
    ran.exits(0);
    let request = ran.of_type("request")[0]["request"].clone();
    assert_eq!(
        request,
        "PURGE http://10.0.0.7:6081/a/ (Host: www.example.org)"
    );
    let variables = [
        ("ANP_AFTER_PURGE", "[{kind: x}"),
        ("ANP_SITE_URL", "https://www.example.org"),
    ];
    world
        .anp_with(&["import"], &variables)
        .exits(78)
        .notes("ANP_AFTER_PURGE: ");
}
