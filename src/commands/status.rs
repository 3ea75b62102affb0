//! `anp status`: one screen, and an exit code for monitoring.

use crate::cli::{Common, Status as Arguments};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::publish::status::status;
use crate::report::{Output, status as report};
use crate::signals::watch;

pub(super) fn run(common: &Common, arguments: &Arguments) -> Result<Exit, Failure> {
    let settings = super::inputs::settings(common, Vec::new())?;
    let status = status(&settings, arguments.max_age, &watch()?)?;
    let exit = status.exit();
    let mut output = Output::stdout(common.format);
    report::json(&settings, &status, &mut output);
    if !common.quiet || exit != Exit::Done {
        report::text(&settings, &status, &mut output);
    }
    Ok(exit)
}
