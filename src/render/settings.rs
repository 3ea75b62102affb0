//! What decides the looks of all pages of a run.

use std::path::PathBuf;

use super::gzip::Compression;
use super::ids::PageIds;
use super::lists::ListLinks;
use super::meta_box::BoxFields;

/// What decides the looks of all pages of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenderSettings {
    /// Scheme and host that canonical URLs begin with, without a slash at the end:
    /// `https://example.org`. Empty: canonical URLs are relative.
    pub site_url: String,
    /// The name of the site, for the page header and the browser's title. May be empty.
    pub site_name: String,
    /// The language of the pages, as a BCP 47 tag: `en`.
    pub lang: String,
    /// The identity of the rules that values are read by; empty for the defaults.
    pub rules: Vec<u8>,
    /// The URL of the folder that has the relative images and files, without a slash at its end:
    /// `https://cdn.example.org/content`. Empty: they stay relative to the page.
    pub assets: String,
    /// Which fields the meta box has.
    pub meta_box: BoxFields,
    /// A folder of templates that take the place of the built-in ones of the same name.
    pub templates: Option<PathBuf>,
    /// Whether pages have [`super::SIMILAR_HOLE`], where their similar posts will be.
    pub similar: bool,
    /// The lists that pages link to; none: there are no lists.
    pub lists: Option<ListLinks>,
    /// Whether articles have a text, which their pages name.
    pub text: bool,
    /// How pages, files and texts are stored.
    pub compression: Compression,
}

impl Default for RenderSettings {
    fn default() -> Self {
        Self {
            site_url: String::new(),
            site_name: String::new(),
            lang: "en".to_owned(),
            rules: Vec::new(),
            assets: String::new(),
            meta_box: BoxFields::default(),
            templates: None,
            similar: false,
            lists: None,
            text: false,
            compression: Compression::None,
        }
    }
}

impl RenderSettings {
    /// Bytes for what pages have because of other articles; none if they have nothing of that kind. Of the
    /// template of similar posts only its ids count: a body keeps off them.
    pub(super) fn linked_identity(&self, page_ids: &PageIds) -> Option<Vec<u8>> {
        let lists = self.lists.as_ref().map(ListLinks::identity);
        let ids = self.similar.then(|| page_ids.identity());
        let parts = [lists, ids];
        let is_any = parts.iter().any(Option::is_some);
        let mark = parts.each_ref().map(|part| u8::from(part.is_some()));
        let parts = parts.into_iter().flatten().flatten();
        is_any.then(|| mark.into_iter().chain(parts).collect())
    }
}
