//! Flags as the library takes them: settings, selections, what a command says.

use crate::cli::{self, Common};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::publish::run::command_line::shell_word;
use crate::publish::seeded::Seeded;
use crate::publish::shards::share::{self, Share};
use crate::publish::survey::selection::Selectors;
use crate::report::{Output, Progress, RunReport, in_force, log};
use crate::settings::{Needs, Settings, Sources, unknown_variables};

/// The refusal of a command whose cargo `feature` this build was made without.
#[cfg(not(all(feature = "serve", feature = "probe")))]
pub(super) fn left_out(what: &str, feature: &str) -> Failure {
    let what = format!("this build of anp has no {what}: the feature '{feature}' was left out");
    Failure::new(Exit::Usage, what)
        .note(
            "expected",
            "a build with it, as 'cargo install' makes one by itself",
        )
        .note("retry", "after you build anp again; nothing was written")
}

/// The command that checks what a command reads: the content that was named, by the same settings file.
pub(super) fn check_line(common: &Common, content: Option<&str>) -> String {
    let mut line = "anp check".to_owned();
    if let Some(content) = content {
        line = format!("{line} {}", shell_word(content));
    }
    if let Some(config) = &common.config {
        line = format!("{line} --config {}", shell_word(&config.to_string_lossy()));
    }
    line
}

/// What a command says of its run on stdout and stderr. It reads this `content`, if that was named.
pub(super) fn report_of_run(
    common: &Common,
    settings: &Settings,
    content: Option<&str>,
) -> RunReport {
    let output = Output::stdout(common.format);
    let mut report = RunReport::new(output, &settings.prefix, Progress::new(common.quiet));
    report.is_quiet = common.quiet;
    report.format = common.format;
    report.check = check_line(common, content);
    report
}

/// The part of the articles that flags or variables ask for.
pub(super) fn chosen_share(
    flags: &cli::Sharded,
    settings: &Settings,
) -> Result<Option<Share>, Failure> {
    let env = |name: &str| std::env::var(name).ok();
    share::choose(
        flags.shard.as_deref(),
        flags.run_id.as_deref(),
        &env,
        settings,
    )
}

pub(super) fn selectors(flags: &cli::Selectors) -> Selectors {
    Selectors {
        globs: flags.globs.clone(),
        tags: flags.tags.clone(),
        sources: flags.sources.clone(),
    }
}

pub(super) fn seeded(flags: &cli::Seeded) -> Seeded {
    Seeded {
        seed: flags.seed,
        body_kb: flags.body_kb,
        spread: flags.spread,
        invalid: flags.invalid.clone(),
        hostile: flags.hostile.clone(),
    }
}

/// The settings of a command that writes to their store.
pub(super) fn settings(
    common: &Common,
    of_command: Vec<(&'static str, String)>,
) -> Result<Settings, Failure> {
    settings_needing(Needs::StoreAndStateFolder, common, of_command)
}

/// The settings of a command that can do without some of them.
pub(super) fn settings_needing(
    needs: Needs,
    common: &Common,
    of_command: Vec<(&'static str, String)>,
) -> Result<Settings, Failure> {
    let settings = settings_alone(common, of_command)?;
    settings.require(needs)?;
    Ok(settings)
}

/// The settings of a command that needs neither a store nor a state folder.
pub(super) fn settings_alone(
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
    let settings = Settings::load(&Sources {
        config: common.config.as_deref(),
        flags,
        env: &|name| std::env::var(name).ok(),
        current_dir: &current_dir,
    })?;
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let names = names.filter(|name| !settings.after.reads(name));
    unknown_variables(names).iter().for_each(log::warning);
    in_force::detail(&settings);
    Ok(settings)
}
