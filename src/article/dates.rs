//! Dates as generators and their authors write them, read into one form.
//!
//! A day stays a day: `2019-08-08`. A day with a time becomes the date-time of RFC 3339. A text that
//! can be read in two ways (`01/05/2024`) is not a date.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{Offset, TimeZone};

use super::forms::is_digits;
use super::instant::{calendar_day, instant_ms, offset_minutes};

/// The time zone of dates that name none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timezone {
    name: String,
    zone: TimeZone,
}

impl Default for Timezone {
    fn default() -> Self {
        Self {
            name: "UTC".to_owned(),
            zone: TimeZone::UTC,
        }
    }
}

impl Timezone {
    /// The zone of that name: `UTC`, `Europe/Berlin`, `+02:00`. Names are those of the IANA database
    /// that is part of the program, so that they mean the same on every machine.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        if let Some(offset) = offset(name) {
            let seconds = i32::try_from(offset_minutes(&offset)? * 60).ok()?;
            if seconds == 0 {
                return Some(Self::default());
            }
            let zone = TimeZone::fixed(Offset::from_seconds(seconds).ok()?);
            return Some(Self { name: offset, zone });
        }
        let zone = TimeZone::get(name).ok()?;
        let name = zone.iana_name()?.to_owned();
        Some(Self { name, zone })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The moment of a stored date, in ms since 1970; of a day, its first in this zone.
    #[must_use]
    pub fn instant_ms(&self, date: &str) -> Option<i64> {
        let first = || {
            let midnight = calendar_day(date)?.to_datetime(Time::midnight());
            Some(self.zone.to_timestamp(midnight).ok()?.as_millisecond())
        };
        let is_elsewhere = date.len() == 10 && self.zone != TimeZone::UTC;
        let first_ms = is_elsewhere.then(first).flatten();
        first_ms.or_else(|| instant_ms(date))
    }

    /// The offset at a local time, as RFC 3339 writes it; none where it has seconds, as offsets had
    /// before there were time zones.
    fn offset_at(&self, local: DateTime) -> Option<String> {
        let ambiguous = self.zone.to_ambiguous_timestamp(local);
        let instant = ambiguous.compatible().ok()?;
        let seconds = self.zone.to_offset(instant).seconds();
        if seconds == 0 {
            return Some("Z".to_owned());
        }
        let sign = if seconds < 0 { '-' } else { '+' };
        let minutes = seconds.unsigned_abs() / 60;
        let written = format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60);
        (seconds % 60 == 0).then_some(written)
    }
}

/// A date in any of its forms. Returns `YYYY-MM-DD`, or the date-time of RFC 3339 with a capital
/// `T` and `Z`, in `timezone` if the text names no other. Years from 0001 on.
pub(super) fn date(text: &str, timezone: &Timezone) -> Option<String> {
    plain(text).or_else(|| any(text, timezone))
}

/// The forms that programs write: a calendar date `2019-08-08`, or an RFC 3339 date-time
/// `2019-08-08T12:30:00Z` (a space or lower-case letters are accepted, as its section 5.6 allows).
pub(super) fn plain(text: &str) -> Option<String> {
    let day = text.get(..10)?;
    calendar_day(day)?;
    let Some(time) = text.get(10..).filter(|time| !time.is_empty()) else {
        return Some(text.to_owned());
    };
    let time = time.strip_prefix(['T', 't', ' '])?;
    time_of_day(time)?;
    Some(format!("{day}T{}", time.to_ascii_uppercase()))
}

/// `HH:MM:SS`, an optional fraction, `Z` or an offset.
fn time_of_day(text: &str) -> Option<()> {
    clock(text.get(..8)?, [24, 60, 61])?;
    let mut rest = text.get(8..)?;
    if let Some(fraction) = rest.strip_prefix('.') {
        let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
        rest = fraction
            .get(digits..)
            .filter(|_| (1..=9).contains(&digits))?;
    }
    if rest.eq_ignore_ascii_case("z") {
        return Some(());
    }
    let offset = rest.strip_prefix(['+', '-'])?;
    clock(offset, [24, 60, 0])
}

/// Two-digit numbers with colons between, each below its limit; a limit of 0 is no part.
fn clock(text: &str, limits: [u8; 3]) -> Option<()> {
    let mut parts = text.split(':');
    for limit in limits.into_iter().filter(|limit| *limit > 0) {
        let part = parts
            .next()
            .filter(|part| part.len() == 2 && is_digits(part))?;
        part.parse().ok().filter(|number: &u8| *number < limit)?;
    }
    parts.next().is_none().then_some(())
}

/// Longer texts are not dates.
const MAX_BYTES: usize = 64;

/// The forms that people write: `2024-1-5`, `2024/01/05 9:00`, `Jan 5, 2024`, `5 January 2024`,
/// `Fri, 05 Jan 2024 10:00:00 +0200`.
fn any(text: &str, timezone: &Timezone) -> Option<String> {
    if text.len() > MAX_BYTES || !text.is_ascii() {
        return None;
    }
    let (day, time) = numbered_day(text).or_else(|| named_day(text))?;
    let written = day.to_string();
    let time = time.trim_start_matches([' ', 'T', 't', ',']);
    if time.is_empty() {
        return Some(written);
    }
    let (clock, zone) = time.split_at(
        time.find(|c: char| !(c.is_ascii_digit() || matches!(c, ':' | '.')))
            .unwrap_or(time.len()),
    );
    let clock = clock_of_day(clock)?;
    let offset = match zone.trim() {
        "" => {
            let local = day.to_datetime(clock.parse().ok()?);
            timezone.offset_at(local)?
        }
        zone => offset(zone)?,
    };
    Some(format!("{written}T{clock}{offset}"))
}

/// `2024-1-5` or `2024/01/05`, and what follows.
fn numbered_day(text: &str) -> Option<(Date, &str)> {
    let (year, rest) = digits(text, 4..=4)?;
    let between = rest
        .get(..1)
        .filter(|between| ["-", "/"].contains(between))?;
    let (month, rest) = digits(rest.strip_prefix(between)?, 1..=2)?;
    let (day, rest) = digits(rest.strip_prefix(between)?, 1..=2)?;
    let is_end = rest.is_empty() || rest.starts_with([' ', 'T', 't']);
    is_end.then_some((civil(year, month, day)?, rest))
}

/// `[Friday,] 5 January 2024` or `[Fri] Jan 5th, 2024`, and what follows.
fn named_day(text: &str) -> Option<(Date, &str)> {
    let (first, rest) = word(text);
    let (first, rest) = if is_weekday(first) {
        word(rest)
    } else {
        (first, rest)
    };
    let (second, rest) = word(rest);
    let (year, rest) = digits(rest, 4..=4)?;
    let (month, day) = match month(first) {
        Some(month) => (month, second),
        None => (month(second)?, first),
    };
    let (day, ending) = digits(day, 1..=2)?;
    let is_day = ["", "st", "nd", "rd", "th"].contains(&ending);
    let is_end = rest.is_empty() || rest.starts_with([' ', ',']);
    (is_day && is_end).then_some((civil(year, month, day)?, rest))
}

fn civil(year: i16, month: i16, day: i16) -> Option<Date> {
    let (month, day) = (i8::try_from(month).ok()?, i8::try_from(day).ok()?);
    Date::new(year, month, day).ok().filter(|_| year > 0)
}

/// A number of `count` digits, and what follows.
fn digits(text: &str, count: std::ops::RangeInclusive<usize>) -> Option<(i16, &str)> {
    let found = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at(found);
    Some((
        number.parse().ok().filter(|_| count.contains(&found))?,
        rest,
    ))
}

/// The first word, without a comma or dot after it, and the words that follow.
fn word(text: &str) -> (&str, &str) {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    (word.trim_end_matches([',', '.']), rest.trim_start())
}

fn is_weekday(word: &str) -> bool {
    let days = [
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
    ];
    days.into_iter().any(|day| is_named(word, day))
}

fn month(word: &str) -> Option<i16> {
    let months = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let month = months.into_iter().position(|month| is_named(word, month))?;
    i16::try_from(month + 1).ok()
}

/// Whether it is the name, or its beginning of three letters or more: `Sep`, `Sept`, `September`.
fn is_named(word: &str, name: &str) -> bool {
    let beginning = name.get(..word.len());
    word.len() >= 3 && beginning.is_some_and(|name| name.eq_ignore_ascii_case(word))
}

/// `9:05` or `09:05:00.5`, with two digits in each part.
fn clock_of_day(text: &str) -> Option<String> {
    let (clock, fraction) = match text.split_once('.') {
        Some((clock, fraction)) => (clock, Some(fraction)),
        None => (text, None),
    };
    let mut parts = clock.split(':');
    let (hour, minute) = (parts.next()?, parts.next()?);
    let second = parts.next().unwrap_or("00");
    let (hour, rest) = digits(hour, 1..=2)?;
    let written = format!("{hour:02}:{minute}:{second}");
    let is_clock = rest.is_empty() && parts.next().is_none();
    self::clock(&written, [24, 60, 60]).filter(|()| is_clock)?;
    match fraction {
        None => Some(written),
        Some(fraction) => {
            let is_fraction = is_digits(fraction) && fraction.len() <= 9;
            is_fraction.then(|| format!("{written}.{fraction}"))
        }
    }
}

/// The offset as RFC 3339 writes it, of `Z`, `UTC`, `GMT`, `+02:00`, `+0200` or `+02`. Go writes the name
/// of the zone after its offset: `+0000 UTC`.
fn offset(text: &str) -> Option<String> {
    if ["z", "utc", "gmt"]
        .iter()
        .any(|zone| text.eq_ignore_ascii_case(zone))
    {
        return Some("Z".to_owned());
    }
    let is_name =
        |name: &str| (3..=5).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_uppercase());
    let text = match text.split_once(' ') {
        Some((offset, name)) if is_name(name) => offset,
        _ => text,
    };
    let sign = text.get(..1).filter(|sign| ["+", "-"].contains(sign))?;
    let digits: String = text.get(1..)?.split(':').collect();
    let is_spaced_right = matches!(text.len(), 3 | 5) || text.get(3..4) == Some(":");
    let (hours, minutes) = match digits.len() {
        2 => (digits.as_str(), "00"),
        4 => digits.split_at(2),
        _ => return None,
    };
    let written = format!("{hours}:{minutes}");
    clock(&written, [24, 60, 0]).filter(|()| is_spaced_right)?;
    Some(format!("{sign}{written}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(text: &str) -> Option<String> {
        date(text, &Timezone::default())
    }

    #[test]
    fn dates_of_programs_stay_as_they_are() {
        for (text, expected) in [
            ("2019-08-08", "2019-08-08"),
            ("2020-02-29", "2020-02-29"),
            ("2019-08-08T12:30:00Z", "2019-08-08T12:30:00Z"),
            ("2019-08-08 12:30:60.5+02:00", "2019-08-08T12:30:60.5+02:00"),
            ("2019-08-08t12:30:00z", "2019-08-08T12:30:00Z"),
        ] {
            assert_eq!(plain(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn dates_of_people_become_rfc_3339() {
        for (text, expected) in [
            ("2024-1-5", "2024-01-05"),
            ("2024/01/05", "2024-01-05"),
            ("2024-01-05T10:00:00+0200", "2024-01-05T10:00:00+02:00"),
            ("2024-01-05 10:00:00 +0200", "2024-01-05T10:00:00+02:00"),
            ("2024-01-05 10:00:00 -05", "2024-01-05T10:00:00-05:00"),
            ("2024-01-05 10:00:00 +02:00", "2024-01-05T10:00:00+02:00"),
            ("2024-01-05 10:00:00", "2024-01-05T10:00:00Z"),
            ("2024-01-05T10:00", "2024-01-05T10:00:00Z"),
            ("2024-01-05T10:00Z", "2024-01-05T10:00:00Z"),
            ("2024/1/5 9:05", "2024-01-05T09:05:00Z"),
            ("2024-01-05 10:00:00.125", "2024-01-05T10:00:00.125Z"),
            ("2009-11-10 23:00:00 +0000 UTC", "2009-11-10T23:00:00+00:00"),
            ("2024-01-05 10:00:00 UTC", "2024-01-05T10:00:00Z"),
            ("Jul 08 2022", "2022-07-08"),
            ("July 8th, 2022", "2022-07-08"),
            ("8 July 2022", "2022-07-08"),
            ("05 Sept 2024", "2024-09-05"),
            ("Friday, January 5, 2024", "2024-01-05"),
            (
                "Fri, 05 Jan 2024 10:00:00 +0000",
                "2024-01-05T10:00:00+00:00",
            ),
            ("Fri, 05 Jan 2024 10:00:00 GMT", "2024-01-05T10:00:00Z"),
            ("Jan 5, 2024 10:00", "2024-01-05T10:00:00Z"),
        ] {
            assert_eq!(utc(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_or_two_is_refused() {
        for text in [
            "",
            "2019",
            "2019-08",
            "2019-02-29",
            "2019-13-01",
            "0000-01-01",
            "0-1-1",
            "08.08.2019",
            "01/05/2024",
            "2024-01/05",
            "20240105",
            "2019-08-08x",
            "2019-08-08T24:00:00Z",
            "2019-08-08T12:60:00Z",
            "2019-08-08T12:5:00Z",
            "2019-08-08T12:30:00.Z",
            "2019-08-08T12:30:00+2:00",
            "2019-08-08T12:30:00+24:00",
            "2019-08-08T12:30:00+02000",
            "2019-08-08 12:30:00 EST",
            "2019-08-08 12",
            "２０１９-08-08",
            "2019-08-0é",
            "Ju 8 2022",
            "Julyy 8 2022",
            "Jan 32, 2024",
            "Jan Feb 2024",
            "8th of July 2022",
            "tomorrow",
            &"2019-08-08 ".repeat(9),
        ] {
            assert_eq!(utc(text), None, "{text}");
        }
    }

    #[test]
    fn a_date_without_zone_is_of_the_zone_of_the_site() {
        let berlin = Timezone::parse("europe/berlin").unwrap();
        assert_eq!(berlin.name(), "Europe/Berlin");
        let of = |text: &str| date(text, &berlin).unwrap();
        assert_eq!(of("2024-01-05 10:00"), "2024-01-05T10:00:00+01:00");
        assert_eq!(of("2024-07-05 10:00"), "2024-07-05T10:00:00+02:00");
        // A time that the clocks pass twice, and one that they leave out.
        assert_eq!(of("2024-10-27 02:30"), "2024-10-27T02:30:00+02:00");
        assert_eq!(of("2024-03-31 02:30"), "2024-03-31T02:30:00+02:00");
        assert_eq!(of("2024-01-05 10:00 UTC"), "2024-01-05T10:00:00Z");
        assert_eq!(of("2024-01-05"), "2024-01-05");
        let first = |day: &str| instant_ms(&format!("{day}T23:00:00Z"));
        assert_eq!(berlin.instant_ms("2024-01-05"), first("2024-01-04"));
        assert_eq!(
            Timezone::default().instant_ms("1970-01-02"),
            Some(86_400_000)
        );
        let india = Timezone::parse("+0530").unwrap();
        assert_eq!(
            date("2024-01-05 10:00", &india).unwrap(),
            "2024-01-05T10:00:00+05:30"
        );
        assert_eq!(Timezone::parse("+00:00").unwrap(), Timezone::default());
        assert_eq!(Timezone::parse("Mars/Olympus"), None);
    }
}
