//! anp, the alphanode publisher: generated articles into Redis, with a way back.
//!
//! The modules, in the order in which data flows through them. Each uses only what stands
//! below it in the lists of its own dependencies; a test keeps it so.
//!
//! 1. [`cli`] and [`settings`]: what was asked for, validated.
//! 2. [`commands`]: one file a command: arguments, settings, one call of [`publish`], report.
//! 3. [`publish`]: the product: survey, plan, gates, run, apply, manifest, rollback.
//! 4. [`source`]: a content tree, a single file, or a generator → sources.
//! 5. [`article`]: one source → front matter ([`front_matter`], [`yaml`]) → validated, cleaned article.
//! 6. [`render`]: an article → the page and meta objects.
//! 7. [`archive`]: all articles → lists, feeds, the sitemap, similar posts.
//! 8. [`store`]: the seam to Redis or Valkey.
//! 9. [`report`]: what people and machines see.
//!
//! Beside the flow, `serve` shows what the store holds over HTTP; it alone, and the connection
//! that it reads through, know of an async runtime (feature `serve`). `probe` asks any front for
//! what the store holds (feature `probe`). `durable` replaces files as a whole, `regular` opens
//! no other kind of file, `private` knows whose a folder is, and [`synth`] makes seeded articles for tests and load tests.

pub mod archive;
pub mod article;
pub mod characters;
pub mod cli;
pub mod commands;
pub mod diagnostic;
mod durable;
mod duration;
pub mod edge;
pub mod exit;
mod failpoint;
pub mod failure;
pub mod front_matter;
mod hashing;
mod hex;
mod private;
#[cfg(feature = "probe")]
pub mod probe;
pub mod publish;
mod regular;
pub mod render;
pub mod report;
#[cfg(feature = "serve")]
mod serve;
pub mod settings;
mod signals;
pub mod source;
pub mod spool;
pub mod store;
pub mod synth;
mod time_limit;
mod words;
pub mod yaml;
