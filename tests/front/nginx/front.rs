//! nginx with the files of deploy/nginx.

use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use regex::Regex;
use tempfile::TempDir;

use super::origin::Origin;
use crate::support::http::{Answer, Connection};
use crate::support::{Ran, World, signal};

const NGINX: &str = "/usr/sbin/nginx";
const MODULES: &str = "/usr/lib/nginx/modules";

/// A block of docs/serving.md in this language, the first that has the text.
pub fn block(language: &str, having: &str) -> String {
    let page = std::fs::read_to_string("docs/serving.md").unwrap();
    let opened = format!("```{language}\n");
    let found = page
        .split(&opened)
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .find(|text| text.contains(having));
    found
        .unwrap_or_else(|| panic!("no block with {having}"))
        .to_owned()
}

/// nginx, set up as docs/serving.md says, in a folder of its own.
pub struct Front {
    folder: TempDir,
    nginx: Child,
    pub origin: Origin,
}

impl Front {
    pub fn start(world: &World) -> Self {
        Self::start_with(world, &[])
    }

    /// The same with some values changed at the top of site.conf; `{root}` is nginx's folder.
    pub fn start_with(world: &World, settings: &[(&str, &str)]) -> Self {
        let site = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/nginx/site.conf");
        let redis = format!("unix:{}", world.server.socket().display());
        let redis = ("unix:/run/redis/redis-server.sock", redis.as_str());
        let settings: Vec<_> = std::iter::once(redis)
            .chain(settings.iter().copied())
            .collect();
        Self::start_site(world, std::fs::read_to_string(site).unwrap(), &settings)
    }

    /// The same with the text of another site.
    pub fn start_site(world: &World, mut text: String, settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::Builder::new().prefix("anp").tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let origin = Origin::start(folder.path().join("origin"));
        set_up(world, &folder);
        let site = path("etc/sites-available/anp");
        for (from, to) in [
            (
                "listen 80;",
                format!("listen unix:{};", path("front")).as_str(),
            ),
            (
                "127.0.0.1:8080",
                format!("unix:{}", path("origin")).as_str(),
            ),
        ]
        .iter()
        .chain(settings)
        {
            assert_eq!(text.matches(from).count(), 1, "{from}");
            text = text.replace(from, &to.replace("{root}", &path("")));
        }
        std::fs::write(&site, text).unwrap();
        let nginx = world
            .program(NGINX)
            .args(arguments(&folder))
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut front = Self {
            folder,
            nginx,
            origin,
        };
        let until = Instant::now() + Duration::from_secs(20);
        while UnixStream::connect(front.folder.path().join("front")).is_err() {
            let ended = front.nginx.try_wait().unwrap();
            assert!(
                ended.is_none() && Instant::now() < until,
                "{}",
                front.errors()
            );
            std::thread::sleep(Duration::from_millis(5));
        }
        // Only an answer says that nginx takes signals. This one it gives alone.
        front.ask("TRACE", "/", &[]).is(405);
        front
    }

    pub fn connect(&self) -> UnixStream {
        UnixStream::connect(self.path("front")).unwrap()
    }

    #[track_caller]
    pub fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        Connection::over(self.connect()).only(method, path, headers)
    }

    #[track_caller]
    pub fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[])
    }

    /// Asks until the answer's X-Cache is this one.
    #[track_caller]
    pub fn get_until(&self, path: &str, cache: &str) -> Answer {
        let until = Instant::now() + Duration::from_secs(20);
        loop {
            let answer = self.get(path);
            if answer.header("x-cache").as_deref() == Some(cache) {
                return answer;
            }
            assert!(
                Instant::now() < until,
                "no {cache}: {answer:?}\n{}",
                self.errors()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// A file of nginx, such as `etc/sites-available/anp`.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The error log.
    pub fn errors(&self) -> String {
        std::fs::read_to_string(self.path("error.log")).unwrap_or_default()
    }

    /// A line of docs/serving.md in a shell, with the folders of this nginx and without
    /// systemd, which would send the same signal.
    pub fn shell(&self, world: &World, line: &str) {
        let reload = format!("kill -s HUP {}", self.nginx.id());
        let line = here(&self.folder, line).replace("systemctl reload nginx", &reload);
        Ran::of(world.program("sh").args(["-ec", &line])).exits(0);
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        // Killed, it would leave its workers behind.
        signal(&self.nginx, "TERM");
        let _ = self.nginx.wait();
    }
}

/// What `nginx` is called with.
pub fn arguments(folder: &TempDir) -> [String; 6] {
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    [
        "-p".to_owned(),
        path(""),
        "-e".to_owned(),
        path("error.log"),
        "-c".to_owned(),
        path("etc/nginx.conf"),
    ]
}

/// The same text with the folders of the test in the place of those of the machine.
fn here(folder: &TempDir, text: &str) -> String {
    let root = folder.path().display();
    text.replace("/etc/nginx", &format!("{root}/etc"))
        .replace("/usr/local", &format!("{root}/local"))
        .replace("/var/log", &format!("{root}"))
        .replace("-o root -g www-data ", "")
}

/// Does what docs/serving.md says of the files, and writes an nginx.conf as Debian has it.
pub fn set_up(world: &World, folder: &TempDir) {
    let there = [
        NGINX,
        &format!("{MODULES}/ngx_http_lua_module.so"),
        "/usr/share/lua/5.1/nginx/redis.lua",
    ]
    .iter()
    .all(|path| std::path::Path::new(path).exists());
    let packages = "libnginx-mod-http-lua lua-nginx-redis";
    assert!(
        there,
        "this test needs nginx: apt-get install nginx {packages}, or scripts/setup.sh tests"
    );
    for name in ["etc/sites-enabled", "nginx"] {
        std::fs::create_dir_all(folder.path().join(name)).unwrap();
    }
    let install = block("sh", "anp.lua");
    let (first, rest) = install.split_once('\n').unwrap();
    assert_eq!(first, format!("apt-get install nginx {packages}"));
    let repository = env!("CARGO_MANIFEST_DIR");
    let lines = here(folder, rest).replace("deploy/", &format!("{repository}/deploy/"));
    Ran::of(world.program("sh").args(["-ec", &lines])).exits(0);
    let log = here(folder, &block("nginx", "log_format"));
    let root = folder.path().display();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path {root}/{name};\n"))
        .concat();
    // As root nginx would go on as nobody, who may not use the test's files.
    let text = format!(
        "load_module {MODULES}/ndk_http_module.so;\n\
         load_module {MODULES}/ngx_http_lua_module.so;\n\
         user root root;\ndaemon off;\nworker_processes 2;\npid {root}/pid;\n\
         events {{}}\nhttp {{\n{temporary}{log}\
         lua_package_path \"{root}/local/share/lua/5.1/?.lua;;\";\n\
         include {root}/etc/sites-enabled/*;\n}}\n"
    );
    std::fs::write(folder.path().join("etc/nginx.conf"), text).unwrap();
}

/// How often the server was sent the command.
pub fn calls(world: &World, command: &str) -> u64 {
    let text: String = redis::cmd("INFO")
        .arg("commandstats")
        .query(&mut world.server.connection())
        .unwrap();
    let line = Regex::new(&format!(r"cmdstat_{command}:calls=(\d+)")).unwrap();
    line.captures(&text)
        .map_or(0, |found| found[1].parse().unwrap())
}

/// Waits until it is so, at most 20 s.
#[track_caller]
pub fn until(what: &str, is_so: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !is_so() {
        assert!(Instant::now() < end, "in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
