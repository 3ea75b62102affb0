//! Articles that are held back: drafts, what is scheduled, what ended, what was withdrawn. Each run
//! asks again, also of a source that it does not read.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::json;

use crate::support::{World, set};

fn article(world: &World, name: &str, fields: &str) {
    let text = format!("---\ntitle: {name}\n{fields}\n---\nText of {name}.\n");
    world.write(&format!("content/{name}.md"), text);
}

/// This many seconds from now, on the second.
fn moment(seconds: u64) -> (SystemTime, String) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let at = now.as_secs() + seconds;
    let text = jiff::Timestamp::from_second(at.cast_signed()).unwrap();
    (UNIX_EPOCH + Duration::from_secs(at), text.to_string())
}

fn wait_until(at: SystemTime) {
    let left = at.duration_since(SystemTime::now()).unwrap_or_default();
    std::thread::sleep(left + Duration::from_millis(50));
}

fn is_published(world: &World, name: &str) -> bool {
    world.server.get(&format!("anp:page:/{name}/")).is_some()
}

/// One article of each reason, and two that are published.
fn mixed() -> World {
    let world = World::new();
    article(&world, "plain", "date: 2020-01-01");
    article(&world, "quiet", "noindex: true");
    article(&world, "draft", "draft: true");
    article(&world, "unpublished", "published: false");
    article(&world, "later", "date: 2099-01-01");
    article(&world, "ended", "expires_at: 2020-01-01");
    article(&world, "back", "withdrawn: true");
    world
}

#[test]
fn a_summary_counts_each_reason() {
    let world = mixed();
    let held = json!({ "drafts": 2, "scheduled": 1, "expired": 1, "withdrawn": 1, "no_page": 0 });
    for line in ["import --dry-run", "import", "warm", "check --format json"] {
        let ran = world.anp(line);
        let summary = ran.exits(0).of_type("summary").pop().unwrap();
        assert_eq!(summary["held_back"], held, "{ran}");
        assert_eq!(summary["noindex"], 1, "{ran}");
    }
    world
        .anp("import --format text")
        .exits(0)
        .says("  held back            5 articles (2 drafts, 1 scheduled, 1 expired, 1 withdrawn)\n")
        .says("  noindex              1 article\n");
    assert_eq!(world.keys().len(), 4);
    world.anp("import --drafts --future").exits(0);
    for name in ["draft", "unpublished", "later"] {
        assert!(is_published(&world, name), "{name}");
    }
    assert!(!is_published(&world, "ended") && !is_published(&world, "back"));
    let robots = |name: &str| world.meta(&format!("/{name}/"))["robots"].clone();
    assert_eq!(
        ["quiet", "unpublished", "later"].map(robots),
        ["noindex", "noindex", "index,follow"]
    );
}

#[test]
fn a_check_names_each_with_its_reason() {
    let world = mixed();
    let ran = world.anp("check --format text");
    ran.exits(0).says(
        "\
held back: content/back.md: withdrawn
held back: content/draft.md: draft
held back: content/ended.md: expired at 2020-01-01T00:00:00Z
held back: content/later.md: scheduled for 2099-01-01T00:00:00Z
held back: content/unpublished.md: draft
7 articles: 2 valid (1 noindex), 2 drafts, 1 scheduled, 1 expired, 1 withdrawn left out
",
    );
    for number in 0..30 {
        article(&world, &format!("many/n{number:02}"), "draft: true");
    }
    let ran = world.anp("check --format text");
    ran.exits(0)
        .says("content/many/n15.md: draft\n… and 15 more articles held back, in the JSON output\n");
    assert_eq!(
        world.anp("check --format json").of_type("held_back").len(),
        35
    );
}

#[test]
fn a_tree_of_which_nothing_is_published_now_is_refused() {
    let world = World::new();
    article(&world, "draft", "draft: true");
    article(&world, "later", "publishDate: 2099-01-01");
    world.anp("import").exits(65).notes(
        "no article in content is published now: 2 articles held back (1 draft, 1 scheduled)",
    );
    world.anp("import --future").exits(0);
}

#[test]
fn what_is_held_back_after_it_was_published_is_an_orphan_that_prune_removes() {
    let world = World::new();
    for name in ["a", "b", "c", "stays"] {
        article(&world, name, "");
    }
    world.anp("import").exits(0);
    article(&world, "a", "published: false");
    article(&world, "b", "publish_at: 2099-01-01");
    article(&world, "c", "expires_at: 2020-01-01");
    let ran = world.anp("import");
    assert_eq!(ran.exits(0).of_type("orphan").len(), 3, "{ran}");
    world
        .anp("import --prune")
        .exits(65)
        .notes("expected at most 10 % of 4 stored articles to be removed by --prune, found 3");
    let ran = world.anp("import --prune --force");
    assert_eq!(ran.exits(0).counts()["removed"], 6, "{ran}");
    world.anp("rollback last").exits(0);
    assert!(is_published(&world, "c"));
}

#[test]
fn a_withdrawn_article_is_taken_down_by_the_next_import_and_a_rollback_brings_it_back() {
    let world = World::new();
    for name in ["a", "b", "moved"] {
        article(&world, name, "");
    }
    world.anp("import").exits(0);
    let before = world.server.dump();
    article(&world, "a", "withdrawn: true");
    let note = "note: 1 published article is withdrawn, and this run removes it: /a/\n";
    let foreseen = world.anp("import --dry-run");
    foreseen.exits(0).notes_exactly(note);
    assert_eq!(foreseen.pages("remove"), set(&["/a/"]), "{foreseen}");
    assert!(world.server.dump() == before);
    let ran = world.anp("import --format text");
    ran.exits(0)
        .notes(note)
        .says("1 article removed, 2 unchanged, 1 held back\n")
        .says("remove  anp:page:/a/")
        .hides("--prune");
    assert_eq!(world.keys().len(), 4);
    // Once it is gone, there is nothing to do, also where the file is not read again.
    let again = world.anp("import");
    again.exits(0).notes_exactly("");
    assert_eq!(again.counts()["removed"], 0, "{again}");
    let removal = world.runs()[1].clone();
    world.anp(&format!("rollback {removal}")).exits(0);
    assert!(world.server.dump() == before);
    // Without --prune nothing else goes, and what another source publishes there stays.
    article(&world, "moved", "slug: a");
    let ran = world.anp("import");
    ran.exits(0).notes("/moved/; --prune removes it");
    assert!(ran.pages("remove").is_empty(), "{ran}");
    assert!(is_published(&world, "a") && is_published(&world, "moved"));
}

#[test]
fn withdrawing_removes_what_is_ours_alone_and_needs_no_other_article() {
    let world = World::new();
    article(&world, "only", "");
    world.anp("import").exits(0);
    article(&world, "only", "withdrawn: true");
    world.server.command("SET anp:meta:/only/ theirs");
    // Warming publishes what is missing, and removes nothing.
    world.anp("warm").exits(65);
    let ran = world.anp("import");
    assert_eq!(ran.exits(0).counts()["removed"], 1, "{ran}");
    assert_eq!(world.server.get("anp:meta:/only/").unwrap(), "theirs");
    world.anp("import").exits(65).notes("held back");
    let removal = &world.runs()[2];
    world.anp(&format!("rollback {removal}")).exits(0);
    assert!(is_published(&world, "only"));
}

#[test]
fn an_article_becomes_due_and_another_ends_although_nobody_writes_to_their_files() {
    let world = World::new();
    let (at, text) = moment(12);
    article(&world, "due", &format!("publish_at: {text}"));
    article(&world, "ends", &format!("expires_at: {text}"));
    article(&world, "plain", "");
    // Until then files are not remembered.
    std::thread::sleep(Duration::from_millis(2100));
    let ran = world.anp("import");
    assert_eq!(ran.exits(0).counts()["created"], 4, "{ran}");
    assert!(is_published(&world, "ends") && !is_published(&world, "due"));
    // It expires when it ends, at the millisecond.
    let end = at.duration_since(UNIX_EPOCH).unwrap().as_millis();
    for key in ["anp:page:/ends/", "anp:meta:/ends/"] {
        assert_eq!(u128::from(world.server.expiry(key).unsigned_abs()), end);
    }
    // That little of its ttl is left is no reason to refresh it.
    let ran = world.anp("import");
    assert_eq!(ran.exits(0).counts()["kept"], 4, "{ran}");
    let known = std::fs::read(world.path("state/unchanged.cache")).unwrap();
    wait_until(at);
    assert!(!is_published(&world, "ends"), "without a run");
    let ran = world.anp("import");
    let summary = ran.exits(0).of_type("summary").pop().unwrap();
    assert_eq!(ran.counts()["created"], 2, "{ran}");
    assert_eq!(
        summary["held_back"],
        json!({ "drafts": 0, "scheduled": 0, "expired": 1, "withdrawn": 0, "no_page": 0 })
    );
    assert!(is_published(&world, "due") && !is_published(&world, "ends"));
    // Nothing new was learned of any file.
    let after = std::fs::read(world.path("state/unchanged.cache")).unwrap();
    assert_eq!(after, known);
}
