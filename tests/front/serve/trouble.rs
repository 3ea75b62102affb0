//! A store that is away or silent, visitors who mean no good, and the end.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use super::{Serving, one};
use crate::support::http::{Connection, request};
use crate::support::{Ran, World};

#[test]
fn without_its_store_it_says_so_and_recovers_by_itself() {
    let mut world = one();
    let serving = Serving::of(&world);
    serving.get("/a/").is(200);
    world.server.kill();
    for path in ["/b/", "/", "/_anp/"] {
        let answer = serving.get(path);
        answer
            .is(503)
            .has("retry-after", "2")
            .has("cache-control", "no-store")
            .has("content-type", "text/html; charset=utf-8")
            .says("The store does not answer");
    }
    serving
        .get("/healthz")
        .is(503)
        .has("retry-after", "2")
        .has("cache-control", "no-store");
    serving.until("/a/", |answer| answer.status == 503);
    world.server.restart();
    serving.until("/healthz", |answer| answer.status == 200);
    world.anp("import").exits(0);
    serving.until("/a/", |answer| answer.status == 200);
}

#[test]
fn a_silent_store_is_waited_for_two_seconds_by_many_at_once() {
    let world = one();
    let serving = Serving::of(&world);
    serving.get("/a/").is(200);
    world.server.signal("STOP");
    let address = serving.address.as_str();
    let began = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| request(address, "GET", "/b/", &[]).is(503).status);
        }
        for _ in 0..5 {
            scope.spawn(|| request(address, "GET", "/_anp/", &[]).is(503).status);
        }
        scope.spawn(|| request(address, "GET", "/healthz", &[]).is(503).status);
    });
    let took = began.elapsed();
    assert!(
        took >= Duration::from_millis(1900),
        "{took:?}: it was not asked"
    );
    assert!(took < Duration::from_secs(8), "{took:?}");
    world.server.signal("CONT");
    serving.until("/a/", |answer| answer.status == 200);
}

#[test]
fn a_visitor_who_sends_nonsense_or_nothing_keeps_nobody_else_waiting() {
    let world = one();
    let serving = Serving::of(&world);
    let mut silent: Vec<Connection> = (0..100)
        .map(|_| Connection::open(&serving.address))
        .collect();
    silent[0].send(b"GET /a/ HTTP/1.1\r\nHost: x\r\nX-Slow:");
    serving.get("/a/").is(200);
    for nonsense in [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".as_slice(),
        b"GET /a/ HTTP/9.9\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /a/\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /a/ HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"GET /a/ HTTP/1.1\r\nHost: x\r\nBad Header: 1\r\n\r\n",
    ] {
        let mut connection = Connection::open(&serving.address);
        let answer = connection.send(nonsense).rest();
        let answer = String::from_utf8_lossy(&answer);
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 400"),
            "{answer}"
        );
    }
    // It may hang up before all of that is sent.
    let mut huge = std::net::TcpStream::connect(&serving.address).unwrap();
    let line = format!("X-Huge: {}\r\n", "x".repeat(400_000));
    let _ = huge.write_all(format!("GET /a/ HTTP/1.1\r\nHost: x\r\n{line}\r\n").as_bytes());
    let mut answer = Vec::new();
    let _ = huge.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer);
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 431"),
        "{answer}"
    );
    serving.get("/a/").is(200);
}

#[test]
fn who_keeps_many_connections_busy_locks_nobody_out() {
    let world = one();
    let serving = Serving::of(&world);
    let mut kept = Vec::new();
    for _ in 0..300 {
        let mut connection = Connection::open(&serving.address);
        let answer = connection.request("GET", "/a/", &[]);
        if answer.is(200).header("connection").is_none() {
            kept.push(connection);
        }
    }
    assert!((200..=256).contains(&kept.len()), "{}", kept.len());
    let began = Instant::now();
    for connection in &mut kept {
        connection.request("GET", "/a/", &[]).is(200);
        serving.get("/a/").is(200);
    }
    assert!(
        began.elapsed() < Duration::from_secs(9),
        "it waits for them"
    );
}

#[test]
fn the_limits_of_a_request_are_those_of_the_page_about_serving() {
    let world = one();
    let serving = Serving::of(&world);
    let status = |head: String| {
        let mut connection = Connection::open(&serving.address);
        connection.send(head.as_bytes());
        connection.answer("GET").status
    };
    let begin = "GET /a/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";
    let bytes = |all: usize| {
        let rest = all - begin.len() - "X: \r\n\r\n".len();
        format!("{begin}X: {}\r\n\r\n", "x".repeat(rest))
    };
    assert_eq!(bytes(65_536).len(), 65_536);
    assert_eq!(status(bytes(65_536)), 200);
    assert_eq!(status(bytes(65_537)), 431);
    let headers = |all: usize| format!("{begin}{}\r\n", "X: x\r\n".repeat(all - 2));
    assert_eq!(status(headers(100)), 200);
    assert_eq!(status(headers(101)), 431);
}

#[test]
fn a_request_without_a_host_is_400_and_one_for_another_is_421() {
    let world = one();
    let serving = Serving::of(&world);
    let ask = |head: &str| {
        let mut connection = Connection::open(&serving.address);
        connection.send(format!("{head}\r\n\r\n").as_bytes());
        connection.answer("GET")
    };
    for (head, status) in [
        ("GET /a/ HTTP/1.1", 400),
        (
            "GET /a/ HTTP/1.1\r\nHost: localhost\r\nHost: localhost",
            400,
        ),
        ("GET /a/ HTTP/1.1\r\nHost: evil.example", 421),
        (
            "GET http://evil.example/a/ HTTP/1.1\r\nHost: localhost",
            421,
        ),
        ("GET /a/ HTTP/1.1\r\nHost: localhost:8080", 200),
        ("GET /a/ HTTP/1.1\r\nHost: [::1]", 200),
        ("GET /a/ HTTP/1.0", 200),
    ] {
        let answer = ask(head);
        answer.is(status);
        if status != 200 {
            answer.has("cache-control", "no-store").hides("About a.md");
        }
    }
    let everywhere =
        Serving::start_with(&mut world.command("state", &[]), &["--addr", "0.0.0.0:0"]);
    let port = everywhere.address.rsplit(':').next().unwrap();
    let mut connection = Connection::open(&format!("127.0.0.1:{port}"));
    connection.send(b"GET /a/ HTTP/1.1\r\nHost: preview.example\r\n\r\n");
    connection.answer("GET").is(200);
}

#[test]
fn an_asked_end_is_a_good_end() {
    for signal in ["TERM", "INT"] {
        let world = one();
        let serving = Serving::of(&world);
        let mut idle = Connection::open(&serving.address);
        idle.request("GET", "/a/", &[]).is(200);
        let url = format!("http://{}/", serving.address);
        let (code, stderr) = serving.end(signal);
        assert_eq!(code, 0, "{stderr}");
        let store = world.server.url();
        let said = format!("serving {url} (store {store}?db=0, prefix anp); Ctrl-C ends it\n");
        assert_eq!(stderr, said);
        assert_eq!(idle.rest(), b"");
    }
}

#[test]
fn where_others_can_reach_it_it_warns() {
    let world = World::new();
    let serving = Serving::start_with(&mut world.command("state", &[]), &["--addr", "0.0.0.0:0"]);
    let (code, stderr) = serving.end("TERM");
    assert_eq!(code, 0);
    let warning = "can be reached from other machines: this is a preview";
    assert!(
        stderr.starts_with("warning: 0.0.0.0:") && stderr.contains(warning),
        "{stderr}"
    );
}

#[test]
fn what_keeps_it_from_serving_is_named() {
    let world = World::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap().to_string();
    let run = |addr: &str| world.anp_with(&["serve", "--addr", addr], &[]);
    run(&addr)
        .exits(78)
        .notes(&format!("cannot listen on {addr}: "))
        .notes("= retry: safe");
    run("no.such.host.invalid:80")
        .exits(78)
        .notes("cannot listen on no.such.host.invalid:80");
    run("8080").exits(2).notes("--addr: expected HOST:PORT");
    world
        .anp_with(&["serve"], &[("ANP_SERVE_ADDR", "localhost")])
        .exits(78)
        .notes("ANP_SERVE_ADDR: expected HOST:PORT");
    let nowhere = format!("redis+unix://{}/nothing", world.server.folder().display());
    world
        .anp_with(
            &["serve", "--addr", "127.0.0.1:0", "--redis", &nowhere],
            &[],
        )
        .exits(69);
}

#[test]
fn the_rights_of_the_page_about_serving_suffice_and_nothing_is_written() {
    let world = one();
    let page = std::fs::read_to_string("docs/serving.md").unwrap();
    let line = page
        .lines()
        .find(|line| line.starts_with("ACL SETUSER"))
        .unwrap();
    world.server.command(line);
    let before = world.server.dump();
    let redis = format!("{}?user=preview", world.server.url());
    let mut command = world.command("state", &["--redis", &redis]);
    command.env("ANP_REDIS_PASSWORD", "PASSWORD");
    let serving = Serving::start(&mut command);
    serving.get("/a/").is(200);
    serving.until("/a/", |answer| answer.header("age").as_deref() == Some("2"));
    serving.get("/_anp/").is(200).says("About a.md");
    serving.get("/healthz").is(200);
    assert_eq!(world.server.dump(), before);
    let refused = |password: &str| {
        let arguments = ["serve", "--addr", "127.0.0.1:0", "--redis", &redis];
        let mut command = world.command("state", &arguments);
        Ran::of(command.env("ANP_REDIS_PASSWORD", password))
    };
    refused("wrong").exits(77).hides("  = acl: ").hides("wrong");
    world.server.command("ACL SETUSER preview -ping");
    refused("PASSWORD")
        .exits(77)
        .notes(&format!("  = acl: {line}\n"));
}

#[test]
fn the_embedded_store_is_there_for_as_long_as_it_serves_and_for_imports_meanwhile() {
    let world = World::new();
    world.article("a.md", "The first text.");
    let anp = |line: &str| {
        let mut command = world.command("state", &["--redis", "embedded"]);
        Ran::of(command.args(line.split(' '))).exits(0).code
    };
    let socket = world.path("state/embedded/redis.sock");
    let answers = || std::os::unix::net::UnixStream::connect(&socket).is_ok();
    let serving = Serving::start(&mut world.command("state", &["--redis", "embedded"]));
    serving.get("/a/").is(404);
    anp("import");
    assert!(answers(), "the import left it running");
    serving.until("/a/", |answer| answer.status == 200);
    serving.get("/_anp/").says("About a.md");
    anp("rollback last");
    serving.until("/a/", |answer| answer.status == 404);
    let (code, stderr) = serving.end("TERM");
    assert_eq!(code, 0, "{stderr}");
    assert!(!answers(), "it stopped what it started");
    // So it does when its terminal is closed, of which it may hear more than once.
    let serving = Serving::start(&mut world.command("state", &["--redis", "embedded"]));
    crate::support::signal(&serving.child, "HUP");
    let (code, stderr) = serving.end("HUP");
    assert_eq!(code, 0, "{stderr}");
    assert!(!answers(), "it stopped what it started");
}
