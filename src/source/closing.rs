//! What the survey can say only once it has seen all sources.

use std::collections::HashSet;
use std::sync::Arc;

use super::origin::Origin;
use super::survey::{Survey, Surveyor, whole_file};
use crate::article::Route;
use crate::diagnostic::{RETRY_AFTER_FIX, Severity};

impl Surveyor<'_> {
    /// Makes every source invalid whose route another source claims too. `claims` ends up
    /// sorted.
    pub(super) fn refuse_collisions(
        &self,
        claims: &mut [(Route, usize)],
        origin: &dyn Origin,
        survey: &mut Survey,
        invalid: &mut HashSet<usize>,
    ) {
        claims.sort();
        for same in claims.chunk_by(|(a, _), (b, _)| a == b) {
            if same.len() < 2 {
                continue;
            }
            for (route, index) in same {
                let others: Vec<String> = same
                    .iter()
                    .filter(|(_, other)| other != index)
                    .map(|(_, other)| {
                        let path = origin.shown(&origin.relative(*other));
                        path.display().to_string()
                    })
                    .collect();
                let message = format!(
                    "expected a route of its own, found {route} claimed by {} too",
                    others.join(", ")
                );
                let path = Arc::new(origin.shown(&origin.relative(*index)));
                survey
                    .diagnostics
                    .push(whole_file(path, "route", message, RETRY_AFTER_FIX));
                invalid.insert(*index);
            }
        }
    }

    pub(super) fn report_skipped(&self, origin: &dyn Origin, survey: &mut Survey) {
        for skipped in origin.skipped() {
            let path = Arc::new(origin.shown(&skipped.relative));
            let message = format!("skipped: {}", skipped.reason);
            let mut diagnostic = whole_file(
                path,
                "source",
                message,
                "once it is a file inside the folder",
            );
            if skipped.unreadable {
                diagnostic.retry = "once it can be read";
                survey.unreadable += 1;
            } else {
                diagnostic.severity = Severity::Warning;
            }
            survey.diagnostics.push(diagnostic);
        }
    }
}
