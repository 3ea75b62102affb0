//! The sources that took longest to read and render.

use std::path::PathBuf;
use std::time::Duration;

use crate::source::Origin;

/// So many are known at the end.
const MOST: usize = 10;

/// The slowest sources so far, by number.
#[derive(Debug, Default)]
pub(crate) struct SlowestSources(Vec<(Duration, u32)>);

impl SlowestSources {
    /// Notes that a source took so long.
    pub(crate) fn add(&mut self, took: Duration, source: u32) {
        self.0.push((took, source));
        if self.0.len() >= 4 * MOST {
            self.cut();
        }
    }

    /// Takes those of a batch.
    pub(crate) fn merge(&mut self, other: Self) {
        self.0.extend(other.0);
        self.cut();
    }

    fn cut(&mut self) {
        self.0.sort_unstable_by(|a, b| b.cmp(a));
        self.0.truncate(MOST);
    }

    /// The slowest first, as people see their paths.
    pub(crate) fn named(mut self, origin: &dyn Origin) -> Vec<(PathBuf, Duration)> {
        self.cut();
        let path = |source: u32| origin.shown_at(source as usize);
        let named = self.0.iter().map(|(took, source)| (path(*source), *took));
        named.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST, SlowestSources};
    use std::time::Duration;

    #[test]
    fn the_slowest_of_all_batches_remain() {
        let mut all = SlowestSources::default();
        for batch in 0..20_u32 {
            let mut one = SlowestSources::default();
            for source in 0..100 {
                let number = batch * 100 + source;
                one.add(Duration::from_millis(u64::from(number * 7 % 2000)), number);
            }
            all.merge(one);
        }
        assert_eq!(all.0.len(), MOST);
        let times: Vec<u128> = all.0.iter().map(|(took, _)| took.as_millis()).collect();
        assert_eq!(times, (1990..2000).rev().collect::<Vec<_>>());
    }
}
