//! The survey as the commands run it: walk, survey, report, and the rules that refuse.

use std::cmp::Reverse;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{LazyLock, Mutex, PoisonError};

use super::all_sources::survey_all;
use super::batch::SurveyError;
use super::compress::compress_filled;
use super::listings::Listings;
use super::pool::in_pool;
use super::selection::Selection;
use super::stored::{Inspector, Likely};
use super::surveyor::{OwnShare, Survey, Surveyor};
use super::targets::LinkedRoutes;
use crate::article::Rules;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::publish::derive::archive::{Archive, ArchiveAgain};
use crate::publish::derive::{self, Derivation, set_lists};
use crate::publish::gates::expectations;
use crate::publish::keys::Keys;
use crate::publish::plan::expiry::Expiry;
use crate::publish::plan::need::Policy;
use crate::publish::report::Report;
use crate::publish::shards::shard::Shard;
use crate::regular;
use crate::render::{Renderer, Stamp};
use crate::settings::{Limit, Settings};
use crate::source::{
    Cache, CachedListings, Caching, Generated, Opening, Order, Origin, Subset, Tree, Walk,
    WalkError, WalkResult, WordpressFields, goes_on, has_parts,
};
use crate::spool::{FinishedSpool, Spool};
use crate::store::Session;
use crate::synth::Generator;
use crate::time_limit::TimeLimit;
use crate::words::{counted, listed, with};

/// What a survey is made for.
pub(crate) struct SurveyPurpose<'a> {
    /// The store to compare with, and how its keys are named.
    pub store: Option<(&'a mut Session, &'a Keys)>,
    /// The folder for the spool, if what is rendered will be written.
    pub spool_in: Option<&'a Path>,
    /// Set when somebody asks the run to end.
    pub interrupted: &'a AtomicBool,
    /// How long all of the run may take.
    pub time_limit: Option<TimeLimit>,
    /// Which articles, and what for.
    pub wanted: SurveyScope<'a>,
    /// Of all findings, only those of this code are held.
    pub code: Option<&'a str>,
    /// The id of the run.
    pub run: &'a str,
    /// Start of the run, ms since 1970.
    pub started_at: i64,
    /// What is known of unchanged files.
    pub cache: Caching,
    /// Whether the lengths of what stays as it is are asked for.
    pub lengths: bool,
}

/// Which articles a survey is about, and by which rule they are published.
#[derive(Clone, Copy)]
pub(crate) struct SurveyScope<'a> {
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

impl SurveyScope<'_> {
    /// Every article of the content tree, as an import has them.
    pub(crate) fn all() -> Self {
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

pub(crate) fn renderer(settings: &Settings) -> Result<Renderer, Failure> {
    Renderer::new(&settings.render).map_err(|error| {
        Failure::new(Exit::Config, error.to_string())
            .note("retry", "after you fix the template; nothing was written")
    })
}

/// Refuses content that cannot be read, before a run is begun for it.
pub(crate) fn readable(settings: &Settings) -> Result<(), Failure> {
    let path = settings.sources();
    let is_file = || path.symlink_metadata().map(|metadata| !metadata.is_dir());
    let read = match settings.part {
        _ if settings.is_stdin() => Ok(()),
        _ if settings.is_packed() => regular::open(&path).map(drop),
        Some(_) if is_file().unwrap_or(false) => Ok(()),
        _ => std::fs::read_dir(&path).map(drop),
    };
    read.map_err(|error| unreadable(settings, &error))
}

pub(crate) fn unreadable(settings: &Settings, error: &std::io::Error) -> Failure {
    let path = settings.sources_shown();
    let is_file = settings.part.is_none() && settings.content.is_file();
    let (what, expected) = match is_file {
        _ if settings.is_packed() => (format!("cannot read {path}: {error}"), PACKED),
        true => (
            format!("{path} is a file outside the content folder of the settings"),
            "a folder, or a file inside that folder",
        ),
        false => (
            format!("cannot read the content folder {path}: {error}"),
            "a folder of Markdown articles",
        ),
    };
    Failure::new(Exit::Refused, what)
        .note("expected", expected)
        .note("retry", "safe once it can be read; nothing was written")
}

/// What a packed source may be.
const PACKED: &str = "JSON lines, a tar or zip archive of articles, or a WordPress export";

/// Finds the sources of the content tree, or of what is packed into one file.
///
/// # Errors
/// 65 when it cannot be read or takes too long, 130 when a signal asked the run to end.
pub(crate) fn walked(
    settings: &Settings,
    interrupted: &AtomicBool,
    time_limit: Option<TimeLimit>,
    caching: Caching,
) -> Result<WalkResult, Failure> {
    if settings.is_packed() {
        return unpacked(settings, interrupted, time_limit, caching);
    }
    let walk = Walk {
        root: &settings.content,
        part: settings.part.as_deref(),
        choice: &settings.choice,
        languages: &settings.rules.naming.languages,
        interrupted,
        time_limit,
    };
    let found = walk.run().map_err(|error| unwalked(settings, error))?;
    let is_empty = found.sources.is_empty() && settings.part.is_none();
    match is_empty && has_parts(&settings.content) {
        true => unpacked(settings, interrupted, time_limit, caching),
        false => Ok(found),
    }
}

/// Finds the sources of what is packed into one file, or a few.
fn unpacked(
    settings: &Settings,
    interrupted: &AtomicBool,
    time_limit: Option<TimeLimit>,
    caching: Caching,
) -> Result<WalkResult, Failure> {
    let mut decisive = settings.rules.identity();
    decisive.extend(settings.meta_prefixes.join("\n").as_bytes());
    let opening = Opening {
        path: &settings.content,
        state_dir: &settings.state_dir,
        caching,
        fields: WordpressFields {
            prefixes: &settings.meta_prefixes,
            known: settings.rules.schema.fields(),
        },
        decisive: &decisive,
        choice: &settings.choice,
        languages: &settings.rules.naming.languages,
        interrupted,
        time_limit,
    };
    opening.run().map_err(|error| unwalked(settings, error))
}

/// The failure of a command whose sources were not found.
fn unwalked(settings: &Settings, error: WalkError) -> Failure {
    let path = settings.sources_shown();
    let refused = |what: String, expected: &str, retry: &str| {
        Failure::new(Exit::Refused, what)
            .note("expected", expected)
            .note("retry", retry)
    };
    match error {
        WalkError::Unreadable(error) => unreadable(settings, &error),
        WalkError::TimedOut(late) => expectations::too_late(late),
        WalkError::Interrupted => stopped(&error),
        WalkError::NoSource(found) => refused(
            format!("cannot read {path}: {found}"),
            PACKED,
            "after you name another file; nothing was written",
        ),
        WalkError::Broken(why) => refused(
            format!("{path} is damaged or not whole: {why}"),
            "a file that was written to its end",
            "after you make it again; nothing was written",
        ),
        WalkError::Spool(error) => {
            let folder = settings.state_dir.display();
            let what = format!("cannot keep the articles of {path} in {folder}");
            Failure::state_folder(&what, &error)
        }
    }
}

/// The failure of a command that a signal ended before its first write.
pub(crate) fn stopped(error: &dyn std::error::Error) -> Failure {
    Failure::new(Exit::Interrupted, error.to_string()).note("retry", "safe, nothing was written")
}

/// What a survey found, and what it rendered for the store.
type SurveyOutput = (Survey, Option<FinishedSpool>);

/// Where the articles of a command come from. A source keeps its number in it.
pub(crate) enum Corpus<'a> {
    /// The content tree, and its files.
    Tree(&'a Path, Box<WalkResult>),
    /// A generator, and how many articles it makes.
    Generated(&'a Generator, usize),
}

impl<'a> Corpus<'a> {
    /// What is wanted: walks the content tree.
    ///
    /// # Errors
    /// As [`walked`].
    pub(crate) fn find(
        settings: &'a Settings,
        wanted: &SurveyScope<'a>,
        interrupted: &AtomicBool,
        time_limit: Option<TimeLimit>,
        caching: Caching,
        report: &mut dyn Report,
    ) -> Result<Self, Failure> {
        if let Some((generator, count)) = wanted.generated {
            return Ok(Self::Generated(generator, count));
        }
        let root = &settings.content;
        let mut found = walked(settings, interrupted, time_limit, caching)?;
        if settings.part.is_some() {
            report.note(&format!(
                "only the articles of {}; their routes are relative to the content root {}",
                settings.sources().display(),
                root.display()
            ));
        }
        if let Some(first) = found.twins.first() {
            let count = found.twins.len() as u64;
            report.note(&format!(
                "{} {} the date of the name in the route, as an older name differs in nothing \
                 else: {}",
                counted(count, "article"),
                with(count, "keeps", "keep"),
                listed([first.display().to_string()], found.twins.len())
            ));
        }
        if let Some(sample) = wanted.sample {
            let length = found.sources.len();
            found
                .sources
                .retain(|index| is_sampled(index, length, sample));
        }
        Ok(Self::Tree(root, Box::new(found)))
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
pub(crate) fn survey(
    settings: &Settings,
    renderer: &Renderer,
    purpose: SurveyPurpose<'_>,
    corpus: &Corpus<'_>,
    report: &mut dyn Report,
) -> Result<SurveyOutput, Failure> {
    let spool_in = purpose.spool_in.unwrap_or(&settings.state_dir);
    corpus.with(|origin| {
        let bar = report.bar("survey", "articles", origin.count() as u64);
        let on_progress = |done| bar.advance(done);
        let surveyed = survey_of(
            settings,
            renderer,
            purpose,
            origin,
            None,
            &on_progress,
            report,
        );
        drop(bar);
        surveyed.map_err(|error| early_end(error, spool_in))
    })
}

/// The failure of a command whose survey ended early. Its spool is in the folder `spool_in`.
pub(crate) fn early_end(error: SurveyError, spool_in: &Path) -> Failure {
    match error {
        SurveyError::Store(error) => Failure::before_writing(&error),
        SurveyError::Spool(error) => {
            let folder = spool_in.display();
            let what = format!("cannot write the spool of rendered objects in {folder}");
            Failure::state_folder(&what, &error)
        }
        SurveyError::TimedOut(late) => expectations::too_late(late),
        SurveyError::Render(..) => Failure::new(Exit::Config, error.to_string())
            .note("expected", "templates that make every page")
            .note(
                "retry",
                "after you fix the template or the folder's page; nothing was written",
            ),
        SurveyError::Interrupted => stopped(&error),
    }
}

/// Surveys the sources of the `corpus` with these numbers, which are sorted, and makes again the archive
/// objects with numbers behind those of all sources. The entries name a source by its place in `numbers`.
pub(crate) fn survey_again(
    settings: &Settings,
    renderer: &Renderer,
    purpose: SurveyPurpose<'_>,
    corpus: &Corpus<'_>,
    (archive, numbers): (Option<&Archive>, &[u32]),
    report: &mut dyn Report,
) -> Result<SurveyOutput, SurveyError> {
    corpus.with(|origin| {
        // Behind the sources there are archive objects.
        let sources = numbers
            .iter()
            .take_while(|number| (**number as usize) < origin.count());
        let some = Subset {
            origin,
            numbers: &numbers[..sources.count()],
        };
        let again = archive.map(|archive| ArchiveAgain {
            archive,
            numbers,
            similar: settings.archive.similar,
        });
        survey_of(settings, renderer, purpose, &some, again, &|_| {}, report)
    })
}

fn survey_of(
    settings: &Settings,
    renderer: &Renderer,
    purpose: SurveyPurpose<'_>,
    origin: &dyn Origin,
    again: Option<ArchiveAgain<'_>>,
    on_progress: &(dyn Fn(u64) + Sync),
    report: &mut dyn Report,
) -> Result<SurveyOutput, SurveyError> {
    let wanted = purpose.wanted;
    let spool = purpose.spool_in.map(Spool::create).transpose()?;
    let rules = Rules {
        naming: settings.rules.naming.with(origin.twins()),
        ..settings.rules.clone()
    };
    let listings = listings(settings, &purpose, origin)?;
    let cache = cache(settings, &rules, renderer, &purpose, origin.count());
    let mut surveyor = Surveyor {
        rules: &rules,
        admits: settings.admits,
        renderer,
        stamp: Stamp {
            run: purpose.run,
            written_at_ms: purpose.started_at,
            inputs: None,
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
        // `anp ls` shows the lengths, and a page whose similar posts changed needs its old length.
        likely: match purpose.lengths || settings.render.similar {
            true => Likely::Stored,
            false => Likely::Unchanged,
        },
        fills: settings.render.similar,
        has_texts: settings.archive.text,
        keeps_lists: settings.archive.lists.is_some() && listings.is_none() && again.is_none(),
        again,
        listings,
        store: purpose
            .store
            .map(|(session, keys)| Mutex::new(Inspector::new(session, keys))),
        linked: LinkedRoutes::default(),
        is_whole: settings.part.is_none() && wanted.sample.is_none() && origin.is_whole(),
        spool: spool.map(Mutex::new),
        interrupted: purpose.interrupted,
        code: purpose.code,
        lines: report.lines_shown(),
        time_limit: purpose.time_limit,
        on_progress,
    };
    let mut survey = in_pool(|| survey_all(&surveyor, origin))??;
    let spool = surveyor.listings.take().map(|listings| {
        let texts = listings.texts.into_inner();
        texts.unwrap_or_else(PoisonError::into_inner).finish()
    });
    let spool = spool.transpose()?;
    // What is known of sources is not needed beside what is derived from them: it takes as much memory.
    let cache = surveyor.cache.take();
    if let Some(cache) = &cache
        && purpose.cache == Caching::Write
        && let Err(error) = cache.save(&ending(wanted.share), spool.as_ref())
    {
        report.warning(&format!(
            "cannot write the cache of unchanged files, the next run reads them all: {error}"
        ));
    }
    let cached = cache.map_or_else(CachedListings::default, Cache::into_listings);
    if let Some((catalog, spool)) = survey.catalog.take().zip(spool) {
        let texts = (spool, cached);
        let made_with = (&settings.archive, renderer);
        let mut archive = Archive::new(catalog, texts, made_with, origin.count());
        set_lists(&mut archive, &mut survey);
        survey.archive = Some(archive);
    }
    add_archive(&surveyor, settings, (origin, purpose.cache), &mut survey)?;
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
    if let Some(spooled) = spooled.as_ref().filter(|_| settings.render.similar) {
        let (entries, compression) = (&mut survey.entries, renderer.compression());
        let goes_on = || goes_on(purpose.interrupted, purpose.time_limit);
        in_pool(|| compress_filled(entries, spooled, compression, &goes_on))??;
    }
    Ok((survey, spooled))
}

/// Adds to a `survey` of all articles what is made from many of them.
fn add_archive(
    surveyor: &Surveyor<'_>,
    settings: &Settings,
    (origin, caching): (&dyn Origin, Caching),
    survey: &mut Survey,
) -> Result<(), SurveyError> {
    let (archive, numbers) = match (&survey.archive, surveyor.again) {
        (Some(archive), _) => (archive, None),
        (None, Some(again)) => (again.archive, Some(again.numbers)),
        (None, None) => return Ok(()),
    };
    let derivation = Derivation {
        surveyor,
        origin,
        settings,
        archive,
        caching,
        numbers,
    };
    let mut objects = Vec::new();
    in_pool(|| derive::derive(&derivation, &mut survey.entries, &mut objects))??;
    survey.objects = objects;
    Ok(())
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
    rules: &Rules,
    renderer: &Renderer,
    purpose: &SurveyPurpose<'_>,
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
    let lists = settings.archive.identity();
    let rules = (rules, &*lists);
    Cache::open(path, &settings.content, sources, rules, renderer).ok()
}

/// What takes down what lists say of articles, where the settings ask for lists and the survey sees all
/// articles.
fn listings<'a>(
    settings: &'a Settings,
    purpose: &SurveyPurpose<'_>,
    origin: &dyn Origin,
) -> std::io::Result<Option<Listings<'a>>> {
    let wanted = &purpose.wanted;
    let is_whole = settings.part.is_none() && wanted.sample.is_none() && origin.is_whole();
    if !settings.archive.is_of_many() || !is_whole || wanted.generated.is_some() {
        return Ok(None);
    }
    let folder = purpose
        .spool_in
        .map_or_else(std::env::temp_dir, Path::to_owned);
    Ok(Some(Listings {
        settings: &settings.archive,
        texts: Mutex::new(Spool::create(&folder)?),
    }))
}

/// Whether the item at `index` is one of `count` that are taken of `length`, at equal distances.
fn is_sampled(index: usize, length: usize, count: usize) -> bool {
    let count = count.min(length);
    // It is taken where the count of those before it steps up.
    (index + 1) * count / length > index * count / length
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
