//! A share of the articles, in hundredths of a percent.

use std::fmt;
use std::str::FromStr;

/// How many of the articles, in hundredths of a percent: `1%`, `0.1%`, `0.25%`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share(u32);

/// What is expected where a text is no [`Share`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a percentage from 0% to 100% with at most two decimals (for example 1% or 0.25%)")]
pub struct NoShare;

impl Share {
    /// None of the articles.
    pub const NONE: Self = Self(0);
    /// All of them.
    pub const ALL: Self = Self(10_000);

    /// The share in hundredths of a percent, from 0 to 10,000.
    #[must_use]
    pub fn hundredths(self) -> u32 {
        self.0
    }

    /// Both shares together, unless that is more than all.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        let sum = Self(self.0 + other.0);
        (sum <= Self::ALL).then_some(sum)
    }
}

impl FromStr for Share {
    type Err = NoShare;

    /// Digits, at most two decimals behind a point, and `%`: no sign, no space.
    fn from_str(text: &str) -> Result<Self, NoShare> {
        let percent = text.strip_suffix('%').ok_or(NoShare)?;
        let (whole, decimals) = match percent.split_once('.') {
            Some((_, "")) => return Err(NoShare),
            Some(parts) => parts,
            None => (percent, ""),
        };
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if !(1..=3).contains(&whole.len())
            || decimals.len() > 2
            || !digits(whole)
            || !digits(decimals)
        {
            return Err(NoShare);
        }
        let hundredths = format!("{whole}{decimals:0<2}")
            .parse()
            .map_err(|_| NoShare)?;
        let share = Self(hundredths);
        (share <= Self::ALL).then_some(share).ok_or(NoShare)
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0 / 100, self.0 % 100) {
            (whole, 0) => write!(f, "{whole}%"),
            (whole, part) if part % 10 == 0 => write!(f, "{whole}.{}%", part / 10),
            (whole, part) => write!(f, "{whole}.{part:02}%"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_read_strictly() {
        for (text, hundredths) in [
            ("0%", 0),
            ("0.01%", 1),
            ("0.1%", 10),
            ("0.25%", 25),
            ("1%", 100),
            ("007.50%", 750),
            ("100%", 10_000),
            ("100.00%", 10_000),
        ] {
            assert_eq!(text.parse(), Ok(Share(hundredths)), "{text}");
        }
        for text in [
            "", "%", "1", ".5%", "1.%", "0.125%", "-1%", "+1%", " 1%", "1 %", "1,5%", "1e1%",
            "100.01%", "101%", "0001%", "1%%", "١%",
        ] {
            assert_eq!(text.parse::<Share>(), Err(NoShare), "{text}");
        }
    }

    #[test]
    fn a_share_is_shown_as_it_is_read() {
        for text in ["0%", "0.01%", "0.1%", "2.5%", "33.33%", "100%"] {
            assert_eq!(text.parse::<Share>().unwrap().to_string(), text);
        }
    }
}
