//! Archives that somebody made to do harm, or that a tool made oddly.

use std::io::Write as _;

use tar::EntryType;

use super::{Member, gzipped, piped, stored, tar_of, zip_of};
use crate::support::World;

const ARTICLE: &[u8] = b"---\ntitle: A\n---\nText.\n";

#[test]
fn members_that_lead_out_of_an_archive_or_are_no_files_are_refused_by_name() {
    let world = World::new();
    let members = [
        Member::File("good.md", ARTICLE),
        Member::File("/etc/absolute.md", ARTICLE),
        Member::File("../up.md", ARTICLE),
        Member::File("a/../../up.md", ARTICLE),
        Member::Link("link.md", "good.md", EntryType::Symlink),
        Member::Link("out.md", "/etc/passwd", EntryType::Symlink),
        Member::Link("hard.md", "good.md", EntryType::Link),
        Member::Link("picture.png", "good.md", EntryType::Symlink),
        Member::Special("pipe.md", EntryType::Fifo),
        Member::Special("device.md", EntryType::Char),
        Member::Special("disk.md", EntryType::Block),
        Member::File("twice.md", ARTICLE),
        Member::File("./twice.md", ARTICLE),
    ];
    world.write("x.tar", tar_of(&members));
    let ran = world.anp("check x.tar --format concise");
    ran.exits(65);
    let mut found: Vec<&str> = ran
        .stdout
        .lines()
        .filter(|line| line.starts_with("x.tar"))
        .collect();
    found.sort_unstable();
    let absolute = "skipped: an absolute path, which leads out of the archive";
    let up = "skipped: a path with '..', which leads out of the archive";
    let twice = "error[source]: expected one member of this name, found twice.md more than once";
    let expected = [
        format!("x.tar:../up.md: error[source]: {up}"),
        format!("x.tar:/etc/absolute.md: error[source]: {absolute}"),
        format!("x.tar:a/../../up.md: error[source]: {up}"),
        "x.tar:device.md: error[source]: skipped: a device, no file".to_owned(),
        "x.tar:disk.md: error[source]: skipped: a device, no file".to_owned(),
        "x.tar:hard.md: warning[source]: skipped: a hard link, which anp does not follow in archives".to_owned(),
        "x.tar:link.md: warning[source]: skipped: a symbolic link, which anp does not follow in archives".to_owned(),
        "x.tar:out.md: warning[source]: skipped: a symbolic link, which anp does not follow in archives".to_owned(),
        "x.tar:pipe.md: error[source]: skipped: a FIFO, no file".to_owned(),
        format!("x.tar:twice.md: {twice}"),
        format!("x.tar:twice.md: {twice}"),
    ];
    assert_eq!(found, expected);
    // The good article is published where that is allowed, and nothing is pruned.
    let ran = world.anp("import x.tar --max-invalid 100% --prune");
    assert_eq!(ran.exits(3).counts()["created"], 2, "{ran}");
    ran.notes("--prune removes nothing while");
    let keys: Vec<String> = stored(&world).into_iter().map(|(key, _)| key).collect();
    assert_eq!(keys, ["anp:meta:/good/", "anp:page:/good/"]);
}

#[test]
fn promise_10_what_grows_beyond_measure_is_refused() {
    let world = World::new();
    // 2 GiB of zeros in 2 KiB and 2 MiB: as one line, and as one member.
    let zeros = vec![0; 1024 * 1024];
    let mut line = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    line.write_all(b"{\"path\":\"a.md\",\"body\":\"").unwrap();
    let mut member = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    let mut header = tar::Header::new_gnu();
    header.set_path("big.png").unwrap();
    header.set_size(2048 * 1024 * 1024);
    header.set_cksum();
    member.write_all(header.as_bytes()).unwrap();
    for _ in 0..2048 {
        line.write_all(&zeros).unwrap();
        member.write_all(&zeros).unwrap();
    }
    member.write_all(&[0; 1024]).unwrap();
    for (name, bomb) in [("line.jsonl.zst", line), ("member.tar.zst", member)] {
        world.write(name, bomb.finish().unwrap());
        let ran = world.anp(&format!("import {name}"));
        ran.exits(65)
            .notes("decompressed it has more than 1000 times its size");
    }
    assert_eq!(stored(&world), []);
}

#[test]
fn promise_10_a_member_or_line_that_is_too_long_is_named_and_not_held() {
    let world = World::new();
    let long = vec![b'x'; 5 * 1024 * 1024];
    let members = [
        Member::File("long.md", &long),
        Member::File("good.md", ARTICLE),
    ];
    world.write("x.tar", tar_of(&members));
    world.write("x.zip", zip_of(&[("long.md", &long), ("good.md", ARTICLE)]));
    for name in ["x.tar", "x.zip"] {
        let ran = world.anp(&format!("check {name} --format concise"));
        ran.exits(3).says(&format!(
            "{name}:long.md: error[source]: expected at most 4194304 bytes, found 5242880"
        ));
        ran.says("1 valid");
    }
    let mut lines = b"{\"path\":\"a.md\",\"body\":\"".to_vec();
    lines.resize(26 * 1024 * 1024, b'x');
    lines.extend_from_slice(b"\"}\n{\"path\":\"b.md\",\"title\":\"B\"}\n");
    let ran = piped(&world, "check - --format concise", &lines);
    ran.exits(3).says(
        "stdin:1:1: error[source]: expected a line of at most 25231360 bytes, found 27262979",
    );
    ran.says("1 valid");
}

#[test]
fn names_of_any_length_and_kind_are_read_as_tar_writes_them() {
    let world = World::new();
    let deep = format!("{}/{}.md", "folder".repeat(20), "name".repeat(25));
    world.write(&format!("content/{deep}"), ARTICLE);
    world.write("content/ünï code.md", ARTICLE);
    for format in ["gnu", "pax", "oldgnu"] {
        world
            .shell(&format!("tar -C content --format={format} -cf x.tar ."))
            .exits(0);
        let ran = world.anp("check x.tar");
        ran.exits(0).says("2 valid");
    }
    world
        .shell("tar -C content --format=posix --pax-option=comment=x -cf x.tar .")
        .exits(0);
    world.anp("check x.tar").exits(0).says("2 valid");
}

#[test]
fn what_follows_the_end_of_an_archive_is_no_secret() {
    let world = World::new();
    let one = tar_of(&[Member::File("a.md", ARTICLE)]);
    let two = [one.clone(), tar_of(&[Member::File("b.md", ARTICLE)])].concat();
    world.write("x.tar", &two);
    world
        .anp("import x.tar")
        .exits(65)
        .notes("more follows behind the end of the archive");
    world.write("x.tar", [one.clone(), vec![0; 20_000]].concat());
    world.anp("import x.tar").exits(0);
    // Without its end, it may be one that was cut between two members.
    world.write("x.tar", &one[..one.len() - 1024]);
    world
        .anp("import x.tar")
        .exits(65)
        .notes("it ends before the end of the archive");
    world.write("x.tar.gz", gzipped(&one[..one.len() - 1024]));
    world.anp("import x.tar.gz").exits(65);
}

#[test]
fn a_zip_archive_that_is_damaged_encrypted_or_cut_is_refused() {
    let world = World::new();
    let whole = zip_of(&[("a.md", ARTICLE), ("b.md", ARTICLE)]);
    world.write("x.zip", &whole);
    assert_eq!(world.anp("import x.zip").exits(0).counts()["created"], 4);
    for cut in [1, 30, 80, whole.len() / 2, whole.len() - 1] {
        world.write("x.zip", &whole[..cut]);
        let ran = world.anp("import x.zip");
        ran.exits(65).notes("nothing was written");
    }
    // The checksum of the first member's text.
    let mut spoilt = whole.clone();
    let at = spoilt.windows(5).position(|five| five == b"Text.").unwrap();
    spoilt[at] = b'X';
    world.write("x.zip", &spoilt);
    world
        .anp("import x.zip")
        .exits(65)
        .notes("x.zip is damaged or not whole");
    // Both copies of the first member's flags.
    let mut locked = whole.clone();
    for (mark, offset) in [(&b"PK\x03\x04"[..], 6), (b"PK\x01\x02", 8)] {
        let at = locked.windows(4).position(|four| four == mark).unwrap();
        locked[at + offset] |= 1;
    }
    world.write("x.zip", &locked);
    world
        .anp("check x.zip --format concise")
        .exits(65)
        .says("x.zip:a.md: error[source]: skipped: encrypted");
    // As a program of another system writes its paths.
    let mut folders = zip_of(&[("..@up.md", ARTICLE), ("c@d.md", ARTICLE)]);
    folders
        .iter_mut()
        .filter(|b| **b == b'@')
        .for_each(|b| *b = b'\\');
    world.write("x.zip", &folders);
    let ran = world.anp("check x.zip --format concise");
    ran.exits(65)
        .says("x.zip:../up.md: error[source]: skipped: a path with '..'")
        .says("1 valid");
}
