//! `anp check`: the survey alone.

use crate::cli::{Check, Common};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::publish::check::{check, refuse};
use crate::report::check::{summary, verdict};
use crate::report::findings::{Look, Prose, bad_files, warn_of_unknown_code};
use crate::report::{Format, Output, Progress, Stderr, findings, held};
use crate::signals::watch;

pub(super) fn run(common: &Common, arguments: &Check) -> Result<Exit, Failure> {
    let settings = super::inputs::settings_alone(common, arguments.content.settings())?;
    let mut report = Stderr(Progress::new(common.quiet));
    let code = arguments.code.as_deref();
    let survey = check(&settings, code, &watch()?, &mut report)?;
    let check_line = super::inputs::check_line(common, arguments.content.content.as_deref());
    let mut output = Output::stdout(common.format);
    let invalid = survey.unusable();
    let is_well = invalid + survey.changed == 0;
    let verdict = verdict(&survey);
    let refused = refuse(&settings, &survey).map_err(|mut failure| {
        if common.quiet && common.format == Format::Text {
            failure.details = bad_files(&survey, &check_line);
        }
        failure
    });
    let look = Look {
        format: common.format,
        prose: Prose::Stdout,
        code,
        is_quiet: common.quiet,
        check: &check_line,
    };
    findings::report(&survey, &mut output, look);
    if !common.quiet {
        match code {
            Some(code) => warn_of_unknown_code(&survey, code, &mut output),
            None => held::report(&survey.held_back, &mut output),
        }
        let worst = survey.codes.iter().map(|count| count.severity).min();
        output.verdict(&verdict, worst);
    } else if refused.is_ok() && !is_well && common.format == Format::Text {
        output.text(verdict);
        bad_files(&survey, &check_line)
            .iter()
            .for_each(|line| output.text(line));
    }
    output.json(&summary(&survey));
    output.flush();
    refused?;
    Ok(if is_well { Exit::Done } else { Exit::Partial })
}
