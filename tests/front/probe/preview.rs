//! `anp probe` against `anp serve`: both sides of one contract.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use super::{World, failed, probe, published};

/// A preview of the world's store; killed when the test ends.
struct Preview {
    child: Child,
    url: String,
}

impl Preview {
    fn of(world: &World) -> Self {
        let line = ["serve", "--addr", "127.0.0.1:0", "--format", "json"];
        let mut command = world.command("state", &line);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut said = String::new();
        let stdout = child.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut said).unwrap();
        let said: serde_json::Value = serde_json::from_str(&said).unwrap();
        let url = said["url"].as_str().unwrap().to_owned();
        Self { child, url }
    }
}

impl Drop for Preview {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_preview_passes_every_check() {
    let world = published();
    let preview = Preview::of(&world);
    let ran = probe(&world, &preview.url, "--format json");
    ran.exits(0);
    let checks = ran.of_type("check");
    let not_ok: Vec<&str> = checks
        .iter()
        .filter(|line| line["ok"] != true && line["route"] == "/a/")
        .map(|line| line["check"].as_str().unwrap())
        .collect();
    assert_eq!(not_ok, ["compression", "vary", "coded-etag"], "{ran}");
    let summary = &ran.of_type("summary")[0];
    assert_eq!(summary["not_offered"], 4 * 3, "{ran}");
    // Every login cookie that the preview knows, and one that it does not.
    for cookie in ["sessionid=1", "PHPSESSID=1", "comment_author_1=flo"] {
        probe(&world, &preview.url, &format!("--login-cookie {cookie}")).exits(0);
    }
    let ran = probe(
        &world,
        &preview.url,
        "--format json --login-cookie theme=dark",
    );
    ran.exits(3);
    assert_eq!(failed(&ran), ["login"], "{ran}");
}

#[test]
fn the_preview_passes_the_checks_of_files_and_redirects() {
    let world = super::archive::published();
    let preview = Preview::of(&world);
    super::archive::passes(&world, &preview.url);
}

#[test]
fn the_preview_follows_the_store() {
    let world = published();
    let preview = Preview::of(&world);
    probe(&world, &preview.url, "").exits(0);
    world.article("deep/c.md", "Another text.");
    world.anp("import").exits(0);
    world.server.command("DEL anp:page:/a/");
    world.server.command("EXPIRE anp:page:/b/ 30");
    let all = "--routes /a/,/b/,/deep/c/,/review/ --format json";
    // A page that was asked for less than a second ago may be as it was then.
    let until = std::time::Instant::now() + std::time::Duration::from_secs(30);
    loop {
        let ran = probe(&world, &preview.url, all);
        if ran.code == 0 {
            break;
        }
        assert!(std::time::Instant::now() < until, "{ran}");
    }
}

#[test]
fn the_preview_is_measured_without_an_error() {
    let world = published();
    let preview = Preview::of(&world);
    let url = &preview.url;
    let ran = world.anp(&format!(
        "probe {url} --rate 100/s --duration 1s --format json"
    ));
    ran.exits(0);
    let latency = &ran.of_type("latency")[0];
    assert_eq!(
        (&latency["answered"], &latency["errors"]),
        (&100.into(), &0.into())
    );
}

#[test]
fn the_preview_passes_every_check_for_pages_in_gzip_too() {
    let world = published();
    let gzip = [("ANP_COMPRESS", "gzip")];
    world.anp_with(&["import", "--quiet"], &gzip).exits(0);
    let page = world.server.bytes("anp:page:/a/").unwrap();
    assert!(page.starts_with(&[0x1f, 0x8b]));
    let preview = Preview::of(&world);
    let ran = probe(&world, &preview.url, "--format json");
    ran.exits(0);
    let summary = &ran.of_type("summary")[0];
    assert_eq!(summary["not_offered"], 0, "{ran}");
}
