//! `anp diff`: what an import would change, and what a run changed, as text. Nothing is written.

use crate::support::{World, settle};

fn source(world: &World, name: &str, quality: u32, text: &str) {
    let front = format!("---\ntitle: {name}\nscore: {{quality: {quality}}}\n---\n");
    let text = format!("{front}First line.\n\n{text}\n\nLast line.\n");
    world.write(&format!("content/{name}.md"), text);
}

fn published() -> World {
    let world = World::new();
    source(&world, "one", 50, "One.");
    source(&world, "two", 50, "Two.");
    settle();
    world.anp("import").exits(0);
    world
}

#[test]
fn an_import_that_would_change_nothing_differs_in_nothing() {
    let world = published();
    let before = world.server.dump();
    let ran = world.anp("diff --exit-code");
    ran.exits(0).says("no article differs\n").notes_exactly("");
    assert_eq!(world.server.dump(), before);
    assert_eq!(world.runs().len(), 1);
}

#[test]
fn what_an_import_would_change_is_shown_as_text_and_metadata() {
    let world = published();
    source(&world, "two", 70, "Another text.");
    source(&world, "three", 50, "New.");
    let before = world.server.dump();
    let ran = world.anp("diff --exit-code");
    ran.exits(1)
        .says("update /two/ (source)\n--- anp:page:/two/ (stored)\n+++ anp:page:/two/ (import)\n")
        .says("\n-Two.\n+Another text.\n")
        .says("\n-      \"quality\": 50\n+      \"quality\": 70\n")
        .says("create /three/ (new)\n")
        .says("\n2 articles differ, ")
        .hides("<p>")
        .hides("written_at")
        .hides("not-a-run");
    // A diff writes nothing, and is no run.
    assert_eq!(world.server.dump(), before);
    assert_eq!(world.runs().len(), 1);
    world.anp("diff").exits(0);

    let stat = world.anp("diff --stat /two/");
    stat.exits(0).says("  update  /two/  page +");
    stat.says("(source)\n1 article differs, ").hides("/three/");
    let json = world.anp("diff --format json /t*");
    let shown = json.exits(0).of_type("article");
    assert_eq!(shown.len(), 2, "{json}");
    assert_eq!(shown[1]["reason"], "source", "{json}");
    assert_eq!(shown[1]["objects"][0]["key"], "anp:page:/two/", "{json}");
    assert_eq!(json.of_type("summary")[0]["changed"], 2, "{json}");
    world
        .anp("diff /nothing/")
        .exits(0)
        .notes("no article matches /nothing/");
    world
        .anp("diff /[")
        .exits(2)
        .notes("expected a pattern of routes");

    world.anp("import").exits(0);
    world.anp("diff --exit-code").exits(0);
}

#[test]
fn a_change_outside_of_the_text_is_said_to_be_one() {
    let world = published();
    let builtin = include_str!("../../src/render/templates/page.html");
    let own = builtin.replace("</body>", "<!-- own --></body>");
    world.write("templates/page.html", own);
    let ran = world.anp("diff --templates templates");
    ran.exits(0)
        .says("update /one/ (template)\n")
        .says("anp:page:/one/: the text is the same, the HTML around it changed\n")
        .says("anp:meta:/one/: only its digest, run and time changed\n");
    world.server.run(&["PEXPIRE", "anp:page:/one/", "600000"]);
    world
        .anp("diff")
        .says("1 article with another expiry alone\n");
}

#[test]
fn what_a_run_changed_is_shown_until_the_store_moves_on_and_then_from_the_later_run() {
    let world = published();
    source(&world, "two", 70, "Another text.");
    let imported = world.anp("import");
    let run = imported.exits(0).of_type("run")[0]["run"].clone();
    let run = run.as_str().unwrap().to_owned();
    let shown = world.anp(&format!("diff --run {run} --exit-code"));
    shown
        .exits(1)
        .says("update /two/ (source)\n--- anp:page:/two/ (before the run)\n")
        .says("\n-Two.\n+Another text.\n")
        .says("\n1 article differs, ");
    assert!(!shown.stdout.contains("/one/"), "{shown}");

    source(&world, "two", 70, "A third text.");
    world.anp("import").exits(0);
    let moved = world.anp(&format!("diff --run {run}"));
    moved
        .exits(0)
        .says("the store has moved on: it no longer holds what the run wrote")
        .hides("third");
    let against = world.anp(&format!("diff --run {run} --against last"));
    against
        .exits(0)
        .says("\n-Two.\n+Another text.\n")
        .hides("third");
    // What a run removed was there before it, and so is known without the store.
    world.anp("purge /two/").exits(0);
    let purged = world.anp("diff --run last");
    purged
        .exits(0)
        .says("remove /two/ (purged)\n")
        .says("-A third text.\n");
    world
        .anp("diff --run last /one/")
        .exits(0)
        .says("no article differs\n");
    world.anp("diff --against last").exits(2);
}

#[test]
fn values_of_other_programs_are_named_and_not_shown() {
    let world = published();
    world.server.run(&["DEL", "anp:page:/one/"]);
    world.server.run(&["RPUSH", "anp:page:/one/", "a"]);
    let note = "anp:page:/one/: it was not a string, another program wrote it\n";
    world
        .anp("diff")
        .exits(0)
        .says("update /one/ (foreign)\n")
        .says(note);
    world.anp("import").exits(0);
    world.anp("diff --run last").exits(0).says(note);
    let long = "x".repeat(3 * 1024 * 1024);
    world.server.run(&["SET", "anp:page:/one/", &long]);
    let ran = world.anp("diff");
    ran.exits(0)
        .says("anp:page:/one/: above 2 MiB: not compared\n");
}

#[test]
fn promise_10_twenty_articles_are_shown_and_the_others_counted() {
    let world = World::new();
    for number in 0..30 {
        source(&world, &format!("n{number:02}"), 50, "Text.");
    }
    let stat = world.anp("diff --stat");
    stat.exits(0)
        .says("… and 10 more articles, shown with --all\n30 articles differ, ");
    assert_eq!(stat.stdout.matches("  create  ").count(), 20, "{stat}");
    let all = world.anp("diff --stat --all");
    assert_eq!(all.stdout.matches("  create  ").count(), 30, "{all}");
    world.anp("import").exits(0);
    let all = world.anp("diff --run last --stat --all");
    assert_eq!(all.stdout.matches("  create  ").count(), 30, "{all}");
    let some = world.anp("diff --run last --stat");
    assert_eq!(some.stdout.matches("  create  ").count(), 20, "{some}");
    some.says("… and 10 more articles, shown with --all\n");
}

#[test]
fn what_an_import_would_remove_is_shown_too() {
    let world = published();
    std::fs::remove_file(world.path("content/one.md")).unwrap();
    world.write(
        "content/two.md",
        "---\ntitle: two\nwithdrawn: true\n---\nText.\n",
    );
    let before = world.server.dump();
    let ran = world.anp("diff");
    ran.exits(0)
        .says(
            "remove /two/ (withdrawn)\n--- anp:page:/two/ (stored)\n+++ anp:page:/two/ (import)\n",
        )
        .says("\n-Two.\n")
        .says("\n1 article differs, 0 lines added and ")
        .notes("1 published article is no longer in the content tree")
        .notes("/one/; --prune removes it");
    assert!(!ran.stdout.contains("/one/"), "{ran}");
    world
        .anp("diff --prune --stat")
        .exits(0)
        .says("  remove  /two/  page +0 -")
        .says("  remove  /one/  page +0 -")
        .says("(pruned)\n2 articles differ, ");
    world
        .anp("diff --prune --stat /one/")
        .exits(0)
        .says("(pruned)\n1 article differs, ")
        .hides("/two/");
    world.anp("diff --prune --run last").exits(2);
    assert_eq!(world.server.dump(), before);
    world.anp("import --prune --max-removed 100%").exits(0);
    world
        .anp("diff --prune")
        .exits(0)
        .says("no article differs");
}
