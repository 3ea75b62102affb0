//! The random numbers behind an article: SplitMix64, and a few distributions over it.
//!
//! Integer arithmetic only. Floating-point functions such as `ln` and `exp` differ between
//! machines in their last bit, and one differing bit would make another article.

/// SplitMix64 (Steele, Lea and Flood, 2014): one addition and one mix a number, and any
/// state is a good one, so that every article can start its own stream from its number.
#[derive(Clone, Debug)]
pub(super) struct Rng {
    state: u64,
}

/// The odd number nearest to 2^64 divided by the golden ratio.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// The standard deviation of the natural logarithm of sizes is 0.4; this is
/// 0.4 / ln 2 in units of 2^-16.
const SIGMA_LOG2_Q16: i64 = 37_820;

/// The mean of that log-normal distribution, exp(0.4² / 2), in units of 2^-16.
const LOG_NORMAL_MEAN_Q16: u64 = 70_994;

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

    /// A size in bytes, log-normal around `mean`: many a little smaller, a few far larger.
    pub(super) fn size_around(&mut self, mean: u64) -> u64 {
        let log2_q16 = (self.normal_q16() * SIGMA_LOG2_Q16) >> 16;
        let factor_q16 = exp2_q16(log2_q16);
        ((u128::from(mean) * u128::from(factor_q16)) / u128::from(LOG_NORMAL_MEAN_Q16)) as u64
    }

    /// A count of views. `top / rank` over uniform ranks is Zipf's law with exponent 1: half
    /// of the articles share a few hundred views each, and one in `RANKS` has `top`.
    pub(super) fn views(&mut self) -> u64 {
        const RANKS: u32 = 65_536;
        const TOP: u64 = 13_107_200;
        let rank = u64::from(self.range(1, RANKS));
        TOP / rank + u64::from(self.below(100))
    }

    /// A standard normal number in units of 2^-16: the sum of twelve uniform numbers less
    /// its mean, whose variance is exactly 1. It never leaves ±6.
    fn normal_q16(&mut self) -> i64 {
        let mut sum = 0_i64;
        for _ in 0..3 {
            let bits = self.next();
            for shift in [0, 16, 32, 48] {
                sum += ((bits >> shift) & 0xffff) as i64;
            }
        }
        sum - 6 * 0xffff
    }
}

/// The finaliser of SplitMix64: every input bit changes every output bit with odds of a half.
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// 2 to the power of `x`, both in units of 2^-16, for `x` from -16 to 16. The fraction goes
/// through a parabola that is exact at both ends and at most a third of a percent off between them.
fn exp2_q16(x: i64) -> u64 {
    let (whole, fraction) = (x >> 16, (x & 0xffff) as u64);
    let mantissa = 0x1_0000 + ((fraction * (43_024 + ((fraction * 22_512) >> 16))) >> 16);
    if whole >= 0 {
        mantissa << whole
    } else {
        mantissa >> -whole
    }
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
    fn powers_of_two_are_within_a_third_of_a_percent() {
        for x in (-16 * 0x1_0000..12 * 0x1_0000_i64).step_by(997) {
            let exact = (x as f64 / 65_536.0).exp2() * 65_536.0;
            let found = exp2_q16(x) as f64;
            assert!(
                (found - exact).abs() <= exact * 0.0034 + 1.0,
                "2^{x}: {found} {exact}"
            );
        }
    }

    #[test]
    fn sizes_are_log_normal() {
        let mut rng = Rng { state: 1 };
        let sizes: Vec<f64> = (0..100_000).map(|_| rng.size_around(2048) as f64).collect();
        let count = sizes.len() as f64;
        let mean = sizes.iter().sum::<f64>() / count;
        assert!((mean - 2048.0).abs() < 20.0, "mean {mean}");

        let logs: Vec<f64> = sizes.iter().map(|size| size.ln()).collect();
        let log_mean = logs.iter().sum::<f64>() / count;
        let variance = logs.iter().map(|log| (log - log_mean).powi(2)).sum::<f64>() / count;
        assert!(
            (variance.sqrt() - 0.4).abs() < 0.01,
            "sigma {}",
            variance.sqrt()
        );
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
