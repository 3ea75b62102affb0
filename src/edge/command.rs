//! `after.command`: a program that gets a run as JSON lines on stdin.

use std::fs::File;
use std::io::{self, PipeWriter, Read as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::characters::in_one_line;
use rustix::process::{Pid, Signal, kill_process_group};

/// How often a running program is looked at.
const STEP: Duration = Duration::from_millis(10);
/// So many bytes of what it printed are shown if it fails.
const SHOWN_BYTES: usize = 300;
/// So long the last of it is waited for.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// Runs `words` with `stdin`, for at most `timeout`, and with the variable `ANP_RUN`. What it starts
/// ends with it.
///
/// # Errors
/// One sentence: it cannot be started, took too long, or failed.
pub fn run(
    words: &[String],
    stdin: File,
    run: &str,
    timeout: Duration,
    stop: &AtomicBool,
) -> Result<(), String> {
    let Some((program, arguments)) = words.split_first() else {
        return Ok(());
    };
    let mut output = Printed::default();
    let spawned = output.pipe().and_then(|pipe| {
        Command::new(program)
            .args(arguments)
            .env("ANP_RUN", run)
            .stdin(stdin)
            .stdout(pipe.try_clone()?)
            .stderr(pipe)
            .process_group(0)
            .spawn()
    });
    let mut child = spawned.map_err(|error| format!("cannot start {program}: {error}"))?;
    let ended = wait(&mut child, timeout, stop);
    if ended.is_err() {
        end(&mut child);
    }
    let what = match ended {
        Ok(status) if status.success() => return Ok(()),
        Ok(status) => how(status),
        Err(what) => what,
    };
    Err(format!("{what}{}", output.shown()))
}

fn wait(child: &mut Child, timeout: Duration, stop: &AtomicBool) -> Result<ExitStatus, String> {
    let until = Instant::now() + timeout;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status),
            Ok(None) => {}
            Err(error) => return Err(format!("cannot wait for it: {error}")),
        }
        if stop.load(Ordering::Relaxed) {
            return Err("interrupted by a signal".to_owned());
        }
        if Instant::now() >= until {
            return Err(format!("it took more than {} s", timeout.as_secs()));
        }
        std::thread::sleep(STEP);
    }
}

/// Kills the program and what it started.
fn end(child: &mut Child) {
    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    if let Some(group) = group {
        // It is gone already if this fails.
        let _ = kill_process_group(group, Signal::KILL);
    }
    let _ = child.wait();
}

fn how(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("it ended with {code}"),
        (None, Some(signal)) => format!("signal {signal} ended it"),
        (None, None) => "it failed".to_owned(),
    }
}

/// The end of what a program prints. The rest is read and dropped: it may print without an end.
#[derive(Default)]
struct Printed {
    end: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

impl Printed {
    /// What the program writes into.
    fn pipe(&mut self) -> io::Result<PipeWriter> {
        let (mut reader, writer) = io::pipe()?;
        let end = Arc::clone(&self.end);
        let read = move || {
            let mut buffer = [0; 8 * 1024];
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                let mut end = end.lock().unwrap_or_else(PoisonError::into_inner);
                end.extend_from_slice(&buffer[..count]);
                let before = end.len().saturating_sub(SHOWN_BYTES);
                end.drain(..before);
            }
        };
        self.reader = Some(std::thread::Builder::new().spawn(read)?);
        Ok(writer)
    }

    /// The end of it, as a part of a message. What left the group of the program may hold the pipe for ever.
    fn shown(&self) -> String {
        let until = Instant::now() + LAST_WORDS;
        let is_reading = |reader: &JoinHandle<()>| !reader.is_finished();
        while self.reader.as_ref().is_some_and(is_reading) && Instant::now() < until {
            std::thread::sleep(STEP);
        }
        let end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        let text = in_one_line(&String::from_utf8_lossy(&end));
        match text.trim() {
            "" => String::new(),
            text => format!(": {text}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Seek as _, Write as _};
    use std::sync::atomic::AtomicBool;
    use std::time::Duration;

    use super::run;

    fn tried(script: &str, timeout: Duration) -> Result<(), String> {
        let mut stdin = tempfile::tempfile().unwrap();
        stdin.write_all(b"one\ntwo\n").unwrap();
        stdin.rewind().unwrap();
        let words = ["/bin/sh", "-c", script].map(str::to_owned);
        run(&words, stdin, "RUN", timeout, &AtomicBool::new(false))
    }

    #[test]
    fn a_program_gets_the_lines_and_its_failure_is_told() {
        let long = Duration::from_secs(60);
        assert_eq!(tried("test \"$(wc -l)$ANP_RUN\" = 2RUN", long), Ok(()));
        assert_eq!(tried("exec true", long), Ok(()));
        let failed = tried("echo out; echo wrong >&2; exit 7", long);
        assert_eq!(failed.unwrap_err(), "it ended with 7: out wrong");
        let killed = tried("kill -9 $$", long);
        assert_eq!(killed.unwrap_err(), "signal 9 ended it");
        let words = ["/none/there".to_owned()];
        let stdin = tempfile::tempfile().unwrap();
        let none = run(&words, stdin, "RUN", long, &AtomicBool::new(false));
        assert!(none.unwrap_err().starts_with("cannot start /none/there: "));
    }

    #[test]
    fn a_program_that_takes_too_long_ends_with_all_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pid");
        let script = format!("sleep 600 & echo $! > {}; wait", file.display());
        let failed = tried(&script, Duration::from_secs(2));
        assert_eq!(failed.unwrap_err(), "it took more than 2 s");
        let pid = std::fs::read_to_string(file).unwrap();
        let state = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim()));
        assert!(
            state.map_or(true, |state| state.contains(") Z ")),
            "it lives"
        );
    }
}
