//! `--report FILE`: a page about a run, for people who were not there. It is one HTML file without
//! scripts that needs nothing else.

mod chart;
mod differences;
mod findings;
mod folders;
mod run_page;
mod target;
mod view;

pub(crate) use run_page::{MOST_DIFFERENCES, Phases, RunPage};

use crate::durable;
use crate::exit::Exit;
use crate::failure::Failure;

/// Readable by every user of this machine, as the metrics file.
const MODE: u32 = 0o644;

/// Writes the page of a run that `ended` so.
///
/// # Errors
/// The file cannot be written.
pub(crate) fn write(page: &RunPage, ended: &Result<Exit, Failure>) -> std::io::Result<()> {
    let html = view::html(page, ended).map_err(std::io::Error::other)?;
    durable::replace(page.path(), html.as_bytes(), MODE)
}
