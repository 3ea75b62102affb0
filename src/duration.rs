//! Durations as people write them (`90s`, `12h`, `7d`, `1h30m`), and times as they read them.

/// A day, in milliseconds.
pub(crate) const DAY_MS: u64 = 86_400_000;

/// Units from large to small, in milliseconds.
const UNITS: [(&str, u64); 5] = [
    ("w", 7 * DAY_MS),
    ("d", DAY_MS),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
];

/// Milliseconds of a duration: whole numbers with the units w, d, h, m, s, from large to
/// small, each at most once, without spaces. A number without a unit is none, because
/// nobody can tell whether it means seconds or milliseconds.
#[must_use]
pub fn parse_ms(text: &str) -> Option<u64> {
    let mut rest = text;
    let mut total: u64 = 0;
    let mut units = UNITS.iter();
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number: u64 = rest.get(..digits)?.parse().ok()?;
        rest = rest.get(digits..)?;
        let (name, unit_ms) = units.find(|(name, _)| {
            rest.get(..name.len())
                .is_some_and(|unit| unit.eq_ignore_ascii_case(name))
        })?;
        rest = rest.get(name.len()..)?;
        total = total.checked_add(number.checked_mul(*unit_ms)?)?;
    }
    (!text.is_empty()).then_some(total)
}

/// A time in ms since 1970 as `2026-12-01 06:12:33+01:00` in the time zone of this machine or of `TZ`, or
/// as `2026-12-01 05:12:33Z` where that is UTC.
#[must_use]
pub fn show_time(at_ms: i64) -> String {
    let Ok(at) = jiff::Timestamp::from_millisecond(at_ms) else {
        return at_ms.to_string();
    };
    let at = at.to_zoned_datetime(jiff::tz::TimeZone::system());
    let is_utc = at.offset().is_zero();
    let format = if is_utc {
        "%Y-%m-%d %H:%M:%SZ"
    } else {
        "%Y-%m-%d %H:%M:%S%:z"
    };
    at.strftime(format).to_string()
}

/// A time in ms since 1970 as `24 Nov 07:00` in the time zone of this machine or of `TZ`; one of another
/// year than `now_ms` as `24 Nov 2025`.
#[must_use]
pub fn show_local(at_ms: i64, now_ms: i64) -> String {
    let local = |ms: i64| {
        let at = jiff::Timestamp::from_millisecond(ms).ok()?;
        Some(at.to_zoned_datetime(jiff::tz::TimeZone::system()))
    };
    match (local(at_ms), local(now_ms)) {
        (Some(at), Some(now)) if at.year() == now.year() => at.strftime("%d %b %H:%M").to_string(),
        (Some(at), _) => at.strftime("%d %b %Y").to_string(),
        (None, _) => at_ms.to_string(),
    }
}

/// The moment that `text` names, in ms since 1970: so long before `now_ms` (`26h`), or a date or time
/// (`2026-11-24`, `2026-11-24T07:00`), by the clock of this machine or of `TZ` where it names no other.
#[must_use]
pub fn since_ms(text: &str, now_ms: i64) -> Option<i64> {
    if let Some(before) = parse_ms(text) {
        return now_ms.checked_sub(i64::try_from(before).ok()?);
    }
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        return Some(at.as_millisecond());
    }
    let at: jiff::civil::DateTime = text.parse().ok()?;
    let at = jiff::tz::TimeZone::system().to_timestamp(at).ok()?;
    Some(at.as_millisecond())
}

/// The duration in its largest units: `90000` is `1m30s`. Parts of a second are dropped.
#[must_use]
pub fn show(ms: u64) -> String {
    let mut rest = ms;
    let mut out = String::new();
    for (name, unit_ms) in UNITS.iter().skip(1) {
        if rest >= *unit_ms {
            out.push_str(&format!("{}{name}", rest / unit_ms));
            rest %= unit_ms;
        }
    }
    if out.is_empty() { "0s".to_owned() } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_from_large_to_small() {
        assert_eq!(parse_ms("60s"), Some(60_000));
        assert_eq!(parse_ms("12h"), Some(43_200_000));
        assert_eq!(parse_ms("1h30m"), Some(5_400_000));
        assert_eq!(parse_ms("1w2D"), Some(9 * 86_400_000));
        for text in [
            "", "12", "h", "30m1h", "1h1h", "1.5h", "-1h", "1 h", "5ms", "1y", "é", "1é",
        ] {
            assert_eq!(parse_ms(text), None, "{text}");
        }
        assert_eq!(parse_ms("99999999999999999999w"), None);
        assert_eq!(parse_ms("18446744073709551615w"), None);
    }

    #[test]
    fn a_moment_is_a_duration_ago_or_a_date() {
        let now_ms = 1_764_000_000_000;
        assert_eq!(since_ms("26h", now_ms), Some(now_ms - 26 * 3_600_000));
        let at = since_ms("2025-11-24T16:00:00Z", now_ms);
        assert_eq!(at, Some(now_ms));
        assert!(since_ms("2025-11-24", now_ms).is_some());
        assert!(since_ms("2025-11-24T16:00", now_ms).is_some());
        for text in ["", "yesterday", "2025-13-01", "1y"] {
            assert_eq!(since_ms(text, now_ms), None, "{text}");
        }
    }

    #[test]
    fn shown_durations_read_back() {
        for ms in [0, 1_000, 60_000, 5_400_000, 86_400_000 * 400] {
            assert_eq!(parse_ms(&show(ms)), Some(ms), "{}", show(ms));
        }
    }
}
