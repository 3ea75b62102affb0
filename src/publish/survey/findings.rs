//! The findings of a run, of which it holds only so many: a million broken files must not fill
//! the memory.

use std::cmp::Ordering;
use std::path::PathBuf;
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Severity};

/// Most findings that a run holds, of less than 1 KiB each: errors before warnings, and then by
/// path. Which ones does not depend on the order in which files are read.
pub const MAX_FINDINGS: usize = 10_000;

/// Findings that were counted only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Beyond {
    /// Errors among them.
    pub errors: u64,
    /// Warnings among them.
    pub warnings: u64,
}

impl Beyond {
    /// All of them.
    #[must_use]
    pub fn all(self) -> u64 {
        self.errors + self.warnings
    }
}

/// The findings so far.
#[derive(Debug, Default)]
pub(crate) struct HeldFindings {
    held: Vec<Diagnostic>,
    beyond: Beyond,
}

impl HeldFindings {
    pub(crate) fn add(&mut self, found: impl IntoIterator<Item = Diagnostic>) {
        for one in found {
            self.held.push(one);
            // Sorted seldom: each time, half of them go.
            if self.held.len() >= 2 * MAX_FINDINGS {
                self.cut();
            }
        }
    }

    /// Counts findings beyond those that are held.
    pub(crate) fn count(&mut self, severity: Severity, number: u64) {
        match severity {
            Severity::Error => self.beyond.errors += number,
            Severity::Warning => self.beyond.warnings += number,
        }
    }

    fn cut(&mut self) {
        let place =
            |a: &Diagnostic, b: &Diagnostic| a.severity.cmp(&b.severity).then(by_place(a, b));
        self.held.sort_by(place);
        for cut in self.held.drain(MAX_FINDINGS.min(self.held.len())..) {
            match cut.severity {
                Severity::Error => self.beyond.errors += 1,
                Severity::Warning => self.beyond.warnings += 1,
            }
        }
    }

    /// Those that are held, sorted by path and place, and how many there were besides.
    pub(crate) fn finish(mut self) -> (Vec<Diagnostic>, Beyond) {
        if self.held.len() > MAX_FINDINGS {
            self.cut();
        }
        self.held.sort_by(by_place);
        (self.held, self.beyond)
    }
}

fn by_place(a: &Diagnostic, b: &Diagnostic) -> Ordering {
    let place = |d: &Diagnostic| d.place.as_ref().map(|place| (place.line, place.column));
    (&a.path, place(a)).cmp(&(&b.path, place(b)))
}

/// A finding about a whole source, an error unless the caller says otherwise.
pub(crate) fn whole_file(
    path: Arc<PathBuf>,
    code: &str,
    message: String,
    retry: &'static str,
) -> Diagnostic {
    Diagnostic {
        severity: Severity::Error,
        code: code.to_owned(),
        message,
        path,
        place: None,
        help: None,
        retry,
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Arc;

    use super::{Beyond, HeldFindings, MAX_FINDINGS};
    use crate::diagnostic::{Diagnostic, RETRY_AFTER_FIX, Severity};

    /// One of file `number`, of which every third has an error.
    fn finding(number: usize) -> Diagnostic {
        Diagnostic {
            severity: if number.is_multiple_of(3) {
                Severity::Error
            } else {
                Severity::Warning
            },
            code: "source".to_owned(),
            message: String::new(),
            path: Arc::new(PathBuf::from(format!("{number:06}.md"))),
            place: None,
            help: None,
            retry: RETRY_AFTER_FIX,
        }
    }

    #[test]
    fn promise_10_findings_of_any_number_of_files_are_counted_and_few_are_held() {
        let all = 7 * MAX_FINDINGS;
        let (mut forth, mut back) = (HeldFindings::default(), HeldFindings::default());
        for number in 0..all {
            forth.add([finding(number)]);
            back.add([finding(all - 1 - number)]);
            assert!(forth.held.len() < 2 * MAX_FINDINGS);
        }
        let (forth, back) = (forth.finish(), back.finish());
        assert_eq!(forth, back);
        let (held, beyond) = forth;
        // Errors before warnings: those of the first 30,000 files are all that is held.
        let expected: Vec<Diagnostic> = (0..MAX_FINDINGS).map(|n| finding(3 * n)).collect();
        assert_eq!(held, expected);
        let errors = all.div_ceil(3) - MAX_FINDINGS;
        let warnings = all - all.div_ceil(3);
        let expected = Beyond {
            errors: errors as u64,
            warnings: warnings as u64,
        };
        assert_eq!(beyond, expected);
    }

    #[test]
    fn few_findings_are_all_held_by_path() {
        let mut some = HeldFindings::default();
        some.add((0..100).rev().map(finding));
        let expected: Vec<Diagnostic> = (0..100).map(finding).collect();
        assert_eq!(some.finish(), (expected, Beyond::default()));
    }
}
