//! The commands that publish, rehearse and remove articles.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgGroup, Args, ValueEnum};

use super::given::given;
use super::synth::Seeded;
use super::values::{below, latency, rate};
use crate::publish::plan::expiry::Below;

/// Where articles come from and how they are judged.
#[derive(Debug, Args)]
pub struct Content {
    /// Folder of article files (.md, .markdown), or a part of the configured one
    /// [env: ANP_CONTENT] [default: content]
    #[arg(value_name = "CONTENT")]
    pub content: Option<String>,
    /// Turn warnings into errors and require the fields that the generator writes
    /// [env: ANP_STRICT]
    #[arg(long)]
    pub strict: bool,
    /// Publish drafts too [env: ANP_DRAFTS]
    #[arg(long)]
    pub drafts: bool,
    /// Publish now what is scheduled for later too [env: ANP_FUTURE]
    #[arg(long)]
    pub future: bool,
    /// Fields that the schema does not know: keep, warn or deny [env: ANP_UNKNOWN_FIELDS]
    /// [default: keep]
    #[arg(long, value_name = "RULE")]
    pub unknown_fields: Option<String>,
    /// How many articles may be invalid, as a count or a percentage; with more, the whole batch
    /// is refused [env: ANP_MAX_INVALID] [default: 5%]
    #[arg(long, value_name = "N|P%")]
    pub max_invalid: Option<String>,
    /// Folder of templates that replace the built-in ones [env: ANP_TEMPLATES]
    #[arg(long, value_name = "DIR")]
    pub templates: Option<String>,
}

impl Content {
    /// The settings that were given as flags: key of the setting, text.
    #[must_use]
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        let flag = |set: bool| set.then(|| "true".to_owned());
        given([
            ("content", self.content.clone()),
            ("strict", flag(self.strict)),
            ("drafts", flag(self.drafts)),
            ("future", flag(self.future)),
            ("unknown_fields", self.unknown_fields.clone()),
            ("max_invalid", self.max_invalid.clone()),
            ("templates", self.templates.clone()),
        ])
    }
}

/// What is recorded of a run that publishes or purges.
#[derive(Debug, Args)]
pub struct Recorded {
    /// Who is responsible for the run, recorded with it [env: ANP_OWNER]
    #[arg(long)]
    pub owner: Option<String>,
    /// What the owner expects of the run, recorded with it [env: ANP_EXPECTED_RESULT]
    #[arg(long, value_name = "TEXT")]
    pub expected_result: Option<String>,
    /// Folder for a Prometheus text file about the last run, also if it failed [env: ANP_METRICS_DIR]
    #[arg(long, value_name = "DIR")]
    pub metrics_dir: Option<String>,
    /// Stop just before the first write: no lock, no manifest, read rights only
    #[arg(long)]
    pub dry_run: bool,
    /// Print every key as it is written, instead of the first at the end
    #[arg(long)]
    pub keys: bool,
}

impl Recorded {
    /// The settings that were given as flags: key of the setting, text.
    #[must_use]
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        given([
            ("owner", self.owner.clone()),
            ("expected_result", self.expected_result.clone()),
            ("metrics_dir", self.metrics_dir.clone()),
        ])
    }
}

/// What counts as written.
#[derive(Debug, Args)]
pub struct Replicated {
    /// What was written counts once so many replicas of its master have it; with fewer the run
    /// stops [env: ANP_WAIT_REPLICAS] [default: 0]
    #[arg(long, value_name = "N")]
    pub wait_replicas: Option<String>,
    /// How long they are waited for, in ms [env: ANP_WAIT_TIMEOUT] [default: 1000]
    #[arg(long, value_name = "MS")]
    pub wait_timeout: Option<String>,
}

impl Replicated {
    /// The settings that were given as flags: key of the setting, text.
    #[must_use]
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        given([
            ("wait_replicas", self.wait_replicas.clone()),
            ("wait_timeout", self.wait_timeout.clone()),
        ])
    }
}

/// Which part of the articles.
#[derive(Debug, Args)]
pub struct Sharded {
    /// Publish one of N parts of the articles, I from 0 to N-1; all sources are checked
    /// [env: JOB_COMPLETION_INDEX with ANP_SHARDS for N]
    #[arg(long, value_name = "I/N")]
    pub shard: Option<String>,
    /// The run that the shards do together, a new ID each time; without it, each shard is a run of
    /// its own [env: ANP_RUN_ID]
    #[arg(long, value_name = "ID")]
    pub run_id: Option<String>,
}

/// `anp import`.
#[derive(Debug, Args)]
pub struct Import {
    /// Where articles come from.
    #[command(flatten)]
    pub content: Content,
    /// Publish N seeded articles, as anp synth writes them, instead of CONTENT: for load tests
    #[arg(long, value_name = "N", conflicts_with_all = ["content", "prune"])]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=100_000_000))]
    pub synth: Option<u32>,
    /// What those are like.
    #[command(flatten)]
    pub seeded: Seeded,
    /// Publish under a prefix of its own, 'load/' under anp:load, where no article lives longer
    /// than --max-ttl, or one hour
    #[arg(long, value_name = "PATH")]
    pub under: Option<String>,
    /// Time to live of articles that name none; units w, d, h, m, s [env: ANP_TTL] [default: 7d]
    #[arg(long, value_name = "DURATION")]
    pub ttl: Option<String>,
    /// No article lives longer, whatever it names [env: ANP_MAX_TTL]
    #[arg(long, value_name = "DURATION")]
    pub max_ttl: Option<String>,
    /// Remove what the store holds under the folders of CONTENT and CONTENT no longer has
    #[arg(long)]
    pub prune: bool,
    /// How many of the stored articles --prune may remove, as a count or a percentage
    /// [env: ANP_EXPECT_MAX_REMOVED] [default: 10%]
    #[arg(long, value_name = "N|P%")]
    pub max_removed: Option<String>,
    /// Read every file, also those that did not change since the last run
    #[arg(long)]
    pub no_cache: bool,
    /// Let --prune remove more than --max-removed, and an import begin that the server has no
    /// memory for
    #[arg(long)]
    pub force: bool,
    /// What counts as written.
    #[command(flatten)]
    pub replicated: Replicated,
    /// Which part of them.
    #[command(flatten)]
    pub sharded: Sharded,
    /// The record of the run, and whether it is one.
    #[command(flatten)]
    pub recorded: Recorded,
}

impl Import {
    /// The settings that were given as flags: key of the setting, text.
    #[must_use]
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        let mut all = self.content.settings();
        all.extend(given([
            ("ttl", self.ttl.clone()),
            ("max_ttl", self.max_ttl.clone()),
            ("expect.max_removed", self.max_removed.clone()),
        ]));
        all.extend(self.replicated.settings());
        all.extend(self.recorded.settings());
        all
    }
}

/// `anp rehearse`.
#[derive(Debug, Args)]
pub struct Rehearse {
    /// Where articles come from.
    #[command(flatten)]
    pub content: Content,
    /// Time to live of articles that name none; units w, d, h, m, s [env: ANP_TTL] [default: 7d]
    #[arg(long, value_name = "DURATION")]
    pub ttl: Option<String>,
    /// Rehearse on N articles, spread over the tree
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub sample: Option<u32>,
}

impl Rehearse {
    /// The settings that were given as flags: key of the setting, text.
    #[must_use]
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        let mut all = self.content.settings();
        all.extend(given([("ttl", self.ttl.clone())]));
        all
    }
}

/// Which articles a command is about.
#[derive(Debug, Args)]
pub struct Selectors {
    /// Articles by route: '/redis-caching/**', '/*/ttl-*/'; may be given several times
    #[arg(long = "glob", value_name = "PATTERN")]
    pub globs: Vec<String>,
    /// Articles with this value in a list field: stack=redis-caching
    #[arg(long = "tag", value_name = "FIELD=VALUE")]
    pub tags: Vec<String>,
    /// The article that this file became
    #[arg(long = "source", value_name = "FILE")]
    pub sources: Vec<PathBuf>,
}

/// `anp warm`.
#[derive(Debug, Args)]
pub struct Warm {
    /// Where articles come from.
    #[command(flatten)]
    pub content: Content,
    /// Only these articles: all of these together.
    #[command(flatten)]
    pub selectors: Selectors,
    /// Refresh what has less than this left, as a share of its time to live or a duration
    #[arg(long, value_name = "P%|DURATION", default_value = "25%", value_parser = below)]
    pub ttl_below: Below,
    /// What is written first: by path, by date, or by view_count
    #[arg(long, value_enum, default_value = "path")]
    pub order: Order,
    /// At most so many keys a second: 2000/s
    #[arg(long, value_name = "N/s", value_parser = rate)]
    pub rate: Option<u32>,
    /// Slow down while answers of the server take longer: 5ms
    #[arg(long, value_name = "TIME", value_parser = latency)]
    pub max_latency: Option<Duration>,
    /// Time to live of articles that name none; units w, d, h, m, s [env: ANP_TTL] [default: 7d]
    #[arg(long, value_name = "DURATION")]
    pub ttl: Option<String>,
    /// No article lives longer, whatever it names [env: ANP_MAX_TTL]
    #[arg(long, value_name = "DURATION")]
    pub max_ttl: Option<String>,
    /// Read every file, also those that did not change since the last run
    #[arg(long)]
    pub no_cache: bool,
    /// Begin even if the server has no memory for it
    #[arg(long)]
    pub force: bool,
    /// What counts as written.
    #[command(flatten)]
    pub replicated: Replicated,
    /// Which part of them.
    #[command(flatten)]
    pub sharded: Sharded,
    /// The record of the run, and whether it is one.
    #[command(flatten)]
    pub recorded: Recorded,
}

impl Warm {
    /// The settings that were given as flags: key of the setting, text.
    #[must_use]
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        let mut all = self.content.settings();
        all.extend(given([
            ("ttl", self.ttl.clone()),
            ("max_ttl", self.max_ttl.clone()),
        ]));
        all.extend(self.replicated.settings());
        all.extend(self.recorded.settings());
        all
    }
}

/// `--order`.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Order {
    /// By the path of the source
    Path,
    /// The latest date or update first
    Newest,
    /// The largest view_count first
    Popular,
}

/// `anp purge`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what").required(true).multiple(true)
    .args(["routes", "globs", "tags", "sources", "run", "all"]))]
pub struct Purge {
    /// Routes, as in /redis-caching/scheduled-tasks-028802/
    #[arg(value_name = "ROUTE")]
    pub routes: Vec<String>,
    /// What else: all of these together.
    #[command(flatten)]
    pub selectors: Selectors,
    /// All that this run wrote: its id or the start of it, the file of its manifest, 'last',
    /// 'last~1' …
    #[arg(long, value_name = "RUN", conflicts_with_all = ["routes", "globs", "tags", "sources", "all"])]
    pub run: Option<String>,
    /// Every article under the prefix; asks on a terminal
    #[arg(long, conflicts_with_all = ["routes", "globs", "tags", "sources"])]
    pub all: bool,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
    /// Folder of article files, which tells what --glob, --tag and --source mean
    /// [env: ANP_CONTENT] [default: content]
    #[arg(long, value_name = "DIR")]
    pub content: Option<String>,
    /// What counts as written.
    #[command(flatten)]
    pub replicated: Replicated,
    /// The record of the run, and whether it is one.
    #[command(flatten)]
    pub recorded: Recorded,
}

impl Purge {
    /// The settings that were given as flags: key of the setting, text.
    #[must_use]
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        let mut all = given([("content", self.content.clone())]);
        all.extend(self.replicated.settings());
        all.extend(self.recorded.settings());
        all
    }
}
