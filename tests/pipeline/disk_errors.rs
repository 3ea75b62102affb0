//! EIO and ENOSPC at every write, sync and folder sync of the manifest, and at every use of
//! the spool: no write follows in the store, exit 74, and the way back is open.
#![cfg(debug_assertions)]

use std::collections::BTreeSet;

use crate::scene::{Imported, STEPS, Scene, anp, restore, snapshot};
use crate::support::cases::cases;
use crate::support::{Ran, World};

const ERRORS: [(&str, &str); 2] = [
    ("EIO", "Input/output error (os error 5)"),
    ("ENOSPC", "No space left on device (os error 28)"),
];

/// A run of the tests lets one step in so many fail.
const FAULTS_ONE_IN: usize = 6;

/// Lets the steps that this run of the tests tries fail with each error, until `fails` says that one
/// was not reached any more.
fn at_every_step(mut fails: impl FnMut(&str, usize, &str) -> bool, is_in: fn(&str) -> bool) {
    let mut faults = 0;
    for step in STEPS.into_iter().filter(|step| is_in(step)) {
        for (error, said) in ERRORS {
            let not_reached = cases(&format!("{step}={error}"), FAULTS_ONE_IN)
                .find(|&passes| {
                    let is_reached = fails(&format!("{step}:{passes}={error}"), passes, said);
                    faults += usize::from(is_reached);
                    !is_reached
                })
                .unwrap();
            assert!(not_reached > 0, "no run ever came to {step}");
        }
    }
    println!("{faults} I/O errors, 0 differences");
}

/// The keys that a run may have changed before its step `point` failed: those of the
/// batches before it, whose intents were durable and whose writes were acknowledged.
fn written_before(scene: &Scene, state: &str, point: &str, passes: usize) -> BTreeSet<String> {
    match point.split_once('.').unwrap().0 {
        "intents" => scene.announced(state, passes),
        "footer" => scene.announced(state, usize::MAX),
        _ if point.starts_with("spool.read") => scene.announced(state, usize::MAX),
        _ => BTreeSet::new(),
    }
}

/// What is said of a run that failed with `point`: what failed, with which error, whether a
/// retry is safe, and the way back if a key was changed.
fn explains(ran: &Ran, point: &str, said: &str, changed: bool) {
    let what = match point.split([':', '=']).next().unwrap() {
        "state.sync" => "error: cannot write the state folder ",
        "spool.read" => "error: cannot use the spool of rendered objects: ",
        step if step.starts_with("spool") => {
            "error: cannot write the spool of rendered objects in "
        }
        _ => "error: cannot write the manifest",
    };
    ran.exits(74).notes(what).notes(said);
    if changed {
        ran.notes("= retry: safe: roll back with the command below")
            .notes("= rollback: ");
    } else {
        ran.notes("= retry: safe once ").hides("= rollback: ");
        let nothing = ["no key was changed", "nothing was written to the store"];
        assert!(
            nothing.iter().any(|text| ran.stderr.contains(text)),
            "{ran}"
        );
    }
}

#[test]
fn no_write_follows_an_error_of_the_manifest_or_of_the_spool() {
    let scene = Scene::new();
    let mut cases = 0;
    let fails = |point: &str, passes: usize, said: &str| {
        scene.restore();
        cases += 1;
        let state = format!("import-{cases}");
        let ran = scene.import(&state, Some(point));
        if ran.code == 0 {
            return false;
        }
        let changed = scene.changed_since(&scene.before);
        explains(&ran, point, said, !changed.is_empty());
        let expected = written_before(&scene, &state, point, passes);
        assert_eq!(changed, expected, "{ran}");
        assert_eq!(scene.world.server.get("anp:lock"), None, "{ran}");
        scene.is_back(&state, "last", point);
        let ran = scene.import(&state, None);
        assert!(
            scene.made_by(ran.exits(0)) == scene.end,
            "{point}: another end"
        );
        true
    };
    at_every_step(fails, |_| true);
}

#[test]
fn no_write_of_a_rollback_follows_an_error_of_its_manifest() {
    let scene = Scene::new();
    let mut imported = Imported::of(&scene);
    let made = scene.world.keys();
    let run = imported.run.clone();
    let fails = |point: &str, passes: usize, said: &str| {
        let state = imported.anew();
        let ran = Ran::of(&mut scene.anp(&state, &["rollback", &run], Some(point)));
        if ran.code == 0 {
            return false;
        }
        let changed = scene.changed_since(&made);
        explains(&ran, point, said, !changed.is_empty());
        if !changed.is_empty() {
            // The command that was meant to bring all back, not one that undoes it.
            ran.notes(&format!("rollback {run} "));
        }
        let expected = written_before(&scene, &state, point, passes);
        assert_eq!(changed, expected, "{ran}");
        assert_eq!(scene.world.server.get("anp:lock"), None, "{ran}");
        scene.is_back(&state, &run, "rollback.failed");
        true
    };
    at_every_step(fails, |step| {
        !["state", "spool"]
            .iter()
            .any(|stage| step.starts_with(stage))
    });
}

#[test]
fn an_error_in_a_later_batch_leaves_those_before_it_and_their_way_back() {
    let world = World::new();
    for number in 0..1100 {
        world.article(&format!("n{number}.md"), "Text.");
    }
    for (point, written) in [
        ("intents.write:1=EIO", 1024),
        ("intents.torn:2=ENOSPC", 2048),
        ("intents.written:1=EIO", 1024),
        ("intents.synced:2=EIO", 2048),
        ("spool.read:600=EIO", 1024),
        ("spool.write:900=ENOSPC", 0),
        ("footer.torn=ENOSPC", 2200),
    ] {
        let ran = Ran::of(&mut anp(&world, "state", &["import"], Some(point)));
        ran.exits(74);
        assert_eq!(snapshot(&world).len(), written, "{ran}");
        if written > 0 {
            ran.notes("= rollback: ");
            world.anp("rollback last").exits(0);
        }
        assert!(snapshot(&world).is_empty(), "{point}");
    }
    world.anp("import").exits(0);
    let imported = snapshot(&world);
    let run = world.runs().pop().unwrap();
    let arguments = ["rollback", &run];
    for (point, left) in [
        ("intents.torn:1=ENOSPC", 2200 - 1024),
        ("intents.written:2=EIO", 2200 - 2048),
        ("footer.written=EIO", 0),
    ] {
        restore(&world, &imported);
        let ran = Ran::of(&mut anp(&world, "state", &arguments, Some(point)));
        ran.exits(74).notes(&format!("rollback {run} "));
        assert_eq!(snapshot(&world).len(), left, "{ran}");
        world.anp_with(&arguments, &[]).exits(0);
        assert!(snapshot(&world).is_empty(), "{point}");
    }
}

#[test]
fn a_folder_that_could_not_be_made_durable_is_synced_by_the_next_run() {
    let world = World::new();
    world.article("a.md", "A.");
    let deep = "state/of/anp";
    // Each second run makes one folder more, and each next one syncs that one first.
    for passes in [0, 1, 0, 1, 0, 1, 0, 1, 0, 0] {
        let point = format!("state.sync:{passes}=EIO");
        let ran = Ran::of(&mut anp(&world, deep, &["import"], Some(&point)));
        ran.exits(74).notes("error: cannot write the state folder ");
    }
    assert!(world.server.dump().is_empty());
    Ran::of(&mut anp(&world, deep, &["import"], None)).exits(0);
}

/// anp with its state folder, and all that is in it, on a disk of `kib` KiB; none where this machine
/// lets nobody mount one.
fn on_small_disk(world: &World, kib: u32, line: &str) -> Option<Ran> {
    std::fs::create_dir_all(world.path("state")).unwrap();
    let mount = format!("mount -t tmpfs -o size={kib}k,mode=700 none state && exec \"$@\"");
    let mut command = world.program("unshare");
    command
        .args(["--user", "--map-root-user", "--mount"])
        .args(["sh", "-c", &mount, "sh", env!("CARGO_BIN_EXE_anp")])
        .args(line.split(' '))
        .env("ANP_REDIS_URL", world.server.url())
        .env("ANP_STATE_DIR", world.path("state"));
    let ran = Ran::of(&mut command);
    if ran.code == 1 || ran.code == 32 {
        // Unit tests cover the decisions there.
        println!("no private mounts here: {ran}");
        return None;
    }
    Some(ran)
}

#[test]
fn promise_9_sixty_articles_need_no_more_disk_than_they_take() {
    let world = World::new();
    for number in 0..60 {
        world.article(&format!("n{number}.md"), "Text.");
    }
    if let Some(ran) = on_small_disk(&world, 4 * 1024, "import") {
        ran.exits(0);
        assert_eq!(world.server.dump().len(), 120);
    }
}

/// Bytes that no compression makes fewer.
fn noise_of(count: usize, state: &mut u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while bytes.len() < count {
        *state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        bytes.extend_from_slice(&state.to_be_bytes()[..4]);
    }
    bytes
}

#[test]
fn promise_9_values_of_other_types_take_the_disk_that_they_need() {
    let world = World::new();
    for number in 0..40 {
        world.article(&format!("n{number}.md"), "Text.");
    }
    let key = |number: usize, kind: &str| format!("anp:{kind}:/n{number}/");
    for number in 0..40 {
        for kind in ["page", "meta"] {
            world.server.run(&["RPUSH", &key(number, kind), "x"]);
        }
    }
    let Some(small) = on_small_disk(&world, 4 * 1024, "import") else {
        return;
    };
    small.exits(0);
    world.server.command("FLUSHALL");
    // Together 9 MB, in values of more than 1 MiB.
    let mut noise = 1;
    let mut connection = world.server.connection();
    for number in 0..3 {
        for _ in 0..30 {
            let mut command = redis::cmd("RPUSH");
            command
                .arg(key(number, "page"))
                .arg(noise_of(100_000, &mut noise));
            command.query::<()>(&mut connection).unwrap();
        }
    }
    let before = world.server.dump();
    let refused = on_small_disk(&world, 7 * 1024, "import").unwrap();
    refused.exits(74).notes("nothing was written");
    refused.notes("KiB are left on the disk of the state folder");
    assert!(world.server.dump() == before, "{refused}");
    on_small_disk(&world, 14 * 1024, "import").unwrap().exits(0);
}

#[test]
fn promise_9_what_the_gate_accepts_fits_on_the_disk() {
    let world = World::new();
    let text = |number: usize, version: usize| {
        let words =
            (0..3_000).map(|word| format!("{:x} ", (word + 1) * (number + 7) * (version + 3)));
        words.collect::<String>()
    };
    for number in 0..100 {
        world.article(&format!("n{number}.md"), &text(number, 0));
    }
    let mut noise = 1;
    let mut connection = world.server.connection();
    for number in 0..100 {
        let key = format!("anp:page:/n{number}/");
        let mut command = redis::cmd("SET");
        command.arg(key).arg(noise_of(30_000, &mut noise));
        command.query::<()>(&mut connection).unwrap();
    }
    let before = world.server.dump();
    let (mut refused, mut done) = (0, 0);
    for kib in (512..12 * 1024).step_by(768) {
        let Some(ran) = on_small_disk(&world, kib, "import") else {
            return;
        };
        let now = world.server.dump();
        if ran.code == 0 {
            done += 1;
            assert!(now.len() == 200, "{ran}");
            break;
        }
        refused += 1;
        ran.exits(74)
            .notes("iB are left on the disk of the state folder");
        ran.notes("nothing was written");
        assert!(now == before, "{ran}");
    }
    assert!(refused > 2 && done == 1, "{refused} {done}");
}
