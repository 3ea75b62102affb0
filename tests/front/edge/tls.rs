//! APIs over TLS: the authorities are those that the system trusts.

use std::process::Stdio;
use std::time::{Duration, Instant};

use super::{owed, published};
use crate::support::authority::Authority;
use crate::support::{Killed, World, free_port};

const SITE: &str = "site: {url: https://www.example.org}\n";

/// nginx that answers as Cloudflare does, over TLS, and logs what it was asked.
fn api(world: &World, names: &[&str]) -> (Killed, u16, String) {
    let authority = Authority::new(&world.path("tls"));
    let pair = authority.signs_for(names);
    let port = free_port();
    let root = world.path("api");
    std::fs::create_dir_all(&root).unwrap();
    let shown = root.display();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path {shown}/{name};\n"))
        .concat();
    world.write(
        "api/nginx.conf",
        format!(
            "user root root;\ndaemon off;\nmaster_process off;\npid {shown}/pid;\nevents {{}}\n\
             http {{\n{temporary}log_format asked '$request';\n\
             access_log {shown}/asked asked;\nserver {{\nlisten 127.0.0.1:{port} ssl;\n\
             ssl_certificate {};\nssl_certificate_key {};\n\
             location / {{ return 200 '{{\"success\":true}}'; }}\n}}\n}}\n",
            pair.cert, pair.key
        ),
    );
    let child = world
        .program("/usr/sbin/nginx")
        .arg("-p")
        .arg(&root)
        .arg("-e")
        .arg(root.join("error.log"))
        .arg("-c")
        .arg(root.join("nginx.conf"))
        .stderr(Stdio::null())
        .spawn()
        .expect("this test needs nginx: scripts/setup.sh tests");
    let child = Killed(child);
    let until = Instant::now() + Duration::from_secs(20);
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < until, "nginx did not come up");
        std::thread::sleep(Duration::from_millis(10));
    }
    (child, port, authority.ca())
}

fn purges(world: &World, port: u16) {
    let url = format!("https://localhost:{port}/client/v4");
    world
        .write(
            "anp.yaml",
            format!("{SITE}after: {{purge: [{{kind: cloudflare, url: \"{url}\", zone: 023e, retries: 0}}]}}\n"),
        )
        .article("a.md", "The second text.");
}

#[test]
fn an_api_whose_authority_is_trusted_is_asked_over_tls() {
    let world = published(SITE);
    let (_api, port, ca) = api(&world, &["localhost"]);
    purges(&world, port);
    let variables = |ca: &str| {
        vec![
            ("ANP_CLOUDFLARE_TOKEN", "t".to_owned()),
            ("SSL_CERT_FILE", ca.to_owned()),
        ]
    };
    let run = |line: &[&str], ca: &str| {
        let variables = variables(ca);
        let variables: Vec<_> = variables
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        world.anp_with(line, &variables)
    };
    // Another authority than the one that signed.
    let other = Authority::new(&world.path("other"));
    let ran = run(&["import"], &other.ca());
    ran.exits(3)
        .notes("  = cloudflare zone 023e: ")
        .notes("UnknownIssuer");
    let asked = || std::fs::read_to_string(world.path("api/asked")).unwrap_or_default();
    assert_eq!(asked(), "", "no token was sent");
    run(&["runs", "notify"], &ca).exits(0);
    assert_eq!(asked(), "POST /client/v4/zones/023e/purge_cache HTTP/1.1\n");
    assert_eq!(owed(&world), [""; 0]);
}

#[test]
fn an_api_with_the_certificate_of_another_host_gets_no_token() {
    let world = published(SITE);
    let (_api, port, ca) = api(&world, &["api.example.org"]);
    purges(&world, port);
    let variables = [
        ("ANP_CLOUDFLARE_TOKEN", "t"),
        ("SSL_CERT_FILE", ca.as_str()),
    ];
    let ran = world.anp_with(&["import"], &variables);
    ran.exits(3).notes("  = cloudflare zone 023e: ");
    let asked = std::fs::read_to_string(world.path("api/asked")).unwrap_or_default();
    assert_eq!(asked, "");
}
