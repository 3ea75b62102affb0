//! A kill before and after every step of the protocol: the way back brings all back, and
//! importing again ends where an undisturbed run ends.
#![cfg(debug_assertions)]

use crate::scene::{Imported, STEPS, Scene, anp, dies, restore, snapshot};
use crate::support::cases::{cases, share_of_cases};
use crate::support::{Ran, World};

/// Steps that come once a command, and how often they come at least.
const EACH: [(&str, usize); 12] = [
    ("begin.sent", 5),
    ("begin.reply", 5),
    ("survey.sent", 10),
    ("survey.reply", 10),
    ("look.sent", 10),
    ("look.reply", 10),
    ("first.sent", 10),
    ("first.reply", 10),
    ("second.sent", 10),
    ("second.reply", 10),
    ("end.sent", 2),
    ("end.reply", 2),
];

/// A run of the tests kills at one step in so many.
const KILLS_ONE_IN: usize = 8;

/// With archive objects there are three times as many steps, and a run of the tests kills at this part of those.
const ARCHIVE_ONE_IN: usize = 4;

/// The points that this run of the tests tries, as often as they come, until `dies` says that one
/// was not reached any more.
fn at_every_point(
    scene: &Scene,
    mut dies: impl FnMut(&str) -> bool,
    is_in: impl Fn(&str) -> bool,
) -> usize {
    let once = STEPS.iter().chain(&["lease.released"]);
    let all = once.map(|name| (*name, 1)).chain(EACH);
    let mut kills = 0;
    for (name, at_least) in all.filter(|(name, _)| is_in(name)) {
        let (loop_name, share) = match scene.has_archive {
            true => (format!("archive {name}"), ARCHIVE_ONE_IN),
            false => (name.to_owned(), 1),
        };
        let not_reached = share_of_cases(&loop_name, KILLS_ONE_IN, share)
            .find(|passes| {
                let is_reached = dies(&format!("{name}:{passes}"));
                kills += usize::from(is_reached);
                !is_reached
            })
            .unwrap();
        assert!(not_reached >= at_least, "{name} came {not_reached} times");
    }
    kills
}

/// Those of `points` that this run of the tests tries.
fn tried<'a>(loop_name: &str, points: &'a [&str]) -> impl Iterator<Item = &'a str> {
    cases(loop_name, 3).map_while(|number| points.get(number).copied())
}

/// Kills an import at `point`: whatever it changed, it had announced.
fn import_dies(scene: &Scene, state: &str, point: &str) -> bool {
    scene.restore();
    let arguments = ["import", "--prune", "--force"];
    if !dies(&mut scene.anp(state, &arguments, Some(point)), point) {
        return false;
    }
    let changed = scene.changed_since(&scene.before);
    let announced = scene.announced(state, usize::MAX);
    let unannounced: Vec<_> = changed.difference(&announced).collect();
    assert!(unannounced.is_empty(), "{point}: {unannounced:?}");
    true
}

/// Kills imports at the points that `is_in`, and goes on with `then` in the state folder of each.
fn kill_imports(scene: &Scene, is_in: impl Fn(&str) -> bool, then: impl Fn(&str, &str)) {
    let mut cases = 0;
    let killed = |point: &str| {
        cases += 1;
        let state = format!("import-{cases}");
        let is_reached = import_dies(scene, &state, point);
        if is_reached {
            then(&state, point);
        }
        is_reached
    };
    let kills = at_every_point(scene, killed, is_in);
    println!("{kills} kills, 0 differences");
}

/// Kills imports at the points that `is_in`, rolls back, and imports again. With archive objects, too, while it
/// writes: all else is the same.
fn undo_killed_imports(is_in: fn(&str) -> bool) {
    for scene in [Scene::new(), Scene::with_archive()] {
        let is_tried = |name: &str| is_in(name) && (!scene.has_archive || is_of_writing(name));
        kill_imports(&scene, is_tried, |state, point| {
            scene.is_back(state, "last", point);
            let ran = scene.import(state, None);
            ran.exits(0);
            assert!(scene.made_by(&ran) == scene.end, "{point}: another end");
        });
    }
}

/// Whether a step comes between the first write and the last.
fn is_of_writing(name: &str) -> bool {
    ["look", "intents", "first", "second"]
        .iter()
        .any(|stage| name.starts_with(stage))
}

fn is_of_a_command(name: &str) -> bool {
    EACH.iter().any(|(each, _)| *each == name)
}

#[test]
fn an_import_killed_before_and_after_every_step_can_be_undone_and_made_again() {
    undo_killed_imports(|name| !is_of_a_command(name));
}

#[test]
fn an_import_killed_between_two_commands_can_be_undone_and_made_again() {
    undo_killed_imports(|name| name.ends_with(".sent"));
}

#[test]
fn an_import_killed_between_two_replies_can_be_undone_and_made_again() {
    undo_killed_imports(|name| name.ends_with(".reply"));
}

#[test]
fn an_import_killed_while_it_writes_is_finished_by_the_next_one() {
    for scene in [Scene::new(), Scene::with_archive()] {
        scene.restore();
        scene.import("values", None).exits(0);
        let values = scene.values();
        let stages: &[&str] = match scene.has_archive {
            true => &["first", "second"],
            false => &["intents", "first", "second", "footer"],
        };
        let is_written = |name: &str| stages.iter().any(|stage| name.starts_with(stage));
        kill_imports(&scene, is_written, |state, point| {
            scene.import(state, None).exits(0);
            assert!(scene.values() == values, "{point}: another end");
        });
    }
}

#[test]
fn a_rollback_killed_before_and_after_every_step_is_finished_by_the_next() {
    for scene in [Scene::new(), Scene::with_archive()] {
        let mut imported = Imported::of(&scene);
        let run = imported.run.clone();
        let killed = |point: &str| {
            let state = imported.anew();
            let mut command = scene.anp(&state, &["rollback", &run], Some(point));
            if !dies(&mut command, point) {
                return false;
            }
            scene.is_back(&state, &run, "rollback.killed");
            true
        };
        // There is no survey, and each key goes back by itself.
        let kills = at_every_point(&scene, killed, |name| {
            let is_elsewhere = ["state", "spool", "survey", "second"]
                .iter()
                .any(|stage| name.starts_with(stage));
            !is_elsewhere && (!scene.has_archive || is_of_writing(name))
        });
        println!("{kills} kills, 0 differences");
    }
}

#[test]
fn runs_of_several_batches_killed_in_any_of_them_can_be_undone() {
    let world = World::new();
    for number in 0..1100 {
        world.article(&format!("n{number}.md"), "Text.");
    }
    world
        .server
        .command("SET anp:page:/n1099/ theirs PXAT 4000000000123");
    let before = snapshot(&world);
    let mut kills = 0;
    let points = [
        "spool.write:900",
        "spool.read:1050",
        "intents.write:1",
        "intents.torn:2",
        "intents.written:1",
        "intents.synced:2",
        "first.sent:700",
        "first.reply:1099",
        "second.sent:511",
        "second.reply:1024",
        "look.reply:5",
    ];
    for point in tried("imports of batches", &points) {
        let mut command = anp(&world, "state", &["import", "--quiet"], Some(point));
        assert!(dies(&mut command, point), "{point} was not reached");
        let ran = world.anp("rollback last");
        // The spool is read ahead: a kill there may come before anything was written.
        assert!(ran.code == 0 || point.starts_with("spool"), "{ran}");
        assert!(snapshot(&world) == before, "{point}: not as before");
        kills += 1;
    }
    world.anp("import").exits(0);
    let imported = snapshot(&world);
    let run = world.runs().pop().unwrap();
    let points = [
        "intents.torn:1",
        "intents.written:2",
        "intents.synced:1",
        "first.sent:0",
        "first.sent:1024",
        "first.sent:1500",
        "first.reply:2100",
        "look.sent:1100",
        "look.reply:2150",
        "footer.torn",
    ];
    for point in tried("rollbacks of batches", &points) {
        restore(&world, &imported);
        let mut command = anp(&world, "state", &["rollback", &run], Some(point));
        assert!(dies(&mut command, point), "{point} was not reached");
        let ran = Ran::of(&mut anp(&world, "state", &["rollback", &run], None));
        ran.exits(0);
        assert!(snapshot(&world) == before, "{point}: not as before");
        kills += 1;
    }
    println!("{kills} kills, 0 differences");
}
