//! What distinguishes one command from another: how it comes to its plan.

use std::path::Path;

use super::plan::Plan;
use super::report::Report;
use crate::failure::Failure;
use crate::publish::apply::stop::Stop;
use crate::store::Session;

/// What a plan is made with.
pub(crate) struct PlanInputs<'a> {
    pub session: &'a mut Session,
    /// The id of the run.
    pub run: &'a str,
    /// Its start by the server's clock, ms since 1970.
    pub started_at: i64,
    /// The folder for the spool, if what is rendered will be written.
    pub spool_in: Option<&'a Path>,
}

/// How many articles a plan judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Judged {
    /// Those that are invalid or unreadable.
    pub invalid: u64,
    /// All of them.
    pub of: u64,
    /// Published articles that the content tree no longer has; none where nobody looked.
    pub orphans: Option<u64>,
}

/// What distinguishes one command from another: how it comes to its plan.
pub(crate) trait Work {
    /// Makes the plan, and reports what it finds on the way.
    ///
    /// # Errors
    /// Nothing was written then.
    fn plan(&self, begun: PlanInputs<'_>, report: &mut dyn Report) -> Result<Plan, Failure>;

    /// How many articles the plan judged, also if it was refused; none if it judges none.
    fn judged(&self) -> Option<Judged> {
        None
    }

    /// Plans to make articles again, of the sources with these numbers, that were there when the run
    /// began and have expired since. Each entry of the plan names its source by the place of its
    /// number.
    ///
    /// # Errors
    /// What ends the run.
    fn plan_again(
        &self,
        _begun: PlanInputs<'_>,
        _sources: &[u32],
        _report: &mut dyn Report,
    ) -> Result<Plan, Stop> {
        Ok(Plan::default())
    }
}
