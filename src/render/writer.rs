//! What the writing of a body keeps from event to event, and its limits.

use pulldown_cmark::Alignment;

use super::contents::Contents;
use super::error::RenderError;
use super::footnotes::Footnotes;
use super::headings::Levels;
use super::ids::{Ids, PageIds};
use super::nesting::{MAX_TAGS_DEPTH, Nesting};
use super::raw_html::RawHtml;
use super::removals::{Removals, Removed};
use super::url;
use crate::article::Body;

/// The input of writing a body.
#[derive(Clone, Copy)]
pub(super) struct Task<'w, 'a> {
    pub(super) body: &'w Body<'a>,
    /// The heading that became the title of the page.
    pub(super) title: Option<&'w str>,
    pub(super) sources: &'w [ImageSource<'w>],
    pub(super) page_ids: &'w PageIds,
    /// The largest HTML that is allowed, in bytes.
    pub(super) limit: usize,
}

/// What the front matter says about an image, found by its URL.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ImageSource<'m> {
    pub(super) url: &'m str,
    pub(super) host: &'m str,
    pub(super) caption: &'m str,
}

/// How many bytes of HTML are allowed for a byte of Markdown, …
const BYTES_PER_BYTE: usize = 8;
/// … in addition for a table cell, whose tags are longer than its Markdown, …
const BYTES_PER_CELL: usize = 24;
/// … and in addition for any body.
const FREE_BYTES: usize = 64 * 1024;

/// The largest HTML that is allowed for `body`, in bytes.
pub(super) fn limit(body: &Body<'_>) -> usize {
    BYTES_PER_BYTE * body.markdown.len() + BYTES_PER_CELL * body.cells + FREE_BYTES
}

/// A body that is being written.
pub(super) struct Writer<'w, 'a> {
    pub(super) body: &'w Body<'a>,
    pub(super) sources: &'w [ImageSource<'w>],
    pub(super) out: String,
    pub(super) limit: usize,
    pub(super) nesting: Nesting,
    pub(super) ids: Ids<'w>,
    pub(super) footnotes: Footnotes<'w>,
    /// Whether an `<a>` was written for the Markdown link that is open. Links do not nest.
    pub(super) link_written: bool,
    /// The level on the page of the heading that is open. Headings do not nest.
    pub(super) heading: u8,
    /// The body's heading levels, while a footnote counts its own.
    pub(super) body_levels: Levels,
    pub(super) alignments: Vec<Alignment>,
    pub(super) column: usize,
    pub(super) in_table_head: bool,
    pub(super) tables: u32,
    /// The raw HTML block being collected.
    pub(super) raw_block: Option<RawHtml>,
    pub(super) has_raw_html: bool,
    pub(super) removals: Removals,
    /// URLs in raw HTML that the sanitiser will remove.
    pub(super) refused_urls: Vec<(Removed, Option<usize>)>,
    pub(super) first_image: Option<String>,
    /// The id of the heading that is open.
    pub(super) heading_id: Option<String>,
    pub(super) contents: Contents,
}

impl Writer<'_, '_> {
    /// Counts a URL of the Markdown that is left out.
    pub(super) fn refuse_url(&mut self, url: &str) {
        let offset = self.body.offset_of(url);
        self.removals.add(Removed::url(url), offset);
    }

    /// Writes the value of an `href`.
    pub(super) fn write_destination(&mut self, url: &str) {
        match url.strip_prefix('#') {
            Some(fragment) if !fragment.is_empty() => self.ids.link(&mut self.out, fragment),
            _ => url::write(&mut self.out, url),
        }
    }

    pub(super) fn check_caps(&self) -> Result<(), RenderError> {
        if self.nesting.is_too_deep() {
            return Err(RenderError {
                code: "body.nesting",
                message: format!(
                    "expected lists, quotes and HTML tags to nest at most {MAX_TAGS_DEPTH} deep, found more"
                ),
            });
        }
        self.check_size(self.out.len() + self.footnotes.bytes() + self.nesting.bytes())
    }

    pub(super) fn check_size(&self, bytes: usize) -> Result<(), RenderError> {
        if bytes <= self.limit {
            return Ok(());
        }
        Err(RenderError {
            code: "body.size",
            message: format!(
                "expected a body of at most {} bytes of HTML ({BYTES_PER_BYTE} × its source + \
                 {BYTES_PER_CELL} × its table cells + {} KiB), found more",
                self.limit,
                FREE_BYTES / 1024,
            ),
        })
    }
}
