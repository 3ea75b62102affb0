//! The moment of a stored date: of a day, its first instant in UTC.

use jiff::civil::{Date, date};

const EPOCH: Date = date(1970, 1, 1);
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// The moment of a date or date-time as the boundary stores it, in ms since 1970. A date alone is
/// its first instant in UTC. Unlike a timestamp, it can be as late as the year 9999 goes.
#[must_use]
pub fn instant_ms(text: &str) -> Option<i64> {
    let (day, time) = text.split_at_checked(10)?;
    let day_ms = day_ms(day)?;
    let Some(time) = time.strip_prefix(['T', 't', ' ']) else {
        return time.is_empty().then_some(day_ms);
    };
    let (clock, rest) = time.split_at_checked(8)?;
    let (minutes, seconds) = (minutes(clock.get(..5)?)?, number(clock.get(6..)?)?);
    let zone = rest.trim_start_matches(|c: char| c == '.' || c.is_ascii_digit());
    let fraction = rest.strip_suffix(zone)?.trim_start_matches('.');
    let part_ms = fraction.bytes().chain(*b"000").take(3);
    let part_ms = part_ms.fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
    let offset = offset_minutes(zone)?;
    Some(day_ms + (minutes - offset) * 60_000 + seconds * 1000 + part_ms)
}

/// The minutes of an offset as RFC 3339 writes it: `+02:00` or `Z`.
pub(super) fn offset_minutes(zone: &str) -> Option<i64> {
    match zone.as_bytes().first()? {
        b'Z' | b'z' => Some(0),
        b'+' => minutes(&zone[1..]),
        b'-' => Some(-minutes(&zone[1..])?),
        _ => None,
    }
}

/// The first instant of `2019-08-08` in UTC.
fn day_ms(day: &str) -> Option<i64> {
    let days = EPOCH.until(calendar_day(day)?).ok()?.get_days();
    Some(i64::from(days) * DAY_MS)
}

/// The day `2019-08-08`. Years from 0001 on.
pub(super) fn calendar_day(text: &str) -> Option<Date> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = *text.as_bytes() else {
        return None;
    };
    let number = |digits: &[u8]| {
        digits.iter().try_fold(0_i16, |sum, b| {
            b.is_ascii_digit().then(|| sum * 10 + i16::from(b - b'0'))
        })
    };
    let year = number(&[y1, y2, y3, y4]).filter(|year| *year > 0)?;
    let month = i8::try_from(number(&[m1, m2])?).ok()?;
    let day = i8::try_from(number(&[d1, d2])?).ok()?;
    Date::new(year, month, day).ok()
}

/// `12:30`
fn minutes(clock: &str) -> Option<i64> {
    let (hours, minutes) = clock.split_once(':')?;
    Some(number(hours)? * 60 + number(minutes)?)
}

fn number(digits: &str) -> Option<i64> {
    digits
        .bytes()
        .all(|b| b.is_ascii_digit())
        .then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::instant_ms;

    #[test]
    fn a_date_and_a_time_are_on_one_scale() {
        let at = |text: &str| instant_ms(text).unwrap();
        assert_eq!(at("1970-01-02"), 86_400_000);
        assert_eq!(at("1970-01-01T00:00:01.2345Z"), 1_234);
        assert_eq!(at("1969-12-31T23:59:59.9z"), -100);
        assert_eq!(at("2026-11-24T01:30:00+02:30"), at("2026-11-23T23:00:00Z"));
        assert_eq!(at("2026-11-23T20:00:00-03:00"), at("2026-11-23T23:00:00Z"));
        // A leap second is the first one of the next minute.
        assert_eq!(at("2016-12-31T23:59:60Z"), at("2017-01-01"));
        for text in [
            "soon",
            "2026-13-01",
            "2026-11-24T",
            "2026-11-24T10:00:00",
            "2026-11-24x",
            "",
        ] {
            assert_eq!(instant_ms(text), None, "{text}");
        }
    }

    #[test]
    fn every_date_that_the_boundary_takes_has_a_moment() {
        let zone = "9999-12-31T23:59:59-23:59";
        assert!(instant_ms("9999-12-31").unwrap() > instant_ms("9999-12-30T23:59:59Z").unwrap());
        assert!(instant_ms(zone).unwrap() > instant_ms("9999-12-31T23:59:59Z").unwrap());
        assert!(instant_ms("0001-01-01").unwrap() < 0);
    }

    proptest::proptest! {
        #[test]
        fn it_is_the_moment_that_jiff_reads(ms in -62_000_000_000_000_i64..250_000_000_000_000) {
            let timestamp = jiff::Timestamp::from_millisecond(ms).unwrap();
            proptest::prop_assert_eq!(instant_ms(&format!("{timestamp:.3}")), Some(ms));
            let day = timestamp.strftime("%Y-%m-%d").to_string();
            let midnight = format!("{day}T00:00:00Z").parse::<jiff::Timestamp>().unwrap();
            proptest::prop_assert_eq!(instant_ms(&day), Some(midnight.as_millisecond()));
        }
    }
}
