//! Routes that a run removes.

use super::entry::EntryKind;
use super::stored_article::{ObjectState, StoredArticle};
use std::collections::BTreeSet;

use crate::article::Route;
use crate::publish::keys::Keys;
use crate::publish::reason::Reason;
use crate::publish::survey::stored::{Inspector, Likely};
use crate::store::{Class, Session, StoreError};

/// One route to be removed, with what the store holds for it.
pub(crate) struct Leftover {
    pub kind: EntryKind,
    pub route: Route,
    pub stored: StoredArticle,
    /// Why it is removed.
    pub reason: Reason,
}

/// So many routes are looked at in one round trip.
pub(crate) const LOOK_ROUTES: usize = 512;

impl Leftover {
    /// Those of `routes` of which the store holds something, seen as `meant` has it, to be removed for
    /// `reason`. Texts count where this user may touch them: an import without texts needs no right to.
    ///
    /// # Errors
    /// When the store fails.
    pub fn whole(
        session: &mut Session,
        keys: &Keys,
        routes: &[&Route],
        (meant, reason): (impl Fn(ObjectState) -> ObjectState + Copy, Reason),
    ) -> Result<Vec<Self>, StoreError> {
        match Self::all(session, keys, (routes, true), (meant, reason)) {
            Err(error) if error.class == Class::Never => {
                Self::all(session, keys, (routes, false), (meant, reason))
            }
            found => found,
        }
    }

    /// The same, with texts where they are asked for.
    ///
    /// # Errors
    /// When the store fails.
    pub fn all(
        session: &mut Session,
        keys: &Keys,
        (routes, has_text): (&[&Route], bool),
        (meant, reason): (impl Fn(ObjectState) -> ObjectState, Reason),
    ) -> Result<Vec<Self>, StoreError> {
        let mut inspector = Inspector::new(session, keys);
        let mut leftovers = Vec::new();
        for chunk in routes.chunks(LOOK_ROUTES) {
            inspector.session.goes_on("looking at stored articles")?;
            let seen = inspector.inspect((chunk, has_text), Likely::Stored)?;
            for (route, stored) in chunk.iter().zip(seen) {
                let mut stored = stored.map(&meant);
                let kind = match stored.meta.is_list() {
                    true => EntryKind::List,
                    false => EntryKind::Article,
                };
                if kind == EntryKind::List {
                    stored.text = None;
                }
                if stored.objects().any(|seen| *seen != ObjectState::Absent) {
                    leftovers.push(Self {
                        kind,
                        route: (*route).clone(),
                        stored,
                        reason,
                    });
                }
            }
        }
        Ok(leftovers)
    }

    /// Those of `routes` that are pages of lists.
    ///
    /// # Errors
    /// When the store fails.
    pub fn lists(
        session: &mut Session,
        keys: &Keys,
        routes: &BTreeSet<Route>,
    ) -> Result<Vec<Self>, StoreError> {
        let routes: Vec<&Route> = routes.iter().collect();
        let all = Self::all(session, keys, (&routes, false), (|seen| seen, Reason::List))?;
        let lists = all.into_iter().filter(|one| one.kind == EntryKind::List);
        Ok(lists.collect())
    }

    /// The objects of a kind that stand alone, at those of `routes` where the store holds something, seen as
    /// `meant` has it, to be removed for `reason`.
    ///
    /// # Errors
    /// When the store fails.
    pub fn singles(
        session: &mut Session,
        keys: &Keys,
        (kind, routes): (EntryKind, &BTreeSet<Route>),
        (meant, reason): (impl Fn(ObjectState) -> ObjectState, Reason),
    ) -> Result<Vec<Self>, StoreError> {
        let object = kind.objects()[0];
        let routes: Vec<&Route> = routes.iter().collect();
        let mut inspector = Inspector::new(session, keys);
        let mut found = Vec::new();
        for some in routes.chunks(LOOK_ROUTES) {
            let seen = inspector.inspect_one(object, some, Likely::Stored)?;
            for (route, seen) in some.iter().zip(seen) {
                let seen = meant(seen);
                if seen != ObjectState::Absent {
                    found.push(Self {
                        kind,
                        route: (*route).clone(),
                        stored: StoredArticle::single(seen),
                        reason,
                    });
                }
            }
        }
        Ok(found)
    }

    /// What the store holds of it, each object with its key.
    pub fn objects(&self, keys: &Keys) -> impl Iterator<Item = (ObjectState, String)> {
        let kinds = self.kind.objects().iter();
        let seen = kinds.zip(self.stored.objects().copied());
        let stored = seen.filter(|(_, seen)| *seen != ObjectState::Absent);
        stored.map(|(kind, seen)| (seen, keys.of(*kind, &self.route)))
    }

    /// The number of these.
    pub fn stored(&self) -> usize {
        let seen = self.stored.objects();
        seen.filter(|seen| **seen != ObjectState::Absent).count()
    }

    /// Whether it was made from many articles.
    pub fn is_archive(&self) -> bool {
        self.kind.is_archive()
    }
}
