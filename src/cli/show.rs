//! `anp show`.

use clap::Args;

use super::given::given;

/// `anp show`.
#[derive(Debug, Args)]
pub struct Show {
    /// The route, as in /redis-caching/scheduled-tasks-028802/, or the path of a file, as in /feed.xml
    pub route: String,
    /// Print the stored page, or the file, as readers see it
    ///
    /// A value in gzip is unpacked.
    #[arg(long, conflicts_with_all = ["meta", "text"])]
    pub page: bool,
    /// Print the stored meta object as it is
    #[arg(long, conflicts_with = "text")]
    pub meta: bool,
    /// Print the stored text: the article as Markdown
    ///
    /// There is one with archive.text: true.
    #[arg(long)]
    pub text: bool,
    /// Explain the similar posts of the article: terms, weights, candidates
    ///
    /// It reads the content tree and needs no store.
    #[arg(long, conflicts_with_all = ["page", "meta", "text"])]
    pub similar: bool,
    /// Folder of articles, for --similar [default: content]
    ///
    /// [env: ANP_CONTENT]
    #[arg(long, value_name = "DIR", requires = "similar")]
    pub content: Option<String>,
}

impl Show {
    /// The settings that were given as flags: key of the setting, text.
    #[must_use]
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        given([("content", self.content.clone())])
    }
}
