//! `anp diff`.

use clap::Args;

use super::given::given;

/// `anp diff`.
#[derive(Debug, Args)]
pub struct Diff {
    /// Only these articles: routes, or patterns such as '/redis-caching/**' [default: all]
    #[arg(value_name = "ROUTE")]
    pub routes: Vec<String>,
    /// Show what this run changed instead: its id, the file of its manifest, or 'last'
    #[arg(long, value_name = "RUN")]
    pub run: Option<String>,
    /// Where the store has moved on, take what the run wrote from this later run, which replaced it
    #[arg(long, value_name = "RUN", requires = "run")]
    pub against: Option<String>,
    /// Show also the articles that an import with --prune would remove
    #[arg(long, conflicts_with = "run")]
    pub prune: bool,
    /// Count lines instead of showing them, and name archive objects
    #[arg(long)]
    pub stat: bool,
    /// Show every article, instead of the first 20, and name every archive object
    #[arg(long)]
    pub all: bool,
    /// Exit with 1 if an article or an archive object differs
    #[arg(long)]
    pub exit_code: bool,
    /// Folder of articles [default: content]
    ///
    /// [env: ANP_CONTENT]
    #[arg(long, value_name = "DIR", conflicts_with = "run")]
    pub content: Option<String>,
    /// Folder of templates that replace the built-in ones
    ///
    /// [env: ANP_TEMPLATES]
    #[arg(long, value_name = "DIR", conflicts_with = "run")]
    pub templates: Option<String>,
}

impl Diff {
    /// The settings that were given as flags: key of the setting, text.
    #[must_use]
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        given([
            ("content", self.content.clone()),
            ("templates", self.templates.clone()),
        ])
    }
}
