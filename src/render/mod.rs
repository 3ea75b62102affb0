//! An article → the bytes of its page and meta objects.
//!
//! 1. `markdown`: body events → HTML; raw HTML is rewritten and cleaned on the way.
//! 2. `meta_box`: metadata → the box with its lists.
//! 3. `page`: both and the ready texts → the page, by a template; code seals it with
//!    the digest.
//! 4. `meta`: metadata → the JSON object.
//!
//! `archive_pages` makes what links articles to each other: pages of lists, and similar posts.
//!
//! Nothing here knows the store, the clock or a path of the content tree: the same inputs
//! give the same bytes.

mod archive_pages;
mod contents;
mod digest;
mod elements;
mod error;
mod escape;
mod excerpt;
mod figure;
mod file_seal;
mod fill;
mod footnotes;
mod gzip;
mod headings;
mod ids;
mod inputs;
mod json_ld;
mod label;
mod list_page;
mod lists;
mod markdown;
mod meta;
mod meta_box;
mod nesting;
mod own_pages;
mod own_values;
mod page;
mod raw_html;
mod removals;
mod sanitise;
mod settings;
mod similar;
#[doc(hidden)]
pub mod stages;
mod text;
mod url;
mod view;
mod writer;

use std::collections::HashSet;

use pulldown_cmark::{Event, Tag};

pub use digest::{
    Digest, FILE_TAIL_BYTES, META_HEAD_BYTES, PAGE_TAIL_BYTES, RENDERER_VERSION, file_digest,
    is_list, meta_digest, page_digest,
};
pub use error::{RenderError, TemplateError};
pub use excerpt::summary;
pub use file_seal::FileSeal;
pub use fill::{Fill, META_FILL_BYTES, fill, filled_bytes, holes, meta_fill};
pub use gzip::{
    Compression, GZIP_HEAD_BYTES, GzipError, gzip_head, plain, stored_file_digest,
    stored_page_digest,
};
pub use inputs::{Input, Inputs, META_INPUTS_BYTES};
pub use list_page::{ListItem, ListKind, ListPage};
pub use lists::{ListLinks, field_label, folder_title, value_route};
pub use meta::{META_OPENING_BYTES, MetaHead, Stamp};
pub use meta_box::BoxFields;
pub use own_pages::environment as own_pages;
pub use page::{BUILT_IN as BUILT_IN_TEMPLATES, STYLE};
pub use removals::{Removal, Removals, Removed};
pub use settings::RenderSettings;
pub use similar::{SIMILAR_HOLE, SimilarPost};

use crate::article::{Article, Metadata, Route, Value, shown_host};
use archive_pages::ArchivePages;
use digest::Digester;
use excerpt::excerpt;
use ids::PageIds;
use inputs::SharedInputs;
use list_page::Site;
use meta::Robots;
use page::Templates;
use url::Use;
use view::{View, ready};
use writer::Task;

/// The objects of one article, ready for the store.
#[derive(Debug)]
pub struct Rendered {
    /// The whole HTML page, ending in `<!--anp:DIGEST-->`.
    pub page: Vec<u8>,
    /// The meta object: one line of JSON, beginning `{"digest":"DIGEST",`.
    pub meta: Vec<u8>,
    /// The article as Markdown, ending in `<!--anp:DIGEST-->` and a line end, with
    /// [`RenderSettings::text`].
    pub text: Option<Vec<u8>>,
    /// What was left out because no page may carry it; worth a warning.
    pub removals: Removals,
}

/// The name of the text of an article in the folder of its route.
pub const TEXT_NAME: &str = "index.md";

/// Renders articles, from any number of threads at once.
pub struct Renderer {
    settings: RenderSettings,
    templates: Templates,
    page_ids: PageIds,
    digester: Digester,
    shared_inputs: SharedInputs,
    list_fingerprint: [u8; 32],
    /// The ids that pages of lists have besides those of their text.
    list_ids: PageIds,
}

impl Renderer {
    /// Loads, compiles and rehearses the templates.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong with a template or the templates folder.
    pub fn new(settings: &RenderSettings) -> Result<Self, TemplateError> {
        let lists = settings.lists.as_ref().map(|_| page::LIST);
        let similar = settings.similar.then_some(page::SIMILAR);
        let needed: Vec<&str> = lists.into_iter().chain(similar).collect();
        let templates = Templates::load(settings.templates.as_deref(), &needed)?;
        let is_linked = settings.similar || settings.lists.is_some();
        let texts = templates.texts(if is_linked {
            page::OF_LINKED_PAGES
        } else {
            page::OF_PAGES
        });
        let ids = settings.similar.then(|| templates.texts(&[page::SIMILAR]));
        let page_ids = PageIds::of(&[texts.clone(), ids.unwrap_or_default()].concat());
        let meta_box = settings.meta_box.identity();
        let linked = settings.linked_identity(&page_ids);
        let mut decisive = vec![
            settings.site_url.as_bytes(),
            settings.site_name.as_bytes(),
            settings.lang.as_bytes(),
            settings.assets.as_bytes(),
            &settings.rules,
            &meta_box,
        ];
        let list_texts = templates.texts(page::OF_LISTS);
        let compression = settings.compression.identity();
        let mut decisive_of_lists = decisive[..3].to_vec();
        decisive_of_lists.extend(compression);
        let list_fingerprint = Digester::new(&list_texts, &decisive_of_lists).fingerprint();
        // Without archive objects the digests stay those of versions that had none.
        decisive.extend(linked.as_deref());
        if settings.text {
            decisive.push(b"text");
        }
        decisive.extend(compression);
        Ok(Self {
            list_fingerprint,
            list_ids: PageIds::of(&list_texts),
            settings: settings.clone(),
            digester: Digester::new(&texts, &decisive),
            shared_inputs: SharedInputs::new(&texts, &decisive),
            page_ids,
            templates,
        })
    }

    /// The digest of the page of an article. `further` holds what decides it besides what its source says
    /// and its route: the fields from its name, a hash of the rewritten destinations, the settings of its
    /// fields.
    #[must_use]
    pub fn digest(&self, article: &Article<'_>, further: &[u8]) -> Digest {
        self.digester
            .digest(&article.fingerprint, &article.route, further)
    }

    /// Hashes of what decides the page of an article, one for each kind of input. `links` is the hash of
    /// the routes of its links.
    #[must_use]
    pub fn inputs(&self, article: &Article<'_>, links: Option<&[u8; 16]>) -> Inputs {
        let is_noindex = article.visibility.is_noindex;
        self.shared_inputs.of(
            &article.fingerprint,
            article.said_by_name.as_bytes(),
            links,
            is_noindex,
        )
    }

    /// The base URL of relative images and files, or empty.
    #[must_use]
    pub fn assets(&self) -> &str {
        &self.settings.assets
    }

    /// How pages, files and texts are stored.
    #[must_use]
    pub fn compression(&self) -> Compression {
        self.settings.compression
    }

    /// Hash of everything besides an article that decides its page: templates, output
    /// settings, renderer version.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        self.digester.fingerprint()
    }

    /// Renders one article. `digest` must be the one of its source.
    ///
    /// # Errors
    ///
    /// The body nests too deep or grows too large, its HTML cannot be cleaned soundly, or
    /// a template fails.
    pub fn render(
        &self,
        article: &Article<'_>,
        digest: Digest,
        stamp: &Stamp<'_>,
    ) -> Result<Rendered, RenderError> {
        let metadata = &article.metadata;
        let body = self.written(article, &self.page_ids)?;
        let lists = self.lists_of(article);
        let linked = lists.map_or(&[][..], |lists| &lists.fields);
        let meta_box = meta_box::write(metadata, &self.settings.meta_box, linked);
        let crumbs = lists.map(|lists| lists.crumbs(&article.route));
        let crumbs = crumbs.unwrap_or_default();

        let head = self.head(article, body.first_image);
        let json_ld = json_ld::write(&json_ld::Facts {
            title: &article.title,
            description: &head.description,
            canonical: &head.canonical,
            image: &head.image,
            lang: head.lang,
            site_name: &self.settings.site_name,
            metadata,
        });
        let meta = meta::write(article, digest, stamp, head.robots, &head.canonical);
        let text = text::Source {
            title: &article.title,
            summary: head.summary,
            html: &body.html,
            limit: writer::limit(&article.body),
        };
        let text = self.settings.text.then(|| text::write(&text, digest));
        let text = text.transpose()?;
        // What templates add to the parts made above: the texts of the head, and themselves.
        let crumb_bytes = |(title, route): &(String, Route)| title.len() + route.as_str().len();
        let crumb_bytes = crumbs.iter().map(crumb_bytes).sum::<usize>();
        let page_limit = 2 * writer::limit(&article.body)
            + 8 * (meta.len() + crumb_bytes)
            + self.templates.bytes();
        let mut page = Vec::with_capacity(
            body.html.len() + meta_box.len() + json_ld.len() + self.templates.bytes(),
        );
        let parts = [json_ld, body.contents, body.html, meta_box];
        let view = self.view(article, head, parts, &crumbs);
        let view = minijinja::Value::from_object(view);
        self.templates
            .render(page::PAGE, view, &mut page, page_limit)?;
        digest::seal_page(&mut page, digest);
        Ok(Rendered {
            page,
            meta,
            text,
            removals: body.removals,
        })
    }
}

impl Renderer {
    /// The body of an article that keeps off the ids of its page.
    fn written(
        &self,
        article: &Article<'_>,
        page_ids: &PageIds,
    ) -> Result<markdown::BodyHtml, RenderError> {
        markdown::write(Task {
            body: &article.body,
            title: article.title_heading(),
            sources: &figure::image_sources(&article.metadata),
            page_ids,
            limit: writer::limit(&article.body),
        })
    }

    /// The lists that have an article. Those of one that is in none may not exist.
    fn lists_of(&self, article: &Article<'_>) -> Option<&ListLinks> {
        let is_listed = !article.visibility.is_noindex && !article.visibility.is_draft;
        self.settings.lists.as_ref().filter(|_| is_listed)
    }
}

impl Renderer {
    /// Hash of everything besides its articles that decides a page of a list: templates, site and
    /// language, renderer version.
    #[must_use]
    pub fn list_fingerprint(&self) -> [u8; 32] {
        self.list_fingerprint
    }

    /// Hash of everything besides the posts that decides a section of similar posts.
    #[must_use]
    pub fn similar_fingerprint(&self) -> [u8; 32] {
        self.archive_pages().similar_fingerprint()
    }

    /// The page of a list, ending in `<!--anp:DIGEST-->`, and its meta object.
    ///
    /// # Errors
    ///
    /// The template fails, or makes a page far larger than its list.
    pub fn list_page(
        &self,
        page: &ListPage<'_>,
        digest: Digest,
        stamp: &Stamp<'_>,
    ) -> Result<(Vec<u8>, Vec<u8>), RenderError> {
        self.archive_pages().list_page(page, digest, stamp)
    }

    /// The section that takes the place of [`SIMILAR_HOLE`]; empty without posts.
    ///
    /// # Errors
    ///
    /// The template fails, or makes a section far larger than its posts.
    pub fn similar_section(&self, posts: &[SimilarPost]) -> Result<String, RenderError> {
        self.archive_pages().similar_section(posts)
    }

    /// The body of an `_index.md` as HTML for the page of a list, and what was left out of it.
    ///
    /// # Errors
    ///
    /// The body nests too deep or grows too large, or its HTML cannot be cleaned soundly.
    pub fn body(&self, article: &Article<'_>) -> Result<(String, Removals), RenderError> {
        let body = self.written(article, &self.list_ids)?;
        Ok((body.html, body.removals))
    }

    fn archive_pages(&self) -> ArchivePages<'_> {
        ArchivePages {
            templates: &self.templates,
            site: Site {
                url: &self.settings.site_url,
                name: &self.settings.site_name,
                lang: &self.settings.lang,
            },
        }
    }
}

/// What the head of a page says of its article.
struct Head<'a> {
    lang: &'a str,
    canonical: String,
    robots: Robots,
    summary: &'a str,
    description: String,
    image: String,
}

impl Renderer {
    /// What the head says of an article whose body shows `first_image` first.
    fn head<'a>(&'a self, article: &'a Article<'_>, first_image: Option<String>) -> Head<'a> {
        let metadata = &article.metadata;
        // Each replaces the other if that is missing.
        let said = |first: &str, second: &str| metadata.text(first).or(metadata.text(second));
        Head {
            lang: metadata.text("lang").unwrap_or(&self.settings.lang),
            canonical: format!("{}{}", self.settings.site_url, article.route),
            robots: if article.visibility.is_noindex {
                Robots::NoIndex
            } else {
                Robots::Index
            },
            summary: said("summary", "description").unwrap_or_default(),
            description: said("description", "summary")
                .map_or_else(|| excerpt(&article.body.events), str::to_owned),
            image: self
                .image(metadata)
                .or(first_image.filter(|image| shown_host(image).is_some()))
                .unwrap_or_default(),
        }
    }

    /// What the template shows of an article, with the parts that are ready.
    fn view(
        &self,
        article: &Article<'_>,
        head: Head<'_>,
        [json_ld, toc, body, meta_box]: [String; 4],
        crumbs: &[(String, Route)],
    ) -> View {
        let metadata = &article.metadata;
        View {
            lang: head.lang.to_owned(),
            text: match self.settings.text {
                true => format!("{}{TEXT_NAME}", head.canonical),
                false => String::new(),
            },
            site_name: self.settings.site_name.clone(),
            site_url: self.settings.site_url.clone(),
            route: article.route.as_str().to_owned(),
            canonical: head.canonical,
            robots: head.robots.as_str(),
            noindex: head.robots == Robots::NoIndex,
            draft: article.visibility.is_draft,
            title: article.title.clone(),
            description: head.description,
            summary: head.summary.to_owned(),
            author: metadata.texts("author").join(", "),
            topic: text(metadata, "topic"),
            difficulty: text(metadata, "difficulty"),
            reading_time: match metadata.get("reading_time") {
                Some(Value::Number(minutes)) => minutes.to_string(),
                _ => String::new(),
            },
            date: text(metadata, "date"),
            updated: text(metadata, "updated"),
            image: head.image,
            json_ld: ready(json_ld),
            extra: own_values::mapping(&metadata.extra),
            toc: ready(toc),
            body: ready(body),
            similar: ready(if self.settings.similar {
                SIMILAR_HOLE
            } else {
                ""
            }),
            meta_box: ready(meta_box),
            crumbs: view::crumbs(crumbs),
        }
    }

    /// The URL of the article's own image, if previews can reach it.
    fn image(&self, metadata: &Metadata) -> Option<String> {
        let image = metadata.text("image")?;
        let site_url = &self.settings.site_url;
        let image = if image.starts_with('/') && !image.starts_with("//") && !site_url.is_empty() {
            format!("{site_url}{image}")
        } else {
            image.to_owned()
        };
        (shown_host(&image).is_some() && url::is_allowed(&image, Use::Image)).then_some(image)
    }
}

/// Whether rendering may find something to leave out: raw HTML, or a URL that no page may carry.
/// Elsewhere [`Rendered::removals`] is nothing.
#[must_use]
pub fn may_remove(article: &Article<'_>) -> bool {
    article.body.events.iter().any(|event| match &*event {
        Event::Html(_) | Event::InlineHtml(_) => true,
        Event::Start(Tag::Link { dest_url, .. }) => !url::is_allowed(dest_url, Use::Link),
        Event::Start(Tag::Image { dest_url, .. }) => {
            !url::is_allowed(dest_url, Use::Image) || dest_url.trim().is_empty()
        }
        _ => false,
    })
}

/// The fragments that links to the page of an article can use: `part` of `#part`, each also in lower
/// case.
#[must_use]
pub fn anchors(article: &Article<'_>) -> HashSet<String> {
    let page_ids = PageIds::default();
    let task = Task {
        body: &article.body,
        title: article.title_heading(),
        sources: &[],
        page_ids: &page_ids,
        limit: writer::limit(&article.body),
    };
    markdown::anchors(task).unwrap_or_default()
}

fn text(metadata: &Metadata, name: &str) -> String {
    metadata.text(name).unwrap_or_default().to_owned()
}
