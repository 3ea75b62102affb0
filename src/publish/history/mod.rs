//! What the manifests of a state folder tell: which runs there were, how each ended, and which of
//! them are kept.

pub(crate) mod intents;
pub(crate) mod later_expiries;
pub mod listing;
pub(crate) mod open_manifest;
pub(crate) mod owed_notification;
pub mod records;
pub mod retention;
pub mod runs;
