//! Pages and meta objects as a reader, a browser and the store see them.

mod archive_pages;
mod dom;
mod hostile;
mod html;
mod judge;
mod page;
mod soup;
mod support;
mod synth;
mod templates;
mod text;
mod work;
