//! `anp ls` and `anp status`.

use clap::Args;

use super::given::given;
use super::values::duration_ms;

/// `anp ls`.
#[derive(Debug, Args)]
pub struct Ls {
    /// Only routes that fit one of these patterns: '/redis-caching/**'
    #[arg(value_name = "PATTERN")]
    pub globs: Vec<String>,
    /// Only articles with this value in a list field: stack=redis-caching
    #[arg(long = "tag", value_name = "FIELD=VALUE")]
    pub tags: Vec<String>,
    /// Only articles that are stored and expire within this time: 2h
    #[arg(long, value_name = "DURATION", value_parser = duration_ms)]
    pub expiring: Option<u64>,
    /// Only articles whose source differs from the store: changed and new ones
    #[arg(long, conflicts_with = "store_only")]
    pub changed: bool,
    /// List what the store holds, without a look at the content tree: also lists, files and redirects
    #[arg(long)]
    pub store_only: bool,
    /// Print the routes alone, one a line, for xargs
    #[arg(long)]
    pub routes: bool,
    /// Folder of articles [default: content]
    ///
    /// [env: ANP_CONTENT]
    #[arg(long, value_name = "DIR")]
    pub content: Option<String>,
}

/// `anp status`.
#[derive(Debug, Args)]
pub struct Status {
    /// A good import that started longer ago needs a look: 26h
    #[arg(long, value_name = "DURATION", value_parser = duration_ms)]
    pub max_age: Option<u64>,
}

impl Ls {
    /// The settings that were given as flags: key of the setting, text.
    #[must_use]
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        given([("content", self.content.clone())])
    }
}
