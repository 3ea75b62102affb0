//! Runs against a real cluster: three masters and a replica of each.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};

use crate::support::cluster::{Cluster, MASTERS, slot_of, wait_for};
use crate::support::{Ran, World, comes_full_circle, free_port, signal};
use anp::store::{ACL_LINE, CLUSTER_RIGHTS, REPLICAS_RIGHT};

/// A cluster, and a folder with content.
struct Scene {
    world: World,
    cluster: Cluster,
    url: String,
}

impl Scene {
    fn new() -> Self {
        let cluster = Cluster::start();
        let url = cluster.url();
        Self {
            world: World::new(),
            cluster,
            url,
        }
    }

    /// With `count` articles.
    fn with_articles(count: usize) -> Self {
        let scene = Self::new();
        for number in 0..count {
            scene.world.article(&format!("n{number}.md"), "Text.");
        }
        scene
    }

    /// With articles that are published, on the replicas too, and all keys.
    fn published() -> (Self, BTreeMap<String, String>) {
        let mut scene = Self::new();
        for number in 0..300 {
            scene.world.article(&format!("n{number}.md"), "Before.");
        }
        scene.anp("import").exits(0);
        scene.cluster.settle();
        let before = scene.keys();
        (scene, before)
    }

    fn anp(&self, line: &str) -> Ran {
        let arguments: Vec<&str> = line.split_whitespace().collect();
        Ran::of(&mut self.command(&arguments))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.world.command("state", arguments);
        command.env("ANP_REDIS_URL", &self.url);
        command
    }

    /// Every key but the lock.
    fn keys(&mut self) -> BTreeMap<String, String> {
        let mut dump = self.cluster.dump();
        dump.remove("anp:lock");
        dump
    }

    /// Rolls the last run back until that is done, as a person would who follows the advice.
    fn roll_back(&self) {
        for _ in 0..5 {
            let ran = self.anp("rollback last");
            if ran.code != 75 && ran.code != 69 {
                ran.exits(0);
                return;
            }
        }
        panic!("the rollback did not end: {}", self.anp("rollback last"));
    }

    /// An import of 3,000 articles, in the middle of its writes.
    fn import_under_way(
        &self,
        arguments: &[&str],
    ) -> (
        std::process::Child,
        std::io::BufReader<std::process::ChildStdout>,
    ) {
        let all = [&["--redis", &*self.url], arguments].concat();
        self.world.import_under_way(&all)
    }
}

#[test]
fn every_command_does_on_a_cluster_what_it_does_on_one_server() {
    let scene = Scene::with_articles(300);
    let Scene {
        world,
        mut cluster,
        url,
    } = scene;
    let anp = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        world.anp_with(&words, &[("ANP_REDIS_URL", &url)])
    };
    comes_full_circle(&world, &anp, &mut || cluster.dump());

    anp("import").exits(0);
    for index in 0..MASTERS {
        let held: i64 = cluster.nodes[index].command("DBSIZE");
        assert!(held > 100, "master {index} holds {held} keys");
    }
    assert!(!cluster.dump().contains_key("anp:lock"));
    anp("show /n7/").exits(0).says("About n7.md");
    anp("purge /n3/ /n4/").exits(0);
    let warmed = anp("warm --glob /n3/ --glob /n4/ --max-latency 100ms --format json");
    warmed.exits(0);
    assert_eq!(warmed.counts()["created"], 4);
    anp("rehearse --sample 20").exits(0);
    anp("runs --format json").exits(0).says("redis+cluster://");
    let listed = anp("ls --routes --store-only");
    let routes: Vec<&str> = listed.exits(0).stdout.lines().collect();
    assert_eq!(
        routes.len(),
        world
            .anp_with(&["ls", "--routes"], &[("ANP_REDIS_URL", &url)])
            .stdout
            .lines()
            .count()
    );
    assert!(routes.len() >= 300 && routes.is_sorted(), "{listed}");
    let count = routes.len();
    anp("status").exits(0).says(&format!("pages     {count}; "));
}

#[test]
fn foreign_values_of_any_type_come_back_on_every_master() {
    let mut scene = Scene::with_articles(60);
    for number in 0..60 {
        let key = format!("anp:page:/n{number}/");
        let owner = slot_of(&scene.cluster.nodes[0], &key);
        let owner = scene.cluster.owner(owner);
        let node = &scene.cluster.nodes[owner];
        let _: redis::Value = match number % 3 {
            0 => node.command(&format!("SET {key} foreign")),
            1 => node.command(&format!("HSET {key} a 1 b 2")),
            _ => node.command(&format!("SADD {key} a b c")),
        };
    }
    let before = scene.keys();
    let ran = scene.anp("import --format json");
    assert_eq!(ran.counts()["updated"], 60, "{ran}");
    scene.anp("rollback last").exits(0);
    assert!(scene.keys() == before);
}

/// Slots of keys of the articles n0 … n2999 that the first master serves, each with how many
/// keys are in it.
fn slots_of_pages(scene: &Scene, articles: std::ops::Range<usize>) -> Vec<usize> {
    let mut slots: Vec<usize> = articles
        .map(|number| slot_of(&scene.cluster.nodes[0], &format!("anp:page:/n{number}/")))
        .filter(|slot| *slot < 5461)
        .collect();
    slots.sort_unstable();
    slots.dedup();
    slots
}

#[test]
fn a_slot_on_its_way_is_written_on_both_sides_and_undone_there() {
    let mut scene = Scene::with_articles(200);
    // Some are there before, and stay where they are; the others are asked for at the target.
    for number in 100..200 {
        std::fs::remove_file(scene.world.path(&format!("content/n{number}.md"))).unwrap();
    }
    scene.anp("import").exits(0);
    let before = scene.keys();
    let slots = slots_of_pages(&scene, 0..200);
    for slot in &slots {
        scene.cluster.open_slot(*slot, 0, 1);
    }
    for number in 0..200 {
        scene
            .world
            .article(&format!("n{number}.md"), "Another text.");
    }
    let ran = scene.anp("import --format json");
    ran.exits(0);
    assert_eq!(ran.counts()["created"], 200);
    assert_eq!(ran.counts()["updated"], 200);
    assert!(scene.cluster.nodes[1].calls("asking") > 20);
    scene.anp("verify last").exits(0);
    let again = scene.anp("import --format json --no-cache");
    assert_eq!(again.counts()["kept"], 400, "{again}");
    scene
        .anp(&format!("rollback {}", scene.world.runs()[1]))
        .exits(0);
    assert!(scene.keys() == before);
    for slot in &slots {
        scene.cluster.move_slot(*slot, 0, 1);
    }
    scene
        .anp(&format!("rollback {}", scene.world.runs()[0]))
        .exits(0);
    assert_eq!(scene.keys(), BTreeMap::new());
}

#[test]
fn slots_that_leave_in_mid_import_are_followed_key_by_key() {
    let mut scene = Scene::new();
    let (child, stdout) = scene.import_under_way(&[]);
    signal(&child, "STOP");
    let slots = slots_of_pages(&scene, 0..3000);
    let (moved, open) = slots.split_at(slots.len() / 2);
    for slot in moved {
        scene.cluster.open_slot(*slot, 0, 1);
        scene.cluster.move_slot(*slot, 0, 1);
    }
    for slot in open {
        scene.cluster.open_slot(*slot, 0, 2);
    }
    signal(&child, "CONT");
    let ran = Ran::ended(child, stdout);
    ran.exits(0);
    assert_eq!(ran.counts()["created"], 6000);
    assert!(scene.cluster.nodes[2].calls("asking") > 20);
    assert!(
        !scene.cluster.nodes[0]
            .field("INFO errorstats", "errorstat_MOVED")
            .is_empty()
    );
    scene.anp("verify last").exits(0);
    scene.anp("rollback last").exits(0);
    assert_eq!(scene.keys(), BTreeMap::new());
}

#[test]
fn a_master_that_joins_in_mid_import_is_greeted_before_it_is_written_to() {
    let mut scene = Scene::new();
    let (child, stdout) = scene.import_under_way(&[]);
    signal(&child, "STOP");
    let new = scene.cluster.grow();
    for slot in slots_of_pages(&scene, 0..3000) {
        scene.cluster.open_slot(slot, 0, new);
        scene.cluster.move_slot(slot, 0, new);
    }
    signal(&child, "CONT");
    let ran = Ran::ended(child, stdout);
    ran.exits(0);
    let node = &scene.cluster.nodes[new];
    assert!(node.command::<i64>("DBSIZE") > 100);
    // The connections that wrote there had a name first.
    assert!(node.calls("client|setname") >= 1);
    scene.anp("verify last").exits(0);
    scene.anp("rollback last").exits(0);
    assert_eq!(scene.keys(), BTreeMap::new());
}

#[test]
fn a_master_killed_in_mid_import_is_replaced_and_what_was_lost_with_it_is_told() {
    let (mut scene, before) = Scene::published();
    let (child, stdout) = scene.import_under_way(&["--no-cache"]);
    scene.cluster.nodes[1].kill();
    let ran = Ran::ended(child, stdout);
    // What only the dead master had is lost: it is told, never hidden.
    assert!([0, 75].contains(&ran.code), "{ran}");
    scene.cluster.wait_for_failover(1);
    if ran.code == 0 {
        scene.anp("verify last").exits(0);
    } else {
        ran.notes("rollback");
    }
    scene.roll_back();
    assert!(scene.keys() == before);
}

#[test]
fn a_master_killed_in_mid_rollback_leaves_a_way_back_that_ends_the_same() {
    let (mut scene, before) = Scene::published();
    let (child, stdout) = scene.import_under_way(&["--no-cache"]);
    let ran = Ran::ended(child, stdout);
    ran.exits(0);
    scene.cluster.settle();
    let mut command = scene.command(&["rollback", "last", "--format", "json"]);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = std::io::BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains(r#""type":"key""#) {
        line.clear();
        assert!(std::io::BufRead::read_line(&mut stdout, &mut line).unwrap() > 0);
    }
    scene.cluster.nodes[2].kill();
    let ran = Ran::ended(child, stdout);
    assert!([0, 75].contains(&ran.code), "{ran}");
    scene.cluster.wait_for_failover(2);
    scene.roll_back();
    assert!(scene.keys() == before);
}

#[test]
fn four_shards_at_once_write_to_a_cluster_and_one_command_takes_all_back() {
    let mut scene = Scene::with_articles(400);
    let start = |index: usize| {
        let shard = format!("{index}/4");
        let words = ["import", "--shard", &shard, "--run-id", "night"];
        let mut command = scene.command(&words);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().unwrap()
    };
    let mut shards: Vec<_> = (0..4).map(start).collect();
    // Wherever it is by now.
    shards[2].kill().unwrap();
    shards[2].wait().unwrap();
    shards[2] = start(2);
    for mut shard in shards {
        assert!(shard.wait().unwrap().success());
    }
    assert_eq!(scene.keys().len(), 800);
    assert!(!scene.cluster.dump().contains_key("anp:lock"));
    scene.anp("verify night").exits(0);
    let again = scene.anp("import --no-cache --format json");
    assert_eq!(again.counts()["kept"], 800, "{again}");
    scene.anp("rollback night").exits(0);
    assert_eq!(scene.keys(), BTreeMap::new());
}

#[test]
fn connections_of_a_dead_run_are_ended_on_every_master() {
    let mut scene = Scene::with_articles(3);
    let dead: Vec<redis::Connection> = scene
        .cluster
        .masters()
        .into_iter()
        .map(|index| {
            let mut connection = scene.cluster.nodes[index].connection();
            let mut command = redis::cmd("CLIENT");
            let named = command.arg("SETNAME").arg("anp:anp:dead-run");
            named.query::<()>(&mut connection).unwrap();
            connection
        })
        .collect();
    assert_eq!(dead.len(), MASTERS);
    scene.anp("import").exits(0);
    for mut connection in dead {
        let answer: redis::RedisResult<()> = redis::cmd("PING").query(&mut connection);
        assert!(answer.is_err(), "a connection of a dead run lives");
    }
}

#[test]
fn the_lock_is_one_key_of_the_cluster() {
    let scene = Scene::new();
    let (child, stdout) = scene.import_under_way(&[]);
    let other = Ran::of(
        scene
            .command(&["import", "--state-dir", "other"])
            .env("ANP_TIMEOUT", "2s"),
    );
    other.exits(11).notes("holds the lock");
    Ran::ended(child, stdout).exits(0);
    let mut paused = scene.anp("pause --reason moving");
    paused.exits(0);
    scene.anp("import").exits(12);
    paused = scene.anp("resume");
    paused.exits(0);
    scene.anp("import").exits(0);
}

#[test]
fn too_few_replicas_stop_the_run_and_the_way_back_waits_for_none() {
    let mut scene = Scene::new();
    let arguments = ["--wait-replicas", "1", "--wait-timeout", "300"];
    let (child, stdout) = scene.import_under_way(&arguments);
    let (master, replica) = (&scene.cluster.nodes[0], &scene.cluster.nodes[MASTERS]);
    replica.signal("STOP");
    let lacking = format!("0 of 1 replica of {} ", master.address());
    let ran = Ran::ended(child, stdout);
    ran.exits(75)
        .notes(&lacking)
        .notes("300 ms")
        .notes("rollback");
    assert!(ran.counts()["created"] != 6000);
    scene.anp("rollback last").exits(0);
    // It is still connected. One that takes nothing is missed before anything is written.
    scene
        .anp("import --wait-replicas 1 --wait-timeout 300")
        .exits(69)
        .notes(&lacking)
        .notes("nothing was written");
    replica.signal("CONT");
    assert_eq!(scene.keys(), BTreeMap::new());
    scene
        .anp("import --wait-replicas 2")
        .exits(69)
        .notes("1 of 2 replicas")
        .notes("nothing was written");
    wait_for("the replica to be back", || {
        scene.anp("import --wait-replicas 1").code == 0
    });
}

#[test]
fn a_cluster_is_reached_over_tls_node_by_node() {
    let folder = tempfile::Builder::new().prefix("anp").tempdir().unwrap();
    let authority = crate::support::authority::Authority::new(folder.path());
    let (pair, ca) = (authority.signs_for(&["127.0.0.1"]), authority.ca());
    let cluster = Cluster::start_with_tls(&pair.cert, &pair.key, &ca);
    let url = cluster.tls_url();
    let mut scene = Scene {
        world: World::new(),
        cluster,
        url,
    };
    for number in 0..100 {
        scene.world.article(&format!("n{number}.md"), "Text.");
    }
    scene.anp("import").exits(78).notes("--tls-ca");
    // A slot that is sent on is reached over TLS too.
    for slot in slots_of_pages(&scene, 0..20) {
        scene.cluster.open_slot(slot, 0, 1);
    }
    let trusting = |line: &str| scene.anp(&format!("{line} --tls-ca {ca}"));
    trusting("import").exits(0);
    assert!(scene.cluster.nodes[1].calls("asking") > 0);
    trusting("verify last").exits(0);
    trusting("rollback last").exits(0);
    assert_eq!(scene.keys(), BTreeMap::new());
}

#[test]
fn promise_11_a_slow_warm_over_what_is_about_to_expire_loses_no_page_of_any_master() {
    let mut scene = Scene::with_articles(40);
    scene.anp("import").exits(0);
    let first = &scene.cluster.nodes[0];
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_millis() as u64;
    for number in 0..40 {
        for kind in ["page", "meta"] {
            let key = format!("anp:{kind}:/n{number}/");
            let slot = slot_of(first, &key);
            let mut masters = 0..MASTERS;
            let owner = masters.find(|index| scene.cluster.serves(*index, slot));
            let owner = &scene.cluster.nodes[owner.unwrap()];
            let at = now + 2_000 + 15 * number;
            let _: i64 = owner.command(&format!("PEXPIREAT {key} {at}"));
        }
    }
    let ran = scene.anp("warm --rate 20 --format json");
    ran.exits(0);
    assert!(ran.counts()["created"].as_u64() > Some(0), "{ran}");
    assert_eq!(scene.keys().len(), 80, "{ran}");
    scene.anp("verify last").exits(0);
    scene.anp("rollback last").exits(0);
    // All of it had expired.
    assert_eq!(scene.keys(), BTreeMap::new());
}

#[test]
fn promise_9_a_right_that_one_master_denies_is_missed_before_the_first_write() {
    let mut scene = Scene::with_articles(30);
    let url = scene.url.replacen("://", "://anp:PASSWORD@", 1);
    for node in &scene.cluster.nodes {
        for line in [ACL_LINE, &format!("ACL SETUSER anp {CLUSTER_RIGHTS}")] {
            let _: redis::Value = node.command(line);
        }
    }
    let _: redis::Value = scene.cluster.nodes[MASTERS - 1].command("ACL SETUSER anp -unlink");
    let ran = Ran::of(&mut scene.command(&["import", "--redis", &url]));
    ran.exits(77).notes("unlink").notes("nothing was written");
    assert_eq!(scene.keys(), BTreeMap::new());
}

#[test]
fn the_documented_rights_suffice_on_a_cluster() {
    let mut scene = Scene::with_articles(30);
    let url = scene.url.replacen("://", "://anp:PASSWORD@", 1);
    let run = |line: &str| {
        let mut words: Vec<&str> = line.split(' ').collect();
        words.extend(["--redis", &url]);
        Ran::of(&mut scene.command(&words))
    };
    let on_all = |line: &str| {
        for node in &scene.cluster.nodes {
            let _: redis::Value = node.command(line);
        }
    };
    on_all(ACL_LINE);
    run("import")
        .exits(77)
        .notes(&format!("in a cluster the user needs {CLUSTER_RIGHTS}"));
    on_all(&format!("ACL SETUSER anp {CLUSTER_RIGHTS}"));
    run("import").exits(0);
    run("verify last").exits(0);
    // A slot held open needs +asking.
    let key = "anp:page:/new/";
    let slot = slot_of(&scene.cluster.nodes[0], key);
    let from = (0..MASTERS)
        .find(|index| scene.cluster.serves(*index, slot))
        .unwrap();
    scene.cluster.open_slot(slot, from, (from + 1) % MASTERS);
    scene.world.article("new.md", "Text.");
    run("import --prune").exits(0);
    run("import --wait-replicas 1 --ttl 30d")
        .exits(77)
        .notes(&format!("needs {REPLICAS_RIGHT} besides"));
    on_all(&format!("ACL SETUSER anp {REPLICAS_RIGHT}"));
    scene.world.article("newer.md", "Text.");
    run("import --wait-replicas 1").exits(0);
    run("purge --all --yes").exits(0);
    assert_eq!(scene.keys(), BTreeMap::new());
    let page = std::fs::read_to_string("docs/stores.md").unwrap();
    assert!(page.contains(&format!("`{CLUSTER_RIGHTS}`")));
    assert!(page.contains(&format!("`{REPLICAS_RIGHT}`")));
}

#[test]
fn a_node_that_now_belongs_to_another_cluster_decides_nothing() {
    let mut scene = Scene::with_articles(30);
    let new = scene.cluster.grow();
    let (new, old) = (&scene.cluster.nodes[new], scene.url.clone());
    let mixed = format!("redis+cluster://{},{}", new.address(), &old[16..]);
    let with = |line: &str, url: &str| {
        let words: Vec<&str> = line.split(' ').chain(["--redis", url]).collect();
        Ran::of(&mut scene.command(&words))
    };
    with("import", &mixed).exits(0);
    let alone = format!("redis+cluster://{}/", new.address());
    with("import --prefix alone", &alone).exits(0);
    let _: () = new.command("CLUSTER RESET HARD");
    let _: () = new.command("CLUSTER ADDSLOTSRANGE 0 16383");
    for node in &scene.cluster.nodes[..2 * MASTERS] {
        let _: () = node.command(&format!("CLUSTER FORGET {}", new.id));
    }
    for line in ["rollback last", "verify last", "import"] {
        with(line, &mixed)
            .exits(78)
            .notes("are nodes of different clusters");
    }
    // By itself it contradicts nobody, but it is not of the cluster that was written to.
    let run = scene.world.runs().pop().unwrap();
    for line in [format!("rollback {run}"), format!("verify {run}")] {
        with(&line, &alone).exits(78).notes(&format!(
            "leads to another cluster than when run {run} wrote"
        ));
        scene.world.anp(&line).exits(78);
    }
    with(&format!("rollback {run}"), &old).exits(0);
    // One that is in no cluster any more, or away, is no contradiction.
    let port = free_port().to_string();
    let server = &scene.world.server;
    server.run(&["CONFIG", "SET", "port", &port]);
    let rest = format!(
        "redis+cluster://127.0.0.1:{port},127.0.0.1:1,{}",
        &old[16..]
    );
    let first = scene.world.runs().remove(0);
    with(&format!("rollback {first}"), &rest).exits(0);
    scene.cluster.nodes.truncate(2 * MASTERS);
    assert_eq!(scene.keys(), BTreeMap::new());
}

#[test]
fn a_master_that_has_just_died_is_waited_for_at_the_beginning() {
    let mut scene = Scene::with_articles(30);
    scene.cluster.nodes[2].kill();
    scene.anp("import").exits(0);
    scene.anp("verify last").exits(0);
}

#[test]
fn a_master_that_gets_its_first_slots_in_mid_import_has_to_have_replicas_too() {
    let mut scene = Scene::new();
    let new = scene.cluster.grow();
    let (child, stdout) =
        scene.import_under_way(&["--wait-replicas", "1", "--wait-timeout", "300"]);
    signal(&child, "STOP");
    for slot in slots_of_pages(&scene, 0..3000) {
        scene.cluster.open_slot(slot, 0, new);
        scene.cluster.move_slot(slot, 0, new);
    }
    signal(&child, "CONT");
    let ran = Ran::ended(child, stdout);
    let lacking = format!("0 of 1 replica of {} ", scene.cluster.nodes[new].address());
    ran.exits(75).notes(&lacking);
    scene.anp("rollback last").exits(0);
    assert_eq!(scene.keys(), BTreeMap::new());
}

#[test]
fn an_address_of_the_wrong_kind_is_told_apart() {
    let scene = Scene::with_articles(1);
    let one = scene.cluster.nodes[0].address();
    let ran = scene.anp(&format!("import --redis redis://{one}/0"));
    ran.exits(78).notes("begins with redis+cluster");
    let server = &scene.world.server;
    let port = free_port().to_string();
    server.run(&["CONFIG", "SET", "port", &port]);
    let ran = scene.anp(&format!("import --redis redis+cluster://127.0.0.1:{port}/"));
    ran.exits(78).notes("redis://");
    let any = scene.anp(&format!(
        "import --redis redis+cluster://127.0.0.1:1,{one}/"
    ));
    any.exits(0);
    let ran = scene.anp("import --redis redis+cluster://127.0.0.1:1,127.0.0.1:2/");
    ran.exits(69).notes("127.0.0.1:1: ").notes("127.0.0.1:2: ");
}

#[test]
fn a_cluster_whose_slots_are_not_all_served_is_waited_for_and_then_refused() {
    let mut scene = Scene::with_articles(3);
    scene.cluster.nodes[MASTERS].kill();
    scene.cluster.nodes[0].kill();
    wait_for("the cluster to be down", || {
        scene.cluster.nodes[1].field("CLUSTER INFO", "cluster_state") == "fail"
    });
    let ran = Ran::of(scene.command(&["import"]).env("ANP_DEADLINE", "2s"));
    ran.exits(69)
        .notes("of 16384 slots")
        .notes("nothing was written");
}

#[test]
fn archive_objects_on_a_cluster_are_those_of_one_server_and_are_taken_back() {
    let mut scene = Scene::new();
    let settings = "site: {url: 'https://example.org'}\narchive: {similar: 3, lists: {per_page: 5}, \
                    feeds: true, sitemap: true, redirects: true}\n";
    scene.world.write("anp.yaml", settings);
    let write = |world: &World, name: &str, tag: usize| {
        let fields = format!(
            "title: About {name}\ndate: 2024-01-{:02}\ntags: [tag {tag}]",
            1 + tag
        );
        let text = format!("---\n{fields}\naliases: [/old/{name}/]\n---\n\nText of {name}.\n");
        world.write(&format!("content/a/{name}.md"), text);
    };
    for number in 0..60 {
        write(&scene.world, &format!("n{number}"), number % 7);
    }
    scene.anp("import").exits(0);
    let before = scene.keys();
    // The same objects as one server has.
    scene.world.anp("import --state-dir other").exits(0);
    let names = |keys: &BTreeMap<String, String>| keys.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&before), names(&scene.world.keys()));
    write(&scene.world, "newest", 20);
    std::fs::remove_file(scene.world.path("content/a/n3.md")).unwrap();
    std::fs::rename(
        scene.world.path("content/a/n5.md"),
        scene.world.path("content/a/moved.md"),
    )
    .unwrap();
    let ran = scene.anp("import --prune --max-removed 50% --format json");
    ran.exits(0);
    let after = scene.keys();
    for key in ["anp:page:/tags/tag-20/", "anp:redirect:/a/n5/"] {
        assert!(after.contains_key(key), "{key}: {ran}");
    }
    scene.anp("verify last").exits(0);
    scene.anp("rollback last").exits(0);
    assert!(scene.keys() == before);
}
