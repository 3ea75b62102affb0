//! `--report`: the page about a run.

use std::io::Read as _;

use crate::support::{Ran, World, signal};

const TITLE: &str = "<script>alert(1)</script> & \u{202e}co";

fn world() -> World {
    let world = World::new();
    for name in ["a/one", "a/two", "b/three", "four"] {
        let text = format!("---\ntitle: 'T {name}'\nowner: desk\n---\nThe first text.\n");
        world.write(&format!("content/{name}.md"), text);
    }
    world
}

/// Runs a command with `--report`, and returns its page, of which everything that holds for any page
/// has been checked.
fn page(world: &World, command: &str) -> (Ran, String) {
    let file = world.path("report.html");
    let _ = std::fs::remove_file(&file);
    let ran = world.anp(&format!("{command} --report {}", file.display()));
    let page = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{error}: {ran}"));
    for needle in ["<script", " src=", "href=\"http", "url(", "{{", "\u{202e}"] {
        assert!(!page.contains(needle), "{needle} in {page}");
    }
    assert!(page.starts_with("<!doctype html>") && page.trim_end().ends_with("</html>"));
    (ran, page)
}

fn says(page: &str, texts: &[&str]) {
    for text in texts {
        assert!(page.contains(text), "no {text} in {page}");
    }
}

#[test]
fn the_page_of_an_import_tells_result_owner_charts_findings_and_changes() {
    let world = world();
    let (ran, first) = page(
        &world,
        "import --owner desk --expected-result four-articles",
    );
    ran.exits(0);
    let run = ran.of_type("run")[0]["run"].as_str().unwrap().to_owned();
    says(
        &first,
        &[
            "<p class=\"result\">4 articles published</p>",
            "<div class=\"verdict good\">",
            "<dt>Owner</dt><dd>desk</dd>",
            "<dt>Expected</dt><dd>four-articles</dd>",
            &format!("anp rollback {run}"),
            "8 created",
            "<h2 id=\"phases\">Time</h2>",
            "<th scope=\"row\">survey</th>",
            "<th scope=\"row\">write</th>",
            "<h2 id=\"expiries\">Expiries</h2>",
            "<th scope=\"row\">≤ 8 KiB</th><td class=\"end\">4</td>",
            "<th scope=\"row\">/a/</th><td class=\"end\">2</td>",
            "<code>/four/</code></th><td>create</td><td>new</td>",
            "content/four.md</th>",
        ],
    );

    world.write(
        "content/a/one.md",
        format!("---\ntitle: '{TITLE}'\n---\nAnother text.\n"),
    );
    world.write("content/b/three.md", "---\ntitle: [\n---\nx\n");
    world.write("content/b/five.md", "---\ntitle: F\n---\nx\n");
    std::fs::remove_file(world.path("content/a/two.md")).unwrap();
    let (ran, second) = page(&world, "import --max-invalid 5");
    ran.exits(3);
    says(
        &second,
        &[
            "<div class=\"verdict mixed\">",
            "1 article published, 1 updated, 1 unchanged, 1 invalid",
            "error <code>front-matter</code>: 1 of 1",
            "&lt;script&gt;alert(1)&lt;/script&gt; &amp; ",
            "<ins>+Another text.</ins>",
            "<del>-The first text.</del>",
            "<h2 id=\"orphans\">Published, but no longer in the content tree</h2>",
            "<li><code>/a/two/</code></li>",
            "<td>update</td><td>source</td>",
        ],
    );
}

#[test]
fn a_dry_run_has_a_page_with_what_it_would_change_and_no_way_back() {
    let world = world();
    world.anp("import").exits(0);
    world.write("content/a/one.md", "---\ntitle: One\n---\nAnother text.\n");
    let (ran, page) = page(
        &world,
        "import --dry-run --owner desk --expected-result one",
    );
    ran.exits(0);
    says(
        &page,
        &[
            "<title>Dry run of import",
            "1 article to update, 3 unchanged",
            "<p>Nothing was written.</p>",
            "<dt>Owner</dt><dd>desk</dd>",
            "<dt>Expected</dt><dd>one</dd>",
            "<dt>Result</dt><dd>done, exit code 0</dd>",
            "<ins>+Another text.</ins>",
        ],
    );
    assert!(!page.contains("To undo it"), "{page}");
}

#[test]
fn a_run_that_fails_has_a_page_that_says_why() {
    let world = world();
    world.write("content/a/one.md", "---\ntitle: [\n---\n");
    let (ran, page) = page(&world, "import --max-invalid 0");
    ran.exits(65);
    says(
        &page,
        &[
            "<div class=\"verdict bad\">",
            "retry: ",
            "error <code>front-matter</code>",
        ],
    );
    assert!(!page.contains("To undo it"), "{page}");
    assert_eq!(world.server.dump().len(), 0);
}

#[test]
fn every_command_that_changes_the_store_has_a_page() {
    let world = world();
    world.anp("import").exits(0);
    let (ran, warm) = page(&world, "warm --ttl-below 30d --ttl 60d");
    ran.exits(0);
    says(&warm, &["<title>Warm · ", "4 articles refreshed"]);
    let (ran, purge) = page(&world, "purge /a/one/");
    ran.exits(0);
    says(
        &purge,
        &[
            "<title>Purge · ",
            "1 article removed",
            "<td>remove</td>",
            "withdrawn: true",
        ],
    );
    let (ran, back) = page(&world, "rollback last");
    ran.exits(0);
    says(
        &back,
        &[
            "<title>Rollback · ",
            "1 article restored",
            "<dt>Undoes</dt>",
            "anp rollback ",
        ],
    );
    let (ran, again) = page(&world, "rollback last");
    ran.exits(0);
    assert!(!again.contains("To undo it"), "{again}");
    let (ran, rehearsal) = page(&world, "rehearse --sample 2");
    ran.exits(0);
    says(
        &rehearsal,
        &[
            "<title>Rehearse · ",
            "2 articles published, and taken back",
            "<th scope=\"row\">verify</th>",
            "<th scope=\"row\">compare</th>",
            "<dt>Keys</dt><dd>4 created · ",
        ],
    );
    // The stages of the import and the rollback are parts of the steps.
    assert!(
        !rehearsal.contains("<th scope=\"row\">survey</th>"),
        "{rehearsal}"
    );
    assert!(!rehearsal.contains("To undo it"), "{rehearsal}");
}

#[test]
fn a_page_that_cannot_be_written_ends_the_command_before_it_begins() {
    let world = world();
    world.write("page.html", "<!doctype html><title>Not a report</title>");
    world.write("anp.yaml", "ttl: 3d\n");
    for file in [
        "missing/x.html",
        "content",
        "anp.yaml",
        "page.html",
        "content/four.md",
    ] {
        let path = world.path(file);
        let before = std::fs::read(&path).ok();
        let ran = world.anp(&format!("import --report {}", path.display()));
        ran.exits(2).notes("cannot write the report");
        assert_eq!(world.server.dump().len(), 0);
        assert_eq!(std::fs::read(&path).ok(), before, "{ran}");
    }
    // The file that a rollback needs least of all.
    world.anp("import").exits(0);
    let run = world.runs()[0].clone();
    let manifest = world.manifest(&run);
    let line = format!("import --report {}", manifest.display());
    world.anp(&line).exits(2).notes("cannot write the report");
    world.anp("rollback last").exits(0);
    assert_eq!(world.server.dump().len(), 0);
}

#[test]
fn the_page_of_an_interrupted_run_counts_what_was_written() {
    let world = World::new();
    let file = world.path("cut.html");
    let (mut child, mut stdout) = world.import_under_way(&["--report", file.to_str().unwrap()]);
    signal(&child, "INT");
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let page = std::fs::read_to_string(&file).unwrap();
    says(
        &page,
        &[
            "<p class=\"result\">interrupted by a signal",
            "failed, exit code 130",
            "not reached</th>",
            "<h2 id=\"undo\">To undo it</h2>",
        ],
    );
    assert!(!page.contains("unchanged"), "{page}");
    // Expiries are those of articles that were written.
    let bars = page.split("<h2 id=\"expiries\">").nth(1).unwrap();
    let bars = bars.split("</section>").next().unwrap();
    let cells = bars.split("<td class=\"end\">").skip(1);
    let counted: u64 = cells
        .map(|cell| cell.split('<').next().unwrap().replace(',', ""))
        .map(|number| number.parse::<u64>().unwrap())
        .sum();
    let articles = page.split("articles: ").nth(1).unwrap();
    let articles = articles.split(' ').next().unwrap();
    assert_eq!(counted.to_string(), articles, "{page}");
}
