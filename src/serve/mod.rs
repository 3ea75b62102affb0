//! The preview: what the store holds, over HTTP, read-only.
//!
//! docs/serving.md is its contract. A request goes through these: [`listen`] (connections
//! and their limits) → [`answer`] (which kind of answer) → `host`, `path`, `login` (what is
//! asked, of whom, by whom) → `page`, `meta`, `cache` (the page, from the store or as it was
//! taken), `file`, or `redirect` where there is no page → `headers`, `conditional`, `policy` (what
//! is said of it), or `refusal` (what is said instead). `site` has what all of them need. `index` lists
//! the articles of the store or of a run, and the `bar` over each page links to it; `site_pages` makes
//! the pages that are not stored.

mod answer;
mod bar;
mod cache;
mod coding;
mod conditional;
mod file;
mod headers;
mod host;
mod index;
mod listen;
mod login;
mod meta;
mod page;
mod path;
mod policy;
mod redirect;
mod refusal;
mod site;
mod site_pages;

use std::path::PathBuf;
use std::time::Duration;

pub use listen::listen;

use crate::edge::CachePolicy;
use crate::store::{Address, Connector};

/// How long any request waits for the store.
pub const STORE_TIMEOUT: Duration = Duration::from_secs(2);

/// What the preview serves, and to whom.
#[derive(Clone, Debug)]
pub struct Preview {
    /// Where it was told to listen, HOST:PORT.
    pub addr: String,
    /// The store.
    pub connector: Connector,
    /// Prefix of every key.
    pub prefix: String,
    /// The folder of the manifests that tell which articles there are.
    pub state_dir: PathBuf,
    /// Names of the cookies of visitors who are logged in.
    pub login_cookies: Vec<String>,
    /// How long caches may keep an answer.
    pub cache: CachePolicy,
}

impl Preview {
    /// The store as it is shown.
    fn address(&self) -> &Address {
        &self.connector.address
    }
}
