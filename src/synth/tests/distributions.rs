//! Over many articles: sizes are log-normal, views follow Zipf's law, dates cover years.

use super::*;
use std::collections::BTreeMap;

const ARTICLES: usize = 10_000;

/// What `look` finds in front matter and body of each article, smallest first.
fn sorted<T: Ord>(options: Options, look: impl Fn(&str, &str) -> T) -> Vec<T> {
    let generator = Generator::new(1, options);
    let mut article = SynthArticle::default();
    let mut found: Vec<T> = (1..=ARTICLES as u64)
        .map(|n| {
            generator.article_into(n, &mut article);
            let (front_matter, body) = split(std::str::from_utf8(&article.bytes).unwrap());
            look(front_matter, body)
        })
        .collect();
    found.sort_unstable();
    found
}

/// The lengths of the bodies, in bytes.
fn body_sizes(body_kb: u32, spread: u32) -> Vec<f64> {
    let options = Options {
        body_kb,
        spread,
        ..Options::default()
    };
    let sizes = sorted(options, |_, body| body.len());
    sizes.into_iter().map(|size| size as f64).collect()
}

/// The text of a field that stands on a line of its own.
fn field<'a>(front_matter: &'a str, name: &str) -> &'a str {
    let mut lines = front_matter.lines();
    lines
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
        .unwrap()
}

#[track_caller]
fn near(found: f64, expected: f64, tolerance: f64) {
    let off = (found / expected - 1.0).abs();
    assert!(off < tolerance, "{found}, expected about {expected}");
}

#[test]
fn bodies_have_the_mean_size_and_the_spread_asked_for() {
    for (body_kb, spread) in [(4, 0), (4, 40), (16, 100)] {
        let sizes = body_sizes(body_kb, spread);
        let sigma = f64::from(spread) / 100.0;
        let mean = f64::from(body_kb) * 1024.0;
        near(sizes.iter().sum::<f64>() / sizes.len() as f64, mean, 0.02);
        let median = mean / (sigma * sigma / 2.0).exp();
        near(sizes[ARTICLES / 2], median, 0.04);
        // One standard deviation up, one down, and where one in a hundred is larger.
        near(sizes[ARTICLES * 84 / 100], median * sigma.exp(), 0.1);
        near(sizes[ARTICLES * 16 / 100], median / sigma.exp(), 0.1);
        near(
            sizes[ARTICLES * 99 / 100],
            median * (2.33 * sigma).exp(),
            0.1,
        );
    }
}

#[test]
fn without_spread_bodies_differ_by_a_section_at_most() {
    let sizes = body_sizes(4, 0);
    assert!(sizes[0] > 3_500.0 && sizes[ARTICLES - 1] < 4_700.0);
}

#[test]
fn views_follow_zipf() {
    let mut views = sorted(Options::default(), |front_matter, _| {
        field(front_matter, "view_count").parse::<u64>().unwrap()
    });
    views.reverse();
    // The article of ten times the rank has a tenth of the views …
    for rank in [20, 50, 100, 500] {
        near(
            views[rank - 1] as f64 / views[rank * 10 - 1] as f64,
            10.0,
            0.35,
        );
    }
    // … so that the first hundredth of the articles have most of all views.
    let sum = |views: &[u64]| views.iter().sum::<u64>();
    let percent = sum(&views[..ARTICLES / 100]) * 100 / sum(&views);
    assert!((45..75).contains(&percent), "{percent} percent");
}

#[test]
fn dates_are_spread_over_fifteen_years() {
    let mut years: BTreeMap<String, usize> = BTreeMap::new();
    for year in sorted(Options::default(), |front_matter, _| {
        field(front_matter, "date")[..4].to_owned()
    }) {
        *years.entry(year).or_default() += 1;
    }
    assert_eq!(years.keys().next().unwrap(), "2009");
    assert_eq!(years.keys().next_back().unwrap(), "2023");
    assert_eq!(years.len(), 15);
    let fewest = years.values().min().unwrap();
    assert!(*fewest > ARTICLES / 30, "{years:?}");
}
