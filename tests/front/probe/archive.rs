//! Files and redirects: what a front has to answer, and what the probe says if it does not.

use serde_json::Value;

use super::fault::Fault;
use super::front::Front;
use super::probe;
use crate::archive::{files, put};
use crate::support::{Ran, World};

/// Pages, files and redirects, one of which leads from a route that has a page.
pub fn published() -> World {
    let world = super::published();
    for (path, _, bytes) in files().into_iter().take(4) {
        // Longer than what is compared one byte after the other, and worth compressing.
        let long = format!("{}{bytes}", "<x/>".repeat(500));
        put(&world, &format!("anp:file:{path}"), long);
    }
    for (route, value) in [
        ("/old/", r#"{"to":"/a/","status":301}"#),
        ("/older/", r#"{"to":"/old/","status":302}"#),
        ("/gone/", r#"{"status":410}"#),
        ("/b/", r#"{"to":"/a/","status":301}"#),
        ("/evil/", r#"{"to":"//evil.example/","status":301}"#),
    ] {
        put(&world, &format!("anp:redirect:{route}"), value);
    }
    put(&world, "anp:file:/not-a-file", "x");
    world.server.command("LPUSH anp:file:/list.xml x");
    world
}

/// Every file and redirect of [`published`] is checked, and found as it should be.
#[track_caller]
pub fn passes(world: &World, url: &str) {
    let ran = probe(world, url, "--format json");
    ran.exits(0);
    assert_eq!(
        checked(&ran, "file"),
        [
            "/a/b-2/feed.xml",
            "/feed.xml",
            "/sitemap-2024-05.xml",
            "/sitemap.xml"
        ]
    );
    assert_eq!(checked(&ran, "redirect"), ["/gone/", "/old/", "/older/"]);
    let summary = &ran.of_type("summary")[0];
    assert_eq!(
        (&summary["files"], &summary["redirects"], &summary["failed"]),
        (&4.into(), &3.into(), &0.into())
    );
}

/// The paths that were good in the check of this name.
fn checked(ran: &Ran, check: &str) -> Vec<String> {
    let lines = ran.of_type("check").into_iter();
    lines
        .filter(|line| line["check"] == check && line["ok"] == true)
        .map(|line| line["route"].as_str().unwrap().to_owned())
        .collect()
}

/// What was found where the check of this name failed, for each path.
fn found(ran: &Ran, check: &str) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let lines = ran.of_type("check").into_iter();
    lines
        .filter(|line| line["check"] == check && line["ok"] == false)
        .map(|line| (text(&line["route"]), text(&line["found"])))
        .collect()
}

#[test]
fn a_front_that_is_right_passes() {
    let world = published();
    let front = Front::start(&world.server, Fault::None);
    passes(&world, &front.url());
    // Below a path, redirects lead below it too.
    passes(&world, &format!("{}below/", front.url()));
    let ran = probe(&world, &front.url(), "");
    ran.exits(0)
        .says("\n4 routes of 4 in the store, 4 files, 3 redirects\n")
        .says("\n  file                    4        0             0\n")
        .says("\n  redirect                3        0             0\n");
    // Who names routes or a run asks for pages.
    for more in ["--routes /a/", "--run last"] {
        let ran = probe(&world, &front.url(), more);
        ran.exits(0).hides("\n  file ").hides("\n  redirect ");
    }
}

#[test]
fn of_many_a_few_are_asked_for() {
    let world = super::published();
    let (_, _, xml) = files().remove(0);
    for number in 10..30 {
        put(&world, &format!("anp:file:/sitemap-{number}.xml"), &xml);
        let value = r#"{"to":"/a/","status":301}"#;
        put(&world, &format!("anp:redirect:/old/{number}/"), value);
    }
    let front = Front::start(&world.server, Fault::None);
    let ran = probe(&world, &front.url(), "--format json --sample 1");
    ran.exits(0);
    let numbers = [10, 14, 18, 22, 26];
    let files = numbers.map(|number| format!("/sitemap-{number}.xml"));
    assert_eq!(checked(&ran, "file"), files);
    let redirects = numbers.map(|number| format!("/old/{number}/"));
    assert_eq!(checked(&ran, "redirect"), redirects);
    // One page with eight requests, files with three, redirects with one, and a route that never was.
    assert_eq!(front.requests(), 8 + 5 * 3 + 5 + 1);
}

#[test]
fn each_fault_with_a_file_is_told() {
    let world = published();
    for (fault, words) in [
        (Fault::Errors, "500"),
        (Fault::PlainText, "Content-Type: text/plain"),
        (Fault::WrongBody, "which differ from byte 100 on"),
        (Fault::Cut, "bytes of the body"),
        (Fault::NoEtag, "no ETag"),
        (Fault::StaleDigest, "in the file, ETag: \"0000"),
        (Fault::NoCacheControl, "no Cache-Control"),
        (Fault::TooLong, "31536000 less 0 s, and the store has "),
        (Fault::Always200, "200"),
        (Fault::HeadWithBody, "a body after the headers"),
    ] {
        let front = Front::start(&world.server, fault.clone());
        let ran = probe(&world, &front.url(), "--format json");
        let found = found(&ran, "file");
        assert_eq!(found.len(), 4, "{fault:?}: {ran}");
        let told = found.iter().all(|(_, found)| found.contains(words));
        assert!(told, "{fault:?}: {found:?}");
        ran.exits(3);
    }
}

#[test]
fn each_fault_with_a_redirect_is_told() {
    let world = published();
    for (fault, expected) in [
        (
            Fault::RedirectsWith(404),
            &[
                ("/gone/", "404, where the store has 410"),
                (
                    "/old/",
                    "404, Location: /a/, where the store has 301 to /a/",
                ),
                (
                    "/older/",
                    "404, Location: /old/, where the store has 302 to /old/",
                ),
            ][..],
        ),
        (
            Fault::RedirectsWith(301),
            &[
                ("/gone/", "301, where the store has 410"),
                (
                    "/older/",
                    "301, Location: /old/, where the store has 302 to /old/",
                ),
            ],
        ),
        (
            Fault::RedirectsTo("//evil.example/"),
            &[
                (
                    "/old/",
                    "301, Location: //evil.example/, where the store has 301 to /a/",
                ),
                (
                    "/older/",
                    "302, Location: //evil.example/, where the store has 302 to /old/",
                ),
            ],
        ),
        (
            Fault::RedirectsFor(""),
            &[
                ("/gone/", "no Cache-Control"),
                ("/old/", "no Cache-Control"),
            ],
        ),
    ] {
        let front = Front::start(&world.server, fault.clone());
        let ran = probe(&world, &front.url(), "--format json");
        let expected: Vec<_> = expected
            .iter()
            .map(|(route, found)| ((*route).to_owned(), (*found).to_owned()))
            .collect();
        assert_eq!(found(&ran, "redirect"), expected, "{fault:?}");
        assert_eq!(super::failed(&ran), ["redirect"], "{ran}");
        ran.exits(3);
    }
    let front = Front::start(&world.server, Fault::RedirectsFor("max-age=31536000"));
    let ran = probe(&world, &front.url(), "");
    ran.exits(3)
        .says("failed: redirect: expected the stored status and Location, ")
        .says("\n  /old/: found 31536000 less 0 s, and the store has ");
    // A page in its place is none.
    let front = Front::start(&world.server, Fault::AnyPath);
    let ran = probe(&world, &front.url(), "--format json");
    assert_eq!(super::failed(&ran), ["missing", "redirect"], "{ran}");
}
