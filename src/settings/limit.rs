//! Limits that are a count or a share.

/// A count, or a share of a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// So many.
    Count(u64),
    /// So many thousandths of the whole.
    Permille(u64),
}

impl Limit {
    /// Whether `part` of `whole` is more than the limit allows.
    #[must_use]
    pub fn is_exceeded(self, part: u64, whole: u64) -> bool {
        match self {
            Self::Count(most) => part > most,
            Self::Permille(most) => part * 1000 > most * whole,
        }
    }

    /// The same, but a share tolerates one of at least two: 5 % of 19 would be none, and one bad
    /// article must not stop a small archive. A count means what it says, and so do 0 %.
    #[must_use]
    pub fn is_exceeded_by_more_than_one(self, part: u64, whole: u64) -> bool {
        let is_tolerated = part <= 1 && part < whole;
        let is_share = matches!(self, Self::Permille(1..));
        self.is_exceeded(part, whole) && !(is_share && is_tolerated)
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        match text.strip_suffix('%') {
            Some(percent) => permille(percent).filter(|n| *n <= 1000).map(Self::Permille),
            None => text.parse().ok().map(Self::Count),
        }
    }
}

impl std::fmt::Display for Limit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Count(most) => write!(f, "{most}"),
            Self::Permille(most) if most % 10 == 0 => write!(f, "{} %", most / 10),
            Self::Permille(most) => write!(f, "{}.{} %", most / 10, most % 10),
        }
    }
}

/// Thousandths of a percentage with at most one decimal: `2.5` is 25.
pub(super) fn permille(percent: &str) -> Option<u64> {
    let percent = percent.trim();
    let (whole, tenth) = percent.split_once('.').unwrap_or((percent, "0"));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if tenth.len() != 1 || !digits(whole) || !digits(tenth) {
        return None;
    }
    let whole: u64 = whole.parse().ok()?;
    whole.checked_mul(10)?.checked_add(tenth.parse().ok()?)
}
