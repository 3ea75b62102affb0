//! The caches between the store and the readers: how long they may keep an answer, how they are purged
//! of what a run changed, and the program that is told of a run.
//!
//! `cache_policy` and `nginx_site` are about the fronts. The rest is done after a run: its changes are
//! `event`s; a `target` makes `request`s of them; `send` sends these with the `secrets` of the
//! environment, and `purge` counts what came of it. `command` runs a program.

mod cache_policy;
mod command;
mod event;
mod nginx_site;
mod purge;
mod request;
mod secrets;
mod send;
mod target;

pub use cache_policy::CachePolicy;
pub use command::run as run_command;
pub use event::{Change, changes};
pub use nginx_site::NginxSite;
pub use purge::{ChangeCount, Purge, Purged};
pub use request::{Request, Requests};
pub use secrets::{has_variable, is_variable_name};
pub use target::{After, FASTLY_BATCH, PurgeTarget, Service, Site};
