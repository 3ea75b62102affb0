//! `anp probe`: each way in which a front can be wrong is found by the one check that is about
//! it, and a front that is right passes.

#![cfg(feature = "probe")]

pub mod archive;
mod fault;
mod front;
mod load;
mod page;
#[cfg(feature = "serve")]
mod preview;
mod tls;

use fault::Fault;
use front::{Elsewhere, Front};
use std::time::{Duration, Instant};

use crate::support::{Ran, World};

/// Three pages in the store; one of them is not for robots.
fn published() -> World {
    let world = World::new();
    for name in ["a", "b", "deep/c"] {
        world.article(
            &format!("{name}.md"),
            &format!("The text of {name}. ").repeat(40),
        );
    }
    let review = "---\ntitle: Review\nflags: {needs_human_review: true}\n---\nText.\n";
    world.write("content/review.md", review);
    world.anp("import").exits(0);
    assert_eq!(world.meta("/review/")["robots"], "noindex");
    world
}

/// Probes without a measurement.
fn probe(world: &World, url: &str, more: &str) -> Ran {
    world.anp(&format!("probe {url} --rate 10000/s --duration 0 {more}"))
}

/// The names of the checks that failed, each once.
fn failed(ran: &Ran) -> Vec<String> {
    let lines = ran.of_type("check").into_iter();
    let mut names: Vec<String> = lines
        .filter(|line| line["ok"] == false)
        .map(|line| line["check"].as_str().unwrap().to_owned())
        .collect();
    names.sort();
    names.dedup();
    names
}

#[test]
fn a_front_that_is_right_passes_every_check() {
    let world = published();
    for fault in [Fault::None, Fault::Gzip, Fault::NoXCache] {
        let front = Front::start(&world.server, fault.clone());
        let ran = probe(&world, &front.url(), "--format json");
        ran.exits(0);
        let summary = &ran.of_type("summary")[0];
        assert_eq!(
            (&summary["routes"], &summary["failed"]),
            (&4.into(), &0.into())
        );
        let not_offered = match fault {
            Fault::Gzip => 0,
            Fault::NoXCache => 4 * 4,
            _ => 3 * 4,
        };
        assert_eq!(summary["not_offered"], not_offered, "{fault:?} {ran}");
        assert_eq!(summary["not_run"], 0, "{ran}");
        assert_eq!(ran.of_type("check").len(), 4 * 17 + 1);
    }
}

#[test]
fn each_fault_of_a_front_is_found_by_the_check_that_is_about_it() {
    let world = published();
    let elsewhere = Elsewhere::listen();
    for (fault, check, found) in [
        (Fault::Errors, "status", "500"),
        (
            Fault::RedirectTo(elsewhere.url()),
            "status",
            "302, Location: http://127.0.0.1:",
        ),
        (Fault::Close, "status", "the connection was lost"),
        (Fault::Cut, "body", "bytes of the body"),
        (Fault::Huge, "body", "a body of more than 67108864 bytes"),
        (Fault::Endless, "body", "a body of more than 67108864 bytes"),
        (Fault::PlainText, "content-type", "Content-Type: text/plain"),
        (Fault::WrongBody, "body", "which differ from byte 100 on"),
        (Fault::StaleDigest, "digest", "ETag: \"00000000"),
        (Fault::NoEtag, "etag", "no ETag"),
        (Fault::Always200, "same-etag", "200"),
        (Fault::BodyIn304, "same-etag", "304 with a body"),
        (Fault::OtherEtagIn304, "same-etag", "304 with ETag: \"0\""),
        (Fault::Always304, "other-etag", "304"),
        (Fault::NoCacheControl, "cache-control", "no Cache-Control"),
        (
            Fault::TooLong,
            "max-age",
            "31536000 less 0 s, and the store has ",
        ),
        (Fault::AlwaysMiss, "x-cache", "X-Cache: MISS"),
        (
            Fault::NoindexLost,
            "robots",
            "no X-Robots-Tag, where the meta object says noindex",
        ),
        (
            Fault::NoindexAdded,
            "robots",
            "noindex, nofollow, where the meta object says index",
        ),
        (Fault::HeadWithBody, "head", "a body after the headers"),
        (
            Fault::HeadOfAnother,
            "head",
            "ETag: \"0\", where GET has ETag",
        ),
        (
            Fault::BrokenGzip,
            "compression",
            "gzip that does not decode",
        ),
        (
            Fault::AnotherInGzip,
            "compression",
            "which differ from byte 1 on in gzip",
        ),
        (Fault::UnknownCoding, "compression", "a body in 'zstd'"),
        (Fault::NoVary, "vary", "Vary: Cookie"),
        (Fault::SameEtag, "coded-etag", "for both"),
        (Fault::LoginFromCache, "login", "X-Cache: HIT"),
        (
            Fault::LoginPublic,
            "login",
            "200, Cache-Control: public, max-age=1",
        ),
        (Fault::LoginErrors, "login", "500"),
        // What steers a terminal is not repeated.
        (Fault::LoginRedirects, "login", "302, Location: /login/  x"),
        (
            Fault::LoginLeaks,
            "anonymous",
            "Cache-Control: private, no-store",
        ),
        (
            Fault::LoginBodyLeaks,
            "anonymous",
            "the body that the logged-in visitor got",
        ),
        (Fault::MissAfterLogin, "anonymous", "X-Cache: MISS"),
        (Fault::SetCookie, "anonymous", "Set-Cookie"),
        (Fault::AnyPath, "missing", "200 with a page of anp"),
        (
            Fault::MissingForLong,
            "missing",
            "404, Cache-Control: public, max-age=86400",
        ),
    ] {
        let front = Front::start(&world.server, fault.clone());
        let ran = probe(&world, &front.url(), "--format json");
        assert_eq!(failed(&ran), [check], "{fault:?}: {ran}");
        ran.exits(3)
            .says(&found.replace('"', "\\\""))
            .hides("somebodys-secret");
        let line = ran
            .of_type("check")
            .into_iter()
            .find(|line| line["ok"] == false);
        let line = line.unwrap();
        assert!(line["route"].as_str().unwrap().starts_with('/'), "{line}");
        assert!(!line["expected"].as_str().unwrap().is_empty(), "{line}");
    }
    assert!(!elsewhere.was_called(), "a redirect was followed");
}

#[test]
fn a_front_that_never_answers_is_given_up_after_the_time_limit() {
    let world = published();
    let front = Front::start(&world.server, Fault::Hang);
    let ran = probe(
        &world,
        &front.url(),
        "--format json --timeout 300ms --routes /a/",
    );
    ran.exits(3).says("no whole answer within 300ms");
    assert_eq!(failed(&ran), ["status"], "{ran}");
    let ran = probe(&world, &front.url(), "--timeout 300ms --routes /a/");
    ran.says("\n1 route\n")
        .says("\n16 checks were not made, ")
        .says("\n1 check failed\n");
}

#[test]
fn a_failure_is_a_line_with_what_was_expected_and_found_and_for_which_routes() {
    let world = published();
    world.article("d.md", "D.").article("e.md", "E.");
    world.anp("import").exits(0);
    let front = Front::start(&world.server, Fault::PlainText);
    let run = &world.runs()[0];
    let ran = probe(&world, &front.url(), &format!("--run {run}"));
    ran.exits(3).says(
        "\nfailed: content-type: expected Content-Type: text/html\n  \
         /a/: found Content-Type: text/plain\n  \
         /b/: found Content-Type: text/plain\n  \
         /deep/c/: found Content-Type: text/plain\n  … and 1 more route\n",
    );
    ran.says(&format!("4 routes of run {run}\n"));
    ran.says("\n  content-type            0        4             0  <\n");
    ran.says("\n4 checks failed\n");
    assert!(
        ran.stdout.lines().all(|line| line.chars().count() <= 80),
        "{ran}"
    );
    // What is longer than 80 columns goes on below.
    let front = Front::start(&world.server, Fault::TooLong);
    let ran = probe(&world, &front.url(), "--routes /deep/c/");
    ran.exits(3).says(
        "\nfailed: max-age: expected max-age less Age is at most what the store has left (1\n  \
         s of slack)\n  /deep/c/: found 31536000 less 0 s",
    );
}

/// Promise 10: eight answers of a route take the memory of one page, not of eight.
#[cfg(target_os = "linux")]
#[test]
fn the_bodies_of_answers_are_not_kept() {
    const PAGE_KIB: usize = 16 * 1024;
    let world = published();
    let page = format!(
        "{}<!--anp:{}-->",
        "x".repeat(PAGE_KIB * 1024),
        "0".repeat(32)
    );
    world.server.run(&["SET", "anp:page:/a/", &page]);
    // The ninth request is for a route that never was: the eight answers are there then.
    let front = Front::start(&world.server, Fault::StallAt(9, Duration::from_secs(5)));
    let line = [
        "probe",
        &front.url(),
        "--routes",
        "/a/",
        "--rate",
        "10000/s",
    ];
    let mut child = world.command("state", &line).spawn().unwrap();
    let until = Instant::now() + Duration::from_secs(60);
    while front.requests() < 9 {
        assert!(Instant::now() < until && child.try_wait().unwrap().is_none());
        std::thread::sleep(Duration::from_millis(5));
    }
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let _ = child.kill();
    child.wait().unwrap();
    let most = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap();
    let most_kib: usize = most.split_whitespace().nth(1).unwrap().parse().unwrap();
    // The page, the reply of the store that it came in, and the program itself.
    assert!(most_kib < 5 * PAGE_KIB, "{most}");
}

#[test]
fn checks_keep_to_the_rate() {
    let world = published();
    let front = Front::start(&world.server, Fault::None);
    let url = front.url();
    // Eight requests for the page and one for none: between the first and the last of them lie
    // eight times a tenth of a second.
    let began = std::time::Instant::now();
    let line = format!("probe {url} --routes /a/ --duration 0 --rate 10/s");
    world.anp(&line).exits(0);
    let took = began.elapsed();
    assert_eq!(front.requests(), 9);
    assert!(took >= std::time::Duration::from_millis(800), "{took:?}");
    // The time limit is for the answer, not for the wait before it.
    let line = format!(
        "probe {url} --routes /none/ --duration 0 --rate 1/s --timeout 900ms --format json"
    );
    let ran = world.anp(&line);
    assert_eq!(ran.of_type("check").len(), 2, "{ran}");
    assert_eq!(failed(&ran), [""; 0], "{ran}");
}

#[test]
fn a_meta_object_that_is_about_another_page_says_nothing_of_robots() {
    let world = published();
    let front = Front::start(&world.server, Fault::None);
    let robots = |why: &str| {
        let ran = probe(&world, &front.url(), "--routes /a/");
        ran.exits(0).says(&format!("\n  robots         {why}\n"));
    };
    let other = world.server.get("anp:meta:/b/").unwrap();
    world.server.run(&["SET", "anp:meta:/a/", &other]);
    robots("the meta object is about another page");
    world.server.command("SET anp:meta:/a/ x");
    robots("the meta object says nothing of robots");
    world.server.command("DEL anp:meta:/a/");
    robots("there is no meta object");
}

#[test]
fn routes_are_those_of_the_last_run_that_wrote_some_or_the_ones_that_were_named() {
    let world = published();
    let front = Front::start(&world.server, Fault::None);
    let routes = |more: &str| {
        let ran = probe(&world, &front.url(), &format!("--format json {more}"));
        ran.exits(0);
        let mut routes: Vec<String> = ran
            .of_type("check")
            .iter()
            .filter(|line| line["check"] == "status")
            .map(|line| line["route"].as_str().unwrap().to_owned())
            .collect();
        routes.dedup();
        routes
    };
    let all = ["/a/", "/b/", "/deep/c/", "/review/"];
    assert_eq!(routes(""), all);
    assert_eq!(routes("--sample 2"), ["/a/", "/deep/c/"]);
    assert_eq!(
        routes("--routes /b/,deep/c --routes /a/"),
        ["/b/", "/deep/c/", "/a/"]
    );
    // Each once.
    assert_eq!(routes("--routes /b/,b --routes /a/,/b,a"), ["/b/", "/a/"]);
    let ran = probe(&world, &front.url(), "--routes /b/,b,/b");
    ran.exits(0).says("\n1 route\n");
    // A run of another prefix is none of this store.
    world.anp("import --synth 3 --under load/").exits(0);
    assert_eq!(routes(""), all);
    // Finds everything in place, and writes no page.
    world.anp("import").exits(0);
    assert_eq!(routes(""), all);
    world.article("d.md", "D.");
    world.anp("import").exits(0);
    // What the store holds, whatever the last run wrote, and also without any run.
    let stored = ["/a/", "/b/", "/d/", "/deep/c/", "/review/"];
    assert_eq!(routes(""), stored);
    assert_eq!(routes("--state-dir elsewhere"), stored);
    let ran = probe(&world, &front.url(), "--sample 2");
    ran.exits(0).says("\n2 routes of 5 in the store\n");
    assert_eq!(routes("--run last"), ["/d/"]);
    let first = world.runs()[0].clone();
    assert_eq!(routes(&format!("--run {first}")), all);
    let file = world.manifest(&first);
    assert_eq!(
        routes(&format!("--run {} --sample 1", file.display())),
        ["/a/"]
    );
}

#[test]
fn a_page_that_is_gone_from_the_store_must_be_gone_from_the_front() {
    let world = published();
    let front = Front::start(&world.server, Fault::None);
    world.server.command("DEL anp:page:/a/");
    let ran = probe(&world, &front.url(), "--run last");
    ran.exits(0)
        .says(", 1 gone from the store\n")
        .says("\n  gone                    1        0             0\n");
    let keeps = Front::start(&world.server, Fault::AnyPath);
    let ran = probe(&world, &keeps.url(), "--run last --format json");
    ran.exits(3);
    assert_eq!(failed(&ran), ["gone", "missing"], "{ran}");
    // Where nothing is left to compare, nothing was found to be right.
    world.server.command("FLUSHALL");
    let ran = probe(&world, &front.url(), "");
    ran.exits(3)
        .notes("warning: the store holds none of these pages")
        .says("\nnothing was compared, for the store holds none of the pages\n")
        .hides("no check failed");
}

#[test]
fn a_front_may_stand_behind_a_path_and_a_name() {
    let world = published();
    let front = Front::start(&world.server, Fault::None);
    let url = format!("http://localhost:{}/below/", front.address.port());
    let ran = probe(&world, &url, "");
    ran.exits(0).says(&format!("{url} against "));
}

#[test]
fn a_front_behind_tls_is_checked_by_the_certificates_of_the_system() {
    let world = published();
    let front = Front::start_tls(&world.server, Fault::Gzip);
    let url = format!("https://localhost:{}/", front.address.port());
    let line = ["probe", &url, "--duration", "0"];
    let trusting = world.anp_with(&line, &[("SSL_CERT_FILE", tls::AUTHORITY)]);
    trusting.exits(0).says("\nno check failed\n");
    let ran = world.anp_with(&line, &[]);
    ran.exits(69).notes("TLS: ").notes("retry: safe");
    let by_address = url.replace("localhost", "127.0.0.2");
    let line = ["probe", &by_address, "--duration", "0"];
    world
        .anp_with(&line, &[("SSL_CERT_FILE", tls::AUTHORITY)])
        .exits(69);
}

#[test]
fn only_the_address_that_was_named_is_called() {
    let world = published();
    let front = Front::start(&world.server, Fault::None);
    let proxy = Elsewhere::listen();
    let url = proxy.url();
    let variables = [
        ("http_proxy", &*url),
        ("HTTP_PROXY", &url),
        ("ALL_PROXY", &url),
        ("all_proxy", &url),
    ];
    let ran = world.anp_with(&["probe", &front.url(), "--duration", "0"], &variables);
    ran.exits(0);
    assert!(!proxy.was_called());
    assert!(front.connections() > 0);
}

#[test]
fn nobody_who_listens_is_69_and_a_retry_is_safe() {
    let world = published();
    let url = {
        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}/", closed.local_addr().unwrap())
    };
    let ran = probe(&world, &url, "");
    ran.exits(69)
        .notes(&format!("error: cannot reach {url}: no connection: "));
    ran.notes("  = expected: a web server that listens there\n  = retry: safe");
}

#[test]
fn a_command_line_that_names_no_front_or_no_route_is_2() {
    let world = published();
    let front = Front::start(&world.server, Fault::None);
    let url = front.url();
    for (line, words) in [
        ("probe".to_owned(), "<URL>"),
        (
            "probe ftp://h/".to_owned(),
            "error: URL: expected the address of a front",
        ),
        (
            "probe http://flo:hush@h/".to_owned(),
            "without a user or password in it",
        ),
        (format!("probe {url}?a=b"), "without '?' and '#'"),
        (
            format!("probe {url} --routes /a%20b/"),
            "expected a route such as /a/b/",
        ),
        (
            format!("probe {url} --login-cookie hush"),
            "--login-cookie: expected a cookie",
        ),
        (
            format!("probe {url} --rate 0/s"),
            "expected 1 to 10000 requests a second",
        ),
        (
            format!("probe {url} --rate 10001/s"),
            "expected 1 to 10000 requests a second",
        ),
        (
            format!("probe {url} --concurrency 257"),
            "257 is not in 1..=256",
        ),
        (format!("probe {url} --duration 2h"), "at most 1h"),
        (
            format!("probe {url} --timeout 0ms"),
            "expected a time from 1ms",
        ),
        (
            format!("probe {url} --run nowhere"),
            "there is no run 'nowhere'",
        ),
        (
            format!("probe {url} --prefix none"),
            "error: no run with the prefix none in ",
        ),
    ] {
        world.anp(&line).exits(2).notes(words).hides("hush");
    }
    assert_eq!(front.requests(), 0);
}

#[test]
fn a_signal_ends_it_while_a_front_hangs() {
    let world = published();
    let front = Front::start(&world.server, Fault::Hang);
    let (mut child, _stdout) = world.spawn(&["probe", &front.url(), "--timeout", "1m"]);
    let began = std::time::Instant::now();
    while front.requests() == 0 {
        assert!(began.elapsed().as_secs() < 30, "no request came");
        std::thread::yield_now();
    }
    crate::support::signal(&child, "INT");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(began.elapsed().as_secs() < 40, "it waited for the front");
}

#[test]
fn the_store_is_only_read() {
    let world = published();
    let front = Front::start(&world.server, Fault::Gzip);
    let acl = "ACL SETUSER reader on >hush ~anp:* resetchannels -@all +ping +select +get \
               +getrange +pttl";
    world.server.command(acl);
    let before = world.server.dump();
    let redis = format!("{}?user=reader", world.server.url());
    let line = ["probe", &front.url(), "--duration", "0", "--redis", &redis];
    let ran = world.anp_with(&line, &[("ANP_REDIS_PASSWORD", "hush")]);
    ran.exits(0).hides("hush");
    let refused = world.anp_with(&line, &[("ANP_REDIS_PASSWORD", "other")]);
    refused.exits(77).hides("  = acl: ").hides("other");
    world.server.command("ACL SETUSER reader -ping");
    let refused = world.anp_with(&line, &[("ANP_REDIS_PASSWORD", "hush")]);
    refused
        .exits(77)
        .notes("  = acl: ACL SETUSER preview on >PASSWORD ");
    assert_eq!(world.server.dump(), before);
}
