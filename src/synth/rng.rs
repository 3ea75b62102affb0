//! The random numbers behind an article: SplitMix64, and a few distributions over it. Integer
//! arithmetic only, which is the same on every machine.

/// SplitMix64 (Steele, Lea and Flood, 2014): one addition and one mix a number, and any
/// state is a good one, so that every article can start its own stream from its number.
#[derive(Clone, Debug)]
pub(super) struct Rng {
    state: u64,
}

/// The odd number nearest to 2^64 divided by the golden ratio.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

impl Rng {
    /// The stream of article `n` under `seed`; independent of every other article's.
    pub(super) fn of_article(seed: u64, n: u64) -> Self {
        let state = mix(seed.wrapping_add(GOLDEN)) ^ mix(n.wrapping_mul(GOLDEN).wrapping_add(1));
        Self { state }
    }

    pub(super) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GOLDEN);
        mix(self.state)
    }

    /// A number below `bound`, by multiplication instead of division (Lemire, 2019). The
    /// bias is at most `bound` / 2^32, which no test of these articles could see.
    pub(super) fn below(&mut self, bound: u32) -> u32 {
        (((self.next() >> 32) * u64::from(bound)) >> 32) as u32
    }

    /// A number from `low` to `high`, both included.
    pub(super) fn range(&mut self, low: u32, high: u32) -> u32 {
        low + self.below(high - low + 1)
    }

    /// True once in `times`.
    pub(super) fn once_in(&mut self, times: u32) -> bool {
        self.below(times) == 0
    }

    /// One of `items`, which must not be empty.
    pub(super) fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len() as u32) as usize]
    }

    /// One of `words`, which must not be empty.
    pub(super) fn word<'a>(&mut self, words: &[&'a str]) -> &'a str {
        let word: &&str = self.pick(words);
        word
    }

    /// `count` different items in random order; all of them if there are fewer.
    pub(super) fn sample<'a, T>(&mut self, items: &'a [T], count: usize) -> Vec<&'a T> {
        let mut rest: Vec<&T> = items.iter().collect();
        let count = count.min(rest.len());
        for i in 0..count {
            let j = i + self.below((rest.len() - i) as u32) as usize;
            rest.swap(i, j);
        }
        rest.truncate(count);
        rest
    }

    /// A count of views. `top / rank` over uniform ranks is Zipf's law with exponent 1: half
    /// of the articles share a few hundred views each, and one in `RANKS` has `top`.
    pub(super) fn views(&mut self) -> u64 {
        const RANKS: u32 = 65_536;
        const TOP: u64 = 13_107_200;
        let rank = u64::from(self.range(1, RANKS));
        TOP / rank + u64::from(self.below(100))
    }
}

/// The finaliser of SplitMix64: every input bit changes every output bit with odds of a half.
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_splitmix64() {
        // The first numbers of the reference implementation from state 1234567.
        let mut rng = Rng { state: 1_234_567 };
        assert_eq!(rng.next(), 6_457_827_717_110_365_317);
        assert_eq!(rng.next(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn views_follow_zipf() {
        let mut rng = Rng { state: 1 };
        let mut views: Vec<u64> = (0..50_000).map(|_| rng.views()).collect();
        views.sort_unstable_by(|a, b| b.cmp(a));
        // Under Zipf's law the article of ten times the rank has a tenth of the views.
        for rank in [100, 500, 1000] {
            let ratio = views[rank] as f64 / views[rank * 10] as f64;
            assert!((7.0..13.0).contains(&ratio), "rank {rank}: {ratio}");
        }
    }

    #[test]
    fn a_sample_has_no_item_twice() {
        let mut rng = Rng { state: 7 };
        let items = [1, 2, 3, 4, 5];
        for _ in 0..1000 {
            let mut sample = rng.sample(&items, 4);
            sample.sort_unstable();
            sample.dedup();
            assert_eq!(sample.len(), 4);
        }
        assert_eq!(rng.sample(&items, 9).len(), 5);
    }
}
