//! What happens between the starts of a run: time passes, and others write.

use anp::publish::manifest::{Line, Manifest, Verify, Writer};

use super::files_of_runs::with_header;
use super::{corpus, files, shard, words};
use crate::support::World;

const HOUR_MS: i64 = 60 * 60 * 1000;

/// As if the run of the only file `name` had begun, and had given all expiries, `ms` earlier.
pub fn begun_earlier(world: &World, name: &str, ms: i64) {
    let path = world.path("state/runs").join(name);
    let manifest = Manifest::open(&path, Verify::All).unwrap();
    let mut header = manifest.header().clone();
    header.started_at -= ms;
    let batches: Vec<Vec<Line>> = manifest.batches().map(Result::unwrap).collect();
    std::fs::remove_file(&path).unwrap();
    let mut writer = Writer::create(&path, &Line::Header(header)).unwrap();
    for mut lines in batches {
        for line in &mut lines {
            match line {
                Line::Intent(intent) => {
                    let made = intent.made.as_mut();
                    if let Some(at) = made.and_then(|made| made.expires_at.as_mut()) {
                        *at -= ms;
                    }
                }
                Line::Footer(footer) => footer.ended_at -= ms,
                _ => {}
            }
        }
        writer.append(&lines).unwrap();
    }
}

#[test]
fn what_the_first_start_wrote_expired_before_the_second_and_goes_back_to_what_was_there() {
    let world = corpus();
    let short = "---\ntitle: Short\nttl: 2h\n---\nText.\n";
    world.write("content/a/short.md", short);
    world
        .server
        .command("SET anp:page:/a/short/ precious PXAT 4000000000777");
    let before = world.server.dump();
    shard(&world, "0/1").exits(3);
    begun_earlier(&world, "night.0-of-1.1.jsonl.zst", 3 * HOUR_MS);
    for kind in ["page", "meta"] {
        world.server.run(&["DEL", &format!("anp:{kind}:/a/short/")]);
    }
    world.write("content/a/short.md", short.replace("2h", "12h"));
    shard(&world, "0/1").exits(3);
    assert!(world.server.expiry("anp:page:/a/short/") > 0);
    world.anp("rollback night");
    let after = world.server.dump();
    let key = "anp:page:/a/short/";
    assert_eq!(after.get(key), before.get(key));
    assert!(!after.contains_key("anp:meta:/a/short/"));
}

/// Refused, and nothing was written.
#[track_caller]
fn refuses(world: &World, index: &str, code: i32, said: &str) {
    let before = world.server.dump();
    shard(world, index)
        .exits(code)
        .notes(said)
        .notes("nothing was written");
    assert_eq!(world.server.dump(), before);
}

fn last_run(world: &World) -> String {
    let runs = world.anp("runs --format json").lines();
    runs.last().unwrap()["run"].as_str().unwrap().to_owned()
}

#[test]
fn no_shard_is_started_again_once_another_run_wrote() {
    let world = corpus();
    let before = world.server.dump();
    shard(&world, "0/2").exits(3);
    let after_first = world.server.dump();
    world.article("a/n20.md", "Another text.");
    world.anp("import --max-invalid 10%").exits(3);
    let other = last_run(&world);
    let said = format!("error: another run, {other}, wrote to this store since run night began");
    for index in ["0/2", "1/2"] {
        refuses(&world, index, 65, &said);
    }
    world.anp("verify last").exits(0);
    // Undone whole, it counts as if it had not been, until that is undone.
    let undo_last = || {
        let line = format!("rollback {}", last_run(&world));
        world.anp(&line).exits(0);
    };
    undo_last();
    assert_eq!(world.server.dump(), after_first);
    undo_last();
    refuses(&world, "1/2", 65, &said);
    undo_last();
    shard(&world, "1/2").exits(3);
    world.anp("rollback night").exits(0);
    assert_eq!(world.keys(), before);
}

#[test]
fn runs_of_another_prefix_or_that_wrote_nothing_keep_no_shard_out() {
    let world = corpus();
    shard(&world, "0/2").exits(3);
    world
        .anp("import --max-invalid 10% --prefix other")
        .exits(3);
    world.anp("import --max-invalid 0").exits(65);
    world.anp("purge /none/").exits(3);
    shard(&world, "1/2").exits(3);
}

#[test]
fn a_rollback_of_an_earlier_run_keeps_further_starts_out() {
    let world = corpus();
    world.anp("import --max-invalid 10%").exits(3);
    let earlier = last_run(&world);
    world.article("a/n20.md", "Another text.");
    shard(&world, "0/1").exits(3);
    let ran = world.anp(&format!("rollback {earlier}"));
    assert!([0, 3].contains(&ran.code), "{ran}");
    refuses(&world, "0/1", 65, "error: another run, ");
}

#[test]
fn a_run_that_was_begun_earlier_and_goes_on_meanwhile_keeps_further_starts_out() {
    let world = corpus();
    let of = |run: &str, index: &str| {
        let line = format!("import --max-invalid 10% --shard {index} --run-id {run}");
        world.anp(&line)
    };
    of("one", "0/2").exits(3);
    // It has nothing to write, so the first one may go on.
    of("two", "0/2").exits(3);
    world.article("a/n20.md", "Another text.");
    world.article("a/n21.md", "Another text.");
    world.article("a/n22.md", "Another text.");
    of("one", "0/2").exits(3);
    of("one", "1/2").exits(3);
    of("two", "1/2")
        .exits(65)
        .notes("error: another run, one, wrote to this store since run two began");
}

#[test]
fn a_rollback_that_named_the_server_otherwise_keeps_the_shards_out() {
    let world = corpus();
    shard(&world, "0/2").exits(3);
    let alias = world.path("alias");
    std::os::unix::fs::symlink(world.server.socket(), &alias).unwrap();
    let url = format!("redis+unix://{}", alias.display());
    world
        .anp_with(&["rollback", "night", "--redis", &url], &[])
        .exits(0);
    refuses(&world, "1/2", 65, "error: run night was rolled back by ");
}

#[test]
fn a_manifest_that_cannot_be_read_may_be_a_rollback() {
    let world = corpus();
    shard(&world, "0/2").exits(3);
    world.anp("rollback night").exits(0);
    let rollback = last_run(&world);
    let file = world
        .path("state/runs")
        .join(format!("{rollback}.jsonl.zst"));
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[60] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    refuses(&world, "1/2", 65, "is damaged at byte ");
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    refuses(&world, "1/2", 74, "error: cannot read the manifest ");
}

#[test]
fn a_run_takes_further_starts_for_a_day() {
    let world = corpus();
    shard(&world, "0/2").exits(3);
    begun_earlier(&world, "night.0-of-2.1.jsonl.zst", 23 * HOUR_MS);
    shard(&world, "1/2").exits(3);
    for index in ["0", "1"] {
        let name = format!("night.{index}-of-2.1.jsonl.zst");
        begun_earlier(&world, &name, 2 * HOUR_MS);
    }
    let said = "error: run night was begun 25 h ago: a new run needs a new --run-id\n";
    refuses(&world, "1/2", 65, said);
    let ran = shard(&world, "0/2");
    ran.exits(65).notes("at most 24 h ago");
}

#[test]
fn what_only_refuses_may_differ_between_shards() {
    let world = corpus();
    let once = [
        ("ANP_EXPECT_MAX_CHANGED", "1%"),
        ("ANP_EXPECT_MIN_ARTICLES", "3"),
        ("ANP_EXPECT_MAX_DURATION", "1h"),
    ];
    shard(&world, "0/2").exits(3);
    world.anp_with(&words("1/2"), &once).exits(65);
    let free = [("ANP_EXPECT_MAX_CHANGED", "100%"), ("ANP_MAX_INVALID", "3")];
    let shard: Vec<&str> = "import --shard 1/2 --run-id night --force"
        .split(' ')
        .collect();
    world.anp_with(&shard, &free).exits(3);
}

#[test]
fn what_a_dead_start_announced_and_a_finished_one_found_right_is_as_the_run_wrote_it() {
    let world = corpus();
    world.anp("import --max-invalid 10%").exits(3);
    let before = world.server.dump();
    let path = world.path("content/a/n20.md");
    let text = std::fs::read(&path).unwrap();
    world.article("a/n20.md", "Another text.");
    let dead = [("ANP_FAIL_POINT", "intents.synced")];
    assert_eq!(world.anp_with(&words("0/1"), &dead).code, -1);
    // It may not have been written, and nobody looked since.
    world.anp("verify night").exits(3).says("anp:page:/a/n20/");
    std::fs::write(&path, text).unwrap();
    shard(&world, "0/1").exits(3);
    assert_eq!(world.keys(), before);
    world.anp("verify night").exits(0);
    // What is neither the one nor the other was changed by somebody.
    world.server.command("PEXPIRE anp:page:/a/n20/ 1000000");
    world.anp("verify night").exits(3);
    world.server.command("DEL anp:meta:/a/n20/");
    world.anp("verify night").exits(3).says("found nothing");
}

#[test]
fn expiries_that_differ_by_less_than_a_second_are_told_apart() {
    let world = corpus();
    shard(&world, "0/1").exits(3);
    let key = "anp:page:/a/n20/";
    let at = world.server.expiry(key);
    let (moved, said) = match at % 1000 {
        999 => (at - 1, "found one 1 ms earlier"),
        _ => (at + 1, "found one 1 ms later"),
    };
    world.server.run(&["PEXPIREAT", key, &moved.to_string()]);
    world.anp("verify night --format text").exits(3).says(said);
}

/// As if the clock had been set back by an hour since the whole run `id`.
fn set_back(world: &World, id: &str) -> String {
    let hour: u32 = id[9..11].parse().unwrap();
    let ahead = if hour < 23 {
        format!("{}{:02}{}", &id[..9], hour + 1, &id[11..])
    } else {
        // Its first hour of the next day is as far ahead as need be.
        format!("2{}", &id[1..]).replacen("20", "21", 1)
    };
    let name = |id: &str| format!("{id}.jsonl.zst");
    with_header(world, &name(id), |header| {
        header.run.clone_from(&ahead);
        header.started_at += HOUR_MS;
    });
    let runs = world.path("state/runs");
    std::fs::rename(runs.join(name(id)), runs.join(name(&ahead))).unwrap();
    ahead
}

/// The ids of all runs, oldest first, as `anp runs` has them.
fn ids(world: &World) -> Vec<String> {
    let runs = world.anp("runs --format json").lines();
    let id = |run: &serde_json::Value| run["run"].as_str().unwrap().to_owned();
    runs.iter().map(id).collect()
}

#[test]
fn a_named_run_after_the_clock_was_set_back_is_the_last_one() {
    let world = corpus();
    world.anp("import --max-invalid 10%").exits(3);
    let import = set_back(&world, &last_run(&world));
    for (command, run) in [("import", "night"), ("warm", "noon")] {
        world.article("a/n20.md", &format!("Another text for {run}."));
        world.server.command("DEL anp:page:/a/n21/");
        let kept = world.keys();
        let line = format!("{command} --max-invalid 10% --shard 0/1 --run-id {run}");
        world.anp(&line).exits(3);
        assert_ne!(world.keys(), kept);
        assert_eq!(ids(&world).last().unwrap(), run, "{:?}", ids(&world));
        let undone = world.anp("rollback last --format json");
        undone.exits(0);
        assert_eq!(undone.of_type("summary")[0]["undoes"], run);
        assert_eq!(world.keys(), kept);
    }
    // So is a whole run after them.
    world.anp("import --max-invalid 10%").exits(3);
    let whole = last_run(&world);
    assert_eq!(whole[..13], import[..13], "it waits for no clock");
    assert_eq!(ids(&world)[0], import);
    let undone = world.anp("rollback last --format json");
    undone.exits(0);
    assert_eq!(undone.of_type("summary")[0]["undoes"], *whole);
}

#[test]
fn no_shard_waits_until_a_clock_that_was_set_back_catches_up() {
    let world = corpus();
    world.anp("import --max-invalid 10%").exits(3);
    set_back(&world, &last_run(&world));
    world.anp("purge --all --yes").exits(0);
    let before = world.keys();
    let of = |run: &str, index: &str| {
        let line = format!("import --max-invalid 10% --shard {index} --run-id {run}");
        world.anp(&line)
    };
    for index in ["0/2", "1/2"] {
        of("night", index).exits(3);
    }
    // Nor after a run in shards that was started, and started again, by a clock that was ahead.
    world.anp("rollback night").exits(0);
    of("ahead", "0/2").exits(3);
    of("ahead", "1/2").exits(3);
    for name in files(&world)
        .iter()
        .filter(|name| name.starts_with("ahead."))
    {
        with_header(&world, name, |header| {
            for at in [
                &mut header.order,
                &mut header.begun_order,
                &mut header.begun_at,
            ] {
                *at = at.map(|at| at + HOUR_MS);
            }
            header.started_at += HOUR_MS;
        });
    }
    world.anp("rollback ahead").exits(0);
    for index in ["0/2", "1/2"] {
        of("later", index).exits(3);
    }
    assert_eq!(ids(&world).last().unwrap(), "later");
    assert!(world.keys().len() > 100);
    world.anp("rollback last").exits(0);
    assert_eq!(world.keys(), before);
}

#[test]
fn manifests_that_tell_no_place_are_ordered_by_their_start() {
    let world = corpus();
    for run in ["one", "two"] {
        let line = format!("import --max-invalid 10% --shard 0/1 --run-id {run}");
        world.anp(&line).exits(3);
        let name = format!("{run}.0-of-1.1.jsonl.zst");
        with_header(&world, &name, |header| {
            assert!(header.order.take().is_some());
            assert!(header.begun_order.take().is_some());
            if run == "two" {
                header.started_at -= HOUR_MS;
                header.begun_at = Some(header.started_at);
            }
        });
    }
    assert_eq!(ids(&world), ["two", "one"]);
    // A further start of such a run keeps its place.
    world
        .anp("import --max-invalid 10% --shard 0/1 --run-id two")
        .exits(65)
        .notes("another run, one, wrote to this store since run two began");
    assert_eq!(ids(&world), ["two", "one"]);
}

#[test]
fn shards_render_by_the_same_templates_wherever_these_are() {
    let world = corpus();
    for folder in ["one", "two"] {
        world.write(&format!("{folder}/footer.html"), "<footer>Night</footer>");
    }
    let import = |index: &str, folder: &str| {
        let line =
            format!("import --max-invalid 10% --shard {index} --run-id night --templates {folder}");
        world.anp(&line)
    };
    import("0/3", "one").exits(3);
    import("1/3", "two").exits(3);
    world.write("one/footer.html", "<footer>Day</footer>");
    let before = world.server.dump();
    import("2/3", "one")
        .exits(78)
        .notes("error: run night was begun by a shard with other settings or options\n");
    assert_eq!(world.server.dump(), before);
    import("2/3", "two").exits(3);
}
