//! Running among others: one writer at a time, and the list of what ran.

pub mod connect;
pub mod disk;
pub mod fence;
mod fits;
mod folder_id;
pub mod history;
pub mod interrupt;
pub mod joined;
pub mod keep;
pub mod largest;
pub mod lock;
pub mod refusal;
mod rights;
pub mod room;
pub mod run;
pub mod runs;
