//! `anp purge`.

use std::io::{IsTerminal as _, Write as _};

use super::inputs::selectors;
use super::reported::Reported;
use crate::cli::{Common, Purge as Arguments};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::publish::purge::{Purge, purge};
use crate::report::log;
use crate::settings::{Needs, Settings};

pub(super) fn run(common: &Common, arguments: &Arguments) -> Result<Exit, Failure> {
    // A run tells its store itself.
    let needs = match arguments.run {
        Some(_) => Needs::StateFolder,
        None => Needs::StoreAndStateFolder,
    };
    let settings = super::inputs::settings_needing(needs, common, arguments.settings())?;
    let is_dry = arguments.recorded.dry_run;
    let reported = Reported {
        common,
        settings: &settings,
        command: "purge",
        is_dry,
        keys: arguments.recorded.keys,
        content: None,
        page: arguments.recorded.page.report.as_deref(),
    };
    reported.run(|interrupted, report| {
        if arguments.all && !arguments.yes && !is_dry && !confirm(&settings)? {
            log::say("nothing was removed");
            return Ok(Exit::Done);
        }
        let options = Purge {
            routes: arguments.routes.clone(),
            selectors: selectors(&arguments.selectors),
            run: arguments.run.clone(),
            all: arguments.all,
            dry_run: is_dry,
        };
        Ok(purge(&settings, &options, interrupted, report)?.exit)
    })
}

/// Asks whether everything is to go.
fn confirm(settings: &Settings) -> Result<bool, Failure> {
    let place = format!("{}, prefix {}", settings.address, settings.prefix);
    if !(std::io::stdin().is_terminal() && std::io::stderr().is_terminal()) {
        let what = format!("--all removes every article of {place}");
        return Err(Failure::new(Exit::Usage, what)
            .note("expected", "--yes, where nobody can be asked")
            .note(
                "retry",
                "safe with --yes, or --dry-run; nothing was written",
            ));
    }
    eprint!("Remove every article of {place}? One rollback undoes it. [yes/no] ");
    let _ = std::io::stderr().flush();
    let mut answer = String::new();
    let _ = std::io::stdin().read_line(&mut answer);
    Ok(answer.trim() == "yes")
}
