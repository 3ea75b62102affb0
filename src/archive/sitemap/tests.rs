use std::collections::{BTreeMap, BTreeSet, HashSet};

use proptest::prelude::*;
use quick_xml::Reader;
use quick_xml::events::Event;

use super::*;

const SITE: &str = "https://example.org";

/// The routes of an archive, each with its month.
type Articles = BTreeMap<String, Option<Month>>;

fn divided(articles: &Articles, limits: Limits) -> Vec<(String, Vec<String>)> {
    let entries: Vec<_> = articles.iter().collect();
    let entry = |number: u32| SitemapEntry {
        route: entries[number as usize].0,
        month: *entries[number as usize].1,
    };
    let parts = parts(u32::try_from(entries.len()).unwrap(), entry, SITE, limits);
    let parts = parts.into_iter().map(|part| {
        let members = part.members.iter();
        let routes = members.map(|number| entries[*number as usize].0.clone());
        (part.name, routes.collect())
    });
    parts.collect()
}

/// The part of each route.
fn places(parts: &[(String, Vec<String>)]) -> BTreeMap<&str, &str> {
    let routes = parts
        .iter()
        .flat_map(|(name, routes)| routes.iter().map(move |route| (&**route, &**name)));
    routes.collect()
}

/// A valid sitemap file: the names of its elements, and the texts of `loc` and `lastmod`.
fn read(xml: &[u8]) -> (BTreeSet<String>, Vec<String>) {
    let mut reader = Reader::from_str(std::str::from_utf8(xml).unwrap());
    let (mut names, mut texts) = (BTreeSet::new(), Vec::new());
    let mut open: Vec<String> = Vec::new();
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) => {
                open.push(start.name().as_ref().to_owned());
                names.insert(open.join("/"));
            }
            Event::End(_) => drop(open.pop()),
            Event::Text(text) if open.len() == 3 => {
                texts.push((*text).to_owned());
            }
            Event::GeneralRef(_) => panic!("a reference in {}", String::from_utf8_lossy(xml)),
            Event::Eof => break,
            _ => {}
        }
    }
    assert!(open.is_empty());
    (names, texts)
}

fn month_of(number: u8) -> Option<Month> {
    (number > 0).then_some(Month {
        year: 2024,
        month: number,
    })
}

fn some_articles() -> impl Strategy<Value = Articles> {
    let route = "[a-z0-9]{1,12}".prop_map(|name| format!("/notes/{name}/"));
    proptest::collection::btree_map(route, (0_u8..4).prop_map(month_of), 0..60)
}

const SMALL: Limits = Limits {
    urls: 7,
    ..PROTOCOL
};

proptest! {
    #[test]
    fn every_article_is_in_one_part_and_no_part_is_too_large(
        articles in some_articles(),
        urls in 1_usize..9,
        bytes in 600_usize..3000,
    ) {
        let limits = Limits { urls, bytes, ..PROTOCOL };
        let parts = divided(&articles, limits);
        let names: HashSet<_> = parts.iter().map(|(name, _)| name).collect();
        prop_assert_eq!(names.len(), parts.len());
        let all: usize = parts.iter().map(|(_, routes)| routes.len()).sum();
        prop_assert_eq!(all, articles.len());
        prop_assert_eq!(places(&parts).len(), articles.len());
        for (name, routes) in &parts {
            prop_assert!((1..=urls).contains(&routes.len()), "{}", name);
            prop_assert!(routes.is_sorted());
            let longest = "2024-02-29T08:30:00.123456789+01:00";
            let xml = part_xml(SITE, routes.iter().map(|route| (&**route, Some(longest))));
            // What the seal adds.
            prop_assert!(xml.len() + 43 <= bytes, "{} has {} bytes", name, xml.len());
            for route in routes {
                let stem = articles[route].map_or("undated".to_owned(), |it| format!("{:04}-{:02}", it.year, it.month));
                prop_assert!(name.starts_with(&format!("sitemap-{stem}")), "{}", name);
            }
        }
    }

    #[test]
    fn an_article_keeps_its_part_until_that_is_divided(
        articles in some_articles(),
        more in some_articles(),
    ) {
        let before = divided(&articles, SMALL);
        let mut grown = more;
        grown.extend(articles.clone());
        let after = divided(&grown, SMALL);
        let (old, new) = (places(&before), places(&after));
        let remaining: HashSet<&str> = new.values().copied().collect();
        for (route, part) in &old {
            // Another part only where its own is gone, and then one that is made from it.
            let now = new[route];
            let stem = part.strip_suffix(".xml").unwrap();
            prop_assert!(now == *part || !remaining.contains(part), "{} from {} to {}", route, part, now);
            prop_assert!(now.starts_with(stem), "{} from {} to {}", route, part, now);
        }
    }

    #[test]
    fn the_order_of_the_articles_does_not_matter(articles in some_articles()) {
        let entries: Vec<_> = articles.iter().rev().collect();
        let entry = |number: u32| SitemapEntry {
            route: entries[number as usize].0,
            month: *entries[number as usize].1,
        };
        let reversed = parts(u32::try_from(entries.len()).unwrap(), entry, SITE, SMALL);
        let reversed = reversed.into_iter().map(|part| {
            let members = part.members.iter();
            (part.name, members.map(|number| entries[*number as usize].0.clone()).collect())
        });
        prop_assert_eq!(reversed.collect::<Vec<(String, Vec<String>)>>(), divided(&articles, SMALL));
    }
}

#[test]
fn parts_are_called_by_their_month_and_their_bits() {
    let mut articles: Articles = BTreeMap::from([
        ("/undated/".to_owned(), None),
        ("/may/".to_owned(), month("2024-05-31")),
    ]);
    let names = |articles: &Articles| {
        let parts = divided(articles, SMALL);
        parts.into_iter().map(|(name, _)| name).collect::<Vec<_>>()
    };
    assert_eq!(
        names(&articles),
        ["sitemap-undated.xml", "sitemap-2024-05.xml"]
    );
    articles.extend((0..10).map(|number| (format!("/a-{number}/"), month("2024-05-01"))));
    let of_may = names(&articles);
    assert_eq!(
        of_may,
        [
            "sitemap-undated.xml",
            "sitemap-2024-05-0.xml",
            "sitemap-2024-05-1.xml"
        ]
    );
    articles.extend((10..24).map(|number| (format!("/a-{number}/"), month("2024-05-01"))));
    let divided_again = names(&articles);
    assert!(
        divided_again.contains(&"sitemap-2024-05-00.xml".to_owned()),
        "{divided_again:?}"
    );
    assert_eq!(month("soon"), None);
}

#[test]
fn more_months_than_an_index_may_name_become_years() {
    let dates =
        (1..=9).flat_map(|year| (1..=12).map(move |month| format!("000{year}-{month:02}-01")));
    let articles: Articles = dates
        .map(|date| (format!("/{date}/"), month(&date)))
        .collect();
    let limits = |parts| Limits { parts, ..PROTOCOL };
    assert_eq!(divided(&articles, limits(108)).len(), 108);
    let years = divided(&articles, limits(107));
    assert_eq!(years.len(), 9);
    assert_eq!(years[0].0, "sitemap-0001.xml");
    assert_eq!(years[0].1.len(), 12);
}

#[test]
fn a_million_articles_are_divided() {
    // Most of them in one month, as an archive that was generated at once has them.
    let routes: Vec<String> = (0..1_000_000).map(|n| format!("/a/{n:07}/")).collect();
    let entry = |number: u32| SitemapEntry {
        route: &routes[number as usize],
        month: if number.is_multiple_of(10) {
            month_of(2)
        } else {
            month_of(1)
        },
    };
    let parts = parts(1_000_000, entry, SITE, PROTOCOL);
    assert_eq!(
        parts.iter().map(|part| part.members.len()).sum::<usize>(),
        1_000_000
    );
    assert!(parts.iter().all(|part| part.members.len() <= 50_000));
    assert!(parts.len() <= 64, "{}", parts.len());
}

#[test]
fn parts_and_index_are_well_formed_and_escaped() {
    let site = "https://example.org/a&b'c";
    let items = [
        ("/a/", Some("2024-02-29T08:30:00Z")),
        ("/b/", Some("2024-02-29")),
        ("/c/", None),
    ];
    let xml = String::from_utf8(part_xml(site, items)).unwrap();
    assert!(
        xml.contains("<loc>https://example.org/a&amp;b&apos;c/a/</loc>"),
        "{xml}"
    );
    let (names, texts) = read(&part_xml(SITE, items));
    let expected = [
        "urlset",
        "urlset/url",
        "urlset/url/lastmod",
        "urlset/url/loc",
    ];
    assert_eq!(names, expected.map(str::to_owned).into());
    assert_eq!(
        texts[..2],
        ["https://example.org/a/", "2024-02-29T08:30:00Z"]
    );
    assert_eq!(texts.len(), 5);

    let index = index_xml(
        SITE,
        [
            ("sitemap-2024-05.xml", Some("2024-05-31")),
            ("sitemap-undated.xml", None),
        ],
    );
    let (names, texts) = read(&index);
    let expected = [
        "sitemapindex",
        "sitemapindex/sitemap",
        "sitemapindex/sitemap/lastmod",
        "sitemapindex/sitemap/loc",
    ];
    assert_eq!(names, expected.map(str::to_owned).into());
    assert_eq!(
        texts,
        [
            "https://example.org/sitemap-2024-05.xml",
            "2024-05-31",
            "https://example.org/sitemap-undated.xml"
        ]
    );
    assert!(read(&index_xml(SITE, [])).1.is_empty());
}

#[test]
fn the_newest_date_is_the_latest_moment() {
    let dates = [
        "2024-05-31",
        "2024-06-01T01:00:00+03:00",
        "2024-05-31T23:00:00Z",
        "soon",
    ];
    assert_eq!(newest(dates), Some("2024-05-31T23:00:00Z"));
    assert_eq!(newest([]), None);
}
