//! The group `cache:`, which says how long caches may keep what the fronts serve.

use super::keys::DAY_MS;
use super::reader::Reader;
use crate::edge::CachePolicy;
use crate::yaml::Node;

/// Reads the settings of the group.
pub(super) fn read(reader: &mut Reader) -> CachePolicy {
    let mut seconds = |key| {
        let read = |node: &Node| node.duration_ms(0..=3650 * DAY_MS).map(Some);
        reader.get(key, None, read).map(|ms| ms / 1000)
    };
    CachePolicy {
        browser: seconds("cache.browser"),
        edge: seconds("cache.edge"),
        stale: seconds("cache.stale").unwrap_or(0),
        surrogate_keys: reader.flag("cache.surrogate_keys"),
    }
}
