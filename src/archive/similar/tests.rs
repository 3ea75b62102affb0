//! The index against a plain reading of its rules, and what a new article may change.

use std::collections::BTreeSet;

use proptest::collection::{btree_set, vec};
use proptest::prelude::*;

use super::*;
use crate::hashing::first_bytes;

/// An article: its terms, and whether it may be listed.
type Row = (Vec<u64>, bool);

fn index(rows: &[Row]) -> TermIndex {
    let is_candidate = |place: u32| rows[place as usize].1;
    let index = TermIndex::of(rows.len(), is_candidate, |take| {
        // In any order.
        for (place, (terms, _)) in rows.iter().enumerate().rev() {
            take(count(place), terms);
        }
        Ok::<(), std::convert::Infallible>(())
    });
    index.unwrap_or_else(|never| match never {})
}

/// The lists of all articles, each entry by its terms, which no two articles of a test share, and its score.
fn lists(rows: &[Row], most: usize) -> Vec<Vec<(usize, u32)>> {
    let index = index(rows);
    let mut scratch = Scratch::default();
    let list = |place| index.similar(place, most, &mut scratch);
    let lists = (0..count(rows.len())).map(list);
    lists
        .map(|list| list.iter().map(|s| (s.place as usize, s.score)).collect())
        .collect()
}

/// The list of the article at `place`, straight from the rules.
fn plain_list(rows: &[Row], place: usize, most: usize) -> Vec<(usize, u32)> {
    let has = |other: usize, term: u64| rows[other].0.contains(&term);
    let older = |term: u64| (0..place).filter(move |other| rows[*other].1 && has(*other, term));
    let weight = |term: u64| {
        let rarity = log2(count(place) + 1) - log2(count(older(term).count()) + 1);
        TermKind::of_hash(term).weight() * (512 + rarity)
    };
    let mut terms: Vec<(u32, u64)> = rows[place]
        .0
        .iter()
        .map(|term| (weight(*term), *term))
        .collect();
    terms.sort_unstable_by_key(|(weight, term)| (Reverse(*weight), *term));

    let score = |other: usize| -> u32 {
        let shared = terms.iter().filter(|(_, term)| has(other, *term));
        shared.map(|(weight, _)| weight).sum()
    };
    let mut scores: Vec<(u32, usize)> = Vec::new();
    for (index, (_, term)) in terms.iter().enumerate() {
        let rest: u32 = terms[index..].iter().map(|(weight, _)| weight).sum();
        scores.sort_unstable_by(|a, b| b.cmp(a));
        let last = most.checked_sub(1).map(|last| scores.get(last));
        if last.is_none_or(|last| last.is_some_and(|(score, _)| *score > rest)) {
            break;
        }
        let all: Vec<usize> = older(*term).collect();
        for other in all.iter().rev().take(256) {
            if scores.len() < 256 && scores.iter().all(|(_, place)| place != other) {
                scores.push((score(*other), *other));
            }
        }
    }
    scores.sort_unstable_by(|a, b| b.cmp(a));
    scores.truncate(most);
    scores
        .into_iter()
        .map(|(score, place)| (place, score))
        .collect()
}

fn row(terms: impl Strategy<Value = BTreeSet<u64>>) -> impl Strategy<Value = Row> {
    (terms, proptest::bool::weighted(0.9))
        .prop_map(|(terms, listed)| (terms.into_iter().collect(), listed))
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    vec(row(btree_set(0_u64..40, 0..9)), 0..40)
}

/// More articles than are compared with one, and terms that more of them have than are looked at.
fn crowd() -> impl Strategy<Value = Vec<Row>> {
    vec(row(btree_set(0_u64..10, 0..4)), 900..1_000)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn the_limits_hold_and_a_new_article_changes_no_older_list(rows in crowd(), new in row(btree_set(0_u64..10, 1..9))) {
        let before = lists(&rows, 5);
        for place in [200, 500, 800, 898, 899] {
            prop_assert_eq!(&before[place], &plain_list(&rows, place, 5));
        }
        // What comes next in a list changes nothing before it.
        for (longer, list) in lists(&rows, 8).iter().zip(&before) {
            prop_assert_eq!(&longer[..longer.len().min(5)], list);
        }
        let mut with_new = rows;
        with_new.push(new);
        prop_assert_eq!(&lists(&with_new, 5)[..before.len()], &before);
    }
}

proptest! {
    #[test]
    fn lists_are_what_the_rules_say(rows in rows(), most in 0_usize..7) {
        let lists = lists(&rows, most);
        for (place, list) in lists.iter().enumerate() {
            prop_assert_eq!(list, &plain_list(&rows, place, most));
            for (other, _) in list {
                prop_assert!(*other < place && rows[*other].1);
            }
        }
    }

    #[test]
    fn a_new_article_at_the_end_changes_no_older_list(rows in rows(), new in row(btree_set(0_u64..50, 0..9))) {
        let before = lists(&rows, 5);
        let mut with_new = rows;
        with_new.push(new);
        prop_assert_eq!(&lists(&with_new, 5)[..before.len()], &before);
    }

    #[test]
    fn an_article_put_in_between_changes_only_lists_of_newer_ones(
        rows in rows(),
        new in row(btree_set(0_u64..50, 0..9)),
        place in any::<prop::sample::Index>(),
    ) {
        let place = place.index(rows.len() + 1);
        let before = lists(&rows, 5);
        let mut with_new = rows;
        with_new.insert(place, new);
        prop_assert_eq!(&lists(&with_new, 5)[..place], &before[..place]);
    }

    #[test]
    fn the_terms_of_an_article_may_come_in_any_order(rows in rows()) {
        let reversed: Vec<Row> = rows
            .iter()
            .map(|(terms, listed)| (terms.iter().rev().copied().collect(), *listed))
            .collect();
        prop_assert_eq!(lists(&reversed, 5), lists(&rows, 5));
    }

    #[test]
    fn an_explanation_adds_up(rows in rows()) {
        let index = index(&rows);
        let mut scratch = Scratch::default();
        for place in 0..count(rows.len()) {
            let explanation = index.explain(place, 5, &mut scratch);
            let list: Vec<Similar> = explanation.matches.iter().map(|found| found.similar).collect();
            prop_assert_eq!(&list, &index.similar(place, 5, &mut scratch));
            prop_assert!(explanation.candidates <= plain_list(&rows, place as usize, usize::MAX).len());
            for found in &explanation.matches {
                let other = &rows[found.similar.place as usize].0;
                let shared = found.shared.iter().map(|term| explanation.terms[*term]);
                prop_assert!(shared.clone().all(|term| other.contains(&term.hash)));
                prop_assert_eq!(shared.map(|term| term.weight).sum::<u32>(), found.similar.score);
            }
        }
    }
}

/// The kind is in the lowest bits of a hash.
fn label(number: u64) -> u64 {
    number << 2 | 1
}

fn listed(terms: &[u64]) -> Row {
    (terms.to_vec(), true)
}

#[test]
fn a_rare_term_counts_more_than_a_common_one() {
    let (common, rare) = (label(1), label(2));
    let mut rows = vec![listed(&[rare])];
    rows.extend((0..9).map(|_| listed(&[common])));
    rows.push(listed(&[common, rare]));
    let last = &lists(&rows, 3)[10];
    let places: Vec<usize> = last.iter().map(|(place, _)| *place).collect();
    assert_eq!(places, [0, 9, 8], "the rarest first, then the newest");
}

#[test]
fn a_common_term_leads_to_the_newest_articles_that_have_it() {
    let mut rows: Vec<Row> = (0..300).map(|_| listed(&[label(1)])).collect();
    rows[20].0.push(label(2));
    rows.push(listed(&[label(1), label(2)]));
    let explanation = index(&rows).explain(300, usize::MAX, &mut Scratch::default());
    assert_eq!(explanation.candidates, 256);
    assert_eq!(explanation.terms[1].older, 300);
    // Found by its rare term, and both count.
    assert_eq!(explanation.matches[0].similar.place, 20);
    assert_eq!(explanation.matches[0].shared, [0, 1]);
}

#[test]
fn terms_of_one_article_take_little_room() {
    let own = |n: u64| u64::from_le_bytes(first_bytes(&blake3::hash(&n.to_le_bytes())));
    let alone = (0..10_000).map(|n| listed(&(0..8).map(|m| own(8 * n + m)).collect::<Vec<_>>()));
    let index = index(&alone.collect::<Vec<Row>>());
    assert!(
        index.hashes.len() < 16_000,
        "of 80,000: {}",
        index.hashes.len()
    );
    assert_eq!(index.postings.len(), index.terms.len());
}

#[test]
fn an_article_counts_with_its_first_terms() {
    let many: Vec<u64> = (0..MAX_TERMS as u64 + 1).map(label).collect();
    let rows = [listed(&many), listed(&many)];
    let explanation = index(&rows).explain(1, 1, &mut Scratch::default());
    assert_eq!(explanation.matches[0].shared.len(), MAX_TERMS);
}

#[test]
fn there_may_be_no_articles() {
    assert!(index(&[]).terms.is_empty());
}

#[test]
fn logarithms_are_exact_at_powers_of_two_and_rise() {
    for power in 0..32 {
        assert_eq!(log2(1 << power), power * 256);
    }
    assert_eq!(log2(3), 405, "log2(3) = 1.58496");
    assert_eq!(log2(1000), 2551, "log2(1000) = 9.96578");
    assert!((1..100_000).all(|n| log2(n) <= log2(n + 1)));
}

#[test]
fn an_article_is_compared_with_so_many_and_no_more() {
    // Each term finds other articles.
    let wide: Vec<u64> = (0..MAX_TERMS as u64).map(label).collect();
    let mut rows: Vec<Row> = (0..1_000).map(|n| listed(&[wide[n % MAX_TERMS]])).collect();
    rows.push(listed(&wide));
    let explanation = index(&rows).explain(1_000, 5, &mut Scratch::default());
    assert_eq!(explanation.candidates, MAX_CANDIDATES);
}
