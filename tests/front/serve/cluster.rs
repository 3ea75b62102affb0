//! The preview of a cluster: pages on every master, slots that move, masters that die.

use std::process::Command;

use anp::store::{CLUSTER_RIGHTS, READER_ACL_LINE};

use super::Serving;
use crate::support::authority::Authority;
use crate::support::cluster::{Cluster, MASTERS, slot_of, wait_for};
use crate::support::http::Answer;
use crate::support::{Ran, World};

const PAGES: usize = 30;

/// A cluster with [`PAGES`] articles, `/n0/` and so on, and the folder that they come from.
struct Scene {
    world: World,
    cluster: Cluster,
    url: String,
    /// The authority that TLS trusts.
    ca: Option<String>,
}

impl Scene {
    fn new() -> Self {
        let cluster = Cluster::start();
        let url = cluster.url();
        let scene = Self::of(cluster, url, None);
        scene.import();
        scene
    }

    /// Before its import.
    fn of(cluster: Cluster, url: String, ca: Option<String>) -> Self {
        let world = World::new();
        for number in 0..PAGES {
            world.article(&format!("n{number}.md"), "Text.");
        }
        Self {
            world,
            cluster,
            url,
            ca,
        }
    }

    fn import(&self) {
        Ran::of(self.command().arg("import")).exits(0);
        self.cluster.settle();
    }

    fn command(&self) -> Command {
        let mut command = self.world.command("state", &[]);
        command.env("ANP_REDIS_URL", &self.url);
        command.envs(self.ca.as_ref().map(|ca| ("ANP_TLS_CA", ca)));
        command
    }

    /// The preview; every page of it was looked at once.
    fn serve(&self) -> Serving {
        let serving = Serving::start(&mut self.command());
        for number in 0..PAGES {
            is_whole(&fresh(&serving, number), number);
        }
        serving
    }

    /// The slots of the two keys of a page.
    fn slots(&self, number: usize) -> [usize; 2] {
        let keys = ["page", "meta"].map(|kind| format!("anp:{kind}:/n{number}/"));
        keys.map(|key| slot_of(&self.cluster.nodes[0], &key))
    }
}

/// A page as the store has it at this moment.
fn fresh(serving: &Serving, number: usize) -> Answer {
    serving.get_with(&format!("/n{number}/"), &[("Cookie", "sessionid=1")])
}

fn is_whole(answer: &Answer, number: usize) {
    answer
        .is(200)
        .has("x-cache", "BYPASS")
        .says(&format!("About n{number}.md"));
}

#[test]
fn pages_on_all_masters_the_list_and_every_check_are_as_with_one_server() {
    let scene = Scene::new();
    for node in &scene.cluster.nodes[..MASTERS] {
        assert!(node.command::<i64>("DBSIZE") > 0);
    }
    let serving = scene.serve();
    serving.get("/n1").is(308).has("location", "/n1/");
    serving.get("/nowhere/").is(404);
    serving.get("/healthz").is(200);
    let list = serving.get("/");
    list.is(200).says(&format!("{PAGES} articles"));
    list.hides("gone from the store");
    for number in 0..PAGES {
        list.says(&format!("<a href=\"/n{number}/\">About n{number}.md</a>"));
    }
    if cfg!(feature = "probe") {
        let url = format!("http://{}/", serving.address);
        let mut probe = scene.command();
        probe.args(["probe", &url, "--format", "json"]);
        probe.args(["--rate", "10000/s", "--duration", "0"]);
        let ran = Ran::of(&mut probe);
        ran.exits(0);
        let summary = &ran.of_type("summary")[0];
        assert_eq!(
            (&summary["routes"], &summary["failed"]),
            (&20.into(), &0.into())
        );
    }
}

#[test]
fn pages_whose_slots_are_on_their_way_or_have_moved_are_served() {
    let mut scene = Scene::new();
    let serving = scene.serve();
    let shards = |scene: &Scene| scene.cluster.nodes[0].calls("cluster|shards");
    let before = shards(&scene);
    let node = scene.cluster.grow();
    for slot in scene.slots(0) {
        let from = scene.cluster.owner(slot);
        // What was there is gone to the other: who asks the first is sent on by ASK.
        scene.cluster.open_slot(slot, from, node);
        scene.cluster.move_keys(slot, from, node);
        let asked = scene.cluster.nodes[node].calls("asking");
        is_whole(&fresh(&serving, 0), 0);
        serving.get("/_anp/").is(200).hides("gone from the store");
        assert!(scene.cluster.nodes[node].calls("asking") > asked);
        wait_for("the new master to be known", || shards(&scene) > before);
        let moved = |scene: &Scene| {
            let count = scene.cluster.nodes[from].field("INFO errorstats", "errorstat_MOVED");
            let count = count.trim_start_matches("count=");
            count.parse::<u64>().unwrap_or(0)
        };
        let redirected = moved(&scene);
        scene.cluster.move_slot(slot, from, node);
        // By MOVED at first, and then directly.
        is_whole(&fresh(&serving, 0), 0);
        assert!(moved(&scene) > redirected);
        wait_for("the masters to be looked for", || {
            let redirected = moved(&scene);
            is_whole(&fresh(&serving, 0), 0);
            moved(&scene) == redirected
        });
    }
    for number in 0..PAGES {
        is_whole(&fresh(&serving, number), number);
    }
}

#[test]
fn the_pages_of_a_dead_master_are_back_when_its_replica_has_taken_its_place() {
    through_a_failover(PAGES, |scene, master| scene.cluster.nodes[master].kill());
}

#[test]
fn so_are_those_of_a_silent_one_which_keeps_no_other_page_waiting() {
    // Each of its pages is waited for until the time-out.
    let scene = through_a_failover(2, |scene, master| {
        scene.cluster.nodes[master].signal("STOP");
    });
    scene.cluster.nodes[1].signal("CONT");
}

/// Ends the second master by `end`, looks at pages meanwhile (at so many of its own), and has
/// its replica take its place.
fn through_a_failover(own: usize, end: impl Fn(&mut Scene, usize)) -> Scene {
    let mut scene = Scene::new();
    let serving = scene.serve();
    let (master, heir) = (1, 1 + MASTERS);
    let (here, elsewhere): (Vec<usize>, Vec<usize>) = (0..PAGES).partition(|number| {
        let slots = scene.slots(*number);
        slots
            .iter()
            .any(|slot| scene.cluster.owner(*slot) == master)
    });
    assert!(here.len() > 2 && elsewhere.len() > 2);
    // Else the others answer nothing either as soon as they notice.
    scene
        .cluster
        .on_masters("CONFIG SET cluster-require-full-coverage no");
    // Not before the pages were looked at.
    let holds_back = |scene: &Scene, value: &str| {
        let line = format!("CONFIG SET cluster-replica-no-failover {value}");
        let _: () = scene.cluster.nodes[heir].command(&line);
    };
    holds_back(&scene, "yes");
    end(&mut scene, master);
    for number in here.iter().take(own) {
        fresh(&serving, *number).is(503).has("retry-after", "2");
    }
    serving.get("/healthz").is(503);
    serving.get("/_anp/").is(503);
    for number in &elsewhere {
        is_whole(&fresh(&serving, *number), *number);
    }
    holds_back(&scene, "no");
    scene.cluster.wait_for_failover(master);
    serving.until("/healthz", |answer| answer.status == 200);
    for number in 0..PAGES {
        serving.until(&format!("/n{number}/"), |answer| answer.status == 200);
        is_whole(&fresh(&serving, number), number);
    }
    serving.get("/_anp/").is(200);
    scene
}

#[test]
fn the_rights_of_the_page_about_serving_and_those_for_clusters_suffice() {
    let mut scene = Scene::new();
    scene.url = scene.url.replacen("://", "://preview:PASSWORD@", 1);
    let on_all = |scene: &Scene, line: &str| {
        for node in &scene.cluster.nodes {
            let _: () = node.command(line);
        }
    };
    on_all(&scene, READER_ACL_LINE);
    let line = ["serve", "--addr", "127.0.0.1:0"];
    Ran::of(scene.command().args(line))
        .exits(77)
        .notes(CLUSTER_RIGHTS)
        .notes(&format!("  = acl: {READER_ACL_LINE}\n"));
    on_all(&scene, &format!("ACL SETUSER preview {CLUSTER_RIGHTS}"));
    let serving = scene.serve();
    serving.get("/").is(200);
    serving.get("/healthz").is(200);
    let [slot, _] = scene.slots(3);
    let from = scene.cluster.owner(slot);
    let to = (0..MASTERS).find(|index| *index != from).unwrap();
    scene.cluster.open_slot(slot, from, to);
    scene.cluster.move_keys(slot, from, to);
    is_whole(&fresh(&serving, 3), 3);
}

#[test]
fn over_tls_every_master_is_reached_and_followed_so() {
    let folder = tempfile::Builder::new().prefix("anp").tempdir().unwrap();
    let authority = Authority::new(folder.path());
    let (pair, ca) = (authority.signs_for(&["127.0.0.1"]), authority.ca());
    let cluster = Cluster::start_with_tls(&pair.cert, &pair.key, &ca);
    let url = cluster.tls_url();
    let mut scene = Scene::of(cluster, url, Some(ca));
    let [slot, _] = scene.slots(0);
    let from = scene.cluster.owner(slot);
    let to = (from + 1) % MASTERS;
    // The page is made where its slot is on its way to.
    scene.cluster.open_slot(slot, from, to);
    scene.import();
    let serving = scene.serve();
    serving.get("/healthz").is(200);
    scene.cluster.move_slot(slot, from, to);
    is_whole(&fresh(&serving, 0), 0);
    // No other connection was made in plain text than those of this test, which are over.
    for node in &scene.cluster.nodes[..MASTERS] {
        let clients: String = node.command("CLIENT LIST TYPE normal");
        let port = format!("laddr={} ", node.address());
        let plain = clients.lines().filter(|line| line.contains(&port));
        assert_eq!(plain.count(), 1, "{clients}");
    }
}
