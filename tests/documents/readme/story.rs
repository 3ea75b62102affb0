//! Runs the command blocks of a page, in order, and compares what they print.
//!
//! A `console` block holds commands behind `$ ` and, below each, what it prints (stdout and
//! stderr as a terminal shows them). A command without output is only run. It must exit with
//! 0, unless the next command is `$ echo $?`, whose output then is its code.
//!
//! A block that names a file after its language (`html templates/page.html`) is that file: the story
//! writes it into its folder.
//!
//! What differs from run to run need not be equal: run ids (but one id on the page is one run
//! in the story), times, durations, sizes in bytes, digests. `…` stands for what the page
//! leaves out: within a line for any text, alone on a line for any lines. All else is equal,
//! character for character.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use regex::Regex;

use crate::support::{Server, server_program};

/// One fenced block of a page.
pub struct Block {
    pub language: String,
    /// The file that it is, as a path below /srv/archive.
    pub file: Option<String>,
    /// Line of its first line, from 1.
    pub line: usize,
    pub text: String,
}

/// The fenced blocks of a page, in order.
pub fn blocks(page: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut open = false;
    for (index, line) in page.lines().enumerate() {
        match line.strip_prefix("```") {
            Some(_) if open => open = false,
            Some(info) => {
                open = true;
                let mut words = info.split(' ').map(str::to_owned);
                blocks.push(Block {
                    language: words.next().unwrap(),
                    file: words.next(),
                    line: index + 2,
                    text: String::new(),
                });
            }
            None if open => {
                let block = blocks.last_mut().unwrap();
                block.text += line;
                block.text.push('\n');
            }
            None => {}
        }
    }
    assert!(!open, "the last block is not closed");
    blocks
}

/// A command of a page, with what the page says it prints.
struct Told {
    line: usize,
    command: String,
    output: Vec<String>,
}

fn told(block: &Block) -> Vec<Told> {
    let mut all: Vec<Told> = Vec::new();
    for (index, line) in block.text.lines().enumerate() {
        let number = block.line + index;
        if let Some(command) = line.strip_prefix("$ ") {
            all.push(Told {
                line: number,
                command: command.to_owned(),
                output: Vec::new(),
            });
        } else {
            let last = all.last_mut();
            let last = last.unwrap_or_else(|| panic!("line {number}: output before a command"));
            last.output.push(line.to_owned());
        }
    }
    all
}

/// A folder with the sample content and settings, a server, and the runs so far.
pub struct Story {
    folder: tempfile::TempDir,
    pub server: Server,
    /// Run ids of the page and the runs of the story that they stand for.
    runs: HashMap<String, String>,
    /// What is typed before each command, in the shell that it is typed in.
    pub prelude: String,
    /// Commands that were run.
    pub commands: usize,
}

/// The folder and the socket as pages name them.
const FOLDER: &str = "/srv/archive";
const SOCKET: &str = "/run/redis.sock";
/// Other folders of a machine. They have the same path below the story's folder.
const FOLDERS: [&str; 4] = [
    "/var/lib/anp",
    "/etc/anp",
    "/etc/cron.d",
    "/etc/systemd/system",
];

/// The programs that a page may call; others might not be safe to run.
const PROGRAMS: &[&str] = &[
    "anp",
    "redis-cli",
    "zstdcat",
    "jq",
    "printf",
    "cp",
    "truncate",
    "dd",
    "base64",
    "sort",
    "uniq",
    "tail",
    "head",
    "rm",
    "sed",
    "cd",
    ".",
];

impl Story {
    pub fn begin() -> Self {
        let folder = tempfile::Builder::new().prefix("anp").tempdir().unwrap();
        for relative in anp::source::walk(Path::new("content"))
            .unwrap()
            .sources
            .paths()
        {
            let to = folder.path().join("content").join(&relative);
            std::fs::create_dir_all(to.parent().unwrap()).unwrap();
            std::fs::copy(Path::new("content").join(&relative), to).unwrap();
        }
        std::fs::copy("anp.yaml", folder.path().join("anp.yaml")).unwrap();
        Self {
            folder,
            server: Server::start(),
            runs: HashMap::new(),
            prelude: String::new(),
            commands: 0,
        }
    }

    /// The tools that pages use and a machine may lack.
    pub fn missing_tool() -> Option<&'static str> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        ["jq", "zstdcat"]
            .into_iter()
            .find(|tool| !std::env::split_paths(&path).any(|folder| folder.join(tool).is_file()))
    }

    pub fn path(&self, relative: &str) -> PathBuf {
        self.folder.path().join(relative)
    }

    /// Writes the file of `block`.
    pub fn write(&self, block: &Block) {
        let path = self.path(block.file.as_deref().unwrap());
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, &block.text).unwrap();
    }

    /// Runs every command of `block`.
    pub fn run(&mut self, block: &Block) {
        let mut code = None;
        for told in told(block) {
            if told.command == "echo $?" {
                let code: i32 = code
                    .take()
                    .unwrap_or_else(|| panic!("line {}: the code of what?", told.line));
                assert_eq!(told.output, [code.to_string()], "line {}", told.line);
                continue;
            }
            if let Some(code) = code.replace(self.run_one(&told)) {
                assert_eq!(
                    code, 0,
                    "exit code of the command before line {}",
                    told.line
                );
            }
        }
        assert_eq!(
            code.unwrap_or(0),
            0,
            "exit code of the block at {}",
            block.line
        );
    }

    fn run_one(&mut self, told: &Told) -> i32 {
        self.commands += 1;
        let (shown, code) = if let Some(target) = told.command.strip_prefix("make ") {
            self.shell(&format!("make -n {target}"), Path::new("."))
        } else if told.command == "cargo uninstall anp" {
            assert_eq!(env!("CARGO_PKG_NAME"), "anp");
            (String::new(), 0)
        } else {
            self.check_is_known(told);
            self.shell(&self.real(&told.command), self.folder.path())
        };
        if told.command.starts_with("cd ") && !told.command.contains("&&") {
            // The commands below are run there.
            let folder = self.real(&told.command);
            self.prelude.push_str(&format!("{folder}\n"));
        }
        if told.command.starts_with("make ") {
            assert_eq!(told.output, [""; 0], "line {}: not compared", told.line);
        } else if !told.output.is_empty()
            && let Err(why) = self.compare(&told.output, &shown)
        {
            panic!(
                "line {}: $ {}\n{why}\n--- exit {code}, printed:\n{shown}",
                told.line, told.command
            );
        }
        if code != 0 {
            // Shown where the page does not expect it.
            eprintln!("exit {code}: $ {}\n{shown}", told.command);
        }
        code
    }

    fn check_is_known(&self, told: &Told) {
        let separators = Regex::new(r"\|\||&&|[|;]").unwrap();
        let quoted = Regex::new(r"'[^']*'").unwrap();
        let plain = quoted.replace_all(&told.command, "quoted");
        for part in separators.split(&plain) {
            let mut words = part.split_whitespace();
            let program = words.find(|word| !word.contains('=')).unwrap_or_default();
            assert!(
                PROGRAMS.contains(&program),
                "line {}: the test does not know how to run '{program}'",
                told.line
            );
        }
    }

    /// The command with the folder, socket and runs of this story.
    pub fn real(&self, command: &str) -> String {
        let folder = self.folder.path().to_str().unwrap();
        let mut command = command
            .replace(FOLDER, folder)
            .replace(SOCKET, self.server.socket().to_str().unwrap());
        for other in FOLDERS {
            command = command.replace(other, &format!("{folder}{other}"));
        }
        for (page, run) in &self.runs {
            command = command.replace(page, run);
        }
        if server_program().ends_with("valkey-server") {
            command = command.replace("redis-cli", "valkey-cli");
        }
        command
    }

    /// Runs `command`, and returns what a terminal would show and the exit code.
    fn shell(&self, command: &str, folder: &Path) -> (String, i32) {
        let own = Path::new(env!("CARGO_BIN_EXE_anp")).parent().unwrap();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::iter::once(own.to_owned()).chain(std::env::split_paths(&path));
        let mut shell = Command::new("sh");
        shell
            .arg("-c")
            .arg(format!("exec 2>&1\n{}\n{command}", self.prelude))
            .current_dir(folder)
            .env("PATH", std::env::join_paths(path).unwrap())
            .stdin(Stdio::null());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("ANP_") {
                shell.env_remove(name);
            }
        }
        shell.env("HOME", self.folder.path());
        let output = shell.output().unwrap();
        let folder = self.folder.path().to_str().unwrap();
        let mut shown = String::from_utf8_lossy(&output.stdout).into_owned();
        for other in FOLDERS {
            shown = shown.replace(&format!("{folder}{other}"), other);
        }
        let shown = shown
            .replace(folder, FOLDER)
            .replace(self.server.socket().to_str().unwrap(), SOCKET);
        (shown, output.status.code().unwrap_or(-1))
    }

    /// Runs the command of a crontab line: five fields of time, a user, the rest.
    pub fn run_cron(&mut self, line: &str) -> i32 {
        let command = line
            .split_whitespace()
            .skip(6)
            .collect::<Vec<_>>()
            .join(" ");
        self.commands += 1;
        let (shown, code) = self.shell(&self.real(&command), Path::new("/"));
        eprintln!("{shown}");
        code
    }

    fn compare(&mut self, page: &[String], shown: &str) -> Result<(), String> {
        let shown: Vec<&str> = shown.lines().collect();
        let run_ids = Regex::new(RUN).unwrap();
        let mut at = 0;
        let mut skipping = false;
        for line in page {
            if line.trim() == "…" {
                skipping = true;
                continue;
            }
            let pattern = self.pattern(line);
            let found = loop {
                let Some(next) = shown.get(at) else {
                    return Err(format!("is not printed, or not there: {line}"));
                };
                at += 1;
                match pattern.captures(next) {
                    Some(found) => break found,
                    None if skipping => {}
                    None => return Err(format!("the page : {line}\nprinted  : {next}")),
                }
            };
            skipping = false;
            for (index, id) in run_ids.find_iter(line).enumerate() {
                if let Some(run) = found.name(&format!("run{index}")) {
                    let run = run.as_str().to_owned();
                    let same = |(page, known): (&String, &String)| {
                        (page == id.as_str()) == (*known == run)
                    };
                    if !self.runs.iter().all(same) {
                        return Err(format!("runs are mixed up: {line}"));
                    }
                    self.runs.insert(id.as_str().to_owned(), run);
                }
            }
        }
        if at < shown.len() && !skipping {
            return Err(format!("the page lacks: {}", shown[at]));
        }
        Ok(())
    }

    /// The pattern that a line of the page stands for.
    fn pattern(&self, line: &str) -> Regex {
        let any = Regex::new(&CHANGING.map(|kind| format!("({kind})")).join("|")).unwrap();
        let mut pattern = String::from("^");
        let mut runs = 0;
        let mut from = 0;
        for found in any.captures_iter(line) {
            let whole = found.get(0).unwrap();
            pattern += &regex::escape(&line[from..whole.start()]);
            from = whole.end();
            let kind = (1..=CHANGING.len()).find(|kind| found.get(*kind).is_some());
            let kind = CHANGING[kind.unwrap() - 1];
            if kind == RUN {
                pattern += &match self.runs.get(whole.as_str()) {
                    Some(run) => regex::escape(run),
                    None => format!("(?<run{runs}>{RUN})"),
                };
                runs += 1;
            } else {
                pattern += if kind == "…" { ".*" } else { kind };
            }
        }
        pattern += &regex::escape(&line[from..]);
        Regex::new(&(pattern + "$")).unwrap()
    }
}

const RUN: &str = r"\d{8}T\d{6}\.\d{3}Z-[0-9a-f]{4}";

/// What differs from run to run. No groups.
const CHANGING: [&str; 10] = [
    "…",
    RUN,
    r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?Z", // a time
    r"\b1[789]\d{11}\b",                             // milliseconds since 1970
    r"\b(?:[0-9a-f]{40}|[0-9a-f]{32})\b",            // SHA-1, digest
    r" +\d+\.\d\d s\b",                              // a duration, aligned to the right
    r#""seconds":\d+\.\d+"#,
    r"\b(?:\d+[dhms])+ left",
    r"(?:\b\d+ bytes| bytes +\d+$)",
    r#""bytes":\d+"#,
];
