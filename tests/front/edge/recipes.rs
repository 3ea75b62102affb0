//! The recipes of docs/edge.md work unchanged.

use super::api::Api;
use super::{block, blocks, changed, published};
use crate::support::World;

const SITE: &str = "site: {url: https://www.example.org}\n";

#[test]
fn every_settings_block_is_valid() {
    let all = blocks("yaml");
    assert!(all.len() >= 9);
    let world = World::new();
    world.article("a.md", "Text.");
    for text in all {
        let site = if text.contains("site:") { "" } else { SITE };
        world.write("anp.yaml", format!("{site}{text}"));
        let ran = world.anp("import --dry-run");
        assert!(ran.code == 0, "{text}\n{ran}");
        if text.contains("after:") {
            assert!(!ran.of_type("request").is_empty(), "{text}\n{ran}");
        }
    }
}

/// A world that runs the command of the page with this in it, which reads `variable`.
fn with_command(having: &str, variable: &str, value: &str) -> World {
    let world = published(SITE);
    let text = block("yaml", having);
    world.write("anp.yaml", format!("{SITE}{text}"));
    world.article("a.md", "The second text.");
    let ran = world.anp_with(&["import"], &[(variable, value)]);
    ran.exits(0);
    assert_eq!(ran.of_type("notified")[0]["to"], "command", "{ran}");
    world
}

#[test]
fn the_stream_has_each_change() {
    let other = crate::support::Server::start_with(&["--port", "0"]);
    let address = format!("unix://{}", other.socket().display());
    let world = published(SITE);
    // This client takes no socket in a URL.
    let socket = format!("-s {}", other.socket().display());
    let text = block("yaml", "XADD").replace("-u \"$STREAM_URL\"", &socket);
    assert!(text.contains(&socket), "{text} {address}");
    world.write("anp.yaml", format!("{SITE}{text}"));
    changed(&world).exits(0);
    world.anp("purge /a/").exits(0);
    let entries: Vec<(String, Vec<String>)> = redis::cmd("XRANGE")
        .arg("anp:changes")
        .arg("-")
        .arg("+")
        .query(&mut other.connection())
        .unwrap();
    let entries: Vec<String> = entries
        .into_iter()
        .map(|(_, fields)| fields.join(" "))
        .collect();
    assert_eq!(
        entries,
        ["action update path /a/", "action remove path /a/"]
    );
}

#[test]
fn the_chat_gets_a_message_of_a_run_that_changed_something() {
    let api = Api::start((200, "", "ok"));
    let hook = format!("{}/hook", api.url);
    let world = with_command("CHAT_URL", "CHAT_URL", &hook);
    let asked = api.asked();
    assert_eq!((asked.len(), asked[0].line().as_str()), (1, "POST /hook"));
    let run = world.runs().pop().unwrap();
    assert_eq!(
        asked[0].json()["text"],
        format!("import {run}: done, 1 changes")
    );
    // A quiet night is quiet, and a hook that fails is owed.
    let variables = [("CHAT_URL", hook.as_str())];
    world.anp_with(&["import"], &variables).exits(0);
    assert!(api.asked().is_empty());
    api.then(&[(500, "", "")]);
    world.article("a.md", "The third text.");
    world.anp_with(&["import"], &variables).exits(3);
    world.anp_with(&["runs", "notify"], &variables).exits(0);
    assert_eq!(api.asked().len(), 2);
}

#[test]
fn the_dead_mans_switch_hears_of_good_runs_alone() {
    let api = Api::start((200, "", "ok"));
    let alive = format!("{}/alive", api.url);
    let world = with_command("ALIVE_URL", "ALIVE_URL", &alive);
    let variables = [("ALIVE_URL", alive.as_str())];
    assert_eq!(api.lines(), ["GET /alive"]);
    world.anp_with(&["import"], &variables).exits(0);
    assert_eq!(api.lines(), ["GET /alive"]);
    world.write("content/a.md", "---\ntitle: [\n---\n");
    world.anp_with(&["import"], &variables).exits(65);
    assert_eq!(api.lines(), [""; 0]);
}
