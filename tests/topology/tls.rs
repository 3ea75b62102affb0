//! A store over TLS: real servers, with certificates of every kind, and errors that say what
//! was expected.

use std::io::Read as _;

use crate::support::authority::{Authority, Pair};
use crate::support::{Ran, Server, World, comes_full_circle, free_port};

/// A server with TLS, reached by a test without it through its socket.
struct Secure {
    world: World,
    authority: Authority,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Secure {
    fn new() -> Self {
        Self::with(&[], |authority| authority.signs_for(&["localhost"]))
    }

    /// With a certificate that the test chooses, and further arguments of the server.
    fn with(arguments: &[&str], certificate: impl FnOnce(&Authority) -> Pair) -> Self {
        let folder = tempfile::Builder::new().prefix("anp").tempdir().unwrap();
        let authority = Authority::new(&folder.path().join("good"));
        let pair = certificate(&authority);
        let port = free_port();
        let (port_text, ca) = (port.to_string(), authority.ca());
        let own = [
            "--tls-port",
            &port_text,
            "--tls-cert-file",
            &pair.cert,
            "--tls-key-file",
            &pair.key,
            "--tls-ca-cert-file",
            &ca,
            "--tls-auth-clients",
            "no",
        ];
        let server = Server::start_with(&[&own[..], arguments].concat());
        let world = World::with_server(server);
        world.article("a.md", "Text.");
        Self {
            world,
            authority,
            port,
            _folder: folder,
        }
    }

    fn url(&self, host: &str) -> String {
        format!("rediss://{host}:{}/0", self.port)
    }

    /// Imports from `localhost`, with these flags of TLS.
    fn import(&self, flags: &[&str]) -> Ran {
        let url = self.url("localhost");
        let line = [&["import", "--redis", &url], flags].concat();
        self.world.anp_with(&line, &[])
    }

    /// The same with the right authority.
    fn import_trusting(&self, flags: &[&str]) -> Ran {
        let ca = self.authority.ca();
        self.import(&[&["--tls-ca", &ca], flags].concat())
    }

    /// Another authority, unknown to the server.
    fn stranger(&self) -> Authority {
        Authority::new(&self.world.path("strange"))
    }

    fn has_page(&self) -> bool {
        self.world.server.get("anp:page:/a/").is_some()
    }
}

const NO_RETRY: &str = "= retry: after you change the settings or the server; nothing was written";

#[test]
fn what_is_written_over_tls_is_verified_and_undone_by_the_printed_command() {
    let secure = Secure::new();
    let world = &secure.world;
    let text = "A paragraph of some length.\n\n".repeat(3000);
    for number in 0..60 {
        world.article(&format!("n{number}.md"), &text);
    }
    let (url, ca) = (secure.url("localhost"), secure.authority.ca());
    let ran = world.anp_with(
        &[
            "import", "--format", "json", "--redis", &url, "--tls-ca", &ca,
        ],
        &[],
    );
    ran.exits(0);
    assert_eq!(ran.counts()["created"], 122);
    assert!(world.server.get("anp:page:/n59/").unwrap().len() > text.len());
    let variables = [("ANP_REDIS_URL", url.as_str()), ("ANP_TLS_CA", &ca)];
    world.anp_with(&["verify", "last"], &variables).exits(0);
    world.anp_with(&["show", "/n7/"], &variables).exits(0);
    let rollback = ran.of_type("run")[0]["rollback"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        rollback.contains(&format!(" --redis {url} --tls-ca {ca}")),
        "{rollback}"
    );
    world.shell(&rollback).exits(0);
    assert!(world.server.dump().is_empty());
}

#[test]
fn every_run_over_tls_is_taken_back_exactly() {
    let secure = Secure::new();
    let (url, ca) = (secure.url("localhost"), secure.authority.ca());
    secure
        .world
        .server
        .command("HSET anp:page:/circle/n1/ a 1 b 2");
    let anp = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let variables = [("ANP_REDIS_URL", url.as_str()), ("ANP_TLS_CA", &ca)];
        secure.world.anp_with(&words, &variables)
    };
    comes_full_circle(&secure.world, &anp, &mut || secure.world.server.dump());
}

#[test]
fn connections_that_are_lost_in_mid_import_are_made_again_over_tls() {
    let secure = Secure::new();
    let (url, ca) = (secure.url("localhost"), secure.authority.ca());
    let world = &secure.world;
    let (child, mut stdout) = world.import_under_way(&["--redis", &url, "--tls-ca", &ca]);
    // All but the one that asks.
    let redis::Value::Int(killed) = world.server.command("CLIENT KILL TYPE normal SKIPME yes")
    else {
        panic!("no number");
    };
    assert!(killed > 0);
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).unwrap();
    let ended = child.wait_with_output().unwrap();
    assert!(ended.status.success(), "{ended:?}");
    assert_eq!(rest.matches(r#""action":"create""#).count(), 6001);
    let verify = ["verify", "last", "--redis", &url, "--tls-ca", &ca];
    world.anp_with(&verify, &[]).exits(0);
}

#[test]
fn paths_in_the_settings_file_are_relative_to_it() {
    let secure = Secure::new();
    let world = &secure.world;
    std::fs::create_dir(world.path("etc")).unwrap();
    std::fs::copy(secure.authority.ca(), world.path("etc/ca.pem")).unwrap();
    let url = secure.url("127.0.0.1");
    world.write(
        "etc/anp.yaml",
        format!("redis: {url}\ntls: {{ca: ca.pem, server_name: localhost}}\n"),
    );
    let mut command = world.bare();
    command
        .args(["import", "--config", "etc/anp.yaml"])
        .env("ANP_STATE_DIR", world.path("state"));
    Ran::of(&mut command).exits(0);
    assert!(secure.has_page());
    // A store on this machine needs no other settings file.
    let mut command = world.bare();
    command
        .args(["import", "--config", "etc/anp.yaml", "--redis"])
        .arg(world.server.url())
        .env("ANP_STATE_DIR", world.path("state"));
    Ran::of(&mut command).exits(0);
}

#[test]
fn the_authorities_of_the_system_are_trusted_if_no_others_are_named() {
    let secure = Secure::new();
    let url = secure.url("localhost");
    let import = |ca: &str| {
        let variables = [("SSL_CERT_FILE", ca)];
        secure
            .world
            .anp_with(&["import", "--redis", &url], &variables)
    };
    import(&secure.stranger().ca())
        .exits(78)
        .notes("is signed by an authority that this system does not hold")
        .notes("--tls-ca")
        .notes(NO_RETRY);
    assert!(!secure.has_page());
    import(&secure.authority.ca()).exits(0);
    assert!(secure.has_page());
}

#[test]
fn a_certificate_that_does_not_fit_is_78_and_says_what_was_expected() {
    let other_name = Secure::with(&[], |authority| {
        authority.signs_for(&["cache.example", "10.1.2.3"])
    });
    other_name
        .import_trusting(&[])
        .exits(78)
        .notes(
            "the server's certificate is for cache.example, 10.1.2.3, expected a name matching \
             localhost; if it is the right server, name it with --tls-server-name",
        )
        .notes(NO_RETRY);
    other_name
        .import_trusting(&["--tls-server-name", "else.example"])
        .exits(78)
        .notes("expected a name matching else.example");
    assert!(!other_name.has_page());
    other_name
        .import_trusting(&["--tls-server-name", "cache.example"])
        .exits(0);
    assert!(other_name.has_page());

    let stranger = other_name.stranger().ca();
    other_name
        .import(&["--tls-ca", &stranger])
        .exits(78)
        .notes(&format!(
            "signed by an authority that {stranger} does not hold"
        ));

    let expired = Secure::with(&[], |authority| authority.signs(&["localhost"], 2020..2021));
    expired
        .import_trusting(&[])
        .exits(78)
        .notes("the server's certificate expired on 2021-01-01T00:00:00Z");
    let early = Secure::with(&[], |authority| authority.signs(&["localhost"], 2080..2090));
    early
        .import_trusting(&[])
        .exits(78)
        .notes("the server's certificate is valid from 2080-01-01T00:00:00Z on");
    assert!(!expired.has_page() && !early.has_page());
    // As `openssl req -x509` makes them.
    let own = Secure::with(&[], |authority| authority.signs_itself(&["localhost"]));
    own.import_trusting(&[]).exits(78).notes(
        "the server's certificate is that of an authority (CA:TRUE); expected one of its own",
    );
    assert!(!own.has_page());
}

#[test]
fn a_client_certificate_is_asked_for_shown_and_judged() {
    let secure = Secure::with(&["--tls-auth-clients", "yes"], |authority| {
        authority.signs_for(&["localhost"])
    });
    for _ in 0..5 {
        secure
            .import_trusting(&[])
            .exits(78)
            .notes("the server wants a client certificate: --tls-cert, --tls-key")
            .notes(NO_RETRY);
    }
    let strange = secure.stranger().signs_for(&["job"]);
    secure
        .import_trusting(&["--tls-cert", &strange.cert, "--tls-key", &strange.key])
        .exits(78)
        .notes(&format!(
            "the server refuses the client certificate, {}",
            strange.cert
        ));
    assert!(!secure.has_page());
    let own = secure.authority.signs_for(&["job"]);
    secure
        .import_trusting(&["--tls-cert", &own.cert, "--tls-key", &own.key])
        .exits(0);
    assert!(secure.has_page());
    secure
        .import_trusting(&["--tls-cert", &own.cert, "--tls-key", &strange.key])
        .exits(78)
        .notes("its own key in");
}

#[test]
fn files_that_are_no_certificates_or_keys_are_78_before_anything_is_sent() {
    let secure = Secure::new();
    let world = &secure.world;
    world.write("empty.pem", "").write("text.pem", "no PEM\n");
    let ca = secure.authority.ca();
    let whole = std::fs::read_to_string(&ca).unwrap();
    world.write("cut.pem", &whole[..whole.len() / 2]);
    for (flags, text) in [
        (&["--tls-ca", "nowhere.pem"][..], "nowhere.pem: "),
        (&["--tls-ca", "empty.pem"], "empty.pem, found none"),
        (&["--tls-ca", "cut.pem"], "the file is cut off"),
        (
            &["--tls-cert", "text.pem", "--tls-key", "text.pem"],
            "expected certificates (PEM) in",
        ),
        (
            &["--tls-cert", &ca, "--tls-key", &ca],
            "expected a private key (PEM, not encrypted) in",
        ),
        (&["--tls-server-name", "a b"], "as --tls-server-name"),
    ] {
        secure.import(flags).exits(78).notes(text).notes(NO_RETRY);
    }
    assert!(!secure.has_page());
}

#[test]
fn settings_of_tls_that_would_not_be_used_are_refused() {
    let world = World::new();
    world.article("a.md", "Text.");
    let plain = "redis://127.0.0.1:1/0";
    let what = "and the address is redis://127.0.0.1:1/0; expected one with TLS";
    world
        .anp_with(&["import", "--redis", plain, "--tls-ca", "ca.pem"], &[])
        .exits(2)
        .notes(what);
    let variable = [("ANP_TLS_SERVER_NAME", "cache.example")];
    world
        .anp_with(&["import", "--redis", plain], &variable)
        .exits(78)
        .notes(what);
    world.anp("import --tls-ca ca.pem").exits(2);
    world.anp_with(&["import"], &variable).exits(0);
    world
        .anp_with(
            &["import", "--redis", "rediss://h", "--tls-cert", "c.pem"],
            &[],
        )
        .exits(2)
        .notes("expected tls.cert and tls.key (--tls-cert, --tls-key) together, found one of them");
}

#[test]
fn tls_against_plain_text_fails_either_way_and_says_so() {
    let port = free_port();
    let port_text = port.to_string();
    let world = World::with_server(Server::start_with(&["--port", &port_text]));
    world.article("a.md", "Text.");
    let url = format!("rediss://127.0.0.1:{port}/0");
    let variables = [("ANP_TIMEOUT", "2s")];
    let ran = world.anp_with(&["import", "--redis", &url], &variables);
    assert!([69, 78].contains(&ran.code), "{ran}");
    ran.notes("its address begins with redis, not rediss");
    assert!(world.server.dump().is_empty());

    let secure = Secure::new();
    let url = format!("redis://localhost:{}/0", secure.port);
    let ran = secure.world.anp_with(&["import", "--redis", &url], &[]);
    assert!([69, 78].contains(&ran.code), "{ran}");
    ran.notes("if it speaks TLS, its address begins with rediss");
    assert!(!secure.has_page());
}

#[test]
fn a_password_and_a_database_are_used_over_tls() {
    let secure = Secure::with(&["--requirepass", "hush"], |authority| {
        authority.signs_for(&["127.0.0.1"])
    });
    let (world, ca) = (&secure.world, secure.authority.ca());
    let url = format!("rediss://127.0.0.1:{}/3", secure.port);
    let import = |password: &str| {
        let variables = [("ANP_REDIS_PASSWORD", password), ("ANP_TLS_CA", &ca)];
        world.anp_with(&["import", "--redis", &url], &variables)
    };
    import("wrong").exits(77).hides("wrong");
    import("hush").exits(0).hides("hush");
    let socket = world.server.socket();
    let client = format!("redis+unix://{}?db=3&pass=hush", socket.display());
    let mut connection = redis::Client::open(client)
        .unwrap()
        .get_connection()
        .unwrap();
    let page: Option<String> = redis::cmd("GET")
        .arg("anp:page:/a/")
        .query(&mut connection)
        .unwrap();
    assert!(page.is_some());
}

#[cfg(feature = "serve")]
#[test]
fn the_preview_reads_over_tls() {
    let secure = Secure::new();
    secure.import_trusting(&[]).exits(0);
    let (url, ca) = (secure.url("localhost"), secure.authority.ca());
    let flags = ["--redis", &url, "--tls-ca", &ca];
    let mut command = secure.world.command("state", &flags);
    let (_serving, address) = crate::support::serving(&mut command);
    let address = address.as_str();
    crate::support::http::get(address, "/a/")
        .is(200)
        .says("Text.");
    crate::support::http::get(address, "/healthz").is(200);
    let clients = secure.world.server.command("CLIENT LIST TYPE normal");
    let redis::Value::BulkString(clients) = clients else {
        panic!("{clients:?}");
    };
    let clients = String::from_utf8(clients).unwrap();
    let over_tls = clients
        .lines()
        .filter(|line| line.contains(" laddr=127.0.0.1:"));
    assert!(over_tls.count() >= 1, "{clients}");
}
