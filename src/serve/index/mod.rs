//! The list of the articles that the store holds, or of those of a run, with a search.

mod listing;
mod published;
mod query;
mod row;
mod sections;
mod stored;

use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use minijinja::context;
use tokio::time::timeout;

use self::listing::{Listing, ListingSource};
use self::published::{find, unreadable};
pub(super) use self::query::INDEX;
use self::query::{Query, Sort};
use self::row::{rows, time};
use self::sections::sections;
use self::stored::stored_routes;
use super::STORE_TIMEOUT;
use super::site::Site;
use crate::publish::manifest::published_routes;
use crate::store::{Class, StoreError};
use crate::words::counted;

/// So many articles stand on one page of the list.
const PAGE: usize = 50;

/// The list; one listing is kept in memory, the one that was asked for last.
#[derive(Default)]
pub(super) struct Index {
    listing: tokio::sync::Mutex<Option<Arc<Listing>>>,
}

impl Index {
    /// The answer to the query string `text`.
    ///
    /// # Errors
    /// When the store does not answer.
    pub(super) async fn answer(
        &self,
        site: &Site,
        text: &str,
    ) -> Result<Response<Body>, StoreError> {
        let query = Query::read(text);
        let mut response = match self.listing(site, &query.run).await? {
            Ok(listing) => list(site, &listing, &query).await?,
            Err(why) => nothing(site, &why, &query),
        };
        response.headers_mut().insert(
            HeaderName::from_static("x-robots-tag"),
            HeaderValue::from_static("noindex"),
        );
        Ok(response)
    }

    /// The listing of `run`, or of the store if it is empty; or why there is none.
    async fn listing(
        &self,
        site: &Site,
        run: &str,
    ) -> Result<Result<Arc<Listing>, String>, StoreError> {
        // Held while it is made: it is made once, however many ask for it. Who waits for it
        // waits no longer than for the store.
        let held = timeout(STORE_TIMEOUT, self.listing.lock()).await;
        let mut kept = held.map_err(|_| {
            let detail = "another request is still reading their titles";
            StoreError::new(Class::Wait, "listing the articles", detail)
        })?;
        let began = Instant::now();
        let (source, routes) = if run.is_empty() {
            let source = ListingSource::Store { is_whole: true };
            if let Some(listing) = kept.as_ref().filter(|listing| listing.is_good_for(&source)) {
                return Ok(Ok(Arc::clone(listing)));
            }
            match stored_routes(site).await {
                Ok((routes, is_whole)) => (ListingSource::Store { is_whole }, routes),
                Err(error) if error.class == Class::Never => return Ok(Err(NO_SCAN.to_owned())),
                Err(error) => return Err(error),
            }
        } else {
            let (preview, run) = (site.preview.clone(), run.to_owned());
            let find = move || find(&preview.state_dir, preview.address(), &preview.prefix, &run);
            let (mark, manifest) = match aside(find).await? {
                Ok(found) => found,
                Err(why) => return Ok(Err(why)),
            };
            let unreadable = unreadable(&mark.header.run);
            let source = ListingSource::Run(Box::new(mark));
            if let Some(listing) = kept.as_ref().filter(|listing| listing.is_good_for(&source)) {
                return Ok(Ok(Arc::clone(listing)));
            }
            let known = kept.as_ref().and_then(|listing| listing.routes_of(&source));
            match known {
                Some(routes) => (source, routes),
                None => match aside(move || published_routes(&manifest)).await? {
                    Ok(routes) => (source, routes),
                    Err(_) => return Ok(Err(unreadable)),
                },
            }
        };
        if routes.is_empty() && run.is_empty() {
            let preview = &site.preview;
            let store = preview.address().without_path();
            let why = format!("{store}, prefix {}, holds no article.", preview.prefix);
            return Ok(Err(why));
        }
        let before = kept.take();
        let routes = (routes, began);
        let listing = Listing::make(source, routes, before, &site.store, &site.keys).await?;
        Ok(Ok(Arc::clone(kept.insert(Arc::new(listing)))))
    }
}

/// Why there is no list where the user of the store may not ask for it.
const NO_SCAN: &str = "The articles cannot be listed: that needs the right to SCAN (+scan).";

/// Reads files where no visitor waits for it.
async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, StoreError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| {
        StoreError::new(Class::Stop, "reading the state folder", error.to_string())
    })
}

async fn list(site: &Site, listing: &Listing, query: &Query) -> Result<Response<Body>, StoreError> {
    let found = listing.search(query);
    let pages = found.len().div_ceil(PAGE).max(1);
    let page = query.page.min(pages);
    let shown = &found[(page - 1) * PAGE..found.len().min(page * PAGE)];
    let rows = rows(site, shown, query).await?;
    let to = |page: usize| {
        let query = Query {
            page,
            ..query.clone()
        };
        (1..=pages).contains(&page).then(|| query.link())
    };
    let (sections, more_sections) = sections(&found, query);
    let sorts = Sort::ALL.map(|(sort, word, name)| {
        context! { word => word, name => name, is_chosen => sort == query.sort }
    });
    let (run, is_whole) = match &listing.source {
        ListingSource::Store { is_whole } => (None, *is_whole),
        ListingSource::Run(mark) => {
            let header = &mark.header;
            let run = context! {
                id => header.run.as_str(), command => header.command.as_str(),
                started => time(header.started_at),
                has_ended => mark.has_ended(),
                owner => header.owner.as_deref(),
            };
            (Some(run), true)
        }
    };
    Ok(site.own.page(
        "index.html",
        context! {
            store => site.preview.address().without_path(),
            prefix => site.preview.prefix.as_str(),
            run => run, is_whole => is_whole,
            asked_run => query.run.as_str(), words => query.words.as_str(),
            tag => query.tag.as_str(), section => query.section.as_str(),
            sections => sections, more_sections => more_sections, sorts => sorts,
            is_search => query.is_search(),
            found => found.len(), all => counted(listing.articles.len() as u64, "article"),
            rows => rows, page => page, pages => pages,
            previous => page.checked_sub(1).and_then(to), next => to(page + 1),
            whole => Query {
                run: query.run.clone(), sort: query.sort, page: 1, ..Query::default()
            }.link(),
        },
    ))
}

/// Why there is no list, and the command that makes one.
fn nothing(site: &Site, why: &str, query: &Query) -> Response<Body> {
    let mut response = site.own.page(
        "message.html",
        context! {
            title => "No list of articles", what => why,
            help => if query.run.is_empty() {
                "Pages are served all the same, each at its route. The list comes with the first import:"
            } else {
                "The list of all articles in the store is at /_anp/. All runs:"
            },
            command => if query.run.is_empty() { "anp import content/" } else { "anp runs" },
        },
    );
    if !query.run.is_empty() && response.status() == StatusCode::OK {
        *response.status_mut() = StatusCode::NOT_FOUND;
    }
    response
}
