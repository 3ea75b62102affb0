//! Help lines: what to write instead of a wrong value. A suggestion is made only if it would pass.

use super::super::dates::Timezone;
use super::super::forms::{self, is_digits};
use super::super::schema::Kind;
use super::scalar::scalar;
use super::shape::Name;
use crate::duration::DAY_MS;
use crate::yaml::suggest::{one_of, suggestion};

/// What people call the levels of difficulty.
const LEVELS: [(&str, &str); 10] = [
    ("basic", "beginner"),
    ("easy", "beginner"),
    ("introductory", "beginner"),
    ("novice", "beginner"),
    ("average", "intermediate"),
    ("medium", "intermediate"),
    ("normal", "intermediate"),
    ("difficult", "advanced"),
    ("hard", "advanced"),
    ("professional", "expert"),
];

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];

/// What to write instead of a text that is no value of `kind`, for the field `name`.
pub(super) fn help_with(kind: &Kind, name: &Name<'_>, text: &str) -> Option<String> {
    let zone = Timezone::default();
    let passes = |candidate: &String| scalar(kind, candidate.clone(), &zone).is_ok();
    if text.len() <= 100
        && let Some(value) = candidates(kind, text).into_iter().find(passes)
    {
        return Some(format!("write {}: {value}", name.own));
    }
    match kind {
        Kind::Flag => Some(format!("write {0}: true, or {0}: false", name.own)),
        Kind::Choice(choices) => Some(format!("write one of {}", one_of(choices))),
        Kind::Date => Some(format!("write {}: YYYY-MM-DD", name.own)),
        Kind::Duration { .. } if is_digits(text) => {
            Some(format!("write the unit: {text}s is {text} seconds"))
        }
        _ => None,
    }
}

/// What may have been meant, the likeliest first.
fn candidates(kind: &Kind, text: &str) -> Vec<String> {
    let lower = text.to_ascii_lowercase();
    match kind {
        Kind::Choice(choices) => {
            let level = LEVELS.iter().find(|(word, _)| *word == lower);
            let near = suggestion(&lower, choices.iter().copied());
            let meant = near.into_iter().chain(level.map(|(_, level)| *level));
            meant.map(str::to_owned).collect()
        }
        Kind::Flag => match lower.as_str() {
            "t" | "y" | "enabled" => vec!["true".to_owned()],
            "f" | "n" | "none" | "disabled" => vec!["false".to_owned()],
            _ => Vec::new(),
        },
        Kind::Date => date(&lower).into_iter().collect(),
        Kind::Integer { min, max } => number(text, *min, *max).into_iter().collect(),
        Kind::Minutes { max } => number(text, 0, *max).into_iter().collect(),
        Kind::Token { alphabet, .. } => {
            let fitting = |c| if alphabet.contains(c) { c } else { ' ' };
            let spaced: String = text.chars().map(fitting).collect();
            vec![spaced.split_whitespace().collect::<Vec<_>>().join("-")]
        }
        Kind::Hex(_) => vec![lower],
        Kind::SemVer => {
            let version = lower.trim_start_matches('v').trim();
            ["", ".0", ".0.0"]
                .map(|end| format!("{version}{end}"))
                .into()
        }
        Kind::Duration { max_ms, .. } => duration(&lower, *max_ms).into_iter().collect(),
        Kind::Url => vec![format!("https://{text}")],
        Kind::Host => forms::url_host(text)
            .map(str::to_owned)
            .into_iter()
            .collect(),
        _ => Vec::new(),
    }
}

/// A whole number without its separators and unit, or the nearest limit.
fn number(text: &str, min: u64, max: u64) -> Option<String> {
    let plain = text.replace([',', '_', ' ', '\u{a0}', '\''], "");
    let plain = plain.trim_end_matches('%');
    let (whole, decimals) = plain.split_once('.').unwrap_or((plain, ""));
    let (is_negative, whole) = match whole.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, whole.trim_start_matches('+')),
    };
    if !is_digits(whole) || !(decimals.is_empty() || is_digits(decimals)) {
        return None;
    }
    let number = if is_negative {
        0
    } else {
        whole.parse().unwrap_or(u64::MAX)
    };
    Some(number.clamp(min, max).to_string())
}

/// A date in another form, if only one day can be meant.
fn date(text: &str) -> Option<String> {
    let words: Vec<&str> = text
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    let of_month = |word: &str| {
        let place = MONTHS.iter().position(|month| word.starts_with(month));
        place.map(|place| place + 1)
    };
    let of_day = |word: &str| {
        let digits = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        digits.parse::<usize>().ok()
    };
    let is_year = |word: &str| word.len() == 4 && is_digits(word);
    let (year, month, day) = match *words.as_slice() {
        [year] if is_year(year) => (year, 1, 1),
        [all] if all.len() == 8 && is_digits(all) => {
            (&all[..4], all[4..6].parse().ok()?, all[6..].parse().ok()?)
        }
        [year, month] if is_year(year) => (year, of_day(month)?, 1),
        [month, year] if is_year(year) => (year, of_month(month)?, 1),
        [year, month, day] if is_year(year) => (year, of_day(month)?, of_day(day)?),
        [first, second, year] if is_year(year) => match (of_month(first), of_month(second)) {
            (Some(month), _) => (year, month, of_day(second)?),
            (_, Some(month)) => (year, month, of_day(first)?),
            // 13.1.2024 and 1/13/2024 are one day only; 2/1/2024 may be two.
            _ => match (of_day(first)?, of_day(second)?) {
                (day, month) if day > 12 || day == month => (year, month, day),
                (month, day) if day > 12 => (year, month, day),
                _ => return None,
            },
        },
        _ => return None,
    };
    Some(format!("{year}-{month:02}-{day:02}"))
}

/// A duration with its unit as a word, or the longest.
fn duration(text: &str, max_ms: u64) -> Option<String> {
    let text = text.trim();
    if ["always", "forever", "infinite", "never"].contains(&text) {
        return Some(format!("{}d", max_ms / DAY_MS));
    }
    let end = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(end);
    let unit = unit
        .trim()
        .chars()
        .next()
        .filter(char::is_ascii_alphabetic)?;
    let is_months = text.contains("month") || text.contains("mo");
    match unit {
        _ if number.is_empty() => None,
        'm' if is_months => Some(format!("{}d", number.parse::<u64>().ok()?.checked_mul(30)?)),
        'y' => Some(format!(
            "{}d",
            number.parse::<u64>().ok()?.checked_mul(365)?
        )),
        unit => Some(format!("{number}{unit}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::article::schema::Alphabet;

    fn help(kind: &Kind, text: &str) -> String {
        let name = Name {
            parent: None,
            own: "x",
        };
        help_with(kind, &name, text).unwrap_or_default()
    }

    #[test]
    fn a_wrong_value_is_told_what_to_write() {
        const DIFFICULTY: Kind = Kind::Choice(&["beginner", "intermediate", "advanced", "expert"]);
        let score = Kind::Integer { min: 0, max: 100 };
        let ttl = Kind::Duration {
            min_ms: 60_000,
            max_ms: 3650 * DAY_MS,
        };
        let token = Kind::Token {
            max: 80,
            alphabet: Alphabet::Common,
        };
        for (kind, text, expected) in [
            (&DIFFICULTY, "easy", "write x: beginner"),
            (&DIFFICULTY, "advnced", "write x: advanced"),
            (
                &DIFFICULTY,
                "7",
                "write one of beginner, intermediate, advanced or expert",
            ),
            (&Kind::Flag, "maybe", "write x: true, or x: false"),
            (&Kind::Flag, "N", "write x: false"),
            (&score, "140", "write x: 100"),
            (&score, "-3", "write x: 0"),
            (&score, "95 %", "write x: 95"),
            (&score, "99.5", "write x: 99"),
            (&score, "high", ""),
            (
                &Kind::Integer {
                    min: 0,
                    max: 1 << 53,
                },
                "1,234,567",
                "write x: 1234567",
            ),
            (&Kind::Date, "2024", "write x: 2024-01-01"),
            (&Kind::Date, "20240105", "write x: 2024-01-05"),
            (&Kind::Date, "January 5th, 2024", "write x: 2024-01-05"),
            (&Kind::Date, "5 Jan 2024", "write x: 2024-01-05"),
            (&Kind::Date, "31.1.2024", "write x: 2024-01-31"),
            (&Kind::Date, "1/2/2024", "write x: YYYY-MM-DD"),
            (&Kind::Date, "31/31/2024", "write x: YYYY-MM-DD"),
            (&Kind::Date, "yesterday", "write x: YYYY-MM-DD"),
            (&Kind::SemVer, "v2.1", "write x: 2.1.0"),
            (&Kind::SemVer, "two", ""),
            (&Kind::Hex(4), "ABCD", "write x: abcd"),
            (&Kind::Hex(4), "abc", ""),
            (&token, "two words!", "write x: two-words"),
            (&ttl, "forever", "write x: 3650d"),
            (&ttl, "2 days", "write x: 2d"),
            (&ttl, "3 months", "write x: 90d"),
            (&ttl, "90", "write the unit: 90s is 90 seconds"),
            (
                &Kind::Url,
                "example.org/a",
                "write x: https://example.org/a",
            ),
            (&Kind::Text { max: 3 }, "four", ""),
        ] {
            assert_eq!(help(kind, text), expected, "{text}");
        }
    }
}
