//! Progress bars, on a terminal of a given width.

use std::fs::File;
use std::io::Read as _;
use std::process::{Child, Stdio};

use regex::Regex;

use crate::support::{World, signal, terminal};

/// A terminal, and what a person sees on it.
struct Terminal {
    screen: File,
    /// All that was written to it.
    written: Vec<u8>,
}

impl Terminal {
    /// A terminal of this width, with anp running on it.
    fn run(world: &World, columns: u16, arguments: &[&str]) -> (Self, Child) {
        let (screen, side) = terminal::open(columns);
        let mut command = world.command("state", arguments);
        let child = command
            .env("TERM", "xterm")
            .stdout(Stdio::null())
            .stderr(side)
            .spawn()
            .unwrap();
        let terminal = Self {
            screen,
            written: Vec::new(),
        };
        (terminal, child)
    }

    /// Reads until a text was written, or anp has ended.
    fn read_until(&mut self, text: &str) -> bool {
        let mut buffer = [0; 4096];
        while !self.text().contains(text) {
            // EIO is how a terminal says that nobody else has it open.
            match self.screen.read(&mut buffer) {
                Ok(0) | Err(_) => return false,
                Ok(count) => self.written.extend(&buffer[..count]),
            }
        }
        true
    }

    fn read_to_end(&mut self) {
        let _ = self.read_until("\u{0}");
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.written).into_owned()
    }

    /// Each line that was drawn, without what steers the terminal.
    fn drawn(&self) -> Vec<String> {
        let text = self.text();
        let steering = Regex::new("\u{1b}\\[[0-9;?]*[A-Za-z]").unwrap();
        let lines = text.split(['\r', '\n']);
        let lines = lines.map(|line| steering.replace_all(line, "").into_owned());
        lines.filter(|line| !line.trim().is_empty()).collect()
    }

    /// The bars among them.
    fn bars(&self) -> Vec<String> {
        let mut drawn = self.drawn();
        drawn.retain(|line| line.starts_with("survey ") || line.starts_with("write "));
        drawn
    }

    /// What is left of the line that a stage was drawn on.
    fn left_of(&self, stage: &str) -> String {
        let text = self.text();
        let after = &text[text.rfind(stage).unwrap()..];
        let cleared = after.find("\u{1b}[2K").expect("the line is cleared");
        after[cleared..].to_owned()
    }
}

fn world() -> World {
    let world = World::new();
    for number in 0..3000 {
        world.article(&format!("n{number}.md"), "Text.");
    }
    world
}

#[test]
fn a_bar_fits_on_its_terminal_and_goes_with_its_stage() {
    let world = world();
    for (columns, form) in [
        (
            120,
            r"^survey [=> ]{20,} [0-9,]+/3,000 articles( [0-9.]+[kM]?/s [0-9hms]+ left)? *$",
        ),
        (
            40,
            r"^survey [=> ]+ +[0-9]+%( [0-9.]+[kM]?/s [0-9hms]+ left)? *$",
        ),
    ] {
        let arguments = ["import", "--no-cache", "--dry-run"];
        let (mut terminal, mut child) = Terminal::run(&world, columns, &arguments);
        terminal.read_to_end();
        assert!(child.wait().unwrap().success(), "{}", terminal.text());
        let bars = terminal.bars();
        assert!(!bars.is_empty(), "{}", terminal.text());
        let form = Regex::new(form).unwrap();
        for bar in &bars {
            assert!(form.is_match(bar), "{columns}: {bar:?}");
            assert!(bar.chars().count() <= usize::from(columns), "{bar:?}");
        }
        let left = terminal.left_of("survey ");
        assert!(!left.contains("articles"), "{left:?}");
    }
    let (mut terminal, mut child) = Terminal::run(&world, 80, &["import", "-n", "--quiet"]);
    terminal.read_to_end();
    assert!(child.wait().unwrap().success());
    assert_eq!(terminal.bars(), [""; 0]);
}

#[test]
fn ctrl_c_leaves_no_bar_behind() {
    let world = world();
    let (mut terminal, mut child) = Terminal::run(&world, 80, &["import"]);
    assert!(terminal.read_until("survey "), "{}", terminal.text());
    signal(&child, "INT");
    terminal.read_to_end();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let left = terminal.left_of("survey ");
    assert!(
        left.contains("error:") && left.contains("interrupted"),
        "{left:?}"
    );
    assert!(!left.contains("articles"), "{left:?}");
}
