//! What a run says, as its page needs it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::chart::{ExpiryDays, PageSizes};
use super::differences::ShownArticle;
use super::findings::{EXAMPLES, FindingGroup, groups};
use super::folders::Folders;
use super::target;
use crate::article::Route;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::publish::apply::progress::KeyReport;
use crate::publish::diff::{ArticleDiff, DiffSink};
use crate::publish::keys::split_key;
use crate::publish::manifest::{Action, Counts, Fate, Header, Lost, Status};
use crate::publish::outcome::Ended;
use crate::publish::reason::Reason;
use crate::publish::report::{Bar, Report};
use crate::publish::survey::surveyor::Survey;
use crate::report::articles::{Articles, Surveyed};
use crate::report::diff_text::compare;
use crate::settings::Settings;
use crate::words::counted;

/// So many changed articles are listed.
const MOST_CHANGES: usize = 200;

/// So many articles are shown with their differences.
pub(crate) const MOST_DIFFERENCES: usize = 20;

/// So many warnings, and articles without a source, are named.
const MOST_NAMED: usize = 20;

/// Collects what a run says, for its page.
pub(crate) struct RunPage {
    pub(super) path: PathBuf,
    pub(super) command: &'static str,
    pub(super) is_dry: bool,
    /// The address of the store, without a password, and the prefix.
    pub(super) place: String,
    pub(super) started: Instant,
    pub(super) started_at_ms: i64,
    pub(super) phases: Phases,
    pub(super) run: Option<(Header, PathBuf)>,
    /// Whether something of it may be in the store.
    pub(super) may_have_written: bool,
    pub(super) counts: Counts,
    /// How it ended by itself.
    pub(super) ended: Option<Status>,
    /// The run that it undoes.
    pub(super) undoes: Option<String>,
    pub(super) owner: Option<String>,
    pub(super) expected_result: Option<String>,
    pub(super) articles: Articles,
    pub(super) surveyed: Surveyed,
    pub(super) folders: Folders,
    pub(super) expiries: ExpiryDays,
    pub(super) sizes: PageSizes,
    pub(super) findings: Vec<FindingGroup>,
    pub(super) slowest: Vec<(PathBuf, Duration)>,
    pub(super) changes: Vec<Change>,
    pub(super) more_changes: u64,
    pub(super) differences: Vec<ShownArticle>,
    /// Why they are not known.
    pub(super) no_differences: Option<String>,
    pub(super) orphans: Vec<String>,
    pub(super) all_orphans: usize,
    pub(super) warnings: Vec<String>,
    pub(super) all_warnings: usize,
    pub(super) comes_back: bool,
}

/// An article that a run changes.
pub(super) struct Change {
    pub route: String,
    pub action: Action,
    pub reason: Option<Reason>,
}

/// How long the stages of a run took, in the order in which they ended.
#[derive(Clone, Default)]
pub(crate) struct Phases(Arc<Mutex<Vec<(String, Duration)>>>);

impl Phases {
    /// Notes that a stage took so long.
    pub(crate) fn add(&self, name: &str, took: Duration) {
        let mut phases = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match phases.iter_mut().find(|(other, _)| other == name) {
            Some((_, all)) => *all += took,
            None => phases.push((name.to_owned(), took)),
        }
    }

    pub(super) fn all(&self) -> Vec<(String, Duration)> {
        let phases = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        phases.clone()
    }
}

/// Notes at its end how long a stage took.
struct Stopwatch {
    phases: Phases,
    stage: &'static str,
    started: Instant,
}

impl Bar for Stopwatch {
    fn advance(&self, _: u64) {}
}

impl Drop for Stopwatch {
    fn drop(&mut self) {
        self.phases.add(self.stage, self.started.elapsed());
    }
}

impl DiffSink for RunPage {
    /// Shows how an article differs.
    fn article(&mut self, article: &ArticleDiff) {
        let objects = article.objects.iter();
        let objects = objects.map(|object| (object.key.clone(), compare(object)));
        self.differences.push(ShownArticle::new(article, objects));
    }
}

impl RunPage {
    /// The page of a run of `command`, to be written to `path`.
    ///
    /// # Errors
    /// No file can be written there. It is better to know that before the run than after it.
    pub(crate) fn begin(
        path: &Path,
        (command, is_dry): (&'static str, bool),
        settings: &Settings,
    ) -> Result<Self, Failure> {
        target::check(path).map_err(|why| {
            let what = format!("cannot write the report {}: {why}", path.display());
            Failure::new(Exit::Usage, what)
                .note(
                    "expected",
                    "--report with a new .html file, or with an older report",
                )
                .note("retry", "after you fix the options; nothing was written")
        })?;
        let started_at_ms = jiff::Timestamp::now().as_millisecond();
        Ok(Self {
            path: path.to_owned(),
            command,
            is_dry,
            place: format!("{}, prefix {}", settings.address, settings.prefix),
            started: Instant::now(),
            started_at_ms,
            phases: Phases::default(),
            run: None,
            may_have_written: false,
            counts: Counts::default(),
            ended: None,
            undoes: None,
            owner: settings.owner.clone(),
            expected_result: settings.expected_result.clone(),
            articles: Articles::default(),
            surveyed: Surveyed::default(),
            folders: Folders::default(),
            expiries: ExpiryDays::from(started_at_ms),
            sizes: PageSizes::default(),
            findings: Vec::new(),
            slowest: Vec::new(),
            changes: Vec::new(),
            more_changes: 0,
            differences: Vec::new(),
            no_differences: None,
            orphans: Vec::new(),
            all_orphans: 0,
            warnings: Vec::new(),
            all_warnings: 0,
            comes_back: false,
        })
    }

    /// Where the times of stages are noted.
    pub(crate) fn phases(&self) -> Phases {
        self.phases.clone()
    }

    /// The file of the manifest; none in a dry run.
    pub(crate) fn manifest(&self) -> Option<&Path> {
        self.run.as_ref().map(|(_, manifest)| manifest.as_path())
    }

    /// The routes of the first articles whose values are replaced.
    pub(crate) fn updated(&self) -> Vec<String> {
        let updated = self
            .changes
            .iter()
            .filter(|change| change.action == Action::Update);
        let routes = updated.map(|change| change.route.clone());
        routes.take(MOST_DIFFERENCES).collect()
    }

    /// Says why it does not show how articles differ.
    pub(crate) fn cannot_compare(&mut self, why: &Failure) {
        self.no_differences = Some(why.what.clone());
    }

    /// What the run is: `import`, `warm` …
    pub(crate) fn command(&self) -> &'static str {
        self.command
    }

    /// Where it is written.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    fn change(&mut self, key: &KeyReport<'_>) {
        let (Fate::Written, Some(action)) = (key.fate, key.action) else {
            return;
        };
        if !self.articles.add(key, action) {
            return;
        }
        let (_, route) = split_key(key.key);
        self.folders.change(route, action);
        if let Some(at_ms) = key.expires_at_ms {
            self.expiries.add(at_ms);
        }
        if self.changes.len() == MOST_CHANGES {
            self.more_changes += 1;
            return;
        }
        self.changes.push(Change {
            route: route.to_owned(),
            action,
            reason: key.reason,
        });
    }
}

impl Report for RunPage {
    fn warning(&mut self, message: &str) {
        self.all_warnings += 1;
        if self.warnings.len() < MOST_NAMED {
            self.warnings.push(message.to_owned());
        }
    }

    fn bar(&mut self, stage: &'static str, _: &'static str, _: u64) -> Box<dyn Bar> {
        // The stages of a rehearsal are parts of its steps.
        if self.command == "rehearse" {
            return Box::new(());
        }
        Box::new(Stopwatch {
            phases: self.phases(),
            stage,
            started: Instant::now(),
        })
    }

    fn begun(&mut self, header: &Header, manifest: &Path) {
        // The rollback at the end of a rehearsal is a part of it.
        self.run
            .get_or_insert_with(|| (header.clone(), manifest.to_owned()));
    }

    fn writes(&mut self, header: &Header) {
        // A rollback that is cut short is repeated, not undone.
        self.may_have_written |= header.undoes.is_none();
    }

    fn lines_shown(&self) -> usize {
        EXAMPLES
    }

    fn findings(&mut self, survey: &Survey) {
        // A later one is about articles that expired meanwhile.
        if !self.surveyed.is_empty() {
            return;
        }
        self.surveyed = Surveyed::of(survey);
        self.findings = groups(survey);
        self.slowest.clone_from(&survey.slowest);
        for entry in &survey.entries {
            // Of the others it is told what became of them.
            if !entry.is_touched() {
                self.folders.keep(entry.route.as_str());
                self.expiries.add(entry.first_expiry_ms());
            }
            let bytes = entry.spot().map(|spot| spot.page_bytes);
            self.sizes.add(bytes.unwrap_or(entry.prior(0).bytes));
        }
    }

    fn orphans(&mut self, routes: &[Route]) {
        self.all_orphans = routes.len();
        let first = routes.iter().take(MOST_NAMED);
        self.orphans = first.map(Route::to_string).collect();
    }

    fn key(&mut self, key: &KeyReport<'_>) {
        self.change(key);
    }

    fn restored(&mut self, key: &KeyReport<'_>) {
        // A rehearsal is about its import.
        if self.command == "rollback" {
            self.may_have_written |= key.fate == Fate::Written && !self.is_dry;
            self.change(key);
        }
    }

    fn lost(&mut self, parts: &[Lost]) {
        if !parts.is_empty() {
            let parts = counted(parts.len() as u64, "part");
            self.warning(&format!("{parts} of the manifest cannot be read"));
        }
    }

    fn counts(&mut self, counts: &Counts) {
        if self.ended.is_none() {
            self.counts = *counts;
        }
    }

    fn ended(&mut self, ended: &Ended<'_>) {
        // The rollback at the end of a rehearsal is a part of it.
        if self.ended.is_none() {
            self.counts = *ended.counts;
            self.ended = Some(ended.status);
            self.undoes = ended.undoes.map(str::to_owned);
        }
    }

    fn comes_back(&mut self) {
        self.comes_back = true;
    }
}
