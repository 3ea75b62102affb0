//! What an operator does: checks the files, gives the front its rights, watches it, switches
//! it off.

use super::front::{Front, arguments, block, calls, set_up, until};
use super::published;
use crate::support::http::Connection;
use crate::support::{Ran, World};

#[test]
fn the_files_as_they_are_pass_the_check_of_nginx() {
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    set_up(&world, &folder);
    let mut nginx = world.program("/usr/sbin/nginx");
    let ran = Ran::of(nginx.arg("-t").args(arguments(&folder)));
    // nginx also tries the port, which only root may have.
    let may_not_listen = ran.stderr.contains("bind() to 0.0.0.0:80 failed (13:");
    assert!(ran.code == 0 || may_not_listen, "{ran}");
    ran.notes("syntax is ok");
    assert!(!ran.stderr.contains("[warn]") || may_not_listen, "{ran}");
}

#[test]
fn a_page_costs_one_round_trip_on_a_connection_that_is_kept() {
    let world = published();
    let front = Front::start(&world);
    let received = || -> u64 {
        let text: String = redis::cmd("INFO")
            .arg("stats")
            .query(&mut world.server.connection())
            .unwrap();
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("total_connections_received:"));
        line.unwrap().parse().unwrap()
    };
    let (connections, pages) = (received(), calls(&world, "pttl"));
    for _ in 0..50 {
        front.get("/a/").is(200).has("X-Cache", "HIT");
    }
    assert_eq!(calls(&world, "pttl") - pages, 50);
    // Of two workers, and of this test.
    let opened = received() - connections;
    assert!(opened <= 2 + 3, "{opened}");
}

#[test]
fn the_rights_of_the_page_are_enough_and_the_password_comes_from_its_file() {
    let world = published();
    let acl = block("acl", "SETUSER anp-front");
    assert_eq!(acl.lines().count(), 1);
    world.server.command(acl.trim_end());
    world.server.command("ACL SETUSER default resetpass off");
    let password = world.path("redis.password").to_str().unwrap().to_owned();
    let settings = [
        ("set $anp_user     \"\";", "set $anp_user anp-front;"),
        (
            "set $anp_password_file \"\";",
            &format!("set $anp_password_file {password};"),
        ),
    ];
    world.write("redis.password", "wrong\n");
    let front = Front::start_with(&world, &settings);
    front.get("/a/").is(200).has("X-Cache", "MISS");
    assert!(front.errors().contains("WRONGPASS"), "{}", front.errors());
    assert!(!front.errors().contains("wrong"), "{}", front.errors());
    // A new password needs no reload.
    world.write("redis.password", "PASSWORD\n");
    front.get_until("/a/", "HIT").is(200);
    // No worker has kept a connection that was refused.
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..20 {
                    front.get("/a/").is(200).has("X-Cache", "HIT");
                }
            });
        }
    });
    front.get("/a").is(308);
    front.get("/healthz").is(200).has("X-Store", "up");
    std::fs::remove_file(password).unwrap();
    front.get("/a/").has("X-Cache", "HIT");
}

#[test]
fn a_site_with_a_wrong_password_has_no_part_in_the_connections_of_another() {
    let world = published();
    let acl = block("acl", "SETUSER anp-front");
    world.server.command(acl.trim_end());
    world.write("right", "PASSWORD\n").write("wrong", "no\n");
    let file = |name: &str| world.path(name).display().to_string();
    let user = ("set $anp_user     \"\";", "set $anp_user anp-front;");
    let right = format!("set $anp_password_file {};", file("right"));
    let second = format!(
        "include anp/anp.conf;\n}}\nserver {{\n listen unix:{{root}}second;\n \
         set $anp_enabled on; set $anp_redis unix:{}; set $anp_db 0; set $anp_user anp-front;\n \
         set $anp_password_file {}; set $anp_prefix anp; set $anp_timeout 200;\n \
         set $anp_cookies sessionid; set $anp_other_methods refuse; include anp/anp.conf;",
        world.server.socket().display(),
        file("wrong")
    );
    let front = Front::start_with(
        &world,
        &[
            ("    include anp/anp.conf;", &second),
            user,
            ("set $anp_password_file \"\";", &right),
        ],
    );
    // Both workers have connections of the first site by now, and go on having them.
    for _ in 0..20 {
        front.get("/a/").is(200).has("X-Cache", "HIT");
    }
    for _ in 0..20 {
        let other = std::os::unix::net::UnixStream::connect(front.path("second")).unwrap();
        let answer = Connection::over(other).only("GET", "/a/", &[]);
        answer.is(200).has("X-Cache", "MISS");
        front.get("/a/").is(200).has("X-Cache", "HIT");
    }
    assert!(front.errors().contains("WRONGPASS"), "{}", front.errors());
}

#[test]
fn a_user_without_a_password_is_refused_and_not_taken_for_the_default_user() {
    let world = published();
    let user = ("set $anp_user     \"\";", "set $anp_user anp-front;");
    let front = Front::start_with(&world, &[user]);
    front.get("/a/").is(200).has("X-Cache", "MISS");
    front.get("/healthz").is(200).has("X-Store", "down");
    let errors = front.errors();
    assert!(
        errors.contains("$anp_user anp-front has no password: $anp_password_file is empty"),
        "{errors}"
    );
}

#[test]
fn another_database_and_prefix_are_settings() {
    let world = World::new();
    world.article("a.md", "A.");
    let url = format!("{}?db=3", world.server.url());
    world
        .anp_with(&["import", "--redis", &url, "--prefix", "site"], &[])
        .exits(0);
    let settings = [
        ("set $anp_db       0;", "set $anp_db 3;"),
        ("set $anp_prefix   anp;", "set $anp_prefix site;"),
    ];
    let front = Front::start_with(&world, &settings);
    for _ in 0..8 {
        front.get("/a/").is(200).has("X-Cache", "HIT");
    }
}

#[test]
fn healthz_tells_of_nginx_and_of_the_store() {
    let world = published();
    let front = Front::start(&world);
    let answer = front.get("/healthz");
    assert_eq!(answer.text(), "ok\n");
    answer
        .is(200)
        .has("Content-Type", "text/plain; charset=utf-8")
        .has("Cache-Control", "no-store")
        .has("X-Store", "up");
    assert_eq!(front.origin.asked().len(), 0);
}

#[test]
fn the_log_of_the_page_counts_hits() {
    let world = published();
    let front = Front::start(&world);
    front.get("/a/");
    front.get("/none/");
    front.get("/healthz");
    // A line is written after its answer.
    let ends = || -> Vec<String> {
        let log = std::fs::read_to_string(front.path("nginx/anp.log")).unwrap();
        let mut ends: Vec<String> = log
            .lines()
            .filter(|line| line.contains("\"GET /"))
            .map(|line| line.rsplit(' ').next().unwrap().to_owned())
            .collect();
        ends.sort();
        ends
    };
    until("both lines", || ends().len() >= 2);
    assert_eq!(ends(), ["HIT", "MISS"]);
}

#[test]
fn one_line_switches_it_off_and_one_on_again() {
    let world = published();
    let front = Front::start(&world);
    front.get("/a/").has("X-Cache", "HIT");
    let line = block("sh", "anp_enabled");
    front.shell(&world, &line);
    let gets = |cache: &str| front.get_until("/a/", cache);
    gets("MISS").is(200).has("Cache-Control", "max-age=17");
    front.shell(&world, &line.replace("anp_enabled off", "anp_enabled on"));
    gets("HIT").is(200);
}

#[test]
fn a_front_that_cannot_be_loaded_does_not_replace_one_that_works() {
    let world = published();
    let front = Front::start(&world);
    std::fs::write(front.path("local/share/lua/5.1/anp.lua"), "nonsense").unwrap();
    front.shell(&world, "systemctl reload nginx");
    until("the reload", || {
        front.errors().contains("init_by_lua error")
    });
    for _ in 0..8 {
        front.get("/a/").is(200).has("X-Cache", "HIT");
    }
}
