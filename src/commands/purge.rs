//! `anp purge`.

use std::io::{IsTerminal as _, Write as _};

use super::inputs::{report_of_run, selectors};
use crate::cli::{Common, Purge as Arguments};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::publish::purge::{Purge, purge};
use crate::report::{log, metrics_file};
use crate::settings::{Needs, Settings};
use crate::signals::watch;

pub(super) fn run(common: &Common, arguments: &Arguments) -> Result<Exit, Failure> {
    // A run tells its store itself.
    let needs = match arguments.run {
        Some(_) => Needs::StateFolder,
        None => Needs::StoreAndStateFolder,
    };
    let settings = super::inputs::settings_needing(needs, common, arguments.settings())?;
    let mut report = report_of_run(common, &settings);
    report.show_all_keys(arguments.recorded.keys);
    let is_dry = arguments.recorded.dry_run;
    let ended = (|| {
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
        let purged = purge(&settings, &options, &watch()?, &mut report)?;
        Ok(purged.exit)
    })();
    if !is_dry {
        metrics_file::record(&settings, "purge", &report, &ended);
    }
    report.explain(ended)
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
