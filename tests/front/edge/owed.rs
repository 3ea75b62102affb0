//! What is owed: by runs that another process disturbs, and beside `anp runs notify`.

use std::io::Read as _;
use std::time::Duration;

use super::api::Api;
use super::{changed, owed, published};
use crate::support::{Ran, World, signal};

const SITE: &str = "site: {url: https://www.example.org}\n";

fn world(api: &Api) -> World {
    let world = published(SITE);
    let after = format!(
        "after: {{purge: [{{kind: varnish, url: \"{}\", retries: 0}}]}}\n",
        api.url
    );
    world.write("anp.yaml", format!("{SITE}{after}"));
    world
}

#[test]
fn what_is_owed_keeps_its_manifest_and_status_names_it() {
    let api = Api::start((500, "", ""));
    let world = world(&api);
    let settings = std::fs::read_to_string(world.path("anp.yaml")).unwrap();
    world.write(
        "anp.yaml",
        format!("{settings}keep_runs: {{count: 1, age: 1s}}\n"),
    );
    changed(&world).exits(3).notes("it answered 500\n");
    let run = world.runs().pop().unwrap();
    std::thread::sleep(Duration::from_millis(1100));
    for text in ["third", "fourth"] {
        world.article("a.md", text);
        world.anp("import").exits(3);
    }
    assert_eq!(owed(&world).len(), 3);
    assert!(world.manifest(&run).exists(), "it says what is owed");
    world
        .anp("status")
        .exits(3)
        .says("3 runs still have to tell the caches");
    // So it does while the settings name no cache.
    let named = std::fs::read_to_string(world.path("anp.yaml")).unwrap();
    world.write("anp.yaml", "");
    world
        .anp("status")
        .exits(3)
        .says("3 runs still have to tell the caches");
    world.write("anp.yaml", named);
    // A cache that failed for one run is not tried for the next.
    api.asked();
    let ran = world.anp("runs notify");
    ran.exits(3).notes("it failed for another run just now");
    assert_eq!(api.lines().len(), 1);
    api.then(&[(200, "", ""); 3]);
    world.anp("runs notify").exits(0);
    assert_eq!(owed(&world), [""; 0]);
    world.anp("status").exits(0);
    std::thread::sleep(Duration::from_millis(1100));
    api.then(&[(200, "", ""); 3]);
    world.article("a.md", "fifth");
    world.anp("import").exits(0);
    assert!(!world.manifest(&run).exists(), "nothing is owed any more");
}

#[test]
fn a_notification_beside_a_run_leaves_it_alone_and_is_sent_once() {
    let api = Api::start((200, "", ""));
    let world = world(&api);
    let (child, stdout) = world.import_under_way(&[]);
    let run = world.runs().pop().unwrap();
    // It is not sent before the run has ended.
    let ran = world.anp(&format!("runs notify {run}"));
    ran.exits(11).notes("the run is under way");
    world.anp("runs notify").exits(0).notes("nothing is owed");
    assert_eq!(api.lines(), [""; 0]);
    api.slow(Duration::from_millis(1));
    let ended = std::thread::spawn(move || Ran::ended(child, stdout));
    // Many at a time: one of them sends it, or the run itself.
    while !ended.is_finished() {
        let others: Vec<_> = (0..2)
            .map(|_| world.command("state", &["runs", "notify"]).spawn().unwrap())
            .collect();
        for mut other in others {
            assert!(other.wait().unwrap().success());
        }
    }
    let ran = ended.join().unwrap();
    ran.exits(0);
    world.anp("runs notify").exits(0);
    assert_eq!(api.lines().len(), 3000);
    assert_eq!(owed(&world), [""; 0]);
}

#[test]
fn a_signal_ends_a_purge_and_the_rest_stays_owed() {
    let api = Api::start((200, "", ""));
    let world = world(&api);
    api.slow(Duration::from_secs(600));
    world.article("a.md", "The second text.");
    let mut child = world
        .command("state", &["import"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    while api.asked().is_empty() {
        std::thread::sleep(Duration::from_millis(5));
    }
    signal(&child, "INT");
    let code = child.wait().unwrap().code();
    let mut said = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut said)
        .unwrap();
    assert!(said.contains(": interrupted by a signal\n"), "{said}");
    assert_eq!(code, Some(3), "the run itself is complete: {said}");
    assert_eq!(owed(&world).len(), 1);
    api.slow(Duration::ZERO);
    world.anp("runs notify").exits(0);
    assert_eq!(api.lines(), ["PURGE /a/"]);
}

#[test]
fn each_shard_tells_of_its_own_changes() {
    let api = Api::start((200, "", ""));
    let world = world(&api);
    for number in 0..40 {
        world.article(&format!("n{number}.md"), "Text.");
    }
    let shards: Vec<_> = (0..2)
        .map(|index| {
            let shard = format!("{index}/2");
            let line = ["import", "--shard", &shard, "--run-id", "night"];
            world.command("state", &line).spawn().unwrap()
        })
        .collect();
    for mut shard in shards {
        assert!(shard.wait().unwrap().success());
    }
    let mut lines = api.lines();
    assert_eq!(lines.len(), 40, "each once");
    lines.sort();
    lines.dedup();
    assert_eq!(lines.len(), 40);
    world.anp("runs notify night --again").exits(0);
    assert_eq!(api.lines().len(), 40);
    world.anp("rollback night").exits(0);
    assert_eq!(api.lines().len(), 40);
    assert_eq!(owed(&world), [""; 0]);
}

#[test]
fn what_cannot_be_written_beside_the_manifest_begins_no_run() {
    let api = Api::start((200, "", ""));
    let world = world(&api);
    let before = world.keys();
    world.article("a.md", "The second text.");
    let variables = [("ANP_FAIL_POINT", "notify.create=ENOSPC")];
    let ran = world.anp_with(&["import"], &variables);
    ran.exits(74).notes("cannot write beside the manifest");
    assert!(world.keys() == before);
    assert_eq!(api.lines(), [""; 0]);
    // If anp cannot record that all is sent, it sends it again.
    let variables = [("ANP_FAIL_POINT", "notify.settle=EIO")];
    world
        .anp_with(&["import"], &variables)
        .exits(3)
        .notes("does it again");
    assert_eq!(api.lines(), ["PURGE /a/"]);
    world.anp("runs notify").exits(0);
    assert_eq!(api.lines(), ["PURGE /a/"]);
}

/// Another site that has the state folder of `world`, and purges `api`.
fn beside(world: &World, api: &Api) {
    let after = format!(
        "after: {{purge: [{{kind: varnish, url: \"{}\", retries: 0}}]}}\n",
        api.url
    );
    let site = "site: {url: https://other.example.net}\nprefix: other\n";
    world.write("other.yaml", format!("{site}{after}"));
}

#[test]
fn a_run_of_another_prefix_is_left_to_its_own_settings() {
    let (api, other) = (Api::start((500, "", "")), Api::start((200, "", "")));
    let world = world(&api);
    beside(&world, &other);
    changed(&world).exits(3);
    let ran = world.anp("import --config other.yaml");
    ran.exits(0).notes("is of another store or prefix");
    let asked = other.asked();
    assert!(!asked.is_empty());
    for one in &asked {
        assert_eq!(one.header("host"), Some("other.example.net"));
    }
    assert_eq!(owed(&world).len(), 1);
    world.anp("runs notify --config other.yaml").exits(0);
    api.asked();
    api.then(&[(200, "", "")]);
    world.anp("runs notify").exits(0);
    assert_eq!(api.lines(), ["PURGE /a/"]);
    assert_eq!(owed(&world), [""; 0]);
}

#[test]
fn a_run_whose_manifest_is_gone_or_damaged_is_told_once() {
    let api = Api::start((500, "", ""));
    let world = world(&api);
    for damage in ["rm", "truncate -s 0", "truncate -s 20"] {
        world.article("a.md", &format!("Before {damage}."));
        world.anp("import").exits(3);
        let run = world.runs().pop().unwrap();
        world.shell(&format!("{damage} {}", world.manifest(&run).display()));
        let ran = world.anp("runs notify");
        ran.exits(3).notes("purge all of each cache by hand");
        assert_eq!(owed(&world), [""; 0], "{damage}");
        world.anp("runs notify").exits(0);
    }
}

#[test]
fn a_file_that_cannot_be_read_keeps_no_other_from_being_sent() {
    let api = Api::start((500, "", ""));
    let world = world(&api);
    changed(&world).exits(3);
    world.shell("mkfifo state/runs/29990101T000000.000Z-ffff.notify.json");
    api.then(&[(200, "", "")]);
    world
        .anp("runs notify")
        .exits(3)
        .notes("cannot tell what the run of");
    assert_eq!(owed(&world).len(), 1);
}

#[test]
fn a_program_is_told_of_the_oldest_run_first() {
    let world = published(SITE);
    let command = |line: &str| {
        world.write("anp.yaml", format!("{SITE}after:\n  command: {line}\n"));
    };
    command("exit 1");
    changed(&world).exits(3);
    world.anp("rollback last").exits(3);
    let runs: Vec<String> = world.runs().split_off(1);
    command("echo $ANP_RUN >> told");
    world.anp("runs notify").exits(0);
    let told = std::fs::read_to_string(world.path("told")).unwrap();
    assert_eq!(told.lines().collect::<Vec<_>>(), runs);
}

#[test]
fn a_program_may_print_without_an_end() {
    let world = published(SITE);
    world.write(
        "anp.yaml",
        format!("{SITE}after:\n  command: yes | head -c 300000000; echo last words; exit 4\n"),
    );
    let ran = changed(&world);
    ran.exits(3).notes("last words");
}
