//! One archive in every form.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Member, files, gzipped, piped, seeded, stored, tar_of, zip_folder, zip_of};
use crate::support::World;

/// Every form that seeded articles are written in.
const WRITTEN: [&str; 6] = [
    "s.jsonl",
    "s.jsonl.gz",
    "s.ndjson.zst",
    "s.tar",
    "s.tgz",
    "s.tar.zst",
];

#[test]
fn every_form_of_one_seed_makes_the_same_store() {
    for seed in [1, 28_802, 977] {
        let world = World::new();
        seeded(&world, "content", &format!("--count 60 --seed {seed}"));
        world.anp("import content").exits(0);
        let of_folder = stored(&world);
        assert_eq!(of_folder.len(), 120);
        for form in WRITTEN {
            seeded(&world, form, &format!("--count 60 --seed {seed}"));
            // What is published from one form is unchanged in another.
            let ran = world.anp(&format!("import {form}"));
            assert_eq!(ran.exits(0).counts()["kept"], 120, "{ran}");
        }
        zip_folder(&world, "content", "s.zip");
        for form in WRITTEN.into_iter().chain(["s.zip"]) {
            world.server.command("FLUSHALL");
            let ran = world.anp(&format!("import {form} --no-cache"));
            assert_eq!(ran.exits(0).counts()["created"], 120, "{ran}");
            assert_eq!(stored(&world), of_folder, "{form}");
            world.anp("verify last").exits(0);
            world.anp("rollback last").exits(0);
            assert_eq!(stored(&world), [], "{form}");
        }
    }
}

#[test]
fn an_article_that_is_refused_in_one_form_is_refused_in_all() {
    let world = World::new();
    let options = "--count 200 --seed 5 --invalid 20% --hostile 10%";
    seeded(&world, "content", options);
    let ran = world.anp("import content --max-invalid 100%");
    let (counts, of_folder) = (ran.exits(3).counts(), stored(&world));
    assert!(counts["invalid"].as_u64() > Some(20));
    for form in WRITTEN {
        world.server.command("FLUSHALL");
        seeded(&world, form, options);
        let ran = world.anp(&format!("import {form} --max-invalid 100% --no-cache"));
        assert_eq!(ran.exits(3).counts(), counts, "{form}: {ran}");
        assert_eq!(stored(&world), of_folder, "{form}");
    }
}

/// What a store holds that a WordPress export can say: keys, metadata, and the text of pages. A day is a
/// moment there, and an article has its route from its address.
fn sayable(world: &World) -> Vec<(String, String)> {
    let days = |text: &str| text.replace("T00:00:00Z", "");
    let stored = stored(world).into_iter();
    let sayable = stored.map(|(key, value)| {
        if !key.starts_with("anp:meta:") {
            return (key, days(&shown(&value)));
        }
        let meta: Value = serde_json::from_str(&value).unwrap();
        let fields = meta["metadata"].as_object().unwrap().clone();
        let mut fields: BTreeMap<String, Value> = fields.into_iter().collect();
        if let Some(route) = fields.remove("route") {
            assert_eq!(key, format!("anp:meta:{}", route.as_str().unwrap()));
        }
        (key, days(&serde_json::to_string(&fields).unwrap()))
    });
    sayable.collect()
}

/// The text that a page shows. Whether it begins with contents depends on the length of its HTML.
fn shown(page: &str) -> String {
    let (_, article) = page.split_once("<article").unwrap();
    let mut article = format!("<article{article}");
    if let Some(start) = article.find("<nav class=\"toc\"") {
        let length = article[start..].find("</nav>").unwrap();
        article.replace_range(start..start + length, "");
    }
    let plain = html2text::config::plain_no_decorate();
    let text = plain.string_from_read(article.as_bytes(), 10_000).unwrap();
    assert!(text.len() > 1000, "{text}");
    // The frames of tables are as wide as their cells.
    let is_frame = |c: char| ('\u{2500}'..='\u{257f}').contains(&c);
    let words = text.split(|c: char| c.is_whitespace() || is_frame(c));
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

#[test]
fn a_wordpress_export_of_one_seed_makes_a_store_that_says_the_same() {
    for (seed, form) in [(1, "s.xml"), (28_802, "s.xml.gz"), (977, "s.xml.zst")] {
        let world = World::new();
        seeded(&world, "content", &format!("--count 60 --seed {seed}"));
        world.anp("import content").exits(0);
        let of_folder = sayable(&world);
        assert_eq!(of_folder.len(), 120);
        world.server.command("FLUSHALL");
        seeded(&world, form, &format!("--count 60 --seed {seed}"));
        let ran = world.anp(&format!("import {form} --no-cache"));
        assert_eq!(ran.exits(0).counts()["created"], 120, "{ran}");
        let of_export = sayable(&world);
        assert_eq!(of_export.len(), 120);
        for (told, expected) in of_export.iter().zip(&of_folder) {
            assert_eq!(told, expected, "{form}");
        }
        let bytes = std::fs::read(world.path(form)).unwrap();
        let ran = piped(&world, "import -", &bytes);
        assert_eq!(ran.exits(0).counts()["kept"], 120, "{ran}");
    }
}

#[test]
fn as_many_articles_are_refused_in_a_wordpress_export_as_in_a_folder() {
    let world = World::new();
    let options = "--count 400 --seed 5 --invalid 20% --hostile 20%";
    let summary = |form: &str| {
        seeded(&world, form, options);
        let ran = world.anp(&format!("check {form} --format json"));
        ran.exits(65).of_type("summary")[0].clone()
    };
    let (of_folder, of_export) = (summary("content"), summary("s.xml"));
    assert_eq!(of_folder["invalid"], 103, "{of_folder}");
    for count in ["articles", "valid", "invalid"] {
        assert_eq!(of_export[count], of_folder[count], "{of_export}");
    }
}

/// A tree with all that decides which files are read.
fn tree(world: &World) {
    let article = |path: &str| {
        world.write(
            &format!("content/{path}"),
            format!("---\ntitle: {path}\n---\n[a](a.md)\n"),
        );
    };
    for path in [
        "a.md",
        "README.md",
        "guide/README.md",
        "guide/_index.md",
        "_posts/2024-01-02-x.md",
        "_posts/2024-01-03-x.md",
        "_drafts/d.md",
        "_private/p.md",
        "site/_docs/e.md",
        "site/_recipes/r.md",
        ".hidden/h.md",
        "node_modules/n/README.md",
        "skip/s.md",
        "wip.md",
        "copy~.md",
        "about.fr.md",
        "b/_part.md",
        "b/notes.txt",
        "b/c.mdx",
    ] {
        article(path);
    }
    world.write("content/.anpignore", "wip.md\n");
    world.write("content/b/.anpignore", "!_part.md\n");
    world.write(
        "content/site/_config.yml",
        "collections:\n  recipes:\n    output: true\n",
    );
    world.write("content/b/picture.png", b"png");
    world.write(
        "content/b/with.md",
        "---\ntitle: w\n---\n![](picture.png) ![](gone.png)\n",
    );
}

#[test]
fn the_members_of_an_archive_are_chosen_by_the_rules_of_a_folder() {
    let world = World::new();
    tree(&world);
    world
        .shell("tar -C content -cf t.tar . && tar -C content -cf u.tar.zst --zstd $(ls -A content)")
        .exits(0);
    zip_folder(&world, "content", "t.zip");
    for (options, variables) in [
        ("", &[][..]),
        ("--drafts", &[("ANP_EXCLUDE", "skip")]),
        ("", &[("ANP_INCLUDE", "_private,b/notes.txt")]),
    ] {
        let check = |content: &str| {
            let line = format!("check {content} --format json {options}");
            let arguments: Vec<&str> = line.split_whitespace().collect();
            let ran = world.anp_with(&arguments, variables);
            let told = ran
                .exits(0)
                .stdout
                .replace(&format!("{content}:"), "content/");
            (told.replace(content, "content"), ran.stderr)
        };
        let of_folder = check("content");
        for archive in ["t.tar", "u.tar.zst", "t.zip"] {
            assert_eq!(
                check(archive),
                of_folder,
                "{archive} {options} {variables:?}"
            );
        }
    }
}

#[test]
fn findings_name_the_member_or_the_line_with_the_column() {
    let world = World::new();
    let lines = concat!(
        r#"{"path":"a.md","title":"A","body":"Text."}"#,
        "\n\n",
        r#"{"path":"b.md","title":"B","score":{"quality": 140},"body":"é\n\n[x](gone.md)"}"#,
        "\r\n",
        r#"{"path":"c.md","title":"C" "body":"x"}"#,
        "\n",
        r#"{"title":"D","body":"x"}"#,
        "\n",
        r#"{"path":"a.md","title":"Again"}"#,
        "\n",
        r#"{"path":"../up.md","title":"E"}"#,
        "\n",
        r#"{"path":"f.md","title":"F","html":"<p>x</p>","body":""}"#,
        "\n",
        r#"{"path":"g.md","title":"G","body":"one\n\n[x](gone.md)"}"#,
    );
    world.write("x.jsonl", lines);
    let ran = world.anp("check x.jsonl --format concise");
    ran.exits(65);
    let found: Vec<&str> = ran
        .stdout
        .lines()
        .filter(|line| line.starts_with("x.jsonl"))
        .collect();
    assert_eq!(
        found,
        [
            "x.jsonl:1:1: error[source]: expected each path once, found 'a.md' on line 6 too",
            "x.jsonl:3:48: error[score.quality]: expected a whole number from 0 to 100, found 140",
            "x.jsonl:4:28: error[source]: expected a JSON object, found broken JSON: expected `,` or `}`",
            "x.jsonl:5:1: error[source]: expected 'path', found none",
            "x.jsonl:6:1: error[source]: expected each path once, found 'a.md' on line 1 too",
            "x.jsonl:7:1: error[source]: expected a path below the root such as posts/a.md as 'path', \
             found '../up.md'",
            "x.jsonl:8:53: error[source]: expected 'body' or 'html', found both",
            "x.jsonl:9:43: warning[link]: expected a link to a source, found no 'gone.md'",
        ]
    );
    let json = world.anp("check x.jsonl --format json");
    let finding = json.of_type("diagnostic").into_iter().nth(1).unwrap();
    assert_eq!(
        (&finding["path"], &finding["line"]),
        (&"x.jsonl".into(), &3.into())
    );
    let article = "---\ntitle: A\nscore: {quality: 140}\n---\n";
    world.write(
        "x.tar",
        tar_of(&[Member::File("posts/a.md", article.as_bytes())]),
    );
    world
        .anp("check x.tar")
        .exits(65)
        .says("--> x.tar:posts/a.md:3:18\n");
    world.write("x.zip", zip_of(&[("posts/a.md", article.as_bytes())]));
    world
        .anp("check x.zip")
        .exits(65)
        .says("--> x.zip:posts/a.md:3:18\n");
    piped(&world, "check -", lines.as_bytes())
        .exits(65)
        .says("--> stdin:3:48\n");
}

#[test]
fn every_command_takes_a_packed_source() {
    let world = World::new();
    seeded(&world, "content", "--count 30 --seed 4");
    seeded(&world, "s.tar.zst", "--count 30 --seed 4");
    seeded(&world, "s.jsonl", "--count 30 --seed 4");
    let paths = files(&world.path("content"));
    let one = &paths[7].0;
    for source in ["s.tar.zst", "s.jsonl"] {
        world.server.command("FLUSHALL");
        world
            .anp(&format!("import {source} --dry-run"))
            .exits(0)
            .says("\"created\":60");
        world.anp(&format!("rehearse {source}")).exits(0);
        assert_eq!(stored(&world), []);
        world.anp(&format!("import {source}")).exits(0);
        let all = stored(&world);
        world.anp(&format!("diff --content {source}")).exits(0);
        // One article by its path in the source, gone and made again.
        let purged = world.anp(&format!("purge --content {source} --source {one} --yes"));
        assert_eq!(purged.exits(0).counts()["removed"], 2, "{purged}");
        let warmed = world.anp(&format!("warm {source} --source {one}"));
        assert_eq!(warmed.exits(0).counts()["created"], 2, "{warmed}");
        assert_eq!(stored(&world), all);
        world.anp(&format!("ls --content {source}")).exits(0);
        let no_article = format!("import {source} --prune");
        assert_eq!(world.anp(&no_article).exits(0).counts()["kept"], 60);
    }
}

#[test]
fn what_is_compressed_twice_over_or_in_parts_is_read_or_named() {
    let world = World::new();
    let line = |name: &str| format!("{{\"path\":\"{name}.md\",\"title\":\"{name}\"}}\n");
    let mut parts = gzipped(line("a").as_bytes());
    parts.extend(gzipped(line("b").as_bytes()));
    world.write("parts.jsonl.gz", &parts);
    assert_eq!(
        world.anp("import parts.jsonl.gz").exits(0).counts()["created"],
        4
    );
    world.write("twice.jsonl.gz", gzipped(&gzipped(line("a").as_bytes())));
    world
        .anp("check twice.jsonl.gz")
        .exits(65)
        .notes("found bytes of another kind");
    for (name, bytes, found) in [
        (
            "a.jsonl",
            &b"[{\"a\": 1}]"[..],
            "found a JSON array (jq -c '.[]' makes lines of it)",
        ),
        ("b.jsonl", b"", "found nothing"),
        ("c.tar", b"BZh91AY", "found bytes compressed with bzip2"),
        ("d.tar", b"\xfd7zXZ\0", "found bytes compressed with xz"),
        (
            "e.tar",
            b"---\ntitle: x\n---\n",
            "found what looks like a single article",
        ),
    ] {
        world.write(name, bytes);
        let ran = world.anp(&format!("import {name}"));
        ran.exits(65)
            .notes(&format!("error: cannot read {name}: {found}\n"));
        ran.notes("nothing was written");
    }
}

/// The block of this language in a section of docs/inputs.md.
fn recipe(section: &str, language: &str) -> String {
    let page = std::fs::read_to_string("docs/inputs.md").unwrap();
    let section = page.split(&format!("\n## {section}\n")).nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let block = section.split(&format!("\n```{language}\n")).nth(1);
    block.unwrap().split("\n```").next().unwrap().to_owned()
}

#[test]
fn the_recipes_of_the_documentation_run() {
    let world = World::new();
    let line = recipe("JSON lines", "json");
    let ran = piped(&world, "import -", format!("{line}\n").as_bytes());
    assert_eq!(ran.exits(0).counts()["created"], 2, "{ran}");
    let page = world.server.get("anp:page:/redis/eviction/").unwrap();
    assert!(page.contains("What <strong>goes</strong> first."));
    world.write("export.py", recipe("JSON lines", "python"));
    world.shell("python3 export.py").exits(0);
    let ran = world.anp("import export.jsonl.gz");
    assert_eq!(ran.exits(0).counts()["created"], 4, "{ran}");
    world.article("a.md", "Text.");
    let pack = recipe("Archives", "sh");
    world.shell(pack.lines().next().unwrap()).exits(0);
    let ran = world.anp("import content.tar.zst");
    assert_eq!(ran.exits(0).counts()["created"], 2, "{ran}");
}
