//! An import: the store is to hold what the content tree has.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use serde_json::json;

use super::articles::Articles;
use super::job::Job;
use super::outcome::Outcome;
use super::removals::OrphanPolicy;
use super::report::Report;
use super::run::switch::Switch;
use super::seeded::Seeded;
use super::shards::share::{Share, part_bytes};
use super::survey::content::{SurveyScope, readable, renderer};
use crate::article::slugify;
use crate::edge::After;
use crate::failure::Failure;
use crate::settings::{Expect, Settings};

/// How long articles below the prefix live at most, unless that is set.
const UNDER_MAX_TTL_MS: i64 = 60 * 60 * 1000;
/// Names that keys of the prefix above use already.
const TAKEN: [&str; 5] = ["page", "meta", "lock", "switch", "rehearsal"];

/// How an import is made. The default imports the content tree, and removes nothing.
#[derive(Clone, Debug, Default)]
pub struct Import {
    /// That many seeded articles in place of the content tree.
    pub seeded: Option<(u32, Seeded)>,
    /// Whether published articles are removed that the content tree no longer has.
    pub prune: bool,
    /// Whether to remove more of them than the settings allow, and to begin without room.
    pub force: bool,
    /// Whether every file is read, also those that did not change since the last run.
    pub reads_all: bool,
    /// Whether it stops just before its first write.
    pub dry_run: bool,
    /// The part of the articles that it is about, if that is not all.
    pub share: Option<Share>,
    /// The prefix whose switch stops it, if that is not the one of the settings.
    pub switch_prefix: Option<String>,
}

/// Imports the content tree of `settings`, or seeded articles. Ends when `interrupted` is set.
///
/// # Errors
/// With the exit code that says what was written: see [`crate::exit::Exit`].
pub fn import(
    settings: &Settings,
    import: &Import,
    interrupted: &Arc<AtomicBool>,
    report: &mut dyn Report,
) -> Result<Outcome, Failure> {
    let expected;
    let (settings, generator) = match &import.seeded {
        None => (settings, None),
        // No night expects anything of these.
        Some((count, seeded)) => {
            expected = Settings {
                expect: Expect {
                    min_articles: 1,
                    ..settings.expect.of_articles_alone()
                },
                ..settings.clone()
            };
            (&expected, Some((seeded.generator()?, *count as usize)))
        }
    };
    let renderer = renderer(settings)?;
    let content = match &generator {
        Some((generator, count)) => format!("{count} articles of seed {}", generator.seed()),
        None => {
            readable(settings)?;
            settings.content_shown()
        }
    };
    let options = match &import.seeded {
        Some((count, seeded)) => seeded.shared(*count),
        None => json!({ "prune": import.prune, "part": part_bytes(settings) }).to_string(),
    };
    let switch_prefix = import.switch_prefix.as_deref().unwrap_or(&settings.prefix);
    let job = Job {
        content: Some(content),
        renderer: Some(renderer.fingerprint()),
        switch: Some(Switch::of(switch_prefix)),
        share: import.share.clone().map(|share| Share { options, ..share }),
        ..Job::new("import", settings, interrupted)
    };
    let articles = Articles {
        orphans: match (&generator, import.prune) {
            (Some(_), _) => OrphanPolicy::Ignore,
            (None, true) => OrphanPolicy::Remove,
            (None, false) => OrphanPolicy::Name,
        },
        force: import.force,
        cache: generator.is_none() && !import.reads_all,
        wanted: SurveyScope {
            generated: generator
                .as_ref()
                .map(|(generator, count)| (generator, *count)),
            share: job.share.as_ref().map(|share| share.shard),
            ..SurveyScope::all()
        },
        ..Articles::of(&job, &renderer)
    };
    job.run_and_notify(&articles, import.dry_run, report)
}

/// The settings of a prefix below the one of `settings`: `load/` is `anp:load`.
/// Their time to live is capped; what the real archive allows counts only if it is less, unless
/// the command line says more.
///
/// # Errors
/// 2 when the path cannot be a part of a prefix.
pub fn under(settings: &Settings, path: &str, has_max_ttl: bool) -> Result<Settings, Failure> {
    let segments: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let is_slug = |part: &&str| slugify(part) == **part;
    let prefix = format!("{}:{}", settings.prefix, segments.join(":"));
    let fits = segments.first().is_some_and(|first| !TAKEN.contains(first));
    if !fits || !segments.iter().all(is_slug) || prefix.len() > 64 {
        return Err(Failure::usage(format!(
            "--under: expected a path of a-z, 0-9 and hyphens such as load/, none of {}, and a \
             prefix of at most 64 characters, found '{path}'",
            TAKEN.join(", ")
        )));
    }
    let max_ttl_ms = match settings.max_ttl_ms {
        Some(most) if has_max_ttl => most,
        Some(most) => most.min(UNDER_MAX_TTL_MS),
        None => UNDER_MAX_TTL_MS,
    };
    Ok(Settings {
        prefix,
        max_ttl_ms: Some(max_ttl_ms),
        // Readers see nothing of it.
        after: After::default(),
        ..settings.clone()
    })
}
