//! The survey as the commands run it: walk, survey, report, and the rules that refuse.

use std::cmp::Reverse;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{LazyLock, Mutex};

use serde_json::{Value, json};

use super::expect;
use super::pool::in_pool;
use crate::diagnostic::Severity;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::publish::expiry::Expiry;
use crate::publish::plan::{Keys, Policy};
use crate::publish::shard::Shard;
use crate::publish::spool::{Spool, Spooled};
use crate::publish::time_limit::TimeLimit;
use crate::render::{Renderer, Stamp};
use crate::report::log::{self, Level};
use crate::report::{Output, Progress, diagnostics};
use crate::settings::{Limit, Settings};
use crate::source::{
    Beyond, Cache, Found, Generated, Inspector, MAX_FINDINGS, Order, Origin, OwnShare, Selection,
    Subset, Survey, SurveyError, Surveyor, Tree, Walk, WalkError,
};
use crate::store::Session;
use crate::synth::Generator;
use crate::words::{counted, with};

/// What a survey is made for.
pub(super) struct Purpose<'a> {
    /// The store to compare with, and how its keys are named.
    pub store: Option<(&'a mut Session, &'a Keys)>,
    /// The folder for the spool, if what is rendered will be written.
    pub spool_in: Option<&'a Path>,
    /// Set when somebody asks the run to end.
    pub interrupted: &'a AtomicBool,
    /// How long all of the run may take.
    pub time_limit: Option<TimeLimit>,
    /// Which articles, and what for.
    pub wanted: Wanted<'a>,
    /// The id of the run.
    pub run: &'a str,
    /// Start of the run, ms since 1970.
    pub started_at: i64,
    /// What is known of unchanged files.
    pub cache: Caching,
}

/// What use is made of the cache of unchanged files.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Caching {
    /// None: every file is read.
    Off,
    /// It is read, and left as it is: only who holds the lock of the state folder may write it.
    Read,
    /// It is read, and what was found is written for the next run.
    Write,
}

/// Which articles a survey is about, and by which rule they are published.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub policy: Policy,
    pub selection: &'a Selection,
    pub order: Order,
    /// Only so many articles, spread over the tree.
    pub sample: Option<usize>,
    /// The part of them that this process writes, if that is not all.
    pub share: Option<Shard>,
    /// Made by a generator, so many, instead of read from the content tree.
    pub generated: Option<(&'a Generator, usize)>,
}

/// Every article.
static EVERYTHING: LazyLock<Selection> = LazyLock::new(Selection::default);

impl Wanted<'_> {
    /// Every article of the content tree, as an import has them.
    pub(super) fn all() -> Self {
        Self {
            policy: Policy::Import,
            selection: &EVERYTHING,
            order: Order::Path,
            sample: None,
            share: None,
            generated: None,
        }
    }
}

pub(super) fn renderer(settings: &Settings) -> Result<Renderer, Failure> {
    Renderer::new(&settings.render).map_err(|error| {
        Failure::new(Exit::Config, error.to_string()).note(
            "retry",
            "not before the template is fixed; nothing was written",
        )
    })
}

/// Refuses content that cannot be read, before a run is begun for it.
pub(super) fn readable(settings: &Settings) -> Result<(), Failure> {
    let path = settings.sources();
    let is_file = || path.symlink_metadata().map(|metadata| !metadata.is_dir());
    let read = match settings.part {
        Some(_) if is_file().unwrap_or(false) => Ok(()),
        _ => std::fs::read_dir(&path).map(drop),
    };
    read.map_err(|error| unreadable(settings, &error))
}

pub(super) fn unreadable(settings: &Settings, error: &std::io::Error) -> Failure {
    let path = settings.sources_shown();
    let what = format!("cannot read the content folder {path}: {error}");
    Failure::new(Exit::Refused, what)
        .note("expected", "a folder of Markdown articles")
        .note(
            "retry",
            "safe once the folder can be read; nothing was written",
        )
}

/// Finds the sources of the content tree.
///
/// # Errors
/// 65 when it cannot be read or takes too long, 130 when a signal asked the run to end.
pub(super) fn walked(
    settings: &Settings,
    interrupted: &AtomicBool,
    time_limit: Option<TimeLimit>,
) -> Result<Found, Failure> {
    let walk = Walk {
        root: &settings.content,
        part: settings.part.as_deref(),
        interrupted,
        time_limit,
    };
    walk.run().map_err(|error| match error {
        WalkError::Unreadable(error) => unreadable(settings, &error),
        WalkError::TimedOut(late) => expect::too_late(late),
        WalkError::Interrupted => stopped(&error),
    })
}

/// The failure of a command that a signal ended before its first write.
pub(super) fn stopped(error: &dyn std::error::Error) -> Failure {
    Failure::new(Exit::Interrupted, error.to_string()).note("retry", "safe, nothing was written")
}

/// What a survey found, and what it rendered for the store.
type Surveyed = (Survey, Option<Spooled>);

/// Where the articles of a command come from. A source keeps its number in it.
pub(super) enum Corpus<'a> {
    /// The content tree, and its files.
    Tree(&'a Path, Found),
    /// A generator, and how many articles it makes.
    Generated(&'a Generator, usize),
}

impl<'a> Corpus<'a> {
    /// What is wanted: walks the content tree.
    ///
    /// # Errors
    /// As [`walked`].
    pub(super) fn find(
        settings: &'a Settings,
        wanted: &Wanted<'a>,
        interrupted: &AtomicBool,
        time_limit: Option<TimeLimit>,
    ) -> Result<Self, Failure> {
        if let Some((generator, count)) = wanted.generated {
            return Ok(Self::Generated(generator, count));
        }
        let root = &settings.content;
        let mut found = walked(settings, interrupted, time_limit)?;
        if settings.part.is_some() {
            log::note(format!(
                "only the articles of {}; their routes are relative to the content root {}",
                settings.sources().display(),
                root.display()
            ));
        }
        if let Some(sample) = wanted.sample {
            let length = found.sources.len();
            found
                .sources
                .retain(|index| is_sampled(index, length, sample));
        }
        Ok(Self::Tree(root, found))
    }

    fn with<T>(&self, work: impl FnOnce(&dyn Origin) -> T) -> T {
        match self {
            Self::Tree(root, found) => work(&Tree { root, found }),
            Self::Generated(generator, count) => work(&Generated {
                generator,
                count: *count,
            }),
        }
    }
}

/// Surveys all of the `corpus`.
pub(super) fn survey(
    settings: &Settings,
    renderer: &Renderer,
    purpose: Purpose<'_>,
    corpus: &Corpus<'_>,
    progress: Progress,
) -> Result<Surveyed, Failure> {
    let spool_in = purpose.spool_in.unwrap_or(&settings.state_dir);
    corpus.with(|origin| {
        let bar = progress.bar("survey", "articles", origin.count() as u64);
        let surveyed = survey_of(settings, renderer, purpose, origin, &|done| bar.inc(done));
        bar.finish_and_clear();
        surveyed.map_err(|error| match error {
            SurveyError::Store(error) => Failure::before_writing(&error),
            SurveyError::Spool(error) => {
                let folder = spool_in.display();
                let what = format!("cannot write the spool of rendered objects in {folder}");
                Failure::state_folder(&what, &error)
            }
            SurveyError::TimedOut(late) => expect::too_late(late),
            SurveyError::Interrupted => stopped(&error),
        })
    })
}

/// Surveys the sources of the `corpus` with these numbers. The entries name a source by its place in
/// `numbers`.
pub(super) fn survey_again(
    settings: &Settings,
    renderer: &Renderer,
    purpose: Purpose<'_>,
    corpus: &Corpus<'_>,
    numbers: &[u32],
) -> Result<Surveyed, SurveyError> {
    corpus.with(|origin| {
        let some = Subset { origin, numbers };
        survey_of(settings, renderer, purpose, &some, &|_| {})
    })
}

fn survey_of(
    settings: &Settings,
    renderer: &Renderer,
    purpose: Purpose<'_>,
    origin: &dyn Origin,
    on_progress: &(dyn Fn(u64) + Sync),
) -> Result<Surveyed, SurveyError> {
    let wanted = purpose.wanted;
    let spool = purpose.spool_in.map(Spool::create).transpose()?;
    let cache = cache(settings, renderer, &purpose, origin.count());
    let surveyor = Surveyor {
        rules: &settings.rules,
        drafts: settings.drafts,
        renderer,
        stamp: Stamp {
            run: purpose.run,
            written_at_ms: purpose.started_at,
        },
        expiry: Expiry {
            start_ms: purpose.started_at,
            ttl_ms: settings.ttl_ms,
            jitter_permille: settings.jitter_permille,
            most_ms: settings.max_ttl_ms,
        },
        policy: wanted.policy,
        selection: wanted.selection,
        share: wanted.share.map(|shard| OwnShare {
            shard,
            // Whatever changes, all of it may: then nobody has to know.
            counts_changes: settings.expect.max_changed != Limit::Permille(1000),
        }),
        order: wanted.order,
        cache,
        store: purpose
            .store
            .map(|(session, keys)| Mutex::new(Inspector { session, keys })),
        spool: spool.map(Mutex::new),
        interrupted: purpose.interrupted,
        time_limit: purpose.time_limit,
        on_progress,
    };
    let mut survey = in_pool(|| surveyor.run(origin))??;
    if let Some(cache) = surveyor.cache.as_ref()
        && purpose.cache == Caching::Write
        && let Err(error) = cache.save(&ending(wanted.share))
    {
        log::warning(format!(
            "cannot write the cache of unchanged files, the next run reads them all: {error}"
        ));
    }
    if wanted.order != Order::Path {
        survey.entries.sort_by_key(|entry| Reverse(entry.rank));
    }
    let spooled = surveyor
        .spool
        .map(|spool| {
            spool
                .into_inner()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
                .finish()
        })
        .transpose()?;
    Ok((survey, spooled))
}

/// The ending of the file in which the cache is written: whoever writes it holds the lock of the
/// folder, or that of its shard.
fn ending(shard: Option<Shard>) -> String {
    match shard {
        Some(shard) => format!("{}.new", shard.in_file_name()),
        None => "new".to_owned(),
    }
}

/// The cache of unchanged files, where it tells enough of them.
fn cache(
    settings: &Settings,
    renderer: &Renderer,
    purpose: &Purpose<'_>,
    sources: usize,
) -> Option<Cache> {
    let wanted = &purpose.wanted;
    // It does not know the values of lists.
    let is_of_use = wanted.selection.tags.is_empty() && wanted.generated.is_none();
    if purpose.cache == Caching::Off || !is_of_use {
        return None;
    }
    let path = settings.state_dir.join("unchanged.cache");
    let sources = (sources, settings.part.is_none());
    Cache::open(path, &settings.content, sources, &settings.rules, renderer).ok()
}

/// Whether the item at `index` is one of `count` that are taken of `length`, at equal distances.
fn is_sampled(index: usize, length: usize, count: usize) -> bool {
    let count = count.min(length);
    // It is taken where the count of those before it steps up.
    (index + 1) * count / length > index * count / length
}

/// Refuses what [`report`] has shown: no article at all, or more invalid ones than the
/// settings allow. "Green, but nothing imported" cannot happen.
pub(super) fn refuse(settings: &Settings, survey: &Survey) -> Result<(), Failure> {
    refuse_nothing(settings, survey)?;
    refuse_invalid(settings, survey)
}

fn refuse_nothing(settings: &Settings, survey: &Survey) -> Result<(), Failure> {
    let refused = |what: String| {
        Err(Failure::new(Exit::Refused, what)
            .note("expected", "at least one article")
            .note("retry", "safe once there is one; nothing was written"))
    };
    if survey.sources == 0 {
        let unreadable = match survey.unreadable {
            0 => String::new(),
            1 => " (1 file or folder cannot be read)".to_owned(),
            some => format!(" ({some} files or folders cannot be read)"),
        };
        let root = settings.sources_shown();
        return refused(format!("no article found in {root}{unreadable}"));
    }
    let root = settings.sources();
    let root = root.display();
    if survey.drafts == survey.sources {
        let what = match survey.drafts {
            1 => format!("the only article in {root} is a draft"),
            some => format!("all {some} articles in {root} are drafts"),
        };
        return refused(what);
    }
    Ok(())
}

fn refuse_invalid(settings: &Settings, survey: &Survey) -> Result<(), Failure> {
    let invalid = survey.invalid + survey.unreadable;
    let all = survey.sources - survey.drafts + survey.unreadable;
    if !settings.max_invalid.is_exceeded(invalid, all) {
        return Ok(());
    }
    let what = format!(
        "{invalid} of {} {} invalid",
        counted(all, "article"),
        with(invalid, "is", "are")
    );
    Err(Failure::new(Exit::Refused, what)
        .note(
            "expected",
            format!("at most {} (max_invalid)", settings.max_invalid),
        )
        .note(
            "retry",
            "not before the articles are fixed; nothing was written",
        ))
}

/// Where people read what [`report`] says.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Prose {
    /// On stdout: it is the result of the command.
    Stdout,
    /// On stderr, beside the result.
    Stderr,
}

/// Reports every finding: for people, and to `output` as JSON lines.
pub(super) fn report(survey: &Survey, output: &mut Output, prose: Prose) {
    let tell = |output: &mut Output, level, text: &str, fields: &Value| match prose {
        Prose::Stdout => output.text(text),
        Prose::Stderr => log::entry(level, text, fields),
    };
    for diagnostic in &survey.diagnostics {
        let drawn = diagnostics::render(diagnostic, false);
        let level = match diagnostic.severity {
            Severity::Error => Level::Error,
            Severity::Warning => Level::Warning,
        };
        let fields = diagnostics::json(diagnostic);
        tell(output, level, &format!("{}\n", drawn.trim_end()), &fields);
        output.json(&fields);
    }
    if survey.beyond.all() > 0 {
        let Beyond { errors, warnings } = survey.beyond;
        let text = format!(
            "{} not shown ({} and {}): a run shows {MAX_FINDINGS} findings, errors first",
            counted(survey.beyond.all(), "further finding"),
            counted(errors, "error"),
            counted(warnings, "warning"),
        );
        let fields =
            json!({ "type": "findings_not_shown", "errors": errors, "warnings": warnings });
        output.json(&fields);
        let fields = json!({ "message": text, "errors": errors, "warnings": warnings });
        tell(output, Level::Warning, &format!("warning: {text}"), &fields);
    }
    for line in survey.unknown.lines() {
        let mut fields = json!({
            "type": "unknown_field", "field": line.name, "files": line.files,
            "suggestion": line.suggestion,
        });
        output.json(&fields);
        fields["message"] = line.to_string().into();
        tell(output, Level::Warning, &format!("warning: {line}"), &fields);
    }
    if survey.cleaned.any() {
        let cleaned = survey.cleaned.to_string();
        let text = format!("note: {cleaned}");
        tell(output, Level::Note, &text, &json!({ "message": cleaned }));
    }
}

#[cfg(test)]
mod tests {
    use super::is_sampled;

    #[test]
    fn a_sample_is_spread_over_the_whole_tree() {
        let sample = |length: usize, count: usize| -> Vec<usize> {
            let all = 0..length;
            all.filter(|index| is_sampled(*index, length, count))
                .collect()
        };
        assert_eq!(sample(10, 3), [3, 6, 9]);
        assert_eq!(sample(3, 7), [0, 1, 2]);
        assert_eq!(sample(3, 1), [2]);
        assert!(sample(0, 5).is_empty());
    }
}
