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
    Cache, Generated, Inspector, Order, Origin, OwnShare, Selection, Survey, SurveyError, Surveyor,
    Tree, walk,
};
use crate::store::Session;
use crate::synth::Generator;

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

/// Refuses a content folder that cannot be read, before a run is begun for it.
pub(super) fn readable(root: &Path) -> Result<(), Failure> {
    match std::fs::read_dir(root) {
        Ok(_) => Ok(()),
        Err(error) => Err(unreadable(root, &error)),
    }
}

pub(super) fn unreadable(root: &Path, error: &std::io::Error) -> Failure {
    let what = format!("cannot read the content folder {}: {error}", root.display());
    Failure::new(Exit::Refused, what)
        .note("expected", "a folder of Markdown articles")
        .note(
            "retry",
            "safe once the folder can be read; nothing was written",
        )
}

/// Walks and surveys the content tree.
pub(super) fn survey(
    settings: &Settings,
    renderer: &Renderer,
    purpose: Purpose<'_>,
    progress: Progress,
) -> Result<(Survey, Option<Spooled>), Failure> {
    let root = &settings.content;
    let wanted = purpose.wanted;
    let found;
    let (tree, generated);
    let origin: &dyn Origin = if let Some((generator, count)) = wanted.generated {
        generated = Generated { generator, count };
        &generated
    } else {
        let mut all = walk(root).map_err(|error| unreadable(root, &error))?;
        if let Some(sample) = wanted.sample {
            let length = all.sources.len();
            all.sources
                .retain(|index| is_sampled(index, length, sample));
        }
        found = all;
        tree = Tree {
            root,
            found: &found,
        };
        &tree
    };
    let bar = progress.bar("survey", "articles", origin.count() as u64);
    let spool_failed = |error: std::io::Error| {
        Failure::state_folder("cannot write the spool of rendered objects", &error)
    };
    let spool = purpose
        .spool_in
        .map(Spool::create)
        .transpose()
        .map_err(spool_failed)?;
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
        on_progress: &|done| bar.inc(done),
    };
    let mut survey = in_pool(|| surveyor.run(origin))?.map_err(|error| match error {
        SurveyError::Store(error) => Failure::before_writing(&error),
        SurveyError::Spool(error) => spool_failed(error),
        SurveyError::TimedOut(late) => expect::too_late(late),
        SurveyError::Interrupted => Failure::interrupted(),
    })?;
    bar.finish_and_clear();
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
        .transpose()
        .map_err(spool_failed)?;
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
    refuse_nothing(survey, &settings.content)?;
    refuse_invalid(settings, survey)
}

fn refuse_nothing(survey: &Survey, root: &Path) -> Result<(), Failure> {
    let refused = |what: String| {
        Err(Failure::new(Exit::Refused, what)
            .note("expected", "at least one article")
            .note("retry", "safe once there is one; nothing was written"))
    };
    if survey.sources == 0 {
        let unreadable = match survey.unreadable {
            0 => String::new(),
            some => format!(" ({some} files or folders cannot be read)"),
        };
        return refused(format!(
            "no article found in {}{unreadable}",
            root.display()
        ));
    }
    if survey.drafts == survey.sources {
        let what = format!(
            "all {} articles in {} are drafts",
            survey.drafts,
            root.display()
        );
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
    let what = format!("{invalid} of {all} articles are invalid");
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
