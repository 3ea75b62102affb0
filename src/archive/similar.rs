//! Which older articles are similar to an article: those that share its rarest terms.
//!
//! Articles stand in the order of their age, the oldest first, and one is known by its place in that order.
//! Everything about the article at place `n` is computed from the articles before `n`: how rare a
//! term is, and who has it. So a new article at the end changes no list but its own, and one that is
//! put in between changes only lists of newer articles. All numbers are whole, so that the lists
//! are the same on every machine.

use std::cmp::Reverse;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use super::terms::{MAX_TERMS, TermKind};

#[cfg(test)]
mod tests;

/// At most this many older articles are taken for a term: the newest that have it.
const MAX_POSTINGS: usize = 256;

/// The weight of a term that every older article has, in units of 1/256, for a kind of weight 1. Each halving
/// of their number adds 256.
const LEAST_WEIGHT: u32 = 2 << 8;

/// At most this many older articles are compared with an article: those that share the terms of the greatest
/// weight.
const MAX_CANDIDATES: usize = 256;

/// Bits of [`SharedTerms`] for each article, of each of two kinds.
const BITS_PER_ARTICLE: usize = 32;

/// Slots of the set of candidates and of the table of weights: powers of two, with room between the entries.
const CANDIDATE_SLOTS: usize = (4 * MAX_CANDIDATES).next_power_of_two();
const WEIGHT_SLOTS: usize = (4 * MAX_TERMS).next_power_of_two();

/// An older article in a list of similar ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Similar {
    /// Its place in the order of the articles.
    pub place: u32,
    /// The sum of the weights of the terms that both have.
    pub score: u32,
}

/// A term of an article, as it counts for the list of that article.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WeighedTerm {
    /// Its hash, as it was pushed.
    pub hash: u64,
    /// What an article that has it gains, in units of 1/256.
    pub weight: u32,
    /// How many older articles have it and may be listed.
    pub older: u32,
}

/// A similar article, and why it is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// The article and its score.
    pub similar: Similar,
    /// The terms that both have, as indexes into [`Explanation::terms`].
    pub shared: Vec<usize>,
}

/// Why a list is as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The terms of the article that an older one has too which may be listed, those of the greatest weight first.
    pub terms: Vec<WeighedTerm>,
    /// How many older articles were compared.
    pub candidates: usize,
    /// The list.
    pub matches: Vec<Match>,
}

/// The terms of all articles, and for each term the articles that have it. Most terms that a single article has
/// are left out.
#[derive(Debug)]
pub struct TermIndex {
    /// Where the terms of each article begin in `terms`.
    starts: Vec<u32>,
    /// How many terms each article has.
    counts: Vec<u8>,
    /// The terms of the articles, as indexes into `hashes`.
    terms: Vec<u32>,
    /// The hash of each term.
    hashes: Vec<u64>,
    /// Where the postings of each term begin in `postings`; one more at the end.
    posting_starts: Vec<u32>,
    /// The places of the articles that have a term and may be listed, the oldest first.
    postings: Vec<u32>,
}

impl TermIndex {
    /// The `most` articles before `place` that are most similar to the one there, the most similar first, and of
    /// two with the same score the newer. An article that shares no term is never among them.
    ///
    /// # Panics
    ///
    /// If no article has that place.
    #[must_use]
    pub fn similar(&self, place: u32, most: usize, scratch: &mut Scratch) -> Vec<Similar> {
        let mut terms = std::mem::take(&mut scratch.terms);
        terms.clear();
        self.weigh(place, &mut terms);
        scratch.forget();
        for term in &terms {
            scratch.weights.set(term.id, term.weight);
        }
        let mut best = Vec::with_capacity(most.min(MAX_CANDIDATES) + 1);
        let mut rest: u32 = terms.iter().map(|term| term.weight).sum();
        for term in &terms {
            // No article of the other terms can be better.
            if best.len() == most && best.last().is_none_or(|(score, _)| *score > rest) {
                break;
            }
            rest -= term.weight;
            for other in newest(self.postings_before(term)).iter().rev() {
                if scratch.add(*other) {
                    self.rank(*other, most, &scratch.weights, &mut best);
                }
            }
        }
        scratch.terms = terms;
        let best = best.into_iter();
        best.map(|(score, place)| Similar { place, score })
            .collect()
    }

    /// The list of [`similar`](Self::similar), and what it was made from.
    ///
    /// # Panics
    ///
    /// If no article has that place.
    #[must_use]
    pub fn explain(&self, place: u32, most: usize, scratch: &mut Scratch) -> Explanation {
        let list = self.similar(place, most, scratch).into_iter();
        let terms = &scratch.terms;
        let matches = list.map(|similar| {
            let others = self.terms_of(similar.place);
            let is_shared = |index: &usize| others.contains(&terms[*index].id);
            Match {
                similar,
                shared: (0..terms.len()).filter(is_shared).collect(),
            }
        });
        Explanation {
            matches: matches.collect(),
            terms: terms
                .iter()
                .map(|term| WeighedTerm {
                    hash: term.hash,
                    weight: term.weight,
                    older: term.older,
                })
                .collect(),
            candidates: scratch.candidates.len(),
        }
    }

    fn terms_of(&self, place: u32) -> &[u32] {
        let place = place as usize;
        let start = self.starts[place] as usize;
        &self.terms[start..start + usize::from(self.counts[place])]
    }

    /// Adds the terms of an article that older ones have too to `out`, those of the greatest weight first.
    fn weigh(&self, place: u32, out: &mut Vec<PageTerm>) {
        let all = log2(place + 1);
        out.extend(self.terms_of(place).iter().filter_map(|id| {
            let hash = self.hashes[*id as usize];
            let postings = self.postings_of(*id);
            let older = count(postings.partition_point(|other| *other < place));
            let rarity = all - log2(older + 1);
            (older > 0).then(|| PageTerm {
                weight: TermKind::of_hash(hash).weight() * (LEAST_WEIGHT + rarity),
                hash,
                id: *id,
                older,
            })
        }));
        // By hash, because the order in which terms are given decides nothing.
        out.sort_unstable_by_key(|term| (Reverse(term.weight), term.hash));
    }

    fn postings_of(&self, id: u32) -> &[u32] {
        let id = id as usize;
        &self.postings[self.posting_starts[id] as usize..self.posting_starts[id + 1] as usize]
    }

    fn postings_before(&self, term: &PageTerm) -> &[u32] {
        &self.postings_of(term.id)[..term.older as usize]
    }

    /// Puts a candidate among the `most` best by score and age, the best first, if it is one of them.
    fn rank(&self, place: u32, most: usize, weights: &Weights, best: &mut Vec<(u32, u32)>) {
        let shared = self.terms_of(place).iter().map(|id| weights.get(*id));
        // Of two with the same score the newer, which has the greater place.
        let rank = (shared.sum::<u32>(), place);
        if best.len() == most && best.last().is_none_or(|last| *last > rank) {
            return;
        }
        let index = best.partition_point(|other| *other > rank);
        best.insert(index, rank);
        best.truncate(most);
    }
}

/// A term of the article whose list is made.
#[derive(Clone, Copy, Debug)]
struct PageTerm {
    weight: u32,
    hash: u64,
    id: u32,
    /// How many candidates older than the article have it.
    older: u32,
}

fn newest(older: &[u32]) -> &[u32] {
    &older[older.len().saturating_sub(MAX_POSTINGS)..]
}

fn count(number: usize) -> u32 {
    u32::try_from(number).expect("an index has fewer than 2^32 postings")
}

/// The logarithm to base 2 of a number above 0, in units of 1/256, rounded down.
fn log2(number: u32) -> u32 {
    let whole = number.ilog2();
    // From 1 to 2, as a fixed-point number of 31 bits behind the point. Squaring it doubles the logarithm, whose
    // next bit is whether the square reaches 2.
    let mut mantissa = u64::from(number) << (31 - whole);
    let mut log = whole;
    for _ in 0..8 {
        mantissa = (mantissa * mantissa) >> 31;
        let bit = mantissa >> 32;
        mantissa >>= bit;
        log = log << 1 | u32::from(bit == 1);
    }
    log
}

/// What the making of one list needs besides the index. One thread uses it for many lists.
#[derive(Debug)]
pub struct Scratch {
    /// The terms of the article.
    terms: Vec<PageTerm>,
    weights: Weights,
    /// The places of the articles that it is compared with, each once.
    candidates: Vec<u32>,
    /// Those places by their hash; 0: free, else place + 1.
    slots: Vec<u32>,
}

impl Default for Scratch {
    fn default() -> Self {
        Self {
            terms: Vec::with_capacity(MAX_TERMS),
            weights: Weights::default(),
            candidates: Vec::with_capacity(MAX_CANDIDATES),
            slots: vec![0; CANDIDATE_SLOTS],
        }
    }
}

impl Scratch {
    fn forget(&mut self) {
        self.weights = Weights::default();
        self.candidates.clear();
        self.slots.fill(0);
    }

    /// Adds a candidate. False if it is one already, or if there are enough.
    fn add(&mut self, place: u32) -> bool {
        let slot = slot_of(place + 1, &self.slots);
        let is_new = self.slots[slot] == 0 && self.candidates.len() < MAX_CANDIDATES;
        if is_new {
            self.slots[slot] = place + 1;
            self.candidates.push(place);
        }
        is_new
    }
}

/// The weights of the terms of one article, by the ids of the terms.
#[derive(Debug)]
struct Weights {
    /// 0: free, else id + 1.
    slots: [u32; WEIGHT_SLOTS],
    weights: [u32; WEIGHT_SLOTS],
}

impl Default for Weights {
    fn default() -> Self {
        Self {
            slots: [0; WEIGHT_SLOTS],
            weights: [0; WEIGHT_SLOTS],
        }
    }
}

impl Weights {
    fn set(&mut self, id: u32, weight: u32) {
        let slot = slot_of(id + 1, &self.slots);
        self.slots[slot] = id + 1;
        self.weights[slot] = weight;
    }

    /// 0 for terms that the article does not have.
    fn get(&self, id: u32) -> u32 {
        self.weights[slot_of(id + 1, &self.slots)]
    }
}

/// The slot of an entry, or the free one where it belongs. `slots` has a power of two of them, some of them free.
fn slot_of(entry: u32, slots: &[u32]) -> usize {
    // Fibonacci hashing: numbers that follow each other, which are frequent, come far apart.
    let hash = entry.wrapping_mul(0x9E37_79B9) >> (32 - slots.len().ilog2());
    let mut slot = hash as usize;
    while slots[slot] != entry && slots[slot] != 0 {
        slot = (slot + 1) % slots.len();
    }
    slot
}

/// The terms that more than one article has, and perhaps a few others: two bits for each of many hashes.
struct SharedTerms {
    seen: Vec<u64>,
    again: Vec<u64>,
}

impl SharedTerms {
    /// Room for the terms of so many articles: with four times as many bits as articles have terms of their
    /// own, one term in five is held for shared that is not.
    fn with_room_for(articles: usize) -> Self {
        let words = (articles * BITS_PER_ARTICLE / 64).next_power_of_two();
        Self {
            seen: vec![0; words],
            again: vec![0; words],
        }
    }

    fn add(&mut self, hash: u64) {
        let (word, bit) = self.bit(hash);
        self.again[word] |= self.seen[word] & bit;
        self.seen[word] |= bit;
    }

    fn may_have(&self, hash: u64) -> bool {
        let (word, bit) = self.bit(hash);
        self.again[word] & bit != 0
    }

    fn bit(&self, hash: u64) -> (usize, u64) {
        // Its lowest two bits are the kind of the term.
        let word = (hash >> 8) as usize & (self.seen.len() - 1);
        (word, 1 << ((hash >> 2) & 63))
    }
}

/// The terms of one article after another, in any order, for the one that takes them by place.
type TakeTerms<'t> = dyn FnMut(u32, &[u64]) + 't;

impl TermIndex {
    /// The index of so many articles. `read` gives the hashes of the terms of each article, which differ from
    /// each other; it is asked twice, so that terms of a single article never are in memory. Those beyond
    /// [`MAX_TERMS`] do not count. Only candidates are listed as similar to others.
    ///
    /// # Errors
    /// Those of `read`.
    ///
    /// # Panics
    /// If the articles have 2^32 terms together.
    pub fn of<E>(
        articles: usize,
        is_candidate: impl Fn(u32) -> bool,
        read: impl Fn(&mut TakeTerms<'_>) -> Result<(), E>,
    ) -> Result<Self, E> {
        let mut shared = SharedTerms::with_room_for(articles);
        read(&mut |_, terms| {
            let terms = terms.iter().take(MAX_TERMS);
            terms.for_each(|hash| shared.add(*hash));
        })?;
        let mut index = Self {
            starts: vec![0; articles],
            counts: vec![0; articles],
            terms: Vec::new(),
            hashes: Vec::new(),
            posting_starts: Vec::new(),
            postings: Vec::new(),
        };
        let mut ids = HashTable::new();
        read(&mut |place, terms| {
            index.starts[place as usize] = count(index.terms.len());
            let terms = terms.iter().take(MAX_TERMS);
            for hash in terms.filter(|hash| shared.may_have(**hash)) {
                let id = id_of(*hash, &mut ids, &mut index.hashes);
                index.terms.push(id);
                index.counts[place as usize] += 1;
            }
        })?;
        drop((ids, shared));
        index.set_postings(is_candidate);
        Ok(index)
    }

    /// Sets the candidates of each term, the oldest first, and where those of each term begin.
    fn set_postings(&mut self, is_candidate: impl Fn(u32) -> bool) {
        let candidates = || (0..count(self.starts.len())).filter(|place| is_candidate(*place));
        let mut starts = vec![0_u32; self.hashes.len() + 1];
        for term in candidates().flat_map(|place| self.terms_of(place)) {
            starts[*term as usize + 1] += 1;
        }
        for term in 1..starts.len() {
            starts[term] += starts[term - 1];
        }
        let mut postings = vec![0; starts[self.hashes.len()] as usize];
        // Each start moves on to the next, and is put back afterwards.
        for place in candidates() {
            for term in self.terms_of(place) {
                let next = &mut starts[*term as usize];
                postings[*next as usize] = place;
                *next += 1;
            }
        }
        starts.rotate_right(1);
        starts[0] = 0;
        (self.posting_starts, self.postings) = (starts, postings);
    }
}

/// The id of a term: its place in `hashes`.
fn id_of(hash: u64, ids: &mut HashTable<u32>, hashes: &mut Vec<u64>) -> u32 {
    // The table looks at both ends, and the lowest bits are the kind of the term.
    let spread = |hash: u64| hash.rotate_left(32);
    let place = |id: &u32| spread(hashes[*id as usize]);
    let entry = ids.entry(spread(hash), |id| hashes[*id as usize] == hash, place);
    let new = match entry {
        Entry::Occupied(id) => return *id.get(),
        Entry::Vacant(free) => *free.insert(count(hashes.len())).get(),
    };
    hashes.push(hash);
    new
}
