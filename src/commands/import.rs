//! `anp import`.

use super::inputs::{chosen_share, seeded};
use super::reported::Reported;
use crate::cli::{Common, Import as Arguments};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::publish::import::{Import, import, under};

pub(super) fn run(common: &Common, arguments: &Arguments) -> Result<Exit, Failure> {
    let archive = super::inputs::settings(common, arguments.settings())?;
    let settings = match &arguments.under {
        Some(path) => under(&archive, path, arguments.max_ttl.is_some())?,
        None => archive.clone(),
    };
    let reported = Reported {
        common,
        settings: &settings,
        command: "import",
        is_dry: arguments.recorded.dry_run,
        keys: arguments.recorded.keys,
        content: arguments.content.content.as_deref(),
        page: arguments.recorded.page.report.as_deref(),
    };
    reported.run(|interrupted, report| {
        if let (None, Some(option)) = (arguments.synth, arguments.seeded.any()) {
            return Err(Failure::usage(format!("{option} needs --synth N")));
        }
        let options = Import {
            seeded: arguments
                .synth
                .map(|count| (count, seeded(&arguments.seeded))),
            prune: arguments.prune,
            force: arguments.force,
            reads_all: arguments.no_cache,
            dry_run: arguments.recorded.dry_run,
            share: chosen_share(&arguments.sharded, &settings)?,
            // The switch of the store stops what is below it too.
            switch_prefix: Some(archive.prefix.clone()),
        };
        Ok(import(&settings, &options, interrupted, report)?.exit)
    })
}
