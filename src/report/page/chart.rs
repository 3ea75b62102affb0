//! Bars of charts: counts, and how long their bars are.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde::Serialize;

/// A bar with its name and its number.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct ChartRow {
    pub name: String,
    pub value: String,
    /// The length of the bar.
    pub percent: f64,
}

/// Bars as long as the largest `amount` says.
pub(super) fn rows(bars: impl IntoIterator<Item = (String, String, f64)>) -> Vec<ChartRow> {
    let bars: Vec<_> = bars.into_iter().collect();
    let largest = bars
        .iter()
        .map(|(_, _, amount)| *amount)
        .fold(0.0, f64::max);
    let percent = |amount: f64| match largest > 0.0 {
        // A tenth, so that the page stays short.
        true => (amount / largest * 1000.0).round() / 10.0,
        false => 0.0,
    };
    bars.into_iter()
        .map(|(name, value, amount)| ChartRow {
            name,
            value,
            percent: percent(amount),
        })
        .collect()
}

/// Bars of counts.
pub(super) fn counts(bars: impl IntoIterator<Item = (String, u64)>) -> Vec<ChartRow> {
    rows(
        bars.into_iter()
            .map(|(name, count)| (name, grouped(count), count as f64)),
    )
}

/// `12,345`.
pub(super) fn grouped(number: u64) -> String {
    indicatif::HumanCount(number).to_string()
}

/// Days that are shown one by one.
const DAYS: i64 = 14;

/// How many articles expire on which day.
pub(super) struct ExpiryDays {
    zone: TimeZone,
    today: Date,
    by_day: BTreeMap<i64, u64>,
    never: u64,
}

impl ExpiryDays {
    /// From the day of this time on, ms since 1970.
    pub(super) fn from(now_ms: i64) -> Self {
        let zone = TimeZone::system();
        let now = Timestamp::from_millisecond(now_ms).unwrap_or_default();
        Self {
            today: now.to_zoned_datetime(zone.clone()).date(),
            zone,
            by_day: BTreeMap::new(),
            never: 0,
        }
    }

    /// Counts an article that expires at this time, ms since 1970.
    pub(super) fn add(&mut self, at_ms: i64) {
        let Ok(at) = Timestamp::from_millisecond(at_ms) else {
            self.never += 1;
            return;
        };
        let date = at.to_zoned_datetime(self.zone.clone()).date();
        let days = self
            .today
            .until(date)
            .map_or(DAYS, |span| i64::from(span.get_days()));
        *self.by_day.entry(days.clamp(0, DAYS)).or_default() += 1;
    }

    /// A bar a day, without days before the first one and after the last.
    pub(super) fn rows(&self) -> Vec<ChartRow> {
        let ends = (self.by_day.keys().next(), self.by_day.keys().next_back());
        let (Some(first), Some(last)) = ends else {
            return counts((self.never > 0).then(|| ("never".to_owned(), self.never)));
        };
        let bars = (*first..=*last).map(|day| {
            let count = self.by_day.get(&day).copied().unwrap_or_default();
            (self.name(day), count)
        });
        let never = (self.never > 0).then(|| ("never".to_owned(), self.never));
        counts(bars.chain(never))
    }

    fn name(&self, day: i64) -> String {
        let date = self.today.checked_add(day.days()).unwrap_or(self.today);
        match day {
            0 => "today".to_owned(),
            DAYS => format!("{} and later", date.strftime("%d %b")),
            _ => date.strftime("%a %d %b").to_string(),
        }
    }
}

/// How large pages are: articles by the power of two that their page does not exceed.
#[derive(Default)]
pub(super) struct PageSizes(BTreeMap<u32, u64>);

impl PageSizes {
    /// Counts a page of so many bytes.
    pub(super) fn add(&mut self, bytes: u32) {
        if bytes > 0 {
            let kib = u64::from(bytes).div_ceil(1024).next_power_of_two();
            *self.0.entry(kib.trailing_zeros()).or_default() += 1;
        }
    }

    pub(super) fn rows(&self) -> Vec<ChartRow> {
        let Some((first, last)) = self.0.keys().next().zip(self.0.keys().next_back()) else {
            return Vec::new();
        };
        counts((*first..=*last).map(|power| {
            let most = 1_u64 << power;
            let name = if most >= 1024 {
                format!("≤ {} MiB", most / 1024)
            } else {
                format!("≤ {most} KiB")
            };
            (name, self.0.get(&power).copied().unwrap_or_default())
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(rows: &[ChartRow]) -> Vec<(&str, &str, f64)> {
        rows.iter()
            .map(|row| (row.name.as_str(), row.value.as_str(), row.percent))
            .collect()
    }

    #[test]
    fn the_longest_bar_is_as_long_as_can_be() {
        let rows = counts([
            ("a".to_owned(), 3),
            ("b".to_owned(), 12_000),
            ("c".to_owned(), 0),
        ]);
        assert_eq!(
            shown(&rows),
            [("a", "3", 0.0), ("b", "12,000", 100.0), ("c", "0", 0.0)]
        );
        assert_eq!(shown(&counts([("a".to_owned(), 0)])), [("a", "0", 0.0)]);
    }

    #[test]
    fn expiries_are_counted_by_day() {
        let noon = Timestamp::now()
            .to_zoned_datetime(TimeZone::system())
            .date()
            .at(12, 0, 0, 0);
        let noon = noon
            .to_zoned_datetime(TimeZone::system())
            .unwrap()
            .timestamp()
            .as_millisecond();
        let day = 86_400_000;
        let mut days = ExpiryDays::from(noon);
        for at in [
            noon - 3 * day,
            noon + 1,
            noon + 2 * day,
            noon + 90 * day,
            i64::MAX,
        ] {
            days.add(at);
        }
        let rows = days.rows();
        assert_eq!(rows.len(), DAYS as usize + 2);
        assert_eq!(
            (rows[0].name.as_str(), rows[0].value.as_str()),
            ("today", "2")
        );
        assert_eq!(rows[2].value, "1");
        assert!(rows[DAYS as usize].name.ends_with("and later"));
        assert_eq!(rows[DAYS as usize + 1].name, "never");
        assert!(ExpiryDays::from(noon).rows().is_empty());
    }

    #[test]
    fn sizes_are_counted_by_powers_of_two() {
        let mut sizes = PageSizes::default();
        for bytes in [0, 1, 1024, 1025, 5000, 3 << 20] {
            sizes.add(bytes);
        }
        let rows = sizes.rows();
        assert_eq!(
            shown(&rows[..2]),
            [("≤ 1 KiB", "2", 100.0), ("≤ 2 KiB", "1", 50.0)]
        );
        assert_eq!(rows.last().unwrap().name, "≤ 4 MiB");
        assert!(PageSizes::default().rows().is_empty());
    }
}
