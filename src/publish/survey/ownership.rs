//! Which articles this process writes, and what is done about the others: they are read and checked
//! like these, so that each process knows of all errors and of all routes.

use std::collections::HashSet;
use std::path::Path;

use super::batch::Chunk;
use super::stored::Likely;
use super::surveyor::Surveyor;
use crate::article::{Metadata, Route};
use crate::publish::plan::entry::{Need, need};
use crate::publish::shards::shard::Shard;
use crate::render::Digest;
use crate::store::StoreError;

/// The part of the articles that one process writes.
#[derive(Clone, Copy, Debug)]
pub struct OwnShare {
    /// Which ones.
    pub shard: Shard,
    /// Whether it is to be known of the others, too, if they changed.
    pub counts_changes: bool,
}

/// A valid article that is not written here, with the route that it claims.
pub(crate) struct Other {
    pub(crate) index: usize,
    pub(crate) route: Route,
    pub(crate) whose: Whose,
}

/// Who writes an article.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    /// This process.
    Own,
    /// Nobody: it is not meant.
    Nobody,
    /// Another shard.
    Elsewhere {
        /// Whether it is known that it changed.
        is_changed: bool,
    },
}

impl Surveyor<'_> {
    /// Who writes the article; notes which selectors mean it.
    pub(crate) fn whose(
        &self,
        route: &Route,
        relative: &Path,
        metadata: Option<&Metadata>,
        busy: &mut HashSet<usize>,
    ) -> Whose {
        if !self.selection.is_empty() {
            let takers = self.selection.takers(route, relative, metadata);
            busy.extend(&takers);
            if takers.is_empty() {
                return Whose::Nobody;
            }
        }
        match self.share {
            Some(share) if !share.shard.takes(route) => Whose::Elsewhere { is_changed: false },
            _ => Whose::Own,
        }
    }

    /// Leaves articles to the shards that they belong to. Where changes are counted, they are
    /// compared with the store as those shards do it.
    pub(crate) fn leave(
        &self,
        articles: Vec<(usize, Route, Digest, Option<u64>)>,
        likely: Likely,
        chunk: &mut Chunk,
    ) -> Result<(), StoreError> {
        let counts_changes = self.share.is_some_and(|share| share.counts_changes);
        let seen = if counts_changes {
            let routes: Vec<&Route> = articles.iter().map(|(_, route, _, _)| route).collect();
            self.inspect(&routes, likely)?
        } else {
            Vec::new()
        };
        let mut seen = seen.into_iter();
        for (index, route, digest, ttl_ms) in articles {
            let is_changed = seen.next().is_some_and(|(page, meta)| {
                let when = (&self.expiry, &route);
                need(self.policy, (&page, &meta), digest, when, ttl_ms) == Need::Write
            });
            chunk.others.push(Other {
                index,
                route,
                whose: Whose::Elsewhere { is_changed },
            });
        }
        Ok(())
    }
}
