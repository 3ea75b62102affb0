//! How the keys of the objects of a route are named.

use crate::article::Route;

/// Which object of an article.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ObjectKind {
    Page,
    Meta,
}

/// What stands before the route in a key, and the route: `anp:page` and `/route/`. No prefix has a slash.
pub(crate) fn split_key(key: &str) -> (&str, &str) {
    let at = key.find(":/").unwrap_or(key.len());
    (&key[..at], key.get(at + 1..).unwrap_or_default())
}

/// The keys of the objects of a route.
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

    /// `PREFIX:page:`.
    #[must_use]
    pub fn page_prefix(&self) -> String {
        format!("{}:page:", self.prefix)
    }

    /// `PREFIX:meta:`.
    #[must_use]
    pub fn meta_prefix(&self) -> String {
        format!("{}:meta:", self.prefix)
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
