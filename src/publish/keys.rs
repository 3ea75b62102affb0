//! How the keys of objects are named.

use crate::archive::FilePath;
use crate::article::Route;

/// Which object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectKind {
    /// An HTML page.
    Page,
    /// What machines want to know of a page.
    Meta,
    /// A file such as a feed.
    File,
    /// What answers a route that has no page.
    Redirect,
    /// An article as Markdown.
    Text,
}

impl ObjectKind {
    /// All kinds.
    pub const ALL: [Self; 5] = [
        Self::Page,
        Self::Meta,
        Self::File,
        Self::Redirect,
        Self::Text,
    ];

    /// As keys have it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Meta => "meta",
            Self::File => "file",
            Self::Redirect => "redirect",
            Self::Text => "text",
        }
    }
}

/// What stands before the route in a key, and the route: `anp:page` and `/route/`. No prefix has a slash.
pub(crate) fn split_key(key: &str) -> (&str, &str) {
    let at = key.find(":/").unwrap_or(key.len());
    (&key[..at], key.get(at + 1..).unwrap_or_default())
}

/// The keys of all objects under one prefix.
#[derive(Clone, Debug)]
pub struct Keys {
    prefix: String,
}

impl Keys {
    /// Keys under `prefix`.
    #[must_use]
    pub fn new(prefix: &str) -> Self {
        Self {
            prefix: prefix.to_owned(),
        }
    }

    /// `PREFIX:page:/route/`.
    #[must_use]
    pub fn page(&self, route: &Route) -> String {
        format!("{}{route}", self.page_prefix())
    }

    /// `PREFIX:meta:/route/`.
    #[must_use]
    pub fn meta(&self, route: &Route) -> String {
        format!("{}{route}", self.meta_prefix())
    }

    /// The key of the object of this kind at `route`: `PREFIX:page:/route/`.
    #[must_use]
    pub fn of(&self, kind: ObjectKind, route: &Route) -> String {
        format!("{}{route}", self.prefix_of(kind))
    }

    /// `PREFIX:file:/folder/name.ext`.
    #[must_use]
    pub fn file(&self, path: &FilePath) -> String {
        format!("{}{path}", self.prefix_of(ObjectKind::File))
    }

    /// `PREFIX:page:`.
    #[must_use]
    pub fn page_prefix(&self) -> String {
        self.prefix_of(ObjectKind::Page)
    }

    /// `PREFIX:meta:`.
    #[must_use]
    pub fn meta_prefix(&self) -> String {
        self.prefix_of(ObjectKind::Meta)
    }

    /// What every key of this kind begins with: `PREFIX:page:`.
    #[must_use]
    pub fn prefix_of(&self, kind: ObjectKind) -> String {
        format!("{}:{}:", self.prefix, kind.word())
    }

    /// `PREFIX:`, which every key begins with.
    #[must_use]
    pub fn prefix(&self) -> String {
        format!("{}:", self.prefix)
    }

    /// `PREFIX:lock`.
    #[must_use]
    pub fn lock(&self) -> String {
        format!("{}:lock", self.prefix)
    }

    /// `PREFIX:switch`.
    #[must_use]
    pub fn switch(&self) -> String {
        format!("{}:switch", self.prefix)
    }
}
