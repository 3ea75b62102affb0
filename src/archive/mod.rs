//! What is made from many articles: similar posts.
//!
//! Nothing here knows the store, the clock or the command line: the same articles give the same lists.

mod similar;
mod terms;

pub use similar::{Explanation, Match, Scratch, Similar, TermIndex, TermIndexBuilder, WeighedTerm};
pub use terms::{MAX_TERMS, Term, TermKind, term_hashes, terms};
