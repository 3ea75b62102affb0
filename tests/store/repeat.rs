//! Importing again: what did not change is left alone, what changed is updated.

use crate::support::World;

fn imported() -> World {
    let world = World::new();
    world.article("a.md", "A.").article("folder/b.md", "B.");
    world.anp("import").exits(0);
    world
}

#[test]
fn an_unchanged_tree_writes_nothing_and_exits_0() {
    let world = imported();
    let before = world.server.dump();
    let ran = world.anp("import");
    ran.exits(0);
    assert_eq!(ran.of_type("key").len(), 0, "{ran}");
    assert_eq!(ran.counts()["kept"], 4, "{ran}");
    assert_eq!(world.server.dump(), before);
}

#[test]
fn a_changed_template_updates_every_page() {
    let world = imported();
    world.write("templates/footer.html", "<footer>changed</footer>\n");
    let ran = world.anp("import --templates templates");
    ran.exits(0);
    assert_eq!(ran.counts()["updated"], 4, "{ran}");
    assert!(
        world
            .server
            .get("anp:page:/a/")
            .unwrap()
            .contains("<footer>changed</footer>")
    );
}

#[test]
fn a_page_of_another_renderer_version_is_updated() {
    let world = imported();
    let page = world.server.get("anp:page:/a/").unwrap();
    // Another version of the renderer would have given this page another digest.
    let digest = "<!--anp:00000000000000000000000000000000-->";
    let other = format!("{}{digest}", &page[..page.len() - digest.len()]);
    world
        .server
        .run(&["SET", "anp:page:/a/", &other, "PXAT", "4000000000000"]);
    let ran = world.anp("import");
    ran.exits(0);
    assert_eq!(ran.counts()["updated"], 2, "{ran}");
    assert_eq!(world.server.get("anp:page:/a/").unwrap(), page);
}

#[test]
fn only_what_is_missing_is_written_again() {
    let world = imported();
    let before = world.server.dump();
    world.server.command("DEL anp:page:/a/ anp:meta:/a/");
    let ran = world.anp("import");
    ran.exits(0);
    assert_eq!(ran.counts()["created"], 2, "{ran}");
    assert_eq!(ran.counts()["kept"], 2, "{ran}");
    let after = world.server.dump();
    assert_eq!(
        after.keys().collect::<Vec<_>>(),
        before.keys().collect::<Vec<_>>()
    );
    for key in ["anp:page:/folder/b/", "anp:meta:/folder/b/"] {
        assert_eq!(after[key], before[key]);
    }
}

#[test]
fn a_page_that_an_eviction_took_while_its_meta_stayed_is_noticed() {
    let world = imported();
    world.server.command("DEL anp:page:/a/");
    let ran = world.anp("import");
    ran.exits(0);
    assert_eq!(ran.counts()["created"], 1, "{ran}");
    assert_eq!(ran.counts()["updated"], 1, "{ran}");
}

#[test]
fn both_objects_expire_together_within_the_jitter() {
    let world = imported();
    let now_ms = || {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        i64::try_from(since.unwrap().as_millis()).unwrap()
    };
    let week_ms = 7 * 24 * 3_600_000;
    for route in ["/a/", "/folder/b/"] {
        let page = world.server.expiry(&format!("anp:page:{route}"));
        assert_eq!(page, world.server.expiry(&format!("anp:meta:{route}")));
        let left = page - now_ms();
        assert!(
            left > week_ms * 89 / 100 && left < week_ms * 111 / 100,
            "{left}"
        );
    }
    assert_ne!(
        world.server.expiry("anp:page:/a/"),
        world.server.expiry("anp:page:/folder/b/")
    );
}

#[test]
fn a_dry_run_says_what_the_import_does_and_leaves_no_trace() {
    let world = World::new();
    world.article("a.md", "A.").article("b.md", "B.");
    let actions = |ran: &crate::support::Ran| {
        let mut actions: Vec<String> = ran
            .of_type("key")
            .iter()
            .map(|line| format!("{} {}", line["key"], line["action"]))
            .collect();
        actions.sort();
        actions
    };
    let dry = world.anp("import --dry-run");
    dry.exits(0);
    assert!(world.server.dump().is_empty());
    assert!(world.runs().is_empty());
    assert!(!world.path("state").exists(), "not even a state folder");
    let real = world.anp("import");
    assert_eq!(actions(&dry), actions(&real));
    assert_eq!(dry.counts()["created"], real.counts()["created"]);
    assert_eq!(dry.counts()["bytes"], real.counts()["bytes"]);
}

#[test]
fn connections_of_dead_runs_are_ended_before_a_key_is_looked_at() {
    let world = imported();
    let named = |name: &str| {
        let mut connection = world.server.connection();
        redis::cmd("CLIENT")
            .arg(&["SETNAME", name])
            .query::<()>(&mut connection)
            .unwrap();
        connection
    };
    let mut dead = named("anp:anp:20260101T000000.000Z-dead");
    let mut other = named("anp:load:20260101T000000.000Z-live");
    world.anp("import").exits(0);
    let alive =
        |connection: &mut redis::Connection| redis::cmd("PING").query::<String>(connection).is_ok();
    assert!(
        !alive(&mut dead),
        "its late writes would have come after ours"
    );
    assert!(alive(&mut other), "another prefix has a lock of its own");
}
