//! Which articles this process writes, and what is done about the others: they are read and checked
//! like these, so that each process knows of all errors and of all routes.

use std::collections::HashSet;
use std::path::Path;

use super::batch::{Chunk, Other, Owner, SurveyError};
use super::stored::Likely;
use super::surveyor::Surveyor;
use crate::article::{Lifetime, Metadata, Route};
use crate::publish::plan::need::{Need, need};
use crate::render::Digest;

/// Who writes the article; notes which selectors mean it.
pub(crate) fn owner_of(
    surveyor: &Surveyor<'_>,
    route: &Route,
    relative: &Path,
    metadata: Option<&Metadata>,
    busy: &mut HashSet<usize>,
) -> Owner {
    if !surveyor.selection.is_empty() {
        let takers = surveyor.selection.takers(route, relative, metadata);
        busy.extend(&takers);
        if takers.is_empty() {
            return Owner::Nobody;
        }
    }
    match surveyor.share {
        Some(share) if !share.shard.takes(route) => Owner::Elsewhere { is_changed: false },
        _ => Owner::Own,
    }
}

/// Leaves articles to the shards that they belong to. Where changes are counted, they are
/// compared with the store as those shards do it.
pub(crate) fn leave(
    surveyor: &Surveyor<'_>,
    articles: Vec<(usize, Route, Digest, Lifetime)>,
    likely: Likely,
    chunk: &mut Chunk,
) -> Result<(), SurveyError> {
    let counts_changes = surveyor.share.is_some_and(|share| share.counts_changes);
    let seen = if counts_changes {
        let routes: Vec<&Route> = articles.iter().map(|(_, route, _, _)| route).collect();
        surveyor.inspect(&routes, likely)?
    } else {
        Vec::new()
    };
    let mut seen = seen.into_iter();
    for (index, route, digest, lifetime) in articles {
        let made = surveyor.made(index, digest)?;
        let is_changed = seen.next().is_some_and(|stored| {
            let when = (&surveyor.expiry, &route);
            need(surveyor.policy, &stored, made, when, lifetime) == Need::Write
        });
        chunk.others.push(Other {
            index,
            route,
            owner: Owner::Elsewhere { is_changed },
        });
    }
    Ok(())
}
