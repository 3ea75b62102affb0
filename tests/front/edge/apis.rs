//! The APIs of Fastly, Cloudflare and others, spoken with small servers: what is sent, errors, limits of the
//! rate, and that no secret is shown.

use std::time::{Duration, Instant};

use super::api::{Answered, Api};
use super::{changed, owed, published};
use crate::support::{Ran, World};

const SECRET: &str = "t0ken-nobody-may-see";
const SITE: &str = "site: {url: https://www.example.org/archive}\n";
const FASTLY: Answered = (200, "", r#"{"status":"ok","id":"108-1391560174-974124"}"#);
const CLOUDFLARE: Answered = (
    200,
    "",
    r#"{"success":true,"errors":[],"messages":[],"result":{"id":"9a7806061c88ada191ed06f989cc3dac"}}"#,
);

fn anp(world: &World, line: &str) -> Ran {
    let arguments: Vec<&str> = line.split(' ').collect();
    let variables = [
        ("ANP_FASTLY_TOKEN", SECRET),
        ("ANP_CLOUDFLARE_TOKEN", SECRET),
        ("CDN_TOKEN", SECRET),
    ];
    let ran = world.anp_with(&arguments, &variables);
    ran.hides(SECRET);
    ran
}

/// A world whose next import changes the page /a/, and which purges `target` then.
fn world(target: &str) -> World {
    let world = published(SITE);
    world
        .write("anp.yaml", format!("{SITE}after: {{purge: [{target}]}}\n"))
        .article("a.md", "The second text.");
    world
}

/// Nothing in the state folder has the secret in it.
fn holds_no_secret(world: &World) {
    let ran = world.shell(&format!(
        "grep -rF {SECRET} state; zstdcat state/runs/*.zst | grep -F {SECRET}"
    ));
    assert_eq!(ran.stdout, "", "{ran}");
}

#[test]
fn fastly_is_purged_by_url() {
    let api = Api::start(FASTLY);
    let world = world(&format!("{{kind: fastly, url: \"{}\"}}", api.url));
    let ran = anp(&world, "import");
    ran.exits(0);
    let asked = api.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].line(), "POST /purge/www.example.org/archive/a/");
    assert_eq!(asked[0].header("fastly-key"), Some(SECRET));
    assert_eq!(asked[0].header("accept"), Some("application/json"));
    assert_eq!(asked[0].header("fastly-soft-purge"), None);
    assert!(asked[0].header("user-agent").unwrap().starts_with("anp/"));
    holds_no_secret(&world);
}

#[test]
fn fastly_is_purged_by_256_surrogate_keys_a_call() {
    let api = Api::start(FASTLY);
    let world = world(&format!(
        "{{kind: fastly, url: \"{}\", service: SU1Z0isxPaozGVKXdv0eY, by: key, soft: true}}",
        api.url
    ));
    for number in 0..300 {
        world.article(&format!("n{number}.md"), "Text.");
    }
    anp(&world, "import").exits(0);
    let asked = api.asked();
    let keys: Vec<Vec<String>> = asked
        .iter()
        .map(|asked| {
            assert_eq!(asked.line(), "POST /service/SU1Z0isxPaozGVKXdv0eY/purge");
            assert_eq!(asked.header("fastly-key"), Some(SECRET));
            assert_eq!(asked.header("fastly-soft-purge"), Some("1"));
            assert_eq!(asked.header("content-type"), Some("application/json"));
            serde_json::from_value(asked.json()["surrogate_keys"].clone()).unwrap()
        })
        .collect();
    let lengths: Vec<usize> = keys.iter().map(Vec::len).collect();
    assert_eq!(lengths, [256, 45]);
    let mut all = keys.concat();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 301);
    // As the fronts call them: without the path of the site.
    assert!(all.contains(&"/a/".to_owned()) && all.contains(&"/n299/".to_owned()));
}

#[test]
fn cloudflare_is_purged_by_url_in_batches_of_its_limit() {
    let api = Api::start(CLOUDFLARE);
    let world = world(&format!(
        "{{kind: cloudflare, url: \"{}/client/v4\", zone: 023e105f4ecef8ad9ca31a8372d0c353, rate: 50/s}}",
        api.url
    ));
    for number in 0..250 {
        world.article(&format!("n{number}.md"), "Text.");
    }
    let ran = anp(&world, "import");
    ran.exits(0);
    let notified = &ran.of_type("notified")[0];
    assert_eq!(
        (&notified["urls"], &notified["requests"]),
        (&251.into(), &3.into())
    );
    let asked = api.asked();
    let lengths: Vec<usize> = asked
        .iter()
        .map(|asked| {
            let path = "POST /client/v4/zones/023e105f4ecef8ad9ca31a8372d0c353/purge_cache";
            assert_eq!(asked.line(), path);
            let bearer = format!("Bearer {SECRET}");
            assert_eq!(asked.header("authorization"), Some(bearer.as_str()));
            asked.json()["files"].as_array().unwrap().len()
        })
        .collect();
    assert_eq!(lengths, [100, 100, 51]);
    let first = asked[0].json()["files"][0].as_str().unwrap().to_owned();
    assert!(
        first.starts_with("https://www.example.org/archive/"),
        "{first}"
    );
}

#[test]
fn everything_is_purged_in_one_call_above_max_urls() {
    for (target, path, body) in [
        (
            "kind: fastly, service: SU1, soft: true",
            "POST /service/SU1/purge_all",
            "",
        ),
        (
            "kind: cloudflare, zone: 023e",
            "POST /zones/023e/purge_cache",
            r#"{"purge_everything":true}"#,
        ),
    ] {
        let api = Api::start(CLOUDFLARE);
        let world = world(&format!(
            "{{{target}, url: \"{}\", max_urls: 1, everything: true}}",
            api.url
        ));
        world.article("b.md", "Text.");
        anp(&world, "import").exits(0);
        let asked = api.asked();
        assert_eq!(asked.len(), 1);
        assert_eq!(
            (asked[0].line().as_str(), asked[0].body.as_str()),
            (path, body)
        );
        assert_eq!(asked[0].header("fastly-soft-purge"), None);
    }
}

#[test]
fn any_other_api_gets_what_its_patterns_say() {
    let api = Api::start((204, "", ""));
    let url = &api.url;
    let world = world(&format!(
        "{{kind: http, method: PUT, url: \"{url}/v1/${{CDN_TOKEN}}/{{host}}\", \
         headers: {{X-Auth-Token: \"Token ${{CDN_TOKEN}}\"}}, \
         body: '{{\"objects\": {{urls}}, \"paths\": {{paths}}}}', batch: 2, max_urls: 3, \
         everything: {{method: DELETE, url: \"{url}/all\"}}}}"
    ));
    world.article("b.md", "Text.").article("c.md", "Text.");
    let ran = anp(&world, "import");
    ran.exits(0);
    let asked = api.asked();
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[0].line(), format!("PUT /v1/{SECRET}/www.example.org"));
    let token = format!("Token {SECRET}");
    assert_eq!(asked[0].header("x-auth-token"), Some(token.as_str()));
    let mut urls: Vec<String> = Vec::new();
    for asked in &asked {
        let (objects, paths) = (
            asked.json()["objects"].clone(),
            asked.json()["paths"].clone(),
        );
        for (url, path) in std::iter::zip(objects.as_array().unwrap(), paths.as_array().unwrap()) {
            let (url, path) = (url.as_str().unwrap(), path.as_str().unwrap());
            assert_eq!(url, format!("https://www.example.org{path}"));
            urls.push(path.to_owned());
        }
    }
    urls.sort();
    assert_eq!(urls, ["/archive/a/", "/archive/b/", "/archive/c/"]);
    for name in ["d", "e", "f", "g"] {
        world.article(&format!("{name}.md"), "Text.");
    }
    anp(&world, "import").exits(0);
    assert_eq!(api.lines(), ["DELETE /all"]);
    holds_no_secret(&world);
}

#[test]
fn refusals_for_now_are_repeated_and_retry_after_is_honoured() {
    let api = Api::start(CLOUDFLARE);
    let world = world(&format!(
        "{{kind: cloudflare, url: \"{}\", zone: 023e}}",
        api.url
    ));
    api.then(&[
        (
            429,
            "Retry-After: 2\r\n",
            r#"{"success":false,"errors":[{"code":971,"message":"rate limited"}]}"#,
        ),
        (503, "", "busy"),
    ]);
    let began = Instant::now();
    anp(&world, "import").exits(0);
    assert_eq!(api.lines().len(), 3);
    assert!(
        began.elapsed() >= Duration::from_millis(2500),
        "2 s, and half a second"
    );
    assert_eq!(owed(&world), [""; 0]);
}

#[test]
fn refusals_for_good_are_named_kept_and_repeated_by_hand() {
    let refused = r#"{"success":false,"errors":[{"code":10000,"message":"Authentication error\u001b[2J"}],"result":null}"#;
    let no_token = (403, "", refused);
    // An error with the status of a success.
    let not_a_success = (200, "", refused);
    for answer in [no_token, not_a_success] {
        let api = Api::start(answer);
        let world = world(&format!(
            "{{kind: cloudflare, url: \"{}\", zone: 023e}}",
            api.url
        ));
        let ran = anp(&world, "import");
        let run = world.runs().pop().unwrap();
        ran.exits(3)
            .notes(&format!(
                "warning: what run {run} wrote to the store stands, but not all was told of it\n"
            ))
            .notes(&format!(
                "\n  = cloudflare zone 023e: it answered {}: Authentication error [2J\n",
                answer.0
            ))
            .notes(&format!(
                "\n  = to try again: {} runs notify {run} --state-dir ",
                env!("CARGO_BIN_EXE_anp")
            ));
        assert_eq!(api.lines().len(), 1, "no repetition helps");
        let notified = &ran.of_type("notified")[0];
        assert_eq!(
            (&notified["run"], &notified["ok"]),
            (&run.as_str().into(), &false.into())
        );
        // The run itself is complete.
        assert_eq!(ran.of_type("summary")[0]["status"], "done");
        assert!(
            world
                .server
                .get("anp:page:/a/")
                .unwrap()
                .contains("The second text.")
        );
        assert_eq!(owed(&world), [format!("{run}.notify.json")]);
        let kept = std::fs::read_to_string(world.path(&format!("state/runs/{run}.notify.json")));
        assert!(kept.unwrap().contains("cloudflare zone 023e"));
        // The command of the warning, as it stands.
        let line = ran
            .stderr
            .split("= to try again: ")
            .nth(1)
            .unwrap()
            .lines()
            .next()
            .unwrap();
        let again = || world.shell(&format!("ANP_CLOUDFLARE_TOKEN={SECRET} {line}"));
        again().exits(3).hides(SECRET);
        assert_eq!(api.lines().len(), 1);
        api.then(&[CLOUDFLARE]);
        again()
            .exits(0)
            .says("purged 1 URL from cloudflare zone 023e (1 request)");
        assert_eq!(owed(&world), [""; 0]);
        again()
            .exits(0)
            .notes("nothing is owed for this run; --again sends it once more");
        api.asked();
        api.then(&[CLOUDFLARE]);
        anp(&world, &format!("runs notify {run} --again")).exits(0);
        assert_eq!(api.lines().len(), 1);
    }
}

#[test]
fn a_missing_token_and_a_cache_that_is_away_fail_the_purge_alone() {
    let api = Api::start(FASTLY);
    let closed = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let world = world(&format!(
        "{{kind: fastly, url: \"{}\", token_env: MY_TOKEN}}, \
         {{kind: varnish, url: \"http://{closed}\", retries: 1}}, {{kind: varnish, url: \"{}\"}}",
        api.url, api.url
    ));
    let ran = anp(&world, "import");
    ran.exits(3)
        .notes("  = fastly: the variable MY_TOKEN is not set\n")
        .notes(&format!("  = varnish http://{closed}: "))
        .notes("(2 attempts)\n");
    // The other cache is purged all the same, and not a second time.
    assert_eq!(api.lines(), ["PURGE /archive/a/"]);
    let variables = [("MY_TOKEN", SECRET)];
    let ran = world.anp_with(&["runs", "notify"], &variables);
    ran.exits(3).hides(SECRET);
    assert_eq!(api.lines(), ["POST /purge/www.example.org/archive/a/"]);
}

#[test]
fn an_answer_that_does_not_come_ends_with_the_time_out() {
    let api = Api::start((200, "", ""));
    api.slow(Duration::from_secs(60));
    let world = world(&format!(
        "{{kind: varnish, url: \"{}\", timeout: 1s, retries: 0}}",
        api.url
    ));
    let began = Instant::now();
    anp(&world, "import").exits(3).notes("timeout");
    assert!(
        began.elapsed() < Duration::from_secs(50),
        "not after its minute"
    );
}

#[test]
fn requests_come_no_faster_than_their_rate() {
    let api = Api::start((200, "", ""));
    let world = world(&format!(
        "{{kind: varnish, url: \"{}\", rate: 10/s}}",
        api.url
    ));
    for number in 0..14 {
        world.article(&format!("n{number}.md"), "Text.");
    }
    let began = Instant::now();
    anp(&world, "import").exits(0);
    assert_eq!(api.lines().len(), 15);
    assert!(began.elapsed() >= Duration::from_millis(1400));
}

#[test]
fn a_dry_run_prints_what_would_be_sent_and_sends_nothing() {
    let api = Api::start(CLOUDFLARE);
    let url = &api.url;
    let world = world(&format!(
        "{{kind: varnish, url: \"{url}\", headers: {{X-Key: \"${{CDN_TOKEN}}\"}}}}, \
         {{kind: cloudflare, url: \"{url}\", zone: 023e}}, \
         {{kind: varnish, url: \"{url}/2\", max_urls: 1}}, \
         {{kind: http, url: \"{url}/${{CDN_TOKEN}}\", body: '{{urls}}', batch: 10}}"
    ));
    for number in 0..30 {
        world.article(&format!("n{number:02}.md"), "Text.");
    }
    let ran = anp(&world, "import --dry-run --format text");
    ran.exits(0)
        .says("\nit would send\n")
        .says(&format!(
            "  varnish {url}: PURGE {url}/archive/a/ (Host: www.example.org)\n"
        ))
        .says("more requests, shown with --keys\n")
        .notes(&format!(
            "31 URLs would change, more than max_urls: varnish {url}/2 would not be purged"
        ));
    let shown = ran
        .stdout
        .lines()
        .filter(|line| line.contains(" PURGE "))
        .count();
    assert_eq!(shown, 20);
    let ran = anp(&world, "import --dry-run --keys --format text");
    ran.says(&format!("  cloudflare zone 023e: POST {url}/zones/023e/purge_cache {{\"files\":[\"https://www.example.org/archive/"));
    ran.says(&format!(
        "  http POST {url}/${{CDN_TOKEN}}: POST {url}/${{CDN_TOKEN}} [\"https://"
    ));
    assert_eq!(
        ran.stdout
            .lines()
            .filter(|line| line.contains(" PURGE "))
            .count(),
        31
    );
    let ran = anp(&world, "import --dry-run --format json");
    assert_eq!(ran.of_type("request").len(), 31 + 1 + 4);
    assert_eq!(api.lines(), [""; 0]);
    // A rollback, a purge and a repetition say it in the same way.
    anp(&world, "import").exits(0);
    assert_eq!(api.lines().len(), 31 + 1 + 4);
    let of = |line: &str| anp(&world, line).of_type("request").len();
    assert_eq!(of("rollback last --dry-run"), 31 + 1 + 4);
    assert_eq!(of("purge /a/ --dry-run"), 4);
    assert_eq!(
        of("runs notify last --dry-run --again --format json"),
        31 + 1 + 4
    );
    assert_eq!(of("runs notify --dry-run --format json"), 0);
    assert_eq!(api.lines(), [""; 0]);
}

#[test]
fn a_redirect_is_purged_with_and_without_its_last_slash_and_a_meta_object_is_no_url() {
    let api = Api::start((200, "", ""));
    let world = world(&format!("{{kind: varnish, url: \"{}\"}}", api.url));
    let settings = std::fs::read_to_string(world.path("anp.yaml")).unwrap();
    world.write(
        "anp.yaml",
        format!("{settings}archive: {{redirects: true}}\n"),
    );
    world.write(
        "content/a.md",
        "---\ntitle: A\naliases: [/old/]\n---\n\nText.\n",
    );
    anp(&world, "import").exits(0);
    let mut lines = api.lines();
    lines.sort();
    let all = [
        "PURGE /archive/a/",
        "PURGE /archive/old",
        "PURGE /archive/old/",
    ];
    assert_eq!(lines, all);
    // Nothing changed, and a new time to live is no change that readers see.
    anp(&world, "import").exits(0);
    anp(&world, "warm --ttl-below 100%").exits(0);
    let refreshed = anp(&world, "import --ttl 20d");
    assert!(
        refreshed.counts()["refreshed"].as_u64().unwrap() > 0,
        "{refreshed}"
    );
    assert_eq!(api.lines(), [""; 0]);
    // What is lost is warmed, and may be in a cache as a 404.
    world.server.command("DEL anp:page:/a/");
    anp(&world, "warm").exits(0);
    assert_eq!(api.lines(), ["PURGE /archive/a/"]);
    // Load tests and rehearsals are under another prefix, which no reader sees.
    anp(&world, "import --synth 3 --under load/").exits(0);
    anp(&world, "rehearse").exits(0);
    assert_eq!(api.lines(), [""; 0]);
    let run = world.runs().pop().unwrap();
    anp(&world, &format!("rollback {run}")).exits(0);
    assert_eq!(api.lines(), [""; 0]);
    assert_eq!(changed(&world).code, 0);
}

#[test]
fn an_url_that_is_refused_keeps_no_other_from_being_purged() {
    let api = Api::start((200, "", ""));
    let world = published(SITE);
    let after = format!(
        "after: {{purge: [{{kind: varnish, url: \"{}\", retries: 0}}]}}\n",
        api.url
    );
    world.write("anp.yaml", format!("{SITE}{after}"));
    for name in ["a", "b", "c"] {
        world.article(&format!("{name}.md"), "The second text.");
    }
    api.then(&[(400, "", "")]);
    let ran = anp(&world, "import");
    ran.exits(3).notes("it answered 400");
    assert_eq!(api.asked().len(), 3);
    anp(&world, "runs notify").exits(0);
    api.asked();
    // All that one refuses is taken for everything after ten.
    for number in 0..20 {
        world.article(&format!("d{number}.md"), "New.");
    }
    api.then(&[(403, "", ""); 40]);
    anp(&world, "import")
        .exits(3)
        .notes("(10 requests failed so)");
    assert_eq!(api.asked().len(), 10);
}

#[test]
fn a_long_secret_in_an_answer_is_hidden_whole() {
    let long = "s3cret".repeat(80);
    let body = format!("{{\"error\":\"no access with Bearer {long}\"}}");
    let api = Api::start((403, "", String::leak(body)));
    let world = world(&format!(
        "{{kind: http, url: \"{}/{{path}}\", headers: {{Authorization: \"Bearer ${{CDN_TOKEN}}\"}}}}",
        api.url
    ));
    let ran = world.anp_with(&["import"], &[("CDN_TOKEN", &long)]);
    ran.exits(3).notes("it answered 403").hides("s3cret");
    let kept = world.shell("grep -rF s3cret state");
    assert_eq!(kept.stdout, "");
}

#[test]
fn everything_may_be_purged_over_tls_where_urls_are_not() {
    let api = Api::start((200, "", ""));
    let world = world(&format!(
        "{{kind: http, url: \"{}/{{path}}\", max_urls: 1, retries: 0, \
         everything: {{method: DELETE, url: \"https://127.0.0.1:1/\"}}}}",
        api.url
    ));
    world.article("b.md", "Another.");
    let ran = anp(&world, "import");
    ran.exits(3)
        .hides("panicked")
        .hides("a bug in anp")
        .notes("refused");
}
