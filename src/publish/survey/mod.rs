//! From the sources of a content tree to what each of them needs in the store.

pub(crate) mod all_sources;
pub(crate) mod batch;
pub(crate) mod broken;
pub(crate) mod compress;
pub(crate) mod content;
pub(crate) mod findings;
pub(crate) mod gather;
pub(crate) mod guard;
pub(crate) mod held_back;
pub(crate) mod large;
pub(crate) mod links;
pub(crate) mod listings;
pub(crate) mod load;
pub(crate) mod own_headings;
pub(crate) mod ownership;
pub(crate) mod pool;
pub(crate) mod read;
pub(crate) mod read_again;
pub(crate) mod routes;
pub(crate) mod selection;
pub(crate) mod slowest;
pub(crate) mod stored;
pub(crate) mod surveyor;
pub(crate) mod targets;
pub(crate) mod unchanged;
