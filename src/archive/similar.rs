//! Which older articles are similar to an article: those that share its rarest terms.
//!
//! Articles stand in the order of their age, the oldest first, and one is known by its place in that order.
//! Everything about the article at place `n` is computed from the articles before `n`: how rare a
//! term is, and who has it. So a new article at the end changes no list but its own, and one that is
//! put in between changes only lists of newer articles. All numbers are whole, so that the lists
//! are the same on every machine.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

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
    /// The terms of the article that another article has too, those of the greatest weight first.
    pub terms: Vec<WeighedTerm>,
    /// How many older articles were compared.
    pub candidates: usize,
    /// The list.
    pub matches: Vec<Match>,
}

/// The terms of all articles, and for each term the articles that have it.
///
/// Holds what takes no part in any list as little as it can: a term of a single article is left out.
#[derive(Debug)]
pub struct TermIndex {
    /// Where the terms of each article begin in `terms`; one more at the end.
    starts: Vec<u32>,
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
    /// A builder of an index.
    #[must_use]
    pub fn builder() -> TermIndexBuilder {
        TermIndexBuilder::default()
    }

    /// How many articles there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The memory that the index takes, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let numbers = [
            &self.starts,
            &self.terms,
            &self.posting_starts,
            &self.postings,
        ];
        let numbers: usize = numbers.iter().map(|numbers| numbers.capacity() * 4).sum();
        numbers + self.hashes.capacity() * 8
    }

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
        &self.terms[self.starts[place] as usize..self.starts[place + 1] as usize]
    }

    /// Adds the terms of an article to `out`, those of the greatest weight first.
    fn weigh(&self, place: u32, out: &mut Vec<PageTerm>) {
        let all = log2(place + 1);
        out.extend(self.terms_of(place).iter().map(|id| {
            let hash = self.hashes[*id as usize];
            let postings = self.postings_of(*id);
            let older = count(postings.partition_point(|other| *other < place));
            let rarity = all - log2(older + 1);
            PageTerm {
                weight: TermKind::of_hash(hash).weight() * (LEAST_WEIGHT + rarity),
                hash,
                id: *id,
                older,
            }
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

/// Takes the articles, the oldest first.
#[derive(Debug, Default)]
pub struct TermIndexBuilder {
    ids: HashMap<u64, u32, BuildHasherDefault<AsItIs>>,
    hashes: Vec<u64>,
    starts: Vec<u32>,
    terms: Vec<u32>,
    is_candidate: Vec<bool>,
}

impl TermIndexBuilder {
    /// Takes the next article by the hashes of its terms, which differ from each other; those beyond
    /// [`MAX_TERMS`] do not count. Only a candidate is listed as similar to others.
    ///
    /// # Panics
    ///
    /// If the articles have 2^32 terms together.
    pub fn push(&mut self, terms: &[u64], is_candidate: bool) {
        self.starts.push(count(self.terms.len()));
        self.is_candidate.push(is_candidate);
        for hash in terms.iter().take(MAX_TERMS) {
            let next = count(self.hashes.len());
            let id = *self.ids.entry(*hash).or_insert(next);
            if id == next {
                self.hashes.push(*hash);
            }
            self.terms.push(id);
        }
    }

    /// The index of all articles that were pushed.
    ///
    /// # Panics
    ///
    /// As [`push`](Self::push).
    #[must_use]
    pub fn finish(mut self) -> TermIndex {
        self.ids = HashMap::default();
        self.starts.push(count(self.terms.len()));
        self.keep_shared_terms();
        let (posting_starts, postings) = self.postings();
        self.starts.shrink_to_fit();
        self.terms.shrink_to_fit();
        self.hashes.shrink_to_fit();
        TermIndex {
            starts: self.starts,
            terms: self.terms,
            hashes: self.hashes,
            posting_starts,
            postings,
        }
    }

    /// Leaves out terms that one article alone has.
    fn keep_shared_terms(&mut self) {
        let mut uses = vec![0_u32; self.hashes.len()];
        for term in &self.terms {
            uses[*term as usize] += 1;
        }
        let mut ids = uses;
        let mut kept = 0;
        for (term, uses) in ids.iter_mut().enumerate() {
            let is_shared = *uses > 1;
            *uses = if is_shared { kept } else { u32::MAX };
            if is_shared {
                self.hashes[kept as usize] = self.hashes[term];
                kept += 1;
            }
        }
        self.hashes.truncate(kept as usize);

        let (mut read, mut written) = (0, 0);
        for place in 0..self.is_candidate.len() {
            let end = self.starts[place + 1] as usize;
            self.starts[place] = count(written);
            for index in read..end {
                let id = ids[self.terms[index] as usize];
                if id != u32::MAX {
                    self.terms[written] = id;
                    written += 1;
                }
            }
            read = end;
        }
        self.terms.truncate(written);
        if let Some(last) = self.starts.last_mut() {
            *last = count(written);
        }
    }

    /// The candidates of each term, the oldest first, and where those of each term begin.
    fn postings(&self) -> (Vec<u32>, Vec<u32>) {
        let candidates = || (0..self.is_candidate.len()).filter(|place| self.is_candidate[*place]);
        let terms = |place: usize| {
            &self.terms[self.starts[place] as usize..self.starts[place + 1] as usize]
        };
        let mut starts = vec![0_u32; self.hashes.len() + 1];
        for term in candidates().flat_map(terms) {
            starts[*term as usize + 1] += 1;
        }
        for term in 1..starts.len() {
            starts[term] += starts[term - 1];
        }
        let mut postings = vec![0; starts[self.hashes.len()] as usize];
        let mut ends = starts.clone();
        for place in candidates() {
            for term in terms(place) {
                let end = &mut ends[*term as usize];
                postings[*end as usize] = count(place);
                *end += 1;
            }
        }
        (starts, postings)
    }
}

/// Hashes that are hashes already.
#[derive(Debug, Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        // The table looks at both ends, and the lowest bits are the kind of the term.
        self.0.rotate_left(32)
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("only terms are hashed, which are numbers");
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}
