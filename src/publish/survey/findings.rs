//! The findings of a run, of which it holds only so many: a million broken files must not fill
//! the memory. It counts all of them.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Severity};
use crate::source::Origin;

/// Most findings that a run holds, of less than 1 KiB each: errors before warnings, and then by
/// path. Which ones does not depend on the order in which files are read.
pub const MAX_FINDINGS: usize = 10_000;

/// Findings of each code that a run holds beside those, the first by path: each code is shown by
/// examples, however many findings of other codes there are.
const EXAMPLES: usize = 3;

/// Most codes that are counted one by one. The fields of a schema file are codes, too.
const MAX_CODES: usize = 1_000;

/// The code under which the findings of all further codes are counted.
const FURTHER_CODES: &str = "…";

/// How many findings have one code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeCount {
    /// Errors or warnings.
    pub severity: Severity,
    /// The code.
    pub code: String,
    /// The findings that have it.
    pub findings: u64,
    /// The sources that have such a finding.
    pub files: u64,
}

/// The findings so far.
#[derive(Debug, Default)]
pub(crate) struct HeldFindings {
    /// Of all findings, only those of this code or below it are held: `score` is `score.quality` too.
    only: Option<String>,
    /// Whether all sources are in one file, and are told apart by their lines.
    is_one_file: bool,
    held: Vec<Held>,
    counts: BTreeMap<(Severity, String), Counts>,
}

/// A finding that is held.
#[derive(Debug)]
struct Held {
    found: Diagnostic,
    /// The number of its source, if that was not read: its line is not known.
    unread: Option<u32>,
}

#[derive(Debug, Default)]
struct Counts {
    findings: u64,
    files: u64,
    /// The source counted last, by its file and, where that has many, its line: the findings of one
    /// source come together.
    last: Option<(Arc<PathBuf>, u32)>,
}

impl HeldFindings {
    /// None so far; only those of the code `only` will be held, if it is given. Where all sources are in
    /// one file, each is a line of it.
    pub(crate) fn new(only: Option<String>, is_one_file: bool) -> Self {
        Self {
            only,
            is_one_file,
            ..Self::default()
        }
    }

    pub(crate) fn add(&mut self, found: impl IntoIterator<Item = Diagnostic>) {
        self.hold(found.into_iter().map(|found| Held {
            found,
            unread: None,
        }));
    }

    /// Adds findings of sources that were not read, each with the number of its source.
    pub(crate) fn add_recalled(&mut self, found: impl IntoIterator<Item = (u32, Diagnostic)>) {
        self.hold(found.into_iter().map(|(source, found)| {
            // That of a packed source was read to find its place.
            let is_unread = found.place.as_ref().is_some_and(|it| it.text.is_empty());
            Held {
                found,
                unread: is_unread.then_some(source),
            }
        }));
    }

    fn hold(&mut self, found: impl Iterator<Item = Held>) {
        for held in found {
            let one = &held.found;
            let line = one.place.as_ref().filter(|_| self.is_one_file);
            let line = line.map_or(0, |place| place.line);
            let counts = self.counts_of(one.severity, &one.code);
            counts.findings += 1;
            let is_same = |(path, last): &(Arc<PathBuf>, u32)| *path == one.path && *last == line;
            if !counts.last.as_ref().is_some_and(is_same) {
                counts.files += 1;
                counts.last = Some((Arc::clone(&one.path), line));
            }
            if self.only.as_ref().is_none_or(|code| is_of(&one.code, code)) {
                self.held.push(held);
            }
            // Sorted seldom: each time, half of them go.
            if self.held.len() >= 2 * MAX_FINDINGS + EXAMPLES * MAX_CODES {
                self.cut();
            }
        }
    }

    /// Counts `findings` in `files` that are not held.
    pub(crate) fn count(&mut self, severity: Severity, code: &str, [findings, files]: [u64; 2]) {
        if findings > 0 {
            let counts = self.counts_of(severity, code);
            counts.findings += findings;
            counts.files += files;
        }
    }

    fn counts_of(&mut self, severity: Severity, code: &str) -> &mut Counts {
        let key = (severity, code.to_owned());
        let key = if self.counts.len() >= MAX_CODES && !self.counts.contains_key(&key) {
            (severity, FURTHER_CODES.to_owned())
        } else {
            key
        };
        self.counts.entry(key).or_default()
    }

    /// Keeps the first of all and the first of each code. Both only ever lose what all that is found
    /// would lose, so the order in which findings arrive does not matter.
    fn cut(&mut self) {
        self.held.sort_by(by_place);
        let mut seen: BTreeMap<(Severity, &str), usize> = BTreeMap::new();
        let is_example: Vec<bool> = (self.held.iter())
            .map(|Held { found, .. }| {
                let number = seen.entry((found.severity, &found.code)).or_default();
                *number += 1;
                *number <= EXAMPLES
                    && self
                        .counts
                        .contains_key(&(found.severity, found.code.clone()))
            })
            .collect();
        let errors = self
            .held
            .iter()
            .filter(|held| held.found.severity == Severity::Error);
        let mut errors = errors.count().min(MAX_FINDINGS);
        let mut warnings = MAX_FINDINGS - errors;
        let mut is_example = is_example.into_iter();
        self.held.retain(|held| {
            let left = match held.found.severity {
                Severity::Error => &mut errors,
                Severity::Warning => &mut warnings,
            };
            let is_first = *left > 0;
            *left = left.saturating_sub(1);
            is_example.next() == Some(true) || is_first
        });
    }

    /// Reads the lines of the first findings of each code, so many, from the sources of `origin`.
    pub(crate) fn read_lines(&mut self, origin: &dyn Origin, many: usize) {
        if self.held.len() > MAX_FINDINGS {
            self.cut();
        }
        self.held.sort_by(by_place);
        let mut seen: BTreeMap<(Severity, &str), usize> = BTreeMap::new();
        let mut last: Option<(u32, Vec<u8>)> = None;
        for Held { found, unread } in &mut self.held {
            let number = seen.entry((found.severity, &found.code)).or_default();
            *number += 1;
            let Some((source, place)) = unread.zip(found.place.as_mut()) else {
                continue;
            };
            if *number > many {
                continue;
            }
            if last.as_ref().is_none_or(|(read, _)| *read != source) {
                let bytes = origin.load(source as usize).bytes.unwrap_or_default();
                last = Some((source, bytes));
            }
            let bytes = last.as_ref().map_or(&[][..], |(_, bytes)| bytes);
            place.read_line(&String::from_utf8_lossy(bytes));
        }
    }

    /// Those that are held, sorted by path and place, and how many there are of each code, errors first.
    pub(crate) fn finish(mut self) -> (Vec<Diagnostic>, Vec<CodeCount>) {
        if self.held.len() > MAX_FINDINGS {
            self.cut();
        }
        self.held.sort_by(by_place);
        let counts = self
            .counts
            .into_iter()
            .map(|((severity, code), counts)| CodeCount {
                severity,
                code,
                findings: counts.findings,
                files: counts.files,
            });
        let held = self.held.into_iter().map(|held| held.found);
        (held.collect(), counts.collect())
    }
}

/// Whether a finding with the code `own` is meant by `code`: `score` means `score.quality` too.
pub(crate) fn is_of(own: &str, code: &str) -> bool {
    own.strip_prefix(code)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn by_place(a: &Held, b: &Held) -> Ordering {
    let place = |one: &Held| {
        one.found
            .place
            .as_ref()
            .map(|place| (place.line, place.column))
    };
    (&a.found.path, place(a)).cmp(&(&b.found.path, place(b)))
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

    use super::{CodeCount, EXAMPLES, FURTHER_CODES, HeldFindings, MAX_CODES, MAX_FINDINGS};
    use crate::diagnostic::{Diagnostic, RETRY_AFTER_FIX, Severity};

    fn finding(severity: Severity, code: &str, number: usize) -> Diagnostic {
        Diagnostic {
            severity,
            code: code.to_owned(),
            message: String::new(),
            path: Arc::new(PathBuf::from(format!("{number:06}.md"))),
            place: None,
            help: None,
            retry: RETRY_AFTER_FIX,
        }
    }

    /// One of file `number`, of which every third has an error.
    fn one_of_many(number: usize) -> Diagnostic {
        if number.is_multiple_of(3) {
            finding(Severity::Error, "slug", number)
        } else {
            finding(Severity::Warning, "source", number)
        }
    }

    #[test]
    fn promise_10_findings_of_any_number_of_files_are_counted_and_few_are_held() {
        let all = 7 * MAX_FINDINGS;
        let (mut forth, mut back) = (HeldFindings::default(), HeldFindings::default());
        let most = 2 * MAX_FINDINGS + EXAMPLES * MAX_CODES;
        for number in 0..all {
            forth.add([one_of_many(number)]);
            back.add([one_of_many(all - 1 - number)]);
            assert!(forth.held.len() < most);
        }
        let (forth, back) = (forth.finish(), back.finish());
        assert_eq!(forth, back);
        let (held, counts) = forth;
        // Errors before warnings: those of the first 30,000 files, and the first three warnings.
        let warnings = [1, 2, 4].map(one_of_many);
        let mut expected: Vec<Diagnostic> = (0..MAX_FINDINGS)
            .map(|n| one_of_many(3 * n))
            .chain(warnings)
            .collect();
        expected.sort_by(|a, b| a.path.cmp(&b.path));
        assert_eq!(held, expected);
        let errors = all.div_ceil(3) as u64;
        let count = |severity, code: &str, findings| CodeCount {
            severity,
            code: code.to_owned(),
            findings,
            files: findings,
        };
        let expected = [
            count(Severity::Error, "slug", errors),
            count(Severity::Warning, "source", all as u64 - errors),
        ];
        assert_eq!(counts, expected);
    }

    #[test]
    fn few_findings_are_all_held_by_path() {
        let mut some = HeldFindings::default();
        some.add((0..100).rev().map(one_of_many));
        let expected: Vec<Diagnostic> = (0..100).map(one_of_many).collect();
        assert_eq!(some.finish().0, expected);
    }

    #[test]
    fn a_file_counts_once_for_each_code_that_it_has() {
        let mut some = HeldFindings::default();
        let file = |number| ["a", "b", "a"].map(|code| finding(Severity::Warning, code, number));
        some.add(file(1).into_iter().chain(file(2)));
        let counts: Vec<_> = (some.finish().1.into_iter())
            .map(|count| (count.code, count.findings, count.files))
            .collect();
        assert_eq!(counts, [("a".to_owned(), 4, 2), ("b".to_owned(), 2, 2)]);
    }

    #[test]
    fn one_code_and_those_below_it_are_held_and_all_are_counted() {
        let mut some = HeldFindings::new(Some("score".to_owned()), false);
        some.add(
            ["score", "score.quality", "scores", "slug"]
                .map(|code| finding(Severity::Error, code, 1)),
        );
        let (held, counts) = some.finish();
        let codes: Vec<_> = held.iter().map(|found| found.code.as_str()).collect();
        assert_eq!(codes, ["score", "score.quality"]);
        assert_eq!(counts.len(), 4);
    }

    #[test]
    fn promise_10_codes_beyond_the_limit_are_counted_together() {
        let mut many = HeldFindings::default();
        for number in 0..3 * MAX_CODES {
            many.add([finding(Severity::Error, &format!("c{number}"), number)]);
        }
        let (_, counts) = many.finish();
        assert_eq!(counts.len(), MAX_CODES + 1);
        let further = counts
            .iter()
            .find(|count| count.code == FURTHER_CODES)
            .unwrap();
        assert_eq!(further.findings, 2 * MAX_CODES as u64);
        assert_eq!(
            counts.iter().map(|count| count.findings).sum::<u64>(),
            3 * MAX_CODES as u64
        );
    }
}
