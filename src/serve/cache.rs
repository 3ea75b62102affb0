//! Pages as they were taken from the store, bounded in bytes.

use std::time::Duration;

use quick_cache::sync::{Cache, DefaultLifecycle, EntryAction};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};

use super::page::StoredPage;
use crate::article::Route;

/// What one entry takes beside its page, in bytes, roughly.
const OVERHEAD_BYTES: usize = 1024;

/// A page with its entry has so many bytes, roughly.
const USUAL_BYTES: usize = 16 * 1024;

/// The cache that all visitors share who are not logged in.
pub(super) struct PageCache(Cache<Route, StoredPage, Size>);

#[derive(Clone)]
struct Size;

impl Weighter<Route, StoredPage> for Size {
    fn weight(&self, _: &Route, taken: &StoredPage) -> u64 {
        (taken.body().stored_bytes() + OVERHEAD_BYTES) as u64
    }
}

impl PageCache {
    /// A cache of at most `most_bytes`.
    pub(super) fn new(most_bytes: usize) -> Self {
        let options = OptionsBuilder::new()
            // Each shard has its part of the bytes, and no larger page.
            .shards(1)
            .estimated_items_capacity(most_bytes / USUAL_BYTES)
            .weight_capacity(most_bytes as u64)
            .build()
            .expect("both capacities are set");
        let (hasher, lifecycle) = (DefaultHashBuilder::default(), DefaultLifecycle::default());
        Self(Cache::with_options(options, Size, hasher, lifecycle))
    }

    /// The page of `route`, if it is held.
    pub(super) fn get(&self, route: &Route) -> Option<StoredPage> {
        self.0.get(route)
    }

    /// Holds `taken`. What is larger than the whole cache is not held.
    pub(super) fn put(&self, route: &Route, taken: StoredPage) {
        self.0.insert(route.clone(), taken);
    }

    /// Replaces what is known of a page that did not change.
    pub(super) fn renew(&self, route: &Route, taken: StoredPage) {
        self.0.entry(route, Some(Duration::ZERO), |_, there| {
            if there.is_same_page(&taken) {
                *there = taken;
            }
            EntryAction::Retain(())
        });
    }

    /// Holds no page of `route` any more.
    pub(super) fn remove(&self, route: &Route) {
        self.0.remove(route);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::{OVERHEAD_BYTES, PageCache};
    use crate::article::Route;
    use crate::serve::coding::StoredBody;
    use crate::serve::page::StoredPage;

    fn route(number: usize) -> Route {
        Route::parse(&format!("/{number}/")).unwrap()
    }

    fn page(bytes: usize) -> StoredPage {
        let body = StoredBody::of_page(vec![b'x'; bytes]).unwrap();
        StoredPage::new(body, 60_000, b"", Instant::now())
    }

    fn held(cache: &PageCache) -> Vec<usize> {
        (0..10)
            .filter(|number| cache.get(&route(*number)).is_some())
            .collect()
    }

    #[test]
    fn all_pages_together_stay_within_the_bytes() {
        const MOST: usize = 10 * (1000 + OVERHEAD_BYTES);
        let cache = PageCache::new(MOST);
        for number in (0..100).chain(0..100) {
            let bytes = 500 + number * 20;
            cache.put(&route(number), page(bytes));
            let pages = (0..100).filter_map(|number| cache.get(&route(number)));
            let sizes: Vec<usize> = pages
                .map(|page| page.body().stored_bytes() + OVERHEAD_BYTES)
                .collect();
            assert!(sizes.iter().sum::<usize>() <= MOST, "{sizes:?}");
            assert!(sizes.len() >= 4.min(number), "{sizes:?}");
        }
    }

    #[test]
    fn a_page_that_is_put_again_is_counted_once() {
        let cache = PageCache::new(4 * (1000 + OVERHEAD_BYTES));
        for number in [0, 1, 2, 0, 0, 0] {
            cache.put(&route(number), page(1000));
        }
        assert_eq!(held(&cache), [0, 1, 2]);
    }

    #[test]
    fn a_page_of_nearly_all_the_bytes_is_held() {
        let cache = PageCache::new(1 << 20);
        cache.put(&route(0), page(1000 * 1000));
        assert_eq!(held(&cache), [0]);
    }

    #[test]
    fn what_was_removed_or_is_too_large_takes_no_room() {
        let cache = PageCache::new(3 * (1000 + OVERHEAD_BYTES));
        cache.put(&route(0), page(1000));
        cache.put(&route(1), page(1000));
        cache.remove(&route(0));
        cache.remove(&route(0));
        cache.put(&route(2), page(1000));
        assert_eq!(held(&cache), [1, 2]);
        cache.put(&route(1), page(10_000));
        assert_eq!(
            held(&cache),
            [2],
            "the page that it replaces is gone as well"
        );
    }

    #[test]
    fn a_page_that_was_replaced_meanwhile_is_not_renewed() {
        let cache = PageCache::new(1 << 20);
        let before = page(10);
        cache.put(&route(0), page(20));
        cache.renew(&route(0), before.clone());
        assert_eq!(cache.get(&route(0)).unwrap().body().stored_bytes(), 20);
        cache.renew(&route(1), before);
        assert_eq!(held(&cache), [0]);
    }
}
