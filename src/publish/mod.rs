//! From what is to be in the store to what is in it, with a way back.

pub mod apply;
pub mod expiry;
pub mod lease;
pub mod manifest;
pub mod plan;
pub mod spool;
pub mod state;
pub mod step;
pub mod switch;
pub mod time_limit;
