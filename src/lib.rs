//! anp, the alphanode publisher: generated articles into Redis, with a way back.
//!
//! The modules, in the order in which data flows through them:
//!
//! 1. [`article`]: one source file → front matter → validated, cleaned [`article::Article`].
//! 2. [`render`]: an article → the page and meta objects.
//!
//! Beside the flow: [`synth`] makes seeded articles for tests and load tests.

pub mod article;
pub mod diagnostic;
pub mod exit;
pub mod render;
pub mod report;
pub mod synth;
