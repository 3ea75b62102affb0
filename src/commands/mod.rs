//! One file a command: arguments → settings → one call of the core → report.

mod check;
mod import;
mod metrics;
mod probe;
mod purge;
mod rehearse;
mod rollback;
mod runs;
mod schema;
mod seeded;
mod selection;
mod serve;
mod shard;
mod show;
mod switch;
mod synth;
mod unlock;
mod verify;
mod warm;

use clap::ValueEnum as _;

use super::cli::{Cli, Command, Common};
use super::exit::Exit;
use super::failure::Failure;
use super::report::log;
use super::settings::{Needs, Settings, Sources};
use super::signals::outlive_file_limit;
use crate::report::log::LogFormat;

/// Runs the command that was asked for.
///
/// # Errors
/// Whatever ends it early, with its exit code.
pub fn run(cli: &Cli) -> Result<Exit, Failure> {
    outlive_file_limit();
    let common = &cli.common;
    log::set_format(log_format(common)?);
    match &cli.command {
        Command::Import(arguments) => import::run(common, arguments),
        Command::Rehearse(arguments) => rehearse::run(common, arguments),
        Command::Check(arguments) => check::run(common, arguments),
        Command::Warm(arguments) => warm::run(common, arguments),
        Command::Purge(arguments) => purge::run(common, arguments),
        Command::Verify(arguments) => verify::run(common, arguments),
        Command::Rollback(arguments) => rollback::run(common, arguments),
        Command::Runs(arguments) => runs::run(common, arguments),
        Command::Pause(arguments) => switch::pause(common, arguments),
        Command::Resume => switch::resume(common),
        Command::Unlock(arguments) => unlock::run(common, arguments),
        Command::Show(arguments) => show::run(common, arguments),
        Command::Probe(arguments) => probe::run(common, arguments),
        Command::Serve(arguments) => serve::run(common, arguments),
        Command::Synth(arguments) => synth::run(common, arguments),
        Command::Schema => Ok(schema::run(common)),
    }
}

/// The refusal of a command whose cargo `feature` this build was made without.
#[cfg(not(all(feature = "serve", feature = "probe")))]
fn left_out(what: &str, feature: &str) -> Failure {
    let what = format!("this build of anp has no {what}: the feature '{feature}' was left out");
    Failure::new(Exit::Usage, what)
        .note(
            "expected",
            "a build with it, as 'cargo install' makes one by itself",
        )
        .note(
            "retry",
            "not before anp is built again; nothing was written",
        )
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
            Failure::new(Exit::Config, what).note(
                "retry",
                "not before the settings are fixed; nothing was written",
            )
        }),
    }
}

/// The settings of a command that writes to their store.
fn settings(common: &Common, of_command: Vec<(&'static str, String)>) -> Result<Settings, Failure> {
    settings_needing(Needs::StoreAndStateFolder, common, of_command)
}

/// The settings of a command that can do without some of them.
fn settings_needing(
    needs: Needs,
    common: &Common,
    of_command: Vec<(&'static str, String)>,
) -> Result<Settings, Failure> {
    let settings = settings_alone(common, of_command)?;
    settings.require(needs)?;
    Ok(settings)
}

/// The settings of a command that needs neither a store nor a state folder.
fn settings_alone(
    common: &Common,
    of_command: Vec<(&'static str, String)>,
) -> Result<Settings, Failure> {
    let current_dir = std::env::current_dir().map_err(|error| {
        Failure::new(
            Exit::Config,
            format!("cannot tell the current folder: {error}"),
        )
    })?;
    let mut flags = common.settings();
    flags.extend(of_command);
    Settings::load(&Sources {
        config: common.config.as_deref(),
        flags,
        env: &|name| std::env::var(name).ok(),
        current_dir: &current_dir,
    })
}
