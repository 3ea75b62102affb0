//! The probe: does a front answer with what the store holds, and how fast?
//!
//! 1. [`Target`] and [`Front`]: an address, looked up once. Nothing else is ever called.
//! 2. `routes`: which pages, files and redirects are asked for; [`Subject`]: one of them.
//! 3. [`Client`]: HTTP/1.1 that hides nothing, over `wire` (TCP or TLS).
//! 4. [`visit()`]: the exchanges about one of them; [`Stored`]: what the store holds for it.
//! 5. [`CHECKS`]: a table of small functions that judge the one by the other.
//! 6. [`Load`]: response times at a constant rate; [`bars()`]: their histogram.
//!
//! It only ever reads: from the store with PTTL and GETRANGE, from the front with GET
//! and HEAD.

mod bars;
mod body;
mod checks;
mod client;
mod coding;
mod head;
mod load;
mod routes;
mod stored;
mod subject;
mod target;
mod visit;
mod wire;

pub use checks::{CHECKS, FILE, GONE, MISSING, REDIRECT};

pub(crate) use bars::{bars, show};
pub(crate) use checks::{Check, Scene, Verdict, checks_of};
pub(crate) use client::Client;
pub(crate) use load::{Load, Measured};
pub(crate) use routes::sample;
pub(crate) use stored::Stored;
pub(crate) use subject::Subject;
pub(crate) use target::{Target, cookie};
pub(crate) use visit::{Visit, visit};
pub(crate) use wire::{Front, Trouble};
