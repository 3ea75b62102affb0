//! `anp completions`: a script that completes the command line in a shell.

use clap::CommandFactory as _;
use clap_complete::{Shell, generate};

use crate::cli::{self, Cli, Completions};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::report::{Format, Output};

pub(super) fn run(arguments: &Completions) -> Result<Exit, Failure> {
    let shell = match arguments.shell {
        cli::Shell::Bash => Shell::Bash,
        cli::Shell::Zsh => Shell::Zsh,
        cli::Shell::Fish => Shell::Fish,
    };
    let mut script = Vec::new();
    generate(shell, &mut Cli::command(), "anp", &mut script);
    Output::stdout(Format::Text).raw(&script);
    Ok(Exit::Done)
}
