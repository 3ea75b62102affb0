//! Valid articles that are not published now, counted by reason.

use std::fmt;
use std::path::PathBuf;

use super::findings::MAX_FINDINGS;
use crate::article::Held;
use crate::source::Origin;
use crate::words::counted;

/// Valid articles that are not published now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeldBack {
    /// How many.
    pub counts: HeldCounts,
    /// The first [`MAX_FINDINGS`] of them by path, each with its reason.
    pub first: Vec<(PathBuf, Held)>,
}

/// Number of articles that are held back, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeldCounts {
    /// Drafts.
    pub drafts: u64,
    /// Scheduled for later.
    pub scheduled: u64,
    /// Past their `expires_at`.
    pub expired: u64,
    /// Withdrawn.
    pub withdrawn: u64,
    /// Without a page.
    pub no_page: u64,
}

impl HeldCounts {
    /// All of them.
    #[must_use]
    pub fn all(self) -> u64 {
        self.drafts + self.scheduled + self.expired + self.withdrawn + self.no_page
    }
}

/// `1 draft, 2 scheduled`: drafts always, other reasons if there are any.
impl fmt::Display for HeldCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&counted(self.drafts, "draft"))?;
        let others = [
            (self.scheduled, "scheduled"),
            (self.expired, "expired"),
            (self.withdrawn, "withdrawn"),
            (self.no_page, "without a page"),
        ];
        for (count, reason) in others.into_iter().filter(|(count, _)| *count > 0) {
            write!(f, ", {count} {reason}")?;
        }
        Ok(())
    }
}

/// The articles that are held back, by source, while the survey runs.
#[derive(Debug, Default)]
pub(crate) struct HeldSources {
    counts: HeldCounts,
    first: Vec<(u32, Held)>,
}

impl HeldSources {
    pub(crate) fn add(&mut self, source: u32, why: Held) {
        let counts = &mut self.counts;
        *match why {
            Held::Draft => &mut counts.drafts,
            Held::Scheduled(_) => &mut counts.scheduled,
            Held::Expired(_) => &mut counts.expired,
            Held::Withdrawn => &mut counts.withdrawn,
            Held::NoPage => &mut counts.no_page,
        } += 1;
        self.first.push((source, why));
        // Sorted seldom: each time, half of them go.
        if self.first.len() >= 2 * MAX_FINDINGS {
            self.cut();
        }
    }

    fn cut(&mut self) {
        self.first.sort_unstable_by_key(|(source, _)| *source);
        self.first.truncate(MAX_FINDINGS);
    }

    /// Replaces the numbers of sources by their paths.
    pub(crate) fn named(mut self, origin: &dyn Origin) -> HeldBack {
        self.cut();
        let shown = |source: u32| origin.shown_at(source as usize);
        let first = self.first.into_iter();
        HeldBack {
            counts: self.counts,
            first: first.map(|(source, why)| (shown(source), why)).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{HeldCounts, HeldSources, MAX_FINDINGS};
    use crate::article::Held;

    #[test]
    fn promise_10_any_number_is_counted_and_the_first_are_held() {
        let all = 5 * u32::try_from(MAX_FINDINGS).unwrap();
        let mut held = HeldSources::default();
        for source in (0..all).rev() {
            held.add(source, Held::Draft);
            assert!(held.first.len() < 2 * MAX_FINDINGS);
        }
        held.cut();
        assert_eq!(held.counts.drafts, u64::from(all));
        let first: Vec<u32> = held.first.iter().map(|(source, _)| *source).collect();
        assert_eq!(first, (0..all / 5).collect::<Vec<_>>());
    }

    #[test]
    fn reasons_of_no_article_are_left_out_but_for_drafts() {
        let counts = HeldCounts {
            scheduled: 2,
            withdrawn: 1,
            ..HeldCounts::default()
        };
        assert_eq!(counts.to_string(), "0 drafts, 2 scheduled, 1 withdrawn");
        assert_eq!(HeldCounts::default().to_string(), "0 drafts");
    }
}
