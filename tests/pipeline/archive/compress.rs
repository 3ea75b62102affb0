//! Objects in gzip: what readers see is the same, and every command knows both forms.

use std::collections::BTreeMap;

use super::tree::{Archive, difference};
use crate::support::{Ran, settle};

pub const GZIP: &str = "compress: gzip\n";

/// What readers see of each object, by its key, without what names its digest or the run.
fn seen(archive: &Archive) -> BTreeMap<String, String> {
    let server = &archive.world.server;
    let keys = archive.world.keys().into_keys();
    let texts = keys.map(|key| {
        let text = server.unpacked(&key).unwrap();
        let text = if key.starts_with("anp:meta:") {
            let mut meta: serde_json::Value = serde_json::from_str(&text).unwrap();
            for name in ["run", "written_at", "digest", "inputs", "etag", "base"] {
                meta.as_object_mut().unwrap().remove(name);
            }
            meta.to_string()
        } else if let Some((before, rest)) = text.split_once("anp:") {
            format!("{before}{}", &rest[rest.len().min(32)..])
        } else {
            text
        };
        let text = match text.split_once("\"digest\":\"") {
            Some((before, rest)) => format!("{before}{}", &rest[32..]),
            None => text,
        };
        (key, text)
    });
    texts.collect()
}

fn is_gzip(archive: &Archive, key: &str) -> bool {
    let bytes = archive.world.server.bytes(key).unwrap();
    bytes.starts_with(&[0x1f, 0x8b])
}

/// The reasons of what a run changed, each with how many keys it had.
fn reasons(ran: &Ran) -> BTreeMap<String, usize> {
    let mut reasons = BTreeMap::new();
    for key in ran.of_type("key") {
        if let Some(reason) = key["reason"].as_str() {
            *reasons.entry(reason.to_owned()).or_default() += 1;
        }
    }
    reasons
}

#[test]
fn promise_3_the_setting_changes_the_form_of_objects_and_nothing_that_readers_see() {
    let archive = Archive::new();
    archive.article("cache/old", 14, "aliases: [/older/]\n");
    settle();
    archive.import();
    let (plain, told) = (archive.world.keys(), seen(&archive));
    assert!(plain.keys().all(|key| !is_gzip(&archive, key)));
    archive.set(GZIP);
    let ran = archive.import();
    let written = plain.keys().filter(|key| !key.contains(":redirect:"));
    let all = BTreeMap::from([("settings".to_owned(), written.count())]);
    assert_eq!(reasons(&ran), all, "{ran}");
    let gzip = archive.world.keys();
    for key in gzip.keys() {
        let stays = key.contains(":meta:") || key.contains(":redirect:");
        assert_eq!(is_gzip(&archive, key), !stays, "{key}");
    }
    let now = seen(&archive);
    assert!(now == told, "{}", difference(&now, &told));
    archive.world.anp("verify last").exits(0);
    archive.world.anp("rollback last").exits(0);
    assert!(archive.world.keys() == plain, "the rollback");
    archive.import();
    // The other way round.
    let gzip = archive.world.keys();
    archive.set("compress: none\n");
    let ran = archive.import();
    assert_eq!(reasons(&ran), all, "{ran}");
    let now = seen(&archive);
    assert!(now == told, "{}", difference(&now, &told));
    archive.world.anp("rollback last").exits(0);
    assert!(archive.world.keys() == gzip, "the rollback of that");
}

#[test]
fn the_same_sources_give_the_same_bytes_in_one_run_or_in_shards() {
    let archive = Archive::with(GZIP);
    let expected = archive.made_from_nothing();
    archive.import_in_shards();
    let made = archive.objects("anp");
    assert!(made == expected, "{}", difference(&made, &expected));
}

#[test]
fn a_night_without_changes_reads_a_few_bytes_of_each_value() {
    let archive = Archive::with(GZIP);
    archive.import();
    archive.world.server.command("CONFIG RESETSTAT");
    let counts = archive.import().counts();
    let changed = ["created", "updated", "removed", "refreshed"].map(|name| counts[name].clone());
    assert_eq!(changed, [0, 0, 0, 0]);
    let sent = archive.world.server.info("stats", "total_net_output_bytes");
    let objects = archive.world.keys().len() as u64;
    // A page of a list alone has more.
    assert!(sent.parse::<u64>().unwrap() < 600 * objects, "{sent}");
}

#[test]
fn what_is_lost_is_warmed_what_is_purged_comes_back_and_a_foreign_value_stays() {
    let archive = Archive::with(GZIP);
    settle();
    archive.import();
    let made = archive.objects("anp");
    for key in [
        "anp:page:/cache/n3/",
        "anp:text:/queue/n2/",
        "anp:file:/feed.xml",
    ] {
        archive.world.server.run(&["DEL", key]);
    }
    archive.world.anp("warm").exits(0);
    assert!(archive.objects("anp") == made, "warm");
    archive.world.server.command("FLUSHALL");
    archive.world.anp("warm").exits(0);
    assert!(archive.objects("anp") == made, "warm from nothing");
    archive.world.anp("purge --all --yes").exits(0);
    archive.world.anp("rollback last").exits(0);
    assert!(archive.objects("anp") == made, "purge");
    // Gzip of another program is a foreign value.
    archive.world.write("theirs", "theirs");
    archive.world.shell("gzip -k theirs");
    let bytes = std::fs::read(archive.world.path("theirs.gz")).unwrap();
    archive.world.server.set("anp:page:/cache/n3/", &bytes);
    archive.world.server.run(&["DEL", "anp:meta:/cache/n3/"]);
    archive.world.anp("warm").notes("another client's value");
    let now = archive.world.server.bytes("anp:page:/cache/n3/").unwrap();
    assert_eq!(now, bytes);
    let ran = archive.import();
    assert_eq!(reasons(&ran).get("foreign"), Some(&3), "{ran}");
    assert!(archive.objects("anp") == made, "import");
    archive.world.anp("rollback last").exits(0);
    let now = archive.world.server.bytes("anp:page:/cache/n3/").unwrap();
    assert_eq!(now, bytes);
}

#[test]
fn show_ls_and_diff_read_both_forms() {
    let archive = Archive::with(GZIP);
    settle();
    archive.import();
    let world = &archive.world;
    let page = world.server.unpacked("anp:page:/cache/n3/").unwrap();
    assert_eq!(world.anp("show /cache/n3/ --page").exits(0).stdout, page);
    let text = world.server.unpacked("anp:text:/cache/n3/").unwrap();
    assert_eq!(world.anp("show /cache/n3/ --text").exits(0).stdout, text);
    let feed = world.server.unpacked("anp:file:/feed.xml").unwrap();
    assert_eq!(world.anp("show /feed.xml --page").exits(0).stdout, feed);
    let shown = world.anp("show /cache/n3/");
    let bytes = world.server.bytes("anp:page:/cache/n3/").unwrap().len();
    shown
        .exits(0)
        .says(&format!("{bytes} bytes of gzip, {} unpacked", page.len()))
        .says("Text of cache n3.");
    let line = &world.anp("show /cache/n3/ --format json").of_type("route")[0];
    assert_eq!(line["page"]["unpacked_bytes"], page.len());
    assert_eq!(line["meta"]["unpacked_bytes"], serde_json::Value::Null);
    assert_eq!(line["digest"], line["metadata"]["digest"]);
    world.anp("ls").exits(0).says("About cache n3");
    world.anp("status").exits(0);
    archive.article("cache/n3", 3, "tags: [other]\n");
    let diff = world.anp("diff /cache/n3/");
    diff.exits(0).says("other");
    archive.set("");
    world
        .anp("diff /cache/n1/ /queue/n2/")
        .exits(0)
        .says("stored in another form");
    // Damaged by somebody: told as what it is.
    world
        .server
        .run(&["SETRANGE", "anp:page:/cache/n3/", "40", "xxxx"]);
    world
        .anp("show /cache/n3/ --page")
        .exits(3)
        .notes("damaged gzip");
    world
        .anp("show /cache/n3/")
        .exits(0)
        .says("of damaged gzip");
}
