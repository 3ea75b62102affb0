//! Parses, runs, prints the error, exits: the one place that exits.

use std::process::ExitCode;

use anp::cli::{Cli, with_tip};
use anp::exit::Exit;
use anp::failure::Failure;
use anp::report::colour;
use anp::report::log::{self, Level};
use clap::Parser as _;

fn main() -> ExitCode {
    colour::choose(colour::choice_in(std::env::args_os()));
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        // Also how --help and --version arrive; those go to stdout and are no failure.
        Err(error) if !error.use_stderr() => {
            let _ = error.print();
            return Exit::Done.into();
        }
        Err(error) => {
            let error = with_tip(error, std::env::args_os());
            let variable = std::env::var(log::VARIABLE).ok();
            log::set_format(log::format_of(std::env::args_os(), variable.as_deref()));
            if log::is_json() {
                let text = error.to_string();
                let what = text.trim_end().trim_start_matches("error: ");
                let failure = Failure::new(Exit::Usage, what);
                log::entry(Level::Error, &text, &failure.json());
            } else {
                // In colour, where the terminal has some.
                let _ = error.print();
            }
            return Exit::Usage.into();
        }
    };
    match anp::commands::run(&cli) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            log::entry(Level::Error, &failure.to_string(), &failure.json());
            failure.exit.into()
        }
    }
}
