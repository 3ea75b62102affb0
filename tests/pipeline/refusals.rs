//! What hostile and broken content is answered with: the exact message, the exit code, and
//! what of it reached the store.

use std::os::unix::fs::symlink;

use crate::support::{Ran, World, set_mode};

/// The end of a refusal where one article of one is invalid.
const ONE_OF_ONE: &str = "\
error: 1 of 1 article is invalid
  = expected: at most 5 % (--max-invalid)
  = retry: after you fix the articles; nothing was written
";

/// Imports a tree whose only file is `content/x.md`.
fn import_alone(bytes: impl AsRef<[u8]>, options: &str) -> (World, Ran) {
    let world = World::new();
    world.write("content/x.md", bytes);
    let ran = world.anp(&format!("import {options}"));
    (world, ran)
}

/// The file is refused with exactly `message`, and nothing is written.
#[track_caller]
fn refuses(bytes: impl AsRef<[u8]>, options: &str, message: &str) {
    let (world, ran) = import_alone(bytes, options);
    let message = message.strip_prefix('\n').unwrap_or(message);
    ran.exits(65)
        .notes_exactly(&format!("{message}\n{ONE_OF_ONE}"));
    assert!(world.server.dump().is_empty(), "{ran}");
}

/// The file is published as an article with this title, without a word on stderr.
#[track_caller]
fn publishes(bytes: impl AsRef<[u8]>, title: &str) {
    let (world, ran) = import_alone(bytes, "");
    ran.exits(0).notes_exactly("");
    assert_eq!(world.meta("/x/")["title"], title, "{ran}");
    let page = world.server.get("anp:page:/x/").unwrap();
    assert!(page.contains("<p>Text.</p>"), "{page}");
    assert!(!page.contains(['\r', '\u{feff}']), "{page}");
}

#[test]
fn two_sources_with_one_route_name_each_other_and_the_store_keeps_it() {
    let world = World::new();
    world.article("a.md", "First.").article("sub/b.md", "B.");
    world.anp("import").exits(0);
    let before = world.server.dump();
    world.write("content/c.md", "---\ntitle: c\nslug: a\n---\nText.\n");
    world.article("a.md", "Changed.");
    let ran = world.anp("import --max-invalid 2");
    ran.exits(3).notes_exactly(
        "
error[route]: duplicate route /a/: also produced by content/c.md
 --> content/a.md
  = help: add 'slug: a-2' to content/a.md

error[route]: duplicate route /a/: also produced by content/a.md
 --> content/c.md
  = help: add 'slug: a-2' to content/a.md

",
    );
    assert_eq!(ran.counts()["invalid"], 2, "{ran}");
    assert_eq!(world.server.dump(), before);
}

#[test]
fn three_sources_with_one_route_each_name_both_others() {
    let world = World::new();
    for name in ["a", "b", "c"] {
        let text = "---\ntitle: same\nslug: same\n---\nText.\n";
        world.write(&format!("content/{name}.md"), text);
    }
    let ran = world.anp("import");
    ran.exits(65)
        .notes("duplicate route /same/: also produced by content/b.md, content/c.md\n --> content/a.md")
        .notes("duplicate route /same/: also produced by content/a.md, content/c.md\n --> content/b.md")
        .notes("duplicate route /same/: also produced by content/a.md, content/b.md\n --> content/c.md");
}

#[test]
fn a_source_that_cannot_be_parsed_spoils_no_other_ones_route() {
    let world = World::new();
    world.article("a.md", "A.");
    // Its file name leads to /a/, but whether it claims that is not known.
    world.write("content/A.markdown", "---\ntitle: 'open\n---\nText.\n");
    let ran = world.anp("import --max-invalid 1");
    ran.exits(3).notes("--> content/A.markdown");
    assert_eq!(ran.counts()["invalid"], 1, "{ran}");
    assert!(world.server.get("anp:page:/a/").is_some(), "{ran}");
}

/// One invalid article and `valid` good ones.
fn one_invalid_among(valid: usize) -> World {
    let world = World::new();
    world.write(
        "content/bad.md",
        "---\ntitle: bad\nscore:\n  quality: 140\n---\nText.\n",
    );
    for number in 0..valid {
        world.article(&format!("ok-{number}.md"), "Text.");
    }
    world
}

const QUALITY: &str = "\
error[score.quality]: expected a whole number from 0 to 100, found 140
 --> content/bad.md:4:12
  |
4 |   quality: 140
  |            ^^^
  = help: write quality: 100

";

#[test]
fn under_the_budget_invalid_articles_are_skipped_and_the_rest_is_written() {
    let world = one_invalid_among(19);
    let ran = world.anp("import");
    ran.exits(3).notes_exactly(QUALITY);
    assert_eq!(ran.counts()["created"], 38, "{ran}");
    assert_eq!(ran.counts()["invalid"], 1, "{ran}");
    let found = ran.of_type("diagnostic");
    assert_eq!(found.len(), 1, "{ran}");
    assert_eq!(found[0]["code"], "score.quality");
    assert_eq!(
        (&found[0]["line"], &found[0]["column"]),
        (&4.into(), &12.into())
    );
}

#[test]
fn over_the_budget_nothing_is_written() {
    let world = one_invalid_among(18);
    let ran = world.anp("import --max-invalid 0");
    ran.exits(65).notes_exactly(&format!(
        "{QUALITY}error: 1 of 19 articles is invalid\n  \
         = expected: at most 0 (--max-invalid)\n  \
         = retry: after you fix the articles; nothing was written\n"
    ));
    assert!(world.server.dump().is_empty(), "{ran}");
    assert!(ran.of_type("key").is_empty(), "{ran}");
    world.anp("runs").exits(0).says("refused, ");
    world.anp("import --dry-run --max-invalid 0").exits(65);
    let check = world.anp("check --max-invalid 0");
    check.exits(65).says("error[score.quality]");
}

/// 5 % of 18 articles is less than one.
#[test]
fn one_bad_article_does_not_stop_a_small_archive_and_two_do() {
    let world = one_invalid_among(2);
    world.anp("check").exits(3);
    world.anp("import").exits(3).notes_exactly(QUALITY);
    assert_eq!(world.keys().len(), 4);
    world.write("content/b.md", "---\nscore: {quality: 140}\n---\nText.\n");
    let ran = world.anp("import");
    ran.exits(65).notes("error: 2 of 4 articles are invalid\n");
    ran.notes("= expected: at most 5 % (--max-invalid)\n");
}

#[test]
fn an_archive_of_one_bad_article_is_refused() {
    let world = World::new();
    world.write("content/b.md", "---\nscore: {quality: 140}\n---\nText.\n");
    world
        .anp("import")
        .exits(65)
        .notes("1 of 1 article is invalid");
}

#[test]
fn the_budget_is_a_count_or_a_percentage() {
    let world = one_invalid_among(3);
    for (budget, exit) in [
        ("0", 65),
        ("0%", 65),
        ("0.1%", 3),
        ("25%", 3),
        ("1", 3),
        ("100%", 3),
    ] {
        let ran = world.anp(&format!("import --dry-run --max-invalid {budget}"));
        assert_eq!(ran.code, exit, "--max-invalid {budget}: {ran}");
        let ran = world.anp(&format!("check --max-invalid {budget}"));
        assert_eq!(ran.code, exit, "--max-invalid {budget}: {ran}");
    }
    let ran = world.anp("import --max-invalid 101%");
    ran.exits(2).notes_exactly(
        "
error: --max-invalid: expected a count or a percentage (for example 20 or 5%), found '101%'
  = retry: after you fix the settings; nothing was written
",
    );
}

#[test]
fn a_tree_without_articles_is_no_success() {
    let world = World::new();
    world.write("content/picture.png", "no article");
    for command in ["import", "import --dry-run", "check"] {
        world.anp(command).exits(65).notes_exactly(
            "
error: no article found in content, the default without an anp.yaml in this folder or above it
  = expected: at least one article
  = retry: safe once there is one; nothing was written
",
        );
    }
    assert!(world.server.dump().is_empty());
}

#[test]
fn a_missing_content_folder_is_named() {
    let world = World::new();
    for command in ["import", "check"] {
        let ran = world.anp(&format!("{command} nowhere/here"));
        ran.exits(65).notes_exactly(
            "
error: cannot read the content folder nowhere/here: No such file or directory (os error 2)
  = expected: a folder of Markdown articles
  = retry: safe once it can be read; nothing was written
",
        );
    }
}

#[test]
fn drafts_are_left_out_unless_asked_for() {
    let world = World::new();
    world.write("content/d.md", "---\ntitle: d\ndraft: true\n---\n\nText.\n");
    world.anp("import").exits(65).notes_exactly(
        "
error: the only article in content is a draft
  = expected: at least one article
  = retry: safe once there is one; nothing was written
",
    );
    world.article("a.md", "A.");
    world.anp("import").exits(0).notes_exactly("");
    assert_eq!(world.server.expiry("anp:page:/d/"), -2);
    world
        .anp("check")
        .exits(0)
        .says("2 articles: 1 valid, 1 draft left out");
    world.anp("import --drafts").exits(0);
    assert_eq!(world.meta("/d/")["robots"], "noindex");
}

#[test]
fn a_file_and_a_folder_that_cannot_be_read_count_as_invalid() {
    let world = World::new();
    world
        .article("a.md", "A.")
        .article("secret.md", "S.")
        .article("locked/b.md", "B.");
    set_mode(world.path("content/secret.md"), 0);
    set_mode(world.path("content/locked"), 0);
    let words = "
error[source]: skipped: cannot be read: Permission denied (os error 13)
 --> content/locked

error[source]: expected a file that can be read, found: Permission denied (os error 13)
 --> content/secret.md

";
    let ran = world.anp_without_rights("import");
    ran.exits(65).notes_exactly(&format!(
        "{words}error: 2 of 3 articles are invalid\n  \
         = expected: at most 5 % (--max-invalid)\n  \
         = retry: after you fix the articles; nothing was written\n"
    ));
    assert!(world.server.dump().is_empty(), "{ran}");
    let ran = world.anp_without_rights("import --max-invalid 2");
    ran.exits(3).notes_exactly(words);
    assert_eq!(ran.counts()["created"], 2, "{ran}");

    std::fs::remove_file(world.path("content/a.md")).unwrap();
    std::fs::remove_file(world.path("content/secret.md")).unwrap();
    world.anp_without_rights("import").exits(65).notes_exactly(
        "
error[source]: skipped: cannot be read: Permission denied (os error 13)
 --> content/locked

error: no article found in content, the default without an anp.yaml in this folder or above it (1 file or folder cannot be read)
  = expected: at least one article
  = retry: safe once there is one; nothing was written
",
    );
    set_mode(world.path("content/locked"), 0o755);
}

#[test]
fn a_content_folder_that_cannot_be_read_is_refused() {
    let world = World::new();
    world.article("a.md", "A.");
    set_mode(world.path("content"), 0);
    let ran = world.anp_without_rights("import");
    ran.exits(65)
        .notes("error: cannot read the content folder content, the default without an anp.yaml in this folder or above it: Permission denied (os error 13)");
    set_mode(world.path("content"), 0o755);
}

#[test]
fn the_walk_stays_inside_and_says_what_it_passes_over() {
    let world = World::new();
    world.article("a.md", "A.").article("deep/b.md", "B.");
    world.write("secret.md", "---\ntitle: secret\n---\nSecret.\n");
    world.write("outside/o.md", "---\ntitle: outside\n---\nOutside.\n");
    let content = |name: &str| world.path(&format!("content/{name}"));
    symlink("..", content("deep/loop")).unwrap();
    symlink(world.path("content"), content("deep/absolute-loop")).unwrap();
    symlink("../secret.md", content("out.md")).unwrap();
    symlink("../outside", content("outdir")).unwrap();
    symlink("/", content("root")).unwrap();
    symlink("gone.md", content("dangling.md")).unwrap();
    symlink("self.md", content("self.md")).unwrap();
    let fifo = std::process::Command::new("mkfifo")
        .arg(content("pipe.md"))
        .status();
    assert!(fifo.unwrap().success());
    let skipped =
        |path: &str, why: &str| format!("content/{path}: warning[source]: skipped: {why}\n");
    let out = "a symbolic link that leads out of the content folder";
    let circle = "a symbolic link loop";
    let ran = world.anp("import");
    assert_eq!(ran.exits(0).counts()["created"], 4, "{ran}");
    world.anp("check --format concise").exits(0).says(
        &[
            skipped("dangling.md", "a symbolic link that leads nowhere"),
            skipped("deep/absolute-loop", circle),
            skipped("deep/loop", circle),
            skipped("out.md", out),
            skipped("outdir", out),
            skipped("pipe.md", "a FIFO, no file"),
            skipped("root", out),
            skipped("self.md", "a symbolic link that cannot be followed"),
        ]
        .concat(),
    );
}

#[test]
fn a_source_of_5_mib_is_too_large() {
    let mut source = b"---\ntitle: large\n---\n\n".to_vec();
    source.resize(5 * 1024 * 1024, b'x');
    refuses(
        source,
        "",
        "
error[source]: expected at most 4194304 bytes, found 5242880
 --> content/x.md
",
    );
}

#[test]
fn front_matter_of_100_kb_of_brackets_is_refused() {
    let brackets = "[".repeat(100_000);
    let shown = "[".repeat(119);
    refuses(
        format!("---\n{brackets}\n---\nText.\n"),
        "",
        &format!(
            "
error[front-matter]: expected at most 65536 bytes of YAML, found 100001
 --> content/x.md:2:1
  |
2 | {shown}[…
  | ^
"
        ),
    );
    // Small enough to be parsed, and still too deep.
    let brackets = "[".repeat(60_000);
    let (_, ran) = import_alone(format!("---\n{brackets}\n---\nText.\n"), "");
    ran.exits(65)
        .notes("error[front-matter]: expected at most 16 levels of nesting, found more\n");
}

#[test]
fn an_alias_bomb_is_refused_before_it_grows() {
    let mut bomb = String::from("---\ntitle: bomb\na: &a [x, x]\n");
    for pair in ["ab", "bc", "cd", "de", "ef"] {
        let (from, to) = pair.split_at(1);
        bomb += &format!("{to}: &{to} [*{from}, *{from}, *{from}, *{from}, *{from}]\n");
    }
    let (world, ran) = import_alone(bomb + "---\nText.\n", "--unknown-fields keep");
    ran.exits(65)
        .notes("error[front-matter]: expected a plain value, found a YAML anchor ('&name')\n --> content/x.md:3:4\n")
        .notes("error[front-matter]: expected a plain value, found a YAML alias ('*name')\n --> content/x.md:4:8\n")
        .notes(ONE_OF_ONE);
    assert!(world.server.dump().is_empty(), "{ran}");
}

#[test]
fn a_duplicate_key_is_refused_also_in_another_spelling() {
    refuses(
        "---\nAI Outline: [a: b]\ntitle: one\nai-outline: [c: d]\n---\nText.\n",
        "",
        "
error[ai_outline]: expected each field once, found 'ai-outline' again (first on line 2)
 --> content/x.md:4:1
  |
4 | ai-outline: [c: d]
  | ^^^^^^^^^^
",
    );
}

#[test]
fn bytes_that_are_not_utf8_are_refused_with_their_place() {
    let (world, ran) = import_alone(b"---\ntitle: b\xffd\n---\nText.\n", "");
    ran.exits(65)
        .notes(
            "\
error[source]: expected UTF-8, found the byte 0xff at offset 12 (line 2)
 --> content/x.md:2:9
  |
2 | title: b\u{fffd}d
  |         ^",
        )
        .notes(ONE_OF_ONE);
    assert!(world.server.dump().is_empty(), "{ran}");
}

#[test]
fn a_file_name_that_is_not_utf8_is_refused() {
    use std::os::unix::ffi::OsStrExt as _;
    let world = World::new();
    let name = std::ffi::OsStr::from_bytes(b"b\xff.md");
    let path = world.path("content").join(name);
    std::fs::write(path, "---\ntitle: name\n---\nText.\n").unwrap();
    let ran = world.anp("import");
    ran.exits(65).notes(
        "error[route]: expected a path in UTF-8, found 'b\u{fffd}.md'\n --> content/b\u{fffd}.md\n",
    );
    assert!(world.server.dump().is_empty(), "{ran}");
}

#[test]
fn line_ends_byte_order_marks_and_missing_last_line_breaks_do_not_matter() {
    publishes("---\r\ntitle: crlf\r\n---\r\n\r\nText.\r\n", "crlf");
    publishes("\u{feff}---\ntitle: mark\n---\n\nText.\n", "mark");
    publishes("---\ntitle: no end\n---\n\nText.", "no end");
    publishes(
        "\u{feff}---\r\ntitle: all three\r\n---\r\nText.",
        "all three",
    );
}

#[test]
fn strict_turns_warnings_into_errors_and_requires_what_the_generator_writes() {
    let (world, ran) = import_alone(
        "---\ntitle: x\nmenu: 3\ncheklist: a\n---\nText.\n",
        "--strict",
    );
    ran.exits(65)
        .notes(
            "
error[summary]: expected a text of at most 500 characters, found nothing
 --> content/x.md
  = help: strict mode requires this field
",
        )
        .notes("error[unknown-field]: unknown field 'cheklist'\n")
        .notes(ONE_OF_ONE);
    assert!(!ran.stderr.contains("warning"), "{ran}");
    assert!(world.server.dump().is_empty(), "{ran}");
}

#[test]
fn unknown_fields_are_denied_warned_of_or_kept() {
    let source = "---\ntitle: x\nsumary: a\n---\nText.\n";
    refuses(
        source,
        "--unknown-fields deny",
        "
error[unknown-field]: unknown field 'sumary'
 --> content/x.md:3:1
  |
3 | sumary: a
  | ^^^^^^
  = help: did you mean 'summary'?
",
    );
    let slip = "
warning[unknown-field]: unknown field 'sumary'
 --> content/x.md:3:1
  |
3 | sumary: a
  | ^^^^^^
  = help: did you mean 'summary'?

";
    let (_, ran) = import_alone(source, "");
    ran.exits(0).notes_exactly(slip);
    let source = "---\ntitle: x\nMenu-Entry: 3\nsumary: a\n---\nText.\n";
    let (world, ran) = import_alone(source, "");
    let found = ran.exits(0).of_type("diagnostic");
    assert_eq!(found.len(), 1, "{ran}");
    let kept = serde_json::json!({ "Menu-Entry": 3, "sumary": "a" });
    assert_eq!(world.meta("/x/")["metadata"]["extra"], kept);
    let (world, ran) = import_alone(source, "--unknown-fields warn");
    let found = ran.exits(0).of_type("diagnostic");
    assert_eq!(found.len(), 2, "{ran}");
    assert_eq!(found[0]["message"], "unknown field 'Menu-Entry'");
    assert_eq!(found[0]["line"], 3);
    assert_eq!(world.meta("/x/")["metadata"]["extra"], kept);
}

#[test]
fn what_rendering_refuses_counts_before_the_gate() {
    let tags = "<b><i>".repeat(200);
    refuses(
        format!("---\ntitle: deep\n---\n\n{tags}x\n"),
        "",
        "
error[body.nesting]: expected lists, quotes and HTML tags to nest at most 100 deep, found more
 --> content/x.md
",
    );
    // A row of one cell is filled up to as many cells as the header has.
    let columns = 800;
    let header = "|a".repeat(columns);
    let line = "|-".repeat(columns);
    let rows = "|x\n".repeat(300);
    let body = format!("{header}\n{line}\n{rows}");
    let source = format!("---\ntitle: wide\n---\n\n{body}");
    let (world, ran) = import_alone(&source, "");
    ran.exits(65)
        .notes("error[body.size]: expected a body of at most ")
        .notes(" bytes of HTML (8 × its source + 24 × its table cells + 64 KiB), found more\n --> content/x.md\n")
        .notes(ONE_OF_ONE);
    assert!(world.server.dump().is_empty(), "{ran}");
    world.anp("check").exits(65).says("error[body.size]");

    // Within the budget the article alone is left out.
    world.article("good.md", "Good.");
    let ran = world.anp("import --max-invalid 1");
    ran.exits(3);
    assert_eq!(ran.counts()["created"], 2, "{ran}");
}

/// Imports with one overriding template, and expects this one line of error.
#[track_caller]
fn refuses_template(name: &str, text: &str, message: &str) {
    let world = World::new();
    world.article("a.md", "A.");
    world.write(&format!("own/{name}"), text);
    for command in ["import", "import --dry-run", "check"] {
        let ran = world.anp(&format!("{command} --templates own"));
        ran.exits(78).notes_exactly(&format!(
            "error: {message}\n  = retry: after you fix the template; nothing was written\n"
        ));
    }
    assert!(world.server.dump().is_empty());
    assert!(world.runs().is_empty());
}

#[test]
fn a_template_error_names_file_and_line_and_nothing_is_written() {
    refuses_template(
        "header.html",
        "<p>\n{% if %}\n",
        "own/header.html:2: syntax error: unexpected end of block",
    );
    refuses_template(
        "other.html",
        "<p>",
        "own/other.html: expected a template called page.html, style.css, header.html, \
         footer.html, list.html, similar.html, archive.css, found 'other.html'",
    );
    refuses_template(
        "page.html",
        "<p>no article</p>",
        "own/page.html: expected {{ body }} in the page, found a page without it",
    );
    refuses_template(
        "list.html",
        "<p>no articles</p>",
        "own/list.html: expected a link to each of {{ items }}, found a list without it",
    );
    refuses_template(
        "similar.html",
        "{{ title }}",
        "own/similar.html:1: expected one of the variables similar, lang, site_name, site_url, home, \
         found 'title'",
    );
}

#[test]
fn a_variable_that_no_template_has_is_named_with_those_it_has() {
    let world = World::new();
    world.article("a.md", "A.");
    world.write("own/footer.html", "<p>\n\n{{ nowhere }}\n");
    let ran = world.anp("import --templates own");
    ran.exits(78)
        .notes("error: own/footer.html:3: expected one of the variables lang, site_name, ")
        .notes(", found 'nowhere'\n");
    assert!(world.server.dump().is_empty(), "{ran}");
    // Also where a page of this tree would never take that branch.
    world.write(
        "own/footer.html",
        "{% if false %}\n{{ nowhere }}\n{% endif %}\n",
    );
    world
        .anp("import --templates own")
        .exits(78)
        .notes("error: own/footer.html:2: ");
}

#[test]
fn a_templates_folder_that_is_not_there_is_named() {
    let world = World::new();
    world.article("a.md", "A.");
    world.anp("import --templates gone").exits(78).notes_exactly(
        "
error: gone: expected a readable templates folder and files, found: No such file or directory (os error 2)
  = retry: after you fix the template; nothing was written
",
    );
}
