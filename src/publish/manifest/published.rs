//! Which articles a run published.

use super::reader::Damage;
use super::record::Line;
use super::whole::Manifest;
use crate::article::Route;
use crate::publish::keys::Keys;

/// The routes of the pages that the run wrote or refreshed, sorted, each once.
///
/// # Errors
/// When the manifest turns out to be damaged.
pub fn published_routes(manifest: &Manifest) -> Result<Vec<Route>, Damage> {
    let pages = Keys::new(&manifest.header().prefix).page_prefix();
    let mut routes = Vec::new();
    for batch in manifest.batches() {
        for line in batch? {
            // A key of a rollback may be anybody's: what is no route has no page.
            if let Line::Intent(intent) = line
                && intent.made.is_some()
                && let Some(route) = intent.key.strip_prefix(&pages)
                && let Ok(route) = Route::parse(route)
            {
                routes.push(route);
            }
        }
    }
    routes.sort();
    routes.dedup();
    Ok(routes)
}
