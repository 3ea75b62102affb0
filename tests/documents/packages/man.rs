//! The man pages in docs/man: made from the table of the command line, and free of warnings.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command as Program;

use anp::cli::Cli;
use clap::{Command, CommandFactory as _};
use clap_mangen::Man;

use super::{page, release_date};
use crate::support::Ran;

const FOLDER: &str = "docs/man";

/// The pages by file name: one of anp, one of each command.
fn pages() -> BTreeMap<String, String> {
    let mut anp = Cli::command().disable_help_subcommand(true);
    anp.build();
    let mut pages = BTreeMap::new();
    add(&anp, &mut pages);
    let names: Vec<String> = pages.keys().cloned().collect();
    for (name, text) in &mut pages {
        let others = names.iter().filter(|other| *other != name);
        let others: Vec<String> = others.map(|other| reference(other)).collect();
        text.push_str(&format!(".SH \"SEE ALSO\"\n{}\n", others.join(",\n")));
    }
    pages
}

fn add(command: &Command, pages: &mut BTreeMap<String, String>) {
    let name = command.get_display_name().unwrap_or(command.get_name());
    pages.insert(format!("{name}.1"), render(command));
    for subcommand in command.get_subcommands() {
        add(subcommand, pages);
    }
}

/// `anp-import.1` as pages name each other: `.BR anp\-import (1)`.
fn reference(file: &str) -> String {
    let name = file.trim_end_matches(".1").replace('-', "\\-");
    format!("\\fB{name}\\fR(1)")
}

/// Everything but the list of other pages.
fn render(command: &Command) -> String {
    let is_anp = command.get_name() == "anp";
    let own = |argument: clap::Arg| match argument.is_global_set() && !is_anp {
        true => argument.hide(true),
        false => with_text(argument),
    };
    let command = command.clone().mut_args(own);
    let has_options = command
        .get_arguments()
        .any(|argument| !argument.is_hide_set());
    let extra = command.get_after_long_help().map(ToString::to_string);
    let name = command.get_display_name().unwrap_or(command.get_name());
    let title = name.to_uppercase();
    let man = Man::new(command.clone())
        .title(title)
        .date(release_date())
        .source(format!("anp {}", env!("CARGO_PKG_VERSION")))
        .manual("anp manual");
    let mut text = Vec::new();
    man.render_title(&mut text).unwrap();
    man.render_name_section(&mut text).unwrap();
    man.render_synopsis_section(&mut text).unwrap();
    man.render_description_section(&mut text).unwrap();
    if has_options {
        man.render_options_section(&mut text).unwrap();
    }
    if is_anp {
        man.render_subcommands_section(&mut text).unwrap();
    }
    let mut text = with_values(&plain(&String::from_utf8(text).unwrap()), &command);
    if !is_anp {
        text += ".PP\nThe options of every command are in \\fBanp\\fR(1).\n";
    }
    for part in extra.unwrap_or_default().split("\n\n") {
        let (heading, lines) = part.split_once('\n').unwrap_or_default();
        let heading = match heading.split(' ').next().unwrap() {
            "Examples:" => "EXAMPLES",
            "Exit" => "EXIT STATUS",
            other => panic!("no section of man pages is for '{other}'"),
        };
        text += &format!(".SH \"{heading}\"\n.nf\n{}\n.fi\n", literal(lines));
    }
    if is_anp {
        text += FILES;
    }
    text
}

/// clap_mangen leaves out the one line of an option that short help does not list.
fn with_text(argument: clap::Arg) -> clap::Arg {
    let help = argument.get_help().map(ToString::to_string);
    match (argument.get_long_help(), help) {
        (None, Some(help)) => argument.long_help(help),
        _ => argument,
    }
}

/// The values of options in the synopsis, where clap_mangen has names alone: `[\fB\-\-ttl\fR \fITTL\fR]`.
fn with_values(text: &str, command: &Command) -> String {
    let (start, rest) = text.split_once(".SH SYNOPSIS\n").unwrap();
    let (synopsis, rest) = rest.split_once(".SH").unwrap();
    let mut synopsis = synopsis.to_owned();
    if synopsis.contains("[OPTIONS]") {
        return text.to_owned();
    }
    for option in command.get_opts().filter(|option| !option.is_hide_set()) {
        let values: Vec<&str> = option
            .get_value_names()
            .unwrap_or_default()
            .iter()
            .map(clap::builder::Str::as_str)
            .collect();
        let values = values.join(" ").replace('-', "\\-");
        let name = option.get_long().unwrap().replace('-', "\\-");
        // Optional in brackets, required in angles.
        let shown = [']', '>'].map(|end| format!("\\-\\-{name}\\fR{end}"));
        let shown = shown.iter().find(|shown| synopsis.contains(*shown));
        let shown = shown.unwrap_or_else(|| panic!("{name} is not in {synopsis}"));
        let (name, end) = shown.split_at(shown.len() - 1);
        synopsis = synopsis.replace(shown, &format!("{name} \\fI{values}\\fR{end}"));
    }
    format!("{start}.SH SYNOPSIS\n{synopsis}.SH{rest}")
}

/// What clap_mangen wrote, without what mandoc warns of: a definition that stands before every section, a
/// break before and after an empty line, and spaces at the end of a line.
fn plain(text: &str) -> String {
    let definition = text.lines().take(2).collect::<Vec<_>>().join("\n") + "\n";
    let text = text.replace(&format!("\n{definition}"), "\n");
    let text = text.replace("\n.br\n\n.br\n", "\n.sp\n");
    let lines = text.lines().map(|line| format!("{}\n", line.trim_end()));
    ascii(&lines.collect::<String>())
}

/// groff reads bytes above 127 as Latin-1.
fn ascii(text: &str) -> String {
    let escape = |c: char| match c.is_ascii() {
        true => c.to_string(),
        false => format!("\\[u{:04X}]", u32::from(c)),
    };
    text.chars().map(escape).collect()
}

const FILES: &str = "\
.SH FILES
.TP
\\fI/etc/anp/anp.yaml\\fR, \\fI/etc/anp/anp.env\\fR
Settings and environment of the nightly job, which the packages install. anp reads them only if
\\fBANP_CONFIG\\fR or \\fB\\-\\-config\\fR names them.
.TP
\\fI/var/lib/anp\\fR
State folder of the nightly job: the manifests that a rollback needs.
.TP
\\fI/usr/share/doc/anp\\fR
The documentation, with a runbook and files to adapt.
";

/// Lines of a terminal, for between `.nf` and `.fi`.
fn literal(lines: &str) -> String {
    let escape = |line: &str| {
        let line = line.replace('\\', "\\e").replace('-', "\\-");
        let line = line.replace('\'', "\\(aq").replace('`', "\\(ga");
        let line = line.replace('^', "\\(ha").replace('~', "\\(ti");
        // A request begins with a full stop.
        match line.starts_with('.') {
            true => format!("\\&{line}"),
            false => line,
        }
    };
    lines.lines().map(escape).collect::<Vec<_>>().join("\n")
}

fn files() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(FOLDER).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn man_pages_are_those_of_the_command_line() {
    let pages = pages();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        let is_page = |file: &PathBuf| pages.keys().any(|name| file.ends_with(name));
        for file in files().iter().filter(|file| !is_page(file)) {
            std::fs::remove_file(file).unwrap();
        }
        for (name, text) in &pages {
            let file = Path::new(FOLDER).join(name);
            if std::fs::read_to_string(&file).ok().as_ref() != Some(text) {
                std::fs::write(file, text).unwrap();
            }
        }
    }
    let names = files();
    let names = names.iter().map(|file| file.file_name().unwrap());
    assert!(
        names.eq(pages.keys().map(String::as_str)),
        "UPDATE_DOCS=1 cargo test man_pages writes them"
    );
    for (name, text) in &pages {
        let stored = page(&format!("{FOLDER}/{name}"));
        assert_eq!(
            &stored, text,
            "{name}: UPDATE_DOCS=1 cargo test man_pages writes it"
        );
    }
}

#[test]
fn every_man_page_has_examples_and_no_warning() {
    let installed = Program::new("mandoc").arg("/dev/null").output();
    assert!(
        installed.is_ok(),
        "mandoc is missing: make test installs it"
    );
    for file in files() {
        let text = std::fs::read_to_string(&file).unwrap();
        let name = file.display();
        assert!(text.contains(".SH \"EXAMPLES\"\n"), "{name}");
        assert!(text.contains(".SH NAME\n"), "{name}");
        let lines: Vec<&str> = text.lines().collect();
        for at in (0..lines.len()).filter(|at| lines[*at] == ".TP") {
            let definition = lines.get(at + 2).copied().unwrap_or_default();
            let is_text = !definition.is_empty()
                && !definition.starts_with(".TP")
                && !definition.starts_with(".SH");
            assert!(is_text, "{name}: nothing is said of {}", lines[at + 1]);
        }
        let mut lint = Program::new("mandoc");
        Ran::of(lint.args(["-T", "lint", "-W", "warning"]).arg(&file)).exits(0);
        let mut render = Program::new("mandoc");
        let ran = Ran::of(render.args(["-T", "utf8"]).arg(&file));
        ran.exits(0);
        assert!(ran.stdout.contains("anp"), "{name}");
    }
}
