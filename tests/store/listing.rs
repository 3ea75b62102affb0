//! `anp ls`, the question of `anp show`, and `anp status`.

use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::proxy::{Fault, Trouble};
use crate::support::{Ran, Server, World, signal};

/// Route and state of each article of a list.
fn states(ran: &Ran) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let lines = ran.of_type("article");
    let lines = lines.iter();
    lines
        .map(|line| (text(&line["route"]), text(&line["state"])))
        .collect()
}

fn listed(world: &World, arguments: &str) -> Vec<(String, String)> {
    let ran = world.anp(&format!("ls --format json {arguments}"));
    ran.exits(0);
    states(&ran)
}

fn pairs(all: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(route, state): &(&str, &str)| ((*route).to_owned(), (*state).to_owned());
    all.iter().map(owned).collect()
}

/// Articles of every state.
fn mixed() -> World {
    let world = World::new();
    for name in ["changed", "fresh", "gone", "half", "lost", "short"] {
        let text = format!(
            "---\ntitle: About {name}\ndate: 2026-01-31\nstack: [Redis Caching, {name}]\n---\nText.\n"
        );
        world.write(&format!("content/x/{name}.md"), text);
    }
    world.anp("import").exits(0);
    world.write(
        "content/x/changed.md",
        "---\ntitle: About changed\nstack: [other]\n---\nNew.\n",
    );
    std::fs::remove_file(world.path("content/x/gone.md")).unwrap();
    world.server.command("DEL anp:meta:/x/half/");
    world
        .server
        .command("DEL anp:page:/x/lost/ anp:meta:/x/lost/");
    world.server.command("EXPIRE anp:page:/x/short/ 600");
    world.write(
        "content/x/new.md",
        "---\ntitle: About new\nstack: [new]\n---\nText.\n",
    );
    world.write(
        "content/x/draft.md",
        "---\ntitle: About draft\ndraft: true\n---\nText.\n",
    );
    world.write("content/x/broken.md", "---\nscore: {quality: 140}\n---\n");
    world
}

#[test]
fn each_article_has_one_state_and_nothing_is_written() {
    let world = mixed();
    let before = world.server.dump();
    let all = world.anp("ls --format json");
    all.exits(0).notes("1 article is invalid and not listed");
    assert_eq!(
        states(&all),
        pairs(&[
            ("/x/changed/", "changed"),
            ("/x/draft/", "draft"),
            ("/x/fresh/", "fresh"),
            ("/x/gone/", "orphan"),
            ("/x/half/", "lost"),
            ("/x/lost/", "lost"),
            ("/x/new/", "new"),
            ("/x/short/", "expiring"),
        ]),
        "{all}"
    );
    let article = |route: &str| {
        let lines = all.of_type("article");
        lines
            .into_iter()
            .find(|line| line["route"] == route)
            .unwrap()
    };
    let fresh = article("/x/fresh/");
    assert_eq!(fresh["title"], "About fresh");
    assert_eq!(fresh["date"], "2026-01-31");
    let page = world.server.get("anp:page:/x/fresh/").unwrap().len();
    let meta = world.server.get("anp:meta:/x/fresh/").unwrap().len();
    assert_eq!(fresh["bytes"], page + meta);
    assert_eq!(
        fresh["expires_at"],
        world.server.expiry("anp:page:/x/fresh/")
    );
    assert!(article("/x/short/")["left_ms"].as_i64().unwrap() <= 600_000);
    // What the store does not have comes from the source.
    for route in ["/x/new/", "/x/draft/", "/x/lost/"] {
        let line = article(route);
        let name = route.trim_matches('/').rsplit('/').next().unwrap();
        assert_eq!(line["title"], format!("About {name}"), "{line}");
        assert_eq!(
            (&line["bytes"], &line["expires_at"]),
            (&json!(0), &Value::Null)
        );
    }
    let summary = &all.of_type("summary")[0];
    assert_eq!(summary["articles"], 8);
    assert_eq!(summary["states"]["lost"], 2);
    assert_eq!(world.server.dump(), before);
    assert_eq!(world.runs().len(), 1);
}

#[test]
fn filters_narrow_the_list() {
    let world = mixed();
    let routes = |arguments: &str| {
        let listed = listed(&world, arguments).into_iter();
        listed.map(|(route, _)| route).collect::<Vec<_>>()
    };
    assert_eq!(routes("--changed"), ["/x/changed/", "/x/new/"]);
    assert_eq!(routes("--expiring 2h"), ["/x/short/"]);
    assert_eq!(routes("/x/f* /*/new"), ["/x/fresh/", "/x/new/"]);
    assert_eq!(
        routes("--tag stack=new --tag stack=fresh"),
        ["/x/fresh/", "/x/new/"]
    );
    let caching = routes("--tag stack=redis-caching");
    let have_it = ["/x/fresh/", "/x/gone/", "/x/half/", "/x/lost/", "/x/short/"];
    assert_eq!(caching, have_it);
    assert_eq!(routes("/y/**"), [""; 0]);
    let plain = world.anp("ls --routes --changed");
    assert_eq!(plain.exits(0).stdout, "/x/changed/\n/x/new/\n");
    world
        .anp("ls x/**")
        .exits(2)
        .notes("--glob: expected a pattern of routes");
    world.anp("ls --tag title=x").exits(2).notes("list field");
}

#[test]
fn the_table_fits_80_columns() {
    let world = mixed();
    let title = "A title that is much longer than any column of a table 東京 could be".repeat(2);
    world.write(
        "content/x/fresh.md",
        format!("---\ntitle: {title}\n---\nText.\n"),
    );
    world.article(
        "a-folder/with-a-long-name/and-a-long-article-name-028802.md",
        "Text.",
    );
    world.anp("import --max-invalid 1").exits(3);
    let ran = world.anp("ls");
    ran.exits(0)
        .says("…\n")
        .says("\n\n9 articles: ")
        .says(" fresh");
    for line in ran.stdout.lines() {
        assert!(line.chars().count() <= 80, "{line}{ran}");
    }
    assert!(ran.stdout.starts_with("STATE "), "{ran}");
    ran.says("2026-01-31 /x/gone/");
}

#[test]
fn without_a_tree_it_lists_what_the_store_holds() {
    let world = mixed();
    world.server.command("SET anp:page:/x/fresh/ foreign");
    let of_store = pairs(&[
        ("/x/changed/", "stored"),
        ("/x/fresh/", "foreign"),
        ("/x/gone/", "stored"),
        ("/x/half/", "lost"),
        ("/x/short/", "stored"),
    ]);
    assert_eq!(listed(&world, "--store-only"), of_store);
    std::fs::remove_dir_all(world.path("content")).unwrap();
    let ran = world.anp("ls --format json");
    ran.exits(0).notes("there is no content folder");
    assert_eq!(states(&ran), of_store);
    assert_eq!(
        listed(&world, "--tag stack=gone"),
        pairs(&[("/x/gone/", "stored")])
    );
    world.anp("ls --changed --store-only").exits(2);
}

#[test]
fn a_route_that_is_not_there_is_answered_with_those_that_are() {
    let world = World::new();
    world
        .article("redis/ttl-jitter.md", "Text.")
        .article("about.md", "Text.");
    world.anp("import").exits(0);
    world
        .anp("show /redis/tll-jiter/")
        .exits(3)
        .notes("did you mean /redis/ttl-jitter/?");
    let ran = world.anp("show /nothing-like-that/");
    ran.exits(3);
    assert!(!ran.stderr.contains("did you mean"), "{ran}");
}

fn status(world: &World, arguments: &str) -> (i32, Value) {
    let ran = world.anp(&format!("status --format json {arguments}"));
    (ran.code, ran.of_type("status")[0].clone())
}

#[test]
fn one_screen_says_that_all_is_well() {
    let world = World::with_server(Server::start_with(&["--maxmemory", "256mb"]));
    world.article("a.md", "A.").article("b.md", "B.");
    let (code, before) = status(&world, "");
    assert_eq!(code, 3, "{before}");
    assert_eq!(before["last_run"], Value::Null);
    world.anp("import").exits(0);
    let run = world.runs().pop().unwrap();
    let ran = world.anp("status");
    ran.exits(0)
        .says(&format!("{}?db=0, prefix anp\n", world.server.url()))
        .says("switch    on\n")
        .says("lock      free\n")
        .says("pages     2; the first expires in ")
        .says("2 articles published")
        .says(" of 268 MB used")
        .says(&run);
    assert!(ran.stdout.starts_with("all is well\n"), "{ran}");
    assert!(ran.stdout.lines().count() <= 24, "{ran}");
    for line in ran.stdout.lines() {
        assert!(
            line.chars().count() <= 80 || !line.trim().contains(' '),
            "{line}{ran}"
        );
    }
    assert_eq!(world.anp("status --quiet").exits(0).stdout, "");
    let (code, said) = status(&world, "--max-age 26h");
    assert_eq!((code, &said["exit"]), (0, &json!(0)), "{said}");
    assert_eq!(said["store"]["articles"]["count"], 2);
    let first = ["a", "b"].map(|name| world.server.expiry(&format!("anp:page:/{name}/")));
    assert_eq!(
        said["store"]["articles"]["first_expiry"],
        first[0].min(first[1])
    );
    assert_eq!(said["store"]["memory"]["max"], 256 * 1024 * 1024);
    assert!(
        !said["store"]["version"].as_str().unwrap().is_empty(),
        "{said}"
    );
    assert_eq!(said["last_good_import"]["run"], run);
    assert_eq!(said["orphans"], 0);
    assert_eq!(world.runs().len(), 1);
}

#[test]
fn what_needs_a_look_is_exit_3_and_named() {
    let world = World::new();
    world.article("a.md", "A.").article("b.md", "B.");
    world.anp("import").exits(0);
    let looks = |arguments: &str, named: &str| {
        let (code, said) = status(&world, arguments);
        assert_eq!(code, 3, "{said}");
        assert!(
            said["needs_a_look"][0].as_str().unwrap().contains(named),
            "{said}"
        );
        world
            .anp(&format!("status --quiet {arguments}"))
            .exits(3)
            .says(named);
    };
    looks("--max-age 0s", "old, more than 0s");
    world.anp("pause --reason maintenance").exits(0);
    looks("", "paused by");
    world.anp("resume").exits(0);
    std::fs::remove_file(world.path("content/b.md")).unwrap();
    world.anp("import").exits(0);
    assert_eq!(status(&world, "").1["orphans"], 1);
    world
        .anp("status")
        .exits(0)
        .says("1 without a source at the last import");
    world.write("content/a.md", "---\nscore: {quality: 140}\n---\n");
    world.anp("import").exits(65);
    looks("", "the last import, ");
    let (_, said) = status(&world, "");
    assert_eq!(said["last_run"]["status"], "refused");
    assert_eq!(said["last_good_import"]["run"], world.runs()[1]);
    world.article("a.md", "A.");
    world.anp("import").exits(0);
    world.server.command("FLUSHALL");
    looks("", "the store holds no article");
    world.anp("import").exits(0);
    world.anp("rollback last").exits(0);
    let (_, said) = status(&world, "");
    assert_eq!(said["last_good_import"]["run"], world.runs()[3], "{said}");
}

#[test]
fn the_holder_of_the_lock_is_named_and_one_that_died_needs_a_look() {
    let world = World::new();
    world.article("a.md", "A.");
    world.anp("import").exits(0);
    for number in 0..50 {
        world.article(&format!("n{number}.md"), "Text.");
    }
    let proxy = world
        .server
        .proxy(Trouble::once(Fault::Held, b"{\"digest\":\""));
    let mut child = world
        .command("state", &["import", "--owner", "night shift"])
        .env("ANP_REDIS_URL", proxy.url())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    proxy.wait_for_fault();
    let ran = world.anp("status");
    ran.says("lock      held by run ").says("night shift");
    let (_, said) = status(&world, "");
    assert_eq!(said["store"]["lock"]["owner"], "night shift");
    assert_eq!(said["store"]["lock"]["is_dead"], false);
    signal(&child, "KILL");
    child.wait().unwrap();
    let (code, said) = status(&world, "");
    assert_eq!(code, 3, "{said}");
    assert!(
        said.to_string().contains("died and holds the lock"),
        "{said}"
    );
}

#[test]
fn a_store_that_does_not_answer_is_69_and_the_runs_are_shown() {
    let mut world = World::new();
    world.article("a.md", "A.");
    world.anp("import").exits(0);
    let run = world.runs().pop().unwrap();
    world.server.kill();
    let ran = world.anp("status --deadline 1s");
    ran.exits(69).says("the store does not answer\n").says(&run);
    let (code, said) = status(&world, "--deadline 1s");
    assert_eq!(code, 69);
    assert_eq!(said["store"], Value::Null);
    assert!(!said["error"].as_str().unwrap().is_empty(), "{said}");
    assert_eq!(said["last_good_import"]["run"], run);
}

#[test]
fn who_may_not_scan_or_ask_is_told_less() {
    let world = World::new();
    world.article("a.md", "A.");
    world.anp("import").exits(0);
    world
        .server
        .command("ACL SETUSER watch on >pw ~anp:* +@connection +time +get +pexpiretime +client");
    let url = format!(
        "redis+unix://{}?user=watch&pass=pw",
        world.server.socket().display()
    );
    let ran = world.anp_with(&["status"], &[("ANP_REDIS_URL", &url)]);
    assert!([0, 3].contains(&ran.code), "{ran}");
    ran.says("not known: that needs the right to SCAN");
}
