//! What lists, feeds and similar posts say of one article. A run keeps it on the disk, and so does the
//! cache of unchanged sources: most runs need it of few articles.

use serde::{Deserialize, Serialize};

use super::identity::ArticleIdentity;
use super::settings::ArchiveSettings;
use super::terms::term_hashes;
use crate::article::{Article, Metadata, Route, Value, instant_ms, slugify};
use crate::hashing::{add_part, short_hash};
use crate::render;

/// Most values of one field of one article that have lists.
const MAX_VALUES: usize = 64;

/// What is said of one article.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// Its title.
    pub title: String,
    /// Its summary, at most 600 characters of it.
    pub summary: String,
    /// Its authors, with commas between them.
    pub author: String,
    /// Its date, RFC 3339 or `YYYY-MM-DD`; empty: none.
    pub date: String,
    /// When it was updated, in the same form.
    pub updated: String,
    /// The values of it that have lists.
    pub values: Vec<ListedValue>,
    /// Hashes of what it is about, at most [`MAX_TERMS`](super::terms::MAX_TERMS).
    #[serde(skip)]
    pub terms: Vec<u64>,
    /// What it is known by when its route changes.
    pub identity: ArticleIdentity,
    /// Routes that redirect to it.
    pub aliases: Vec<String>,
    /// The digest of its page if that is the page of a folder: `_index.md`.
    pub section: Option<[u8; 16]>,
    /// Whether search engines are told to leave it out.
    pub is_noindex: bool,
}

/// What of a [`Listing`] lists, feeds and other pages show: its first members, which are read without the others.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Shown {
    /// Its title.
    pub title: String,
    /// Its summary.
    pub summary: String,
    /// Its authors, with commas between them.
    pub author: String,
    /// Its date, or empty.
    pub date: String,
    /// When it was updated, or empty.
    pub updated: String,
}

impl Shown {
    /// Reads it from what [`Listing::to_bytes`] wrote.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        // Members stand one behind the other.
        postcard::take_from_bytes(bytes)
            .ok()
            .map(|(shown, _)| shown)
    }
}

/// A value of a field that has a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedValue {
    /// The place of the field in the settings.
    pub field: u8,
    /// The value as the route of its list has it.
    pub slug: String,
    /// The value.
    pub text: String,
}

impl Listing {
    /// What `settings` want to know of `article`.
    #[must_use]
    pub fn of(
        article: &Article<'_>,
        section: Option<[u8; 16]>,
        settings: &ArchiveSettings,
    ) -> Self {
        let metadata = &article.metadata;
        let text = |name: &str| metadata.text(name).unwrap_or_default().to_owned();
        let fields = (0..=u8::MAX).zip(settings.fields());
        let values = fields.flat_map(|(field, name)| values(metadata, field, name));
        Self {
            title: article.title.clone(),
            summary: render::summary(article),
            author: metadata.texts("author").join(", "),
            date: text("date"),
            updated: text("updated"),
            values: values.collect(),
            terms: match settings.similar {
                0 => Vec::new(),
                _ => term_hashes(article),
            },
            identity: ArticleIdentity::of(metadata, article.body_hash),
            aliases: match settings.redirects {
                Some(_) => metadata
                    .texts("aliases")
                    .into_iter()
                    .map(str::to_owned)
                    .collect(),
                None => Vec::new(),
            },
            section,
            is_noindex: article.visibility.is_noindex,
        }
    }

    /// As the disk has it: everything else, then the terms, 8 bytes each, so that they are read without the
    /// rest.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        // Nothing in it can fail.
        let mut bytes = postcard::to_stdvec(self).unwrap_or_default();
        bytes.extend(self.terms.iter().flat_map(|term| term.to_le_bytes()));
        bytes
    }

    /// Reads what [`Self::to_bytes`] wrote.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let (mut listing, rest) = postcard::take_from_bytes::<Self>(bytes).ok()?;
        let (terms, []) = rest.as_chunks() else {
            return None;
        };
        listing.terms = terms.iter().copied().map(u64::from_le_bytes).collect();
        Some(listing)
    }

    /// When it was published, in ms since 1970; the least number if that is not said.
    #[must_use]
    pub fn published_ms(&self) -> i64 {
        instant_ms(&self.date).unwrap_or(i64::MIN)
    }

    /// When it last changed, in the same form.
    #[must_use]
    pub fn changed_ms(&self) -> i64 {
        let updated = instant_ms(&self.updated);
        updated.map_or(self.published_ms(), |at| at.max(self.published_ms()))
    }

    /// Hash of what lists and feeds show of it.
    #[must_use]
    pub fn shown(&self) -> u64 {
        hash(&[
            &self.title,
            &self.summary,
            &self.author,
            &self.date,
            &self.updated,
        ])
    }

    /// Hash of what other pages show of it.
    #[must_use]
    pub fn titled(&self) -> u64 {
        hash(&[&self.title, &self.date])
    }

    /// Hash of what it is about.
    #[must_use]
    pub fn about(&self) -> u64 {
        let mut hasher = blake3::Hasher::new();
        for term in &self.terms {
            hasher.update(&term.to_le_bytes());
        }
        short_hash(&hasher)
    }
}

fn hash(texts: &[&str]) -> u64 {
    let mut hasher = blake3::Hasher::new();
    for text in texts {
        add_part(&mut hasher, text.as_bytes());
    }
    short_hash(&hasher)
}

/// The values of the field `name`, each slug once.
fn values(metadata: &Metadata, field: u8, name: &str) -> Vec<ListedValue> {
    let texts: Vec<&str> = match of_field(metadata, name) {
        Some(Value::Text(text)) => vec![text],
        Some(Value::List(items)) => items.iter().filter_map(as_text).collect(),
        _ => Vec::new(),
    };
    let mut values: Vec<ListedValue> = Vec::new();
    for text in texts.into_iter().take(MAX_VALUES) {
        let slug = slugify(text);
        // One that has no route has no list.
        let has_route = Route::parse(&format!("/{slug}/")).is_ok_and(|route| !route.is_root());
        if has_route && !values.iter().any(|value| value.slug == slug) {
            values.push(ListedValue {
                field,
                slug,
                text: text.to_owned(),
            });
        }
    }
    values
}

/// The value of a field, also of one that the schema does not know.
fn of_field<'m>(metadata: &'m Metadata, name: &str) -> Option<&'m Value> {
    let own = || {
        let mut extra = metadata.extra.iter();
        extra.find(|(key, _)| crate::yaml::normalise(key) == name)
    };
    metadata.get(name).or_else(|| own().map(|(_, value)| value))
}

fn as_text(value: &Value) -> Option<&str> {
    match value {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Listing, Shown};

    #[test]
    fn what_is_shown_is_read_without_the_rest() {
        let text = str::to_owned;
        let listing = Listing {
            title: text("A title"),
            summary: text("A summary"),
            author: text("Ann, Bob"),
            date: text("2024-01-02"),
            updated: text("2024-01-03T04:05:06Z"),
            terms: vec![1, u64::MAX],
            ..Listing::default()
        };
        let bytes = listing.to_bytes();
        assert_eq!(Listing::read(&bytes).as_ref(), Some(&listing));
        let Listing {
            title,
            summary,
            author,
            date,
            updated,
            ..
        } = listing;
        let shown = Shown {
            title,
            summary,
            author,
            date,
            updated,
        };
        assert_eq!(Shown::read(&bytes), Some(shown));
    }
}
