//! The way back of a run between whose starts time passed: what it wrote first had expired.

use anp::publish::manifest::{Line, Manifest, Verify, Writer};

use crate::support::World;
use crate::{corpus, shard};

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
