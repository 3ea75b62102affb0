//! Steps of rendering one by one, for the benches, which see what each costs, and for the tests
//! that count the work of each. No part of the interface: everybody else calls [`Renderer::render`].

use super::ids::PageIds;
use super::page::PAGE;
use super::view::{View, ready};
use super::writer::{ImageSource, Task};
use super::{BoxFields, figure, json_ld, markdown, meta, meta_box, sanitise};
use super::{Digest, RenderError, Renderer, Robots, Stamp};
use crate::article::{Article, Metadata};

/// The Markdown events of `article` → HTML, raw HTML sanitised.
#[must_use]
pub fn body(article: &Article<'_>) -> Option<String> {
    let sources = figure::image_sources(&article.metadata);
    let page_ids = PageIds::default();
    Some(
        markdown::write(task(article, &sources, &page_ids))
            .ok()?
            .html,
    )
}

fn task<'w, 'a>(
    article: &'w Article<'a>,
    sources: &'w [ImageSource<'w>],
    page_ids: &'w PageIds,
) -> Task<'w, 'a> {
    Task {
        body: &article.body,
        title: None,
        sources,
        page_ids,
        limit: usize::MAX,
    }
}

/// What the sanitiser is given to read for an article with raw HTML.
///
/// # Errors
/// The body cannot be written.
pub fn to_be_cleaned(article: &Article<'_>) -> Result<String, RenderError> {
    let page_ids = PageIds::default();
    let body = markdown::uncleaned(task(article, &[], &page_ids))?;
    Ok(sanitise::in_pieces(&body).unwrap_or(body))
}

/// HTML that the sanitiser has judged, with the number of URLs taken out.
#[must_use]
pub fn sanitise(html: String) -> Option<(String, u32)> {
    sanitise::clean(html)
}

/// The box of metadata.
#[must_use]
pub fn meta_box(metadata: &Metadata) -> String {
    meta_box::write(metadata, &BoxFields::default(), &[])
}

/// The meta object.
#[must_use]
pub fn meta(article: &Article<'_>, digest: Digest, stamp: &Stamp<'_>) -> Vec<u8> {
    let canonical = article.route.as_str();
    meta::write(article, digest, stamp, Robots::Index, canonical)
}

/// What the page tells search engines.
#[must_use]
pub fn json_ld(article: &Article<'_>) -> String {
    json_ld::write(&json_ld::Facts {
        title: &article.title,
        description: article.metadata.text("summary").unwrap_or_default(),
        canonical: article.route.as_str(),
        image: "",
        lang: "en",
        site_name: "",
        metadata: &article.metadata,
    })
}

/// The page of an article and its parts, by the template.
#[must_use]
pub fn template(
    renderer: &Renderer,
    article: &Article<'_>,
    [body, meta_box, json_ld]: [String; 3],
) -> Option<Vec<u8>> {
    let summary = article.metadata.text("summary").unwrap_or_default();
    let size = body.len() + meta_box.len() + json_ld.len() + renderer.templates.bytes();
    let view = View {
        title: article.title.clone(),
        description: summary.to_owned(),
        summary: summary.to_owned(),
        body: ready(body),
        toc: ready(""),
        meta_box: ready(meta_box),
        json_ld: ready(json_ld),
        ..View::full_sample()
    };
    let mut page = Vec::with_capacity(size);
    renderer
        .templates
        .render(
            PAGE,
            minijinja::Value::from_object(view),
            &mut page,
            usize::MAX,
        )
        .ok()?;
    Some(page)
}
