//! What names of files decide besides routes: when a page counts as changed, which pages belong to
//! the tree, and what is passed over.

use crate::support::{World, set};

fn rename(world: &World, from: &str, to: &str) {
    std::fs::rename(world.path(from), world.path(to)).unwrap();
}

#[test]
fn another_date_in_the_name_is_another_page() {
    let world = World::new();
    world.article("2020-01-02-a.md", "Text.");
    world.article("b.md", "Text.");
    world.anp("import").exits(0);
    assert_eq!(world.meta("/a/")["metadata"]["date"], "2020-01-02");
    rename(&world, "content/2020-01-02-a.md", "content/2020-01-03-a.md");
    let ran = world.anp("import");
    assert_eq!(ran.exits(0).pages("update"), set(&["/a/"]), "{ran}");
    assert_eq!(world.meta("/a/")["metadata"]["date"], "2020-01-03");
    let page = world.server.get("anp:page:/a/").unwrap();
    assert!(page.contains("\"datePublished\":\"2020-01-03\""), "{page}");
    assert_eq!(world.anp("import").exits(0).counts()["kept"], 4);
}

#[test]
fn names_that_differ_in_their_date_alone_get_routes_of_their_own() {
    let world = World::new();
    world.write("anp.yaml", "content: content\n");
    world
        .article("a/2020-01-09-weekly.md", "Two.")
        .article("a/2020-01-02-weekly.md", "One.")
        .article("a/2020-01-16-weekly/index.md", "Three.")
        .article("b/2020-01-23-weekly.md", "Elsewhere.");
    std::thread::sleep(std::time::Duration::from_millis(2100));
    let first = "2 articles keep the date of the name in the route, as an older name differs in \
                 nothing else: a/2020-01-09-weekly.md and 1 more\n";
    let ran = world.anp("import");
    ran.exits(0).notes(first);
    let made = [
        "/a/weekly/",
        "/a/2020-01-09-weekly/",
        "/a/2020-01-16-weekly/",
        "/b/weekly/",
    ];
    assert_eq!(ran.pages("create"), set(&made), "{ran}");
    assert_eq!(world.anp("import").exits(0).counts()["kept"], 8);
    // One alone is judged by the names beside it.
    for named in [
        "a/2020-01-09-weekly.md",
        "a/2020-01-16-weekly",
        "a/2020-01-16-weekly/index.md",
    ] {
        let ran = world.anp(&format!("import content/{named}"));
        assert_eq!(ran.exits(0).counts()["kept"], 2, "{ran}");
    }
    // An unchanged file gets another route once the oldest is gone.
    std::fs::remove_file(world.path("content/a/2020-01-02-weekly.md")).unwrap();
    let ran = world.anp("import");
    assert_eq!(ran.exits(0).pages("update"), set(&["/a/weekly/"]), "{ran}");
    let page = world.server.get("anp:page:/a/weekly/").unwrap();
    assert!(page.contains("Two."));
}

#[test]
fn prune_removes_pages_below_the_folders_of_the_tree_and_names_the_others() {
    let world = World::new();
    for name in [
        "_posts/2020-01-02-a",
        "_posts/2020-01-02-b",
        "blog/a",
        "blog/b",
    ] {
        world.article(&format!("{name}.md"), "Text.");
        world.article(&format!("{name}.fr.md"), "Texte.");
    }
    let permalink = "---\ntitle: p\npermalink: /far/away/\n---\nText.\n";
    world.write("content/blog/p.md", permalink);
    world.anp("import").exits(0);
    for name in ["_posts/2020-01-02-b", "blog/b"] {
        for ending in ["md", "fr.md"] {
            std::fs::remove_file(world.path(&format!("content/{name}.{ending}"))).unwrap();
        }
    }
    std::fs::remove_file(world.path("content/blog/p.md")).unwrap();
    let ran = world.anp("import --prune --force");
    let gone = set(&["/b/", "/fr/b/", "/blog/b/", "/fr/blog/b/"]);
    assert_eq!(ran.exits(0).pages("remove"), gone, "{ran}");
    ran.notes(
        "1 published page is in folders that the content tree does not have: /far/away/. Another \
         tree may have published it, so --prune leaves it; to remove it: anp purge /far/away/",
    );
}

#[test]
fn with_a_form_of_routes_prune_knows_the_folders_of_its_pages() {
    let world = World::new();
    world.write(
        "anp.yaml",
        "content: content\nroute: /{year}/{month}/{slug}/\n",
    );
    for name in ["2020-01-02-a", "2020-01-05-b", "2021-01-05-c"] {
        world.article(&format!("_posts/{name}.md"), "Text.");
    }
    let ran = world.anp("import");
    let made = set(&["/2020/01/a/", "/2020/01/b/", "/2021/01/c/"]);
    assert_eq!(ran.exits(0).pages("create"), made);
    for name in ["2020-01-05-b", "2021-01-05-c"] {
        std::fs::remove_file(world.path(&format!("content/_posts/{name}.md"))).unwrap();
    }
    let ran = world.anp("import --prune --force");
    assert_eq!(ran.exits(0).pages("remove"), set(&["/2020/01/b/"]), "{ran}");
    ran.notes("to remove it: anp purge /2021/01/c/");
}

#[test]
fn prune_of_a_part_spares_what_another_part_gives_a_route_there() {
    let world = World::new();
    world.write("anp.yaml", "content: content\n");
    world.article("a/x.md", "X.").article("a/y.md", "Y.");
    let far = "---\ntitle: far\nroute: /a/far/\n---\nText.\n";
    world.write("content/b/far.md", far);
    world.anp("import").exits(0);
    std::fs::remove_file(world.path("content/a/y.md")).unwrap();
    let ran = world.anp("import content/a --prune --force");
    assert_eq!(ran.exits(0).pages("remove"), set(&["/a/y/"]), "{ran}");
}

#[test]
fn a_file_that_is_excluded_is_gone() {
    let world = World::new();
    world.article("a.md", "A.").article("b.md", "B.");
    world.anp("import").exits(0);
    world.write("content/.anpignore", "b.md\n");
    let ran = world.anp("import");
    ran.exits(0)
        .notes("passed over: 1 file or folder by the settings or an ignore file (b.md)\n")
        .notes("1 published article is no longer in the content tree, or");
    let ran = world.anp("import --prune --force");
    assert_eq!(ran.exits(0).pages("remove"), set(&["/b/"]), "{ran}");
    // Nobody knows what the file leaves out.
    world.write("content/.anpignore", "[z-a]\n");
    world
        .anp("import --prune --force")
        .exits(65)
        .notes("error[source]: skipped: its .anpignore cannot be used: ");
}

#[test]
fn drafts_of_jekyll_are_read_when_drafts_are_asked_for() {
    let world = World::new();
    world.article("a.md", "A.").article("_drafts/d.md", "D.");
    world
        .anp("import")
        .exits(0)
        .notes_exactly("note: passed over: 1 file in _drafts: drafts, read with --drafts\n");
    let ran = world.anp("import --drafts");
    assert_eq!(ran.exits(0).pages("create"), set(&["/d/"]), "{ran}");
    assert_eq!(world.meta("/d/")["robots"], "noindex");
}

#[test]
fn what_is_passed_over_is_told_to_machines_and_to_people() {
    let world = World::new();
    world.article("a.md", "A.").article("_x/b.md", "B.");
    for name in ["a.rst", "b.rst", "c.rst", "d.rst"] {
        world.write(&format!("content/{name}"), "Text");
    }
    let line = "note: passed over: 4 files ending .rst (a.rst, b.rst, c.rst and 1 more); anp reads \
                .md, .markdown, .mdx and other spellings of Markdown\n";
    world
        .anp("check --format text")
        .exits(0)
        .says("note: passed over: 1 file in _x; include with 'include: [_x]'\n")
        .says(line)
        .says("1 article: 1 valid");
    for command in ["check --format json", "import"] {
        let ran = world.anp(command);
        let lines = ran.exits(0).of_type("passed_over");
        assert_eq!(lines[0]["reason"], "folder", "{ran}");
        assert_eq!(
            (&lines[0]["name"], &lines[0]["files"]),
            (&"_x".into(), &1.into())
        );
        assert_eq!(lines[1]["name"], ".rst");
        assert_eq!(lines[1]["first"].as_array().unwrap().len(), 3);
    }
}

#[test]
fn settings_about_files_are_checked_before_anything_is_read() {
    let world = World::new();
    world.article("a.md", "A.");
    for (setting, why) in [
        (
            "route: /{year}/",
            "expected a pattern of routes such as /{year}/{month}/{slug}/",
        ),
        ("route: /{tag}/{slug}/", "expected a pattern of routes"),
        (
            "languages: [english-language]",
            "expected language tags (for example en, fr, pt-BR)",
        ),
        (
            "exclude: ['[z-a]']",
            "expected patterns in the syntax of .gitignore",
        ),
        (
            "include: ['!a']",
            "expected patterns in the syntax of .gitignore",
        ),
    ] {
        world.write("anp.yaml", format!("content: content\n{setting}\n"));
        world.anp("check").exits(78).notes(why);
    }
    let with = |variables: &[(&str, &str)]| {
        world.anp_with(&["import", "--config", "/dev/null"], variables)
    };
    let ran = with(&[
        ("ANP_ROUTE", "/x/{dir}/{slug}/"),
        ("ANP_EXCLUDE", "none.md, other.md"),
    ]);
    assert_eq!(ran.exits(0).pages("create"), set(&["/x/a/"]), "{ran}");
}
