//! The command line: clap's types, nothing else.

mod serve;
mod values;

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};

pub use serve::Serve;
use values::{below, latency, rate, reason};

use crate::report::Format;
use crate::report::log::LogFormat;

/// Publishes generated article files to Redis, with a way back.
#[derive(Debug, Parser)]
#[command(name = "anp", version, after_help = crate::exit::TABLE, max_term_width = 100)]
#[command(disable_help_subcommand = true)]
pub struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub common: Common,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command. Those with a setting of the same name win over the `ANP_…`
/// variable, which wins over anp.yaml.
#[derive(Debug, Args)]
#[command(next_help_heading = "Options of every command")]
pub struct Common {
    /// Settings file [env: ANP_CONFIG] [default: ./anp.yaml if it exists]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The store: 'embedded' (a private server in the state folder), redis://user@host:port/db
    /// or redis+unix:///path?db=0 [env: ANP_REDIS_URL, and ANP_REDIS_PASSWORD for the password]
    /// [default: embedded]
    #[arg(long, global = true, value_name = "URL")]
    pub redis: Option<String>,
    /// Prefix of every key [env: ANP_PREFIX] [default: anp]
    #[arg(long, global = true)]
    pub prefix: Option<String>,
    /// Folder of manifests and of the embedded store [env: ANP_STATE_DIR] [default: the XDG
    /// state folder]
    #[arg(long, global = true, value_name = "DIR")]
    pub state_dir: Option<String>,
    /// How long a server that says "not now", or is lost in mid-run, is asked again
    /// [env: ANP_DEADLINE] [default: 30s]
    #[arg(long, global = true, value_name = "DURATION")]
    pub deadline: Option<String>,
    /// What stdout is
    #[arg(long, global = true, value_enum, default_value = "auto")]
    pub format: Format,
    /// What stderr is: text, or JSON lines for log collectors [env: ANP_LOG_FORMAT]
    /// [default: text]
    #[arg(long, global = true, value_enum, value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,
    /// No progress bars; warnings and errors stay
    #[arg(long, short, global = true)]
    pub quiet: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Publish a content tree, and print the rollback manifest of the written keys
    Import(Import),
    /// Import under a scratch prefix, verify, roll back and compare: the real command and settings
    Rehearse(Rehearse),
    /// Report every error and warning of a content tree; needs no store
    Check(Check),
    /// Publish only what is missing in the store, or about to expire
    Warm(Warm),
    /// Remove just these articles from the store, with a manifest to undo it
    Purge(Purge),
    /// Compare the store with what a run wrote
    Verify(Verify),
    /// Undo a run: every key goes back to the value, type and expiry it had
    Rollback(Rollback),
    /// List the runs, each with its result and its rollback command
    Runs(Runs),
    /// Switch publishing off: running imports end within a batch, new ones are refused
    ///
    /// The way back stays open. Where the store cannot be reached, ANP_PAUSED=REASON in the
    /// environment, or `paused` in anp.yaml, refuses the imports of whoever has it.
    Pause(Pause),
    /// Switch publishing on again
    Resume,
    /// Break the lock that a run left behind
    Unlock(Unlock),
    /// Show what the store holds for one route
    Show(Show),
    /// Preview the store in a browser, read-only: its pages, and the articles of the last run
    Serve(Serve),
    /// Write seeded articles as files, for load tests
    Synth(Synth),
    /// Print the JSON Schema of the front matter
    Schema,
}

/// Where articles come from and how they are judged.
#[derive(Debug, Args)]
pub struct Content {
    /// Folder of article files (.md, .markdown) [env: ANP_CONTENT] [default: content]
    #[arg(value_name = "CONTENT")]
    pub content: Option<String>,
    /// Turn warnings into errors and require the fields that the generator writes
    /// [env: ANP_STRICT]
    #[arg(long)]
    pub strict: bool,
    /// Publish drafts too [env: ANP_DRAFTS]
    #[arg(long)]
    pub drafts: bool,
    /// Fields that the schema does not know: allow, warn or deny [env: ANP_UNKNOWN_FIELDS]
    /// [default: warn]
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

/// What is recorded of a run that publishes or purges.
#[derive(Debug, Args)]
pub struct Recorded {
    /// Who is responsible for the run, recorded with it [env: ANP_OWNER]
    #[arg(long)]
    pub owner: Option<String>,
    /// What the owner expects of the run, recorded with it [env: ANP_EXPECTED_RESULT]
    #[arg(long, value_name = "TEXT")]
    pub expected_result: Option<String>,
    /// Prometheus text file that tells of the last run, however it ended [env: ANP_METRICS_FILE]
    #[arg(long, value_name = "FILE")]
    pub metrics_file: Option<String>,
    /// Stop just before the first write: no lock, no manifest, read rights only
    #[arg(long)]
    pub dry_run: bool,
}

impl Recorded {
    /// The settings that were given as flags: key of the setting, text.
    #[must_use]
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        given([
            ("owner", self.owner.clone()),
            ("expected_result", self.expected_result.clone()),
            ("metrics_file", self.metrics_file.clone()),
        ])
    }
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
    /// The record of the run, and whether it is one.
    #[command(flatten)]
    pub recorded: Recorded,
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
    /// The record of the run, and whether it is one.
    #[command(flatten)]
    pub recorded: Recorded,
}

/// `--ttl-below`.
#[derive(Clone, Copy, Debug)]
pub enum Below {
    /// Thousandths of the time to live.
    Permille(i64),
    /// A duration in ms.
    Ms(i64),
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
    /// All that this run wrote: its id, the file of its manifest, or 'last'
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
    /// The record of the run, and whether it is one.
    #[command(flatten)]
    pub recorded: Recorded,
}

/// `anp check`.
#[derive(Debug, Args)]
pub struct Check {
    /// Where articles come from.
    #[command(flatten)]
    pub content: Content,
}

/// `anp verify`.
#[derive(Debug, Args)]
pub struct Verify {
    /// A run's id, the file of a manifest, or 'last'
    pub run: String,
}

/// `anp rollback`.
#[derive(Debug, Args)]
pub struct Rollback {
    /// A run's id, the file of a manifest, or 'last' (the last run that is no rollback)
    pub run: String,
    /// Prometheus text file that tells of the last run, however it ended [env: ANP_METRICS_FILE]
    #[arg(long, value_name = "FILE")]
    pub metrics_file: Option<String>,
    /// Stop just before the first write: no lock, no manifest, read rights only
    #[arg(long)]
    pub dry_run: bool,
}

/// `anp pause`.
#[derive(Debug, Args)]
pub struct Pause {
    /// Why, in at most 300 characters; whoever is refused is told
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    pub reason: String,
    /// Who is responsible [env: ANP_OWNER] [default: the user]
    #[arg(long)]
    pub owner: Option<String>,
}

/// `anp unlock`.
#[derive(Debug, Args)]
pub struct Unlock {
    /// The run that holds the lock, as exit 11 names it
    #[arg(value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub run: String,
}

/// `anp runs`.
#[derive(Debug, Args)]
#[command(disable_help_subcommand = true)]
pub struct Runs {
    /// What to do instead of listing them.
    #[command(subcommand)]
    pub command: Option<RunsCommand>,
}

/// What `anp runs` does besides listing the runs.
#[derive(Debug, Subcommand)]
pub enum RunsCommand {
    /// Show one run whole: who, why, when, where, each key, and the way back
    Show(RunsShow),
}

/// `anp runs show`.
#[derive(Debug, Args)]
pub struct RunsShow {
    /// A run's id, the file of a manifest, or 'last' (the last run that is no rollback)
    pub run: String,
}

/// What seeded articles are like.
#[derive(Debug, Args)]
pub struct Seeded {
    /// Article N of the same seed is the same bytes everywhere [default: 28802]
    #[arg(long, value_name = "SEED")]
    pub seed: Option<u64>,
    /// Mean size of the Markdown bodies, in KiB [default: 2]
    #[arg(long, value_name = "KIB", value_parser = clap::value_parser!(u32).range(1..=512))]
    pub body_kb: Option<u32>,
    /// How widely their sizes spread: the standard deviation of ln(size) in hundredths; 0 makes
    /// them alike, with 100 one in a hundred has ten times the median [default: 40]
    #[arg(long, value_name = "HUNDREDTHS", value_parser = clap::value_parser!(u32).range(0..=150))]
    pub spread: Option<u32>,
    /// How many articles are broken, so that they must be refused: a percentage with at most
    /// two decimals [default: 0%]
    #[arg(long, value_name = "P%")]
    pub invalid: Option<String>,
    /// How many articles mean harm, so that they must be refused or come out harmless
    /// [default: 0%]
    #[arg(long, value_name = "P%")]
    pub hostile: Option<String>,
}

impl Seeded {
    /// The first of these options that was given.
    #[must_use]
    pub fn any(&self) -> Option<&'static str> {
        let given = [
            ("--seed", self.seed.is_some()),
            ("--body-kb", self.body_kb.is_some()),
            ("--spread", self.spread.is_some()),
            ("--invalid", self.invalid.is_some()),
            ("--hostile", self.hostile.is_some()),
        ];
        let first = given.into_iter().find(|(_, given)| *given);
        first.map(|(name, _)| name)
    }
}

/// `anp synth`.
#[derive(Debug, Args)]
pub struct Synth {
    /// How many articles
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    pub count: u64,
    /// What they are like.
    #[command(flatten)]
    pub seeded: Seeded,
    /// The folder to write to; files of the same names are overwritten, others stay
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
}

/// `anp show`.
#[derive(Debug, Args)]
pub struct Show {
    /// The route, as in /redis-caching/scheduled-tasks-028802/
    pub route: String,
    /// Print the stored page as it is
    #[arg(long, conflicts_with = "meta")]
    pub page: bool,
    /// Print the stored meta object as it is
    #[arg(long)]
    pub meta: bool,
}

impl Common {
    /// The settings that were given as flags: key of the setting, text.
    #[must_use]
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        given([
            ("redis", self.redis.clone()),
            ("prefix", self.prefix.clone()),
            ("state_dir", self.state_dir.clone()),
            ("deadline", self.deadline.clone()),
        ])
    }
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
            ("unknown_fields", self.unknown_fields.clone()),
            ("max_invalid", self.max_invalid.clone()),
            ("templates", self.templates.clone()),
        ])
    }
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
        all.extend(self.recorded.settings());
        all
    }
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
        all.extend(self.recorded.settings());
        all
    }
}

impl Purge {
    /// The settings that were given as flags: key of the setting, text.
    #[must_use]
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        let mut all = given([("content", self.content.clone())]);
        all.extend(self.recorded.settings());
        all
    }
}

impl Rollback {
    /// The settings that were given as flags: key of the setting, text.
    #[must_use]
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        given([("metrics_file", self.metrics_file.clone())])
    }
}

impl Pause {
    /// The settings that were given as flags: key of the setting, text.
    #[must_use]
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        given([("owner", self.owner.clone())])
    }
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

fn given<const N: usize>(
    options: [(&'static str, Option<String>); N],
) -> Vec<(&'static str, String)> {
    options
        .into_iter()
        .filter_map(|(key, text)| text.map(|text| (key, text)))
        .collect()
}
