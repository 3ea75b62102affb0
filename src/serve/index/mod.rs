//! The list of the articles of a run, with a search.

mod listing;
mod published;
mod query;
mod row;

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use minijinja::context;
use tokio::time::timeout;

use self::listing::Listing;
use self::published::{find, unreadable};
pub(super) use self::query::INDEX;
use self::query::Query;
use self::row::{rows, time};
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

    /// The listing of `run`, or why there is none.
    async fn listing(
        &self,
        site: &Site,
        run: &str,
    ) -> Result<Result<Arc<Listing>, String>, StoreError> {
        // Held while it is made: it is made once, however many ask for it. Who waits for it
        // waits no longer than for the store.
        let held = timeout(STORE_TIMEOUT, self.listing.lock()).await;
        let mut kept = held.map_err(|_| {
            let detail = "another request is still reading its titles";
            StoreError::new(Class::Wait, "listing the articles of a run", detail)
        })?;
        let (preview, run) = (site.preview.clone(), run.to_owned());
        let find = move || find(&preview.state_dir, preview.address(), &preview.prefix, &run);
        let (mark, manifest) = match aside(find).await? {
            Ok(found) => found,
            Err(why) => return Ok(Err(why)),
        };
        if let Some(listing) = kept.as_ref().filter(|listing| listing.is_good_for(&mark)) {
            return Ok(Ok(Arc::clone(listing)));
        }
        let known = kept.as_ref().and_then(|listing| listing.routes_of(&mark));
        let routes = match known {
            Some(routes) => routes,
            None => match aside(move || published_routes(&manifest)).await? {
                Ok(routes) => routes,
                Err(_) => return Ok(Err(unreadable(&mark.header.run))),
            },
        };
        let before = kept.take();
        let listing = Listing::make(mark, routes, before, &site.store, &site.keys).await?;
        Ok(Ok(Arc::clone(kept.insert(Arc::new(listing)))))
    }
}

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
    let header = &listing.mark.header;
    Ok(site.own.page(
        "index.html",
        context! {
            store => site.preview.address().without_path(), prefix => header.prefix.as_str(),
            run => header.run.as_str(), command => header.command.as_str(),
            started => time(header.started_at),
            has_ended => listing.mark.has_ended(),
            owner => header.owner.as_deref(),
            asked_run => query.run.as_str(), words => query.words.as_str(),
            tag => query.tag.as_str(),
            is_search => query.is_search(),
            found => found.len(), all => counted(listing.articles.len() as u64, "article"),
            rows => rows, page => page, pages => pages,
            previous => page.checked_sub(1).and_then(to), next => to(page + 1),
            whole => Query { run: query.run.clone(), page: 1, ..Query::default() }.link(),
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
                "The list of the last run is at /_anp/. All runs:"
            },
            command => if query.run.is_empty() { "anp import content/" } else { "anp runs" },
        },
    );
    if !query.run.is_empty() && response.status() == StatusCode::OK {
        *response.status_mut() = StatusCode::NOT_FOUND;
    }
    response
}
