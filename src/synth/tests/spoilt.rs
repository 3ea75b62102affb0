//! Which articles are spoilt depends on seed, number and shares, and on nothing else.

use super::*;

fn mixed(invalid: &str, hostile: &str) -> Generator {
    let options = Options {
        invalid: invalid.parse().unwrap(),
        hostile: hostile.parse().unwrap(),
        ..Options::default()
    };
    Generator::new(28_802, options)
}

fn kinds(generator: &Generator) -> Vec<Kind> {
    (1..=20_000).map(|n| generator.kind(n)).collect()
}

#[test]
fn spoilt_articles_are_pinned_to_their_seed_and_number() {
    let mut hasher = blake3::Hasher::new();
    let generator = mixed("50%", "50%");
    for n in 1..=500 {
        hasher.update(&generator.article(n).bytes);
    }
    // Like the pins of whole ones: a rehearsal that was written down must stay what it was.
    let digest = hasher.finalize().to_hex();
    assert_eq!(&digest[..32], "82ceccf29cd101a21161484a9ed729b0");
}

#[test]
fn the_others_are_the_articles_that_they_would_be() {
    let (plain, mixed) = (generator(), mixed("20%", "20%"));
    let mut reused = SynthArticle::default();
    for n in 1..=500 {
        let kind = mixed.article_into(n, &mut reused);
        assert_eq!(kind, mixed.kind(n));
        let plain = plain.article(n);
        assert_eq!(reused.path, plain.path);
        assert_eq!(
            reused.bytes == plain.bytes,
            kind == Kind::Valid,
            "{n}: {kind:?}"
        );
    }
}

#[test]
fn shares_are_what_was_asked_for() {
    let mut counts = Counts::default();
    for kind in kinds(&mixed("1%", "0.25%")) {
        counts.count(kind);
    }
    assert!((160..240).contains(&counts.invalid), "{counts:?}");
    assert!((30..70).contains(&counts.hostile), "{counts:?}");
    assert_eq!(counts.valid + counts.invalid + counts.hostile, 20_000);
    assert!((1..counts.hostile).contains(&counts.hostile_refused));
    assert_eq!(counts.refused(), counts.invalid + counts.hostile_refused);
}

#[test]
fn a_larger_share_spoils_more_articles_and_no_others() {
    let (few, many) = (kinds(&mixed("2%", "2%")), kinds(&mixed("4%", "3%")));
    for (few, many) in few.iter().zip(&many) {
        assert!(*few == Kind::Valid || few == many, "{few:?} {many:?}");
    }
    assert_ne!(few, many);
}

#[test]
fn with_shares_of_more_than_all_the_invalid_ones_keep_theirs() {
    let hostile = |kind: &Kind| matches!(kind, Kind::Hostile(_));
    let (all, half) = (mixed("100%", "100%"), mixed("50%", "100%"));
    assert_eq!(kinds(&all).iter().filter(|kind| hostile(kind)).count(), 0);
    let hostile = kinds(&half).iter().filter(|kind| hostile(kind)).count();
    assert!((9_500..10_500).contains(&hostile), "{hostile}");
}
