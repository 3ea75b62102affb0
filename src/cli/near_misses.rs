//! What a command line with an error was probably meant to be, beyond the slips of the keyboard
//! that clap finds: words of other tools, and options of another command.

use std::ffi::OsString;

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, CommandFactory as _};

/// Words of other tools for the commands.
const COMMANDS: [(&[&str], &str); 15] = [
    (&["publish", "upload", "load", "push"], "anp import"),
    (&["sync", "deploy"], "anp import --prune"),
    (&["validate", "lint", "test"], "anp check"),
    (&["delete", "remove", "rm", "del", "clear"], "anp purge"),
    (&["undo", "revert", "restore", "reset"], "anp rollback"),
    (&["log", "history"], "anp runs"),
    (
        &["list", "search", "find"],
        "anp ls for articles, anp runs for runs",
    ),
    (&["get", "cat", "view", "print"], "anp show"),
    (&["generate", "seed"], "anp synth"),
    (&["preview", "server"], "anp serve"),
    (&["stop", "disable", "off"], "anp pause"),
    (&["start", "enable", "on"], "anp resume"),
    (&["plan", "changes"], "anp diff"),
    (&["completion"], "anp completions"),
    (&["version"], "anp --version"),
];

/// Words of other tools for the options of every command.
const OPTIONS: [(&[&str], &str); 12] = [
    (
        &[
            "--url",
            "--host",
            "--server",
            "--address",
            "--store",
            "--port",
            "--db",
            "--socket",
        ],
        "the store is --redis URL, such as --redis redis://HOST:PORT/DB",
    ),
    (
        &["--user", "--username"],
        "the user is part of the address: --redis redis://USER@HOST:PORT",
    ),
    (
        &["--password", "--pass", "--auth"],
        "set the password in the environment: ANP_REDIS_PASSWORD",
    ),
    (&["--namespace", "--key-prefix"], "use --prefix"),
    (&["--expire", "--expires", "--expiry"], "use --ttl"),
    (&["--delete", "--remove", "--clean"], "use --prune"),
    (&["--json"], "use --format json"),
    (&["--text"], "use --format text"),
    (&["--no-color", "--no-colour"], "use --color never"),
    (&["--debug"], "use --verbose"),
    (&["--silent"], "use --quiet"),
    (
        &["--output", "--html", "--out-file"],
        "use --report FILE.html",
    ),
];

/// Options that would name the sources, for commands that take them without an option.
const SOURCES: [&str; 10] = [
    "--src",
    "--source",
    "--sources",
    "--content",
    "--dir",
    "--folder",
    "--path",
    "--file",
    "--input",
    "--from",
];

/// The error of a command line, with a tip where anp knows what was probably meant.
#[must_use]
pub fn with_tip(error: clap::Error, arguments: impl IntoIterator<Item = OsString>) -> clap::Error {
    let Some(tip) = tip(&error, arguments) else {
        return error;
    };
    // What is merely spelt like the word would mislead, and clap's usage is about that.
    let is_about_the_word = |kind: &ContextKind| {
        matches!(
            kind,
            ContextKind::InvalidArg | ContextKind::InvalidSubcommand
        )
    };
    let mut with_tip = clap::Error::new(error.kind()).with_cmd(&super::Cli::command());
    for (kind, value) in error.context().filter(|(kind, _)| is_about_the_word(kind)) {
        with_tip.insert(kind, value.clone());
    }
    let tips = vec![StyledStr::from(tip)];
    with_tip.insert(ContextKind::Suggested, ContextValue::StyledStrs(tips));
    with_tip
}

fn tip(error: &clap::Error, arguments: impl IntoIterator<Item = OsString>) -> Option<String> {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    let cli = super::Cli::command();
    let command = command_in(&cli, arguments);
    match error.kind() {
        ErrorKind::InvalidSubcommand => of_command(command, text(ContextKind::InvalidSubcommand)?),
        ErrorKind::UnknownArgument => {
            let option = text(ContextKind::InvalidArg)?;
            of_option(&cli, command?, option.split('=').next()?)
        }
        ErrorKind::MissingRequiredArgument => match command?.get_name() {
            name @ ("rollback" | "verify") => Some(format!("for the last run: anp {name} last")),
            _ => None,
        },
        _ => None,
    }
}

/// The command that a command line is about.
fn command_in(cli: &Command, arguments: impl IntoIterator<Item = OsString>) -> Option<&Command> {
    let words = arguments.into_iter().skip(1);
    words
        .filter_map(|word| cli.find_subcommand(word))
        .find(|command| command.get_name() != "help")
}

fn of_command(command: Option<&Command>, word: &str) -> Option<String> {
    if command.is_some_and(|command| command.get_name() == "runs") {
        return Some(format!("to show one run: anp runs show {word}"));
    }
    let meant = COMMANDS.iter().find(|(words, _)| words.contains(&word));
    meant.map(|(_, command)| format!("use {command}"))
}

fn of_option(cli: &Command, command: &Command, option: &str) -> Option<String> {
    let name = command.get_name();
    let mut positionals = command.get_positionals();
    if SOURCES.contains(&option) && positionals.any(|argument| argument.get_id() == "content") {
        return Some(format!(
            "name the folder or file without an option: anp {name} PATH"
        ));
    }
    let has = |command: &Command| {
        let mut arguments = command.get_arguments();
        arguments.any(|argument| argument.get_long() == option.strip_prefix("--"))
    };
    let others: Vec<String> = cli
        .get_subcommands()
        .filter(|other| has(other))
        .map(|other| format!("anp {}", other.get_name()))
        .collect();
    if option.starts_with("--") && !others.is_empty() {
        return Some(format!("{option} is an option of {}", others.join(", ")));
    }
    let meant = OPTIONS.iter().find(|(words, _)| words.contains(&option));
    meant.map(|(_, tip)| (*tip).to_owned())
}
