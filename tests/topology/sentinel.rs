//! A master behind sentinels: found, followed through failovers, and never taken for one when it
//! is none any more.

mod watched;

use std::collections::BTreeMap;

use crate::support::authority::Authority;
use crate::support::{Ran, Server, World, comes_full_circle, free_port};
use anp::store::{ACL_LINE, SENTINEL_RIGHT};
use watched::{NAME, Sentinel, Watched, until};

fn anp(watched: &Watched, line: &str) -> Ran {
    let url = watched.url();
    let words = line.split(' ').chain(["--redis", &url]);
    watched.world.anp_with(&words.collect::<Vec<_>>(), &[])
}

/// Every key but the lock.
fn keys(server: &Server) -> BTreeMap<String, String> {
    let mut dump = server.dump();
    dump.remove("anp:lock");
    dump
}

#[test]
fn the_master_that_sentinels_name_is_published_to_and_taken_back() {
    let watched = Watched::trio();
    watched.world.article("a.md", "Text.");
    anp(&watched, "import").exits(0);
    anp(&watched, "verify last").exits(0);
    anp(&watched, "show /a/").exits(0).says("Text.");
    assert!(watched.world.server.get("anp:page:/a/").is_some());
    // Without --redis: the manifest names the sentinels.
    watched.world.anp("rollback last").exits(0);
    assert!(watched.world.keys().is_empty());
}

#[test]
fn every_run_on_the_master_of_sentinels_is_taken_back_exactly() {
    let watched = Watched::trio();
    watched
        .world
        .server
        .command("SADD anp:page:/circle/n1/ a b");
    let run = |line: &str| anp(&watched, line);
    comes_full_circle(&watched.world, &run, &mut || watched.world.server.dump());
}

#[test]
fn one_sentinel_that_names_another_master_does_not_decide() {
    let watched = Watched::trio();
    watched.world.article("a.md", "Text.");
    let other = Server::start_with(&["--bind", "127.0.0.1"]);
    let port = free_port();
    other.run(&["CONFIG", "SET", "port", &port.to_string()]);
    let odd = watched::Sentinel::watching(port, 1, "");
    let all = format!(
        "redis+sentinel://127.0.0.1:{},{}",
        odd.port,
        &watched.url()[17..]
    );
    let words = ["import", "--redis", &all];
    watched.world.anp_with(&words, &[]).exits(0);
    assert!(watched.world.server.get("anp:page:/a/").is_some());
    assert!(other.dump().is_empty());
    // Nor does the first of two that disagree.
    let two = format!(
        "redis+sentinel://127.0.0.1:{},127.0.0.1:{}/{NAME}",
        odd.port, watched.sentinels[0].port
    );
    let words = ["import", "--deadline", "2s", "--redis", &two];
    watched
        .world
        .anp_with(&words, &[])
        .exits(69)
        .notes("as many sentinels name one master as another")
        .notes("nothing was written");
    assert!(other.dump().is_empty());
}

#[test]
fn a_peer_that_sends_a_byte_now_and_then_does_not_hold_a_run_for_ever() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for peer in listener.incoming() {
            let mut peer = peer.unwrap();
            std::thread::spawn(move || {
                while std::io::Write::write_all(&mut peer, b"+").is_ok() {
                    std::thread::sleep(std::time::Duration::from_millis(200));
                }
            });
        }
    });
    let world = World::new();
    world.article("a.md", "Text.");
    for url in [
        format!("redis://127.0.0.1:{port}/0"),
        format!("redis+cluster://127.0.0.1:{port}/"),
        format!("redis+sentinel://127.0.0.1:{port}/{NAME}"),
    ] {
        let words = ["import", "--deadline", "1s", "--redis", &url];
        world
            .anp_with(&words, &[("ANP_TIMEOUT", "1s")])
            .exits(69)
            .notes("no answer within the time-out");
    }
}

/// An import that is under way while `fail_over` makes another server the master.
fn survives(fail_over: impl FnOnce(&mut Watched)) {
    let mut watched = Watched::trio();
    for number in 0..10 {
        let name = format!("n{}.md", number * 300);
        watched.world.article(&name, "An earlier text.");
    }
    anp(&watched, "import").exits(0);
    watched.settle();
    let before = keys(&watched.world.server);
    let url = watched.url();
    let (child, stdout) = watched.world.import_under_way(&["--redis", &url]);
    let run = watched.world.runs().pop().unwrap();
    fail_over(&mut watched);
    let Ran { code, stderr, .. } = Ran::ended(child, stdout);
    let master = watched.master();
    match code {
        0 => {
            anp(&watched, &format!("verify {run}")).exits(0);
            assert_eq!(keys(master).len(), 6000);
        }
        75 => assert!(stderr.contains("rollback"), "{stderr}"),
        _ => panic!("exit {code}: {stderr}"),
    }
    anp(&watched, &format!("rollback {run}")).exits(0);
    assert_eq!(keys(watched.master()), before);
    // And the import can be made again.
    anp(&watched, "import").exits(0);
    anp(&watched, "verify last").exits(0);
    assert_eq!(keys(watched.master()).len(), 6000);
}

#[test]
fn a_master_that_is_killed_in_mid_import_is_replaced_and_nothing_is_lost_unsaid() {
    survives(|watched| {
        watched.world.server.kill();
        until("another master", || watched.has_failed_over());
    });
}

#[test]
fn a_master_that_steps_back_in_mid_import_is_replaced_and_nothing_is_lost_unsaid() {
    survives(|watched| {
        let ask = format!("SENTINEL FAILOVER {NAME}");
        let _: redis::Value = watched.sentinels[0].ask(&ask).unwrap();
        until("another master", || watched.has_failed_over());
    });
}

#[test]
fn a_master_that_was_deposed_unawares_is_noticed_before_the_run_ends() {
    let watched = Watched::alone(&[]);
    let port = free_port();
    let other = Server::start_with(&["--port", &port.to_string()]);
    let url = watched.url();
    let (child, stdout) = watched.world.import_under_way(&["--redis", &url]);
    // What a sentinel on the other side of a partition would have come to.
    let sentinel = &watched.sentinels[0];
    let _: redis::Value = sentinel.ask(&format!("SENTINEL REMOVE {NAME}")).unwrap();
    let monitor = format!("SENTINEL MONITOR {NAME} 127.0.0.1 {port} 1");
    let _: redis::Value = sentinel.ask(&monitor).unwrap();
    let Ran { code, stderr, .. } = Ran::ended(child, stdout);
    assert_eq!(code, 75, "{stderr}");
    assert!(
        stderr.contains("everything was written, but then"),
        "{stderr}"
    );
    assert!(keys(&other).is_empty(), "the other store is left alone");
    let old = watched.world.server.url();
    let back = ["rollback", "last", "--redis", &old];
    watched.world.anp_with(&back, &[]).exits(0);
    assert!(watched.world.keys().is_empty());
}

#[test]
fn sentinels_that_are_away_or_know_no_such_master_are_named() {
    let watched = Watched::alone(&[]);
    watched.world.article("a.md", "Text.");
    let import = |url: &str| {
        let variables = [("ANP_DEADLINE", "1s"), ("ANP_TIMEOUT", "2s")];
        let line = ["import", "--redis", url];
        watched.world.anp_with(&line, &variables)
    };
    import("redis+sentinel://127.0.0.1:1,127.0.0.1:2/archive/0")
        .exits(69)
        .notes(
            "error: connecting to redis+sentinel://127.0.0.1:1,127.0.0.1:2/archive/0: no sentinel \
             answers: 127.0.0.1:1: Connection refused (os error 111); 127.0.0.1:2: Connection \
             refused (os error 111)\n",
        )
        .notes("= retry: safe, nothing was written");
    let port = watched.sentinels[0].port;
    import(&format!(
        "redis+sentinel://127.0.0.1:1,127.0.0.1:{port}/other"
    ))
    .exits(78)
    .notes(&format!(
        "no sentinel knows a master named 'other' (asked: 127.0.0.1:{port})"
    ))
    .notes("= retry: after you change the settings or the server; nothing was written");
    // A failover may be under way: it is waited for.
    let dead = Sentinel::watching(2, 1, "");
    import(&format!("redis+sentinel://127.0.0.1:{}/{NAME}", dead.port))
        .exits(69)
        .notes("the sentinels name 127.0.0.1:2 as master, but it does not act as one");
    // So is a replica that has yet to become the master.
    let replica_port = free_port();
    let master = watched.sentinels[0].master().to_string();
    let _replica = Server::start_with(&[
        "--port",
        &replica_port.to_string(),
        "--replicaof",
        "127.0.0.1",
        &master,
    ]);
    let early = Sentinel::watching(replica_port, 1, "");
    import(&format!("redis+sentinel://127.0.0.1:{}/{NAME}", early.port))
        .exits(69)
        .notes("but it does not act as one: it says that it is a replica");
    assert!(watched.world.server.dump().is_empty());
}

#[test]
fn sentinels_have_a_password_of_their_own() {
    let port = free_port();
    let world = World::with_server(Server::start_with(&[
        "--port",
        &port.to_string(),
        "--requirepass",
        "of-the-server",
    ]));
    world.article("a.md", "Text.");
    let secret =
        "requirepass of-the-sentinel\nuser anp on >of-anp -@all +sentinel|get-master-addr-by-name";
    let sentinel = Sentinel::watching(port, 1, secret);
    let url = format!("redis+sentinel://127.0.0.1:{}/{NAME}", sentinel.port);
    let import = |flags: &[&str], password: &str| {
        let variables = [
            ("ANP_REDIS_PASSWORD", "of-the-server"),
            ("ANP_SENTINEL_PASSWORD", password),
        ];
        let line = [&["import", "--redis", &url], flags].concat();
        world.anp_with(&line, &variables)
    };
    for password in ["", "wrong", "of-the-server"] {
        import(&[], password)
            .exits(77)
            .notes("--sentinel-user, ANP_SENTINEL_PASSWORD");
    }
    import(&[], "of-the-sentinel").exits(0).hides("of-the-");
    import(&["--sentinel-user", "anp"], "of-anp").exits(0);
    import(&["--sentinel-user", "nobody"], "of-anp").exits(77);
}

#[test]
fn the_rights_of_the_acl_line_and_one_more_suffice() {
    let watched = Watched::alone(&[]);
    let world = &watched.world;
    world.article("a.md", "Text.");
    world.server.command(ACL_LINE);
    let url = watched.url().replacen("://", "://anp:PASSWORD@", 1);
    let run = |line: &str| {
        let words = line.split(' ').chain(["--redis", &url]);
        world.anp_with(&words.collect::<Vec<_>>(), &[])
    };
    run("import")
        .exits(77)
        .notes(&format!("behind sentinels the user needs {SENTINEL_RIGHT}"));
    world
        .server
        .command(&format!("ACL SETUSER anp {SENTINEL_RIGHT}"));
    run("import").exits(0);
    run("verify last").exits(0);
    run("rollback last").exits(0);
    assert!(world.keys().is_empty());
    let page = std::fs::read_to_string("docs/stores.md").unwrap();
    assert!(page.contains(&format!("one more right, `{SENTINEL_RIGHT}`")));
}

#[test]
fn sentinels_and_servers_are_reached_over_tls() {
    let folder = tempfile::Builder::new().prefix("anp").tempdir().unwrap();
    let authority = Authority::new(folder.path());
    let (pair, ca) = (authority.signs_for(&["127.0.0.1"]), authority.ca());
    let (server_port, tls_port) = (free_port(), free_port());
    let files = [
        ("tls-cert-file", &pair.cert),
        ("tls-key-file", &pair.key),
        ("tls-ca-cert-file", &ca),
    ];
    let mut arguments = vec!["--tls-port".to_owned(), server_port.to_string()];
    let mut lines = format!("tls-port {tls_port}\ntls-replication yes\ntls-auth-clients no\n");
    for (name, path) in files {
        arguments.extend([format!("--{name}"), path.clone()]);
        lines += &format!("{name} {path}\n");
    }
    arguments.extend(["--tls-auth-clients".to_owned(), "no".to_owned()]);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let world = World::with_server(Server::start_with(&arguments));
    world.article("a.md", "Text.");
    let _sentinel = Sentinel::watching(server_port, 1, &lines);
    let url = format!("rediss+sentinel://127.0.0.1:{tls_port}/{NAME}");
    world
        .anp_with(&["import", "--redis", &url, "--tls-ca", &ca], &[])
        .exits(0);
    assert!(world.server.get("anp:page:/a/").is_some());
    let stranger = Authority::new(&folder.path().join("strange")).ca();
    world
        .anp_with(&["import", "--redis", &url, "--tls-ca", &stranger], &[])
        .exits(78)
        .notes("signed by an authority that")
        .notes("asking the sentinel 127.0.0.1:");
}

#[cfg(feature = "serve")]
#[test]
fn the_preview_follows_the_master() {
    let mut watched = Watched::trio();
    watched.world.article("a.md", "Text.");
    anp(&watched, "import").exits(0);
    watched.settle();
    let url = watched.url();
    let flags = ["--redis", &url];
    let mut command = watched.world.command("state", &flags);
    let (_serving, address) = crate::support::serving(&mut command);
    let address = address.as_str();
    crate::support::http::get(address, "/a/")
        .is(200)
        .says("Text.");
    watched.world.server.kill();
    until("another master", || watched.has_failed_over());
    until("the page of the new master", || {
        crate::support::http::get(address, "/a/").status == 200
    });
    watched.world.article("a.md", "A later text.");
    anp(&watched, "import").exits(0);
    until("the later page", || {
        crate::support::http::get(address, "/a/")
            .text()
            .contains("A later text.")
    });
}
