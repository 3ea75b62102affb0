//! Faults of the store and of the origin: visitors notice as little as can be.

use std::time::Instant;

use super::front::{Front, calls, until};
use super::published;
use crate::archive::put;
use crate::support::World;
use crate::support::http::Connection;

const FAILED: &str = "anp: the origin answers, for redis does not";

/// What opens the breaker.
const FAILURES: u64 = 3;

/// Questions that each worker asks Redis at a time.
const AT_ONCE: u64 = 64;

/// A time-out that a busy machine does not reach.
const PATIENT: (&str, &str) = ("set $anp_timeout  200;", "set $anp_timeout 20000;");

/// Sends requests over as many connections at the same time, and then reads the answers.
fn burst(front: &Front, count: usize, meanwhile: impl FnOnce()) -> Vec<(u16, String)> {
    let mut connections: Vec<_> = (0..count)
        .map(|_| Connection::over(front.connect()))
        .collect();
    for connection in &mut connections {
        connection.send(b"GET /a/ HTTP/1.1\r\nHost: localhost\r\n\r\n");
    }
    meanwhile();
    let read = |mut connection: Connection<_>| {
        let answer = connection.answer("GET");
        (answer.status, answer.header("x-cache").unwrap())
    };
    connections.into_iter().map(read).collect()
}

fn failures(front: &Front) -> u64 {
    front.errors().matches(FAILED).count() as u64
}

fn connections_ever(world: &World) -> u64 {
    let text: String = redis::cmd("INFO")
        .arg("stats")
        .query(&mut world.server.connection())
        .unwrap();
    let (_, rest) = text.split_once("total_connections_received:").unwrap();
    rest.lines().next().unwrap().parse().unwrap()
}

#[test]
fn a_burst_far_above_the_pool_waits_its_turn_and_is_answered_by_redis() {
    let world = published();
    let front = Front::start_with(&world, &[PATIENT]);
    front.get("/a/").has("X-Cache", "HIT");
    for _ in 0..3 {
        let before = connections_ever(&world);
        world.server.signal("STOP");
        let answers = burst(&front, 300, || world.server.signal("CONT"));
        assert_eq!(answers.len(), 300);
        for answer in &answers {
            assert_eq!(answer, &(200, "HIT".to_owned()), "{}", front.errors());
        }
        // Two workers, and the two connections of this test that count.
        let opened = connections_ever(&world) - before;
        assert!(opened <= 2 * AT_ONCE + 2, "{opened} connections to Redis");
    }
    assert_eq!(failures(&front), 0, "{}", front.errors());
    assert_eq!(front.origin.asked(), Vec::<String>::new());
}

#[test]
fn failures_at_the_same_time_are_one_and_do_not_open_the_breaker() {
    let world = published();
    let front = Front::start_with(&world, &[("anp_timeout  200", "anp_timeout 1500")]);
    for round in 1..=2 {
        front.get("/a/").has("X-Cache", "HIT");
        world.server.signal("STOP");
        for answer in burst(&front, 40, || ()) {
            assert_eq!(answer, (200, "MISS".to_owned()));
        }
        assert_eq!(failures(&front), round, "{}", front.errors());
        world.server.signal("CONT");
    }
    // One success ends the row: the breaker never opens.
    front.get("/a/").is(200).has("X-Cache", "HIT");
    assert_eq!(front.origin.asked().len(), 80);
}

#[test]
fn the_breaker_opens_after_failures_in_a_row_and_closes_with_the_first_answer() {
    let world = published();
    let front = Front::start(&world);
    front.get("/a/").has("X-Cache", "HIT");
    let before = calls(&world, "pttl");
    world.server.signal("STOP");
    for failed in 1..=FAILURES {
        front.get("/a/").is(200).has("X-Cache", "MISS");
        assert_eq!(failures(&front), failed, "{}", front.errors());
    }
    let begin = Instant::now();
    for _ in 0..200 {
        front.get("/a/").is(200).has("X-Cache", "MISS");
    }
    let seconds = begin.elapsed().as_secs() + 1;
    world.server.signal("CONT");
    front.get_until("/a/", "HIT").is(200);
    for _ in 0..20 {
        front.get("/a/").is(200).has("X-Cache", "HIT");
    }
    let asked = calls(&world, "pttl") - before;
    let (closed, tried) = (21, seconds + 1);
    assert!(
        (FAILURES + closed..=FAILURES + closed + tried).contains(&asked),
        "{asked} in {seconds} s"
    );
}

#[test]
fn where_the_origin_has_no_answer_redis_is_asked_again() {
    let world = published();
    let front = Front::start(&world);
    let etag = front.get("/a/").header("ETag").unwrap();
    front.origin.stop();
    let same = [("If-None-Match", etag.as_str())];
    let none: [(&str, &str); 0] = [];
    put(&world, "anp:redirect:/old/", r#"{"to":"/a/","status":301}"#);
    put(&world, "anp:redirect:/gone/", r#"{"status":410}"#);
    put(&world, "anp:file:/feed.xml", "<feed/>");
    for (method, path, headers, status) in [
        ("GET", "/old/", &none[..], 301),
        ("GET", "/gone", &none, 410),
        ("HEAD", "/gone/", &none, 410),
        ("GET", "/feed.xml", &none, 200),
        ("GET", "/a/", &none, 200),
        ("HEAD", "/a/", &none, 200),
        ("GET", "/a/", &same, 304),
        ("GET", "/a", &none, 308),
    ] {
        let before = failures(&front);
        world.server.signal("STOP");
        while failures(&front) < before + FAILURES {
            front
                .get("/a/")
                .is(502)
                .has("X-Cache", "MISS")
                .has("Cache-Control", "no-store")
                .says("<h1>This page cannot be had just now</h1>");
        }
        world.server.signal("CONT");
        // The breaker is open, and most of these are not the one request a second.
        let answer = front.ask(method, path, headers);
        answer.is(status).has("X-Cache", "HIT");
        if status == 200 && path == "/a/" {
            answer.has("ETag", &etag);
        }
    }
    // A visitor who is logged in is for the origin alone.
    let answer = front.ask("GET", "/a/", &[("Cookie", "sessionid=x")]);
    answer.is(502).has("X-Cache", "BYPASS");
}

#[test]
fn questions_that_failed_take_no_turn_from_others() {
    let mut world = published();
    let front = Front::start(&world);
    front.origin.stop();
    world.server.kill();
    // More than the turns of both workers: each of these asks, for the origin is down as well.
    for _ in 0..2 * AT_ONCE + 20 {
        front.get("/a/").is(502);
    }
    world.server.restart();
    world.anp("import").exits(0);
    front.get("/a/").is(200).has("X-Cache", "HIT");
    for answer in burst(&front, 200, || ()) {
        assert_eq!(answer, (200, "HIT".to_owned()), "{}", front.errors());
    }
}

#[test]
fn while_redis_is_stopped_the_origin_answers_and_then_redis_again() {
    let mut world = published();
    let front = Front::start(&world);
    front.get("/a/").has("X-Cache", "HIT");
    world.server.kill();
    for _ in 0..20 {
        front.get("/a/").is(200).has("X-Cache", "MISS");
        front.get("/a").is(200).has("X-Cache", "MISS");
    }
    assert_eq!(front.origin.asked().len(), 40);
    assert!(front.errors().contains(FAILED), "{}", front.errors());
    front.get("/healthz").is(200).has("X-Store", "down");
    world.server.restart();
    world.anp("import").exits(0);
    front.get_until("/a/", "HIT").is(200);
    front.get("/healthz").is(200).has("X-Store", "up");
}

#[test]
fn a_silent_redis_is_asked_once_a_second_and_not_by_each_request() {
    let world = published();
    let front = Front::start(&world);
    front.get("/a/").has("X-Cache", "HIT");
    world.server.signal("STOP");
    let begin = Instant::now();
    for _ in 0..100 {
        front.get("/a/").is(200).has("X-Cache", "MISS");
    }
    let seconds = begin.elapsed().as_secs() + 1;
    let asked = failures(&front);
    assert!(asked >= FAILURES, "{}", front.errors());
    assert!(
        asked <= FAILURES + seconds,
        "{asked} in {seconds} s: {}",
        front.errors()
    );
    assert_eq!(front.origin.asked().len(), 100);
    front.get("/healthz").is(200).has("X-Store", "down");
    world.server.signal("CONT");
    front.get_until("/a/", "HIT").is(200);
}

#[test]
fn once_redis_is_left_alone_one_request_at_a_time_tries_it() {
    let world = published();
    let front = Front::start(&world);
    let before = calls(&world, "pttl");
    world.server.signal("STOP");
    for _ in 0..FAILURES {
        front.get("/a/").is(200).has("X-Cache", "MISS");
    }
    let begin = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while begin.elapsed().as_millis() < 2500 {
                    front.get("/a/").is(200).has("X-Cache", "MISS");
                }
            });
        }
    });
    let seconds = begin.elapsed().as_secs() + 1;
    world.server.signal("CONT");
    // Redis carries out what it was sent meanwhile.
    let asked = calls(&world, "pttl") - before - FAILURES;
    assert!(asked >= 1, "nobody tried it again");
    assert!(
        asked <= seconds,
        "{asked} in {seconds} s: {}",
        front.errors()
    );
    front.get_until("/a/", "HIT").is(200);
}

#[test]
fn errors_of_redis_lead_to_the_origin_and_end_with_their_cause() {
    let world = published();
    let front = Front::start(&world);
    let mut own = world.server.connection();
    let mut set = |password: &str| {
        let command = ["SET", "requirepass", password];
        redis::cmd("CONFIG").arg(&command).exec(&mut own).unwrap();
    };
    set("secret");
    let answer = front.get_until("/a/", "MISS");
    answer.is(200);
    assert!(front.errors().contains("NOAUTH"), "{}", front.errors());
    set("");
    front.get_until("/a/", "HIT").is(200);
}

#[test]
fn while_the_origin_is_down_pages_of_the_store_are_still_served() {
    let world = published();
    let front = Front::start(&world);
    front.origin.stop();
    front.get("/a/").is(200).has("X-Cache", "HIT");
    let answer = front.get("/none/");
    answer
        .is(502)
        .has("Content-Type", "text/html; charset=utf-8")
        .has("Cache-Control", "no-store")
        .has("X-Cache", "MISS");
    assert!(
        answer
            .text()
            .contains("<h1>This page cannot be had just now</h1>")
    );
    let answer = front.ask("GET", "/a/", &[("Cookie", "sessionid=x")]);
    answer
        .is(502)
        .has("Cache-Control", "no-store")
        .has("X-Cache", "BYPASS");
}

#[test]
fn an_origin_that_hangs_up_is_not_asked_again() {
    let world = published();
    // Nor is another one behind the same name.
    let two = "max_conns=64; server unix:{root}/origin;";
    let front = Front::start_with(&world, &[("max_conns=64;", two)]);
    front
        .get("/hangs-up/")
        .is(502)
        .has("Cache-Control", "no-store");
    assert_eq!(front.origin.asked().len(), 1);
}

#[test]
fn an_origin_with_enough_to_do_is_spared() {
    let world = published();
    let front = Front::start_with(&world, &[("max_conns=64", "max_conns=1")]);
    std::thread::scope(|scope| {
        let held = front.origin.hold();
        let first = scope.spawn(|| front.get("/waits/"));
        until("the first request", || !front.origin.asked().is_empty());
        front.get("/none/").is(502).has("X-Cache", "MISS");
        front.get("/a/").is(200).has("X-Cache", "HIT");
        drop(held);
        first.join().unwrap().is(200);
    });
    front.get("/none/").is(200);
    assert_eq!(front.origin.asked().len(), 2);
}

#[test]
fn a_fault_of_the_front_itself_leads_to_the_origin() {
    let world = published();
    // An address without a port; no memory for what the workers tell each other.
    let address = format!("unix:{};", world.server.socket().display());
    for setting in [
        (address.as_str(), "redis.example.org;"),
        ("lua_shared_dict anp", "lua_shared_dict other"),
    ] {
        let front = Front::start_with(&world, &[setting]);
        front.get("/a/").is(200).has("X-Cache", "MISS");
        let errors = front.errors();
        assert!(errors.contains("anp: the origin answers"), "{errors}");
    }
}
