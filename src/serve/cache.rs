//! Pages as they were taken from the store: bounded in bytes, the oldest goes first.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::page::StoredPage;
use crate::article::Route;

/// What one entry takes beside its page, in bytes, roughly.
const OVERHEAD_BYTES: usize = 1024;

/// The cache that all visitors share who are not logged in.
pub(super) struct PageCache {
    most_bytes: usize,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    entries: HashMap<Route, (u64, StoredPage)>,
    /// Routes by age: the first was put first.
    ages: BTreeMap<u64, Route>,
    bytes: usize,
    last: u64,
}

impl PageCache {
    /// A cache of at most `most_bytes`.
    pub(super) fn new(most_bytes: usize) -> Self {
        Self {
            most_bytes,
            held: Mutex::default(),
        }
    }

    /// The page of `route`, if it is held.
    pub(super) fn get(&self, route: &Route) -> Option<StoredPage> {
        self.held()
            .entries
            .get(route)
            .map(|(_, taken)| taken.clone())
    }

    /// Holds `taken`, the youngest of all now. What is larger than the whole cache is not held.
    pub(super) fn put(&self, route: &Route, taken: StoredPage) {
        let mut held = self.held();
        held.remove(route);
        if size(&taken) > self.most_bytes {
            return;
        }
        held.last += 1;
        held.bytes += size(&taken);
        let age = held.last;
        held.ages.insert(age, route.clone());
        held.entries.insert(route.clone(), (age, taken));
        while held.bytes > self.most_bytes
            && let Some((_, oldest)) = held.ages.pop_first()
        {
            held.remove(&oldest);
        }
    }

    /// Replaces what is known of a page that did not change; its age stays.
    pub(super) fn renew(&self, route: &Route, taken: StoredPage) {
        if let Some((_, there)) = self.held().entries.get_mut(route)
            && there.is_same_page(&taken)
        {
            *there = taken;
        }
    }

    /// Holds no page of `route` any more.
    pub(super) fn remove(&self, route: &Route) {
        self.held().remove(route);
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        // Nothing in here panics half-way.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn remove(&mut self, route: &Route) {
        if let Some((age, taken)) = self.entries.remove(route) {
            self.ages.remove(&age);
            self.bytes -= size(&taken);
        }
    }
}

fn size(taken: &StoredPage) -> usize {
    taken.bytes() + OVERHEAD_BYTES
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::{OVERHEAD_BYTES, PageCache};
    use crate::article::Route;
    use crate::serve::page::StoredPage;

    fn route(number: usize) -> Route {
        Route::parse(&format!("/{number}/")).unwrap()
    }

    fn page(bytes: usize) -> StoredPage {
        StoredPage::new(vec![b'x'; bytes], 60_000, b"", Instant::now())
    }

    fn held(cache: &PageCache) -> Vec<usize> {
        (0..10)
            .filter(|number| cache.get(&route(*number)).is_some())
            .collect()
    }

    #[test]
    fn the_oldest_page_goes_first() {
        let cache = PageCache::new(3 * (1000 + OVERHEAD_BYTES));
        for number in [0, 1, 2] {
            cache.put(&route(number), page(1000));
        }
        assert_eq!(held(&cache), [0, 1, 2]);
        cache.put(&route(0), page(1000));
        assert_eq!(held(&cache), [0, 1, 2], "put again, counted once");
        cache.put(&route(3), page(1000));
        assert_eq!(
            held(&cache),
            [0, 2, 3],
            "the first was the youngest but one"
        );
    }

    #[test]
    fn what_was_removed_or_is_too_large_takes_no_room() {
        let cache = PageCache::new(2 * (1000 + OVERHEAD_BYTES));
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
        assert_eq!(cache.get(&route(0)).unwrap().bytes(), 20);
        cache.renew(&route(1), before);
        assert_eq!(held(&cache), [0]);
    }
}
