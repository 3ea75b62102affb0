//! The command line: clap's types, nothing else.

mod diff;
mod examples;
mod given;
mod listing;
mod near_misses;
mod probe;
mod publishing;
mod serve;
mod show;
mod synth;
mod values;
mod version;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use values::reason;

use crate::report::Format;
use crate::report::colour::ColourChoice;
use crate::report::log::LogFormat;

pub use diff::Diff;
pub use listing::{Ls, Status};
pub use near_misses::with_tip;
pub use probe::Probe;
pub use publishing::{
    Content, Import, Order, Page, Purge, Recorded, Rehearse, Selectors, Sharded, Warm,
};
pub use serve::Serve;
pub use show::Show;
pub use synth::{Seeded, Synth};

/// Publishes generated article files to Redis, with a way back.
#[derive(Debug, Parser)]
#[command(name = "anp", version, long_version = version::LONG.as_str(), max_term_width = 100)]
#[command(after_long_help = examples::ANP.as_str())]
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
#[command(next_help_heading = "Store")]
pub struct Common {
    /// Address of the store, such as redis://HOST:PORT/DB
    ///
    /// Also redis+unix:///PATH?db=0, redis+cluster://HOST:PORT,…/,
    /// redis+sentinel://HOST:PORT,…/MASTER/DB, or 'embedded', a private server in the state folder
    /// for trying anp out. A user is written redis://USER@HOST. With TLS the address begins with
    /// rediss. The password is read from ANP_REDIS_PASSWORD. There is no default.
    ///
    /// [env: ANP_REDIS_URL]
    #[arg(long, global = true, value_name = "URL")]
    pub redis: Option<String>,
    /// Prefix of every key [default: anp]
    ///
    /// [env: ANP_PREFIX]
    #[arg(long, global = true, hide_short_help = true)]
    pub prefix: Option<String>,
    /// How long a busy or lost server is asked again [default: 30s]
    ///
    /// A server is busy while it loads its data, or while another node takes over.
    ///
    /// [env: ANP_DEADLINE]
    #[arg(long, global = true, value_name = "DURATION", hide_short_help = true)]
    pub deadline: Option<String>,
    /// How the store is reached besides its address.
    #[command(flatten)]
    pub reach: Reach,
    /// Settings file [default: the nearest anp.yaml]
    ///
    /// The nearest one is in this folder or in a folder above it. /dev/null means no settings file.
    ///
    /// [env: ANP_CONFIG]
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true)]
    #[arg(help_heading = FILES)]
    pub config: Option<PathBuf>,
    /// Folder of manifests and of the embedded store
    ///
    /// A rollback needs the manifests.
    ///
    /// [env: ANP_STATE_DIR]
    /// [default: anp in $XDG_STATE_HOME, or ~/.local/state/anp]
    #[arg(long, global = true, value_name = "DIR", hide_short_help = true)]
    #[arg(help_heading = FILES)]
    pub state_dir: Option<String>,
    /// What stdout is
    #[arg(long, global = true, value_enum, default_value = "text", help_heading = OUTPUT)]
    pub format: Format,
    /// What stderr is: text, or JSON lines for log collectors [default: text]
    ///
    /// With JSON lines there are no progress bars.
    ///
    /// [env: ANP_LOG_FORMAT]
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "FORMAT",
        hide_short_help = true
    )]
    #[arg(help_heading = OUTPUT)]
    pub log_format: Option<LogFormat>,
    /// When to print colours [default: auto]
    ///
    /// 'auto' prints them on a terminal, unless NO_COLOR is set. With CLICOLOR_FORCE=1 it prints
    /// them everywhere.
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "WHEN",
        hide_short_help = true
    )]
    #[arg(help_heading = OUTPUT)]
    pub color: Option<ColourChoice>,
    /// Say nothing unless something is wrong
    ///
    /// Then anp prints the verdict, and the files with errors.
    #[arg(long, short, global = true, help_heading = OUTPUT)]
    pub quiet: bool,
    /// Show the origin of settings, and the time of stages
    #[arg(long, short, global = true, help_heading = OUTPUT)]
    pub verbose: bool,
}

/// The help heading of folders and files.
const FILES: &str = "Settings and state";
/// The help heading of what is printed.
const OUTPUT: &str = "Output";

/// How the store is reached besides its address.
#[derive(Debug, Args)]
#[command(next_help_heading = "TLS and sentinels")]
pub struct Reach {
    /// Authorities that may sign the server's certificate, as a PEM file
    ///
    /// [env: ANP_TLS_CA] [default: the authorities that the system trusts]
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true)]
    pub tls_ca: Option<String>,
    /// Client certificate as a PEM file, for servers that ask for one
    ///
    /// [env: ANP_TLS_CERT]
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true)]
    pub tls_cert: Option<String>,
    /// Private key of the client certificate, as a PEM file
    ///
    /// [env: ANP_TLS_KEY]
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true)]
    pub tls_key: Option<String>,
    /// Name in the server's certificate
    ///
    /// [env: ANP_TLS_SERVER_NAME] [default: the host of the address]
    #[arg(long, global = true, value_name = "NAME", hide_short_help = true)]
    pub tls_server_name: Option<String>,
    /// User of the sentinels
    ///
    /// The password is read from ANP_SENTINEL_PASSWORD.
    ///
    /// [env: ANP_SENTINEL_USER]
    #[arg(long, global = true, value_name = "NAME", hide_short_help = true)]
    pub sentinel_user: Option<String>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a settings file and a first article to start from
    #[command(after_long_help = examples::INIT)]
    Init(Init),
    /// Publish a content tree
    ///
    /// Every article is checked before the first write. The output ends with the written keys and
    /// the command that undoes the run.
    #[command(after_long_help = examples::IMPORT)]
    Import(Import),
    /// Try an import: publish under a scratch prefix, verify, roll back
    ///
    /// It runs the real command with the real settings, and compares the store before and after.
    #[command(after_long_help = examples::REHEARSE)]
    Rehearse(Rehearse),
    /// Report every error and warning of a content tree; needs no store
    #[command(after_long_help = examples::CHECK)]
    Check(Check),
    /// Show what an import would change, or what a run changed
    ///
    /// Unified diffs of the pages as text and of the metadata. It writes nothing.
    #[command(after_long_help = examples::DIFF)]
    Diff(Diff),
    /// Publish only what is missing in the store, or about to expire
    #[command(after_long_help = examples::WARM)]
    Warm(Warm),
    /// Remove articles from the store
    ///
    /// A manifest records what is removed, so that a rollback can restore it.
    #[command(after_long_help = examples::PURGE)]
    Purge(Purge),
    /// Compare the store with what a run wrote
    #[command(after_long_help = examples::VERIFY)]
    Verify(Verify),
    /// Undo a run
    ///
    /// Every key goes back to the value, type and expiry that it had before the run.
    #[command(after_long_help = examples::ROLLBACK)]
    Rollback(Rollback),
    /// List the runs, newest first, each with its result
    #[command(after_long_help = examples::RUNS)]
    Runs(Runs),
    /// Switch publishing off
    ///
    /// Running imports end within a batch, new ones are refused; rollbacks still work. Where the
    /// store cannot be reached, set ANP_PAUSED=REASON in the environment, or `paused` in anp.yaml:
    /// imports with these settings are refused then.
    #[command(after_long_help = examples::PAUSE)]
    Pause(Pause),
    /// Switch publishing on again
    #[command(after_long_help = examples::RESUME)]
    Resume,
    /// Break the lock that a run left behind
    #[command(after_long_help = examples::UNLOCK)]
    Unlock(Unlock),
    /// Show on one screen whether all is well, for people and monitoring
    #[command(after_long_help = examples::STATUS)]
    Status(Status),
    /// List articles with their state in the store
    #[command(after_long_help = examples::LS)]
    Ls(Ls),
    /// Show what the store holds for one route
    #[command(after_long_help = examples::SHOW)]
    Show(Show),
    /// Check that a web server or CDN answers with what the store holds
    ///
    /// It also measures how fast the answers are.
    #[command(after_long_help = examples::PROBE)]
    Probe(Probe),
    /// Preview the store in a browser, read-only
    #[command(after_long_help = examples::SERVE)]
    Serve(Serve),
    /// Write seeded articles as files, for load tests
    #[command(after_long_help = examples::SYNTH)]
    Synth(Synth),
    /// Print completions for a shell
    #[command(after_long_help = examples::COMPLETIONS)]
    Completions(Completions),
    /// Print the JSON Schema of the front matter or the settings
    #[command(after_long_help = examples::SCHEMA)]
    Schema(Schema),
}

/// `anp init`.
#[derive(Debug, Args)]
pub struct Init {
    /// Folder to write to; anp creates it if it is missing
    #[arg(value_name = "DIR", default_value = ".")]
    pub folder: PathBuf,
    /// Write only the built-in templates, to this folder
    ///
    /// They are a start for templates of your own. No file is overwritten.
    #[arg(long, value_name = "DIR", conflicts_with = "folder")]
    pub templates: Option<PathBuf>,
    /// Write only an nginx front for these settings, to this folder
    ///
    /// Its site has the store, the prefix, the login cookies and the cache times of the settings.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["folder", "templates"])]
    pub nginx: Option<PathBuf>,
}

/// `anp completions`.
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell that reads them
    pub shell: Shell,
}

/// Shells with completions.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Shell {
    /// bash
    Bash,
    /// zsh
    Zsh,
    /// fish
    Fish,
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
    /// A run's id or the start of it, the file of a manifest, or 'last'
    ///
    /// 'last' is the last run that wrote something and is no rollback, 'last~1' the one before it, and so on.
    pub run: String,
}

/// `anp rollback`.
#[derive(Debug, Args)]
pub struct Rollback {
    /// A run's id or the start of it, the file of a manifest, or 'last'
    ///
    /// 'last' is the last run that wrote something and is no rollback, 'last~1' the one before it, and so on.
    pub run: String,
    /// Stop before the first write
    ///
    /// A dry run takes no lock, writes no manifest, and needs the right to read only.
    #[arg(long, short = 'n')]
    pub dry_run: bool,
    /// Undo what can be read of a damaged manifest
    ///
    /// anp names what it cannot restore, and exits with 3.
    #[arg(long)]
    pub skip_damaged: bool,
    /// Folder for a Prometheus text file about the last run, also if it failed
    ///
    /// [env: ANP_METRICS_DIR]
    #[arg(long, value_name = "DIR")]
    pub metrics_dir: Option<String>,
    /// Print every key as it is restored, instead of the first at the end
    #[arg(long, help_heading = OUTPUT)]
    pub keys: bool,
    /// A page about the run.
    #[command(flatten)]
    pub page: Page,
}

/// `anp pause`.
#[derive(Debug, Args)]
pub struct Pause {
    /// Why; every refused import shows it
    ///
    /// At most 300 characters.
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    pub reason: String,
    /// Who is responsible [default: the user]
    ///
    /// [env: ANP_OWNER]
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
#[command(disable_help_subcommand = true, args_conflicts_with_subcommands = true)]
pub struct Runs {
    /// Which of them.
    #[command(flatten)]
    pub listed: ListedRuns,
    /// What to do instead of listing them.
    #[command(subcommand)]
    pub command: Option<RunsCommand>,
}

/// Which runs are listed.
#[derive(Debug, Args)]
pub struct ListedRuns {
    /// List every run, instead of the newest 20
    #[arg(long)]
    pub all: bool,
    /// Only runs that were refused, stopped half-way or cannot be read
    #[arg(long)]
    pub failed: bool,
    /// Only runs that started since then: 26h, 7d, 2026-11-24 or 2026-11-24T07:00 (local time)
    #[arg(long, value_name = "DURATION|DATE", value_parser = values::since)]
    pub since: Option<i64>,
}

/// What `anp runs` does besides listing the runs.
#[derive(Debug, Subcommand)]
pub enum RunsCommand {
    /// Show one run: who, why, when, where, each key, and how to undo it
    #[command(after_long_help = examples::RUNS_SHOW)]
    Show(RunsShow),
    /// Purge caches of what runs changed, and run after.command, where that failed
    #[command(after_long_help = examples::RUNS_NOTIFY)]
    Notify(RunsNotify),
}

/// `anp runs notify`.
#[derive(Debug, Args)]
pub struct RunsNotify {
    /// A run's id or the start of it, the file of a manifest, or 'last' [default: all that owe it]
    pub run: Option<String>,
    /// Send all of it again, also what was sent
    #[arg(long, requires = "run")]
    pub again: bool,
    /// Show what would be sent, and send nothing
    #[arg(long, short = 'n')]
    pub dry_run: bool,
    /// Print every request of a dry run, instead of the first
    #[arg(long)]
    pub keys: bool,
}

/// `anp runs show`.
#[derive(Debug, Args)]
pub struct RunsShow {
    /// A run's id or the start of it, the file of a manifest, or 'last'
    ///
    /// 'last' is the last run that wrote something and is no rollback, 'last~1' the one before it, and so on.
    pub run: String,
    /// Print every key, instead of the first
    #[arg(long)]
    pub keys: bool,
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
