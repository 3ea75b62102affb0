//! Visitors who are logged in: their pages come from the origin, and nobody else sees them.

use std::time::{Duration, Instant};

use super::front::Front;
use super::published;
use crate::support::http::Connection;

/// Cookies, and whether they are those of somebody who is logged in.
const COOKIES: [(&str, bool); 16] = [
    ("wordpress_logged_in_0123=x", true),
    ("wordpress_logged_in_=x", true),
    ("wp-postpass_77=x", true),
    ("comment_author_email_1=x", true),
    ("sessionid=x", true),
    ("PHPSESSID=", true),
    ("auth_token=x", true),
    ("lang=en; theme=dark;sessionid=x", true),
    ("a=b;   auth_token=x; c=d", true),
    ("sessionid", true),
    ("sessionid =x", true),
    ("lang=en", false),
    ("sessionid2=x", false),
    ("SESSIONID=x", false),
    ("x=sessionid; note=auth_token", false),
    ("wordpress_test_cookie=1; my_wordpress_logged_in_1=x", false),
];

#[test]
fn a_login_cookie_leads_to_the_origin_and_past_every_cache() {
    let world = published();
    let front = Front::start(&world);
    for (cookie, is_login) in COOKIES {
        let answer = front.ask(
            "GET",
            "/a/",
            &[
                ("Cookie", cookie),
                ("If-None-Match", "\"o\""),
                ("If-Modified-Since", "Mon, 06 Jan 2025 10:00:00 GMT"),
            ],
        );
        if !is_login {
            answer.is(200).has("X-Cache", "HIT");
            continue;
        }
        answer
            .is(200)
            .has("X-Cache", "BYPASS")
            .has("Cache-Control", "private, no-store")
            .lacks("ETag")
            .lacks("Last-Modified")
            .lacks("Expires")
            .lacks("CDN-Cache-Control")
            .lacks("Cloudflare-CDN-Cache-Control")
            .lacks("Edge-Control");
        let asked = answer.text();
        assert!(asked.contains(&format!("Cookie: {cookie}\n")), "{asked}");
        assert!(!asked.contains("If-"), "{asked}");
    }
    // Several lines of cookies are one.
    let lines = [("Cookie", "lang=en"), ("Cookie", "sessionid=x")];
    front.ask("GET", "/a/", &lines).has("X-Cache", "BYPASS");
    front
        .ask("HEAD", "/a", &lines)
        .is(200)
        .has("X-Cache", "BYPASS");
}

#[test]
fn the_names_of_the_cookies_are_a_setting() {
    let world = published();
    let names =
        "\"wordpress_logged_in_* wp-postpass_* comment_author_* sessionid PHPSESSID auth_token\"";
    let front = Front::start_with(&world, &[(names, "\"member  staff_*\"")]);
    for (cookie, cache) in [
        ("member=1", "BYPASS"),
        ("staff_7=1", "BYPASS"),
        ("sessionid=x", "HIT"),
    ] {
        front
            .ask("GET", "/a/", &[("Cookie", cookie)])
            .has("X-Cache", cache);
    }
}

#[test]
fn nothing_of_theirs_is_ever_shown_to_others() {
    let world = published();
    let front = Front::start(&world);
    let stored = super::page(&world, "/a/");
    std::thread::scope(|scope| {
        for visitor in 0..4 {
            let (front, stored) = (&front, &stored);
            scope.spawn(move || {
                let cookie = format!("sessionid=secret-{visitor}");
                for _ in 0..25 {
                    for path in ["/a/", "/none/"] {
                        let own = front.ask("GET", path, &[("Cookie", &cookie)]);
                        own.is(200).has("X-Cache", "BYPASS");
                        assert_eq!(own.text().matches("secret-").count(), 1);
                        assert!(own.text().contains(&cookie));
                    }
                    let shared = front.get("/a/");
                    shared.is(200).has("X-Cache", "HIT");
                    assert_eq!(shared.text(), *stored);
                    let missing = front.get("/none/");
                    missing.is(200).has("X-Cache", "MISS");
                    assert!(!missing.text().contains("secret-"), "{missing:?}");
                }
            });
        }
    });
    assert_eq!(front.origin.asked().len(), 4 * 25 * 3);
}

#[test]
fn a_long_name_of_a_cookie_costs_no_more_than_its_length() {
    let world = published();
    let front = Front::start(&world);
    // As much as nginx takes: each line of the headers fits into one of its buffers of 8 KB.
    let name = format!("a{}b", " ".repeat(8000));
    let (cookie, last) = (
        format!("{name}=1"),
        format!("{name}; sessionid{}=x", " ".repeat(100)),
    );
    let lines = [
        ("Cookie", cookie.as_str()),
        ("Cookie", &cookie),
        ("Cookie", &last),
    ];
    // A worker that looks at each blank once more for each blank before it takes a second for
    // one of these requests. Connections that are kept stay with their worker.
    let until = Instant::now() + Duration::from_secs(30);
    let mut connection = Connection::over(front.connect());
    for number in 0..200 {
        connection.request("GET", "/a/", &lines[..2]).is(200);
        assert!(
            Instant::now() < until,
            "only {number} of 200 requests were answered"
        );
    }
    front.get_until("/a/", "HIT").is(200);
    front
        .ask("GET", "/a/", &lines)
        .is(200)
        .has("X-Cache", "BYPASS");
}
