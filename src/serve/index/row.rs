//! One article as the list shows it: what the store knows of it now.

use minijinja::{Value, context};

use super::listing::{Article, Meta, metas};
use super::query::Query;
use crate::article::Route;
use crate::duration::{show, show_time};
use crate::serve::page::{self, left_ms};
use crate::serve::site::Site;
use crate::store::StoreError;
use crate::store::reading::Ask;

/// What the store knows of `articles` now, for the template; `query` is what was asked.
pub(super) async fn rows(
    site: &Site,
    articles: &[&Article],
    query: &Query,
) -> Result<Vec<Value>, StoreError> {
    if articles.is_empty() {
        return Ok(Vec::new());
    }
    let routes: Vec<Route> = articles
        .iter()
        .map(|article| article.route.clone())
        .collect();
    let keys: Vec<String> = routes.iter().map(|route| site.keys.page(route)).collect();
    let questions: Vec<Ask<'_>> = keys.iter().flat_map(|key| page::about(key)).collect();
    let left = site.store.ask(&questions, "reading expiries").await?;
    let metas = metas(&routes, &site.store, &site.keys).await?;
    let now_ms = jiff::Timestamp::now().as_millisecond();
    let rows = articles
        .iter()
        .zip(left.chunks(2))
        .zip(metas)
        .map(|((article, left), meta)| row(article, left_ms(left), meta.as_ref(), query, now_ms));
    Ok(rows.collect())
}

fn row(
    article: &Article,
    left_ms: Option<i64>,
    meta: Option<&Meta>,
    query: &Query,
    now_ms: i64,
) -> Value {
    let link = |tag: &str, run: &str| {
        let (tag, run) = (tag.to_owned(), run.to_owned());
        Query {
            tag,
            run,
            page: 1,
            ..Query::default()
        }
        .link()
    };
    let route = article.route.as_str();
    let title = meta.map(|meta| &meta.title).or(article.title.as_ref());
    let title = title.map_or(route, String::as_str);
    let title = if title.is_empty() { route } else { title };
    let tags = meta.map_or(&article.tags, |meta| &meta.metadata.tags);
    let tags: Vec<Value> = tags
        .iter()
        .map(|tag| context! { text => tag, to => link(tag, &query.run) })
        .collect();
    let run = meta
        .map(|meta| meta.run.as_str())
        .filter(|run| !run.is_empty());
    let written = meta.and_then(|meta| meta.written_at.parse::<jiff::Timestamp>().ok());
    context! {
        title => title, route => route, tags => tags,
        date => meta.and_then(|meta| meta.metadata.date()).or(article.date.as_deref()),
        is_gone => left_ms.is_none(),
        is_list => meta.is_some_and(|meta| meta.archive == "list"),
        is_noindex => meta.is_some_and(|meta| meta.robots.contains("noindex")),
        written => written.map(|at| time_from(at.as_millisecond(), now_ms)),
        run => run.map(|run| context! { text => run, to => link("", run) }),
        expires => left_ms
            .filter(|left_ms| *left_ms >= 0)
            .map(|left_ms| time_from(now_ms.saturating_add(left_ms), now_ms)),
        for_ever => left_ms == Some(-1),
    }
}

/// A time for machines, for reading exactly, and from now.
pub(super) fn time(at_ms: i64) -> Value {
    time_from(at_ms, jiff::Timestamp::now().as_millisecond())
}

fn time_from(at_ms: i64, now_ms: i64) -> Value {
    let machine = jiff::Timestamp::from_millisecond(at_ms);
    context! {
        machine => machine.map(|at| at.to_string()).unwrap_or_default(),
        exact => show_time(at_ms),
        relative => from_now(at_ms, now_ms),
    }
}

fn from_now(at_ms: i64, now_ms: i64) -> String {
    let apart = about(at_ms.abs_diff(now_ms));
    if at_ms >= now_ms {
        format!("in {apart}")
    } else {
        format!("{apart} ago")
    }
}

/// A duration that is no more exact than a person needs: two units at most.
fn about(ms: u64) -> String {
    const MINUTE_MS: u64 = 60_000;
    let unit = match ms / MINUTE_MS {
        0 => 1,
        1..1440 => MINUTE_MS,
        _ => 60 * MINUTE_MS,
    };
    show(ms / unit * unit)
}

#[cfg(test)]
mod tests {
    use super::{about, from_now};

    #[test]
    fn durations_are_as_exact_as_a_person_needs() {
        for (ms, shown) in [
            (0, "0s"),
            (61_500, "1m"),
            (3_600_000 * 3 + 61_000, "3h1m"),
            (86_400_000 * 6 + 3_600_000 * 5 + 1, "6d5h"),
        ] {
            assert_eq!(about(ms), shown);
        }
    }

    #[test]
    fn a_time_is_told_from_now() {
        assert_eq!(from_now(1_795_503_615_005, 1_795_503_605_005), "in 10s");
        assert_eq!(from_now(0, 60_000), "1m ago");
    }
}
