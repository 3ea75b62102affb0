//! Parts of a manifest that cannot be read, for people.

use super::log;
use crate::publish::manifest::Lost;

/// So many damaged parts of a manifest are named one by one.
const FIRST_LOST: usize = 20;

/// Names the parts of a manifest that cannot be read.
pub(super) fn warn_of_lost(lost: &[Lost]) {
    for Lost {
        path,
        from,
        to,
        what,
    } in lost.iter().take(FIRST_LOST)
    {
        let shown = path.display();
        let place = if from == to {
            format!("frames are missing before byte {from}")
        } else {
            format!("bytes {from} to {to} cannot be read")
        };
        log::warning(format!("the manifest {shown}: {place}: {what}"));
    }
    if lost.len() > FIRST_LOST {
        let more = lost.len() - FIRST_LOST;
        log::warning(format!("… and {more} more places, all in the JSON output"));
    }
    if !lost.is_empty() {
        log::warning(
            "keys that were recorded there alone stay as they are now; this run undoes the others",
        );
    }
}
