//! `anp serve`, by its contract in docs/serving.md: the real program, a real server, bytes.
#![cfg(feature = "serve")]

mod archive;
mod cached;
mod cluster;
mod gzip;
mod index;
mod page;
mod readers;
mod trouble;

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::World;
use crate::support::http::{self, Answer};

/// A preview under way; ended when the test ends.
struct Serving {
    child: Child,
    address: String,
}

impl Serving {
    /// The preview of the world's store.
    fn of(world: &World) -> Self {
        Self::start(&mut world.command("state", &[]))
    }

    /// `anp …` with `serve` and a free port.
    fn start(command: &mut Command) -> Self {
        Self::start_with(command, &[])
    }

    /// The same, with further options of `serve`.
    fn start_with(command: &mut Command, options: &[&str]) -> Self {
        let mut child = command
            .args(["serve", "--format", "json"])
            .args(options)
            .env("ANP_SERVE_ADDR", "127.0.0.1:0")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        let Ok(said) = serde_json::from_str::<serde_json::Value>(&line) else {
            let mut stderr = String::new();
            child
                .stderr
                .take()
                .unwrap()
                .read_to_string(&mut stderr)
                .unwrap();
            panic!("it does not serve: {stderr}");
        };
        let address = said["addr"].as_str().unwrap().to_owned();
        Self { child, address }
    }

    fn get(&self, path: &str) -> Answer {
        http::get(&self.address, path)
    }

    fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        http::request(&self.address, "GET", path, headers)
    }

    /// Asks for `path` until the answer is as it should be.
    #[track_caller]
    fn until(&self, path: &str, is_so: impl Fn(&Answer) -> bool) -> Answer {
        let until = Instant::now() + Duration::from_secs(30);
        loop {
            let answer = self.get(path);
            if is_so(&answer) {
                return answer;
            }
            assert!(Instant::now() < until, "{path} is still {answer:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Sends a signal, and returns the exit code and all of stderr.
    fn end(mut self, signal: &str) -> (i32, String) {
        crate::support::signal(&self.child, signal);
        let code = self.child.wait().unwrap().code().unwrap();
        let mut stderr = String::new();
        let mut pipe = self.child.stderr.take().unwrap();
        pipe.read_to_string(&mut stderr).unwrap();
        (code, stderr)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            // Killed, it would leave its private server behind.
            crate::support::signal(&self.child, "TERM");
        }
        let _ = self.child.wait();
    }
}

/// The article `/a/`, imported.
fn one() -> World {
    let world = World::new();
    world.article("a.md", "The first text.");
    world.anp("import").exits(0);
    world
}
