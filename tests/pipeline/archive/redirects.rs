//! Old routes: of articles that moved, and of those that were withdrawn.

use super::tree::{Archive, SETTINGS, difference};
#[cfg(debug_assertions)]
use crate::scene::{anp, dies, restore, snapshot};
use crate::support::{Ran, settle};

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

fn gone() -> Option<String> {
    Some(r#"{"status":410}"#.to_owned())
}

#[test]
fn an_article_that_moves_and_is_withdrawn_is_gone_under_both_routes() {
    let archive = Archive::new();
    archive.article("queue/n5", 5, "reference: RA\n");
    archive.article("alone/one", 50, "payload: {source_id: S1}\n");
    archive.import();
    settle();
    // What led to the article is gone with it.
    archive.rename("queue/n8", "queue/second");
    archive.import();
    settle();
    let before = archive.world.keys();
    let withdraw = |from: &str, to: &str, words: &str| {
        archive.rename(from, to);
        let path = archive.world.path(&format!("content/{to}.md"));
        let text = std::fs::read_to_string(path).unwrap();
        let text = text.replacen("---\n", "---\nwithdrawn: true\n", 1);
        let text = text.replace("Text of", words);
        archive.world.write(&format!("content/{to}.md"), text);
    };
    // Known by its reference, its source id, and its body alone.
    withdraw("queue/n5", "queue/a", "New words about");
    withdraw("alone/one", "elsewhere/b", "New words about");
    withdraw("queue/second", "queue/c", "Text of");
    for line in ["import", "import --prune"] {
        let ran = archive
            .world
            .anp(&format!("{line} --max-removed 100% --format json"));
        ran.exits(0);
        ran.notes(
            "3 published articles are withdrawn, and this run removes them: /alone/one/, /queue/n5/, \
             /queue/second/",
        );
        for (old, new) in [
            ("/queue/n5/", "/queue/a/"),
            ("/alone/one/", "/elsewhere/b/"),
            ("/queue/second/", "/queue/c/"),
        ] {
            assert!(
                archive.page(old).is_none() && archive.page(new).is_none(),
                "{old}"
            );
            assert_eq!(
                [archive.redirect(old), archive.redirect(new)],
                [gone(), gone()],
                "{old}"
            );
            let ended = ran.of_type("key");
            let of_old = ended
                .iter()
                .filter(|key| key["key"].as_str().unwrap().ends_with(old));
            assert!(
                // Page, meta and text, and the redirect in their place.
                of_old.clone().count() == 4
                    && of_old.clone().all(|key| key["reason"] == "withdrawn"),
                "{ran}"
            );
        }
        assert_eq!(archive.redirect("/queue/n8/"), gone());
        // The next night has nothing to do, and what was withdrawn stays known without its source being read.
        let counts = archive.import().counts();
        assert_eq!(
            [&counts["created"], &counts["updated"], &counts["removed"]],
            [0, 0, 0]
        );
        let run = ran.of_type("run")[0]["run"].as_str().unwrap().to_owned();
        archive.world.anp(&format!("rollback {run}")).exits(0);
        assert!(archive.world.keys() == before);
    }
}

#[test]
fn the_only_article_of_a_tree_may_move_and_be_withdrawn() {
    let archive = Archive::new();
    for number in 1..=13 {
        archive.remove(&format!(
            "{}/n{number}",
            ["cache", "cache/deep", "queue"][number % 3]
        ));
    }
    archive.article("queue/one", 1, "reference: RA\n");
    archive.import();
    settle();
    archive.remove("queue/one");
    archive.article("queue/two", 1, "reference: RA\nwithdrawn: true\n");
    archive.world.anp("import").exits(0);
    assert!(archive.page("/queue/one/").is_none());
    assert_eq!(
        [
            archive.redirect("/queue/one/"),
            archive.redirect("/queue/two/")
        ],
        [gone(), gone()]
    );
    // Nothing is published, and nothing to take down.
    archive.world.anp("import").exits(65);
}

#[test]
fn an_article_with_the_body_of_one_that_was_withdrawn_before_is_not_taken_for_it() {
    let archive = Archive::new();
    let text = |fields: &str| format!("---\ntitle: A\n{fields}---\n\nSee PDF.\n");
    archive.world.write("content/queue/a.md", text(""));
    archive.world.write("content/queue/b.md", text(""));
    archive.import();
    settle();
    archive
        .world
        .write("content/queue/b.md", text("withdrawn: true\n"));
    archive.world.anp("import").exits(0);
    archive.remove("queue/a");
    for line in ["import", "import --no-cache"] {
        archive.world.anp(line).exits(0);
        assert!(archive.page("/queue/a/").is_some() && archive.redirect("/queue/a/").is_none());
    }
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

#[test]
fn without_their_settings_prune_removes_what_earlier_runs_made() {
    let archive = Archive::new();
    archive.article("cache/n3", 3, "aliases: [/old/page/]\n");
    archive.article("queue/n8", 8, "withdrawn: true\n");
    archive.import();
    settle();
    archive.rename("queue/n5", "queue/second");
    archive.import();
    for route in ["/old/page/", "/queue/n8/", "/queue/n5/"] {
        assert!(archive.redirect(route).is_some(), "{route}");
    }
    // Those of other programs: without an end, or with another status.
    let server = &archive.world.server;
    server.run(&["SET", "anp:redirect:/by-hand/", &to("/cache/n3/").unwrap()]);
    let found = r#"{"to":"/cache/n3/","status":302}"#;
    server.run(&["SET", "anp:redirect:/found/", found, "EX", "100000"]);
    let before = archive.world.keys();
    let group = SETTINGS.find("archive:").unwrap();
    let without_redirects = SETTINGS.replace("  redirects: true\n", "");
    for settings in [&SETTINGS[..group], without_redirects.as_str()] {
        archive.world.write("anp.yaml", settings);
        let dry = archive.world.anp("import --prune --dry-run --format json");
        dry.exits(0);
        assert!(archive.world.keys() == before);
        let ran = archive.import();
        let removed = |ran: &Ran| ran.counts()["removed"].clone();
        assert_eq!(removed(&dry), removed(&ran));
        let mut objects = archive.objects("anp");
        for route in ["/by-hand/", "/found/"] {
            assert!(objects.remove(&format!("redirect:{route}")).is_some());
        }
        let fresh = archive.made_from_nothing();
        assert!(objects == fresh, "{}", difference(&objects, &fresh));
        let counts = archive.import().counts();
        assert_eq!(
            [&counts["created"], &counts["updated"], &counts["removed"]],
            [0, 0, 0]
        );
        let run = ran.of_type("run")[0]["run"].as_str().unwrap().to_owned();
        archive.world.anp(&format!("rollback {run}")).exits(0);
        assert!(archive.world.keys() == before);
    }
}

/// After a kill the new page may be there already, and the old one still.
#[cfg(debug_assertions)]
#[test]
fn an_import_that_dies_between_the_new_page_and_the_old_one_is_finished_by_the_next() {
    let archive = Archive::new();
    archive.import();
    settle();
    archive.rename("queue/n5", "cache/moved");
    archive.remove("queue/n8");
    archive.article("queue/other", 8, "withdrawn: true\n");
    let path = archive.world.path("content/queue/other.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let text = text.replace("Text of queue other", "Text of queue n8");
    archive.world.write("content/queue/other.md", text);
    settle();
    let world = &archive.world;
    let before = snapshot(world);
    let mut deaths = 0;
    for sent in (0..).step_by(5) {
        restore(world, &before);
        let (state, point) = (format!("state-{sent}"), format!("first.sent:{sent}"));
        if !dies(&mut anp(world, &state, &["import"], Some(&point)), &point) {
            break;
        }
        deaths += 1;
        let ran = Ran::of(&mut anp(world, &state, &["import"], None));
        ran.exits(0);
        assert_eq!(
            archive.redirect("/queue/n5/"),
            to("/cache/moved/"),
            "{point}"
        );
        assert_eq!(
            [
                archive.redirect("/queue/n8/"),
                archive.redirect("/queue/other/")
            ],
            [gone(), gone()],
            "{point}"
        );
        for old in ["/queue/n5/", "/queue/n8/"] {
            assert!(archive.page(old).is_none(), "{point}: {ran}");
        }
    }
    assert!(deaths > 3, "{deaths}");
}
