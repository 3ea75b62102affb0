//! Settings: which place wins, where relative paths start, which forms an address has, and
//! that no password is ever shown.

use std::path::Path;
use std::process::Command;

use crate::support::{Ran, Server, World};

/// One article, and settings given in some of the three places.
struct Places {
    world: World,
    yaml: String,
    variables: Vec<(&'static str, String)>,
    flags: Vec<String>,
}

impl Places {
    fn new() -> Self {
        let world = World::new();
        world.article("a.md", "A.");
        Self {
            world,
            yaml: String::new(),
            variables: Vec::new(),
            flags: Vec::new(),
        }
    }

    fn yaml(mut self, line: &str) -> Self {
        self.yaml += &format!("{line}\n");
        self
    }

    fn variable(mut self, name: &'static str, value: &str) -> Self {
        self.variables.push((name, value.to_owned()));
        self
    }

    fn flag(mut self, name: &str, value: &str) -> Self {
        self.flags.extend([name.to_owned(), value.to_owned()]);
        self
    }

    /// `anp LINE`, with the server and the state folder as variables.
    fn anp(&self, line: &str) -> Ran {
        self.world.write("anp.yaml", &self.yaml);
        let arguments = line.split(' ').chain(self.flags.iter().map(String::as_str));
        let arguments: Vec<&str> = arguments.collect();
        let variables: Vec<(&str, &str)> = self
            .variables
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        self.world.anp_with(&arguments, &variables)
    }
}

/// A setting that the header of a run shows wins in this order: flag, variable, file.
#[track_caller]
fn wins(member: &str, (flag, variable, key): (&str, &'static str, &str), values: [&str; 3]) {
    let [in_flag, in_variable, in_file] = values;
    let file = Places::new().yaml(&format!("{key}: {in_file}"));
    let shown = |places: &Places| {
        let ran = places.anp("import");
        ran.exits(0);
        let runs = ran.of_type("run");
        runs[0][member].as_str().unwrap().to_owned()
    };
    assert_eq!(shown(&file), in_file);
    let both = file.variable(variable, in_variable);
    assert_eq!(shown(&both), in_variable);
    let all = both.flag(flag, in_flag);
    assert_eq!(shown(&all), in_flag);
    let without_variable = Places {
        variables: Vec::new(),
        ..all
    };
    assert_eq!(shown(&without_variable), in_flag);
}

#[test]
fn a_flag_wins_over_a_variable_which_wins_over_the_file() {
    wins(
        "owner",
        ("--owner", "ANP_OWNER", "owner"),
        ["flo", "vera", "file"],
    );
    wins(
        "prefix",
        ("--prefix", "ANP_PREFIX", "prefix"),
        ["f", "v", "y"],
    );
    wins(
        "expected_result",
        (
            "--expected-result",
            "ANP_EXPECTED_RESULT",
            "expected_result",
        ),
        ["in the flag", "in the variable", "in the file"],
    );
}

#[test]
fn an_empty_variable_is_none() {
    let places = Places::new().yaml("owner: file").variable("ANP_OWNER", "");
    let ran = places.anp("import");
    assert_eq!(ran.of_type("run")[0]["owner"], "file", "{ran}");
}

/// Hours until the page expires, to the next whole one.
fn hours_left(world: &World) -> i64 {
    let now_ms = jiff::Timestamp::now().as_millisecond();
    (world.server.expiry("anp:page:/a/") - now_ms + 1_800_000) / 3_600_000
}

#[test]
fn the_ttl_too_and_its_default_is_a_week() {
    let hour_of = |places: &Places| {
        places.world.server.command("FLUSHALL");
        places.anp("import").exits(0);
        hours_left(&places.world)
    };
    let default = Places::new().yaml("jitter: 0%");
    assert_eq!(hour_of(&default), 7 * 24);
    let file = default.yaml("ttl: 3h");
    assert_eq!(hour_of(&file), 3);
    let variable = file.variable("ANP_TTL", "5h");
    assert_eq!(hour_of(&variable), 5);
    let flag = variable.flag("--ttl", "9h");
    assert_eq!(hour_of(&flag), 9);
}

#[test]
fn limits_and_switches_are_read_from_each_place() {
    let broken = |places: Places| {
        // One would be tolerated.
        for name in ["bad", "worse"] {
            let file = format!("content/{name}.md");
            places.world.write(&file, "---\nscore: x\n---\nText.\n");
        }
        places
    };
    broken(Places::new()).anp("check").exits(65);
    broken(Places::new().yaml("max_invalid: 80%"))
        .anp("check")
        .exits(3);
    broken(Places::new().variable("ANP_MAX_INVALID", "2"))
        .anp("check")
        .exits(3);
    broken(
        Places::new()
            .yaml("max_invalid: 80%")
            .variable("ANP_MAX_INVALID", "0"),
    )
    .anp("check")
    .exits(65);
    broken(
        Places::new()
            .variable("ANP_MAX_INVALID", "0")
            .flag("--max-invalid", "2"),
    )
    .anp("check")
    .exits(3);

    for places in [
        Places::new().yaml("strict: true"),
        Places::new().variable("ANP_STRICT", "true"),
    ] {
        places
            .anp("check")
            .exits(65)
            .says("strict mode requires this field");
    }
    // A variable switches off what the file switched on.
    Places::new()
        .yaml("strict: true")
        .variable("ANP_STRICT", "false")
        .anp("check")
        .exits(0);
    let places = Places::new().yaml("unknown_fields: deny");
    places
        .world
        .write("content/b.md", "---\ntitle: b\nmenu: 1\n---\nText.\n");
    places.anp("check").exits(3).says("error[unknown-field]");
    places
        .flag("--unknown-fields", "keep")
        .anp("check")
        .exits(0);
}

#[test]
fn relative_paths_start_at_the_settings_file_elsewhere_at_the_current_folder() {
    let world = World::new();
    world.write("site/articles/in-site.md", "---\ntitle: site\n---\nText.\n");
    world.write(
        "site/look/footer.html",
        "<footer>The look of the site</footer>",
    );
    world.write("here/in-here.md", "---\ntitle: here\n---\nText.\n");
    world.write(
        "site/anp.yaml",
        "content: articles\nstate_dir: state-of-site\ntemplates: look\n",
    );
    let anp = |arguments: &[&str]| {
        let mut command = world.bare();
        command.env("ANP_REDIS_URL", world.server.url());
        Ran::of(command.args(arguments))
    };
    anp(&["import", "--config", "site/anp.yaml"]).exits(0);
    let page = world.server.get("anp:page:/in-site/").unwrap();
    assert!(page.contains("The look of the site"), "{page}");
    assert!(world.path("site/state-of-site/runs").is_dir());

    anp(&[
        "import",
        "here",
        "--config",
        "site/anp.yaml",
        "--state-dir",
        "st",
    ])
    .exits(0);
    assert!(world.server.get("anp:page:/in-here/").is_some());
    assert!(world.path("st/runs").is_dir());

    // The printed command works from any folder.
    let runs = anp(&["runs", "--config", "site/anp.yaml", "--format", "json"]).lines();
    let rollback = runs[0]["rollback"].as_str().unwrap();
    let mut elsewhere = world.program("sh");
    elsewhere.args(["-c", rollback]).current_dir("/");
    Ran::of(&mut elsewhere).exits(0);
    assert!(world.server.get("anp:page:/in-site/").is_none());
}

/// anp in a folder of this world, without any setting but those of anp.yaml.
fn anp_in(world: &World, folder: &str, line: &str) -> Ran {
    let mut command = world.bare();
    command.current_dir(world.path(folder));
    Ran::of(command.args(line.split(' ')))
}

#[test]
fn a_settings_file_is_found_in_the_folders_above_and_its_paths_start_there() {
    let world = World::new();
    world.article("a/deep/a.md", "A.");
    world.write(
        "anp.yaml",
        format!("redis: {}\nstate_dir: st\n", world.server.url()),
    );
    // From a folder below, it is the same store, state folder and content.
    for (folder, exit) in [("content/a/deep", 0), ("", 0)] {
        anp_in(&world, folder, "import").exits(exit);
    }
    // The second one wrote nothing, so it has no way back, and is not the last.
    let run = anp_in(&world, "content", "runs show last --format json");
    let config = world.path("anp.yaml");
    let rollback = run.of_type("run")[0]["rollback"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(rollback.ends_with(&format!("--config {}", config.display())));
    assert!(world.path("st/runs").is_dir());
    assert!(world.server.get("anp:page:/a/deep/a/").is_some());
    // The nearest one counts, and alone.
    world.write(
        "content/anp.yaml",
        "redis: embedded\nprefix: near\ncontent: a\n",
    );
    let ran = anp_in(&world, "content/a", "import --dry-run");
    ran.exits(0).says("embedded:").says("near:page:/deep/a/");
    anp_in(&world, "", "show /a/deep/a/").exits(0);
}

#[test]
fn without_a_store_a_command_says_how_to_set_one_and_starts_none() {
    let world = World::new();
    world.article("a.md", "A.");
    for line in [
        "import",
        "import --dry-run",
        "rehearse",
        "warm",
        "purge /a/",
        "pause --reason x",
        "resume",
        "unlock x",
        "show /a/",
        "serve --addr 127.0.0.1:0",
        "probe http://127.0.0.1:1/ --routes /a/",
    ] {
        let ran = anp_in(&world, "", line);
        ran.exits(78)
            .notes("error: no store is set (no anp.yaml in this folder or above it)\n")
            .notes("  = expected: --redis URL, ANP_REDIS_URL, or 'redis:' in anp.yaml;")
            .notes("nothing was written");
    }
    world.write("anp.yaml", "prefix: a\n");
    let file = world.path("anp.yaml");
    anp_in(&world, "", "import").exits(78).notes(&format!(
        "error: no store is set ({} has no 'redis:')\n",
        file.display()
    ));
    assert!(!world.path(".local").exists(), "nothing was begun");
    // Those that need none go on.
    for line in ["check", "runs", "schema", "synth --count 1 --out load"] {
        anp_in(&world, "", line).exits(0);
    }
    // A manifest names its store itself.
    world.anp("import --state-dir state").exits(0);
    for line in ["verify last", "rollback last"] {
        anp_in(&world, "", &format!("{line} --state-dir state")).exits(0);
    }
    assert!(world.server.dump().is_empty());
}

#[test]
fn without_home_no_command_that_writes_makes_up_a_state_folder() {
    let world = World::new();
    world.article("a.md", "A.");
    let anp = |line: &str, redis: &str| {
        let mut command = world.bare();
        command.env_remove("HOME").env("ANP_REDIS_URL", redis);
        Ran::of(command.args(line.split(' ')))
    };
    let url = world.server.url();
    for line in [
        "import",
        "warm",
        "rehearse",
        "rollback last",
        "runs",
        "purge --run last",
    ] {
        anp(line, &url)
            .exits(78)
            .notes("error: no state folder is set, and there is no HOME that it could be below\n")
            .notes(
                "  = expected: --state-dir DIR, ANP_STATE_DIR, 'state_dir:' in anp.yaml, or HOME\n",
            );
    }
    assert!(!world.path(".local").exists());
    assert!(world.server.dump().is_empty());
    anp("import --state-dir st", &url).exits(0);
    anp("show /a/", &url).exits(0);
    anp("check", &url).exits(0);
    anp("show /a/", "embedded").exits(78);
}

#[test]
fn a_settings_file_of_another_user_counts_only_where_it_is_named() {
    let world = World::new();
    world.article("a.md", "A.");
    let text = format!("redis: {}\nstate_dir: st\n", world.server.url());
    world.write("anp.yaml", &text);
    // To nobody, a file of root is fine; to root, one of nobody is not.
    let file = world.path("anp.yaml");
    if std::os::unix::fs::chown(&file, Some(65534), None).is_err() {
        // Only root can give a file away; who counts is tested beside the code.
        return;
    }
    for folder in ["", "content"] {
        anp_in(&world, folder, "import")
            .exits(78)
            .notes(&format!(
                "error: the settings file {} belongs to another user (uid 65534)\n",
                file.display()
            ))
            .notes("one that --config or ANP_CONFIG names");
    }
    assert!(world.server.dump().is_empty());
    // A link of theirs to a file of ours decides as much.
    world.write("content/mine.yaml", &text);
    world.shell("ln -s mine.yaml content/anp.yaml && chown -h 65534 content/anp.yaml");
    anp_in(&world, "content", "check").exits(78);
    anp_in(&world, "", "import --config anp.yaml").exits(0);
    assert_eq!(world.server.dump().len(), 2);
    let refused = anp_in(&world, "", "check");
    refused.notes("without any settings file, with --config /dev/null; nothing was written\n");
    anp_in(&world, "", "check --config /dev/null").exits(0);
}

#[test]
fn dev_null_stands_for_no_settings_file() {
    let world = World::new();
    world.article("a.md", "A.");
    world.write("anp.yaml", "unknown: 1\n");
    world.anp("check").exits(78);
    let ran = world.anp("import --config /dev/null");
    ran.exits(0);
    // Printed commands name it too, since the file would count without.
    let line = ran.lines()[0]["rollback"].as_str().unwrap().to_owned();
    assert!(line.ends_with(" --config /dev/null"), "{line}");
    world.shell(&line).exits(0);
    let ran = world.anp_with(&["check"], &[("ANP_CONFIG", "/dev/null")]);
    ran.exits(0);
    world.anp("check --config /dev/zero").exits(78);
    world.shell("ln -s /dev/null none.yaml");
    world.anp("check --config none.yaml").exits(78);
}

#[test]
fn messages_about_a_default_folder_say_that_no_settings_file_was_found() {
    let world = World::new();
    let anp = |line: &str| {
        let mut command = world.bare();
        command
            .args(line.split(' '))
            .env("ANP_REDIS_URL", world.server.url());
        Ran::of(&mut command)
    };
    let clause = ", the default without an anp.yaml in this folder or above it";
    let state = world.path(".local/state/anp");
    let runs = format!("no run is recorded in {}{clause}\n", state.display());
    anp("runs").exits(0).says(&runs);
    for line in ["rollback last", "verify last", "runs show last"] {
        anp(line).exits(2).notes(&runs);
    }
    let content = format!("no article found in content{clause}\n");
    anp("check").exits(65).notes(&content);
    std::fs::remove_dir(world.path("content")).unwrap();
    let content = format!("cannot read the content folder content{clause}: No such file");
    anp("check").exits(65).notes(&content);
    std::fs::create_dir(world.path("content")).unwrap();
    // Where it was named, or a settings file was found, it is no news.
    anp("check content").exits(65).hides(clause);
    anp("runs --state-dir st").exits(0).hides(clause);
    world.write("anp.yaml", "ttl: 1d\n");
    anp("runs").exits(0).hides(clause);
    anp("check").exits(65).hides(clause);
}

#[test]
fn settings_and_templates_are_regular_files_of_bounded_size() {
    let world = World::new();
    world.article("a.md", "A.");
    world.shell(
        "mkfifo anp.yaml look.fifo; ln -s /dev/zero zero; mkdir look; mkfifo look/footer.html",
    );
    // A FIFO would be waited for, /dev/zero would fill the memory.
    for config in ["anp.yaml", "zero"] {
        world
            .anp(&format!("check --config {config}"))
            .exits(78)
            .notes("not a regular file");
    }
    world.anp("check").exits(78).notes("not a regular file");
    std::fs::remove_file(world.path("anp.yaml")).unwrap();
    world.write("large.yaml", "#".repeat(256 * 1024 + 1));
    world
        .anp("check --config large.yaml")
        .exits(78)
        .notes("larger than 256 KiB");
    let look = || world.anp("check --templates look");
    look().exits(78).notes("not a regular file");
    world.shell("rm look/footer.html && ln -s ../zero look/footer.html");
    look().exits(78).notes("not a regular file");
    world.shell("rm look/footer.html");
    look().exits(0);
}

#[test]
fn the_state_folder_is_the_xdg_one_unless_another_is_named() {
    let world = World::new();
    world.article("a.md", "A.");
    let import = |variable: &str, value: &Path| {
        let mut command = world.bare();
        command.env("ANP_REDIS_URL", world.server.url());
        Ran::of(command.env(variable, value).arg("import")).exits(0);
    };
    import("HOME", world.folder.path());
    assert!(world.path(".local/state/anp/runs").is_dir());
    import("XDG_STATE_HOME", &world.path("xdg"));
    assert!(world.path("xdg/anp/runs").is_dir());
    // The specification has relative ones ignored.
    import("XDG_STATE_HOME", Path::new("relative"));
    assert!(!world.path("relative").exists());
    import("ANP_STATE_DIR", &world.path("named"));
    assert!(world.path("named/runs").is_dir());
}

/// A server that also listens on a port of 127.0.0.1 that was free a moment ago.
fn with_port() -> (World, u16) {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let world = World::with_server(Server::start_with(&[
        "--bind",
        "127.0.0.1",
        "--port",
        &port.to_string(),
    ]));
    world.article("a.md", "A.");
    (world, port)
}

#[test]
fn an_address_is_a_url_of_a_port_or_of_a_socket_with_a_database() {
    let (world, port) = with_port();
    let socket = world.server.socket();
    let socket = socket.display();
    for (url, db) in [
        (format!("redis://127.0.0.1:{port}"), 0),
        (format!("redis://127.0.0.1:{port}/2"), 2),
        (format!("redis+unix://{socket}?db=3"), 3),
        (format!("redis+unix://{socket}"), 0),
    ] {
        world.server.command("FLUSHALL");
        world.anp_with(&["import", "--redis", &url], &[]).exits(0);
        let keyspace: String = redis::cmd("INFO")
            .arg("keyspace")
            .query(&mut world.server.connection())
            .unwrap();
        let used: Vec<&str> = keyspace
            .lines()
            .filter(|line| line.starts_with("db"))
            .collect();
        assert_eq!(used.len(), 1, "{keyspace}");
        assert!(
            used[0].starts_with(&format!("db{db}:keys=2,")),
            "{keyspace}"
        );
        // Without naming it again: the manifest knows the database.
        world.anp("rollback last").exits(0);
        assert!(world.server.dump().is_empty());
    }
}

const SECRET: &str = "s3cret-W0rd";

/// The secret is nowhere in the folder: neither plain nor inside a manifest.
#[track_caller]
fn holds_no_secret(folder: &Path) {
    let holds = |bytes: &[u8]| bytes.windows(SECRET.len()).any(|w| w == SECRET.as_bytes());
    for entry in walkdir::WalkDir::new(folder) {
        let entry = entry.unwrap();
        if !entry.file_type().is_file() {
            continue;
        }
        let bytes = std::fs::read(entry.path()).unwrap();
        assert!(!holds(&bytes), "{} holds it", entry.path().display());
        if entry
            .path()
            .extension()
            .is_some_and(|ending| ending == "zst")
        {
            let text = zstd::decode_all(&bytes[..]).unwrap();
            assert!(!text.is_empty());
            assert!(!holds(&text), "{} holds it", entry.path().display());
        }
    }
}

/// A server with a user `anp` whose password is [`SECRET`]; the default user may do nothing.
fn guarded() -> (World, u16) {
    let (world, port) = with_port();
    world
        .server
        .command(&format!("ACL SETUSER anp on >{SECRET} ~* +@all"));
    (world, port)
}

#[test]
fn a_password_that_works_is_never_shown_or_kept() {
    let (world, port) = guarded();
    let socket = world.server.socket();
    let port_url = format!("redis://anp:{SECRET}@127.0.0.1:{port}/0");
    let socket_url = format!("redis+unix://{}?user=anp&pass={SECRET}", socket.display());
    for url in [&port_url, &socket_url] {
        for command in [
            "import",
            "import --dry-run",
            "verify last",
            "show /a/",
            "runs",
        ] {
            for format in ["text", "json"] {
                let line = format!("{command} --format {format}");
                let arguments: Vec<&str> = line.split(' ').collect();
                let variables = [("ANP_REDIS_URL", url.as_str())];
                world
                    .anp_with(&arguments, &variables)
                    .exits(0)
                    .hides(SECRET);
                let arguments = [&arguments[..], &["--redis", url]].concat();
                world.anp_with(&arguments, &[]).exits(0).hides(SECRET);
            }
        }
    }
    world.write("anp.yaml", format!("redis: {port_url}\n"));
    let in_file = |line: &str| {
        let mut command = world.bare();
        command.env("ANP_STATE_DIR", world.path("state"));
        Ran::of(command.args(line.split(' ')))
    };
    world.article("a.md", "Changed.");
    in_file("import").exits(0).hides(SECRET);
    in_file("rollback last").exits(0).hides(SECRET);
    in_file("runs").exits(0).hides(SECRET);
    holds_no_secret(&world.path("state"));
}

#[test]
fn a_password_that_does_not_work_is_never_shown_either() {
    let (world, port) = guarded();
    let closed = "redis://anp:s3cret-W0rd@127.0.0.1:1/0".to_owned();
    let other_user = format!("redis://nobody:{SECRET}@127.0.0.1:{port}/0");
    let no_port = format!("redis://anp:{SECRET}@127.0.0.1:port/0");
    let no_scheme = format!("anp:{SECRET}@127.0.0.1");
    let other_scheme = format!("http://anp:{SECRET}@127.0.0.1/");
    let no_database = format!("redis://anp:{SECRET}@127.0.0.1:{port}/none");
    let relative = format!("redis+unix://socket?pass={SECRET}");
    let cut = format!("redis://anp:{SECRET}@");
    for (url, exit) in [
        (&closed, 69),
        (&other_user, 77),
        (&no_port, 78),
        (&no_scheme, 78),
        (&other_scheme, 78),
        (&no_database, 78),
        (&relative, 78),
        (&cut, 78),
    ] {
        let in_flag = if exit == 78 { 2 } else { exit };
        for command in ["import", "show /a/", "rollback last"] {
            let arguments: Vec<&str> = command.split(' ').collect();
            let with_flag = [&arguments[..], &["--redis", url]].concat();
            let ran = world.anp_with(&with_flag, &[]);
            ran.hides(SECRET);
            if command != "rollback last" {
                ran.exits(in_flag);
                let variables = [("ANP_REDIS_URL", url.as_str())];
                world
                    .anp_with(&arguments, &variables)
                    .exits(exit)
                    .hides(SECRET);
                for quoted in [format!("redis: {url}\n"), format!("redis: \"{url}\"\n")] {
                    world.write("anp.yaml", quoted);
                    let mut command = world.bare();
                    command.env("ANP_STATE_DIR", world.path("state"));
                    Ran::of(command.args(&arguments)).exits(exit).hides(SECRET);
                }
                std::fs::remove_file(world.path("anp.yaml")).unwrap();
            }
        }
    }
    let variables = [("ANP_REDIS_PASSWORD", SECRET)];
    world
        .anp_with(&["import"], &variables)
        .exits(77)
        .hides(SECRET);
    if world.path("state").exists() {
        holds_no_secret(&world.path("state"));
    }
}

#[test]
fn what_is_wrong_in_the_settings_file_is_shown_without_a_password() {
    let world = World::new();
    world.article("a.md", "A.");
    for yaml in [
        format!("password: {SECRET}\n"),
        format!("redis_password: '{SECRET}'\n"),
        format!("secret: {SECRET}\n"),
        format!("redis: [anp, {SECRET}]\n"),
        format!("redis: {{password: {SECRET}}}\n"),
        format!("redis:\n  host: h\n  password: {SECRET}\n"),
        format!("redis: \"redis://anp:{SECRET}@h\n"),
        format!("redis: 'anp:{SECRET}@h\n"),
        format!("prefix: a\nredis: redis://anp:{SECRET}@h\nredis: redis://anp:{SECRET}@h\n"),
        format!("prefix: a: b\npassword: {SECRET}\n"),
        format!("password: {SECRET} : [\n"),
    ] {
        world.write("anp.yaml", &yaml);
        let ran = Ran::of(world.bare().arg("import"));
        ran.exits(78).hides(SECRET).notes("anp.yaml");
    }
}

#[test]
fn the_password_of_the_environment_goes_to_whichever_server_is_used() {
    let (world, port) = guarded();
    world.server.command("ACL SETUSER default off");
    let password = ("ANP_REDIS_PASSWORD", SECRET);
    let url = format!("redis://anp@127.0.0.1:{port}/0");
    world
        .anp_with(&["import"], &[("ANP_REDIS_URL", &url), password])
        .exits(0)
        .hides(SECRET);
    // A password inside the URL wins.
    let wrong = format!("redis://anp:wrong@127.0.0.1:{port}/0");
    world
        .anp_with(&["import"], &[("ANP_REDIS_URL", &wrong), password])
        .exits(77);
    holds_no_secret(&world.path("state"));
}

#[test]
fn the_printed_rollback_works_where_a_flag_named_the_user() {
    let (world, port) = guarded();
    world.server.command("ACL SETUSER default off");
    let password = ("ANP_REDIS_PASSWORD", SECRET);
    let url = format!("redis://anp@127.0.0.1:{port}/0");
    let ran = world.anp_with(&["import", "--redis", &url], &[password]);
    ran.exits(0);
    let rollback = ran.of_type("run")[0]["rollback"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(!rollback.contains(SECRET), "{rollback}");
    let mut shell: Command = world.program("sh");
    shell
        .args(["-c", &rollback])
        .env("ANP_REDIS_PASSWORD", SECRET);
    let back = Ran::of(&mut shell);
    back.exits(0).hides(SECRET);
    back.says("1 article removed (2 keys written)");
}

#[cfg(target_os = "linux")]
#[test]
fn a_state_folder_that_no_command_line_could_name_is_refused() {
    use std::os::unix::ffi::OsStrExt as _;
    let world = World::new();
    for name in [&b"folder\xff"[..], b"two\nlines"] {
        let folder = world.path("").join(std::ffi::OsStr::from_bytes(name));
        std::fs::create_dir_all(folder.join("content")).unwrap();
        std::fs::write(folder.join("anp.yaml"), "state_dir: .anp\n").unwrap();
        std::fs::write(folder.join("content/a.md"), "# A\n").unwrap();
        for arguments in [
            &["import"][..],
            &["rehearse"],
            &["runs"],
            &["pause", "--reason", "a"],
        ] {
            let mut command = world.bare();
            command
                .current_dir(&folder)
                .env("ANP_REDIS_URL", world.server.url())
                .args(arguments);
            Ran::of(&mut command)
                .exits(78)
                .notes("expected a state folder and a settings file with paths in UTF-8");
        }
    }
    assert!(world.server.dump().is_empty());
}

#[test]
fn results_that_cannot_be_written_are_missed() {
    let world = World::new();
    world.article("a.md", "A.");
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full");
    let Ok(full) = full else { return };
    let mut command = world.command("state", &["import", "--format", "json"]);
    let output = command.stdout(full).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert_eq!(
        said.matches("warning: cannot write the results to stdout: ")
            .count(),
        1,
        "{said}"
    );
}
