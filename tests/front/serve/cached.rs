//! What the cache shows, when, and to whom.

use std::thread;

use super::{Serving, one};
use crate::support::http::{Answer, request};

const LOGIN: (&str, &str) = ("Cookie", "a=b; wordpress_logged_in_5f=admin");

fn seconds(answer: &Answer) -> (u64, u64) {
    let control = answer.header("cache-control").unwrap();
    let max_age = control.strip_prefix("public, max-age=").unwrap().parse();
    (
        max_age.unwrap(),
        answer.header("age").unwrap().parse().unwrap(),
    )
}

#[test]
fn a_page_is_taken_once_and_what_it_has_left_counts_down() {
    let world = one();
    let serving = Serving::of(&world);
    let first = serving.get("/a/");
    first.is(200).has("x-cache", "MISS");
    let (max_age, _) = seconds(&first);
    serving.get("/a/").is(200).has("x-cache", "HIT");
    let old = serving.until("/a/", |answer| seconds(answer).1 >= 2);
    old.has("x-cache", "HIT");
    let (still, age) = seconds(&old);
    assert_eq!(still, max_age, "of the time when it was taken");
    let left =
        (world.server.expiry("anp:page:/a/") - jiff::Timestamp::now().as_millisecond()) / 1000;
    assert!(
        (still - age).abs_diff(left.cast_unsigned()) <= 2,
        "{still} - {age}, {left}"
    );
    assert_eq!(old.body, first.body);
}

#[test]
fn a_new_expiry_is_taken_on_without_taking_the_page_again() {
    let world = one();
    let serving = Serving::of(&world);
    serving.get("/a/").has("x-cache", "MISS");
    world.server.command("EXPIRE anp:page:/a/ 500");
    let answer = serving.until("/a/", |answer| seconds(answer).0 <= 500);
    answer.has("x-cache", "HIT");
    assert!(seconds(&answer).0 >= 400, "{answer:?}");
}

#[test]
fn an_import_is_seen_and_its_rollback_too() {
    let world = one();
    let serving = Serving::of(&world);
    let first = serving.get("/a/");
    first.says("The first text.");
    world
        .article("a.md", "The second text.")
        .article("b.md", "B.");
    serving.get("/b/").is(404);
    world.anp("import").exits(0);
    let second = serving.until("/a/", |answer| answer.text().contains("The second text."));
    assert_ne!(second.header("etag"), first.header("etag"));
    serving.get("/b/").is(200);
    world.anp("rollback last").exits(0);
    serving.until("/a/", |answer| answer.text().contains("The first text."));
    serving.until("/b/", |answer| answer.status == 404);
    let first_run = world.runs()[0].clone();
    world.anp(&format!("rollback {first_run}")).exits(0);
    serving.until("/a/", |answer| answer.status == 404);
}

#[test]
fn who_is_logged_in_gets_the_page_of_now_and_leaves_nothing_behind() {
    let world = one();
    let serving = Serving::of(&world);
    let tag = ("If-None-Match", "*");
    let bypass = |cookie: (&str, &str)| {
        let answer = serving.get_with("/a/", &[cookie, tag]);
        answer
            .is(200)
            .has("x-cache", "BYPASS")
            .has("cache-control", "private, no-store")
            .has("vary", "Cookie, Sec-Fetch-Dest")
            .lacks("etag")
            .lacks("last-modified")
            .lacks("age");
        assert!(answer.header("content-security-policy").is_some());
        answer.text()
    };
    for cookie in [
        "wordpress_logged_in_5f=x",
        "wp-postpass_1=x",
        "comment_author_1=x",
        "sessionid=x",
        "PHPSESSID=x",
        "auth_token=x",
        "a=b; sessionid=x",
    ] {
        bypass(("Cookie", cookie));
    }
    serving.get("/a/").has("x-cache", "MISS");
    serving.get("/a/").has("x-cache", "HIT");
    // Younger than a second, the cached page is not checked. Whoever is logged in has another.
    world
        .server
        .run(&["SET", "anp:page:/a/", "changed", "KEEPTTL"]);
    assert_eq!(bypass(LOGIN), "changed");
    let other = serving.get_with("/a/", &[("Cookie", "session=1; sessionids=2")]);
    assert_ne!(other.header("x-cache").as_deref(), Some("BYPASS"));
    serving
        .get_with("/gone/", &[LOGIN])
        .is(404)
        .has("x-cache", "BYPASS");
}

#[test]
fn the_names_of_login_cookies_can_be_set() {
    let world = one();
    world.write("anp.yaml", "login_cookies: [member_*, staff]\n");
    let kind = |serving: &Serving, cookie: &str| {
        let answer = serving.get_with("/a/", &[("Cookie", cookie)]);
        answer.header("x-cache").unwrap()
    };
    let serving = Serving::of(&world);
    assert_eq!(kind(&serving, "member_7=x"), "BYPASS");
    assert_eq!(kind(&serving, "staff=x"), "BYPASS");
    assert_eq!(kind(&serving, "sessionid=x"), "MISS");
    let mut command = world.command("state", &[]);
    command.env("ANP_LOGIN_COOKIES", "one, two_*");
    let serving = Serving::start(&mut command);
    assert_eq!(kind(&serving, "two_2=x"), "BYPASS");
    assert_eq!(kind(&serving, "staff=x"), "MISS");
    let mut command = world.command("state", &[]);
    world.write("none.yaml", "");
    command.arg("--config").arg(world.path("none.yaml"));
    let serving = Serving::start_with(
        &mut command,
        &["--login-cookie", "x", "--login-cookie", "y*,z"],
    );
    for (cookie, expected) in [
        ("x=1", "BYPASS"),
        ("yes=1", "BYPASS"),
        ("z=1", "BYPASS"),
        ("staff=1", "MISS"),
    ] {
        assert_eq!(kind(&serving, cookie), expected, "{cookie}");
    }
    let refused = crate::support::Ran::of(
        world
            .command("state", &["serve", "--login-cookies", "a b"])
            .args(["--addr", "127.0.0.1:0"]),
    );
    refused
        .exits(2)
        .notes("--login-cookies: expected names of cookies");
}

#[test]
fn the_page_about_serving_names_the_cookies_of_the_defaults() {
    let folder = tempfile::tempdir().unwrap();
    let settings = anp::settings::Settings::load(&anp::settings::Sources {
        config: None,
        flags: Vec::new(),
        env: &|_| None,
        current_dir: folder.path(),
    });
    let page = std::fs::read_to_string("docs/serving.md").unwrap();
    let table = page.split("| name | who sets it |").nth(1).unwrap();
    let table = table.split("\n\n").next().unwrap();
    let named: Vec<&str> = table.split('`').skip(1).step_by(2).collect();
    assert_eq!(named, settings.unwrap().serve.login_cookies);
}

#[test]
fn visitors_of_both_kinds_at_once_never_get_each_others_answers() {
    let world = one();
    let serving = Serving::of(&world);
    let address = serving.address.as_str();
    thread::scope(|scope| {
        for number in 0..6 {
            let logged_in = number % 2 == 0;
            scope.spawn(move || {
                for _ in 0..60 {
                    let cookie = if logged_in {
                        LOGIN
                    } else {
                        ("Cookie", "theme=dark")
                    };
                    let answer = request(address, "GET", "/a/", &[cookie]);
                    answer.is(200);
                    let kind = answer.header("x-cache").unwrap();
                    let control = answer.header("cache-control").unwrap();
                    assert_eq!(kind == "BYPASS", logged_in, "{answer:?}");
                    assert_eq!(control == "private, no-store", logged_in, "{answer:?}");
                    assert_eq!(answer.header("etag").is_none(), logged_in, "{answer:?}");
                }
            });
        }
    });
}
