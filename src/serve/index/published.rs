//! A run whose articles are listed.

use std::path::Path;

use crate::publish::history::runs::Runs;
use crate::publish::manifest::{Header, Manifest, Verify};
use crate::store::Address;

/// A run and where its manifest ends: another end means that it has gone on since.
#[derive(Clone, Debug)]
pub(super) struct Mark {
    pub(super) header: Header,
    frames: usize,
    is_whole: bool,
}

impl Mark {
    /// Whether both are the same run at the same point.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.header.run == other.header.run && self.frames == other.frames
    }

    /// Whether the run ended by itself.
    pub(super) fn has_ended(&self) -> bool {
        self.is_whole
    }
}

/// The run `wanted` of `state_dir`, if it wrote into this store under this prefix.
///
/// # Errors
/// Why there is none, in a sentence for visitors: without any path.
pub(super) fn find(
    state_dir: &Path,
    address: &Address,
    prefix: &str,
    wanted: &str,
) -> Result<(Mark, Manifest), String> {
    let here = format!("{}, prefix {prefix}", address.without_path());
    let listed = Runs::of(state_dir)
        .list()
        .map_err(|error| format!("The runs cannot be listed: {error}."))?;
    // Only what the folder lists is opened: a name is no path.
    let Some(listed) = listed.iter().find(|listed| listed.id == wanted) else {
        return Err(format!("There is no run {wanted}."));
    };
    match listed.open(Verify::Ends) {
        Ok(manifest) if !is_here(&manifest, address, prefix) => {
            let prefix = &manifest.header().prefix;
            Err(format!(
                "The run {wanted} is about another store or prefix (prefix {prefix}); this is {here}."
            ))
        }
        Ok(manifest) => Ok(found(manifest)),
        Err(_) => Err(unreadable(wanted)),
    }
}

/// What is said of a run whose manifest cannot be read; `anp runs` says why.
pub(super) fn unreadable(run: &str) -> String {
    format!("The manifest of the run {run} cannot be read.")
}

fn found(manifest: Manifest) -> (Mark, Manifest) {
    let mark = Mark {
        header: manifest.header().clone(),
        frames: manifest.frames(),
        is_whole: manifest.footer().is_some(),
    };
    (mark, manifest)
}

fn is_here(manifest: &Manifest, address: &Address, prefix: &str) -> bool {
    let header = manifest.header();
    let there = Address::parse(&header.server);
    header.prefix == prefix && there.is_ok_and(|there| there.same_as(address))
}
