//! What every command prints on a terminal of 40, 80 and 120 columns, with and without colour: the
//! snapshots in tests/cmd, which people review.

use std::fmt::Write as _;
use std::io::Read as _;
use std::process::Stdio;
use std::sync::OnceLock;

use regex::Regex;

use crate::support::{World, terminal, this_host};

/// Most lines of an output that are kept.
const MOST_LINES: usize = 50;

/// The commands, in the order in which a person may type them.
const COMMANDS: &[&str] = &[
    "init new",
    "check",
    "check --format concise",
    "import --dry-run",
    "import",
    "status",
    "ls",
    "runs",
    "runs show last",
    "import --quiet",
    "show /guides/first/",
    "show /guides/frist/",
    "verify last",
    "edit",
    "diff",
    "diff --stat",
    "warm --ttl-below 30d --ttl 60d",
    "purge /guides/second/",
    "rollback last",
    "rollback last --dry-run",
    "rehearse",
    "pause --reason a-move",
    "import",
    "resume",
    "unlock 20260101T000000.000Z-0000",
    "serve --addr nowhere",
    "serve -h",
    "probe http://127.0.0.1:1",
    "synth --count 2 --out made",
    "schema",
    "completions bash",
    "impotr",
    "import --source x",
    "-h",
    "import -h",
    "help rollback",
];

fn world() -> World {
    let world = World::new();
    world
        .write(
            "content/guides/first.md",
            "---\ntitle: The first guide\ndate: 2026-01-05\ntags: [redis, cron]\n---\nThe text of the first guide.\n",
        )
        .write(
            "content/guides/second.md",
            "---\ntitle: A second guide with a title that is too long for a column of a table\n---\nText.\n",
        )
        .write("content/draft.md", "---\ntitle: Draft\ndraft: true\n---\nText.\n")
        .write("content/warned.md", "---\ntitle: Warned\nsumary: x\n---\n<video src=x></video>\n")
        .write("content/bad.md", "---\ntitle: Bad\nscore: {quality: 140}\n---\nText.\n");
    world
}

/// What a person sees of `anp COMMAND`, stdout first.
fn shown(world: &World, command: &str, columns: u16, colour: &str) -> String {
    let (mut screen, side) = terminal::open(columns);
    let arguments: Vec<&str> = command.split_whitespace().collect();
    let mut anp = world.bare();
    let mut child = anp
        .env("ANP_REDIS_URL", world.server.url())
        .env("ANP_STATE_DIR", world.path("state"))
        .env("ANP_OWNER", "desk")
        .env("TERM", "xterm-256color")
        .env("TZ", "UTC")
        .env("COLUMNS", columns.to_string())
        .args(["--color", colour])
        .args(arguments)
        .stdout(side)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Its own copy of the terminal, which would stay open.
    drop(anp);
    let mut stderr = child.stderr.take().unwrap();
    let notes = std::thread::spawn(move || {
        let mut text = Vec::new();
        stderr.read_to_end(&mut text).unwrap();
        text
    });
    let mut result = Vec::new();
    let mut buffer = [0; 4096];
    // EIO is how a terminal says that nobody else has it open.
    while let Ok(count @ 1..) = screen.read(&mut buffer) {
        result.extend(&buffer[..count]);
    }
    let code = child.wait().unwrap().code().unwrap();
    let notes = notes.join().unwrap();
    let mut text = format!("$ anp {command}\n");
    for (bytes, mark) in [(result, ""), (notes, "  (stderr)\n")] {
        let lines = masked(world, &String::from_utf8_lossy(&bytes));
        if !lines.is_empty() {
            text += mark;
        }
        for line in lines.iter().take(MOST_LINES) {
            let _ = writeln!(text, "{line}");
        }
        if lines.len() > MOST_LINES {
            let _ = writeln!(text, "… {} more lines", lines.len() - MOST_LINES);
        }
    }
    let _ = writeln!(text, "  (exit {code})\n");
    text
}

/// Texts that differ between runs or machines, each with its replacement.
const MASKED: &[(&str, &str)] = &[
    (
        r"\d{8}T\d{6}\.\d{3}Z-[0-9a-f]{4}",
        "20260102T030405.678Z-abcd",
    ),
    (r"(?m)^\d{8}T\d{6}\S* ", "20260102T030405 "),
    (
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z",
        "2026-01-02T03:04:05.678Z",
    ),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ", "2026-01-02 03:04:05Z"),
    (r"\b\d\d [A-Z][a-z][a-z] \d\d:\d\d", "02 Jan 03:04"),
    (r"\b\d+\.\d+ s\b", "0.12 s"),
    (r"in [0-9.]+ ms", "in 0.12 ms"),
    (r"[0-9.]+ MB used", "1.2 MB used"),
    (r"(?:Redis|Valkey) [0-9]+\.[0-9.]+", "Redis 7.0.15"),
    (r"\b\d+s ago", "0s ago"),
    (r"(?:\d+[dhms])+ left", "7d16h left"),
    (r"\b[0-9]\.[0-9]K\b", "6.5K"),
    (r"\b[0-9a-f]{32}\b", "0123456789abcdef0123456789abcdef"),
    (r"\b\d{3,6} bytes", "12345 bytes"),
    (r"bytes {12}\d{5}", "bytes            12345"),
    (r"127\.0\.0\.1:\d{2,}", "127.0.0.1:8080"),
    (r"rehearsal:[0-9a-f]{8}", "rehearsal:0123abcd"),
    (r"\bpid \d+", "pid 4321"),
    (r"(?m)^user {7}\S+", "user       operator"),
];

/// The lines of an output, with what is another in each run replaced by something of the same form.
fn masked(world: &World, text: &str) -> Vec<String> {
    static MASKS: OnceLock<Vec<(Regex, &str)>> = OnceLock::new();
    let masks = MASKS.get_or_init(|| {
        MASKED
            .iter()
            .map(|(pattern, mask)| (Regex::new(pattern).unwrap(), *mask))
            .collect()
    });
    let mut text = text
        .replace(env!("CARGO_BIN_EXE_anp"), "anp")
        .replace(world.server.socket().to_str().unwrap(), "/run/redis.sock")
        .replace(world.folder.path().to_str().unwrap(), "/srv/archive")
        .replace('\u{1b}', "␛")
        .replace(&format!(" {},", this_host()), " host,")
        .replace(&format!("desk on {}", this_host()), "desk on host");
    for (pattern, mask) in masks {
        text = pattern.replace_all(&text, *mask).into_owned();
    }
    text.lines()
        .map(|line| line.trim_end().to_owned())
        .collect()
}

/// All commands, one after the other in one world.
fn transcript(columns: u16, colour: &str) -> String {
    let world = world();
    let mut text = String::new();
    for command in COMMANDS {
        match *command {
            "edit" => {
                world.write(
                    "content/guides/first.md",
                    "---\ntitle: The first guide\ndate: 2026-01-05\ntags: [redis]\n---\nThe new text of the first guide.\n",
                );
            }
            command => text += &shown(&world, command, columns, colour),
        }
    }
    text
}

#[test]
fn every_command_prints_what_was_reviewed() {
    std::thread::scope(|scope| {
        for columns in [40, 80, 120] {
            for colour in ["never", "always"] {
                scope.spawn(move || {
                    let text = transcript(columns, colour);
                    if colour == "never" {
                        assert!(!text.contains('␛'), "{text}");
                    }
                    insta::with_settings!({
                        snapshot_path => "../cmd", prepend_module_to_snapshot => false, omit_expression => true,
                    }, {
                        insta::assert_snapshot!(format!("{columns}-columns-colour-{colour}"), text);
                    });
                });
            }
        }
    });
}
