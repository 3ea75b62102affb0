//! What the survey saw of the objects of an article in the store.

use crate::render::{Digest, Inputs};

/// What the survey saw of one object in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectState {
    /// There is no such key.
    Absent,
    /// There is one.
    Present {
        /// Absolute expiry, ms since 1970.
        expires_at_ms: Option<i64>,
        /// Length of the value; of one that is no string, a guess until [`ObjectState::weigh`].
        bytes: u64,
        /// The digest that the value names; none if it is not one of ours.
        digest: Option<Digest>,
        /// What it says of what it was made from; only of a meta object.
        inputs: Option<Inputs>,
        /// What it says of its base and its fill; only of a meta object that has a fill.
        fill: Option<(Digest, u64)>,
        /// Whether it is one of ours, in gzip.
        is_gzip: bool,
        /// Whether it says that it is of a page of a list; only of a meta object.
        is_list: bool,
        /// Whether it is a string, and no other type.
        is_string: bool,
    },
}

impl ObjectState {
    /// Length of the value, 0 if absent.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        match self {
            Self::Absent => 0,
            Self::Present { bytes, .. } => *bytes,
        }
    }

    /// Whether the value has another type than string.
    #[must_use]
    pub fn is_other_type(&self) -> bool {
        matches!(self, Self::Present { is_string, .. } if !is_string)
    }

    /// Takes what a value of another type really holds from `sizes`.
    pub fn weigh(&mut self, sizes: &mut impl Iterator<Item = u64>) {
        if let Self::Present {
            bytes, is_string, ..
        } = self
            && !*is_string
            && let Some(size) = sizes.next()
        {
            *bytes = size;
        }
    }

    /// The digest, if the key exists and names one.
    #[must_use]
    pub fn digest(&self) -> Option<Digest> {
        match self {
            Self::Absent => None,
            Self::Present { digest, .. } => *digest,
        }
    }

    /// What it was made from, if the key exists and says so.
    #[must_use]
    pub fn inputs(&self) -> Option<&Inputs> {
        match self {
            Self::Absent => None,
            Self::Present { inputs, .. } => inputs.as_ref(),
        }
    }

    /// The digest of the article alone, and the hash of what fills the holes of its page; of a meta object.
    #[must_use]
    pub fn base(&self) -> Option<(Digest, u64)> {
        match self {
            Self::Absent => None,
            Self::Present { digest, fill, .. } => fill.or(digest.map(|digest| (digest, 0))),
        }
    }

    /// Whether it is one of ours, in gzip.
    #[must_use]
    pub fn is_gzip(&self) -> bool {
        matches!(self, Self::Present { is_gzip: true, .. })
    }

    /// Whether it is the meta object of a page of a list.
    #[must_use]
    pub fn is_list(&self) -> bool {
        matches!(self, Self::Present { is_list: true, .. })
    }

    /// The absolute expiry, if the key exists and has one.
    #[must_use]
    pub fn expires_at_ms(&self) -> Option<i64> {
        match self {
            Self::Absent => None,
            Self::Present { expires_at_ms, .. } => *expires_at_ms,
        }
    }
}

/// What the survey saw of the objects of an article.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredArticle {
    /// Its page; of what has one object alone, that.
    pub page: ObjectState,
    /// Its meta object.
    pub meta: ObjectState,
    /// Its text; none where articles have no texts, and nobody asked for it.
    pub text: Option<ObjectState>,
}

impl StoredArticle {
    /// Nothing of one that has a text, or has none.
    #[must_use]
    pub fn absent(has_text: bool) -> Self {
        Self {
            page: ObjectState::Absent,
            meta: ObjectState::Absent,
            text: has_text.then_some(ObjectState::Absent),
        }
    }

    /// One object, of what has no other.
    #[must_use]
    pub fn single(object: ObjectState) -> Self {
        Self {
            page: object,
            ..Self::absent(false)
        }
    }

    /// Its objects: page, meta, text.
    pub fn objects(&self) -> impl Iterator<Item = &ObjectState> {
        [&self.page, &self.meta].into_iter().chain(&self.text)
    }

    /// The same, with each object seen as `meant` has it.
    #[must_use]
    pub fn map(self, meant: impl Fn(ObjectState) -> ObjectState) -> Self {
        Self {
            page: meant(self.page),
            meta: meant(self.meta),
            text: self.text.map(meant),
        }
    }

    /// Whether another client's value is at one of its keys.
    #[must_use]
    pub fn is_foreign(&self) -> bool {
        let is_foreign =
            |seen: &ObjectState| *seen != ObjectState::Absent && seen.digest().is_none();
        self.objects().any(is_foreign)
    }
}
