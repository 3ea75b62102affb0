//! How large bodies are: a log-normal distribution in integers.
//!
//! Floating-point functions such as `ln` and `exp` differ between machines in their last
//! bit, and one differing bit would make another article.

use super::options::MAX_SPREAD;
use super::rng::Rng;

/// 0.01 / ln 2 in units of 2^-16 and thousandths: a hundredth of the spread, as a power of 2.
const HUNDREDTH_LOG2_Q16_MILLI: u64 = 945_497;

/// Sizes around a mean: many a little smaller, a few far larger.
#[derive(Clone, Debug)]
pub(super) struct Sizes {
    mean: u64,
    max: u64,
    /// The standard deviation of log2 of the sizes, in units of 2^-16.
    sigma_log2_q16: i64,
    /// How far the mean is above the median: exp(σ² / 2), in units of 2^-16.
    mean_to_median_q16: u64,
}

impl Sizes {
    /// Sizes whose natural logarithm has a standard deviation of `spread` hundredths, at most
    /// 150, and whose mean is `mean` bytes as long as few of them reach `max`.
    pub(super) fn new(mean: u64, spread: u32, max: u64) -> Self {
        let spread = u64::from(spread.min(MAX_SPREAD));
        Self {
            mean,
            max,
            sigma_log2_q16: ((spread * HUNDREDTH_LOG2_Q16_MILLI + 500) / 1000) as i64,
            mean_to_median_q16: exp_q32(((spread * spread) << 32) / 20_000) >> 16,
        }
    }

    /// The next size, in bytes.
    pub(super) fn draw(&self, rng: &mut Rng) -> u64 {
        let log2_q16 = (normal_q16(rng) * self.sigma_log2_q16) >> 16;
        let factor = u128::from(exp2_q16(log2_q16));
        let size = u128::from(self.mean) * factor / u128::from(self.mean_to_median_q16);
        size.min(u128::from(self.max)) as u64
    }
}

/// A standard normal number in units of 2^-16: the sum of twelve uniform numbers less its
/// mean, whose variance is exactly 1. It never leaves ±6.
fn normal_q16(rng: &mut Rng) -> i64 {
    let mut sum = 0_i64;
    for _ in 0..3 {
        let bits = rng.next();
        for shift in [0, 16, 32, 48] {
            sum += ((bits >> shift) & 0xffff) as i64;
        }
    }
    sum - 6 * 0xffff
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

/// e to the power of `x`, both in units of 2^-32, for `x` from 0 to 2: its Taylor series.
fn exp_q32(x: u64) -> u64 {
    let (mut sum, mut term) = (1_u64 << 32, 1_u64 << 32);
    for k in 1..=24 {
        term = ((u128::from(term) * u128::from(x)) >> 32) as u64 / k;
        sum += term;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn powers_of_e_are_exact_to_eight_digits() {
        for x in (0..2_u64 << 32).step_by(99_999_989) {
            let exact = (x as f64 / 2_f64.powi(32)).exp();
            let found = exp_q32(x) as f64 / 2_f64.powi(32);
            assert!((found - exact).abs() < 2e-8, "{found} {exact}");
        }
    }

    #[test]
    fn sizes_are_log_normal_with_the_mean_and_the_spread_asked_for() {
        // The sum of twelve has thinner tails than the normal distribution: of a wide
        // spread, where the mean lives in the tail, two percent of it are missing.
        for (spread, tolerance) in [(0, 0.001), (40, 0.01), (100, 0.015), (150, 0.04)] {
            let mut rng = Rng::of_article(1, 1);
            let sizes = Sizes::new(1 << 20, spread, u64::MAX);
            let sizes: Vec<f64> = (0..200_000).map(|_| sizes.draw(&mut rng) as f64).collect();
            let count = sizes.len() as f64;
            let mean = sizes.iter().sum::<f64>() / count / f64::from(1 << 20);
            assert!((mean - 1.0).abs() <= tolerance, "spread {spread}: {mean}");

            let logs: Vec<f64> = sizes.iter().map(|size| size.ln()).collect();
            let log_mean = logs.iter().sum::<f64>() / count;
            let variance = logs.iter().map(|log| (log - log_mean).powi(2)).sum::<f64>() / count;
            let sigma = variance.sqrt() * 100.0;
            assert!((sigma - f64::from(spread)).abs() < 0.6, "{spread}: {sigma}");
        }
    }

    #[test]
    fn no_size_is_above_the_maximum() {
        let mut rng = Rng::of_article(1, 1);
        let sizes = Sizes::new(2048, 150, 9_000);
        let largest = (0..1_000).map(|_| sizes.draw(&mut rng)).max();
        assert_eq!(largest, Some(9_000));
    }
}
