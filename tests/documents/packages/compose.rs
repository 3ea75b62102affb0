//! deploy/compose.yaml: what its containers may do, and that what they are given is there.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

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
            None => assert!(pinned.is_match(image), "{name}: {image}"),
            Some(build) => {
                assert_eq!(image, own);
                assert_eq!(user, "10001:10001", "the user of the image");
                let build = members(build);
                assert_eq!(build["context"].text().unwrap(), "..");
                assert_eq!(build["dockerfile"].text().unwrap(), "deploy/Dockerfile");
            }
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
/// the store, the folders and the port is this world's.
fn program(world: &World, name: &str, port: u16) -> Command {
    let file = file();
    let service = members(members(&file)["services"])[name];
    let service = members(service);
    let here = |text: &str| {
        text.replace("redis://redis:6379/0", &world.server.url())
            .replace("/srv/archive", world.path("archive").to_str().unwrap())
            .replace("/var/lib/anp", world.path("state").to_str().unwrap())
            .replace("0.0.0.0:8080", &format!("127.0.0.1:{port}"))
    };
    let mut anp = world.program(env!("CARGO_BIN_EXE_anp"));
    for (variable, value) in members(service["environment"]) {
        anp.env(variable, here(value.text().unwrap()));
    }
    anp.args(texts(service["command"]).iter().map(|word| here(word)));
    anp
}

#[test]
fn the_sample_archive_is_imported_and_nginx_shows_it() {
    let world = World::new();
    std::fs::create_dir_all(world.path("archive")).unwrap();
    std::fs::copy("anp.yaml", world.path("archive/anp.yaml")).unwrap();
    std::os::unix::fs::symlink(
        Path::new("content").canonicalize().unwrap(),
        world.path("archive/content"),
    )
    .unwrap();
    let ran = Ran::of(&mut program(&world, "import", 0));
    ran.exits(0).says("16 articles published");
    // Ports of this moment.
    let free = || std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (front, back) = (free(), free());
    let port = |listener: std::net::TcpListener| listener.local_addr().unwrap().port();
    let (front, back) = (port(front), port(back));
    let mut serve = program(&world, "serve", back).spawn().unwrap();
    let site = page("deploy/compose/nginx.conf")
        .replace("listen 8080", &format!("listen 127.0.0.1:{front}"))
        .replace("serve:8080", &format!("127.0.0.1:{back}"));
    let folder = world.path("");
    let folder = folder.to_str().unwrap();
    world.write(
        "nginx.conf",
        format!(
            "pid {folder}/nginx.pid;\nerror_log {folder}/error.log;\nevents {{}}\nhttp {{\n\
             access_log off;\n{site}\n}}\n"
        ),
    );
    let mut nginx = Command::new("/usr/sbin/nginx");
    nginx
        .args(["-e", "stderr", "-p", folder, "-c"])
        .arg(world.path("nginx.conf"));
    let mut nginx = nginx
        .args(["-g", "daemon off; master_process off;"])
        .spawn()
        .unwrap();
    let page = first_answer(front);
    for child in [&mut nginx, &mut serve] {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert!(page.starts_with("HTTP/1.1 200 "), "{page}");
    assert!(page.contains("/redis-caching/cache-stampede/"), "{page}");
}

/// The list of articles, once both servers answer.
fn first_answer(port: u16) -> String {
    use std::io::{Read as _, Write as _};
    let mut answer = String::new();
    for _ in 0..100 {
        std::thread::sleep(std::time::Duration::from_millis(100));
        let Ok(mut stream) = std::net::TcpStream::connect(("127.0.0.1", port)) else {
            continue;
        };
        stream
            .write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            .unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        answer = String::from_utf8_lossy(&bytes).into_owned();
        if answer.starts_with("HTTP/1.1 200 ") {
            break;
        }
    }
    answer
}
