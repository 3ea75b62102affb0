//! What `anp ls` prints: a table that fits the terminal, JSON lines, or routes alone.

use std::collections::BTreeMap;

use serde_json::json;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::Output;
use super::table::width;
use crate::article::Route;
use crate::duration;
use crate::duration::DAY_MS;
use crate::publish::ls::{ArticleSink, ArticleState, ListedArticle};
use crate::publish::one_line_within;
use crate::publish::plan::entry::EntryKind;
use crate::words::counted;

/// What stands before the route: state, time left, size, date, each with a blank behind it.
const BEFORE: usize = 9 + 1 + 4 + 1 + 4 + 1 + 10 + 1;

/// So much of the columns behind that is left to the title, if it fits.
const TITLE: usize = 10;

/// More of a title is not looked at.
const LONGEST_TITLE: usize = 300;

/// Prints articles as they come.
pub(crate) struct ArticleTable {
    output: Output,
    routes_alone: bool,
    /// How many columns there are for route and title.
    room: usize,
    /// How many of them the routes take.
    route: usize,
    counts: BTreeMap<ArticleState, u64>,
    kinds: BTreeMap<EntryKind, u64>,
    bytes: u64,
}

impl ArticleTable {
    /// On `output`; only the routes, if these are wanted alone.
    pub(crate) fn new(output: Output, routes_alone: bool) -> Self {
        Self {
            output,
            routes_alone,
            room: usize::from(width()).saturating_sub(BEFORE),
            route: 0,
            counts: BTreeMap::new(),
            kinds: BTreeMap::new(),
            bytes: 0,
        }
    }

    fn row(&mut self, article: &ListedArticle) {
        let left = match (article.left_ms, article.bytes) {
            (Some(left), _) => largest_unit(left.unsigned_abs()),
            (None, 0) => String::new(),
            (None, _) => "∞".to_owned(),
        };
        let size = match article.bytes {
            0 => String::new(),
            bytes => short_size(bytes),
        };
        let date = article.date.as_deref().unwrap_or_default();
        let date = date.get(..10).unwrap_or(date);
        let answer = article.status.map(|status| match &article.to {
            Some(to) => format!("{status} to {to}"),
            None => status.to_string(),
        });
        let title = answer.as_ref().or(article.title.as_ref());
        let title = one_line_within(title.map_or("", String::as_str), LONGEST_TITLE);
        let route = cut(article.route.as_str(), self.room);
        let rest = self.room.saturating_sub(route.width().max(self.route) + 2);
        let title = if rest < 4 {
            String::new()
        } else {
            cut(&title, rest)
        };
        let padding = " ".repeat(self.route.saturating_sub(route.width()));
        let line = format!(
            "{:<9} {left:>4} {size:>4} {date:<10} {route}{padding}  {title}",
            article.state.word()
        );
        self.output.text(line.trim_end());
    }

    /// Says how many there were.
    pub(crate) fn end(mut self) {
        let all: u64 = self.counts.values().sum();
        let number = |kind: EntryKind| self.kinds.get(&kind).copied().unwrap_or(0);
        let [lists, files, redirects] =
            [EntryKind::List, EntryKind::File, EntryKind::Redirect].map(number);
        // Pages of lists were counted as articles before there were other archive objects.
        let articles = number(EntryKind::Article) + lists;
        let states: serde_json::Map<String, serde_json::Value> = self
            .counts
            .iter()
            .map(|(state, count)| (state.word().to_owned(), (*count).into()))
            .collect();
        self.output.json(&json!({
            "type": "summary", "command": "ls", "articles": articles, "states": states,
            "bytes": self.bytes, "lists": lists, "files": files, "redirects": redirects,
        }));
        if self.routes_alone {
            return;
        }
        let each: Vec<String> = self
            .counts
            .iter()
            .map(|(state, count)| format!("{count} {}", state.word()))
            .collect();
        if all > 0 {
            self.output.text("");
        }
        self.output.text(match each.len() {
            0 => "no article".to_owned(),
            _ => {
                let kinds = self.kinds.iter();
                let kinds = kinds.map(|(kind, count)| counted(*count, kind.word()));
                let kinds: Vec<String> = kinds.collect();
                format!("{}: {}", kinds.join(", "), each.join(", "))
            }
        });
    }
}

impl ArticleSink for ArticleTable {
    fn begin(&mut self, longest_route: usize) {
        self.route = longest_route.min(self.room.saturating_sub(TITLE + 2));
        if longest_route > 0 && !self.routes_alone {
            self.output.text(format!(
                "{:<9} {:>4} {:>4} {:<10} {:<route$}  TITLE",
                "STATE",
                "LEFT",
                "SIZE",
                "DATE",
                "ROUTE",
                route = self.route
            ));
        }
    }

    fn article(&mut self, article: &ListedArticle) {
        *self.counts.entry(article.state).or_default() += 1;
        *self.kinds.entry(article.kind).or_default() += 1;
        self.bytes += article.bytes;
        self.output.json(&json!({
            "type": "article", "route": article.route.as_str(), "title": article.title,
            "date": article.date, "state": article.state.word(),
            "expires_at": article.expires_at_ms, "left_ms": article.left_ms,
            "bytes": article.bytes, "kind": article.kind.word(),
            "to": article.to.as_ref().map(Route::as_str), "status": article.status,
        }));
        if self.routes_alone {
            self.output.text(article.route.as_str());
        } else if !self.output.is_json() {
            self.row(article);
        }
    }
}

/// A duration in its two largest units.
pub(super) fn about(ms: u64) -> String {
    let unit = match ms {
        0..3_600_000 => 1000,
        3_600_000..86_400_000 => 60_000,
        _ => 3_600_000,
    };
    duration::show(ms / unit * unit)
}

/// A duration in its largest unit alone: `6d`.
fn largest_unit(ms: u64) -> String {
    let unit = [DAY_MS, 3_600_000, 60_000, 1000]
        .into_iter()
        .find(|unit| ms >= *unit);
    duration::show(unit.map_or(0, |unit| ms / unit * unit))
}

/// A number of bytes in at most four columns: `4.6K`.
fn short_size(bytes: u64) -> String {
    let size = size(bytes);
    let (number, unit) = size.split_once(' ').unwrap_or((&size, "B"));
    let unit = unit.trim_end_matches('B');
    match number.split_once('.') {
        Some((whole, _)) if whole.len() > 1 => format!("{whole}{unit}"),
        _ => format!("{number}{unit}"),
    }
}

/// A number of bytes: `4.6 KB`.
pub(super) fn size(bytes: u64) -> String {
    let mut number = bytes as f64;
    for unit in ["B", "KB", "MB", "GB"] {
        if number < 1000.0 || unit == "GB" {
            return match unit {
                "B" => format!("{bytes} B"),
                _ if number < 100.0 => format!("{number:.1} {unit}"),
                _ => format!("{number:.0} {unit}"),
            };
        }
        number /= 1000.0;
    }
    format!("{bytes} B")
}

/// As much of `text` as fits into `columns`, with `…` where something is missing.
fn cut(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut used = 1;
    let fits = |c: &char| {
        used += c.width().unwrap_or(0);
        used <= columns
    };
    let head: String = text.chars().take_while(fits).collect();
    format!("{}…", head.trim_end())
}

#[cfg(test)]
mod tests {
    use super::{about, cut, largest_unit, short_size, size};

    #[test]
    fn numbers_are_as_exact_as_a_list_needs() {
        assert_eq!(size(999), "999 B");
        assert_eq!(size(4_637), "4.6 KB");
        assert_eq!(size(123_456), "123 KB");
        assert_eq!(size(7_000_000_000_000), "7000 GB");
        assert_eq!(short_size(999), "999");
        assert_eq!(short_size(4_637), "4.6K");
        assert_eq!(short_size(17_212), "17K");
        assert_eq!(short_size(123_456_789), "123M");
        assert_eq!(largest_unit(999), "0s");
        assert_eq!(largest_unit(3_600_000 * 3 + 61_000), "3h");
        assert_eq!(largest_unit(86_400_000 * 12 + 1), "12d");
        assert_eq!(about(61_500), "1m1s");
        assert_eq!(about(3_600_000 * 3 + 61_000), "3h1m");
        assert_eq!(about(86_400_000 * 6 + 3_600_000 * 5 + 61_000), "6d5h");
    }

    #[test]
    fn a_title_is_cut_by_columns() {
        assert_eq!(cut("a title", 7), "a title");
        assert_eq!(cut("a title", 4), "a t…");
        assert_eq!(cut("a title", 3), "a…");
        assert_eq!(cut("東京の記事", 6), "東京…");
    }
}
