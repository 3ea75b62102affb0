//! The cache of unchanged files: a run says and does the same with it as without, and nothing
//! that was done to a file since stays unseen.

use std::fs::File;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use crate::support::proxy::{Fault, Trouble};
use crate::support::{Ran, World, settle};

fn cache(world: &World) -> PathBuf {
    world.path("state/unchanged.cache")
}

/// Articles of every kind that the survey tells apart, long enough ago, and published: what is
/// valid is remembered.
fn mixed() -> World {
    let world = World::new();
    let front = |name: &str, fields: &str| {
        let text = format!("---\ntitle: {name}\n{fields}---\nText.\n");
        world.write(&format!("content/{name}.md"), text);
    };
    front("plain", "");
    front("folder/index", "date: 2020-01-01\n");
    front("folder/dated", "updated: 2024-01-01T10:00:00Z\n");
    front("folder/read", "view_count: 700\nstack: [redis]\nttl: 1h\n");
    front("slug", "slug: another-name\n");
    front("draft", "draft: true\n");
    front("unknown", "menu: 3\n");
    front("warned", "flags: {has_images: 1}\n");
    front("cleaned", "summary: \"a\\u200Bb \\u202E c\"\n");
    front("invalid", "score: {quality: 140}\n");
    front("same", "slug: claimed\n");
    front("claimed", "");
    world.write("content/latin.md", b"---\ntitle: \xff\n---\n");
    world.write(
        "content/rendering.md",
        "---\ntitle: R\n---\n[a](javascript:x)\n",
    );
    let deep = "<div>".repeat(600);
    world.write("content/deep.md", format!("---\ntitle: D\n---\n{deep}\n"));
    for n in 0..40 {
        front(&format!("many/n{n}"), "");
    }
    settle();
    import(&world).exits(3);
    assert!(cache(&world).exists());
    world
}

fn import(world: &World) -> Ran {
    world.anp("import --max-invalid 50%")
}

/// Runs `line` with the cache and without, on the same store, and compares all they say.
#[track_caller]
fn says_the_same(world: &World, line: &str) -> Ran {
    let with = world.anp(line);
    let without = world.anp(&format!("{line} --no-cache"));
    assert_eq!(with.code, without.code, "{with}{without}");
    assert_eq!(told(&with), told(&without), "{with}{without}");
    assert_eq!(with.stderr, without.stderr);
    with
}

/// The lines of stdout, without what differs from run to run.
fn told(ran: &Ran) -> Vec<serde_json::Value> {
    let mut lines = ran.lines();
    for line in &mut lines {
        for name in [
            "run",
            "manifest",
            "rollback",
            "started_at",
            "seconds",
            "expires_at",
        ] {
            line.as_object_mut().unwrap().remove(name);
        }
    }
    lines
}

fn number_known(world: &World) -> u64 {
    let bytes = std::fs::read(cache(world)).unwrap();
    u64::from_le_bytes(bytes[48..56].try_into().unwrap())
}

#[test]
fn a_run_says_and_does_the_same_with_the_cache_as_without() {
    let world = mixed();
    // Also the draft, own fields, and sources with warnings or cleaned texts; not invalid ones. Two that claim one
    // route, and one that only rendering finds fault with, are valid by themselves.
    assert_eq!(number_known(&world), 5 + 1 + 1 + 2 + 2 + 2 + 40);
    let all = "--max-invalid 50%";
    let before = world.keys();
    for line in [
        format!("import {all}"),
        format!("import {all} --dry-run"),
        format!("import {all} --drafts --dry-run"),
        format!("import {all} --strict"),
        format!("import {all} --unknown-fields warn"),
        "import --max-invalid 0".to_owned(),
        format!("import {all} --prune"),
        format!("warm {all}"),
        format!("warm {all} --order popular --ttl-below 100% --dry-run"),
        format!("warm {all} --order newest --ttl-below 100% --dry-run"),
        format!("warm {all} --glob /many/** --source content/slug.md"),
        format!("warm {all} --glob /nothing/ --tag stack=redis"),
    ] {
        says_the_same(&world, &line);
    }
    // For people too, apart from the run's own name.
    let text = |more: &str| {
        let ran = world.anp(&format!("import {all} --format text {more}"));
        let lines = ran.stderr.lines().chain(ran.stdout.lines());
        let own = ["run ", "rollback", "manifest ", "  time "];
        let lines = lines.filter(|line| !own.iter().any(|own| line.contains(own)));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let said = text("");
    assert_eq!(said, text("--no-cache"));
    assert!(said.len() > 20, "{said:?}");
    assert_eq!(world.keys(), before, "nothing was missing");
}

#[test]
fn what_the_store_lacks_is_read_and_written_as_without_the_cache() {
    let world = mixed();
    let pages = |world: &World| -> Vec<(String, String)> {
        let keys = world.keys().into_keys();
        let pages = keys.filter(|key| key.starts_with("anp:page:"));
        pages
            .map(|key| (key.clone(), world.server.get(&key).unwrap()))
            .collect()
    };
    let before = pages(&world);
    world.server.command("FLUSHALL");
    let foreseen = says_the_same(&world, "import --max-invalid 50% --dry-run");
    let ran = import(&world);
    ran.exits(3);
    assert_eq!(foreseen.counts(), ran.counts(), "{ran}");
    assert!(
        ran.stderr.contains("removed the URL 'javascript:x'"),
        "{ran}"
    );
    assert_eq!(pages(&world), before);
    world.anp("verify last").exits(0);
    for key in [
        "anp:page:/plain/",
        "anp:meta:/another-name/",
        "anp:meta:/folder/read/",
    ] {
        world.server.run(&["DEL", key]);
    }
    world.server.run(&["DEL", "anp:page:/many/n3/"]);
    world
        .server
        .run(&["LPUSH", "anp:page:/many/n3/", "foreign"]);
    let foreseen = says_the_same(&world, "import --max-invalid 50% --dry-run");
    assert_eq!(foreseen.counts()["created"], 3, "{foreseen}");
    says_the_same(&world, "warm --max-invalid 50% --dry-run");
}

#[test]
fn an_article_that_is_about_to_expire_is_refreshed_without_being_read() {
    let world = World::new();
    world.article("a.md", "A.");
    settle();
    world.anp("import").exits(0);
    world.server.command("PEXPIRE anp:page:/a/ 100000");
    let ran = world.anp("import");
    assert_eq!(ran.exits(0).counts()["refreshed"], 2, "{ran}");
    world.anp("verify last").exits(0);
    world.anp("rollback last").exits(0);
    assert!(world.server.expiry("anp:page:/a/") < world.server.expiry("anp:meta:/a/"));
}

/// One article that is remembered; `change` is done to its file, which then says B, in as many
/// bytes. The next run must see that.
#[track_caller]
fn is_seen(change: fn(&World)) {
    let world = World::new();
    world.article("a.md", "AAAA.").article("other.md", "BBBB.");
    settle();
    world.anp("import").exits(0);
    assert_eq!(number_known(&world), 2);
    change(&world);
    let ran = world.anp("import");
    assert_eq!(ran.exits(0).counts()["updated"], 2, "{ran}");
    let page = world.server.get("anp:page:/a/").unwrap();
    assert!(page.contains("BBBB.") && !page.contains("AAAA."), "{page}");
}

fn set_times(path: &std::path::Path, time: SystemTime) {
    let times = std::fs::FileTimes::new()
        .set_modified(time)
        .set_accessed(time);
    let file = File::options().write(true).open(path).unwrap();
    file.set_times(times).unwrap();
}

fn modified(path: &std::path::Path) -> SystemTime {
    path.metadata().unwrap().modified().unwrap()
}

#[test]
fn a_file_of_the_same_size_and_time_of_writing_is_seen() {
    is_seen(|world| {
        let path = world.path("content/a.md");
        let (size, time) = (path.metadata().unwrap().size(), modified(&path));
        world.article("a.md", "BBBB.");
        set_times(&path, time);
        assert_eq!(
            (path.metadata().unwrap().size(), modified(&path)),
            (size, time)
        );
    });
}

#[test]
fn another_file_under_the_same_name_is_seen() {
    is_seen(|world| {
        let path = world.path("content/a.md");
        let time = modified(&path);
        let text = "---\ntitle: About a.md\n---\n\nBBBB.\n";
        world.write("beside", text);
        set_times(&world.path("beside"), time);
        std::fs::rename(world.path("beside"), &path).unwrap();
        assert_eq!(modified(&path), time);
    });
}

#[test]
fn a_write_through_a_hard_link_is_seen() {
    is_seen(|world| {
        let path = world.path("content/a.md");
        let time = modified(&path);
        std::fs::hard_link(&path, world.path("link")).unwrap();
        world.write("link", "---\ntitle: About a.md\n---\n\nBBBB.\n");
        set_times(&world.path("link"), time);
    });
}

#[test]
fn a_link_in_place_of_the_file_is_seen() {
    is_seen(|world| {
        let path = world.path("content/a.md");
        world.write("content/b.txt", "---\ntitle: About a.md\n---\n\nBBBB.\n");
        set_times(&world.path("content/b.txt"), modified(&path));
        std::fs::remove_file(&path).unwrap();
        symlink("b.txt", &path).unwrap();
    });
}

#[test]
fn what_a_link_leads_to_decides() {
    let world = World::new();
    world.article("a.txt", "AAAA.").article("b.txt", "BBBB.");
    symlink("a.txt", world.path("content/a.md")).unwrap();
    settle();
    world.anp("import").exits(0);
    assert_eq!(number_known(&world), 1);
    let page = || world.server.get("anp:page:/a/").unwrap();
    // The link is another one, of the same length.
    std::fs::remove_file(world.path("content/a.md")).unwrap();
    symlink("b.txt", world.path("content/a.md")).unwrap();
    world.anp("import").exits(0);
    assert!(page().contains("BBBB."));
    // The link is the same, the file is not.
    let time = modified(&world.path("content/b.txt"));
    world.article("b.txt", "CCCC.");
    set_times(&world.path("content/b.txt"), time);
    world.anp("import").exits(0);
    assert!(page().contains("CCCC."));
}

#[test]
fn two_files_that_change_places_are_seen() {
    let world = World::new();
    world
        .write("content/a.md", "---\ntitle: T\n---\nAAAA.\n")
        .write("content/b.md", "---\ntitle: T\n---\nBBBB.\n");
    let path = |name: &str| world.path(&format!("content/{name}"));
    set_times(&path("a.md"), modified(&path("b.md")));
    settle();
    world.anp("import").exits(0);
    for (from, to) in [("a.md", "_c"), ("b.md", "a.md"), ("_c", "b.md")] {
        std::fs::rename(path(from), path(to)).unwrap();
    }
    let ran = world.anp("import");
    assert_eq!(ran.exits(0).counts()["updated"], 4, "{ran}");
    assert!(world.server.get("anp:page:/b/").unwrap().contains("AAAA."));
}

#[test]
fn what_was_written_just_now_or_in_the_future_is_known_by_its_bytes_alone() {
    let world = World::new();
    world.article("now.md", "A.");
    world.anp("import").exits(0);
    assert_eq!(number_known(&world), 1);
    world.article("future.md", "A.").article("old.md", "A.");
    set_times(
        &world.path("content/future.md"),
        SystemTime::now() + Duration::from_secs(3600),
    );
    settle();
    world.anp("import").exits(0);
    assert_eq!(number_known(&world), 3);
    // Within the same two seconds, the same size.
    world.article("now.md", "B.");
    world.anp("import").exits(0);
    world.article("now.md", "C.");
    let ran = world.anp("import");
    assert_eq!(ran.exits(0).counts()["updated"], 2, "{ran}");
}

/// Makes a draft of every article that the cache knows, so that a run tells whether it believed
/// the cache: then it finds drafts alone, and refuses.
fn forge(world: &World) {
    let mut bytes = std::fs::read(cache(world)).unwrap();
    for record in bytes[80..]
        .chunks_exact_mut(144)
        .take(number_known(world) as usize)
    {
        record[90] = 1;
    }
    let end = bytes.len() - 32;
    let sum = blake3::hash(&bytes[..end]);
    bytes[end..].copy_from_slice(sum.as_bytes());
    std::fs::write(cache(world), bytes).unwrap();
}

/// Two articles that are remembered as drafts.
fn forged() -> World {
    let world = World::new();
    world.article("a.md", "A.").article("b/c.md", "C.");
    settle();
    world.anp("import").exits(0);
    forge(&world);
    world
}

#[test]
fn what_is_remembered_is_believed_by_import_warm_and_dry_runs() {
    let world = forged();
    let before = std::fs::read(cache(&world)).unwrap();
    for line in ["import", "warm", "import --dry-run", "import --under load/"] {
        world
            .anp(line)
            .exits(65)
            .notes("all 2 articles in content are drafts");
    }
    // The same folder, by another name.
    let root = world.path("content");
    let ran = world.anp(&format!("import {}", root.display()));
    ran.exits(65).notes("are drafts");
    assert_eq!(std::fs::read(cache(&world)).unwrap(), before);
    world.anp("import --no-cache").exits(0);
    assert_eq!(
        std::fs::read(cache(&world)).unwrap(),
        before,
        "left as it is"
    );
}

#[test]
fn after_a_checkout_the_bytes_of_a_file_tell_that_it_is_the_same() {
    let world = forged();
    let before = std::fs::read(cache(&world)).unwrap();
    let paths = ["content/a.md", "content/b/c.md"].map(|path| world.path(path));
    for path in &paths {
        // Another file, with another time.
        let text = std::fs::read(path).unwrap();
        std::fs::remove_file(path).unwrap();
        std::fs::write(path, text).unwrap();
    }
    for line in ["import --dry-run", "import"] {
        world.anp(line).exits(65).notes("are drafts");
    }
    settle();
    // Now that their times are of use, they are remembered, and nothing else has changed.
    world.anp("import").exits(65).notes("are drafts");
    let after = std::fs::read(cache(&world)).unwrap();
    assert!(after != before && after.len() == before.len());
    world.anp("import").exits(65).notes("are drafts");
    assert_eq!(std::fs::read(cache(&world)).unwrap(), after);
    // A byte more, and it is read.
    let mut text = std::fs::read(&paths[0]).unwrap();
    text.push(b'\n');
    std::fs::write(&paths[0], text).unwrap();
    let ran = world.anp("import");
    assert_eq!(ran.exits(0).counts()["updated"], 2, "{ran}");
    assert_eq!(ran.of_type("summary")[0]["held_back"]["drafts"], 1);
}

#[test]
fn findings_of_unchanged_sources_are_said_with_their_lines() {
    let world = World::new();
    for number in 0..30 {
        let text = format!(
            "---\ntitle: N{number}\nsummary: One {number}.\nexcerpt: \"Two {number}.\"\nflags: {{has_images: 1}}\n\
             ---\n\nText.\n"
        );
        world.write(&format!("content/n{number:02}.md"), text);
    }
    world.write(
        "content/other.md",
        "---\ntitle: \"a\\u200Bb\"\n---\n\nText.\n",
    );
    settle();
    world.anp("import").exits(0);
    assert_eq!(number_known(&world), 31);
    let known = std::fs::read(cache(&world)).unwrap();
    for line in ["import", "import --dry-run", "warm", "import --strict"] {
        let ran = says_the_same(&world, line);
        assert!(ran.stderr.contains("excerpt"), "{ran}");
    }
    for format in ["text", "json"] {
        let said = |more: &str| {
            let line = format!("import --dry-run --format {format} {more}");
            let ran = world.anp(&line);
            assert_eq!(ran.code, 0, "{ran}");
            let lines = ran.stderr.lines().chain(ran.stdout.lines());
            let lines = lines.filter(|line| line.contains("n07") || line.contains("excerpt"));
            lines.map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(said(""), said("--no-cache"), "{format}");
        assert!(!said("").is_empty());
    }
    // They were not read for that: what is remembered says so still.
    assert!(known == std::fs::read(cache(&world)).unwrap());
    // Texts that nobody has any more are forgotten.
    for number in 0..30 {
        world.article(&format!("n{number:02}.md"), "Without a finding.");
    }
    settle();
    world.anp("import").exits(0);
    let bytes = std::fs::read(cache(&world)).unwrap();
    assert!(!String::from_utf8_lossy(&bytes).contains("excerpt"));
}

#[test]
fn a_cache_made_under_other_rules_or_for_other_files_is_not_believed() {
    let world = forged();
    world.write("templates/footer.html", "<footer>x</footer>\n");
    world.article("../else/a.md", "A.");
    let before = std::fs::read(cache(&world)).unwrap();
    for line in [
        "import --unknown-fields warn --dry-run",
        "import --unknown-fields deny --dry-run",
        "import --templates templates --dry-run",
        "import else --dry-run",
        "check",
        "rehearse",
        "warm --tag stack=redis",
    ] {
        let ran = world.anp(line);
        assert!(matches!(ran.code, 0 | 3), "{ran}");
        assert!(!ran.stderr.contains("drafts"), "{ran}");
        assert_eq!(std::fs::read(cache(&world)).unwrap(), before, "{ran}");
    }
    let strict = world.anp("import --strict --dry-run");
    strict.exits(65).notes("2 of 2 articles are invalid");
    let variables = [("ANP_SITE_NAME", "Other")];
    world
        .anp_with(&["import", "--dry-run"], &variables)
        .exits(0);
    // A run that holds the lock makes a new one.
    world.anp("import --unknown-fields warn").exits(0);
    assert_ne!(std::fs::read(cache(&world)).unwrap(), before);
    world.anp("import").exits(0);
}

#[test]
fn a_damaged_cache_is_made_anew() {
    let world = forged();
    let forged = std::fs::read(cache(&world)).unwrap();
    let mut damaged: Vec<Vec<u8>> = vec![
        Vec::new(),
        b"something else".to_vec(),
        vec![0; forged.len()],
        [&forged[..], b"x"].concat(),
    ];
    for length in [10, 16, 63, 64, 100, forged.len() - 32, forged.len() - 1] {
        damaged.push(forged[..length].to_vec());
    }
    // Magic, context, both lengths, record, checksum.
    for at in [0, 20, 48, 55, 56, 63, 70, 64 + 78, forged.len() - 1] {
        let mut bytes = forged.clone();
        bytes[at] ^= 0x80;
        damaged.push(bytes);
    }
    for bytes in damaged {
        std::fs::write(cache(&world), &bytes).unwrap();
        let ran = world.anp("import");
        assert_eq!(
            ran.exits(0).counts()["kept"],
            4,
            "{} bytes: {ran}",
            bytes.len()
        );
        assert_eq!(ran.stderr, "");
        assert_eq!(number_known(&world), 2);
    }
}

#[test]
fn only_runs_that_hold_the_lock_leave_a_cache_and_nobody_else_reads_it() {
    let world = World::new();
    world.article("a.md", "A.");
    settle();
    for line in [
        "check",
        "import --dry-run",
        "import --no-cache",
        "import --synth 3 --under load/",
        "rehearse",
        "warm --tag stack=redis",
        "warm --no-cache",
    ] {
        world.anp(line);
        assert!(!cache(&world).exists(), "{line}");
    }
    assert!(!world.path("state/rehearsal/unchanged.cache").exists());
    world.anp("warm").exits(0);
    let mode = cache(&world).metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(!world.path("state/unchanged.new").exists());
    let written = modified(&cache(&world));
    world.anp("import").exits(0);
    assert_eq!(modified(&cache(&world)), written, "there was nothing new");
}

#[test]
fn what_is_gone_is_forgotten_and_what_is_new_is_added() {
    let world = mixed();
    let before = number_known(&world);
    std::fs::remove_file(world.path("content/many/n7.md")).unwrap();
    std::fs::remove_file(world.path("content/slug.md")).unwrap();
    world.write(
        "content/new.md",
        "---\ntitle: N\nslug: newest\n---\nText.\n",
    );
    world.write(
        "content/slug2.md",
        "---\ntitle: S\nslug: other\n---\nText.\n",
    );
    world.write("content/plain.md", "---\ntitle: P\nsumary: 3\n---\nText.\n");
    settle();
    import(&world).exits(3);
    // The one with a warning is a new one.
    assert_eq!(number_known(&world), before - 3 + 3);
    // Both kinds of routes are where they were.
    says_the_same(&world, "import --max-invalid 50% --dry-run");
    forge(&world);
    std::fs::write(
        world.path("content/plain.md"),
        "---\ntitle: P\n---\nRead.\n",
    )
    .unwrap();
    let ran = world.anp("import --max-invalid 80% --dry-run");
    // What is known is now a draft; the other is read.
    assert_eq!(ran.pages("update").len(), 1, "{ran}");
    assert_eq!(ran.counts()["kept"], 0, "{ran}");
}

#[test]
fn a_cache_that_cannot_be_written_or_read_is_a_warning_at_most() {
    let world = World::new();
    world.article("a.md", "A.");
    settle();
    std::fs::create_dir_all(cache(&world).join("x")).unwrap();
    let ran = world.anp("import");
    ran.exits(0)
        .notes("warning: cannot write the cache of unchanged files");
    assert!(!world.path("state/unchanged.new").exists());
    std::fs::remove_dir_all(cache(&world)).unwrap();
    // A FIFO does not stop the run, and what a killed run left is in nobody's way.
    let made = world.program("mkfifo").arg(cache(&world)).status();
    assert!(made.unwrap().success());
    world.write("state/unchanged.new", "torn");
    let ran = world.anp("import");
    assert_eq!(
        (ran.exits(0).counts()["kept"].clone(), &*ran.stderr),
        (2.into(), "")
    );
    assert_eq!(number_known(&world), 1);
}

#[test]
fn what_the_store_lacks_is_asked_for_once() {
    let world = World::new();
    world.article("a.md", "A.").article("b.md", "B.");
    settle();
    world.anp("import").exits(0);
    assert_eq!(number_known(&world), 2);
    let remembered = std::fs::metadata(cache(&world)).unwrap();
    world.server.command("FLUSHALL");
    world.server.command("CONFIG RESETSTAT");
    let ran = world.anp("warm --dry-run");
    assert_eq!(ran.exits(0).counts()["created"], 4, "{ran}");
    let calls = world.server.command("INFO commandstats");
    let calls: String = redis::from_redis_value(calls).unwrap();
    assert!(calls.contains("cmdstat_pexpiretime:calls=4,"), "{calls}");
    // Nor is what is known of the files written again: they are as they were.
    world.anp("warm").exits(0);
    let still = std::fs::metadata(cache(&world)).unwrap();
    assert_eq!(still.ino(), remembered.ino());
    assert_eq!(number_known(&world), 2);
}

#[test]
fn of_what_stays_as_it_is_two_questions_are_asked_and_of_the_rest_three() {
    let world = World::new();
    for number in 0..20 {
        world.article(&format!("n{number}.md"), "Text.");
    }
    settle();
    world.anp("import").exits(0);
    let calls = |name: &str| {
        let stats: String = redis::cmd("INFO")
            .arg("commandstats")
            .query(&mut world.server.connection())
            .unwrap();
        let line = stats
            .lines()
            .find(|line| line.starts_with(&format!("cmdstat_{name}:")));
        let calls = line.and_then(|line| line.split("calls=").nth(1)?.split(',').next());
        calls.map_or(0, |calls| calls.parse::<u64>().unwrap())
    };
    let asked = |line: &str| {
        world.server.command("CONFIG RESETSTAT");
        let ran = world.anp(line);
        ran.exits(0);
        (ran, ["pexpiretime", "getrange", "strlen"].map(calls))
    };
    let (ran, questions) = asked("import");
    assert_eq!(ran.counts()["kept"], 40, "{ran}");
    // And what the run asks to know its rights.
    assert_eq!(questions, [42, 42, 2]);
    // What is not as it was made is asked for all of it: another client's value, and what expires soon.
    world.server.command("SET anp:page:/n3/ theirs");
    world.server.command("PEXPIRE anp:meta:/n4/ 100000");
    let (ran, questions) = asked("import --dry-run");
    assert_eq!(ran.counts()["updated"], 2, "{ran}");
    assert_eq!(ran.counts()["refreshed"], 2, "{ran}");
    assert!((4..=10).contains(&questions[2]), "{questions:?}");
    world.anp("import").exits(0);
    world.anp("rollback last").exits(0);
    assert_eq!(world.server.get("anp:page:/n3/").as_deref(), Some("theirs"));
    // A list of them has their sizes.
    let (ran, questions) = asked("ls --format json");
    assert!(questions[2] >= 40, "{questions:?}");
    let sizes = ran.of_type("article");
    assert!(
        sizes.iter().all(|one| one["bytes"].as_u64().unwrap() > 100),
        "{ran}"
    );
}

#[test]
fn what_was_asked_of_another_route_is_no_answer() {
    let world = World::new();
    world.article("a.md", "A.");
    settle();
    world.anp("import").exits(0);
    world.server.command("FLUSHALL");
    world.server.command("SET anp:page:/moved/ theirs");
    let held = Trouble::once(Fault::Held, b"PEXPIRETIME");
    let proxy = world.server.proxy(held);
    let ran = std::thread::scope(|scope| {
        scope.spawn(|| {
            // It asks about /a/, as the cache has it. By the time it reads the file, that is gone.
            proxy.wait_for_fault();
            world.write("content/a.md", "---\ntitle: A\nslug: moved\n---\nMoved.\n");
            proxy.release();
        });
        world.anp_with(&["import", "--redis", &proxy.url()], &[])
    });
    let counts = ran.exits(0).counts();
    assert_eq!(
        (&counts["updated"], &counts["created"]),
        (&1.into(), &1.into()),
        "{ran}"
    );
    assert!(
        world
            .server
            .get("anp:page:/moved/")
            .unwrap()
            .contains("Moved.")
    );
    assert_eq!(world.server.get("anp:page:/a/"), None);
}

#[test]
fn strict_refuses_an_unchanged_article_that_loses_something_on_its_page() {
    let world = World::new();
    // Complete as strict mode asks for it, but for what its page loses.
    let complete = include_str!("../../fixtures/boundary/strict-complete.md");
    for (name, more) in [
        ("tag", "Text with <blink>a tag</blink>."),
        ("url", "A [link](javascript:alert)."),
        ("fine", "Text with <kbd>a tag</kbd> and a [link](/fine/)."),
    ] {
        let text = complete.replace("slug: scheduled-tasks-028802", &format!("slug: {name}"));
        world.write(&format!("content/{name}.md"), format!("{text}\n{more}\n"));
    }
    settle();
    let ran = world.anp("import");
    ran.exits(0)
        .notes("warning[body.html]: removed <blink>, which is not allowed")
        .notes("removed the URL 'javascript:alert', which is not allowed");
    // What is in the store already is judged as what is not, with the cache and without it.
    for line in ["import", "import --no-cache", "import --dry-run", "warm"] {
        let ran = world.anp(&format!("{line} --strict --max-invalid 0"));
        let refused = "error: 2 of 3 articles are invalid";
        ran.exits(65).notes("error[body.html]").notes(refused);
    }
    for line in ["import", "import --no-cache", "import"] {
        let ran = world.anp(&format!("{line} --max-invalid 0 --format json"));
        ran.exits(0);
    }
    assert_eq!(number_known(&world), 3);
}
