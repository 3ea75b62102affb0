//! Which articles are spoilt, and how: a pure function of seed, number and shares.

use super::attack::Attack;
use super::flaw::Flaw;
use super::rng::Rng;
use super::share::Share;

/// What an article is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Realistic and right: even a strict reading finds nothing.
    Valid,
    /// Wrong in one place: refused with an error, also without `--strict`.
    Invalid(Flaw),
    /// Made to do harm: refused, or harmless once it is rendered.
    Hostile(Attack),
}

impl Kind {
    /// Whether `anp check` must refuse the article, also without `--strict`. With it, most
    /// hostile articles that are harmless are refused too.
    #[must_use]
    pub fn is_refused(self) -> bool {
        match self {
            Self::Valid => false,
            Self::Invalid(_) => true,
            Self::Hostile(attack) => attack.is_refused(),
        }
    }
}

/// How many articles there are of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Articles that every reading accepts.
    pub valid: u64,
    /// Articles with a flaw; each is refused.
    pub invalid: u64,
    /// Articles that mean harm.
    pub hostile: u64,
    /// Those of the hostile ones that must be refused.
    pub hostile_refused: u64,
}

impl Counts {
    /// Counts one more article.
    pub fn count(&mut self, kind: Kind) {
        match kind {
            Kind::Valid => self.valid += 1,
            Kind::Invalid(_) => self.invalid += 1,
            Kind::Hostile(attack) => {
                self.hostile += 1;
                self.hostile_refused += u64::from(attack.is_refused());
            }
        }
    }

    /// How many articles `anp check` must refuse, also without `--strict`.
    #[must_use]
    pub fn refused(self) -> u64 {
        self.invalid + self.hostile_refused
    }
}

impl std::ops::Add for Counts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            valid: self.valid + other.valid,
            invalid: self.invalid + other.invalid,
            hostile: self.hostile + other.hostile,
            hostile_refused: self.hostile_refused + other.hostile_refused,
        }
    }
}

/// The kind of article `n`, and the random numbers for the rest of its spoiling.
///
/// Invalid articles are taken from one end of the lots and hostile ones from the other: with
/// a larger share of the one, all that were broken before still are, in the same way, and the
/// others are untouched.
pub(super) fn draw(seed: u64, n: u64, invalid: Share, hostile: Share) -> (Kind, Rng) {
    // A stream of its own: what surrounds the spoilt place is the article as it would be.
    let mut rng = Rng::of_article(!seed, n);
    let lot = rng.below(Share::ALL.hundredths());
    let kind = if lot < invalid.hundredths() {
        Kind::Invalid(*rng.pick(&Flaw::ALL))
    } else if lot >= Share::ALL.hundredths() - hostile.hundredths() {
        Kind::Hostile(*rng.pick(&Attack::ALL))
    } else {
        Kind::Valid
    };
    (kind, rng)
}
