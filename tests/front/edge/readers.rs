//! Real caches before real fronts: a reader that polls sees the new version once the run has ended, and the
//! old one once the rollback has, although the cache may keep a page for a day.

use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::{block, changed, owed, published};
use crate::nginx::front::Front;
use crate::support::http::{self, Answer};
use crate::support::{Killed, World, free_port, serving, signal};

const CACHE: &str = "cache: {browser: 5m, edge: 1d, stale: 1h}\n";

/// Where a cache finds the front behind it.
enum Behind<'a> {
    Address(&'a str),
    Socket(PathBuf),
}

/// A cache under way.
struct Cache {
    _child: Killed,
    address: String,
}

impl Cache {
    fn get(&self, path: &str) -> Answer {
        self.get_with(path, &[])
    }

    fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut connection = http::Connection::open(&self.address);
        let headers: String = headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}\r\n"))
            .collect();
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n");
        connection.send(request.as_bytes());
        connection.answer("GET")
    }

    /// Waits until it listens.
    fn started(mut child: Killed, address: String, log: &dyn Fn() -> String) -> Self {
        let until = Instant::now() + Duration::from_secs(60);
        while std::net::TcpStream::connect(&address).is_err() {
            let ended = child.0.try_wait().unwrap();
            assert!(
                ended.is_none() && Instant::now() < until,
                "{ended:?} {}",
                log()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        Self {
            _child: child,
            address,
        }
    }
}

/// Varnish with the file of docs/edge.md.
fn varnish(world: &World, behind: &Behind<'_>) -> Cache {
    let vcl = block("vcl", "backend default");
    let own = ".host = \"127.0.0.1\";\n    .port = \"8080\";";
    assert!(vcl.contains(own), "{vcl}");
    let backend = match behind {
        Behind::Address(address) => {
            let (host, port) = address.rsplit_once(':').unwrap();
            format!(".host = \"{host}\";\n.port = \"{port}\";")
        }
        Behind::Socket(path) => format!(".path = \"{}\";", path.display()),
    };
    world.write("varnish.vcl", vcl.replace(own, &backend));
    let address = format!("127.0.0.1:{}", free_port());
    let log = world.path("varnish.log");
    let out = std::fs::File::create(&log).unwrap();
    let program = ["/usr/sbin/varnishd", "/usr/bin/varnishd"];
    let program = program
        .iter()
        .find(|path| std::path::Path::new(path).exists());
    let program = program
        .expect("this test needs varnish: apt-get install varnish, or scripts/setup.sh tests");
    let child = world
        .program(program)
        .args(["-F", "-j", "none", "-a", &address, "-s", "malloc,32m", "-f"])
        .arg(world.path("varnish.vcl"))
        .arg("-n")
        .arg(world.path("varnish"))
        .stdout(out.try_clone().unwrap())
        .stderr(out)
        .spawn()
        .unwrap();
    Cache::started(Killed(child), address, &|| {
        std::fs::read_to_string(&log).unwrap()
    })
}

/// nginx as a cache, with the file of docs/edge.md.
fn nginx(world: &World, behind: &Behind<'_>) -> Cache {
    let port = free_port();
    let behind = match behind {
        Behind::Address(address) => format!("http://{address}"),
        Behind::Socket(path) => format!("http://unix:{}", path.display()),
    };
    let folder = world.path("cache");
    std::fs::create_dir_all(folder.join("files")).unwrap();
    let root = folder.display();
    let site = block("nginx", "proxy_cache_purge")
        .replace("/var/cache/nginx/anp", &format!("{root}/files"))
        .replace("listen 8000;", &format!("listen 127.0.0.1:{port};"))
        .replace("http://127.0.0.1:8080", &behind);
    let modules = "/usr/lib/nginx/modules/ngx_http_cache_purge_module.so";
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path {root}/{name};\n"))
        .concat();
    world.write(
        "cache/nginx.conf",
        format!(
            "load_module {modules};\nuser root root;\ndaemon off;\nmaster_process off;\n\
             pid {root}/pid;\nerror_log {root}/error.log;\nevents {{}}\n\
             http {{\naccess_log off;\n{temporary}{site}}}\n"
        ),
    );
    let child = world
        .program("/usr/sbin/nginx")
        .args(["-p", folder.to_str().unwrap(), "-e"])
        .arg(folder.join("error.log"))
        .arg("-c")
        .arg(folder.join("nginx.conf"))
        .stderr(Stdio::null())
        .spawn()
        .expect("this test needs nginx: scripts/setup.sh tests");
    Cache::started(Killed(child), format!("127.0.0.1:{port}"), &|| {
        std::fs::read_to_string(folder.join("error.log")).unwrap_or_default()
    })
}

type Start = fn(&World, &Behind<'_>) -> Cache;

/// Changes, rolls back, removes and purges /a/ while readers poll it through a cache.
fn readers_follow(kind: &str, start: Start, behind: &dyn Fn(&World) -> Behind<'static>) {
    let world = World::new();
    world
        .write("anp.yaml", CACHE)
        .article("a.md", "The first text.");
    world.anp("import").exits(0);
    let cache = start(&world, &behind(&world));
    let settings = format!(
        "{CACHE}site: {{url: https://localhost}}\n\
         archive: {{lists: {{home: true, folders: true}}, feeds: true, redirects: true}}\n\
         after: {{purge: [{{kind: {kind}, url: \"http://{}\"}}]}}\n",
        cache.address
    );
    world.write("anp.yaml", &settings);
    world.anp("import").exits(0);
    let stays = |path: &str, text: &str| {
        let first = cache.get(path);
        first.is(200).says(text);
        let control = first.header("Cache-Control").unwrap();
        assert!(control.contains("s-maxage=86400"), "{control}");
        // What the store has now does not count: the cache keeps the page.
        cache.get(path).is(200).says(text);
    };
    stays("/a/", "The first text.");
    stays("/", "About a.md");
    stays("/feed.xml", "The first text.");
    // Without a purge the cache answers as before.
    let page = world.server.get("anp:page:/a/").unwrap();
    let other = page.replace("The first text.", "Another text altogether.");
    world
        .server
        .run(&["SET", "anp:page:/a/", &other, "KEEPTTL"]);
    cache.get("/a/").says("The first text.");
    world.server.run(&["SET", "anp:page:/a/", &page, "KEEPTTL"]);
    // A reader polls all the time, from before the run to after it.
    let follows = |what: &dyn Fn(), text: &str| {
        let ended = std::sync::atomic::AtomicBool::new(false);
        let polled = std::thread::scope(|scope| {
            let reader = scope.spawn(|| {
                let mut polls = 0;
                while !ended.load(std::sync::atomic::Ordering::SeqCst) {
                    cache.get("/a/");
                    polls += 1;
                    std::thread::sleep(Duration::from_millis(20));
                }
                polls
            });
            what();
            // The run has ended: the next answer is the new one.
            cache.get("/a/").says(text);
            ended.store(true, std::sync::atomic::Ordering::SeqCst);
            reader.join().unwrap()
        });
        assert!(polled > 0);
        cache.get("/a/").says(text);
        assert_eq!(owed(&world), [""; 0]);
    };
    let run = |line: &str| {
        let line = line.to_owned();
        move |world: &World| {
            world.anp(&line).exits(0);
        }
    };
    follows(
        &|| {
            let ran = changed(&world);
            ran.exits(0);
            let notified = &ran.of_type("notified")[0];
            assert_eq!(notified["ok"], true, "{ran}");
            // The page and the feeds with its text; lists name its title alone.
            assert!(notified["urls"].as_u64().unwrap() >= 1, "{ran}");
        },
        "The second text.",
    );
    cache.get("/feed.xml").is(200).says("The second text.");
    follows(&|| run("rollback last")(&world), "The first text.");
    cache.get("/feed.xml").is(200).says("The first text.");
    // A new article changes the list, and one that is removed leaves the cache.
    world.article("b.md", "Another article.");
    cache.get("/b/").hides("Another article.");
    world.anp("import").exits(0);
    cache.get("/b/").is(200).says("Another article.");
    cache.get("/").is(200).says("About b.md");
    world.anp("purge /b/").exits(0);
    cache.get("/b/").hides("Another article.");
}

#[test]
fn readers_behind_varnish_and_nginx_follow_each_run() {
    let front = std::cell::OnceCell::new();
    readers_follow("varnish", varnish, &|world| {
        let site = init(world);
        let front = front.get_or_init(|| Front::start_site(world, site, &[]));
        UnixStream::connect(front.path("front")).unwrap();
        Behind::Socket(front.path("front"))
    });
}

/// The site that `anp init --nginx` writes for the settings of the world.
fn init(world: &World) -> String {
    let ran = crate::support::Ran::of(&mut world.command("state", &["init", "--nginx", "front"]));
    ran.exits(0);
    std::fs::read_to_string(world.path("front/site.conf")).unwrap()
}

#[test]
fn readers_behind_varnish_and_the_preview_follow_each_run() {
    let kept = std::cell::OnceCell::new();
    readers_follow("varnish", varnish, &|world| preview(world, &kept));
}

/// The preview of a world, which is kept running.
fn preview(world: &World, kept: &std::cell::OnceCell<(Killed, &'static str)>) -> Behind<'static> {
    let (_, address) = kept.get_or_init(|| {
        let (child, address) = serving(&mut world.command("state", &[]));
        (child, address.leak())
    });
    Behind::Address(address)
}

#[test]
fn readers_behind_the_cache_of_nginx_follow_each_run() {
    let kept = std::cell::OnceCell::new();
    readers_follow("nginx", nginx, &|world| preview(world, &kept));
}

#[test]
fn varnish_forgets_everything_where_more_changed_than_max_urls() {
    let world = published(CACHE);
    let (serving, address) = serving(&mut world.command("state", &[]));
    let cache = varnish(&world, &Behind::Address(&address));
    for is_on in [false, true] {
        let settings = format!(
            "{CACHE}site: {{url: https://localhost}}\nafter: {{purge: [{{kind: varnish, \
             url: \"http://{}\", max_urls: 2, everything: {is_on}}}]}}\n",
            cache.address
        );
        world.write("anp.yaml", settings);
        for name in ["b", "c"] {
            world.article(&format!("{name}.md"), &format!("{name} {is_on} old"));
        }
        world.anp("import").exits(0);
        cache.get("/b/").says(&format!("{is_on} old"));
        for name in ["b", "c", "d"] {
            world.article(&format!("{name}.md"), &format!("{name} {is_on} new"));
        }
        let ran = world.anp("import");
        ran.exits(0);
        let notified = &ran.of_type("notified")[0];
        assert_eq!(
            (&notified["ok"], &notified["everything"]),
            (&true.into(), &is_on.into())
        );
        if is_on {
            assert_eq!(notified["requests"], 1, "{ran}");
            cache.get("/b/").says("true new");
        } else {
            ran.notes("more than max_urls: varnish http://")
                .notes("is not purged");
            cache.get("/b/").says("false old");
            let run = world.runs().pop().unwrap();
            // As the warning says.
            world.write(
                "anp.yaml",
                std::fs::read_to_string(world.path("anp.yaml"))
                    .unwrap()
                    .replace("max_urls: 2", "max_urls: 3"),
            );
            world
                .anp(&format!("runs notify {run} --again"))
                .exits(0)
                .says("purged 3 URLs from varnish");
            cache.get("/b/").says("false new");
        }
        assert_eq!(owed(&world), [""; 0]);
    }
    signal(&serving.0, "TERM");
}

#[test]
fn readers_who_are_logged_in_and_queries_pass_the_caches() {
    let world = published(CACHE);
    let (_serving, address) = serving(&mut world.command("state", &[]));
    for start in [varnish as Start, nginx] {
        let cache = start(&world, &Behind::Address(&address));
        cache.get("/a/").is(200).says("The first text.");
        let logged_in = [("Cookie", "theme=dark; sessionid=1")];
        let answer = cache.get_with("/a/", &logged_in);
        answer.is(200).has("Cache-Control", "private, no-store");
        cache.get("/a/?x=1").is(200).says("The first text.");
        let answer = cache.get_with("/a/", &[("Cookie", "_ga=1")]);
        let control = answer.header("Cache-Control").unwrap();
        assert!(control.starts_with("public, max-age=300"), "{control}");
        // Nobody else may purge; here everybody is near.
        let mut connection = http::Connection::open(&cache.address);
        connection.send(b"PURGE /a/ HTTP/1.1\r\nHost: localhost\r\n\r\n");
        assert_eq!(connection.answer("PURGE").status, 200);
    }
}
