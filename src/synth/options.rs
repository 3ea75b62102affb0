//! What articles look like, beside their seed.

use super::share::Share;

/// What articles call their generator, in `payload.generator`.
pub const NAME: &str = "anp-synth";

/// An article with this many images or more sets `flags.image_heavy`.
pub const IMAGE_HEAVY_FROM: u32 = 3;

/// The widest [`Options::spread`].
pub const MAX_SPREAD: u32 = 150;

/// What an article looks like, beside its seed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The mean size of the Markdown body, in KiB. Sizes are log-normal around it, but not
    /// below about 900 bytes, which lifts the mean of small bodies. With the default of 2 a whole source has 4.6 KB on average.
    pub body_kb: u32,
    /// How widely those sizes spread: the standard deviation of their natural logarithm, in
    /// hundredths, from 0 (all alike) to [`MAX_SPREAD`]. With the default of 40 two thirds of
    /// the bodies are within a factor of 1.5 of the median, and one in a hundred has 2.5 times
    /// as much; with 100 those factors are 2.7 and 10. More than the maximum counts as it.
    pub spread: u32,
    /// Whether articles name a `ttl` of their own, which overrides the one of the settings.
    /// True by default, so that every field of the schema is filled.
    pub ttl: bool,
    /// How many articles are broken; none by default.
    pub invalid: Share,
    /// How many articles mean harm; none by default. Of two shares that are more than all
    /// together, the invalid articles keep theirs.
    pub hostile: Share,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            body_kb: 2,
            spread: 40,
            ttl: true,
            invalid: Share::NONE,
            hostile: Share::NONE,
        }
    }
}
