//! Faults of the store and of the origin: visitors notice as little as can be.

use std::time::Instant;

use crate::front::{Front, until};
use crate::published;

const FAILED: &str = "anp: the origin answers, for redis does not";

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
    let asked = u64::try_from(front.errors().matches(FAILED).count()).unwrap();
    assert!(asked >= 1, "{}", front.errors());
    assert!(
        asked <= seconds,
        "{asked} in {seconds} s: {}",
        front.errors()
    );
    assert_eq!(front.origin.asked().len(), 100);
    front.get("/healthz").is(200).has("X-Store", "down");
    world.server.signal("CONT");
    front.get_until("/a/", "HIT").is(200);
}

#[test]
fn once_redis_has_failed_one_request_at_a_time_tries_it() {
    let world = published();
    let front = Front::start(&world);
    world.server.signal("STOP");
    front.get("/a/").is(200).has("X-Cache", "MISS");
    let failures = || u64::try_from(front.errors().matches(FAILED).count()).unwrap();
    let (before, begin) = (failures(), Instant::now());
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while begin.elapsed().as_millis() < 2500 {
                    front.get("/a/").is(200).has("X-Cache", "MISS");
                }
            });
        }
    });
    let (asked, seconds) = (failures() - before, begin.elapsed().as_secs() + 1);
    assert!(asked >= 1, "nobody tried it again");
    assert!(
        asked <= seconds,
        "{asked} in {seconds} s: {}",
        front.errors()
    );
    world.server.signal("CONT");
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
