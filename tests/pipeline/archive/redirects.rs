//! Old routes: of articles that moved, and of those that were withdrawn.

use super::tree::Archive;
use crate::support::settle;

fn to(route: &str) -> Option<String> {
    Some(format!(r#"{{"to":"{route}","status":301}}"#))
}

#[test]
fn the_old_route_of_an_article_leads_to_the_new_one() {
    let archive = Archive::new();
    archive.article("cache/n3", 3, "reference: anp-ref-000003-0001\n");
    archive.import();
    settle();
    let before = archive.world.keys();
    // Another route, and another text, and the same reference.
    archive.remove("cache/n3");
    archive.article("moved/there", 3, "reference: anp-ref-000003-0001\n");
    // The same body, under another name.
    archive.rename("queue/n5", "queue/other-name");
    let ran = archive.world.anp("import --format json");
    ran.exits(0);
    assert_eq!(archive.redirect("/cache/n3/"), to("/moved/there/"));
    assert_eq!(archive.redirect("/queue/n5/"), to("/queue/other-name/"));
    assert!(archive.page("/cache/n3/").is_none() && archive.page("/queue/n5/").is_none());
    let left = archive.world.server.expiry("anp:redirect:/cache/n3/");
    let started_at = ran.of_type("run")[0]["started_at"].as_i64().unwrap();
    assert_eq!(left - started_at, 90 * 24 * 60 * 60 * 1000);
    let reasons: Vec<String> = ran
        .of_type("key")
        .iter()
        .filter(|key| key["key"].as_str().unwrap().ends_with(":/cache/n3/"))
        .map(|key| key["reason"].to_string())
        .collect();
    assert_eq!(reasons, ["\"moved\""; 4]);
    // It stays, and the next night has nothing to do.
    let again = archive.import().counts();
    assert_eq!(
        [&again["created"], &again["updated"], &again["removed"]],
        [0, 0, 0]
    );
    assert_eq!(archive.redirect("/cache/n3/"), to("/moved/there/"));
    let first = ran.of_type("run")[0]["run"].as_str().unwrap().to_owned();
    archive.world.anp(&format!("rollback {first}")).exits(0);
    assert!(archive.world.keys() == before);
}

#[test]
fn redirects_follow_an_article_that_moves_again_and_go_when_it_comes_back() {
    let archive = Archive::new();
    archive.import();
    settle();
    archive.rename("cache/n3", "cache/second");
    archive.import();
    let ends = archive.world.server.expiry("anp:redirect:/cache/n3/");
    archive.rename("cache/second", "queue/third");
    archive.import();
    assert_eq!(archive.redirect("/cache/n3/"), to("/queue/third/"));
    assert_eq!(archive.redirect("/cache/second/"), to("/queue/third/"));
    assert_eq!(archive.world.server.expiry("anp:redirect:/cache/n3/"), ends);
    archive.rename("queue/third", "cache/n3");
    archive.import();
    assert_eq!(archive.redirect("/cache/n3/"), None);
    assert_eq!(archive.redirect("/queue/third/"), to("/cache/n3/"));
    assert_eq!(archive.redirect("/cache/second/"), to("/cache/n3/"));
    assert!(archive.page("/cache/n3/").is_some());
    // Without its article, nothing leads there any more.
    archive.remove("cache/n3");
    archive.import();
    assert_eq!(archive.redirect("/queue/third/"), None);
}

#[test]
fn what_is_withdrawn_is_gone_and_says_so() {
    let archive = Archive::new();
    archive.import();
    settle();
    archive.article("queue/n8", 8, "withdrawn: true\n");
    archive.import();
    assert_eq!(archive.redirect("/queue/n8/").unwrap(), r#"{"status":410}"#);
    assert!(archive.page("/queue/n8/").is_none());
    archive.article("queue/n8", 8, "");
    archive.import();
    assert_eq!(archive.redirect("/queue/n8/"), None);
    assert!(archive.page("/queue/n8/").is_some());
}

#[test]
fn while_a_source_is_broken_nothing_is_taken_for_moved() {
    let archive = Archive::new();
    archive.import();
    settle();
    archive
        .world
        .write("content/broken.md", "---\ntitle: [\n---\n");
    archive.rename("cache/n3", "cache/second");
    archive.world.anp("import --max-invalid 100%").exits(3);
    assert_eq!(archive.redirect("/cache/n3/"), None);
    assert!(archive.page("/cache/n3/").is_some());
}

#[test]
fn an_article_that_moves_and_names_its_old_route_has_one_redirect() {
    let archive = Archive::new();
    archive.import();
    settle();
    archive.rename("cache/n3", "cache/second");
    let path = archive.world.path("content/cache/second.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let text = text.replacen("---\n", "---\naliases: [/cache/n3/]\n", 1);
    archive.world.write("content/cache/second.md", text);
    let before = archive.world.keys();
    archive.import();
    assert_eq!(archive.redirect("/cache/n3/"), to("/cache/second/"));
    assert!(archive.page("/cache/n3/").is_none());
    let counts = archive.import().counts();
    assert_eq!(
        [&counts["created"], &counts["updated"], &counts["removed"]],
        [0, 0, 0]
    );
    archive.world.anp("rollback last").exits(0);
    assert!(archive.world.keys() == before);
}

#[test]
fn a_folder_that_is_renamed_is_redirected_also_without_prune() {
    let archive = Archive::new();
    archive.article("alone/one", 50, "reference: one\n");
    archive.import();
    settle();
    let before = archive.world.keys();
    archive.rename("alone/one", "elsewhere/one");
    for line in ["import --format json", "import --prune --format json"] {
        let ran = archive.world.anp(line);
        ran.exits(0);
        assert_eq!(
            archive.redirect("/alone/one/"),
            to("/elsewhere/one/"),
            "{ran}"
        );
        assert!(archive.page("/alone/one/").is_none() && archive.page("/alone/").is_none());
        archive.world.anp("rollback last").exits(0);
        assert!(archive.world.keys() == before);
    }
}

#[test]
fn an_article_with_the_same_body_is_not_the_one_that_was_deleted() {
    let archive = Archive::new();
    for (name, reference) in [("queue/a", "RA"), ("queue/b", "RB")] {
        let text = format!("---\ntitle: {name}\nreference: {reference}\n---\n\nSee PDF.\n");
        archive.world.write(&format!("content/{name}.md"), text);
    }
    archive.import();
    settle();
    archive.remove("queue/a");
    // Also where every file is read, and where the other one is new.
    archive.world.anp("import --no-cache").exits(0);
    assert_eq!(archive.redirect("/queue/a/"), None);
    archive.rename("queue/b", "queue/c");
    archive.world.anp("import").exits(0);
    assert_eq!(archive.redirect("/queue/a/"), None);
    assert_eq!(archive.redirect("/queue/b/"), to("/queue/c/"));
    assert!(archive.page("/queue/a/").is_some());
}
