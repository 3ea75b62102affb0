//! The caches between the store and the readers: how long they may keep an answer.

mod cache_policy;
mod nginx_site;

pub use cache_policy::CachePolicy;
pub use nginx_site::NginxSite;
