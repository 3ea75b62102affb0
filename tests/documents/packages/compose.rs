//! deploy/compose.yaml: what its containers may do, and that what they are given is there.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anp::yaml::{self, Node};
use regex::Regex;

use super::page;
use crate::support::{Ran, World};

/// Members of a mapping by name.
fn members(node: &Node) -> BTreeMap<String, &Node> {
    let entries = node.mapping().unwrap();
    entries
        .iter()
        .map(|(key, value)| (key.text().to_owned(), value))
        .collect()
}

fn texts(node: &Node) -> Vec<String> {
    let items = node.list().unwrap();
    items
        .iter()
        .map(|item| item.text().unwrap().to_owned())
        .collect()
}

fn file() -> Node {
    yaml::parse(&page("deploy/compose.yaml"), 1).unwrap_or_else(|errors| panic!("{errors:?}"))
}

#[test]
fn no_container_is_root_or_writes_to_its_image() {
    let file = file();
    let top = members(&file);
    let services = members(top["services"]);
    let names: Vec<&str> = services.keys().map(String::as_str).collect();
    assert_eq!(names, ["import", "nginx", "redis", "serve"]);
    let pinned = Regex::new(r"^[a-z/-]+:[a-z0-9.-]+@sha256:[0-9a-f]{64}$").unwrap();
    let own = format!("anp:{}", env!("CARGO_PKG_VERSION"));
    for (name, service) in services {
        let service = members(service);
        let user = service["user"].text().unwrap();
        let (uid, gid) = user.split_once(':').unwrap();
        assert!(
            uid.parse::<u32>().unwrap() > 0 && gid.parse::<u32>().unwrap() > 0,
            "{name}"
        );
        assert_eq!(service["read_only"].text().unwrap(), "true", "{name}");
        assert_eq!(texts(service["cap_drop"]), ["ALL"], "{name}");
        assert_eq!(
            texts(service["security_opt"]),
            ["no-new-privileges:true"],
            "{name}"
        );
        let image = service["image"].text().unwrap();
        match service.get("build") {
            None if image == own => assert_eq!(service["pull_policy"].text().unwrap(), "never"),
            None => assert!(pinned.is_match(image), "{name}: {image}"),
            Some(build) => {
                assert_eq!((name.as_str(), image), ("import", own.as_str()));
                let build = members(build);
                assert_eq!(build["context"].text().unwrap(), "..");
                assert_eq!(build["dockerfile"].text().unwrap(), "deploy/Dockerfile");
                assert!(members(build["args"]).contains_key("ANP_COMMIT"));
                assert!(page("deploy/Dockerfile").contains("\nARG ANP_COMMIT="));
            }
        }
        if image == own {
            assert_eq!(user, "10001:10001", "the user of the image");
        }
        for port in service
            .get("ports")
            .map(|ports| texts(ports))
            .unwrap_or_default()
        {
            assert!(
                port.starts_with("127.0.0.1:"),
                "{name}: other machines reach {port}"
            );
        }
        for volume in service
            .get("volumes")
            .map(|node| texts(node))
            .unwrap_or_default()
        {
            let from = volume.split(':').next().unwrap();
            let is_named = members(top["volumes"]).contains_key(from);
            let is_file = Path::new("deploy").join(from).exists() && volume.ends_with(":ro");
            assert!(is_named || is_file, "{name}: {volume}");
        }
    }
}

/// What the container `name` runs: anp with its command and environment, here. Where it finds
/// the store and the folders is this world's, and it listens on a free port.
fn program(world: &World, name: &str) -> Command {
    let file = file();
    let service = members(members(members(&file)["services"])[name]);
    run(world, &service, &texts(service["command"]))
}

/// anp with the environment of a container.
fn run(world: &World, service: &BTreeMap<String, &Node>, words: &[String]) -> Command {
    let here = |text: &str| {
        text.replace("redis://redis:6379/0", &world.server.url())
            .replace("/srv/archive", world.path("archive").to_str().unwrap())
            .replace("/var/lib/anp", world.path("state").to_str().unwrap())
            .replace("0.0.0.0:8080", "127.0.0.1:0")
    };
    let mut anp = world.program(env!("CARGO_BIN_EXE_anp"));
    for (variable, value) in members(service["environment"]) {
        anp.env(variable, here(value.text().unwrap()));
    }
    anp.args(words.iter().map(|word| here(word)));
    anp
}

#[test]
fn the_sample_archive_is_imported_and_nginx_shows_it() {
    let world = World::new();
    std::fs::create_dir_all(world.path("archive")).unwrap();
    std::fs::copy("anp.yaml", world.path("archive/anp.yaml")).unwrap();
    let content = Path::new("content").canonicalize().unwrap();
    std::os::unix::fs::symlink(content, world.path("archive/content")).unwrap();
    let ran = Ran::of(&mut program(&world, "import"));
    ran.exits(0).says("16 articles published");
    let mut serve = program(&world, "serve");
    // One line on stdout has the port.
    serve.args(["--format", "json"]).stdout(Stdio::piped());
    let mut serve = serve.spawn().unwrap();
    let mut line = String::new();
    let mut stdout = BufReader::new(serve.stdout.take().unwrap());
    stdout.read_line(&mut line).unwrap();
    let said: serde_json::Value = serde_json::from_str(&line).unwrap();
    let mut nginx = start_nginx(&world, said["addr"].as_str().unwrap());
    let page = first_answer(&world);
    let healthy = Ran::of(&mut health(&world, said["addr"].as_str().unwrap()));
    for child in [&mut nginx, &mut serve] {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let unhealthy = Ran::of(&mut health(&world, said["addr"].as_str().unwrap()));
    healthy.exits(0).says("no check failed\n");
    unhealthy.exits(69);
    assert!(page.starts_with("HTTP/1.1 200 "), "{page}");
    assert!(page.contains("/redis-caching/cache-stampede/"), "{page}");
}

/// The health check of the container `serve`, asked of `address`.
fn health(world: &World, address: &str) -> Command {
    let file = file();
    let service = members(members(members(&file)["services"])["serve"]);
    let words = texts(members(service["healthcheck"])["test"]);
    assert_eq!(words[..2], ["CMD", "anp"]);
    let words: Vec<String> = words[2..]
        .iter()
        .map(|word| word.replace("127.0.0.1:8080", address))
        .collect();
    run(world, &service, &words)
}

/// nginx with the file of its container, on a socket, in front of `address`.
fn start_nginx(world: &World, address: &str) -> Child {
    let folder = world.path("");
    let folder = folder.to_str().unwrap();
    let site = page("deploy/compose/nginx.conf")
        .replace("listen 8080", &format!("listen unix:{folder}/nginx.sock"))
        .replace("serve:8080", address);
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let temporary = temporary.map(|name| format!("{name}_temp_path {folder}/{name};\n"));
    let whole = format!(
        "pid {folder}/nginx.pid;\nevents {{}}\nhttp {{\naccess_log off;\n{}{site}\n}}\n",
        temporary.concat()
    );
    world.write("nginx.conf", whole);
    let mut nginx = Command::new("/usr/sbin/nginx");
    nginx
        .args(["-e", "stderr", "-p", folder, "-g"])
        .arg("daemon off; master_process off;")
        .arg("-c")
        .arg(world.path("nginx.conf"));
    nginx.spawn().unwrap()
}

/// The list of articles, once nginx answers.
fn first_answer(world: &World) -> String {
    let mut answer = String::new();
    for _ in 0..100 {
        std::thread::sleep(Duration::from_millis(100));
        let Ok(mut stream) = UnixStream::connect(world.path("nginx.sock")) else {
            continue;
        };
        let request = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        stream.write_all(request).unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        answer = String::from_utf8_lossy(&bytes).into_owned();
        if answer.starts_with("HTTP/1.1 200 ") {
            break;
        }
    }
    answer
}
