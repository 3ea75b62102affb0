//! The manifest file: readable with common tools, cut where it is torn, refused where it is
//! damaged.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::support::World;
use crate::support::cases::cases;
use anp::publish::manifest::{
    Action, Counts, Damage, FORMAT, Footer, Header, Intent, KeyOutcome, Line, Manifest, Snapshot,
    Status, Verify, Writer,
};

fn header() -> Header {
    Header {
        format: FORMAT,
        anp: "0.0.0".to_owned(),
        run: "20260101T000000.000Z-0001".to_owned(),
        command: "import".to_owned(),
        started_at: 1_767_225_600_000,
        owner: None,
        expected_result: None,
        server: "redis://127.0.0.1:1/0".to_owned(),
        cluster: Default::default(),
        db: 0,
        prefix: "anp".to_owned(),
        settings_digest: String::new(),
        rollback: "anp rollback 20260101T000000.000Z-0001".to_owned(),
        content: None,
        undoes: None,
        shard: None,
        attempt: None,
        begun_at: None,
        order: None,
        begun_order: None,
        skipped_bytes: None,
        user: None,
        host: "host".to_owned(),
        pid: 1,
    }
}

fn intent(key: &str) -> Line {
    Line::Intent(Intent::new(
        key.to_owned(),
        Action::Create,
        None,
        Some(Snapshot::expiry(Some(1_767_225_600_000))),
    ))
}

/// A small manifest: header, two batches, footer. Returns the bytes and the end of each
/// frame.
fn small(folder: &Path) -> (Vec<u8>, Vec<usize>) {
    let path = folder.join("whole.zst");
    let mut ends = Vec::new();
    let mut writer = Writer::create(&path, &Line::Header(header())).unwrap();
    let length = || usize::try_from(std::fs::metadata(&path).unwrap().len()).unwrap();
    ends.push(length());
    for batch in [["a", "b"], ["c", "d"]] {
        let lines: Vec<Line> = batch.iter().map(|key| intent(key)).collect();
        writer.append(&lines).unwrap();
        ends.push(length());
    }
    let footer = Footer {
        status: Status::Done,
        ended_at: 1_767_225_600_001,
        counts: Counts::default(),
        articles: None,
    };
    writer.append(&[Line::Footer(footer)]).unwrap();
    ends.push(length());
    (std::fs::read(&path).unwrap(), ends)
}

fn open(folder: &Path, bytes: &[u8]) -> Result<Manifest, Damage> {
    let path = folder.join("changed.zst");
    std::fs::write(&path, bytes).unwrap();
    Manifest::open(&path, Verify::All)
}

fn keys(manifest: &Manifest) -> Vec<String> {
    manifest
        .batches()
        .flat_map(Result::unwrap)
        .filter_map(|line| match line {
            Line::Intent(intent) => Some(intent.key),
            _ => None,
        })
        .collect()
}

/// Asserts that of a file torn in the frame that begins at `ends[frame - 1]`, just the
/// frames before it are used.
fn assert_cut(result: Result<Manifest, Damage>, ends: &[usize], frame: usize, what: &str) {
    if frame == 0 {
        let refused = matches!(result, Err(Damage::NoHeader { .. }));
        assert!(refused, "{what}: a torn header is no manifest");
        return;
    }
    let manifest = result.unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!(manifest.frames(), frame, "{what}");
    let expected = [vec![], vec!["a", "b"], vec!["a", "b", "c", "d"]];
    assert_eq!(keys(&manifest), expected[(frame - 1).min(2)], "{what}");
    assert_eq!(manifest.torn_at(), Some(ends[frame - 1] as u64), "{what}");
}

#[test]
fn cut_off_at_any_byte_the_whole_frames_before_it_are_used() {
    let folder = tempfile::tempdir().unwrap();
    let (bytes, ends) = small(folder.path());
    for length in 0..bytes.len() {
        let frame = ends.iter().filter(|end| **end <= length).count();
        let result = open(folder.path(), &bytes[..length]);
        if frame > 0 && ends[frame - 1] == length {
            let manifest = result.unwrap();
            assert_eq!(manifest.frames(), frame);
            assert_eq!(manifest.torn_at(), None, "cut between two frames");
        } else {
            assert_cut(result, &ends, frame, &format!("cut at {length}"));
        }
    }
}

#[test]
fn zeros_from_any_byte_of_the_last_frame_on_are_a_torn_frame() {
    let folder = tempfile::tempdir().unwrap();
    let (bytes, ends) = small(folder.path());
    for last in 0..ends.len() {
        let start = if last == 0 { 0 } else { ends[last - 1] };
        for from in start..ends[last] {
            for beyond in [0, 1, 4096] {
                let mut torn = bytes[..ends[last]].to_vec();
                torn[from..].fill(0);
                torn.resize(ends[last] + beyond, 0);
                let what = format!("zeros from {from}, {beyond} beyond");
                let result = open(folder.path(), &torn);
                // The file is longer than the guard says: a later frame was begun.
                let was_synced = beyond > 0 && has_guard(&torn, &bytes, start);
                if was_synced {
                    assert_damaged(result, start..ends[last], &what);
                } else {
                    assert_cut(result, &ends, last, &what);
                }
            }
        }
    }
}

/// Whether the guard at `start` is still the one of `bytes`.
fn has_guard(changed: &[u8], bytes: &[u8], start: usize) -> bool {
    changed[start..start + 64] == bytes[start..start + 64]
}

fn assert_damaged(result: Result<Manifest, Damage>, frame: std::ops::Range<usize>, what: &str) {
    match result {
        Err(Damage::Damaged { offset, .. }) => {
            let offset = usize::try_from(offset).unwrap();
            assert!(frame.contains(&offset), "{what}: offset {offset}");
        }
        Err(error) => panic!("{what}: {error}"),
        Ok(_) => panic!("{what}: it is not damaged"),
    }
}

#[test]
fn promise_3_zeros_from_any_byte_of_a_frame_that_was_synced_are_damage() {
    let folder = tempfile::tempdir().unwrap();
    let (bytes, ends) = small(folder.path());
    let path = folder.path().join("changed.zst");
    let last = ends.len() - 1;
    let mut damaged = 0;
    for from in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[from..].fill(0);
        let frame = ends.iter().filter(|end| **end <= from).count();
        let start = if frame == 0 { 0 } else { ends[frame - 1] };
        let what = format!("zeros from {from}");
        let result = open(folder.path(), &changed);
        // Without its guard, a frame that was torn looks the same.
        if frame == last || !has_guard(&changed, &bytes, start) {
            assert_cut(result, &ends, frame, &what);
            continue;
        }
        damaged += 1;
        assert_damaged(result, start..ends[frame], &what);
        let listed = Manifest::open(&path, Verify::Ends);
        assert_damaged(listed, start..ends[frame], &what);
        if frame > 0 {
            let rest = Manifest::open(&path, Verify::Rest).unwrap();
            let lost = rest.lost();
            assert_eq!(lost.len(), 1, "{what}: {lost:?}");
            assert_eq!(
                (lost[0].from, lost[0].to),
                (start as u64, bytes.len() as u64)
            );
            assert_eq!(rest.frames(), frame, "{what}");
            assert_eq!(rest.torn_at(), None, "{what}");
        }
    }
    assert_eq!(damaged, ends[last - 1] - last * 64);
}

#[test]
fn every_flipped_bit_is_refused_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let (bytes, ends) = small(folder.path());
    for bit in cases("bits", 8).take_while(|bit| *bit < bytes.len() * 8) {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let frame = ends.iter().filter(|end| **end <= bit / 8).count();
        let start = if frame == 0 { 0 } else { ends[frame - 1] } as u64;
        match open(folder.path(), &flipped) {
            Err(Damage::Damaged { offset, .. }) => {
                let inside = (start..ends[frame] as u64).contains(&offset);
                assert!(inside, "bit {bit}: offset {offset} is not in its frame");
            }
            Err(error) => panic!("bit {bit}: {error}"),
            Ok(_) => panic!("bit {bit} went unseen"),
        }
    }
}

#[test]
fn a_frame_that_is_missing_doubled_or_swapped_is_damage() {
    let folder = tempfile::tempdir().unwrap();
    let (bytes, ends) = small(folder.path());
    let frame = |index: usize| &bytes[if index == 0 { 0 } else { ends[index - 1] }..ends[index]];
    for order in [
        vec![0, 2, 3],
        vec![0, 1, 1, 2],
        vec![0, 2, 1, 3],
        vec![1, 0],
    ] {
        let file: Vec<u8> = order
            .iter()
            .flat_map(|index| frame(*index))
            .copied()
            .collect();
        let result = open(folder.path(), &file);
        assert!(matches!(result, Err(Damage::Damaged { .. })), "{order:?}");
    }
}

#[test]
fn an_existing_file_or_a_full_disk_makes_no_manifest() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.zst");
    assert!(Writer::create(&path, &Line::Header(header())).is_ok());
    // The same path again: an existing manifest is never overwritten.
    assert!(Writer::create(&path, &Line::Header(header())).is_err());
    let outcome = Line::Outcome(KeyOutcome {
        key: "k".to_owned(),
        fate: anp::publish::manifest::Fate::Conflict,
    });
    // /dev/full refuses every write, as a full disk does.
    let full = folder.path().join("full");
    std::os::unix::fs::symlink("/dev/full", &full).unwrap();
    assert!(Writer::create(&full, &outcome).is_err());
}

#[test]
fn any_zstd_reads_it_as_json_lines_and_only_its_owner_may() {
    let world = World::new();
    world.article("a.md", "A.");
    let variables = [
        ("ANP_OWNER", "night shift"),
        ("ANP_EXPECTED_RESULT", "one article"),
    ];
    world.anp_with(&["import"], &variables).exits(0);
    let run = world.runs().pop().unwrap();
    let path = world.manifest(&run);
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let text = zstd::decode_all(&std::fs::read(&path).unwrap()[..]).unwrap();
    let lines: Vec<serde_json::Value> = text
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect();
    let types: Vec<_> = lines
        .iter()
        .map(|line| line["type"].as_str().unwrap())
        .collect();
    assert_eq!(types, ["header", "intent", "intent", "footer"]);
    let header = &lines[0];
    assert_eq!(header["run"], *run);
    assert_eq!(header["command"], "import");
    assert_eq!(header["owner"], "night shift");
    assert_eq!(header["expected_result"], "one article");
    assert_eq!(header["prefix"], "anp");
    assert!(
        header["server"]
            .as_str()
            .unwrap()
            .starts_with("redis+unix:///")
    );
    let rollback = header["rollback"].as_str().unwrap();
    let state = world.path("state");
    assert!(rollback.ends_with(&format!("rollback {run} --state-dir {}", state.display())));
    assert_eq!(lines[3]["status"], "done");
    assert_eq!(lines[3]["counts"]["created"], 2);
}

#[test]
fn a_torn_manifest_still_undoes_what_it_announced() {
    let world = World::new();
    world.article("a.md", "A.");
    world.anp("import").exits(0);
    let path = world.manifest(&world.runs()[0]);
    let bytes = std::fs::read(&path).unwrap();
    // The footer is torn off in its middle: as if the run had been killed there.
    std::fs::write(&path, &bytes[..bytes.len() - 20]).unwrap();
    let ran = world.anp("runs");
    ran.exits(0).says("unfinished");
    let ran = world.anp("rollback last");
    ran.exits(0).notes("the manifest is torn at byte");
    assert!(world.server.dump().is_empty());
}

/// A run of two batches, the keyspace before and after it, and its manifest.
struct TwoBatches {
    world: World,
    before: BTreeMap<String, String>,
    earlier: Vec<crate::scene::Key>,
    later: Vec<crate::scene::Key>,
    run: String,
    bytes: Vec<u8>,
}

impl TwoBatches {
    fn new() -> Self {
        let world = World::new();
        for name in ["a", "b", "c", "d", "e", "f"] {
            world.article(&format!("{name}.md"), name);
        }
        // Four of them fill a batch, and the manifest stays small.
        let theirs = "x".repeat(1 << 20);
        for name in ["a", "b", "c", "d"] {
            world
                .server
                .run(&["SET", &format!("anp:page:/{name}/"), &theirs]);
        }
        world
            .server
            .command("SET anp:meta:/e/ theirs PXAT 4000000000123");
        let before = world.keys();
        let earlier = crate::scene::snapshot(&world);
        world.anp("import").exits(0);
        let run = world.runs().pop().unwrap();
        Self {
            before,
            earlier,
            later: crate::scene::snapshot(&world),
            bytes: std::fs::read(world.manifest(&run)).unwrap(),
            run,
            world,
        }
    }

    /// The keys that the manifest as it is now announces.
    fn announced(&self) -> Vec<String> {
        Manifest::open(&self.world.manifest(&self.run), Verify::All)
            .map_or(Vec::new(), |manifest| keys(&manifest))
    }

    /// The keyspace as a run may leave it that dies with this manifest: no key is written
    /// that it does not announce.
    fn die(&self, written: impl Fn(&str) -> bool) {
        let announced = self.announced();
        let is_made = |key: &crate::scene::Key| announced.contains(&key.0) && written(&key.0);
        let made = self.later.iter().filter(|key| is_made(key));
        let stay = self.earlier.iter().filter(|key| !is_made(key));
        crate::scene::restore(&self.world, &made.chain(stay).cloned().collect::<Vec<_>>());
    }

    /// Rolls back, and puts no other manifest beside it.
    fn rollback(&self) -> crate::support::Ran {
        let ran = self.world.anp_with(&["rollback", &self.run], &[]);
        for run in self.world.runs() {
            if run != self.run {
                std::fs::remove_file(self.world.manifest(&run)).unwrap();
            }
        }
        ran
    }
}

#[test]
fn whatever_a_manifest_is_cut_to_rollback_brings_all_back() {
    let case = TwoBatches::new();
    let path = case.world.manifest(&case.run);
    assert_eq!(case.announced().len(), 12);
    let mut announced = std::collections::BTreeSet::new();
    let lengths = cases("manifest cut", 8).map(|number| number * 13);
    let lengths = lengths.take_while(|length| *length < case.bytes.len());
    let ends = ends_of(&case.bytes);
    for length in lengths.chain([0, ends[1], case.bytes.len()]) {
        std::fs::write(&path, &case.bytes[..length]).unwrap();
        announced.insert(case.announced().len());
        // All that was announced is written, or only the pages.
        for only in ["", ":page:"] {
            case.die(|key| key.contains(only));
            let ran = case.rollback();
            assert!([0, 3].contains(&ran.code), "cut at {length}: {ran}");
            assert!(case.world.keys() == case.before, "cut at {length}: {ran}");
        }
    }
    assert_eq!(announced.into_iter().collect::<Vec<_>>(), [0, 8, 12]);
}

#[test]
fn promise_3_a_manifest_whose_end_was_zeroed_later_is_refused() {
    let case = TwoBatches::new();
    let path = case.world.manifest(&case.run);
    let ends = ends_of(&case.bytes);
    let after = case.world.keys();
    // Zeros from the middle of the first batch, and from the last byte of the second one.
    for (from, frame) in [((ends[0] + ends[1]) / 2, 1), (ends[2] - 1, 2)] {
        let mut bytes = case.bytes.clone();
        bytes[from..].fill(0);
        std::fs::write(&path, bytes).unwrap();
        case.rollback().exits(65).notes("is damaged at byte");
        assert_eq!(case.world.keys(), after);
        let line = ["rollback", &case.run, "--skip-damaged", "--dry-run"];
        let lost = format!("bytes {} to {}", ends[frame - 1], case.bytes.len());
        case.world
            .anp_with(&line, &[])
            .exits(3)
            .notes(&format!("{lost} cannot be read"));
    }
}

#[test]
fn whichever_bit_of_a_manifest_is_flipped_rollback_writes_nothing() {
    let case = TwoBatches::new();
    let path = case.world.manifest(&case.run);
    let after = case.world.keys();
    // The lock and every write of a rollback go through scripts.
    let ran_scripts = || {
        let calls = case.world.server.command("INFO commandstats");
        let calls: String = redis::from_redis_value(calls).unwrap();
        calls.contains("cmdstat_evalsha")
    };
    assert!(ran_scripts(), "those of the import");
    case.world.server.command("CONFIG RESETSTAT");
    let bits = cases("manifest bit", 8).map(|number| number * 83);
    for bit in bits.take_while(|bit| *bit < case.bytes.len() * 8) {
        let mut flipped = case.bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        std::fs::write(&path, &flipped).unwrap();
        let ran = case.world.anp_with(&["rollback", &case.run], &[]);
        ran.exits(65)
            .notes("is damaged at byte")
            .notes("nothing was written");
        assert_eq!(case.world.runs().len(), 1, "bit {bit}: {ran}");
    }
    assert_eq!(case.world.keys(), after);
    assert!(!ran_scripts(), "not even the lock was asked for");
}

#[test]
fn a_damaged_manifest_is_refused_and_nothing_is_written() {
    let world = World::new();
    world.article("a.md", "A.");
    world.anp("import").exits(0);
    let before = world.server.dump();
    let run = world.runs().pop().unwrap();
    let path = world.manifest(&run);
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let ran = world.anp_with(&["rollback", &run], &[]);
    ran.exits(65)
        .notes("is damaged at byte")
        .notes("nothing was written");
    world.anp("rollback last").exits(65);
    world.anp("verify last").exits(65);
    assert_eq!(world.server.dump(), before);
    assert_eq!(world.runs().len(), 1);
}

#[test]
fn a_run_that_died_before_its_header_was_durable_wrote_nothing() {
    let world = World::new();
    world.article("a.md", "A.");
    world.anp("import").exits(0);
    let before = world.server.dump();
    let good = world.runs().pop().unwrap();
    std::fs::write(
        world.path("state/runs/99990101T000000.000Z-0000.jsonl.zst"),
        "",
    )
    .unwrap();
    let ran = world.anp("verify last");
    ran.exits(0).says("2 keys as it wrote them").notes(&format!(
        "99990101T000000.000Z-0000, wrote nothing; taking {good}"
    ));
    let ran = world.anp("verify 99990101T000000.000Z-0000");
    ran.exits(3).notes("wrote nothing to the store");
    assert_eq!(world.server.dump(), before);
    world
        .anp("runs")
        .exits(0)
        .says("died before it wrote anything");
    // So it is not the last one to undo.
    world.anp("rollback last").exits(0).notes(&format!(
        "99990101T000000.000Z-0000, wrote nothing; taking {good}"
    ));
    assert!(world.server.dump().is_empty());
}

/// A file of such frames, each with the text of its lines, as docs/manifest.md describes it.
fn forged(frames: &[Vec<u8>]) -> Vec<u8> {
    let mut file = Vec::new();
    for (sequence, text) in frames.iter().enumerate() {
        let data = zstd::bulk::compress(text, 1).unwrap();
        file.extend(framed(sequence as u64, &data));
    }
    file
}

fn framed(sequence: u64, data: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    frame.extend(0x184D_2A5A_u32.to_le_bytes());
    frame.extend(56_u32.to_le_bytes());
    frame.extend(sequence.to_le_bytes());
    frame.extend((data.len() as u64).to_le_bytes());
    frame.extend(blake3::hash(data).as_bytes());
    let check = blake3::hash(&frame);
    frame.extend(&check.as_bytes()[..8]);
    frame.extend(data);
    frame.extend(0x184D_2A5E_u32.to_le_bytes());
    frame.extend(4_u32.to_le_bytes());
    frame.extend(b"anp\xA5");
    frame
}

/// `bytes` bytes, made of `text` again and again, as a frame: made without holding them.
fn repeated(sequence: u64, text: &[u8], bytes: usize) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = zstd::stream::Encoder::new(Vec::new(), 1).unwrap();
    let times = bytes / text.len();
    let whole = (times * text.len()) as u64;
    encoder.set_pledged_src_size(Some(whole)).unwrap();
    for _ in 0..times {
        encoder.write_all(text).unwrap();
    }
    framed(sequence, &encoder.finish().unwrap())
}

fn text(lines: &[Line]) -> Vec<u8> {
    let lines = lines.iter().map(|line| serde_json::to_vec(line).unwrap());
    lines.flat_map(|line| [&line[..], b"\n"].concat()).collect()
}

/// So many characters that no zstd makes shorter than three quarters.
fn noise(length: usize) -> String {
    let mut seed = 7_u64;
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let next = |_| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        char::from(digits[(seed >> 58) as usize])
    };
    (0..length).map(next).collect()
}

/// A manifest whose last frame is some pages long and begins `from` bytes into a page, and the end of
/// each frame. It has no footer.
fn with_large_last_frame(from: usize) -> (Vec<u8>, Vec<usize>) {
    let mut large = header();
    large.run = "20260101T000000.000Z-0002".to_owned();
    let mut intents = vec![intent("c"), intent("d")];
    if let Line::Intent(intent) = &mut intents[0] {
        let kept = Snapshot {
            value_base64: Some(noise(40_000)),
            ..Snapshot::expiry(None)
        };
        intent.prior = Some(kept);
    }
    let second = text(&[intent("a"), intent("b")]);
    let rest = text(&intents);
    let padding = noise(8000);
    for pad in 0..padding.len() {
        large.owner = Some(padding[..pad].to_owned());
        let first = text(&[Line::Header(large.clone())]);
        let start = forged(&[first.clone(), second.clone()]).len();
        if start % PAGE == from {
            let bytes = forged(&[first.clone(), second, rest]);
            return (
                bytes.clone(),
                vec![forged(&[first]).len(), start, bytes.len()],
            );
        }
    }
    panic!("no frame begins there");
}

const PAGE: usize = 4096;

#[test]
fn promise_3_pages_of_zeros_in_the_last_frame_are_a_torn_frame() {
    let folder = tempfile::tempdir().unwrap();
    // The guard of the last frame in the middle of a page, and across two.
    let places = [0, 1, 2000, PAGE - 63, PAGE - 32, PAGE - 8, PAGE - 1];
    for from in cases("pages", 3).map_while(|number| places.get(number).copied()) {
        let (bytes, ends) = with_large_last_frame(from);
        let (start, end) = (ends[1], ends[2]);
        assert!(open(folder.path(), &bytes).unwrap().torn_at().is_none());
        let pages: Vec<usize> = (start / PAGE..=(end - 1) / PAGE).collect();
        assert!(pages.len() > 6);
        let cleared = |pages: &[usize]| {
            let mut torn = bytes.clone();
            for page in pages {
                let piece = (page * PAGE).max(start)..((page + 1) * PAGE).min(end);
                torn[piece].fill(0);
            }
            torn
        };
        let mut some: Vec<Vec<usize>> = pages.iter().map(|page| vec![*page]).collect();
        some.push(vec![pages[0], pages[3], pages[4]]);
        some.push(vec![pages[2], pages[5]]);
        for hole in some {
            let torn = cleared(&hole);
            let what = format!("from {from}: pages {hole:?} of {pages:?}");
            assert_cut(open(folder.path(), &torn), &ends, 2, &what);
            let path = folder.path().join("changed.zst");
            let listed = Manifest::open(&path, Verify::Ends).unwrap();
            assert_eq!(listed.torn_at(), Some(start as u64), "{what}");
            // With another frame behind it, or the beginning of one, it was synced.
            let next = framed(3, &zstd::bulk::compress(b"", 1).unwrap());
            for behind in [&next[..], &next[..20], &[0; PAGE]] {
                let longer = [&torn[..], behind].concat();
                let what = format!("{what}, {} bytes behind", behind.len());
                assert_damaged(open(folder.path(), &longer), start..end, &what);
            }
        }
    }
}

#[test]
fn a_flipped_bit_or_zeros_that_are_no_page_are_damage_in_the_last_frame_too() {
    let folder = tempfile::tempdir().unwrap();
    let (bytes, ends) = with_large_last_frame(2000);
    let bits = cases("bits of the last frame", 8).map(|number| ends[1] * 8 + number * 101);
    for bit in bits.take_while(|bit| *bit < ends[2] * 8) {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let result = open(folder.path(), &flipped);
        assert!(matches!(result, Err(Damage::Damaged { .. })), "bit {bit}");
    }
    let page = (ends[1] / PAGE + 2) * PAGE;
    for piece in [
        page + 1..page + PAGE,
        page - 1..page + PAGE - 1,
        page..page + 512,
    ] {
        let mut changed = bytes.clone();
        changed[piece.clone()].fill(0);
        let result = open(folder.path(), &changed);
        assert!(matches!(result, Err(Damage::Damaged { .. })), "{piece:?}");
    }
}

/// The ends of the frames of a manifest, by their guards.
fn ends_of(bytes: &[u8]) -> Vec<usize> {
    let mut ends = vec![0];
    loop {
        let start = ends[ends.len() - 1];
        if start == bytes.len() {
            return ends.split_off(1);
        }
        let length = u64::from_le_bytes(bytes[start + 16..start + 24].try_into().unwrap());
        ends.push(start + 64 + usize::try_from(length).unwrap() + 12);
    }
}

#[test]
fn what_can_be_read_of_a_damaged_manifest_is_undone_and_the_rest_is_named() {
    let case = TwoBatches::new();
    let path = case.world.manifest(&case.run);
    let ends = ends_of(&case.bytes);
    let after = case.world.keys();
    let skip = ["rollback", &case.run, "--skip-damaged", "--format", "json"];
    // In the content of the first batch, in its guard, and in the end mark.
    for damaged in [ends[0] + 100, ends[0] + 30, ends[1] - 1] {
        let mut bytes = case.bytes.clone();
        bytes[damaged] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        case.world
            .anp_with(&["rollback", &case.run], &[])
            .exits(65)
            .notes("'anp rollback RUN --skip-damaged' undoes what can be read");
        let dry = case
            .world
            .anp_with(&[&skip[..], &["--dry-run"]].concat(), &[]);
        dry.exits(3).notes("cannot be read");
        assert_eq!(case.world.keys(), after);
        let ran = case.world.anp_with(&skip, &[]);
        ran.exits(3)
            .notes(&format!("bytes {} to {} cannot be read", ends[0], ends[1]))
            .notes("keys that were recorded there alone stay as they are now");
        let lost = &ran.of_type("lost")[0];
        assert_eq!(lost["from"], ends[0] as u64);
        assert_eq!(lost["to"], ends[1] as u64);
        // The four keys of the later batch are back, the others are as the run left them.
        let mut back = 0;
        for (key, state) in case.world.keys() {
            let is_before = case.before.get(&key) == Some(&state);
            assert!(is_before || after.get(&key) == Some(&state), "{key}");
            back += u32::from(is_before && after.get(&key) != Some(&state));
        }
        let gone = after
            .keys()
            .filter(|key| !case.world.keys().contains_key(*key));
        assert_eq!(back as usize + gone.count(), 4, "{ran}");
        // It is no whole rollback: what it undid is kept, and can be undone whole with a copy.
        let rollback = case.world.runs().pop().unwrap();
        let header = Manifest::open(&case.world.manifest(&rollback), Verify::All).unwrap();
        let skipped = header.header().skipped_bytes;
        assert_eq!(skipped, Some((ends[1] - ends[0]) as u64));
        std::fs::write(&path, &case.bytes).unwrap();
        case.world.anp_with(&["rollback", &case.run], &[]).exits(0);
        assert_eq!(case.world.keys(), case.before);
        case.die(|_| true);
        for run in case.world.runs() {
            if run != case.run {
                std::fs::remove_file(case.world.manifest(&run)).unwrap();
            }
        }
    }
    // Without a header nobody knows where it wrote.
    let mut bytes = case.bytes.clone();
    bytes[70] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    case.world.anp_with(&skip, &[]).exits(65);
    assert_eq!(case.world.keys(), after);
    // Frames that are missing, and one that stands there twice.
    let frame = |number: usize| &case.bytes[ends[number - 1]..ends[number]];
    let head = &case.bytes[..ends[0]];
    std::fs::write(&path, [head, frame(2), frame(2), frame(3)].concat()).unwrap();
    case.world
        .anp_with(&skip, &[])
        .exits(3)
        .notes(&format!("frames are missing before byte {}", ends[0]))
        .notes("expected frame 3, found frame 2");
}

/// anp, which may have so much memory.
fn with_memory(world: &World, mib: u64, line: &str) -> crate::support::Ran {
    let mut command = world.program("bash");
    command
        .args(["-c", r#"ulimit -v "$0"; exec "$@""#])
        .arg((mib * 1024).to_string())
        .arg(env!("CARGO_BIN_EXE_anp"))
        .env("ANP_REDIS_URL", world.server.url())
        .env("ANP_STATE_DIR", world.path("state"))
        .args(line.split(' '));
    crate::support::Ran::of(&mut command)
}

const FORGED: &str = "20991124T160000.123Z-00af";

#[test]
fn promise_10_a_small_file_that_says_it_is_large_takes_little_memory() {
    let world = World::new();
    let path = world.path(&format!("state/runs/{FORGED}.jsonl.zst"));
    world.write(
        path.strip_prefix(world.path("")).unwrap().to_str().unwrap(),
        "",
    );
    let mut head = header();
    head.run = FORGED.to_owned();
    head.server = world.server.url();
    let head = forged(&[text(&[Line::Header(head)])]);
    const MIB: usize = 1024 * 1024;
    // One frame of 400 MiB, more than any anp writes.
    let file = [&head[..], &repeated(1, &[b' '; 1024], 400 * MIB)].concat();
    assert!(file.len() < 64 * 1024);
    std::fs::write(&path, file).unwrap();
    let memory = 256;
    with_memory(&world, memory, "runs").exits(3).says("damaged");
    with_memory(&world, memory, "verify last").exits(65);
    // One line of 200 MiB.
    let line = [&b"{\"type\":\""[..], &[b'a'; 1024]].concat();
    let file = [&head[..], &repeated(1, &line, 200 * MIB)].concat();
    std::fs::write(&path, file).unwrap();
    with_memory(&world, memory, "verify last")
        .exits(65)
        .notes("a line is longer than anp writes");
    // A hash of 1.5 million fields, which would be a GiB.
    let field = format!(r#"{{"expires_at":1,"sha1":"{}"}},"#, "0".repeat(40));
    let with_fields = |count: usize| {
        let fields = field.repeat(count);
        let fields = fields.trim_end_matches(',');
        let prior = format!(r#"{{"kind":"hash","expires_at":null,"sha1":"","fields":[{fields}]}}"#);
        let line = format!(
            r#"{{"type":"intent","key":"anp:page:/a/","action":"remove","prior":{prior},"made":null}}"#
        );
        [
            &head[..],
            &repeated(1, format!("{line}\n").as_bytes(), line.len() + 1),
        ]
        .concat()
    };
    let file = with_fields(1_500_000);
    assert!(file.len() < 64 * 1024);
    std::fs::write(&path, file).unwrap();
    with_memory(&world, memory, "verify last")
        .exits(65)
        .notes("more fields than anp records of a hash");
    std::fs::write(&path, with_fields(100_000)).unwrap();
    assert!(
        Manifest::open(&path, Verify::All)
            .unwrap()
            .batches()
            .all(|batch| batch.is_ok())
    );
    std::fs::write(&path, with_fields(100_001)).unwrap();
    assert!(
        Manifest::open(&path, Verify::All)
            .unwrap()
            .batches()
            .any(|batch| batch.is_err())
    );
    // Empty lines, more than anybody reads through.
    for lines in [&b"\n"[..], b"{}\n"] {
        let file = [&head[..], &repeated(1, lines, 200 * MIB)].concat();
        assert!(file.len() < 64 * 1024);
        std::fs::write(&path, file).unwrap();
        with_memory(&world, memory, "runs").exits(3).says("damaged");
        with_memory(&world, memory, "verify last")
            .exits(65)
            .notes("a line is shorter than anp writes");
    }
    // Many short lines, each of which is some 500 bytes once it is read.
    let line = b"{\"type\":\"outcome\",\"key\":\"a\",\"fate\":\"already\"}\n";
    let file = [&head[..], &repeated(1, line, 32 * MIB)].concat();
    std::fs::write(&path, file).unwrap();
    with_memory(&world, memory, "runs")
        .exits(0)
        .says("unfinished");
    with_memory(&world, memory, "verify last").exits(0);
}

#[test]
fn headers_keys_and_lines_that_anp_never_writes_are_damage() {
    let folder = tempfile::tempdir().unwrap();
    let with = |change: &dyn Fn(&mut Header)| {
        let mut header = header();
        change(&mut header);
        open(folder.path(), &forged(&[text(&[Line::Header(header)])]))
    };
    assert!(with(&|_| {}).is_ok());
    let long = "a".repeat(129);
    for prefix in ["", "a b", "a:", "*", "a\nb", "ä", &long] {
        let result = with(&|header| header.prefix = prefix.to_owned());
        assert!(matches!(result, Err(Damage::Damaged { .. })), "{prefix:?}");
    }
    for run in ["", "../x", "a b", "last", "a\nb"] {
        let result = with(&|header| header.run = run.to_owned());
        assert!(matches!(result, Err(Damage::Damaged { .. })), "{run:?}");
        let result = with(&|header| header.undoes = Some(run.to_owned()));
        assert!(matches!(result, Err(Damage::Damaged { .. })), "{run:?}");
    }
    for ms in [i64::MIN, -1, 253_402_207_200_001, i64::MAX] {
        let changes: [&dyn Fn(&mut Header); 4] = [
            &|header| header.started_at = ms,
            &|header| header.begun_at = Some(ms),
            &|header| header.order = Some(ms),
            &|header| header.begun_order = Some(ms),
        ];
        for change in changes {
            assert!(matches!(with(change), Err(Damage::Damaged { .. })), "{ms}");
        }
    }
    assert!(with(&|header| header.order = Some(253_402_207_200_000)).is_ok());
    let result = with(&|header| header.owner = Some("a".repeat(1024 * 1024)));
    assert!(matches!(result, Err(Damage::Damaged { .. })));
    for key in ["a\nb", "a b", "\u{202e}", &"a".repeat(20_000)] {
        let lines = text(&[intent(key)]);
        let file = forged(&[text(&[Line::Header(header())]), lines]);
        let read = open(folder.path(), &file)
            .and_then(|manifest| manifest.batches().collect::<Result<Vec<_>, _>>());
        assert!(matches!(read, Err(Damage::Damaged { .. })), "{key:.20?}");
    }
}

#[test]
fn every_frame_that_any_version_wrote_is_read_and_new_ones_are_smaller() {
    let folder = tempfile::tempdir().unwrap();
    let large = |key: &str| {
        let Line::Intent(mut intent) = intent(key) else {
            unreachable!()
        };
        intent.prior = Some(Snapshot {
            value: Some("x".repeat(40 * 1024 * 1024)),
            ..Snapshot::expiry(None)
        });
        Line::Intent(intent)
    };
    let lines = [large("a"), large("b"), intent("c")];
    // 0.1.0 closed a frame behind the line with which it grew past 64 MiB.
    let file = forged(&[text(&[Line::Header(header())]), text(&lines)]);
    let manifest = open(folder.path(), &file).unwrap();
    assert_eq!(keys(&manifest), ["a", "b", "c"]);
    let path = folder.path().join("new.zst");
    let mut writer = Writer::create(&path, &Line::Header(header())).unwrap();
    writer.append(&lines).unwrap();
    let manifest = Manifest::open(&path, Verify::All).unwrap();
    assert_eq!(
        manifest.frames(),
        3,
        "each large line in a frame of its own"
    );
    assert_eq!(keys(&manifest), ["a", "b", "c"]);
}
