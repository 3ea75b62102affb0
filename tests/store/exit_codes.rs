//! Every exit code, from the situation that it stands for.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;

use crate::support::proxy::{Fault, Trouble};
use crate::support::{Ran, Server, World, set_mode, this_host};
use anp::exit::Exit;
use anp::store::ACL_LINE;

fn one_article() -> World {
    let world = World::new();
    world.article("a.md", "A.");
    world
}

/// Nothing reached the store, and the command says so.
#[track_caller]
fn wrote_nothing(world: &World, ran: &Ran) {
    assert!(world.server.dump().is_empty(), "{ran}");
    ran.notes("nothing was written");
}

#[test]
fn each_code_stands_in_the_help() {
    let help = World::new().anp("--help");
    help.exits(0);
    for exit in [
        Exit::Done,
        Exit::Usage,
        Exit::Partial,
        Exit::Locked,
        Exit::Paused,
        Exit::Refused,
        Exit::Unavailable,
        Exit::Manifest,
        Exit::Stopped,
        Exit::NotPermitted,
        Exit::Config,
        Exit::Interrupted,
    ] {
        help.says(&format!("\n  {:<5}", exit.code()));
    }
}

#[test]
fn success_is_0_and_warnings_alone_do_not_change_that() {
    let world = one_article();
    world.write("content/b.md", "---\ntitle: b\nsumary: 1\n---\nText.\n");
    world
        .anp("import")
        .exits(0)
        .notes("warning[unknown-field]: ");
    for command in [
        "check",
        "import --dry-run",
        "verify last",
        "show /a/",
        "runs",
        "schema",
        "rollback last",
        "--version",
    ] {
        world.anp(command).exits(0);
    }
}

#[test]
fn a_wrong_command_line_is_2() {
    let world = one_article();
    for (line, words) in [
        ("", "Usage: anp [OPTIONS] <COMMAND>"),
        ("publish", "unrecognized subcommand 'publish'"),
        ("import --nope", "unexpected argument '--nope'"),
        ("synth --out x", "--count"),
        ("show /a/ --page --meta", "cannot be used with"),
        (
            "import --ttl 59s",
            "error: --ttl: expected a duration from 1m to 3650d (for example 12h), found '59s'\n",
        ),
        ("import --prefix a:", "error: --prefix: expected 1 to 64 of"),
        ("import --redis http://h/", "found the scheme 'http'"),
        (
            "rollback 20200101T000000.000Z-0000",
            "error: there is no run",
        ),
        ("rollback last", "error: no run is recorded in "),
        (
            "verify ./nowhere.zst",
            "error: there is no run './nowhere.zst'",
        ),
        ("show a%20b", "error: expected a route such as /a/b/"),
    ] {
        let ran = world.anp(line);
        ran.exits(2).notes(words);
        assert!(world.server.dump().is_empty(), "{ran}");
    }
}

#[test]
fn done_but_not_all_of_it_is_3() {
    let world = one_article();
    world.anp("import").exits(0);
    world.server.command("SET anp:page:/a/ somebody-else");
    world.anp("verify last").exits(3).says("1 different");
    world.anp("rollback last").exits(3);
    world
        .anp("show /nowhere/")
        .exits(3)
        .notes("holds nothing for /nowhere/");
}

#[test]
fn a_state_folder_in_use_by_another_process_is_11() {
    let world = one_article();
    world.anp("import").exits(0);
    world.anp("rollback last").exits(0);
    let lock = std::fs::OpenOptions::new()
        .write(true)
        .open(world.path("state/lock"))
        .unwrap();
    lock.try_lock().unwrap();
    for command in ["import", "rollback last"] {
        let ran = world.anp(command);
        ran.exits(11).notes_exactly(&format!(
            "error: another anp process is writing with the state folder {}\n  \
             = expected: one writing run at a time\n  \
             = retry: safe once it has ended; nothing was written\n",
            world.path("state").display()
        ));
        wrote_nothing(&world, &ran);
    }
    // Who only looks takes no lock.
    world.anp("import --dry-run").exits(0);
    world.anp("runs").exits(0);
    drop(lock);
    world.anp("import").exits(0);
}

/// The lock as a run of `host` with the state folder `state_dir` would hold it.
fn held_by(world: &World, host: &str, state_dir: &str) {
    let lease = serde_json::json!({
        "token": "00ff", "run": "20260101T000000.000Z-00ff", "owner": "night shift",
        "host": host, "pid": 4711, "state_dir": state_dir,
    });
    world
        .server
        .run(&["SET", "anp:lock", &lease.to_string(), "PX", "25000"]);
}

#[test]
fn a_lease_of_another_host_is_11_with_the_seconds_left() {
    let world = one_article();
    let state = world.path("state");
    let state = state.to_str().unwrap();
    let own_host = this_host();
    for (host, state_dir) in [("elsewhere", state), (own_host.as_str(), "/another/folder")] {
        held_by(&world, host, state_dir);
        let before = world.server.get("anp:lock");
        let ran = world.anp("import");
        ran.exits(11).notes(&format!(
            "error: run 20260101T000000.000Z-00ff holds the lock: owner night shift, host {host}, \
             pid 4711, state folder {state_dir}; unless it is renewed, it runs out in "
        ));
        let seconds = ran.stderr.split("runs out in ").nth(1).unwrap();
        let seconds: u64 = seconds.split(" s\n").next().unwrap().parse().unwrap();
        assert!((1..=25).contains(&seconds), "{ran}");
        ran.notes("= retry: safe once that run has ended; nothing was written");
        assert_eq!(
            world.server.get("anp:lock"),
            before,
            "the lock is left alone"
        );
        assert_eq!(world.server.dump().len(), 1, "{ran}");
    }
    assert!(world.runs().is_empty(), "no run began");
}

#[test]
fn a_lease_that_names_the_host_and_path_of_this_folder_alone_is_waited_for() {
    let world = one_article();
    held_by(&world, &this_host(), world.path("state").to_str().unwrap());
    let ran = world.anp("import");
    ran.exits(11).notes("holds the lock");
    assert_eq!(world.server.dump().len(), 1, "the lock alone: {ran}");
}

#[test]
fn a_lock_that_says_nothing_is_respected_too() {
    let world = one_article();
    world.server.command("SET anp:lock something");
    world.anp("import").exits(11).notes(
        "error: anp:lock: the lock is held, and what it says is no lease of anp; it never runs \
         out by itself\n  = expected: no such key, or the lease of a run of anp\n  = retry: safe \
         once anp:lock is looked at and deleted, or has run out; nothing was written\n",
    );
    world.server.command("SET anp:lock something PX 9000");
    world
        .anp("import")
        .exits(11)
        .notes("is no lease of anp; unless it is renewed, it runs out in ");
    assert_eq!(world.server.get("anp:lock").unwrap(), "something");
}

#[test]
fn refused_content_is_65() {
    let world = World::new();
    let ran = world.anp("import");
    ran.exits(65);
    wrote_nothing(&world, &ran);
}

#[test]
fn a_store_that_does_not_answer_is_69() {
    let world = one_article();
    for url in ["redis://127.0.0.1:1/0", "redis+unix:///nowhere/socket"] {
        let arguments = ["import", "--redis", url];
        let ran = world.anp_with(&arguments, &[]);
        ran.exits(69)
            .notes(&format!("error: connecting to {url}"))
            .notes("\n  = retry: safe, nothing was written\n");
        world
            .anp_with(&["show", "/a/", "--redis", url], &[])
            .exits(69);
    }
    // Listens, accepts, and never says a word.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("redis://{}/0", silent.local_addr().unwrap());
    let ran = world.anp_with(&["import", "--redis", &url], &[("ANP_TIMEOUT", "1s")]);
    ran.exits(69).notes_exactly(&format!(
        "error: connecting to {url}: no answer within the time-out\n  \
         = expected: a Redis (7.0 or later) or Valkey (7.2 or later) server that answers\n  \
         = retry: safe, nothing was written\n"
    ));
    assert!(world.runs().is_empty());
}

#[test]
fn a_database_that_the_server_lacks_is_69() {
    let world = one_article();
    let url = format!("{}?db=99", world.server.url());
    world
        .anp_with(&["import", "--redis", &url], &[])
        .exits(69)
        .notes("DB index is out of range");
}

#[test]
fn a_state_folder_that_cannot_be_written_is_74() {
    let world = one_article();
    world.write("file", "no folder");
    let file = world.path("file");
    let ran = world.anp_with(&["import", "--state-dir", file.to_str().unwrap()], &[]);
    ran.exits(74).notes_exactly(&format!(
        "error: cannot write the state folder {}: Not a directory (os error 20)\n  \
         = expected: a state folder that can be written, with free space\n  \
         = retry: safe once the folder can be written; nothing was written to the store\n",
        file.display()
    ));
    wrote_nothing(&world, &ran);

    // First the folder itself, then the one that holds the manifests.
    let state = world.path("state-without-rights");
    std::fs::create_dir_all(state.join("runs")).unwrap();
    for (state_mode, runs_mode) in [(0o555, 0o755), (0o755, 0o555)] {
        set_mode(&state, state_mode);
        if state_mode == 0o755 && state.metadata().unwrap().uid() == 0 {
            std::os::unix::fs::chown(&state, Some(65534), None).unwrap();
        }
        set_mode(state.join("runs"), runs_mode);
        let ran = world.anp_without_rights("import");
        ran.exits(74).notes("Permission denied (os error 13)");
        wrote_nothing(&world, &ran);
        // Reading needs no state folder at all.
        world.anp_without_rights("import --dry-run").exits(0);
    }
}

#[test]
fn a_state_folder_that_is_not_this_users_alone_is_78() {
    let world = one_article();
    let state = world.path("state");
    std::fs::create_dir(&state).unwrap();
    for mode in [0o777, 0o1777] {
        set_mode(&state, mode);
        let ran = world.anp("import");
        ran.exits(78).notes_exactly(&format!(
            "error: the state folder {} may be written by every user\n  \
             = expected: a folder of this user that no other user may write (chmod go-w)\n  \
             = retry: as the user that the folder belongs to, or with another --state-dir; nothing \
             was written\n",
            state.display()
        ));
        wrote_nothing(&world, &ran);
        // What only reads there may.
        world.anp("runs").exits(0);
        // A private server is started in no such folder.
        let embedded = world.anp("show /a/ --redis embedded");
        embedded.exits(78).notes(" may be written by every user");
    }
    set_mode(&state, 0o775);
    if state.metadata().unwrap().uid() == 0 {
        std::os::unix::fs::chown(&state, Some(65534), None).unwrap();
        let whose = "belongs to user 65534, not to 0";
        world.anp("import").exits(78).notes(whose);
        world.anp("rollback last").exits(2);
        std::os::unix::fs::chown(&state, Some(0), Some(65534)).unwrap();
        world.anp("import").exits(78).notes("the group 65534");
        std::os::unix::fs::chown(&state, None, Some(0)).unwrap();
    }
    world.anp("import").exits(0);
}

#[test]
fn a_link_in_the_place_of_the_lock_is_not_written_through() {
    let world = one_article();
    world.write("precious", "do not touch");
    for name in ["lock", "id"] {
        std::fs::create_dir_all(world.path("state")).unwrap();
        let link = world.path("state").join(name);
        let _ = std::fs::remove_file(&link);
        std::os::unix::fs::symlink(world.path("precious"), &link).unwrap();
        let ran = world.anp("import");
        ran.exits(74).notes(&format!("its file '{name}' is a link"));
        wrote_nothing(&world, &ran);
        let kept = std::fs::read_to_string(world.path("precious")).unwrap();
        assert_eq!(kept, "do not touch");
        std::fs::remove_file(&link).unwrap();
    }
}

#[test]
fn a_file_that_may_not_grow_is_74_and_leaves_no_lock() {
    let world = World::new();
    world.article("a.md", "A.");
    let ran = world.anp_with_small_files(0, "import");
    ran.exits(74).notes("File too large");
    wrote_nothing(&world, &ran);
    assert_eq!(world.server.expiry("anp:lock"), -2);
}

#[cfg(debug_assertions)]
#[test]
fn a_file_system_without_locks_or_durable_folders_is_named_as_that() {
    for (point, said) in [
        ("state.lock=ENOLCK", "its files cannot be locked (flock): "),
        (
            "state.sync=EINVAL",
            "its folders cannot be made durable (fsync): ",
        ),
    ] {
        let world = one_article();
        let ran = world.anp_with(&["import"], &[("ANP_FAIL_POINT", point)]);
        ran.exits(74)
            .notes(&format!(
                "error: cannot use the state folder {}: {said}",
                world.path("state").display()
            ))
            .notes("= expected: a file system with locks (flock)")
            .notes("= retry: safe with another --state-dir; nothing was written");
        wrote_nothing(&world, &ran);
    }
}

#[test]
fn a_full_disk_in_the_survey_is_74() {
    let world = World::new();
    world.article("a.md", &"text ".repeat(100_000));
    let ran = world.anp_with_small_files(64, "import");
    ran.exits(74).notes("state: File too large");
    wrote_nothing(&world, &ran);
    world.anp("runs").exits(0).says("stopped");
    world.anp("import").exits(0);
}

/// Text that zstd cannot make smaller.
fn noise(length: usize) -> String {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(b'!' + (state % 90) as u8)
    })
    .take(length)
    .collect()
}

#[test]
fn a_manifest_that_cannot_be_written_is_74_and_the_store_is_not_touched() {
    let world = one_article();
    // The intent has to keep it: far more than the spool needs.
    world.server.run(&["SET", "anp:page:/a/", &noise(500_000)]);
    let before = world.server.dump();
    let ran = world.anp_with_small_files(64, "import");
    ran.exits(74).notes_exactly(
        "error: cannot write the manifest: File too large (os error 27)\n  \
         = expected: a state folder that can be written, with free space\n  \
         = retry: safe once the cause is gone; no key was changed\n",
    );
    assert_eq!(world.server.dump(), before);
    assert_eq!(ran.counts()["created"], 0, "{ran}");
    // What is on the disk is a torn manifest, and undoing it does nothing.
    world.anp("rollback last").exits(3).notes("wrote nothing");
    world.anp("import").exits(0);
    world.anp("rollback last").exits(0);
    assert_eq!(world.server.dump(), before);
}

/// The rollback command that the run printed.
fn printed_rollback(ran: &Ran) -> String {
    let run = ran.of_type("run");
    run[0]["rollback"].as_str().unwrap().to_owned()
}

#[test]
fn a_server_out_of_memory_in_mid_run_is_75_and_the_way_back_is_open() {
    let world = World::new();
    for number in 0..40 {
        world.article(&format!("a{number:02}.md"), &noise(80_000));
    }
    for line in [
        "SET anp:page:/a00/ old PXAT 4000000000777",
        "RPUSH anp:page:/a01/ x y z",
        "SET other:key untouched",
    ] {
        world.server.command(line);
    }
    let before = world.server.dump();
    // The memory is there when the run begins, and gone when it has written some pages.
    let proxy = world.server.proxy(Trouble {
        fault: Fault::Held,
        at: b"$14\r\nanp:page:/a20/",
        skip: 1,
        times: 1,
    });
    let server = &world.server;
    let ran = std::thread::scope(|scope| {
        scope.spawn(|| {
            proxy.wait_for_fault();
            server.command("CONFIG SET maxmemory 1");
            proxy.release();
        });
        world.anp_with(&["import", "--redis", &proxy.url()], &[])
    });
    ran.exits(75)
        .notes("error: writing: the server answered OOM ")
        .notes("= retry: safe: roll back with the command below, or run the same command again\n");
    let rollback = printed_rollback(&ran);
    ran.notes(&format!("= rollback: {rollback}\n"));
    let counts = ran.counts();
    let written = counts["created"].as_u64().unwrap() + counts["updated"].as_u64().unwrap();
    let after = world.server.dump();
    let changed = after
        .iter()
        .filter(|(key, state)| before.get(*key) != Some(*state));
    assert_eq!(changed.count() as u64, written, "{ran}");
    assert_eq!(ran.of_type("key").len() as u64, written, "{ran}");
    assert!(written > 0 && written < 80, "it stopped in mid-run: {ran}");
    let runs = world.anp("runs --format json").lines();
    assert_eq!(runs[0]["status"], "stopped");
    assert_eq!(runs[0]["counts"], counts);

    let back = world.shell(&format!("{rollback} --format json"));
    back.exits(0);
    assert_eq!(world.server.dump(), before, "{back}");
}

#[test]
fn a_connection_lost_after_the_first_write_is_75_and_both_ways_out_work() {
    for roll_back in [true, false] {
        let world = one_article();
        world.article("b.md", "B.");
        // Cut each time it connects again, too.
        let proxy = world
            .server
            .proxy(Trouble::always(Fault::ReplyLost, b"$3\r\nSET\r\n"));
        let ran = world.anp_with(
            &["import", "--redis", &proxy.url(), "--deadline", "1s"],
            &[],
        );
        ran.exits(75)
            .notes("error: writing: ")
            .notes("= rollback: ");
        assert!(
            world.server.get("anp:page:/a/").is_some(),
            "a write arrived, its reply did not: {ran}"
        );
        // Nobody gave the lease back; this folder's next run takes it over.
        if roll_back {
            let url = world.server.url();
            world
                .anp_with(&["rollback", "last", "--redis", &url], &[])
                .exits(0);
            assert!(world.server.dump().is_empty(), "{ran}");
        } else {
            let again = world.anp("import");
            again.exits(0);
            assert!(world.server.get("anp:meta:/b/").is_some(), "{again}");
        }
    }
}

#[test]
fn a_connection_lost_before_the_first_write_is_69() {
    let world = one_article();
    let proxy = world
        .server
        .proxy(Trouble::always(Fault::ReplyLost, b"PEXPIRETIME"));
    let ran = world.anp_with(
        &["import", "--redis", &proxy.url(), "--deadline", "1s"],
        &[],
    );
    ran.exits(69).notes("= retry: safe, nothing was written\n");
    assert_eq!(world.server.expiry("anp:page:/a/"), -2, "{ran}");
}

#[test]
fn missing_or_wrong_credentials_are_77() {
    let world = one_article();
    world.server.command("CONFIG SET requirepass right-one");
    let wrong = format!(
        "redis+unix://{}?pass=wrong-one",
        world.server.socket().display()
    );
    let none = world.server.url();
    for url in [&none, &wrong] {
        for command in [&["import"][..], &["show", "/a/"]] {
            let arguments = [command, &["--redis", url]].concat();
            let ran = world.anp_with(&arguments, &[]);
            ran.exits(77)
                .notes("= retry: after you change the credentials; nothing was written")
                .hides(ACL_LINE)
                .hides("wrong-one");
        }
    }
    world
        .anp_with(&["import"], &[("ANP_REDIS_PASSWORD", "right-one")])
        .exits(0);
}

/// A user with the rights of [`ACL_LINE`] on a server, and what anp does with them.
struct Restricted {
    world: World,
    url: String,
}

impl Restricted {
    fn new() -> Self {
        let world = World::with_server(Server::start());
        world
            .server
            .command(&ACL_LINE.replace("PASSWORD", "s3cret"));
        let socket = world.server.socket();
        let url = format!(
            "redis+unix://{}?db=1&user=anp&pass=s3cret",
            socket.display()
        );
        Self { world, url }
    }

    fn anp(&self, line: &str) -> Ran {
        let arguments: Vec<&str> = line.split(' ').collect();
        let variables = [("ANP_REDIS_URL", self.url.as_str())];
        self.world.anp_with(&arguments, &variables)
    }

    /// As the administrator, in the database of the user.
    fn admin<T: redis::FromRedisValue>(&self, line: &str) -> T {
        let url = format!("{}?db=1", self.world.server.url());
        let mut connection = redis::Client::open(url).unwrap().get_connection().unwrap();
        let mut command = redis::Cmd::new();
        for word in line.split(' ') {
            command.arg(word);
        }
        command.query(&mut connection).unwrap()
    }

    /// Everything that needs a right of its own, until the first that fails.
    fn use_every_right(&self) -> Result<(), Ran> {
        let world = &self.world;
        let _ = std::fs::remove_dir_all(world.path("state"));
        for line in [
            "FLUSHALL",
            "SCRIPT FLUSH",
            "RPUSH anp:page:/list/ a b",
            "HSET anp:page:/hash/ field value",
            "SADD anp:page:/set/ member",
            "ZADD anp:page:/zset/ 1 member",
            "XADD anp:page:/stream/ 1-1 field value",
            "SET anp:page:/string/ old",
        ] {
            self.admin::<redis::Value>(line);
        }
        for name in ["list", "hash", "set", "zset", "stream", "string", "fresh"] {
            world.article(&format!("{name}.md"), "Text.");
        }
        let works = |line: &str| {
            let ran = self.anp(line);
            if ran.code == 0 { Ok(ran) } else { Err(ran) }
        };
        let first = works("import")?;
        if self.admin::<bool>("EXISTS anp:lock") {
            return Err(first);
        }
        works("verify last")?;
        works("show /fresh/")?;
        works("purge --all --yes")?;
        works("warm")?;
        works("rollback last")?;
        works(&format!("rollback {}", world.runs()[1]))?;
        // A refresh that gives an expiry to a key without one, and takes it away again.
        let at: i64 = self.admin("PEXPIRETIME anp:page:/fresh/");
        self.admin::<()>("PERSIST anp:page:/fresh/");
        works("import")?;
        works("rollback last")?;
        self.admin::<()>(&format!("PEXPIREAT anp:page:/fresh/ {at}"));
        std::fs::remove_file(world.path("content/fresh.md")).unwrap();
        works("import --prune --force")?;
        works("rollback last")?;
        works(&format!("rollback {}", world.runs()[0]))?;
        // A connection that a dead run left behind.
        let url = self.world.server.url() + "?db=1";
        let mut dead = redis::Client::open(url).unwrap().get_connection().unwrap();
        redis::cmd("CLIENT")
            .arg(&["SETNAME", "anp:anp:dead"])
            .query::<()>(&mut dead)
            .unwrap();
        works(&format!("rollback {}", world.runs()[0]))?;
        self.admin::<()>("SET anp:lock held PX 20000");
        let ran = self.anp("import");
        self.admin::<()>("DEL anp:lock");
        if ran.code == 11 { Ok(()) } else { Err(ran) }
    }
}

#[test]
fn a_user_without_a_password_is_not_taken_for_the_default_user() {
    let world = one_article();
    for line in [
        "ACL SETUSER half on >secret ~* +@all",
        "ACL SETUSER open on nopass ~* +@all",
    ] {
        world.server.command(line);
    }
    let as_user = |user: &str| {
        let url = format!("{}?user={user}", world.server.url());
        world.anp_with(&["import", "--redis", &url], &[])
    };
    as_user("half").exits(77);
    assert!(world.server.dump().is_empty());
    as_user("open").exits(0);
}

#[test]
fn the_rights_of_the_printed_line_are_enough() {
    let restricted = Restricted::new();
    if let Err(ran) = restricted.use_every_right() {
        panic!("the rights of the ACL line do not suffice: {ran}");
    }
    assert_eq!(
        restricted.admin::<i64>("DBSIZE"),
        6,
        "all is as it was before"
    );
}

#[test]
fn none_of_the_rights_of_the_printed_line_is_superfluous() {
    let restricted = Restricted::new();
    let rights: Vec<&str> = ACL_LINE
        .split(' ')
        .filter_map(|word| word.strip_prefix('+'))
        .collect();
    assert!(rights.len() > 20, "{rights:?}");
    let mut failed = BTreeMap::new();
    for right in &rights {
        restricted.admin::<()>(&format!("ACL SETUSER anp -{right}"));
        let Err(ran) = restricted.use_every_right() else {
            panic!("nothing needs +{right}");
        };
        restricted.admin::<()>(&format!("ACL SETUSER anp +{right}"));
        failed.insert(*right, ran);
    }
    for (right, ran) in failed {
        assert!([77, 75].contains(&ran.code), "without +{right}: {ran}");
    }
}

#[test]
fn promise_9_a_run_that_its_own_user_cannot_undo_does_not_begin() {
    let restricted = Restricted::new();
    restricted.world.article("a.md", "A.");
    // From here on the server knows the scripts.
    restricted.anp("import").exits(0);
    restricted.anp("rollback last").exits(0);
    let only_pages = "resetkeys ~anp:page:* ~anp:lock ~anp:switch";
    for (taken, given, named) in [
        ("-script|load", "+script|load", "script|load"),
        ("-client|kill", "+client|kill", "client|kill"),
        ("-unlink", "+unlink", "unlink"),
        ("-getrange", "+getrange", "getrange"),
        ("-restore", "+restore", "restore"),
        ("-del", "+del", "del"),
        (
            only_pages,
            "resetkeys ~anp:*",
            "this user may run type on keys such as anp:",
        ),
    ] {
        restricted.admin::<()>(&format!("ACL SETUSER anp {taken}"));
        for line in ["import", "warm", "purge /a/", "rehearse"] {
            let ran = restricted.anp(line);
            ran.exits(77).notes(named).notes("nothing was written");
            assert_eq!(restricted.admin::<i64>("DBSIZE"), 0, "{ran}");
        }
        restricted.admin::<()>(&format!("ACL SETUSER anp {given}"));
    }
    restricted.anp("import").exits(0);
    restricted.anp("rollback last").exits(0);
    assert_eq!(restricted.admin::<i64>("DBSIZE"), 0);
}

#[test]
fn promise_9_a_value_that_the_server_does_not_take_is_named_before_the_first_write() {
    let world = World::with_server(Server::start_with(&["--proto-max-bulk-len", "1mb"]));
    world.article("a.md", "A.");
    world.anp("import").exits(0);
    let before = world.server.dump();
    world.article("large/b.md", &"words and more words ".repeat(60_000));
    let ran = world.anp("import");
    ran.exits(65)
        .notes("error: anp:page:/large/b/: a value of 1")
        .notes("its proto-max-bulk-len is smaller")
        .notes("nothing was written");
    assert!(world.server.dump() == before, "{ran}");
    world
        .server
        .command("CONFIG SET proto-max-bulk-len 536870912");
    world.anp("import").exits(0);
    // What could not be brought back is not replaced either.
    let theirs = "t".repeat(3 << 20);
    world.server.run(&["SET", "anp:meta:/a/", &theirs]);
    world
        .server
        .command("CONFIG SET proto-max-bulk-len 2097152");
    for line in ["import", "purge /a/"] {
        let ran = world.anp(line);
        ran.exits(65)
            .notes("error: anp:meta:/a/: a value of 3145728 bytes");
        assert!(world.server.get("anp:meta:/a/").unwrap() == theirs, "{ran}");
    }
}

#[test]
fn a_wrong_settings_file_is_78_with_the_place_and_a_guess() {
    let world = one_article();
    world.write(
        "anp.yaml",
        "# settings\nprefx: a\nttl: 5s\nstrict: maybe\nsite:\n  titel: x\n  url: ftp://x\n",
    );
    let file = world.path("anp.yaml");
    let file = file.display();
    let ran = world.anp("import");
    ran.exits(78).notes_exactly(&format!(
        "
error: settings[unknown-key]: unknown key 'prefx'
 --> {file}:2:1
  |
2 | prefx
  | ^^^^^
  = help: did you mean 'prefix'?
error: settings[unknown-key]: unknown key 'titel'
 --> {file}:6:3
  |
6 |   titel
  |   ^^^^^
error: settings[strict]: expected true or false, found 'maybe'
 --> {file}:4:9
  |
4 | strict: maybe
  |         ^^^^^
error: settings[site.url]: line 7: expected an http(s) URL without query or fragment, found 'ftp://x'
 --> {file}
error: settings[ttl]: expected a duration from 1m to 3650d (for example 12h), found '5s'
 --> {file}:3:6
  |
3 | ttl: 5s
  |      ^^
  = retry: after you fix the settings; nothing was written
"
    ));
    assert!(world.server.dump().is_empty());
}

#[test]
fn other_faults_of_the_settings_are_78_too() {
    let world = one_article();
    for (text, words) in [
        (
            "prefix: \"a\n",
            "error: settings[yaml]: expected a closing quote",
        ),
        (
            "ttl: 1h\nttl: 2h\n",
            "expected each key once, found 'ttl' again (first on line 1)",
        ),
        ("- a\n", "error: settings[settings]: expected a mapping"),
        (
            "site: x\n",
            "error: settings[settings]: expected a mapping, found 'x'",
        ),
        (
            "jitter: 26%\n",
            "error: settings[jitter]: expected a percentage from 0% to 25%",
        ),
        (
            "max_invalid: lots\n",
            "error: settings[max_invalid]: expected a count or a percentage",
        ),
        (
            "unknown_fields: deny-all\n",
            "error: settings[unknown_fields]: expected keep, warn or deny",
        ),
    ] {
        world.write("anp.yaml", text);
        world.anp("import").exits(78).notes(words);
    }
    std::fs::remove_file(world.path("anp.yaml")).unwrap();
    for (variable, value, words) in [
        ("ANP_TTL", "5", "error: ANP_TTL: expected a duration"),
        (
            "ANP_STRICT",
            "maybe",
            "error: ANP_STRICT: expected true or false, found 'maybe'\n",
        ),
        (
            "ANP_REDIS_URL",
            "localhost",
            "error: ANP_REDIS_URL: expected 'embedded', redis://",
        ),
        (
            "ANP_CONFIG",
            "gone.yaml",
            "error: cannot read the settings file ",
        ),
    ] {
        let ran = world.anp_with(&["import"], &[(variable, value)]);
        ran.exits(78).notes(words);
    }
    world
        .anp("import --config gone.yaml")
        .exits(78)
        .notes("No such file or directory");
    assert!(world.server.dump().is_empty());
}

#[test]
fn manifests_that_cannot_be_listed_are_not_said_to_be_unwritable() {
    let world = World::new();
    world.article("a.md", "A.");
    world.anp_without_rights("import").exits(0);
    let runs = world.path("state-without-rights/runs");
    crate::support::set_mode(&runs, 0o300);
    let expected = format!(
        "
error: cannot list the runs in {}: Permission denied (os error 13)
  = expected: a state folder that can be read
  = retry: safe once the folder can be read; nothing was written to the store
",
        runs.display()
    );
    let ran = world.anp_without_rights("import");
    ran.exits(74).notes_exactly(&expected);
    crate::support::set_mode(&runs, 0o700);
}
