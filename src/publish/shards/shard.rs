//! Which part of the articles is whose, where several processes do the work of one run.
//!
//! A pure function of the route decides, so no shard has to hear of another one, and a corpus
//! that grows moves no article from one shard to another.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::article::Route;

/// So many shards at most: each has an entry in the lock, and a manifest.
pub const MOST_SHARDS: u32 = 4096;

/// One of so many shards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Shard {
    /// Which one, from 0.
    pub index: u32,
    /// Of how many.
    pub of: u32,
}

impl Shard {
    /// Shard `index` of `of`, if there is one.
    #[must_use]
    pub fn new(index: u32, of: u32) -> Option<Self> {
        ((1..=MOST_SHARDS).contains(&of) && index < of).then_some(Self { index, of })
    }

    /// Reads `I/N`, with I from 0 to N-1.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (index, of) = text.split_once('/')?;
        Self::new(whole(index)?, whole(of)?)
    }

    /// Whether the article at `route` belongs to this shard.
    ///
    /// The bytes 8 to 15 of the BLAKE3 of the route, taken as a fraction of all there are (little
    /// endian), times the number of shards. The first bytes decide when the article expires
    /// (see [`crate::publish::plan::expiry`]), and no shard should write what all expires at one time.
    #[must_use]
    pub fn takes(self, route: &Route) -> bool {
        let hash = blake3::hash(route.as_str().as_bytes());
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&hash.as_bytes()[8..16]);
        let place = u128::from(u64::from_le_bytes(bytes)) * u128::from(self.of);
        place >> 64 == u128::from(self.index)
    }

    /// `1-of-4`, for the name of a file.
    #[must_use]
    pub fn in_file_name(self) -> String {
        format!("{}-of-{}", self.index, self.of)
    }

    /// Reads what [`Self::in_file_name`] wrote.
    #[must_use]
    pub fn of_file_name(text: &str) -> Option<Self> {
        let (index, of) = text.split_once("-of-")?;
        Self::new(whole(index)?, whole(of)?)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

/// A whole number, in the one way in which it can be written.
#[must_use]
pub fn whole(text: &str) -> Option<u32> {
    let number: u32 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

/// The longest name of a run of several shards.
pub const LONGEST_RUN_ID: usize = 64;

/// Whether `text` may name a run of several shards: it becomes a part of file names, of the names
/// of connections and of commands.
#[must_use]
pub fn is_run_id(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    (1..=LONGEST_RUN_ID).contains(&text.len())
        && text.chars().all(fits)
        && !text.starts_with(['.', '-'])
        && text != "last"
}

#[cfg(test)]
mod tests {
    use super::{Shard, is_run_id};
    use crate::article::Route;

    #[test]
    fn a_shard_is_written_in_one_way() {
        assert_eq!(Shard::parse("0/1"), Some(Shard { index: 0, of: 1 }));
        assert_eq!(Shard::parse("4095/4096").unwrap().to_string(), "4095/4096");
        for text in [
            "",
            "/",
            "1",
            "1/",
            "/4",
            "4/4",
            "0/0",
            "-1/4",
            "+1/4",
            "1/4/4",
            " 1/4",
            "1/ 4",
            "01/4",
            "1/04",
            "0/4097",
            "1.0/4",
            "a/b",
            "1\\4",
            "1/4294967300",
            "99999999999/4",
        ] {
            assert_eq!(Shard::parse(text), None, "{text}");
        }
        let shard = Shard { index: 3, of: 16 };
        assert_eq!(Shard::of_file_name(&shard.in_file_name()), Some(shard));
        assert_eq!(Shard::of_file_name("16-of-16"), None);
    }

    #[test]
    fn each_route_belongs_to_one_shard_and_none_has_much_more_than_the_others() {
        for of in [1, 2, 3, 4, 7, 64] {
            let mut counts = vec![0_u32; of as usize];
            for n in 0..6400 {
                let route = Route::parse(&format!("/a/n{n}/")).unwrap();
                let takers: Vec<u32> = (0..of)
                    .filter(|index| Shard { index: *index, of }.takes(&route))
                    .collect();
                let [taker] = takers[..] else {
                    panic!("{route}: {takers:?}")
                };
                counts[taker as usize] += 1;
            }
            let fair = 6400 / of;
            let is_fair = |count: &u32| count.abs_diff(fair) < fair / 3 + 20;
            assert!(counts.iter().all(is_fair), "{counts:?}");
        }
    }

    #[test]
    fn the_division_is_the_same_in_every_version() {
        let taker = |path: &str| {
            let route = Route::parse(path).unwrap();
            (0..16).find(|index| {
                Shard {
                    index: *index,
                    of: 16,
                }
                .takes(&route)
            })
        };
        let takers = ["/", "/redis-caching/", "/redis-caching/ttl-jitter/"].map(taker);
        assert_eq!(takers, [Some(2), Some(12), Some(11)]);
    }

    #[test]
    fn a_run_id_is_no_path_and_no_option() {
        for text in [
            "night",
            "2026-11-24",
            "a.b_c-D",
            &"a".repeat(64),
            "anp-import-29388137",
        ] {
            assert!(is_run_id(text), "{text}");
        }
        for text in [
            "",
            ".",
            "..",
            ".a",
            "-a",
            "a/b",
            "a b",
            "ä",
            "a:b",
            "a#1",
            "last",
            &"a".repeat(65),
            "a\n",
        ] {
            assert!(!is_run_id(text), "{text:?}");
        }
    }
}
