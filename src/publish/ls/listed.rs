//! One article of a list.

use crate::article::Route;
use crate::publish::plan::entry::EntryKind;

/// What an article is, in the store and in the content tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ArticleState {
    /// The store holds what the source says.
    Fresh,
    /// The source says something else than the store.
    Changed,
    /// The store does not hold it, and its file is newer than the last import.
    New,
    /// A key of it is missing.
    Lost,
    /// So little is left of its time that the next import refreshes it.
    Expiring,
    /// The store holds it, and the content tree does not have it.
    Orphan,
    /// It is held back: a draft.
    Draft,
    /// It is held back until its date.
    Scheduled,
    /// It is held back: past its `expires_at`.
    Expired,
    /// It is held back: withdrawn.
    Withdrawn,
    /// It is held back: it has no page.
    NoPage,
    /// The store holds it; nobody looked for its source.
    Stored,
    /// Another program wrote what the store holds.
    Foreign,
}

impl ArticleState {
    /// The word that lists use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Changed => "changed",
            Self::New => "new",
            Self::Lost => "lost",
            Self::Expiring => "expiring",
            Self::Orphan => "orphan",
            Self::Draft => "draft",
            Self::Scheduled => "scheduled",
            Self::Expired => "expired",
            Self::Withdrawn => "withdrawn",
            Self::NoPage => "no page",
            Self::Stored => "stored",
            Self::Foreign => "foreign",
        }
    }
}

/// One article of the list, or an archive object that the store holds.
#[derive(Clone, Debug)]
pub struct ListedArticle {
    /// What it is.
    pub kind: EntryKind,
    /// Its route, or the path of a file.
    pub route: Route,
    /// Its title, where one is known.
    pub title: Option<String>,
    /// Its date, as its front matter has it.
    pub date: Option<String>,
    /// The status of a redirect.
    pub status: Option<u16>,
    /// Where it leads; none also for 410.
    pub to: Option<Route>,
    /// How it compares with its source.
    pub state: ArticleState,
    /// When the first of its keys expires, ms since 1970; none if none does.
    pub expires_at_ms: Option<i64>,
    /// How much is left until then, in ms.
    pub left_ms: Option<i64>,
    /// What its values hold in the store, in bytes.
    pub bytes: u64,
}
