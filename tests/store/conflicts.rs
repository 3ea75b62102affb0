//! Other writers and lost replies between the look, the intent and the write. The store is
//! real; a thin seam around it acts in between, as another client would.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::Server;
use anp::publish::apply::encode::Way;
use anp::publish::apply::pace::Pace;
use anp::publish::apply::progress::{Progress, RanOut, Steps};
use anp::publish::apply::step::{Step, Want};
use anp::publish::apply::stop::Stop;
use anp::publish::apply::{Apply, Direction, Group, Guards, RunContext, RunRecord};
use anp::publish::manifest::{
    Action, Fate, Header, Intent, Line, Manifest, Snapshot, Verify, Writer,
};
use anp::publish::run::lease::{Holder, Lease};
use anp::publish::state::{Content, Present};
use anp::store::{
    Address, Batch, Connector, Copies, Interrupt, KnownNodes, Patience, Reply, Session, Store,
    StoreError,
};

const PATIENCE: Patience = Patience {
    timeout: Duration::from_secs(10),
    deadline: Duration::from_secs(10),
};
const LATER_MS: i64 = 4_000_000_000_000;

/// What a batch is for, told by its commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Look,
    Write,
    Other,
}

fn stage(batch: &Batch) -> Stage {
    let text = String::from_utf8_lossy(batch.bytes()).into_owned();
    if text.contains("TIME") {
        Stage::Look
    } else if text.contains("PXAT") || text.contains("EVALSHA") {
        Stage::Write
    } else {
        Stage::Other
    }
}

type Hook = Box<dyn FnMut(Stage, usize, &mut Vec<Reply>) + Send>;

/// A real connection, with something that happens before or after each batch.
struct Between {
    inner: Box<dyn Store>,
    /// Called before a batch is sent: its stage, and how many of that stage came before.
    before: Box<dyn FnMut(Stage, usize) + Send>,
    /// Called with the replies.
    after: Hook,
    seen: [usize; 3],
}

impl Store for Between {
    fn send(&mut self, batch: &Batch) -> Result<Vec<Reply>, StoreError> {
        let stage = stage(batch);
        let count = &mut self.seen[stage as usize];
        let number = *count;
        *count += 1;
        (self.before)(stage, number);
        let mut replies = self.inner.send(batch)?;
        (self.after)(stage, number, &mut replies);
        Ok(replies)
    }
}

struct Scene {
    server: Server,
    folder: tempfile::TempDir,
    interrupted: Arc<AtomicBool>,
    slack_ms: i64,
    again: bool,
    way: Way,
    copies: Option<Copies>,
}

struct Applied {
    fates: Vec<(String, Fate)>,
    progress: Progress,
    stopped: Option<Stop>,
}

impl Scene {
    fn new() -> Self {
        Self {
            server: Server::start(),
            folder: tempfile::tempdir().unwrap(),
            interrupted: Arc::default(),
            slack_ms: 0,
            again: false,
            way: Way::Forth,
            copies: None,
        }
    }

    fn manifest(&self) -> PathBuf {
        self.folder.path().join("run.zst")
    }

    fn apply(
        &self,
        groups: Vec<Group>,
        before: impl FnMut(Stage, usize) + Send + 'static,
        after: impl FnMut(Stage, usize, &mut Vec<Reply>) + Send + 'static,
    ) -> Applied {
        let address = Address::parse(&self.server.url()).unwrap();
        let holder = Holder {
            token: "t".to_owned(),
            run: "r".to_owned(),
            owner: None,
            host: "h".to_owned(),
            pid: 1,
            state_dir: "/s".to_owned(),
            folder: "f".to_owned(),
            since: 0,
            shards: None,
            settings: None,
            shard: BTreeMap::new(),
        };
        let mut plain = Session::new(connect(&address), PATIENCE, Interrupt::never());
        let lease = Lease::take(&mut plain, "anp:lock".to_owned(), &holder).unwrap();
        let mut session = Session::new(
            Box::new(Between {
                inner: connect(&address),
                before: Box::new(before),
                after: Box::new(after),
                seen: [0; 3],
            }),
            PATIENCE,
            Interrupt::never(),
        );
        let mut manifest = Writer::create(&self.manifest(), &Line::Header(header())).unwrap();
        let mut progress = Progress::default();
        let mut fates = Vec::new();
        let stopped = Apply {
            context: RunContext {
                session: &mut session,
                record: Some(RunRecord {
                    manifest: &mut manifest,
                    lease: &lease,
                }),
                interrupted: &self.interrupted,
                slack_ms: self.slack_ms,
            },
            direction: match self.way {
                Way::Back => Direction::Back,
                Way::Forth | Way::ForthAgain => Direction::Forward(Guards {
                    time_limit: None,
                    switch: None,
                    pace: Pace::unlimited(),
                    copies: self.copies,
                }),
            },
            dates_absence: false,
            again: self.again,
        }
        .run(groups.into_iter().map(Ok), &mut progress, &mut |report| {
            fates.push((report.key.to_owned(), report.fate));
        })
        .err();
        Applied {
            fates,
            progress,
            stopped,
        }
    }

    /// A closure that runs one command as another client.
    fn other(&self, line: &'static str) -> impl Fn() + Send + use<> {
        let url = self.server.url();
        move || {
            let mut connection = redis::Client::open(&*url)
                .unwrap()
                .get_connection()
                .unwrap();
            let mut words = line.split(' ');
            let mut command = redis::cmd(words.next().unwrap());
            words.for_each(|word| {
                // A value may have a space in it.
                command.arg(word.replace('\u{a0}', " "));
            });
            command.query::<redis::Value>(&mut connection).unwrap();
        }
    }
}

fn connect(address: &Address) -> Box<dyn Store> {
    let connector = Connector {
        tls: None,
        address: address.clone(),
        embedded_socket: None,
        patience: PATIENCE,
        interrupt: Interrupt::never(),
        name: None,
        known: KnownNodes::default(),
    };
    anp::store::connect(&connector).unwrap()
}

fn header() -> Header {
    serde_json::from_value(serde_json::json!({
        "format": 1, "anp": "0", "run": "r", "command": "import", "started_at": 0,
        "server": "s", "db": 0, "prefix": "anp", "settings_digest": "", "rollback": "",
        "host": "h", "pid": 1,
    }))
    .unwrap()
}

fn put(key: &str, value: &str, create: bool, expires_at_ms: i64) -> Step {
    Step {
        of_archive: false,
        reason: None,
        key: key.to_owned(),
        prior_bytes: 0,
        want: Want::Put {
            content: value.as_bytes().to_vec(),
            made: Present::string(value.as_bytes(), Some(expires_at_ms)),
            create,
        },
    }
}

fn article(create: bool) -> Vec<Group> {
    vec![vec![
        put("page", "new page", create, LATER_MS),
        put("meta", "new meta", create, LATER_MS),
    ]]
}

fn nothing(_: Stage, _: usize, _: &mut Vec<Reply>) {}

/// Runs `action` before the first batch of `when`.
fn once(when: Stage, action: impl Fn() + Send + 'static) -> impl FnMut(Stage, usize) + Send {
    move |stage, number| {
        if stage == when && number == 0 {
            action();
        }
    }
}

fn fates(result: &Applied) -> Vec<(&str, Fate)> {
    result
        .fates
        .iter()
        .map(|(key, fate)| (key.as_str(), *fate))
        .collect()
}

#[test]
fn a_key_created_by_somebody_meanwhile_is_kept_and_its_meta_withheld() {
    let scene = Scene::new();
    let other = scene.other("SET page theirs");
    let result = scene.apply(article(true), once(Stage::Write, other), nothing);
    assert!(result.stopped.is_none());
    assert_eq!(
        fates(&result),
        [("page", Fate::Conflict), ("meta", Fate::Withheld)]
    );
    assert_eq!(scene.server.get("page").unwrap(), "theirs");
    assert_eq!(scene.server.get("meta"), None);
    assert_eq!(result.progress.counts.conflicts, 1);
    assert_eq!(result.progress.counts.withheld, 1);
    assert_eq!(result.progress.counts.written(), 0);
}

#[test]
fn a_value_or_an_expiry_changed_after_the_intent_is_kept() {
    for line in [
        "SET page theirs PXAT 4000000000000",
        "PEXPIREAT page 4000000000009",
        "DEL page",
    ] {
        let scene = Scene::new();
        scene.server.command("SET page old PXAT 4000000000001");
        let other = scene.other(line);
        let result = scene.apply(article(false), once(Stage::Write, other), nothing);
        assert_eq!(
            fates(&result),
            [("page", Fate::Conflict), ("meta", Fate::Withheld)],
            "{line}"
        );
        assert_ne!(
            scene.server.get("page").as_deref(),
            Some("new page"),
            "{line}"
        );
    }
}

#[test]
fn an_expiry_that_moved_with_its_slot_after_the_intent_is_no_change_by_others() {
    let old = "SET page old PXAT 4000000000001";
    for (prior, moved, create, fate) in [
        (old, "PEXPIREAT page 4000000000009", false, Fate::Written),
        (old, "PEXPIREAT page 4000000001002", false, Fate::Conflict),
        // A write of its own, whose reply was lost, and whose slot moved before it was asked about.
        (
            "PING",
            "SET page new\u{a0}page PXAT 4000000000009",
            true,
            Fate::Written,
        ),
    ] {
        let scene = Scene {
            slack_ms: 1_000,
            ..Scene::new()
        };
        scene.server.command(prior);
        let other = scene.other(moved);
        let result = scene.apply(article(create), once(Stage::Write, other), nothing);
        assert_eq!(fates(&result)[0], ("page", fate), "{moved}");
    }
}

#[test]
fn a_key_that_merely_expired_after_the_intent_is_written() {
    let scene = Scene::new();
    scene.server.command("SET page old PX 300");
    let wait = || std::thread::sleep(Duration::from_millis(400));
    let result = scene.apply(article(false), once(Stage::Write, wait), nothing);
    assert_eq!(
        fates(&result),
        [("page", Fate::Written), ("meta", Fate::Written)]
    );
    assert_eq!(scene.server.get("page").unwrap(), "new page");
}

#[test]
fn what_was_planned_as_an_update_and_is_gone_is_created() {
    let scene = Scene::new();
    scene.server.command("SET page old");
    let other = scene.other("DEL page");
    let result = scene.apply(article(false), once(Stage::Look, other), nothing);
    assert_eq!(
        fates(&result),
        [("page", Fate::Written), ("meta", Fate::Written)]
    );
    assert_eq!(result.progress.counts.created, 2);
}

#[test]
fn a_refused_nx_is_our_own_write_if_the_state_is_the_one_to_be_made() {
    let scene = Scene::new();
    // The same bytes and expiry are there already: our write, whose reply was lost.
    let url = scene.server.url();
    let ours = move || {
        let mut connection = redis::Client::open(&*url)
            .unwrap()
            .get_connection()
            .unwrap();
        redis::cmd("SET")
            .arg(&["page", "new page", "PXAT", "4000000000000"])
            .query::<()>(&mut connection)
            .unwrap();
    };
    let result = scene.apply(article(true), once(Stage::Write, ours), nothing);
    assert_eq!(
        fates(&result),
        [("page", Fate::Written), ("meta", Fate::Written)]
    );
    assert_eq!(result.progress.counts.conflicts, 0);
}

#[test]
fn an_object_whose_expiry_has_passed_is_not_sent() {
    let scene = Scene::new();
    let groups = vec![vec![
        put("page", "p", true, 1_000),
        put("meta", "m", true, 1_000),
    ]];
    let result = scene.apply(groups, |_, _| {}, nothing);
    assert_eq!(
        fates(&result),
        [("page", Fate::Expired), ("meta", Fate::Expired)]
    );
    assert_eq!(scene.server.get("page"), None);
}

#[test]
fn an_object_that_runs_out_after_the_look_is_not_sent_either() {
    let scene = Scene::new();
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_millis() as i64;
    let soon = now + 1_000;
    let groups = vec![vec![
        put("page", "p", true, soon),
        put("meta", "m", true, soon),
    ]];
    let before = |stage, number| {
        if (stage, number) == (Stage::Look, 1) {
            std::thread::sleep(Duration::from_millis(1_100));
        }
    };
    let result = scene.apply(groups, before, nothing);
    assert_eq!(
        fates(&result),
        [("page", Fate::Expired), ("meta", Fate::Expired)]
    );
    assert_eq!(result.progress.counts.created, 0);
}

fn now_ms() -> i64 {
    std::time::UNIX_EPOCH.elapsed().unwrap().as_millis() as i64
}

/// Waits until `at_ms` has passed, before the first batch of `when`.
fn until(when: Stage, at_ms: i64) -> impl FnMut(Stage, usize) + Send {
    once(when, move || {
        while now_ms() <= at_ms {
            std::thread::sleep(Duration::from_millis(5));
        }
    })
}

fn refresh(key: &str, seen_ms: i64) -> Step {
    Step {
        of_archive: false,
        reason: None,
        key: key.to_owned(),
        prior_bytes: 0,
        want: Want::Refresh {
            to_ms: LATER_MS,
            seen_ms: Some(seen_ms),
        },
    }
}

#[test]
fn a_refresh_that_comes_too_late_is_told_and_leaves_no_trace() {
    for when in [Stage::Look, Stage::Write] {
        for (page_ms, meta_ms, from) in [(600, 600, 0), (600, 90_000, 0), (90_000, 600, 1)] {
            let scene = Scene::new();
            let now = now_ms();
            for (key, in_ms) in [("page", page_ms), ("meta", meta_ms)] {
                let at = (now + in_ms).to_string();
                scene.server.run(&["SET", key, "old", "PXAT", &at]);
            }
            let group = vec![
                refresh("page", now + page_ms),
                refresh("meta", now + meta_ms),
            ];
            let result = scene.apply(vec![group], until(when, now + 600), nothing);
            assert!(result.stopped.is_none());
            let steps = Steps::from(from);
            let ran_out = RanOut { group: 0, steps };
            assert_eq!(result.progress.ran_out, [ran_out], "{when:?}");
            assert_eq!(result.progress.outcomes.len(), 0);
            let written = [("page", Fate::Written)];
            assert_eq!(fates(&result), written[..from], "{when:?}");
            assert_eq!(result.progress.touched, from == 1);
        }
    }
}

#[test]
fn a_key_deleted_before_it_would_have_expired_is_a_conflict_and_no_late_refresh() {
    for when in [Stage::Look, Stage::Write] {
        let scene = Scene::new();
        scene.server.command("SET page old PXAT 3000000000000");
        let other = scene.other("DEL page");
        let groups = vec![vec![refresh("page", 3_000_000_000_000)]];
        let result = scene.apply(groups, once(when, other), nothing);
        assert_eq!(fates(&result), [("page", Fate::Conflict)]);
        assert_eq!(result.progress.ran_out, []);
        assert!(!result.progress.touched, "a conflict wrote nothing");
    }
}

#[test]
fn promise_3_what_a_run_made_expire_during_its_rollback_is_brought_back() {
    let prior = |value: &str| {
        let present = Present::string(value.as_bytes(), Some(LATER_MS));
        Snapshot::whole(&present, Content::Value(value.as_bytes().to_vec()))
    };
    for when in [Stage::Look, Stage::Write] {
        let mut scene = Scene::new();
        scene.way = Way::Back;
        let soon = now_ms() + 700;
        let made = Present::string(b"new", Some(soon));
        let at = soon.to_string();
        let long = "l".repeat(300_000);
        for (key, value) in [("updated", "new"), ("refreshed", "old"), ("long", &long)] {
            scene.server.run(&["SET", key, value, "PXAT", &at]);
        }
        let refreshed = |key: &str, value: &str| {
            Intent::new(
                key.to_owned(),
                Action::Refresh,
                Some(prior(value)),
                Some(Snapshot::expiry(Some(soon))),
            )
        };
        let undone = [
            Intent::new(
                "updated".to_owned(),
                Action::Update,
                Some(prior("old")),
                Some(Snapshot::of(&made, 3)),
            ),
            refreshed("refreshed", "old"),
            refreshed("long", &long),
        ];
        let groups = undone.into_iter().map(|undone| {
            vec![Step {
                of_archive: false,
                reason: None,
                key: undone.key.clone(),
                prior_bytes: 0,
                want: Want::Back {
                    undone: Box::new(undone),
                    slack_ms: 0,
                },
            }]
        });
        let result = scene.apply(groups.collect(), until(when, soon), nothing);
        assert!(result.stopped.is_none());
        let written = ["updated", "refreshed", "long"].map(|key| (key, Fate::Written));
        assert_eq!(fates(&result), written, "{when:?}");
        for (key, value) in [("updated", "old"), ("refreshed", "old"), ("long", &long)] {
            assert_eq!(scene.server.get(key).as_deref(), Some(value), "{when:?}");
            assert_eq!(scene.server.expiry(key), LATER_MS, "{when:?}");
        }
    }
}

#[test]
fn promise_5_what_the_master_acknowledged_is_counted_where_replicas_lack_it() {
    let mut scene = Scene::new();
    scene.copies = Some(Copies {
        replicas: 1,
        within: Duration::from_millis(1),
    });
    let result = scene.apply(article(true), |_, _| {}, nothing);
    let stopped = result.stopped.as_ref().map(ToString::to_string);
    let lacking = "waiting for the replicas: 0 of 1 replica has the last writes after 1 ms";
    assert_eq!(stopped.as_deref(), Some(lacking));
    assert_eq!(fates(&result), [("page", Fate::Written)]);
    assert_eq!(result.progress.counts.created, 1);
    assert!(result.progress.touched);
}

#[test]
fn values_too_large_to_be_held_together_are_looked_at_one_after_the_other() {
    let mut scene = Scene::new();
    scene.way = Way::Back;
    let names = ["a", "b", "c", "d"];
    let value = "v".repeat(10 << 20);
    for name in names {
        scene.server.run(&["SET", name, &value]);
    }
    let groups = names.iter().map(|name| {
        vec![Step {
            of_archive: false,
            reason: None,
            key: (*name).to_owned(),
            // What it held when it was looked at last.
            prior_bytes: 10,
            want: Want::Remove,
        }]
    });
    let most = Arc::new(Mutex::new(0));
    let seen = Arc::clone(&most);
    let after = move |_, _: usize, replies: &mut Vec<Reply>| {
        let held = |reply: &Reply| match reply {
            Reply::Bulk(bytes) => bytes.len(),
            Reply::Array(parts) => parts
                .iter()
                .map(|part| match part {
                    Reply::Bulk(bytes) => bytes.len(),
                    _ => 0,
                })
                .sum(),
            _ => 0,
        };
        let held: usize = replies.iter().map(held).sum();
        let mut most = seen.lock().unwrap();
        *most = held.max(*most);
    };
    let result = scene.apply(groups.collect(), |_, _| {}, after);
    assert!(result.stopped.is_none());
    let removed = names.map(|name| (name, Fate::Written));
    assert_eq!(fates(&result), removed);
    let most = *most.lock().unwrap();
    assert!(most < 16 << 20, "{most} bytes came in one answer");
    assert!(scene.server.get("a").is_none());
}

#[test]
fn every_intent_is_durable_before_the_first_write_is_sent() {
    let scene = Scene::new();
    scene.server.command("SET meta old PXAT 4000000000001");
    let path = scene.manifest();
    let announced = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&announced);
    let before = move |stage, number| {
        if stage == Stage::Write && number == 0 {
            let manifest = Manifest::open(&path, Verify::All).unwrap();
            for line in manifest.batches().flat_map(Result::unwrap) {
                if let Line::Intent(intent) = line {
                    let prior = intent.prior.and_then(|prior| prior.value);
                    seen.lock().unwrap().push((intent.key, prior));
                }
            }
        }
    };
    let groups = vec![vec![
        put("page", "new page", true, LATER_MS),
        put("meta", "new meta", false, LATER_MS),
    ]];
    scene.apply(groups, before, nothing);
    assert_eq!(
        *announced.lock().unwrap(),
        [
            ("page".to_owned(), None),
            ("meta".to_owned(), Some("old".to_owned())),
        ]
    );
}

#[test]
fn pages_are_acknowledged_before_their_metas_are_sent() {
    let scene = Scene::new();
    let url = scene.server.url();
    let held = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&held);
    let before = move |stage, _| {
        if stage == Stage::Write {
            let mut connection = redis::Client::open(&*url)
                .unwrap()
                .get_connection()
                .unwrap();
            let pair: (Option<String>, Option<String>) = redis::cmd("MGET")
                .arg(&["page", "meta"])
                .query(&mut connection)
                .unwrap();
            seen.lock()
                .unwrap()
                .push((pair.0.is_some(), pair.1.is_some()));
        }
    };
    scene.apply(article(true), before, nothing);
    assert_eq!(*held.lock().unwrap(), [(false, false), (true, false)]);
}

#[test]
fn an_error_in_the_middle_of_a_batch_stops_the_run_and_hides_no_other_reply() {
    let scene = Scene::new();
    let groups = (0..3)
        .map(|number| vec![put(&format!("page{number}"), "p", true, LATER_MS)])
        .collect();
    let after = |stage, _: usize, replies: &mut Vec<Reply>| {
        if stage == Stage::Write {
            replies[1] = Reply::Error {
                code: "OOM".to_owned(),
                detail: "command not allowed".to_owned(),
            };
        }
    };
    let result = scene.apply(groups, |_, _| {}, after);
    assert!(matches!(result.stopped, Some(Stop::Store(_))));
    assert_eq!(
        fates(&result),
        [("page0", Fate::Written), ("page2", Fate::Written)]
    );
    assert_eq!(result.progress.counts.created, 2);
    assert!(result.progress.touched);
}

#[test]
fn a_second_look_that_fails_hides_no_reply_either() {
    let scene = Scene::new();
    let other = scene.other("SET page0 somebody-else");
    let groups = (0..3)
        .map(|number| vec![put(&format!("page{number}"), "p", true, LATER_MS)])
        .collect();
    // The second batch that is no first look asks whose the key is that NX refused.
    let after = |stage, number: usize, replies: &mut Vec<Reply>| {
        if (stage, number) == (Stage::Write, 1) {
            replies[0] = Reply::Error {
                code: "MISCONF".to_owned(),
                detail: "no".to_owned(),
            };
        }
    };
    let result = scene.apply(groups, once(Stage::Write, other), after);
    assert!(matches!(result.stopped, Some(Stop::Store(_))));
    assert_eq!(
        fates(&result),
        [("page1", Fate::Written), ("page2", Fate::Written)]
    );
    assert_eq!(result.progress.counts.created, 2);
    assert!(result.progress.touched);
}

#[test]
fn a_lost_lease_stops_the_run_before_it_writes() {
    let scene = Scene::new();
    let other = scene.other("SET anp:lock somebody-else");
    let result = scene.apply(article(true), once(Stage::Look, other), nothing);
    assert!(matches!(result.stopped, Some(Stop::Lease(_))));
    assert_eq!(scene.server.get("page"), None);
    assert!(!result.progress.touched);
}

#[test]
fn a_lease_lost_between_the_look_and_the_writes_stops_these() {
    let scene = Scene::new();
    let lose = scene.other("SET anp:lock somebody-else");
    let before = move |stage, number| {
        // The second look is the round trip before the writes of the only batch.
        if (stage, number) == (Stage::Look, 1) {
            lose();
        }
    };
    let result = scene.apply(article(true), before, nothing);
    assert!(matches!(result.stopped, Some(Stop::Lease(_))));
    assert_eq!(scene.server.get("page"), None);
    assert!(!result.progress.touched);
}

#[test]
fn a_value_changed_while_an_earlier_batch_is_written_is_kept() {
    let scene = Scene::new();
    scene.server.command("SET page2 old PXAT 4000000000001");
    let path = scene.manifest();
    let other = scene.other("SET page2 theirs PXAT 4000000000001");
    let before = move |stage, number| {
        if (stage, number) == (Stage::Write, 0) {
            // Looked at already, and not yet announced.
            let manifest = Manifest::open(&path, Verify::All).unwrap();
            let lines: Vec<Line> = manifest.batches().flat_map(Result::unwrap).collect();
            assert!(matches!(&lines[..], [Line::Intent(intent)] if intent.key == "page1"));
            other();
        }
    };
    // Two batches: the value of the first fills one.
    let large = "x".repeat(5 * 1024 * 1024);
    let groups = vec![
        vec![put("page1", &large, true, LATER_MS)],
        vec![put("page2", "new", false, LATER_MS)],
    ];
    let result = scene.apply(groups, before, nothing);
    assert!(result.stopped.is_none());
    assert_eq!(
        fates(&result),
        [("page1", Fate::Written), ("page2", Fate::Conflict)]
    );
    assert_eq!(scene.server.get("page2").unwrap(), "theirs");
}

#[test]
fn a_state_that_the_key_never_had_is_never_overwritten() {
    let scene = Scene::new();
    scene.server.command("SET page old PXAT 4000000000001");
    // As if the value had changed between the two commands that read the key.
    let after = |stage, number: usize, replies: &mut Vec<Reply>| {
        if (stage, number) == (Stage::Look, 0) {
            assert_eq!(replies[2], Reply::Bulk(b"old".to_vec()));
            replies[2] = Reply::Bulk(b"another".to_vec());
        }
    };
    let groups = vec![vec![put("page", "new page", false, LATER_MS)]];
    let result = scene.apply(groups, |_, _| {}, after);
    assert_eq!(fates(&result), [("page", Fate::Conflict)]);
    assert_eq!(scene.server.get("page").unwrap(), "old");
}

#[test]
fn an_interrupted_run_finishes_its_batch_and_begins_no_other() {
    let scene = Scene::new();
    let flag = Arc::clone(&scene.interrupted);
    // Two batches: the value of the first fills one.
    let large = "x".repeat(5 * 1024 * 1024);
    let groups = vec![
        vec![put("page1", &large, true, LATER_MS)],
        vec![put("page2", "p", true, LATER_MS)],
    ];
    let before = move |stage, number| {
        if stage == Stage::Write && number == 0 {
            flag.store(true, Ordering::Relaxed);
        }
    };
    let result = scene.apply(groups, before, nothing);
    assert!(matches!(result.stopped, Some(Stop::Interrupted)));
    assert_eq!(fates(&result), [("page1", Fate::Written)]);
    assert_eq!(scene.server.get("page2"), None);
}
