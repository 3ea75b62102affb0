//! The group `expect:`: a plan that is not as expected writes nothing, names everything that
//! is not, and a run that takes too long ends between two batches.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::{Ran, World};

/// Ten articles, imported; `expect` is the group in anp.yaml from then on.
fn ten(expect: &str) -> World {
    let world = World::new();
    for number in 0..10 {
        world.article(&format!("notes/n{number}.md"), "Text.");
    }
    world.anp("import").exits(0);
    world.write("anp.yaml", format!("expect:\n{expect}"));
    world
}

/// The import and its dry run are refused, with these lines, and the store stays as it is.
#[track_caller]
fn refused(world: &World, options: &str, lines: &[&str]) {
    let before = world.server.dump();
    for dry_run in ["", " --dry-run"] {
        let ran = world.anp(&format!("import {options}{dry_run}"));
        ran.exits(65)
            .notes("error: the import is not as expected\n")
            .notes("nothing was written");
        for line in lines {
            ran.notes(&format!("\n  = {line}\n"));
        }
        let named = ran.stderr.matches("\n  = expect.").count();
        assert_eq!(named, lines.len(), "{ran}");
        assert_eq!(world.server.dump(), before);
    }
    world.anp("runs").says("refused");
}

#[test]
fn too_few_articles_are_refused() {
    let world = ten("  min_articles: 10\n");
    world.anp("import").exits(0);
    std::fs::remove_file(world.path("content/notes/n0.md")).unwrap();
    world.write(
        "content/notes/n1.md",
        "---\ntitle: x\ndraft: true\n---\nText.\n",
    );
    let line = "expect.min_articles: expected at least 10 articles that are valid and not held back, \
                found 8";
    refused(&world, "", &[line]);
    // Drafts count where they are published.
    let line = line.replace("found 8", "found 9");
    refused(&world, "--drafts", &[&line]);
    let variables = [("ANP_EXPECT_MIN_ARTICLES", "8")];
    world.anp_with(&["import"], &variables).exits(0);
}

#[test]
fn green_but_nothing_imported_cannot_happen() {
    let world = World::new();
    world.write("content/a.md", "---\nscore: x\n---\nText.\n");
    let ran = world.anp("import --max-invalid 100%");
    ran.exits(65)
        .notes("expect.min_articles: expected at least 1 articles")
        .notes("found 0\n");
    world.write("anp.yaml", "expect:\n  min_articles: 0\n");
    world
        .anp("import")
        .exits(78)
        .notes("settings[expect.min_articles]: expected a whole number from 1 to");
}

#[test]
fn more_changed_articles_than_expected_are_refused() {
    let world = ten("  max_changed: 20%\n");
    world
        .article("notes/n0.md", "New text.")
        .article("notes/n1.md", "New text.");
    world.anp("import").exits(0);
    world
        .article("notes/n2.md", "New text.")
        .article("notes/n3.md", "New text.")
        .article("notes/new.md", "New article.");
    let line = "expect.max_changed: expected at most 20 % of 11 articles to be created, updated \
                or removed, found 3";
    refused(&world, "", &[line]);
    let variables = [("ANP_EXPECT_MAX_CHANGED", "3")];
    let ran = world.anp_with(&["import"], &variables);
    ran.exits(0);
    assert_eq!(ran.counts()["updated"], 4, "{ran}");
    assert_eq!(ran.counts()["created"], 2, "{ran}");
}

#[test]
fn moved_expiries_are_no_changes() {
    let world = ten("  max_changed: 0\n");
    let ran = world.anp("import --ttl 30d");
    ran.exits(0);
    assert_eq!(ran.counts()["refreshed"], 20, "{ran}");
}

#[test]
fn everything_that_is_not_as_expected_is_named_at_once() {
    let world = ten("  min_articles: 10\n  max_changed: 1\n  max_removed: 1\n");
    for name in ["n0", "n1"] {
        std::fs::remove_file(world.path(&format!("content/notes/{name}.md"))).unwrap();
    }
    refused(
        &world,
        "--prune",
        &[
            "expect.min_articles: expected at least 10 articles that are valid and not held back, \
             found 8",
            "expect.max_changed: expected at most 1 of 10 articles to be created, updated or \
             removed, found 2",
            "expect.max_removed: expected at most 1 of 10 stored articles to be removed by \
             --prune, found 2",
        ],
    );
    world.anp("import --prune").notes(
        "\n  = retry: once the cause is mended; or, if --dry-run shows what you want, this once \
         with ANP_EXPECT_MIN_ARTICLES and ANP_EXPECT_MAX_CHANGED and --force; nothing was \
         written\n",
    );
}

#[test]
fn a_refused_dry_run_shows_what_it_would_have_done() {
    let world = ten("  max_changed: 0\n");
    world.article("notes/n0.md", "New text.");
    let ran = world.anp("import --dry-run");
    ran.exits(65);
    assert_eq!(ran.of_type("key").len(), 2, "{ran}");
    assert_eq!(ran.of_type("summary")[0]["status"], "refused", "{ran}");
    let real = world.anp("import");
    assert!(real.of_type("key").is_empty(), "{real}");
    world.server.command("FLUSHALL");
    world
        .anp("import --dry-run --format text")
        .exits(65)
        .says("  create  anp:meta:/notes/n9/  expires ");
}

#[test]
fn a_rehearsal_holds_to_what_does_not_depend_on_its_scratch_prefix() {
    let world = ten("  min_articles: 10\n  max_changed: 0\n");
    world.anp("rehearse").exits(0);
    std::fs::remove_file(world.path("content/notes/n0.md")).unwrap();
    world
        .anp("rehearse")
        .exits(65)
        .notes("expect.min_articles: expected at least 10");
    world.anp("rehearse --sample 2").exits(0);
}

#[test]
fn a_plan_that_took_too_long_is_refused() {
    let world = ten("  max_duration: 1s\n");
    world.article("notes/n0.md", "New text.");
    let before = world.server.dump();
    // The server answers nothing for so long.
    world.server.command("CLIENT PAUSE 1500 ALL");
    let ran = world.anp("import");
    ran.exits(65)
        .notes("= expect.max_duration: expected at most 1s, found 2s\n")
        .notes("ANP_EXPECT_MAX_DURATION; nothing was written");
    assert_eq!(world.server.dump(), before);
}

/// An import of 3,000 keys that has written some, and is held up until its time is over.
fn late(world: &World) -> Ran {
    for number in 0..1500 {
        world.article(&format!("n{number}.md"), "Text.");
    }
    let mut command = world.command("state", &["import", "--format", "json"]);
    command
        .env("ANP_EXPECT_MAX_DURATION", "5s")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let line = format!("{command:?}");
    let started = Instant::now();
    let mut child = command.spawn().unwrap();
    // What it has to say is more than the pipe holds: it cannot end while nobody reads.
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    let mut stdout = String::new();
    while !stdout.contains(r#""type":"key""#) {
        reader.read_line(&mut stdout).unwrap();
    }
    let over = Duration::from_millis(5300);
    std::thread::sleep(over.saturating_sub(started.elapsed()));
    reader.read_to_string(&mut stdout).unwrap();
    let output = child.wait_with_output().unwrap();
    Ran {
        line,
        code: output.status.code().unwrap(),
        stdout,
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn a_run_that_takes_too_long_stops_after_its_batch_with_the_way_back() {
    let world = World::new();
    let ran = late(&world);
    ran.exits(75)
        .notes("error: the run took too long: expected at most 5s, found ")
        .notes("= rollback: ");
    assert_eq!(ran.of_type("summary")[0]["status"], "stopped", "{ran}");
    let written = world.server.dump().len();
    assert!(written > 0 && written < 3000, "{written} keys");
    assert_eq!(world.server.expiry("anp:lock"), -2);
    world.anp("runs").exits(0).says("stopped");
    // The way back is not cut short, however long it takes.
    world.server.command("CLIENT PAUSE 1200 ALL");
    let variables = [("ANP_EXPECT_MAX_DURATION", "1s")];
    world.anp_with(&["rollback", "last"], &variables).exits(0);
    assert!(world.server.dump().is_empty());
}

#[test]
fn a_key_that_stands_in_another_group_is_told_its_place() {
    let world = World::new();
    world.article("a.md", "A.");
    for (yaml, help) in [
        (
            "max_removed: 5%\n",
            "did you mean 'max_removed' in the group 'expect'?",
        ),
        (
            "expect:\n  max_invalid: 5%\n",
            "did you mean 'max_invalid' outside of 'expect'?",
        ),
        (
            "site:\n  max_changed: 5%\n",
            "did you mean 'max_changed' in the group 'expect'?",
        ),
        ("expect:\n  max_change: 5%\n", "did you mean 'max_changed'?"),
        ("expct:\n  max_changed: 5%\n", "did you mean 'expect'?"),
    ] {
        world.write("anp.yaml", yaml);
        let ran = world.anp("import");
        ran.exits(78)
            .notes("error: settings[unknown-key]: unknown key")
            .notes(&format!("= help: {help}\n"));
    }
    world.write("anp.yaml", "expect:\n");
    world.anp("import --max-removed 5%").exits(0);
    world
        .anp("import --max-removed x")
        .exits(2)
        .notes("error: --max-removed: expected a count or a percentage");
    world
        .anp_with(&["import"], &[("ANP_EXPECT_MAX_DURATION", "5")])
        .exits(78)
        .notes("ANP_EXPECT_MAX_DURATION: expected a duration from 1s to 30d");
}
