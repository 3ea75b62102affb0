//! What links articles to each other: pages of lists, and the similar posts of a page.

use minijinja::Value;

use super::digest::{Digest, Digester, seal_page};
use super::error::RenderError;
use super::list_page::{ListPage, Site};
use super::meta::{self, Stamp};
use super::page::{LIST, SIMILAR, Templates};
use super::similar::{self, SimilarPost};

/// The templates, and the site whose pages they make.
#[derive(Clone, Copy)]
pub(super) struct ArchivePages<'r> {
    pub(super) templates: &'r Templates,
    pub(super) site: Site<'r>,
}

impl ArchivePages<'_> {
    /// The page and the meta object of a page of a list.
    pub(super) fn list_page(
        self,
        page: &ListPage<'_>,
        digest: Digest,
        stamp: &Stamp<'_>,
    ) -> Result<(Vec<u8>, Vec<u8>), RenderError> {
        let page = page.stable();
        let view = page.view(self.site);
        let meta = meta::write_list(&view.page, digest, stamp);
        let bytes = page.bytes() + self.templates.bytes();
        let mut html = Vec::with_capacity(bytes);
        let view = Value::from_object(view);
        self.templates.render(LIST, view, &mut html, 8 * bytes)?;
        seal_page(&mut html, digest);
        Ok((html, meta))
    }

    /// The section of similar posts; empty without posts.
    pub(super) fn similar_section(self, posts: &[SimilarPost]) -> Result<String, RenderError> {
        if posts.is_empty() {
            return Ok(String::new());
        }
        let Site { url, name, lang } = self.site;
        let bytes = posts.iter().map(|post| post.bytes() + url.len());
        let limit = 16 * bytes.sum::<usize>() + self.templates.bytes();
        let view = similar::view(posts, lang, name, url);
        let mut html = Vec::new();
        self.templates.render(SIMILAR, view, &mut html, limit)?;
        Ok(String::from_utf8(html).expect("templates and values are UTF-8"))
    }

    /// Hash of everything besides the posts that decides their section.
    pub(super) fn similar_fingerprint(self) -> [u8; 32] {
        let Site { url, name, lang } = self.site;
        let settings = [url, name, lang].map(str::as_bytes);
        Digester::new(&self.templates.texts(&[SIMILAR]), &settings).fingerprint()
    }
}
