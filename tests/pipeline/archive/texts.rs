//! The texts of articles: objects like pages and metas, written, kept and taken back with them.

use std::collections::BTreeSet;

use crate::support::{Ran, World, set, settle};

const ON: &str = "site: {url: 'https://example.org'}\narchive: {text: true}\n";
const OFF: &str = "site: {url: 'https://example.org'}\narchive: {text: false, sitemap: true}\n";

/// Two articles, with texts.
fn world() -> World {
    let world = World::new();
    world.write("anp.yaml", ON);
    let article = "---\ntitle: One\nsummary: A summary.\n---\n\nText of *one*.\n";
    world.write("content/one.md", article);
    world.write("content/two.md", "---\ntitle: Two\n---\n\nText of two.\n");
    settle();
    world
}

fn text(world: &World, route: &str) -> Option<String> {
    world.server.get(&format!("anp:text:{route}"))
}

/// The keys that a run changed, each with what it did and why.
fn changes(ran: &Ran) -> BTreeSet<String> {
    let keys = ran.of_type("key").into_iter();
    let written = keys.filter(|key| !key["action"].is_null());
    let word = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let line = |key: serde_json::Value| {
        [
            word(&key["action"]),
            word(&key["key"]),
            word(&key["reason"]),
        ]
        .join(" ")
    };
    written.map(line).collect()
}

/// Runs `line`, which changes these keys, and takes it back to the state before it.
#[track_caller]
fn changes_and_back(world: &World, line: &str, expected: &[&str]) {
    let before = world.keys();
    let ran = world.anp(&format!("{line} --format json"));
    ran.exits(0);
    assert_eq!(changes(&ran), set(expected), "{line}");
    let after = world.keys();
    world.anp("verify last").exits(0);
    world.anp("rollback last").exits(0);
    assert!(world.keys() == before, "{line}: the rollback");
    let rollback = world.runs().pop().unwrap();
    world.anp(&format!("rollback {rollback}")).exits(0);
    assert!(world.keys() == after, "{line}: the rollback of that");
}

const ALL_OF_ONE: [&str; 3] = ["anp:page:/one/", "anp:meta:/one/", "anp:text:/one/"];

fn all_of_one(action: &str, reason: &str) -> Vec<String> {
    let keys = ALL_OF_ONE.iter();
    keys.map(|key| format!("{action} {key} {reason}")).collect()
}

fn strs(lines: &[String]) -> Vec<&str> {
    lines.iter().map(String::as_str).collect()
}

#[test]
fn a_text_comes_with_its_page_and_lives_as_long() {
    let world = world();
    let ran = world.anp("import --format json");
    ran.exits(0);
    assert_eq!(ran.counts()["created"], 6);
    let one = text(&world, "/one/").unwrap();
    assert!(
        one.starts_with("# One\n\nA summary.\n\nText of *one*.\n\n<!--anp:"),
        "{one}"
    );
    assert!(one.ends_with("-->\n"), "{one}");
    let expiries = ALL_OF_ONE.map(|key| world.server.expiry(key));
    assert_eq!(expiries, [expiries[0]; 3]);
    let page = world.server.get("anp:page:/one/").unwrap();
    assert!(
        page.contains("type=\"text/markdown\" href=\"https://example.org/one/index.md\""),
        "{page}"
    );
    let shown = world.anp("show /one/ --text");
    shown.exits(0);
    assert_eq!(shown.stdout, one);
    world.anp("show /one/").exits(0).says("anp:text:/one/: ");
    world.anp("show /none/ --text").exits(3);
    assert_eq!(world.anp("import").counts()["kept"], 6);
    world.anp("ls").exits(0).says("fresh");
}

#[test]
fn promise_3_every_change_of_a_text_is_taken_back_exactly() {
    let world = world();
    let created: Vec<String> = ["one", "two"]
        .iter()
        .flat_map(|name| {
            ["page", "meta", "text"].map(|kind| format!("create anp:{kind}:/{name}/ new"))
        })
        .collect();
    changes_and_back(&world, "import", &strs(&created));
    let article = |fields: &str, body: &str| {
        let article = format!("---\ntitle: One\n{fields}---\n\n{body}\n");
        world.write("content/one.md", article);
        settle();
    };
    let updated = all_of_one("update", "source");
    article("summary: A summary.\n", "Other text.");
    changes_and_back(&world, "import", &strs(&updated));
    assert!(text(&world, "/one/").unwrap().contains("\n\nOther text.\n"));
    article("summary: Other words.\n", "Other text.");
    changes_and_back(&world, "import", &strs(&updated));
    assert!(
        text(&world, "/one/")
            .unwrap()
            .contains("\n\nOther words.\n")
    );
    article("noindex: true\n", "Other text.");
    changes_and_back(&world, "import", &strs(&updated));
    changes_and_back(&world, "import --ttl 20d", &{
        let keys = ["one", "two"].map(|name| {
            ["page", "meta", "text"].map(|kind| format!("refresh anp:{kind}:/{name}/ expiring"))
        });
        let keys: Vec<&str> = keys
            .concat()
            .into_iter()
            .map(|line| &*line.leak())
            .collect();
        keys
    });
    article("withdrawn: true\n", "Other text.");
    changes_and_back(
        &world,
        "import --ttl 20d",
        &strs(&all_of_one("remove", "withdrawn")),
    );
    article("", "Other text.");
    changes_and_back(
        &world,
        "import --ttl 20d",
        &strs(&all_of_one("create", "new")),
    );
    std::fs::remove_file(world.path("content/one.md")).unwrap();
    changes_and_back(
        &world,
        "import --ttl 20d --prune --max-removed 100%",
        &strs(&all_of_one("remove", "pruned")),
    );
    article("", "Other text.");
    world.anp("import --ttl 20d --quiet").exits(0);
    changes_and_back(
        &world,
        "purge /one/",
        &strs(&all_of_one("remove", "purged")),
    );
    world.anp("import --ttl 20d --quiet").exits(0);
    world.anp("purge --all --yes").exits(0);
    assert_eq!(world.keys().len(), 0);
    world.anp("rollback last").exits(0);
    assert!(text(&world, "/one/").is_some());
}

#[test]
fn texts_come_when_they_are_switched_on_and_go_when_they_are_switched_off() {
    let world = world();
    world.write("anp.yaml", "site: {url: 'https://example.org'}\n");
    world.anp("import --quiet").exits(0);
    assert_eq!(text(&world, "/one/"), None);
    world.write("anp.yaml", ON);
    // A warm run writes what is missing, and these never were there.
    world.anp("warm").exits(0).notes("2 articles changed since");
    assert_eq!(text(&world, "/one/"), None);
    let switched_on: Vec<String> = ["one", "two"]
        .iter()
        .flat_map(|name| {
            let line = |action: &str, kind: &str| format!("{action} anp:{kind}:/{name}/ settings");
            [
                line("update", "page"),
                line("update", "meta"),
                line("create", "text"),
            ]
        })
        .collect();
    changes_and_back(&world, "import", &strs(&switched_on));
    world.write("anp.yaml", OFF);
    let lines = ["one", "two"].iter().flat_map(|name| {
        let line = |action: &str, kind: &str| format!("{action} anp:{kind}:/{name}/ settings");
        [
            line("update", "page"),
            line("update", "meta"),
            line("remove", "text"),
        ]
    });
    let files = ["", "-undated"].map(|name| format!("create anp:file:/sitemap{name}.xml new"));
    let switched_off: Vec<String> = lines.chain(files).collect();
    changes_and_back(&world, "import", &strs(&switched_off));
    assert_eq!(world.anp("import").counts()["kept"], 6);
}

#[test]
fn without_the_group_texts_go_with_prune_alone() {
    let world = world();
    world.anp("import --quiet").exits(0);
    world.write("anp.yaml", "site: {url: 'https://example.org'}\n");
    world.anp("import --quiet").exits(0);
    assert!(text(&world, "/one/").is_some());
    world.anp("import --prune --quiet").exits(0);
    assert_eq!((text(&world, "/one/"), text(&world, "/two/")), (None, None));
    // A purge takes the text along, whatever the settings say.
    world.write("anp.yaml", ON);
    world.anp("import --quiet").exits(0);
    world.write("anp.yaml", "site: {url: 'https://example.org'}\n");
    world.anp("purge /one/ --quiet").exits(0);
    assert!(text(&world, "/one/").is_none() && text(&world, "/two/").is_some());
}

#[test]
fn a_text_that_is_lost_is_written_again_with_its_page() {
    let world = world();
    world.anp("import --quiet").exits(0);
    let lost: Vec<String> = vec![
        "update anp:page:/one/ lost".to_owned(),
        "update anp:meta:/one/ lost".to_owned(),
        "create anp:text:/one/ lost".to_owned(),
    ];
    for line in ["import", "warm"] {
        world.server.command("DEL anp:text:/one/");
        world.anp("ls").exits(0).says("lost");
        changes_and_back(&world, line, &strs(&lost));
    }
    // Of an article that changed, all waits for an import.
    world.server.command("DEL anp:text:/one/");
    world.write("content/one.md", "---\ntitle: One\n---\n\nNew.\n");
    settle();
    let before = world.keys();
    world.anp("warm").exits(0).notes("changed since");
    assert!(world.keys() == before);
    // Without the page, all is written.
    world.server.command("DEL anp:page:/one/");
    world.anp("warm").exits(0);
    assert!(text(&world, "/one/").unwrap().contains("\nNew.\n"));
}

#[test]
fn another_clients_value_at_the_key_of_a_text_is_replaced_by_an_import_and_kept_by_a_warm_run() {
    let world = world();
    world.anp("import --quiet").exits(0);
    for value in ["SET anp:text:/one/ theirs", "HSET anp:text:/one/ a b"] {
        world.server.command("DEL anp:text:/one/");
        world.server.command(value);
        let before = world.keys();
        world.anp("warm").exits(0);
        assert!(world.keys() == before, "{value}");
        changes_and_back(&world, "import", &strs(&all_of_one("update", "foreign")));
    }
    // One that takes the place of a text that goes stays.
    world.server.command("SET anp:text:/one/ theirs");
    world.write("anp.yaml", OFF);
    world.anp("import --quiet").exits(0);
    assert_eq!(text(&world, "/one/").as_deref(), Some("theirs"));
    assert_eq!(text(&world, "/two/"), None);
}

#[test]
fn a_list_has_no_text_and_takes_that_of_the_page_of_its_folder() {
    let world = world();
    world.write(
        "content/folder/_index.md",
        "---\ntitle: F\n---\n\nFolder.\n",
    );
    world.write("content/folder/a.md", "---\ntitle: A\n---\n\nA.\n");
    settle();
    world.anp("import --quiet").exits(0);
    assert!(text(&world, "/folder/").unwrap().starts_with("# F\n"));
    let lists = format!(
        "{}lists: true, text: true}}\n",
        &ON[..ON.len() - "text: true}\n".len()]
    );
    world.write("anp.yaml", lists);
    world.anp("import --quiet").exits(0);
    assert_eq!((text(&world, "/folder/"), text(&world, "/")), (None, None));
    assert!(text(&world, "/folder/a/").is_some());
    let again = world.anp("import").counts();
    assert_eq!(
        ["created", "updated", "removed"].map(|name| again[name].as_u64()),
        [Some(0); 3]
    );
    world.write("anp.yaml", ON);
    world.anp("import --quiet").exits(0);
    assert!(text(&world, "/folder/").unwrap().starts_with("# F\n"));
}

#[test]
fn a_text_without_a_page_goes_and_one_of_another_tree_stays() {
    let world = world();
    world.anp("import --quiet").exits(0);
    let digest = "0123456789abcdef0123456789abcdef";
    for route in ["/gone/", "/other/"] {
        let value = format!("# A\n\n<!--anp:{digest}-->\n");
        world
            .server
            .run(&["SET", &format!("anp:text:{route}"), &value]);
    }
    let page = format!("<p>x</p><!--anp:{digest}-->");
    world.server.run(&["SET", "anp:page:/other/", &page]);
    world.anp("import --quiet").exits(0);
    assert_eq!(text(&world, "/gone/"), None);
    assert!(text(&world, "/other/").is_some());
}

#[test]
fn a_night_without_changes_reads_no_text() {
    let world = world();
    // What a night without changes asks.
    let night = || {
        world.anp("import --quiet").exits(0);
        world.server.command("CONFIG RESETSTAT");
        assert_eq!(world.anp("import").counts()["created"], 0);
        ["pexpiretime", "strlen", "getrange", "get"].map(|name| {
            let stat = world
                .server
                .info("commandstats", &format!("cmdstat_{name}"));
            let calls = stat.strip_prefix("calls=").unwrap_or("0");
            calls.split(',').next().unwrap().parse::<u64>().unwrap()
        })
    };
    let with = night();
    world.write("anp.yaml", "site: {url: 'https://example.org'}\n");
    world.anp("import --prune --quiet").exits(0);
    let without = night();
    // Of each of two articles one more key, without its length, and what the run asks to know its rights to
    // texts.
    let more = std::array::from_fn(|place| with[place] - without[place]);
    assert_eq!(more, [3, 1, 3, 1]);
}
