//! Values of flags that are no plain text, read as clap asks for it.

use std::time::Duration;

use crate::duration;
use crate::publish::plan::expiry::Below;

/// A text of 1 to 300 characters, as `owner` and the like are.
pub(super) fn reason(text: &str) -> Result<String, String> {
    let text = text.trim();
    match text.chars().count() {
        1..=300 => Ok(text.to_owned()),
        count => Err(format!("expected 1 to 300 characters, found {count}")),
    }
}

/// `25%`, or a duration.
pub(super) fn below(text: &str) -> Result<Below, String> {
    let share = || {
        let percent: i64 = text.strip_suffix('%')?.parse().ok()?;
        (1..=100)
            .contains(&percent)
            .then_some(Below::Permille(percent * 10))
    };
    let time = || {
        let ms = duration::parse_ms(text).filter(|ms| *ms > 0)?;
        i64::try_from(ms).ok().map(Below::Ms)
    };
    share().or_else(time).ok_or_else(|| {
        "expected a share of the time to live from 1% to 100%, or a duration such as 12h".to_owned()
    })
}

/// `2000/s`, or `2000`.
pub(super) fn rate(text: &str) -> Result<u32, String> {
    let number = text.strip_suffix("/s").unwrap_or(text);
    let rate = number.parse().ok().filter(|rate| *rate > 0);
    rate.ok_or_else(|| "expected a number of keys a second, such as 2000/s".to_owned())
}

/// `5ms`, or a duration of seconds and more.
pub(super) fn latency(text: &str) -> Result<Duration, String> {
    let ms = match text.strip_suffix("ms") {
        Some(number) => number.parse().ok(),
        None => duration::parse_ms(text),
    };
    let time = ms.filter(|ms| (1..=60_000).contains(ms));
    time.map(Duration::from_millis)
        .ok_or_else(|| "expected a time from 1ms to 1m, such as 5ms".to_owned())
}

/// A duration before now, or a date: ms since 1970.
pub(super) fn since(text: &str) -> Result<i64, String> {
    let now_ms = jiff::Timestamp::now().as_millisecond();
    duration::since_ms(text, now_ms).ok_or_else(|| {
        "expected a duration such as 26h or 7d, or a date such as 2026-11-24 or 2026-11-24T07:00"
            .to_owned()
    })
}

/// A duration in ms.
pub(super) fn duration_ms(text: &str) -> Result<u64, String> {
    duration::parse_ms(text).ok_or_else(|| "expected a duration such as 2h or 1d12h".to_owned())
}
