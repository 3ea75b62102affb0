//! What commands that change the store have in common: what they say, and what is left of it.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::inputs::report_of_run;
use super::run_page;
use crate::cli::Common;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::publish::report::{Both, Report};
use crate::report::metrics_file;
use crate::settings::Settings;
use crate::signals::watch;

/// A command, and what is wanted of it besides its work.
pub(super) struct Reported<'a> {
    pub common: &'a Common,
    pub settings: &'a Settings,
    pub command: &'static str,
    pub is_dry: bool,
    /// Whether every key is printed.
    pub keys: bool,
    /// The content that was named.
    pub content: Option<&'a str>,
    /// The file of its page.
    pub page: Option<&'a Path>,
}

impl Reported<'_> {
    /// Does its `work`, and says what became of it.
    ///
    /// # Errors
    /// Those of the work.
    pub(super) fn run(
        &self,
        work: impl FnOnce(&Arc<AtomicBool>, &mut dyn Report) -> Result<Exit, Failure>,
    ) -> Result<Exit, Failure> {
        let mut report = report_of_run(self.common, self.settings, self.content);
        report.show_all_keys(self.keys);
        let mut page = run_page::begin(self.page, (self.command, self.is_dry), self.settings)?;
        let interrupted = watch()?;
        let ended = match &mut page {
            Some(page) => work(&interrupted, &mut Both(&mut report, page)),
            None => work(&interrupted, &mut report),
        };
        if !self.is_dry {
            metrics_file::record(self.settings, self.command, &report, &ended);
        }
        if let Some(mut page) = page {
            if ended.is_ok() {
                run_page::compare(&mut page, self.settings, &interrupted);
            }
            run_page::write(&page, &ended);
        }
        report.explain(ended)
    }
}
