//! What the writing of a body keeps from event to event, and its limits.

use pulldown_cmark::Alignment;

use super::error::RenderError;
use super::footnotes::Footnotes;
use super::headings::{Ids, Levels};
use super::nesting::{MAX_TAGS_DEPTH, Nesting};
use crate::article::Events;

/// What the rendering of an article left out because no page may carry it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Removed {
    /// Links and images whose URL is neither relative nor of an allowed scheme.
    pub urls: u32,
    /// Raw HTML tags, comments and elements that pages may not have.
    pub tags: u32,
}

/// What the front matter says about an image, found by its URL.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ImageSource<'m> {
    pub(super) url: &'m str,
    pub(super) host: &'m str,
    pub(super) caption: &'m str,
}

/// A body that is being written.
pub(super) struct Writer<'w, 'a> {
    pub(super) events: &'w Events<'a>,
    pub(super) sources: &'w [ImageSource<'w>],
    pub(super) out: String,
    pub(super) limit: usize,
    pub(super) nesting: Nesting,
    pub(super) ids: Ids,
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
    pub(super) raw_block: Option<String>,
    pub(super) has_raw_html: bool,
    pub(super) removed: Removed,
    pub(super) first_image: Option<String>,
}

impl Writer<'_, '_> {
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
                "expected a body of at most {} bytes of HTML (8 × its source + 64 KiB), found more",
                self.limit
            ),
        })
    }
}
