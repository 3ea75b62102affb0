//! The commands that publish, rehearse and remove articles.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgGroup, Args, ValueEnum};

use super::given::given;
use super::synth::Seeded;
use super::values::{below, latency, rate};
use crate::publish::plan::expiry::Below;

// Headings of the help.
const CONTENT: &str = "Content";
const EXPIRY: &str = "Expiry";
const LOAD_TEST: &str = "Load test";
const PACE: &str = "Order and pace";
const REMOVAL: &str = "Removal";
const SELECTION: &str = "Selection";

/// Where articles come from and how they are judged.
#[derive(Debug, Args)]
#[command(next_help_heading = CONTENT)]
pub struct Content {
    /// Folder of articles, or a part of it [default: content]
    ///
    /// A part is a folder or a file inside the configured content folder. Routes stay relative to
    /// the content folder.
    ///
    /// [env: ANP_CONTENT]
    #[arg(value_name = "CONTENT", help_heading = None::<&str>)]
    pub content: Option<String>,
    /// Treat warnings as errors
    ///
    /// The fields that the generator writes are required then, too.
    ///
    /// [env: ANP_STRICT]
    #[arg(long)]
    pub strict: bool,
    /// Include drafts
    ///
    /// [env: ANP_DRAFTS]
    #[arg(long, hide_short_help = true)]
    pub drafts: bool,
    /// Include articles that are scheduled for later
    ///
    /// [env: ANP_FUTURE]
    #[arg(long, hide_short_help = true)]
    pub future: bool,
    /// Invalid articles to tolerate [default: 5%]
    ///
    /// With more than this count or percentage, anp refuses the whole batch. A percentage tolerates at
    /// least one.
    ///
    /// [env: ANP_MAX_INVALID]
    #[arg(long, value_name = "N|P%")]
    pub max_invalid: Option<String>,
    /// Fields that the schema does not know [default: keep]
    ///
    /// The rule is keep, warn or deny.
    ///
    /// [env: ANP_UNKNOWN_FIELDS]
    #[arg(long, value_name = "RULE", hide_short_help = true)]
    pub unknown_fields: Option<String>,
    /// Folder of templates that replace the built-in ones
    ///
    /// [env: ANP_TEMPLATES]
    #[arg(long, value_name = "DIR", hide_short_help = true)]
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
#[command(next_help_heading = "Run record")]
pub struct Recorded {
    /// Who is responsible for the run
    ///
    /// [env: ANP_OWNER]
    #[arg(long)]
    pub owner: Option<String>,
    /// What the owner expects of the run
    ///
    /// [env: ANP_EXPECTED_RESULT]
    #[arg(long, value_name = "TEXT", hide_short_help = true)]
    pub expected_result: Option<String>,
    /// Folder for a Prometheus text file about the last run, also if it failed
    ///
    /// [env: ANP_METRICS_DIR]
    #[arg(long, value_name = "DIR", hide_short_help = true)]
    pub metrics_dir: Option<String>,
    /// Stop before the first write
    ///
    /// A dry run takes no lock, writes no manifest, and needs the right to read only.
    #[arg(long, short = 'n', help_heading = None::<&str>)]
    pub dry_run: bool,
    /// Print every key as it is written, instead of the first at the end
    #[arg(long, hide_short_help = true, help_heading = "Output")]
    pub keys: bool,
    /// A page about the run.
    #[command(flatten)]
    pub page: Page,
}

/// `--report`.
#[derive(Debug, Args)]
pub struct Page {
    /// Write a page about the run: result, charts, findings, changes
    ///
    /// It is one HTML file without scripts. It needs no other file and no network.
    #[arg(
        long,
        value_name = "FILE",
        hide_short_help = true,
        help_heading = "Output"
    )]
    pub report: Option<PathBuf>,
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
#[command(next_help_heading = "Replicas and shards")]
pub struct Replicated {
    /// Replicas of each master that must have every write [default: 0]
    ///
    /// With fewer the run stops.
    ///
    /// [env: ANP_WAIT_REPLICAS]
    #[arg(long, value_name = "N", hide_short_help = true)]
    pub wait_replicas: Option<String>,
    /// How long to wait for replicas, in ms [default: 1000]
    ///
    /// [env: ANP_WAIT_TIMEOUT]
    #[arg(long, value_name = "MS", hide_short_help = true)]
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
#[command(next_help_heading = "Replicas and shards")]
pub struct Sharded {
    /// Publish part I of N parts, with I from 0 to N-1
    ///
    /// All sources are checked, so that every shard finds the same errors.
    ///
    /// [env: JOB_COMPLETION_INDEX for I, with ANP_SHARDS for N]
    #[arg(long, value_name = "I/N", hide_short_help = true)]
    pub shard: Option<String>,
    /// Id of the run that the shards share, a new one each time
    ///
    /// Without it each shard is a separate run.
    ///
    /// [env: ANP_RUN_ID]
    #[arg(long, value_name = "ID", hide_short_help = true)]
    pub run_id: Option<String>,
}

/// `anp import`.
#[derive(Debug, Args)]
pub struct Import {
    /// Where articles come from.
    #[command(flatten)]
    pub content: Content,
    /// Publish N seeded articles instead of CONTENT
    ///
    /// They are the articles that anp synth writes.
    #[arg(long, value_name = "N", help_heading = LOAD_TEST, conflicts_with_all = ["content", "prune"])]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=100_000_000))]
    pub synth: Option<u32>,
    /// What those are like.
    #[command(flatten)]
    pub seeded: Seeded,
    /// Publish under a separate prefix, 'load/' under anp:load
    ///
    /// No article there lives longer than --max-ttl, or one hour.
    #[arg(long, value_name = "PATH", help_heading = LOAD_TEST)]
    pub under: Option<String>,
    /// Default time to live of articles [default: 7d]
    ///
    /// The units are w, d, h, m and s.
    ///
    /// [env: ANP_TTL]
    #[arg(long, value_name = "DURATION", help_heading = EXPIRY)]
    pub ttl: Option<String>,
    /// Longest time to live of any article
    ///
    /// [env: ANP_MAX_TTL]
    #[arg(long, value_name = "DURATION", hide_short_help = true, help_heading = EXPIRY)]
    pub max_ttl: Option<String>,
    /// Remove stored articles that CONTENT no longer has
    ///
    /// It removes only articles under the folders of CONTENT.
    #[arg(long, help_heading = REMOVAL)]
    pub prune: bool,
    /// Articles that --prune may remove [default: 10%]
    ///
    /// A count or a percentage.
    ///
    /// [env: ANP_EXPECT_MAX_REMOVED]
    #[arg(long, value_name = "N|P%", help_heading = REMOVAL)]
    pub max_removed: Option<String>,
    /// Read every file, also those that did not change
    #[arg(long, hide_short_help = true, help_heading = CONTENT)]
    pub no_cache: bool,
    /// Ignore --max-removed and the memory of the server
    ///
    /// --prune may then remove any number of articles, and the import begins even if the server
    /// lacks memory for it.
    #[arg(long, help_heading = None::<&str>)]
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
    /// Default time to live of articles [default: 7d]
    ///
    /// The units are w, d, h, m and s.
    ///
    /// [env: ANP_TTL]
    #[arg(long, value_name = "DURATION", help_heading = EXPIRY)]
    pub ttl: Option<String>,
    /// Rehearse with N articles, spread over the tree [default: all]
    #[arg(long, value_name = "N", help_heading = None::<&str>, value_parser = clap::value_parser!(u32).range(1..))]
    pub sample: Option<u32>,
    /// A page about the rehearsal.
    #[command(flatten)]
    pub page: Page,
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
#[command(next_help_heading = SELECTION)]
pub struct Selectors {
    /// Articles by route: '/redis-caching/**', '/*/ttl-*/'
    ///
    /// May be given several times.
    #[arg(long = "glob", value_name = "PATTERN")]
    pub globs: Vec<String>,
    /// Articles with this value in a list field: tags=cron
    ///
    /// May be given several times.
    #[arg(long = "tag", value_name = "FIELD=VALUE")]
    pub tags: Vec<String>,
    /// The article of this source file
    ///
    /// May be given several times.
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
    /// Refresh what expires sooner
    ///
    /// A share of its time to live, or a duration.
    #[arg(long, value_name = "P%|TIME", default_value = "25%", value_parser = below)]
    #[arg(help_heading = EXPIRY)]
    pub ttl_below: Below,
    /// What to write first
    ///
    /// 'path' is the order of the paths, 'newest' begins with the latest date or update, 'popular'
    /// with the largest view_count.
    #[arg(long, value_enum, default_value = "path", help_heading = PACE)]
    #[arg(hide_possible_values = true)]
    pub order: Order,
    /// Highest number of keys a second, such as 2000/s
    #[arg(long, value_name = "N/s", value_parser = rate, help_heading = PACE)]
    pub rate: Option<u32>,
    /// Slow down while the server takes longer to answer, such as 5ms
    #[arg(long, hide_short_help = true, value_name = "TIME", value_parser = latency, help_heading = PACE)]
    pub max_latency: Option<Duration>,
    /// Default time to live of articles [default: 7d]
    ///
    /// The units are w, d, h, m and s.
    ///
    /// [env: ANP_TTL]
    #[arg(long, value_name = "DURATION", help_heading = EXPIRY)]
    pub ttl: Option<String>,
    /// Longest time to live of any article
    ///
    /// [env: ANP_MAX_TTL]
    #[arg(long, value_name = "DURATION", hide_short_help = true, help_heading = EXPIRY)]
    pub max_ttl: Option<String>,
    /// Read every file, also those that did not change
    #[arg(long, hide_short_help = true, help_heading = CONTENT)]
    pub no_cache: bool,
    /// Begin even if the server lacks memory for it
    #[arg(long, help_heading = None::<&str>)]
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

/// clap would print all ways to select in one line of 105 columns.
const PURGE_USAGE: &str = "\
anp purge [OPTIONS] <ROUTE>...
       anp purge [OPTIONS] <--glob PATTERN|--tag FIELD=VALUE|--source FILE>...
       anp purge [OPTIONS] <--run RUN|--all>";

/// `anp purge`.
#[derive(Debug, Args)]
#[command(override_usage = PURGE_USAGE)]
#[command(group = ArgGroup::new("what").required(true).multiple(true)
    .args(["routes", "globs", "tags", "sources", "run", "all"]))]
pub struct Purge {
    /// Articles, lists and redirects by route, files by path: /redis-caching/scheduled-tasks-028802/ /feed.xml
    #[arg(value_name = "ROUTE")]
    pub routes: Vec<String>,
    /// What else: all of these together.
    #[command(flatten)]
    pub selectors: Selectors,
    /// Everything that a run wrote: its id or the start of it, the file of its manifest, 'last', 'last~1' …
    #[arg(long, value_name = "RUN", help_heading = SELECTION, conflicts_with_all = ["routes", "globs", "tags", "sources", "all"])]
    pub run: Option<String>,
    /// Every article under the prefix; asks on a terminal
    #[arg(long, help_heading = SELECTION, conflicts_with_all = ["routes", "globs", "tags", "sources"])]
    pub all: bool,
    /// Do not ask before --all
    #[arg(long, help_heading = None::<&str>)]
    pub yes: bool,
    /// Folder of articles for --glob, --tag and --source [default: content]
    ///
    /// [env: ANP_CONTENT]
    #[arg(long, value_name = "DIR", help_heading = SELECTION)]
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
