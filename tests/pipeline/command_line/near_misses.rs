//! Command lines, addresses, passwords and variables that are nearly right: anp names what was
//! probably meant.

use super::run;
use crate::support::World;

#[test]
fn a_word_of_another_tool_is_answered_with_the_right_option_or_command() {
    let world = World::new();
    for (line, tip) in [
        (
            "import --source x",
            "tip: name the folder or file without an option: anp import PATH\n",
        ),
        (
            "import --src x",
            "tip: name the folder or file without an option: anp import PATH\n",
        ),
        ("import --output x", "tip: use --report FILE.html\n"),
        ("plan", "tip: use anp diff\n"),
        ("list", "tip: use anp ls for articles, anp runs for runs\n"),
        ("check --path=x", "without an option: anp check PATH\n"),
        (
            "check --glob x",
            "tip: --glob is an option of anp warm, anp purge\n",
        ),
        (
            "rollback --prune last",
            "tip: --prune is an option of anp import, anp diff\n",
        ),
        ("import --url x", "tip: the store is --redis URL"),
        (
            "import --redis redis://h --password x",
            "ANP_REDIS_PASSWORD\n",
        ),
        ("import --user x", "--redis redis://USER@HOST:PORT\n"),
        ("import --json", "tip: use --format json\n"),
        ("publish content", "tip: use anp import\n"),
        ("undo", "tip: use anp rollback\n"),
        ("delete /a/", "tip: use anp purge\n"),
        (
            "runs 20261124T070015.005Z-0b7e",
            "anp runs show 20261124T070015.005Z-0b7e\n",
        ),
        ("rollback", "tip: for the last run: anp rollback last\n"),
        // Slips of the keyboard are found as ever.
        ("imprt", "a similar subcommand exists: 'import'\n"),
        (
            "import --dryrun",
            "a similar argument exists: '--dry-run'\n",
        ),
    ] {
        let words: Vec<&str> = line.split(' ').collect();
        run(&world, &["import", "--source", "x"], &[]).notes_exactly(
            "
error: unexpected argument '--source' found

  tip: name the folder or file without an option: anp import PATH

For more information, try '--help'.
",
        );
        let ran = run(&world, &words, &[]);
        ran.exits(2).notes(tip);
        assert_eq!(ran.stderr.matches("tip:").count(), 1, "{ran}");
    }
    let ran = run(
        &world,
        &["import", "--source", "x"],
        &[("ANP_LOG_FORMAT", "json")],
    );
    let entry: serde_json::Value = serde_json::from_str(&ran.exits(2).stderr).unwrap();
    let message = entry["message"].as_str().unwrap();
    assert!(message.contains("anp import PATH"), "{message}");
}

#[test]
fn an_address_without_a_scheme_is_answered_with_one() {
    let world = World::new();
    for (text, meant) in [
        ("localhost:6379", "; did you mean redis://localhost:6379?"),
        (
            "cache.example.org:6379/2",
            "; did you mean redis://cache.example.org:6379/2?",
        ),
        ("[::1]:6379", "; did you mean redis://[::1]:6379?"),
        (
            "/run/redis.sock",
            "; did you mean redis+unix:///run/redis.sock?",
        ),
    ] {
        run(&world, &["import", "--redis", text], &[])
            .exits(2)
            .notes(meant);
    }
    // These may be passwords, or hold one.
    for text in [
        "s3cret-W0rd",
        "anp:s3cret-W0rd",
        "anp:s3cret-W0rd@host:6379",
    ] {
        let ran = run(&world, &["import", "--redis", text], &[]);
        ran.exits(2).hides("did you mean").hides("s3cret");
    }
}

#[test]
fn a_wrong_password_is_answered_without_an_acl_line() {
    let world = World::new();
    world.article("a.md", "Text.");
    world.server.command("CONFIG SET requirepass right-one");
    let import = |password: &str| {
        let variables = [("ANP_REDIS_PASSWORD", password)];
        world.anp_with(&["import"], &variables)
    };
    for password in ["wrong-one", ""] {
        let ran = import(password);
        ran.exits(77)
            .notes("ANP_REDIS_PASSWORD (the nightly job reads it from /etc/anp/anp.env)\n")
            .notes("  = retry: after you change the credentials; nothing was written\n")
            .hides("ACL SETUSER")
            .hides("wrong-one")
            .hides("blank");
    }
    for (password, place) in [
        ("right-one\n", "ends"),
        ("right-one ", "ends"),
        (" right-one", "begins"),
    ] {
        let ran = import(password);
        let mistake = format!(
            "; the password {place} with a blank or a line break; check how ANP_REDIS_PASSWORD is \
             set\n"
        );
        ran.exits(77).notes(&mistake).hides("right-one");
    }
    import("right-one").exits(0);
    // A right that is missing is another matter.
    let world = World::new();
    world.article("a.md", "Text.");
    world
        .server
        .command("ACL SETUSER default -evalsha -eval -evalsha_ro -eval_ro");
    world
        .anp("import")
        .exits(77)
        .notes("= acl: ACL SETUSER anp on");
}

#[test]
fn a_variable_that_nothing_reads_is_a_warning() {
    let world = World::new();
    world.article("a.md", "Text.");
    let variables = [
        ("ANP_REDIS_ULR", "redis://localhost"),
        ("ANP_COLOUR_SCHEME", "x"),
        ("ANP_SERVICE_HOST", "10.0.0.7"),
        ("ANP_TTL", "3d"),
    ];
    run(&world, &["check"], &variables).exits(0).notes_exactly(
        "
warning: anp does not read the variable ANP_COLOUR_SCHEME
warning: anp does not read the variable ANP_REDIS_ULR (did you mean ANP_REDIS_URL?)
",
    );
    // No store is set, and the warning says why.
    let ran = run(&world, &["import"], &variables[..1]);
    ran.exits(78)
        .notes("did you mean ANP_REDIS_URL?")
        .notes("no store is set");
}
