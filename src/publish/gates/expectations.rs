//! The gate: a plan is held against the group `expect:` before anything is written, and
//! everything that is not as expected is named at once.

use crate::exit::Exit;
use crate::failure::Failure;
use crate::settings::Expect;
use crate::time_limit::TimedOut;

/// What a plan would do, in articles.
pub(crate) struct PlannedChanges {
    /// Valid ones that are not held back.
    pub articles: u64,
    /// Those of them that would be created or updated.
    pub written: u64,
    /// Stored ones that would be removed because their sources are withdrawn.
    pub withdrawn: u64,
    /// Stored ones that `--prune` would remove.
    pub removed: u64,
    /// Stored ones that `--prune` looked at.
    pub stored: u64,
    /// Whether `--force` lets `--prune` remove any number.
    pub forced: bool,
    /// Set when the run took too long to get here.
    pub too_late: Option<TimedOut>,
}

/// Compares the plan with what is expected of it.
///
/// # Errors
/// 65, with each expectation that is not met.
pub(crate) fn check(expect: &Expect, planned: &PlannedChanges) -> Result<(), Failure> {
    let PlannedChanges {
        articles,
        written,
        withdrawn,
        removed,
        stored,
        forced,
        too_late,
    } = *planned;
    let mut breaches = Vec::new();
    // The least that is expected is that the run is about an article.
    let takes_down = expect.min_articles == 1 && withdrawn > 0;
    if articles < expect.min_articles && !takes_down {
        breaches.push((
            "expect.min_articles",
            format!(
                "expected at least {} articles that are valid and not held back, found {articles}",
                expect.min_articles
            ),
        ));
    }
    let gone = withdrawn + removed;
    let (changed, all) = (written + gone, articles + gone);
    if expect.max_changed.is_exceeded(changed, all) {
        breaches.push((
            "expect.max_changed",
            format!(
                "expected at most {} of {all} articles to be created, updated or removed, \
                 found {changed}",
                expect.max_changed
            ),
        ));
    }
    if !forced && expect.max_removed.is_exceeded(removed, stored) {
        breaches.push((
            "expect.max_removed",
            format!(
                "expected at most {} of {stored} stored articles to be removed by --prune, \
                 found {removed}",
                expect.max_removed
            ),
        ));
    }
    breaches.extend(too_late.map(|late| ("expect.max_duration", late.to_string())));
    if breaches.is_empty() {
        return Ok(());
    }
    Err(refused(breaches))
}

/// The refusal of a run that took too long before its plan was finished.
pub(crate) fn too_late(late: TimedOut) -> Failure {
    refused(vec![("expect.max_duration", late.to_string())])
}

fn refused(breaches: Vec<(&'static str, String)>) -> Failure {
    let ways: Vec<String> = breaches
        .iter()
        .map(|(key, _)| match *key {
            "expect.max_removed" => "--force".to_owned(),
            key => format!("ANP_{}", key.replace('.', "_").to_uppercase()),
        })
        .collect();
    let retry = format!(
        "once the cause is mended; or, if --dry-run shows what you want, this once with {}; \
         nothing was written",
        ways.join(" and ")
    );
    let mut failure = Failure::new(Exit::Refused, "the import is not as expected");
    failure.notes = breaches;
    failure.note("retry", retry)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::settings::Limit;

    const EXPECT: Expect = Expect {
        min_articles: 10,
        max_changed: Limit::Permille(500),
        max_removed: Limit::Count(3),
        max_duration: None,
    };

    const PLANNED: PlannedChanges = PlannedChanges {
        articles: 10,
        written: 5,
        withdrawn: 0,
        removed: 0,
        stored: 10,
        forced: false,
        too_late: None,
    };

    fn broken(planned: &PlannedChanges) -> Vec<&'static str> {
        let failure = check(&EXPECT, planned).err();
        failure.map_or(Vec::new(), |failure| {
            failure.notes.iter().map(|(label, _)| *label).collect()
        })
    }

    #[test]
    fn limits_are_met_at_their_edge_and_broken_past_it() {
        assert_eq!(broken(&PLANNED), [""; 0]);
        let few = PlannedChanges {
            articles: 9,
            written: 0,
            ..PLANNED
        };
        assert_eq!(broken(&few), ["expect.min_articles", "retry"]);
        let changed = PlannedChanges {
            written: 6,
            ..PLANNED
        };
        assert_eq!(broken(&changed), ["expect.max_changed", "retry"]);
    }

    #[test]
    fn the_time_is_named_with_the_rest() {
        let late = TimedOut {
            most: Duration::from_secs(60),
            found: Duration::from_millis(61_200),
        };
        let planned = PlannedChanges {
            articles: 0,
            written: 0,
            too_late: Some(late),
            ..PLANNED
        };
        let failure = check(&EXPECT, &planned).unwrap_err();
        assert_eq!(failure.exit, Exit::Refused);
        assert_eq!(failure.notes[0].0, "expect.min_articles");
        let late = ("expect.max_duration", "expected at most 1m, found 1m2s");
        assert_eq!(failure.notes[1], (late.0, late.1.to_owned()));
        assert!(failure.notes[2].1.contains(
            "this once with ANP_EXPECT_MIN_ARTICLES and ANP_EXPECT_MAX_DURATION; nothing"
        ));
    }

    #[test]
    fn removed_articles_count_as_changed_and_force_excuses_one_limit_alone() {
        // 4 + 3 of 10 + 3.
        let removed = PlannedChanges {
            written: 4,
            removed: 3,
            ..PLANNED
        };
        assert_eq!(broken(&removed), ["expect.max_changed", "retry"]);
        let more = PlannedChanges {
            removed: 4,
            ..removed
        };
        let both = ["expect.max_changed", "expect.max_removed", "retry"];
        assert_eq!(broken(&more), both);
        let forced = PlannedChanges {
            forced: true,
            ..more
        };
        assert_eq!(broken(&forced), ["expect.max_changed", "retry"]);
    }
}
