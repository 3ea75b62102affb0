//! Pages and meta objects as a reader, a browser and the store see them.

#![allow(clippy::unwrap_used)] // helpers of tests are tests

#[path = "render/dom.rs"]
mod dom;
#[path = "render/hostile.rs"]
mod hostile;
#[path = "render/judge.rs"]
mod judge;
#[path = "render/page.rs"]
mod page;
#[path = "render/soup.rs"]
mod soup;
#[path = "render/support.rs"]
mod support;
#[path = "render/synth.rs"]
mod synth;
#[path = "render/templates.rs"]
mod templates;
#[path = "render/work.rs"]
mod work;
