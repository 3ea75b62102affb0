//! The articles that the store holds, by a scan of its keys.

use std::time::Duration;

use crate::article::Route;
use crate::publish::plan::scan::stored_route;
use crate::serve::site::Site;
use crate::store::StoreError;
use crate::store::reading::ScanBounds;

/// At most so many articles of each master are listed, since title and tags of each are read.
const BOUNDS: ScanBounds = ScanBounds {
    most: 20_000,
    time: Duration::from_secs(5),
};

/// The routes of the stored pages, sorted, and whether these are all.
pub(super) async fn stored_routes(site: &Site) -> Result<(Vec<Route>, bool), StoreError> {
    let found = site.store.scan(&site.keys.page_prefix(), BOUNDS).await?;
    let routes = found.names.iter().filter_map(|path| stored_route(path));
    Ok((routes.collect(), found.is_whole))
}
