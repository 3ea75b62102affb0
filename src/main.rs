//! Parses, runs, prints the error, exits: the one place that exits.

use std::process::ExitCode;

use anp::cli::Cli;
use anp::exit::Exit;
use clap::Parser as _;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Also how --help and --version arrive; those go to stdout and are no failure.
            let _ = error.print();
            let usage = error.use_stderr();
            return if usage { Exit::Usage } else { Exit::Done }.into();
        }
    };
    match anp::commands::run(&cli) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            anp::report::note(failure.to_string());
            failure.exit.into()
        }
    }
}
