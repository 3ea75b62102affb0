//! One file a command: arguments, settings, one call of the library, report.

mod check;
mod import;
mod pause;
mod probe;
mod purge;
mod rehearse;
mod resume;
mod rollback;
mod runs;
mod schema;
mod serve;
mod show;
mod synth;
mod unlock;
mod verify;
mod warm;

use clap::ValueEnum as _;

use crate::cli;
use crate::cli::{Cli, Command, Common};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::publish::seeded::Seeded;
use crate::publish::shards::share;
use crate::publish::shards::share::Share;
use crate::publish::survey::selection::Selectors;
use crate::report::log::LogFormat;
use crate::report::{Output, Progress, RunReport, log};
use crate::settings::{Needs, Settings, Sources};
use crate::signals::outlive_file_limit;

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
        Command::Pause(arguments) => pause::run(common, arguments),
        Command::Resume => resume::run(common),
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

/// What a command that writes says on stdout and stderr.
fn report_of_run(common: &Common, settings: &Settings) -> RunReport {
    report_as(common, settings, true)
}

/// The same of a command whose stdout is text, wherever it goes.
fn report_of_text(common: &Common, settings: &Settings) -> RunReport {
    report_as(common, settings, false)
}

fn report_as(common: &Common, settings: &Settings, auto_is_json: bool) -> RunReport {
    let output = Output::stdout(common.format, auto_is_json);
    RunReport::new(output, &settings.prefix, Progress::new(common.quiet))
}

/// The part of the articles that flags or variables ask for.
fn chosen_share(flags: &cli::Sharded, settings: &Settings) -> Result<Option<Share>, Failure> {
    let env = |name: &str| std::env::var(name).ok();
    share::choose(
        flags.shard.as_deref(),
        flags.run_id.as_deref(),
        &env,
        settings,
    )
}

fn selectors(flags: &cli::Selectors) -> Selectors {
    Selectors {
        globs: flags.globs.clone(),
        tags: flags.tags.clone(),
        sources: flags.sources.clone(),
    }
}

fn seeded(flags: &cli::Seeded) -> Seeded {
    Seeded {
        seed: flags.seed,
        body_kb: flags.body_kb,
        spread: flags.spread,
        invalid: flags.invalid.clone(),
        hostile: flags.hostile.clone(),
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
