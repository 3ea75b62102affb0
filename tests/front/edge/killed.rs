//! A kill at any step between the first write and the end of the purge loses no purge: the next command with
//! the state folder says so, and does it.
#![cfg(debug_assertions)]

use super::api::Api;
use super::{owed, published};
use crate::support::{Ran, World};

const SITE: &str = "site: {url: https://www.example.org}\n";

fn world(api: &Api) -> World {
    let world = published(SITE);
    world.article("b.md", "Kept.");
    world.anp("import").exits(0);
    let after = format!(
        "after:\n  purge: [{{kind: varnish, url: \"{}\"}}]\n  command: cat >> told\n",
        api.url
    );
    world.write("anp.yaml", format!("{SITE}{after}"));
    world
}

/// Ends where the point asks for it, with SIGKILL.
fn dies(world: &World, line: &[&str], point: &str) {
    let mut command = world.command("state", line);
    let ran = Ran::of(command.env("ANP_FAIL_POINT", point));
    assert_eq!(ran.code, -1, "{point}: {ran}");
}

/// The points from the record of what is owed to its end, and whether the purge was sent by then.
const POINTS: [(&str, bool); 10] = [
    ("notify.created", false),
    ("intents.synced", false),
    ("first.reply", false),
    ("second.reply", false),
    ("footer.written", false),
    ("lease.released", false),
    ("notify.begin", false),
    ("notify.purged", true),
    ("notify.sent", true),
    ("notify.settle", true),
];

#[test]
fn a_run_killed_at_any_step_around_the_purge_loses_none() {
    let api = Api::start((200, "", ""));
    let world = world(&api);
    for (number, (point, is_sent)) in POINTS.into_iter().enumerate() {
        world.article("a.md", &format!("Text {number}."));
        dies(&world, &["import"], point);
        let run = world.runs().pop().unwrap();
        assert_eq!(owed(&world), [format!("{run}.notify.json")], "{point}");
        assert_eq!(api.lines().len(), usize::from(is_sent), "{point}");
        let page = || world.server.get("anp:page:/a/").unwrap();
        let was_written = page().contains(&format!("Text {number}."));
        // Another import sends it, whether it has something to write itself or not.
        let ran = world.anp("import");
        ran.exits(0).notes(&format!(
            "note: run {run} ended without telling the caches; doing it now\n"
        ));
        let lines = api.lines();
        assert!(
            lines.iter().all(|line| line == "PURGE /a/"),
            "{point}: {lines:?}"
        );
        // A page that was not written by then is written and purged by the second run.
        assert!(
            !lines.is_empty(),
            "{point}: was_written {was_written}, {ran}"
        );
        assert!(page().contains(&format!("Text {number}.")));
        assert_eq!(owed(&world), [""; 0], "{point}");
    }
    let told = std::fs::read_to_string(world.path("told")).unwrap();
    assert!(told.contains("\"status\":\"died\"") && told.contains("\"status\":\"done\""));
}

#[test]
fn a_rollback_killed_around_its_purge_loses_none() {
    let api = Api::start((200, "", ""));
    let world = world(&api);
    for (point, is_sent) in [
        ("lease.released", false),
        ("notify.begin", false),
        ("notify.sent", true),
    ] {
        world.article("a.md", &format!("Text of {point}."));
        world.anp("import").exits(0);
        api.asked();
        dies(&world, &["rollback", "last"], point);
        let run = world.runs().pop().unwrap();
        assert_eq!(api.lines().len(), usize::from(is_sent), "{point}");
        // Any of the commands that write does it, and so does the one for it.
        let ran = match point {
            "notify.begin" => world.anp(&format!("runs notify {run}")),
            "notify.sent" => world.anp("purge /none/"),
            _ => world.anp("warm"),
        };
        assert!([0, 3].contains(&ran.code), "{ran}");
        assert_eq!(api.lines(), ["PURGE /a/"], "{point}: {ran}");
        assert_eq!(owed(&world), [""; 0], "{point}");
    }
}
