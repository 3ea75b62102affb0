//! `anp show --similar` explains the posts that the page has, from the content tree alone.

use serde_json::Value;

use super::tree::Archive;
use crate::support::settle;

#[track_caller]
fn explained(archive: &Archive, route: &str) -> Value {
    let line = format!("show {route} --similar --format json");
    let ran = archive.world.anp(&line);
    ran.exits(0);
    let mut objects = ran.of_type("similar");
    assert_eq!(objects.len(), 1, "{ran}");
    objects.remove(0)
}

fn routes(posts: &Value) -> Vec<&str> {
    let posts = posts.as_array().unwrap().iter();
    posts.map(|post| post["route"].as_str().unwrap()).collect()
}

fn all_routes() -> impl Iterator<Item = String> {
    (1..=13).map(|number| {
        let folder = ["cache", "cache/deep", "queue"][number % 3];
        format!("/{folder}/n{number}/")
    })
}

/// A post gains what its shared terms weigh.
#[track_caller]
fn adds_up(post: &Value, terms: &[Value]) {
    let shared = post["shared"].as_array().unwrap();
    let weight = |term: &Value| term["weight"].as_f64().unwrap();
    let sum: f64 = shared.iter().map(weight).sum();
    assert_eq!(post["score"].as_f64(), Some(sum), "{post}");
    for term in shared {
        let is_same = |own: &&Value| {
            ["text", "kind", "weight"]
                .iter()
                .all(|name| own[name] == term[name])
        };
        assert_eq!(terms.iter().filter(is_same).count(), 1, "{term} {terms:?}");
    }
}

#[test]
fn the_explained_posts_are_those_of_the_page_whether_the_sources_are_cached_or_not() {
    let mut archive = Archive::new();
    let unread: Vec<Value> = all_routes()
        .map(|route| explained(&archive, &route))
        .collect();
    settle();
    archive.import();
    let shown = all_routes().map(|route| archive.world.meta(&route));
    let shown: Vec<Value> = shown.collect();
    // It reads the content tree alone.
    archive.world.server.kill();
    for ((route, unread), meta) in all_routes().zip(unread).zip(shown) {
        let explained = explained(&archive, &route);
        assert_eq!(explained, unread, "{route}");
        let titles = explained["posts"].as_array().unwrap().iter();
        let titles: Vec<&Value> = titles.map(|post| &post["title"]).collect();
        let expected = meta["similar"].as_array().cloned().unwrap_or_default();
        let expected = Value::Array(expected);
        assert_eq!(routes(&explained["posts"]), routes(&expected), "{route}");
        let of_page = expected.as_array().unwrap().iter();
        let of_page: Vec<&Value> = of_page.map(|post| &post["title"]).collect();
        assert_eq!(titles, of_page, "{route}");
        let terms = explained["terms"].as_array().unwrap();
        let compared = [&explained["posts"], &explained["runners_up"]];
        let compared: Vec<&Value> = compared
            .iter()
            .flat_map(|posts| posts.as_array().unwrap())
            .collect();
        compared.iter().for_each(|post| adds_up(post, terms));
        let scores: Vec<f64> = compared
            .iter()
            .map(|post| post["score"].as_f64().unwrap())
            .collect();
        assert!(scores.is_sorted_by(|a, b| a >= b), "{scores:?}");
    }
    let newest = explained(&archive, "/cache/deep/n13/");
    assert_eq!(routes(&newest["posts"]).len(), 3);
    assert_eq!(routes(&newest["runners_up"]).len(), 3);
}

#[test]
fn people_read_terms_weights_and_candidates() {
    let archive = Archive::new();
    let ran = archive.world.anp("show /queue/n5/ --similar");
    // Two of four older articles have the tag `redis`: a label weighs 2 * (2 + log2(5 / 3)).
    ran.exits(0).says(
        "\
/queue/n5/

  title      About queue n5
  older      4 articles, of which 4 were compared

WEIGHT  OLDER  KIND   TERM
  5.48      2  label  redis
  5.48      2  label  tool 1
  5.48      2  label  ttl
  3.32      1  title  queue
     -                no older article has: n5, queue n5

   SCORE   POST
1   16.43  /cache/deep/n1/
           About cache deep n1
           redis 5.48, tool 1 5.48, ttl 5.48
2    8.80  /queue/n2/
           About queue n2
           ttl 5.48, queue 3.32
3    5.48  /cache/deep/n4/
           About cache deep n4
           redis 5.48
-    5.48  /cache/n3/
           About cache n3
           tool 1 5.48

- did not make it into the list
",
    );
}

#[test]
fn it_says_why_there_is_nothing_to_explain() {
    let archive = Archive::new();
    let show = |route: &str| archive.world.anp(&format!("show {route} --similar"));
    archive.article("queue/held", 3, "draft: true\n");
    archive.article("queue/broken", 3, "score: {quality: 140}\n");
    show("/queue/n55/")
        .exits(3)
        .notes("content has no article with the route /queue/n55/")
        .notes("did you mean /queue/n5/");
    show("/queue/")
        .exits(3)
        .notes("/queue/ is a list, which has no similar posts");
    show("/queue/held/")
        .exits(3)
        .notes("the article of /queue/held/ is held back");
    show("/queue/broken/")
        .exits(3)
        .notes("the article of /queue/broken/ is invalid");
    let line = ["show", "/queue/n5/", "--similar"];
    let off = [("ANP_ARCHIVE_SIMILAR", "0")];
    archive
        .world
        .anp_with(&line, &off)
        .exits(78)
        .notes("archive.similar is 0")
        .notes("ANP_ARCHIVE_SIMILAR=5");
    let part = archive
        .world
        .anp("show /queue/n5/ --similar --content content/queue");
    part.exits(2).notes("similar posts are found in all of it");
    show("/cache/deep/n1/")
        .exits(0)
        .says("no older article shares a term");
}
