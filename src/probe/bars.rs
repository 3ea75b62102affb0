//! A histogram as bars of characters.

use hdrhistogram::Histogram;

/// How wide the longest bar is, in columns.
const WIDTH: u64 = 44;

/// Upper ends of the rows, in µs: 1, 2 and 5 of each power of ten, as people count.
const LIMITS_US: [u64; 22] = [
    10,
    20,
    50,
    100,
    200,
    500,
    1_000,
    2_000,
    5_000,
    10_000,
    20_000,
    50_000,
    100_000,
    200_000,
    500_000,
    1_000_000,
    2_000_000,
    5_000_000,
    10_000_000,
    60_000_000,
    600_000_000,
    u64::MAX,
];

/// One row for each range from the shortest time to the longest: at most 80 columns wide.
#[must_use]
pub fn bars(times: &Histogram<u64>, unicode: bool) -> Vec<String> {
    let starts = std::iter::once(0).chain(LIMITS_US);
    let rows: Vec<(u64, u64)> = starts
        .zip(LIMITS_US)
        .map(|(above, limit)| (limit, times.count_between(above + 1, limit)))
        .collect();
    let most = rows.iter().map(|(_, count)| *count).max().unwrap_or(0);
    let first = rows.iter().position(|(_, count)| *count > 0);
    let last = rows.iter().rposition(|(_, count)| *count > 0);
    let (Some(first), Some(last)) = (first, last) else {
        return Vec::new();
    };
    rows[first..=last]
        .iter()
        .map(|(limit, count)| {
            let name = match *limit {
                u64::MAX => "longer".to_owned(),
                limit => format!("up to {}", show(limit)),
            };
            let bar = bar(*count, most, unicode);
            format!("  {name:>14} {bar} {count}")
        })
        .collect()
}

/// A bar that is as long as `count` is large beside `most`; whatever is there, shows.
fn bar(count: u64, most: u64, unicode: bool) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = (u128::from(count) * u128::from(WIDTH) * 8).div_ceil(u128::from(most.max(1)));
    let (whole, rest) = ((eighths / 8) as usize, (eighths % 8) as usize);
    if unicode {
        format!("{}{}", "█".repeat(whole), EIGHTHS[rest])
    } else {
        "#".repeat(whole + usize::from(rest > 0))
    }
}

/// A time in µs as people read it: three digits and a unit.
#[must_use]
pub fn show(micros: u64) -> String {
    let (value, unit) = match micros {
        0..1_000 => return format!("{micros} µs"),
        1_000..1_000_000 => (micros as f64 / 1e3, "ms"),
        _ => (micros as f64 / 1e6, "s"),
    };
    let decimals = match value {
        v if v < 9.995 => 2,
        v if v < 99.95 => 1,
        _ => 0,
    };
    let mut text = format!("{value:.decimals$}");
    if text.contains('.') {
        text.truncate(text.trim_end_matches('0').trim_end_matches('.').len());
    }
    format!("{text} {unit}")
}

#[cfg(test)]
mod tests {
    use hdrhistogram::Histogram;

    use super::{bars, show};

    fn times(all: &[(u64, u64)]) -> Histogram<u64> {
        let mut times = Histogram::new_with_bounds(1, 600_000_000, 3).unwrap();
        for (micros, count) in all {
            times.record_n(*micros, *count).unwrap();
        }
        times
    }

    #[test]
    fn times_have_three_digits_and_a_unit() {
        for (micros, shown) in [
            (0, "0 µs"),
            (999, "999 µs"),
            (1_000, "1 ms"),
            (1_234, "1.23 ms"),
            (12_345, "12.3 ms"),
            (123_456, "123 ms"),
            (999_999, "1000 ms"),
            (1_000_000, "1 s"),
            (61_500_000, "61.5 s"),
        ] {
            assert_eq!(show(micros), shown);
        }
    }

    #[test]
    fn the_longest_bar_fits_a_terminal_and_the_shortest_is_seen() {
        let times = times(&[(900, 1_000_000_000), (30_000, 1)]);
        for (unicode, smallest) in [(true, "▏"), (false, "#")] {
            let rows = bars(&times, unicode);
            assert!(rows.iter().all(|row| row.chars().count() <= 80), "{rows:?}");
            let names: Vec<&str> = rows.iter().map(|row| row[..16].trim()).collect();
            assert_eq!(
                names,
                [
                    "up to 1 ms",
                    "up to 2 ms",
                    "up to 5 ms",
                    "up to 10 ms",
                    "up to 20 ms",
                    "up to 50 ms"
                ]
            );
            assert!(rows[1].ends_with("  0"), "{rows:?}");
            assert!(rows[5].ends_with(&format!(" {smallest} 1")), "{rows:?}");
            assert_eq!(rows.iter().any(|row| !row.is_ascii()), unicode);
        }
    }

    #[test]
    fn every_time_stands_in_one_row_and_nothing_in_none() {
        let times = times(&[
            (1, 1),
            (10, 1),
            (11, 1),
            (1_000, 1),
            (1_001, 1),
            (599_000_000, 1),
        ]);
        let counts = bars(&times, false)
            .iter()
            .map(|row| row.rsplit(' ').next().unwrap().parse::<u64>().unwrap())
            .sum::<u64>();
        assert_eq!(counts, 6);
        assert!(bars(&self::times(&[]), false).is_empty());
    }
}
