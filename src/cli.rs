//! The command line: clap's types, nothing else.

mod diff;
mod given;
mod probe;
mod publishing;
mod serve;
mod synth;
mod values;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use values::reason;

use crate::report::Format;
use crate::report::log::LogFormat;

pub use diff::Diff;
pub use probe::Probe;
pub use publishing::{Content, Import, Order, Purge, Recorded, Rehearse, Selectors, Sharded, Warm};
pub use serve::Serve;
pub use synth::{Seeded, Synth};

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
    /// Settings file [env: ANP_CONFIG] [default: anp.yaml in this folder, or the nearest one above
    /// it]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The store: 'embedded' (a private server in the state folder), redis://user@host:port/db,
    /// redis+unix:///path?db=0, redis+sentinel://host:port,…/master/db or
    /// redis+cluster://host:port,…/; with TLS: rediss in place of redis [env: ANP_REDIS_URL, and
    /// ANP_REDIS_PASSWORD for the password]; there is no default
    #[arg(long, global = true, value_name = "URL")]
    pub redis: Option<String>,
    /// How it is reached besides its address.
    #[command(flatten)]
    pub reach: Reach,
    /// Prefix of every key [env: ANP_PREFIX] [default: anp]
    #[arg(long, global = true)]
    pub prefix: Option<String>,
    /// Folder of manifests and of the embedded store [env: ANP_STATE_DIR] [default: anp in
    /// $XDG_STATE_HOME, or ~/.local/state/anp]
    #[arg(long, global = true, value_name = "DIR")]
    pub state_dir: Option<String>,
    /// How long a server that says "not now", or is lost in mid-run, is asked again
    /// [env: ANP_DEADLINE] [default: 30s]
    #[arg(long, global = true, value_name = "DURATION")]
    pub deadline: Option<String>,
    /// What stdout is
    #[arg(long, global = true, value_enum, default_value = "text")]
    pub format: Format,
    /// What stderr is: text, or JSON lines for log collectors [env: ANP_LOG_FORMAT]
    /// [default: text]
    #[arg(long, global = true, value_enum, value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,
    /// Say nothing unless something is wrong: then the verdict, and the files with errors
    #[arg(long, short, global = true)]
    pub quiet: bool,
}

/// How the store is reached besides its address.
#[derive(Debug, Args)]
#[command(next_help_heading = "Options of every command")]
pub struct Reach {
    /// PEM file of the authorities that may have signed the server's certificate [env: ANP_TLS_CA]
    /// [default: those of the system]
    #[arg(long, global = true, value_name = "FILE")]
    pub tls_ca: Option<String>,
    /// PEM file of a client certificate, for servers that want one [env: ANP_TLS_CERT]
    #[arg(long, global = true, value_name = "FILE")]
    pub tls_cert: Option<String>,
    /// PEM file of its private key [env: ANP_TLS_KEY]
    #[arg(long, global = true, value_name = "FILE")]
    pub tls_key: Option<String>,
    /// Name that the server's certificate has to bear [env: ANP_TLS_SERVER_NAME] [default: the
    /// host of the address]
    #[arg(long, global = true, value_name = "NAME")]
    pub tls_server_name: Option<String>,
    /// User of the sentinels [env: ANP_SENTINEL_USER, and ANP_SENTINEL_PASSWORD for the password]
    #[arg(long, global = true, value_name = "NAME")]
    pub sentinel_user: Option<String>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a settings file and a first article to start from
    Init(Init),
    /// Publish a content tree, and print the rollback manifest of the written keys
    Import(Import),
    /// Import under a scratch prefix, verify, roll back and compare: the real command and settings
    Rehearse(Rehearse),
    /// Report every error and warning of a content tree; needs no store
    Check(Check),
    /// Show what an import would change, or what a run changed, as text; writes nothing
    Diff(Diff),
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
    /// Check that a web server or CDN answers with what the store holds, and how fast
    Probe(Probe),
    /// Preview the store in a browser, read-only: its pages, and the articles of the last run
    Serve(Serve),
    /// Write seeded articles as files, for load tests
    Synth(Synth),
    /// Print the JSON Schema of the front matter, or of the settings file
    Schema(Schema),
}

/// `anp init`.
#[derive(Debug, Args)]
pub struct Init {
    /// The folder; it is made if it is not there
    #[arg(value_name = "DIR", default_value = ".")]
    pub folder: PathBuf,
}

/// `anp schema`.
#[derive(Debug, Args)]
pub struct Schema {
    /// Print the JSON Schema of anp.yaml instead
    #[arg(long)]
    pub settings: bool,
}

/// `anp check`.
#[derive(Debug, Args)]
pub struct Check {
    /// Show only the findings of this code, each in full: score.quality, or score for all below it
    #[arg(long, value_name = "CODE")]
    pub code: Option<String>,
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
    /// Folder for a Prometheus text file about the last run, also if it failed [env: ANP_METRICS_DIR]
    #[arg(long, value_name = "DIR")]
    pub metrics_dir: Option<String>,
    /// Skip what cannot be read of a damaged manifest: undo the rest, and name what is lost (exit 3)
    #[arg(long)]
    pub skip_damaged: bool,
    /// Stop just before the first write: no lock, no manifest, read rights only
    #[arg(long)]
    pub dry_run: bool,
    /// Print every key as it is restored, instead of the first at the end
    #[arg(long)]
    pub keys: bool,
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
    /// Print every key, instead of the first
    #[arg(long)]
    pub keys: bool,
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
        given::given([
            ("redis", self.redis.clone()),
            ("tls.ca", self.reach.tls_ca.clone()),
            ("tls.cert", self.reach.tls_cert.clone()),
            ("tls.key", self.reach.tls_key.clone()),
            ("tls.server_name", self.reach.tls_server_name.clone()),
            ("sentinel_user", self.reach.sentinel_user.clone()),
            ("prefix", self.prefix.clone()),
            ("state_dir", self.state_dir.clone()),
            ("deadline", self.deadline.clone()),
        ])
    }
}

impl Rollback {
    /// The settings that were given as flags: key of the setting, text.
    #[must_use]
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        given::given([("metrics_dir", self.metrics_dir.clone())])
    }
}

impl Pause {
    /// The settings that were given as flags: key of the setting, text.
    #[must_use]
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        given::given([("owner", self.owner.clone())])
    }
}
