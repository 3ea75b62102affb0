//! Why a run changes a key.

use serde::{Deserialize, Serialize};

/// Why a run changes a key. Both keys of an article have the same reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The store has neither key.
    New,
    /// The source changed, or what its file name says.
    Source,
    /// A source that it links to has another route now, or none.
    Links,
    /// Other posts are similar to it now, or say something else of themselves.
    Similar,
    /// What a list, a feed or the sitemap has changed.
    List,
    /// Its article has another route now.
    Moved,
    /// A template changed, built in or not.
    Template,
    /// A setting that decides pages changed.
    Settings,
    /// Another version of the renderer makes another page.
    Renderer,
    /// The page changed, and the stored objects do not tell why.
    Changed,
    /// Another client's value stands at one of the keys.
    Foreign,
    /// Page and meta are of two different versions of the article.
    Mismatch,
    /// One of the two keys is missing; in a warm-up, one or both.
    Lost,
    /// It expired while the run worked.
    Expired,
    /// Too little of its time to live is left.
    Expiring,
    /// It would stay longer than its time to live, or for ever.
    Lifetime,
    /// Its source says `withdrawn: true`.
    Withdrawn,
    /// Its source holds it back now: a draft, not due, past its end, or without a page.
    HeldBack,
    /// Its source is gone.
    Pruned,
    /// It was named in a purge.
    Purged,
    /// The run that wrote it is undone.
    Rollback,
    /// A reason of a later version of anp.
    #[serde(other)]
    Unknown,
}

impl Reason {
    /// Whether it says more than the action that was carried out.
    #[must_use]
    pub fn is_telling(self) -> bool {
        !matches!(self, Self::New | Self::Purged | Self::Rollback)
    }

    /// The word that reports use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Source => "source",
            Self::Links => "links",
            Self::Similar => "similar",
            Self::List => "list",
            Self::Moved => "moved",
            Self::Template => "template",
            Self::Settings => "settings",
            Self::Renderer => "renderer",
            Self::Changed => "changed",
            Self::Foreign => "foreign",
            Self::Mismatch => "mismatch",
            Self::Lost => "lost",
            Self::Expired => "expired",
            Self::Expiring => "expiring",
            Self::Lifetime => "lifetime",
            Self::Withdrawn => "withdrawn",
            Self::HeldBack => "held_back",
            Self::Pruned => "pruned",
            Self::Purged => "purged",
            Self::Rollback => "rollback",
            Self::Unknown => "unknown",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Reason;

    #[test]
    fn reports_and_manifests_use_the_same_words() {
        let page = include_str!("../../docs/operations.md");
        for reason in [
            Reason::New,
            Reason::Source,
            Reason::Links,
            Reason::Similar,
            Reason::List,
            Reason::Moved,
            Reason::Template,
            Reason::Settings,
            Reason::Renderer,
            Reason::Changed,
            Reason::Foreign,
            Reason::Mismatch,
            Reason::Lost,
            Reason::Expired,
            Reason::Expiring,
            Reason::Lifetime,
            Reason::Withdrawn,
            Reason::HeldBack,
            Reason::Pruned,
            Reason::Purged,
            Reason::Rollback,
        ] {
            let word = serde_json::to_value(reason).unwrap();
            assert_eq!(word, reason.word());
            assert!(page.contains(&format!("| `{}` |", reason.word())));
        }
    }
}
