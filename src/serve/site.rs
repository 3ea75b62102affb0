//! What every answer of the preview is made from.

use axum::http::HeaderMap;

use super::headers::{CacheStatus, Caching};
use super::login::Login;
use super::site_pages::SitePages;
use super::{Preview, STORE_TIMEOUT};
use crate::publish::keys::Keys;
use crate::store::reading::Reading;
use crate::store::{Class, StoreError};

/// The store, the names of its keys, the pages of our own, and who is logged in.
pub(super) struct Site {
    pub(super) store: Reading,
    pub(super) keys: Keys,
    pub(super) own: SitePages,
    pub(super) preview: Preview,
    pub(super) login: Login,
}

impl Site {
    /// The site that `preview` shows.
    pub(super) fn new(preview: Preview) -> Result<Self, StoreError> {
        let broken = |error: minijinja::Error| {
            StoreError::new(Class::Stop, "compiling the templates", error.to_string())
        };
        Ok(Self {
            store: Reading::new(&preview.connector, STORE_TIMEOUT),
            keys: Keys::new(&preview.prefix),
            own: SitePages::new().map_err(broken)?,
            login: Login::new(&preview.login_cookies),
            preview,
        })
    }

    /// What shared caches are told of the object at `path`.
    pub(super) fn caching<'a>(&self, path: &'a str) -> Caching<'a> {
        Caching {
            policy: self.preview.cache,
            path,
        }
    }

    /// Where an answer without a page comes from: never from the cache.
    pub(super) fn uncached(&self, headers: &HeaderMap) -> CacheStatus {
        if self.login.is_of(headers) {
            CacheStatus::Bypass
        } else {
            CacheStatus::Miss
        }
    }
}
