//! Links between articles over several runs: a page follows the pages that it links to, and
//! nothing is read or written for that without need.

use crate::support::{Ran, World, settle};

fn article(world: &World, name: &str, fields: &str, body: &str) {
    let text = format!("---\ntitle: About {name}\n{fields}---\n{body}\n");
    world.write(&format!("content/{name}.md"), text);
}

/// Five articles, published and remembered.
fn linked() -> World {
    let world = World::new();
    article(&world, "target", "", "## Part one\n");
    article(&world, "folder/plain", "", "[a](../target.md)");
    article(&world, "heading", "", "[a](target.md#part-one)");
    article(&world, "page", "", "[a](/target/#part-one)");
    article(&world, "other", "", "[a](https://example.org/target.md)");
    settle();
    imports(&world, 0, &[]).says(r#""created":10"#);
    world
}

/// Imports with the cache, after a dry run without it that says the same. `links` are the sources
/// that are named for a broken link.
#[track_caller]
fn imports(world: &World, code: i32, links: &[&str]) -> Ran {
    let without = world.anp("import --dry-run --no-cache --max-invalid 100% --format json");
    let ran = world.anp("import --max-invalid 100% --format json");
    ran.exits(code);
    let named = |ran: &Ran| -> Vec<String> {
        let found = ran.of_type("diagnostic");
        let links = found.iter().filter(|line| line["code"] == "link");
        links
            .map(|line| line["path"].as_str().unwrap().replace("content/", ""))
            .collect()
    };
    assert_eq!(named(&ran), links, "{ran}");
    assert_eq!(named(&without), links, "{without}");
    assert_eq!(counts(&without), counts(&ran), "{without}{ran}");
    ran
}

fn counts(ran: &Ran) -> Vec<u64> {
    let counts = ran.counts();
    ["created", "updated", "kept", "invalid"]
        .map(|name| counts[name].as_u64().unwrap_or_default())
        .to_vec()
}

fn page(world: &World, route: &str) -> String {
    world.server.get(&format!("anp:page:{route}")).unwrap()
}

#[test]
fn a_new_route_of_a_source_changes_the_pages_that_link_to_it_and_no_others() {
    let world = linked();
    assert_eq!(counts(&imports(&world, 0, &[])), [0, 0, 10, 0]);
    let other = page(&world, "/other/");
    article(&world, "target", "slug: new-name\n", "## Part one\n");
    settle();
    // The page that links to the route is broken by that.
    let ran = imports(&world, 0, &["page.md"]);
    assert_eq!(counts(&ran), [2, 4, 4, 0]);
    assert!(page(&world, "/folder/plain/").contains(r#"href="/new-name/""#));
    assert!(page(&world, "/heading/").contains(r#"href="/new-name/#part-one""#));
    assert_eq!(page(&world, "/other/"), other);
    // What was said is said again, although no file is read for it that did not change.
    assert_eq!(counts(&imports(&world, 0, &["page.md"])), [0, 0, 10, 0]);
}

#[test]
fn a_heading_that_goes_breaks_the_links_of_unchanged_sources() {
    let world = linked();
    article(&world, "target", "", "## Part two\n");
    let broken = ["heading.md", "page.md"];
    assert_eq!(counts(&imports(&world, 0, &broken)), [0, 2, 8, 0]);
    settle();
    imports(&world, 0, &broken);
    imports(&world, 0, &broken);
}

#[test]
fn a_source_that_goes_and_comes_breaks_and_mends_the_links_to_it() {
    let world = linked();
    let target = std::fs::read(world.path("content/target.md")).unwrap();
    std::fs::remove_file(world.path("content/target.md")).unwrap();
    let ran = imports(&world, 0, &["folder/plain.md", "heading.md", "page.md"]);
    assert_eq!(counts(&ran), [0, 4, 4, 0]);
    assert!(page(&world, "/heading/").contains(r#"href="target.md#part-one""#));
    settle();
    imports(&world, 0, &["folder/plain.md", "heading.md", "page.md"]);
    world.write("content/target.md", target);
    assert_eq!(counts(&imports(&world, 0, &[])), [0, 4, 6, 0]);
    assert!(page(&world, "/heading/").contains(r#"href="/target/#part-one""#));
}

#[test]
fn a_draft_is_no_page_that_a_link_can_lead_to() {
    let world = linked();
    article(&world, "target", "draft: true\n", "## Part one\n");
    let broken = ["folder/plain.md", "heading.md", "page.md"];
    let ran = imports(&world, 0, &broken);
    ran.notes("found no article at /target/");
    // Its route is known, so that its page is found as soon as it is published.
    assert_eq!(counts(&ran), [0, 0, 8, 0]);
}

#[test]
fn links_that_are_denied_make_their_source_invalid_and_allowed_ones_are_no_finding() {
    let world = World::new();
    article(&world, "good", "", "[a](/good/)");
    article(&world, "bad", "", "[a](/gone/)");
    world.write("anp.yaml", "links: deny\n");
    let ran = imports(&world, 3, &["bad.md"]);
    ran.notes("error[link]: expected a link to a page, found no article at /gone/");
    assert_eq!(counts(&ran), [2, 0, 0, 1]);
    world.write("anp.yaml", "links: allow\n");
    assert_eq!(counts(&imports(&world, 0, &[])), [2, 0, 2, 0]);
}

#[test]
fn a_part_of_the_tree_makes_the_same_pages_as_all_of_it() {
    let world = linked();
    let pages = world.keys();
    let ran = world.anp("import content/folder --format json");
    assert_eq!(counts(&ran), [0, 0, 2, 0], "{ran}");
    let ran = world.anp("import content/page.md --no-cache --format json");
    assert_eq!(counts(&ran), [0, 0, 2, 0], "{ran}");
    ran.exits(0);
    assert_eq!(world.keys(), pages);
}

#[test]
fn relative_images_and_files_are_found_below_the_assets() {
    let world = World::new();
    let body =
        "![a](img/a%20b.png?x=1) ![b](/c.png) [d](../e.pdf#f) [g](target.md) ![h](//x.org/y.png)";
    article(&world, "folder/a", "", body);
    article(&world, "folder/target", "", "");
    world.anp("import").exits(0);
    let plain = page(&world, "/folder/a/");
    assert!(plain.contains(r#"src="img/a%20b.png?x=1""#), "{plain}");
    world.write(
        "anp.yaml",
        "site: {assets: 'https://cdn.example.org/content/'}\n",
    );
    world.anp("import").exits(0);
    let page = page(&world, "/folder/a/");
    for url in [
        r#"src="https://cdn.example.org/content/folder/img/a%20b.png?x=1""#,
        r#"src="https://cdn.example.org/content/c.png""#,
        r#"href="https://cdn.example.org/content/e.pdf#f""#,
        r#"href="/folder/target/""#,
        r#"src="//x.org/y.png""#,
    ] {
        assert!(page.contains(url), "{url}: {page}");
    }
}

#[test]
fn promise_10_many_broken_links_are_counted_and_few_are_told() {
    let world = World::new();
    let links: String = (0..3_000).map(|n| format!("[a](/gone-{n}/) ")).collect();
    for n in 0..20 {
        article(&world, &format!("a{n}"), "", &links);
    }
    let ran = world.anp("import --format json");
    ran.exits(0);
    // 1,000 of a source are looked at, and 100 are told.
    let told = ran.of_type("diagnostic");
    assert_eq!(told.len(), 20 * 100, "{}", ran.stderr.len());
}
