//! Several processes do the work of one run, each a share of it: together they end where one run
//! ends, whichever of them dies and is started again, and one command takes all of it back.

mod back;
mod files_of_runs;
mod history;
mod refused;

use std::collections::BTreeMap;
use std::process::{Child, Stdio};

use crate::support::{Ran, World};
use serde_json::Value;

/// Sixty articles, an invalid one, two that claim one route, and values of others in the way.
fn corpus() -> World {
    let world = World::new();
    for number in 0..60 {
        world.article(&format!("a/n{number}.md"), "Text.");
    }
    world.write(
        "content/a/short.md",
        "---\ntitle: Short\nttl: 2h\n---\nText.\n",
    );
    for name in ["one", "two"] {
        let text = "---\ntitle: Both\nslug: both\n---\nText.\n";
        world.write(&format!("content/b/{name}.md"), text);
    }
    world.write(
        "content/bad.md",
        "---\ntitle: A\nscore: {quality: 140}\n---\n",
    );
    for number in 0..5 {
        let key = format!("anp:page:/a/n{number}/");
        let at = (4_000_000_000_000_i64 + number).to_string();
        world.server.run(&["SET", &key, "theirs", "PXAT", &at]);
    }
    world.server.command("SADD anp:meta:/a/n7/ a b");
    world
}

/// What the articles' keys are, whichever run wrote them whenever it began.
fn published(world: &World, started_at: i64) -> BTreeMap<String, (i64, String)> {
    let keys = world.keys().into_keys();
    let read = |key: String| {
        let value = world.server.get(&key).unwrap();
        let value = match serde_json::from_str::<Value>(&value) {
            Ok(mut meta) => {
                for member in ["run", "written_at"] {
                    meta.as_object_mut().unwrap().remove(member).unwrap();
                }
                meta.to_string()
            }
            Err(_) => value,
        };
        let expiry = world.server.expiry(&key) - started_at;
        (key, (expiry, value))
    };
    keys.map(read).collect()
}

fn started_at(world: &World) -> i64 {
    let runs = world.anp("runs --format json").lines();
    runs.last().unwrap()["started_at"].as_i64().unwrap()
}

/// What one whole run makes of the same.
fn by_one_run() -> BTreeMap<String, (i64, String)> {
    let world = corpus();
    world.anp("import --max-invalid 10%").exits(3);
    published(&world, started_at(&world))
}

const RUN: [&str; 4] = ["--max-invalid", "10%", "--run-id", "night"];

/// The words of an import of one shard of the run `night`.
fn words(shard: &str) -> Vec<&str> {
    [&["import", "--format", "json", "--shard", shard], &RUN[..]].concat()
}

fn shard(world: &World, shard: &str) -> Ran {
    world.anp_with(&words(shard), &[])
}

fn begun(world: &World, shard: &str) -> Child {
    let mut command = world.command("state", &words(shard));
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// The names of the files in the folder of manifests.
fn files(world: &World) -> Vec<String> {
    let entries = std::fs::read_dir(world.path("state/runs")).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// As if the manifests of `run` had been written long ago.
fn age(world: &World, run: &str) {
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(3600);
    for name in files(world).iter().filter(|name| name.starts_with(run)) {
        let file = std::fs::File::open(world.path("state/runs").join(name)).unwrap();
        file.set_modified(old).unwrap();
    }
}

#[test]
fn four_shards_at_once_end_where_one_run_ends() {
    let world = corpus();
    let before = world.server.dump();
    let children = ["0/4", "1/4", "2/4", "3/4"].map(|shard| begun(&world, shard));
    let mut articles = 0;
    for child in children {
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(3), "{said}");
        // Each of them knows the whole corpus.
        for name in ["one", "two"] {
            assert!(said.contains(&format!("content/b/{name}.md")), "{said}");
        }
        assert!(said.contains("also produced by"), "{said}");
        assert!(said.contains("error[score.quality]"), "{said}");
        let last = String::from_utf8(output.stdout).unwrap();
        let summary: Value = serde_json::from_str(last.lines().last().unwrap()).unwrap();
        assert_eq!(summary["of_articles"], 61);
        let own = summary["articles"].as_u64().unwrap();
        assert!((5..=30).contains(&own), "{summary}");
        articles += own;
    }
    assert_eq!(articles, 61);
    assert_eq!(published(&world, started_at(&world)), by_one_run());
    assert_eq!(world.server.expiry("anp:lock"), -2, "given back");
    // One run, in four files.
    let runs = world.anp("runs --format json").lines();
    assert_eq!(runs.len(), 1);
    let run = &runs[0];
    assert_eq!(
        (&run["run"], &run["status"]),
        (&"night".into(), &"partial".into())
    );
    assert_eq!(run["counts"]["created"], 116);
    assert_eq!(run["counts"]["updated"], 6);
    assert_eq!(run["counts"]["invalid"], 3);
    assert_eq!(run["shards"]["done"], 4);
    assert_eq!(run["manifests"].as_array().unwrap().len(), 4);
    world
        .anp("runs --format text")
        .exits(0)
        .says("night  import   ")
        .says("3 invalid");
    world
        .anp("runs show night --format text")
        .says("shards     4 of 4 done\n")
        .says("run night · import · partial\n")
        .says("  created            116 keys");
    world
        .anp("verify night --format text")
        .exits(0)
        .says("122 keys as it wrote them");
    world
        .anp("rollback last --format text")
        .exits(0)
        .says("run night is undone: 56 articles removed, 5 restored (122 keys written)");
    assert_eq!(world.keys(), before);
    world
        .anp("rollback night --format text")
        .exits(0)
        .says("run night is already undone");
}

#[test]
fn a_shard_that_begins_while_others_end_is_not_kept_out() {
    let world = World::new();
    for number in 0..12 {
        world.article(&format!("n{number}.md"), "Text.");
    }
    for round in 0..4 {
        let run = format!("r{round}");
        let begin = |index: u32| {
            let shard = format!("{index}/16");
            let words = ["import", "--shard", &shard, "--run-id", &run];
            let mut command = world.command("state", &words);
            command.stdout(Stdio::null()).stderr(Stdio::piped());
            command.spawn().unwrap()
        };
        let children: Vec<Child> = (0..16).map(begin).collect();
        for child in children {
            let output = child.wait_with_output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(0), "{said}");
        }
    }
    assert_eq!(world.keys().len(), 24);
}

#[test]
fn each_shard_alone_is_a_run_of_its_own_and_together_they_end_there_too() {
    let world = corpus();
    let mut all = BTreeMap::new();
    for index in 0..3 {
        let line = format!("import --max-invalid 10% --shard {index}/3 --format text");
        let ran = world.anp(&line);
        ran.exits(3).says(&format!("\nshare {index}/3: "));
        assert!(ran.stdout.contains(" of 61 articles\n"), "{ran}");
        let run = world.runs().pop().unwrap();
        let meta = format!("\"run\":\"{run}\"");
        let started_at = started_at(&world);
        let published = world.keys().into_iter().filter(|(key, value)| {
            key.starts_with("anp:meta:") && value.replace('\\', "").contains(&meta)
        });
        for (meta, _) in published {
            for key in [meta.replace("meta", "page"), meta] {
                all.insert(key.clone(), world.server.expiry(&key) - started_at);
            }
        }
        world
            .anp("runs --format text")
            .says(&format!("shard {index}/3, "));
    }
    assert_eq!(world.runs().len(), 3);
    let by_one_run: BTreeMap<String, i64> = by_one_run()
        .into_iter()
        .map(|(key, (expiry, _))| (key, expiry))
        .collect();
    assert_eq!(all, by_one_run);
}

#[test]
fn a_shard_that_runs_twice_changes_nothing() {
    let world = corpus();
    for index in ["0/2", "1/2"] {
        shard(&world, index).exits(3);
    }
    let after = world.server.dump();
    for index in ["1/2", "0/2"] {
        let ran = shard(&world, index);
        ran.exits(3);
        let counts = ran.counts();
        for word in ["created", "updated", "refreshed", "removed", "conflicts"] {
            assert_eq!(counts[word], 0, "{ran}");
        }
    }
    assert_eq!(world.server.dump(), after);
    assert_eq!(
        files(&world),
        [
            "night.0-of-2.1.jsonl.zst",
            "night.0-of-2.2.jsonl.zst",
            "night.1-of-2.1.jsonl.zst",
            "night.1-of-2.2.jsonl.zst",
        ]
    );
    let runs = world.anp("runs --format json").lines();
    assert_eq!(runs[0]["counts"]["created"], 116);
}

#[test]
fn the_variables_of_an_indexed_job_name_a_shard_and_flags_win() {
    let world = corpus();
    let import = ["import", "--max-invalid", "10%"];
    for index in ["0", "1"] {
        let variables = [
            ("JOB_COMPLETION_INDEX", index),
            ("ANP_SHARDS", "2"),
            ("ANP_RUN_ID", "anp-import-29388137"),
        ];
        world.anp_with(&import, &variables).exits(3);
    }
    assert_eq!(published(&world, started_at(&world)), by_one_run());
    let flags = [&import[..], &["--shard", "2/3", "--run-id", "other"]].concat();
    let variables = [("JOB_COMPLETION_INDEX", "7"), ("ANP_RUN_ID", "?")];
    world.anp_with(&flags, &variables).exits(3);
    assert!(files(&world).contains(&"other.2-of-3.1.jsonl.zst".to_owned()));
}

#[test]
fn seeded_articles_are_divided_too() {
    let world = World::new();
    for index in 0..3 {
        let line = format!("import --synth 60 --under load/ --shard {index}/3 --run-id seed");
        world.anp(&line).exits(0);
    }
    let pages = |world: &World| {
        let keys = world.keys().into_keys();
        keys.filter(|key| key.contains(":page:"))
            .collect::<Vec<_>>()
    };
    let other = World::new();
    other.anp("import --synth 60 --under load/").exits(0);
    assert_eq!(pages(&world), pages(&other));
    world
        .anp("import --synth 61 --under load/ --shard 0/3 --run-id seed")
        .exits(78)
        .notes("error: run seed was begun by a shard with other settings or options");
    world.anp("purge --run seed").exits(0);
    assert!(pages(&world).is_empty());
}

#[test]
fn shards_warm_what_is_missing_and_only_that() {
    let world = corpus();
    world.anp("import --max-invalid 10%").exits(3);
    for number in 10..40 {
        world
            .server
            .run(&["DEL", &format!("anp:page:/a/n{number}/")]);
    }
    let mut created = 0;
    for index in 0..2 {
        let line = format!("warm --max-invalid 10% --glob /a/** --shard {index}/2 --run-id warm");
        created += world.anp(&line).exits(3).counts()["created"]
            .as_u64()
            .unwrap();
    }
    assert_eq!(created, 30);
    world.anp("verify last").exits(0);
}

#[test]
fn what_is_expected_is_expected_of_the_whole_corpus() {
    let world = World::new();
    for number in 0..40 {
        world.article(&format!("a/n{number}.md"), "Text.");
    }
    for index in 0..4 {
        let line = format!("import --shard {index}/4");
        let enough = [("ANP_EXPECT_MIN_ARTICLES", "40")];
        let words: Vec<&str> = line.split(' ').collect();
        world.anp_with(&words, &enough).exits(0);
    }
    // Nine of forty: too many for a fifth of them, whoever has how many of them.
    for number in 0..9 {
        world.article(&format!("a/n{number}.md"), "Another text.");
    }
    let before = world.server.dump();
    for index in 0..4 {
        let line = format!("import --shard {index}/4");
        let words: Vec<&str> = line.split(' ').collect();
        let ran = world.anp_with(&words, &[("ANP_EXPECT_MAX_CHANGED", "20%")]);
        ran.exits(65)
            .notes("= expect.max_changed: ")
            .notes("found 9");
        let no_cache = [&words[..], &["--no-cache"]].concat();
        let ran = world.anp_with(&no_cache, &[("ANP_EXPECT_MAX_CHANGED", "20%")]);
        ran.exits(65).notes("found 9");
    }
    assert_eq!(world.server.dump(), before);
    for index in 0..4 {
        let line = format!("import --shard {index}/4");
        let words: Vec<&str> = line.split(' ').collect();
        world
            .anp_with(&words, &[("ANP_EXPECT_MAX_CHANGED", "25%")])
            .exits(0);
    }
    // So is what --prune removes; each shard removes its own, and nothing of the others.
    for number in 0..9 {
        std::fs::remove_file(world.path(&format!("content/a/n{number}.md"))).unwrap();
    }
    for index in 0..4 {
        world
            .anp(&format!("import --prune --shard {index}/4"))
            .exits(65)
            .notes("at most 10 % of 40 stored articles to be removed by --prune, found 9");
    }
    let mut removed = 0;
    for index in 0..4 {
        let line = format!("import --prune --max-removed 9 --shard {index}/4 --run-id pruned");
        removed += world.anp(&line).exits(0).counts()["removed"]
            .as_u64()
            .unwrap();
    }
    assert_eq!(removed, 18);
    assert_eq!(world.keys().len(), 62);
    world.anp("rollback pruned").exits(0);
    assert_eq!(world.keys().len(), 80);
}

/// Of the cache of unchanged files, for one file.
const RECORD_BYTES: u64 = 112;

#[test]
fn the_cache_of_unchanged_files_serves_every_shard() {
    let world = World::new();
    for number in 0..30 {
        world.article(&format!("n{number}.md"), "Text.");
    }
    // Younger files are not trusted.
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(60);
    for number in 0..30 {
        let file = std::fs::File::open(world.path(&format!("content/n{number}.md"))).unwrap();
        file.set_modified(old).unwrap();
    }
    let cache = world.path("state/unchanged.cache");
    let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
    let mut round = 0;
    // The time of change cannot be set: it is waited for.
    while std::fs::metadata(&cache).map_or(0, |cache| cache.len()) < 30 * RECORD_BYTES {
        assert!(std::time::Instant::now() < until, "no cache of all files");
        round += 1;
        let run = format!("r{round}");
        let children = ["0/3", "1/3", "2/3"].map(|shard| {
            let words = ["import", "--shard", shard, "--run-id", &run];
            let mut command = world.command("state", &words);
            command.stdout(Stdio::null()).stderr(Stdio::null());
            command.spawn().unwrap()
        });
        for mut child in children {
            assert!(child.wait().unwrap().success());
        }
    }
    let whole = std::fs::read(&cache).unwrap();
    world
        .anp("import --shard 0/3 --run-id last-of-them")
        .exits(0);
    assert_eq!(std::fs::read(&cache).unwrap(), whole, "nothing to write");
    let left = std::fs::read_dir(world.path("state")).unwrap();
    let left = left.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert!(!left.into_iter().any(|name| name.ends_with(".new")));
}
