//! Routes that a run removes.

use super::entry::{EntryKind, ObjectState};
use std::collections::BTreeSet;

use crate::article::Route;
use crate::publish::keys::Keys;
use crate::publish::reason::Reason;
use crate::publish::survey::stored::{Inspector, Likely};
use crate::store::{Session, StoreError};

/// One route to be removed, with what the store holds for it.
pub(crate) struct Leftover {
    pub kind: EntryKind,
    pub route: Route,
    /// The first object of it: the page, where there is one.
    pub page: ObjectState,
    pub meta: ObjectState,
    /// Why it is removed.
    pub reason: Reason,
}

/// So many routes are looked at in one round trip.
pub(crate) const LOOK_ROUTES: usize = 512;

impl Leftover {
    /// Those of `routes` of which the store holds something, seen as `meant` has it, to be removed for
    /// `reason`.
    ///
    /// # Errors
    /// When the store fails.
    pub fn all(
        session: &mut Session,
        keys: &Keys,
        routes: &[&Route],
        (meant, reason): (impl Fn(ObjectState) -> ObjectState, Reason),
    ) -> Result<Vec<Self>, StoreError> {
        let mut inspector = Inspector { session, keys };
        let mut leftovers = Vec::new();
        for chunk in routes.chunks(LOOK_ROUTES) {
            inspector.session.goes_on("looking at stored articles")?;
            let seen = inspector.inspect(chunk, Likely::Stored)?;
            for (route, (page, meta)) in chunk.iter().zip(seen) {
                let (page, meta) = (meant(page), meant(meta));
                if page != ObjectState::Absent || meta != ObjectState::Absent {
                    leftovers.push(Self {
                        kind: match meta.is_list() {
                            true => EntryKind::List,
                            false => EntryKind::Article,
                        },
                        route: (*route).clone(),
                        page,
                        meta,
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
        let all = Self::all(session, keys, &routes, (|seen| seen, Reason::List))?;
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
        let mut inspector = Inspector { session, keys };
        let mut found = Vec::new();
        for some in routes.chunks(LOOK_ROUTES) {
            let seen = inspector.inspect_one(object, some, Likely::Stored)?;
            for (route, seen) in some.iter().zip(seen) {
                let seen = meant(seen);
                if seen != ObjectState::Absent {
                    found.push(Self {
                        kind,
                        route: (*route).clone(),
                        page: seen,
                        meta: ObjectState::Absent,
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
        let seen = kinds.zip([self.page, self.meta]);
        let stored = seen.filter(|(_, seen)| *seen != ObjectState::Absent);
        stored.map(|(kind, seen)| (seen, keys.of(*kind, &self.route)))
    }

    /// The number of these.
    pub fn stored(&self) -> usize {
        let seen = [self.page, self.meta].into_iter();
        seen.filter(|seen| *seen != ObjectState::Absent).count()
    }

    /// Whether it was made from many articles.
    pub fn is_archive(&self) -> bool {
        self.kind.is_archive()
    }
}
