//! One file a command: arguments, settings, one call of the library, report.

mod check;
mod completions;
mod diff;
mod import;
mod init;
mod inputs;
mod ls;
mod pause;
mod probe;
mod purge;
mod rehearse;
mod reported;
mod resume;
mod rollback;
mod run_page;
mod runs;
mod schema;
mod serve;
mod show;
mod status;
mod synth;
mod unlock;
mod verify;
mod warm;

use clap::ValueEnum as _;

use crate::cli::{Cli, Command, Common};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::report::Format;
use crate::report::log::{self, LogFormat};
use crate::signals::outlive_file_limit;

/// Runs the command that was asked for.
///
/// # Errors
/// Whatever ends it early, with its exit code.
pub fn run(cli: &Cli) -> Result<Exit, Failure> {
    outlive_file_limit();
    let common = &cli.common;
    log::set_format(log_format(common)?);
    log::set_verbose(common.verbose);
    log::set_quiet(common.quiet);
    let is_of_check = matches!(common.format, Format::Github | Format::Sarif);
    if is_of_check && !matches!(cli.command, Command::Check(_)) {
        return Err(Failure::usage(
            "--format github and sarif work with 'anp check' alone",
        ));
    }
    match &cli.command {
        Command::Init(arguments) => init::run(common, arguments),
        Command::Import(arguments) => import::run(common, arguments),
        Command::Rehearse(arguments) => rehearse::run(common, arguments),
        Command::Check(arguments) => check::run(common, arguments),
        Command::Diff(arguments) => diff::run(common, arguments),
        Command::Warm(arguments) => warm::run(common, arguments),
        Command::Purge(arguments) => purge::run(common, arguments),
        Command::Verify(arguments) => verify::run(common, arguments),
        Command::Rollback(arguments) => rollback::run(common, arguments),
        Command::Runs(arguments) => runs::run(common, arguments),
        Command::Pause(arguments) => pause::run(common, arguments),
        Command::Resume => resume::run(common),
        Command::Unlock(arguments) => unlock::run(common, arguments),
        Command::Status(arguments) => status::run(common, arguments),
        Command::Ls(arguments) => ls::run(common, arguments),
        Command::Show(arguments) => show::run(common, arguments),
        Command::Probe(arguments) => probe::run(common, arguments),
        Command::Serve(arguments) => serve::run(common, arguments),
        Command::Synth(arguments) => synth::run(common, arguments),
        Command::Completions(arguments) => completions::run(arguments),
        Command::Schema(arguments) => schema::run(common, arguments),
    }
}

fn log_format(common: &Common) -> Result<LogFormat, Failure> {
    let variable = std::env::var(log::VARIABLE).unwrap_or_default();
    match common.log_format {
        Some(format) => Ok(format),
        None if variable.is_empty() => Ok(LogFormat::default()),
        None => LogFormat::from_str(&variable, true).map_err(|_| {
            let what = format!(
                "{}: expected json or text, found '{variable}'",
                log::VARIABLE
            );
            Failure::new(Exit::Config, what)
                .note("retry", "after you fix the settings; nothing was written")
        }),
    }
}
