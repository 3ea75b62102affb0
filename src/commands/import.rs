//! `anp import`: survey → plan → gate → apply → report.

use serde_json::json;

use super::metrics;
use super::seeded::{generator, usage};
use super::shard::{part_bytes, share};
use crate::article::slugify;
use crate::cli::{Common, Import, Seeded};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::publish::articles::{Absent, Articles};
use crate::publish::job::Job;
use crate::publish::run::switch::Switch;
use crate::publish::run_report::Outcome;
use crate::publish::survey::content::{Wanted, readable, renderer};
use crate::report::Output;
use crate::settings::{Expect, Settings};

/// How long articles under `--under` live at most, unless that is set.
const UNDER_MAX_TTL_MS: i64 = 60 * 60 * 1000;
/// Names that keys of the prefix above use already.
const TAKEN: [&str; 5] = ["page", "meta", "lock", "switch", "rehearsal"];

pub(super) fn run(common: &Common, arguments: &Import) -> Result<Exit, Failure> {
    let real = super::settings(common, arguments.settings())?;
    let settings = match &arguments.under {
        Some(path) => under(&real, path, arguments.max_ttl.is_some())?,
        None => real.clone(),
    };
    let output = Output::stdout(common.format, true);
    let mut outcome = Outcome::new(output, &settings.prefix);
    // The switch of the store stops what is below it too.
    let switch = Switch::of(&real.prefix);
    let ended = match arguments.synth {
        Some(count) => seeded(&settings, switch, count, common, arguments, &mut outcome),
        None => import(&settings, switch, common, arguments, &mut outcome),
    };
    if !arguments.recorded.dry_run {
        metrics::record(&settings, "import", &outcome, &ended);
    }
    ended
}

fn import(
    settings: &Settings,
    switch: Switch,
    common: &Common,
    arguments: &Import,
    outcome: &mut Outcome,
) -> Result<Exit, Failure> {
    if let Some(option) = arguments.seeded.any() {
        return Err(usage(format!("{option} needs --synth N")));
    }
    let options = json!({ "prune": arguments.prune, "part": part_bytes(settings) }).to_string();
    let share = share(&arguments.sharded, settings, options)?;
    let renderer = renderer(settings)?;
    readable(settings)?;
    let job = Job {
        content: Some(settings.content_shown()),
        renderer: Some(renderer.fingerprint()),
        switch: Some(switch),
        share,
        ..Job::new("import", settings, outcome.started, common.quiet)?
    };
    let articles = Articles {
        absent: if arguments.prune {
            Absent::Pruned
        } else {
            Absent::Named
        },
        force: arguments.force,
        cache: !arguments.no_cache,
        wanted: Wanted {
            share: job.share.as_ref().map(|share| share.shard),
            ..Wanted::all()
        },
        ..Articles::of(&job, &renderer)
    };
    job.run(&articles, arguments.recorded.dry_run, outcome)
}

/// Imports `count` seeded articles, which no night expects anything of.
fn seeded(
    settings: &Settings,
    switch: Switch,
    count: u32,
    common: &Common,
    arguments: &Import,
    outcome: &mut Outcome,
) -> Result<Exit, Failure> {
    let settings = Settings {
        expect: Expect {
            min_articles: 1,
            ..settings.expect.of_articles_alone()
        },
        ..settings.clone()
    };
    let Seeded {
        seed,
        body_kb,
        spread,
        invalid,
        hostile,
    } = &arguments.seeded;
    let options = json!({
        "synth": count, "seed": seed, "body_kb": body_kb, "spread": spread, "invalid": invalid,
        "hostile": hostile,
    });
    let options = options.to_string();
    let share = share(&arguments.sharded, &settings, options)?;
    let generator = generator(&arguments.seeded)?;
    let renderer = renderer(&settings)?;
    let seed = generator.seed();
    let job = Job {
        content: Some(format!("{count} articles of seed {seed}")),
        renderer: Some(renderer.fingerprint()),
        switch: Some(switch),
        share,
        ..Job::new("import", &settings, outcome.started, common.quiet)?
    };
    let articles = Articles {
        force: arguments.force,
        wanted: Wanted {
            generated: Some((&generator, count as usize)),
            share: job.share.as_ref().map(|share| share.shard),
            ..Wanted::all()
        },
        ..Articles::of(&job, &renderer)
    };
    job.run(&articles, arguments.recorded.dry_run, outcome)
}

/// The settings of a prefix below the one of `settings`: `load/` is `anp:load`.
/// Their time to live is capped; what the real archive allows counts only if it is less, unless
/// the command line says more.
fn under(settings: &Settings, path: &str, has_max_ttl: bool) -> Result<Settings, Failure> {
    let segments: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let is_slug = |part: &&str| slugify(part) == **part;
    let prefix = format!("{}:{}", settings.prefix, segments.join(":"));
    let fits = segments.first().is_some_and(|first| !TAKEN.contains(first));
    if !fits || !segments.iter().all(is_slug) || prefix.len() > 64 {
        return Err(usage(format!(
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
        ..settings.clone()
    })
}
