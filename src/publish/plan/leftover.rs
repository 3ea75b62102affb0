//! Routes that a run removes.

use super::entry::ObjectState;
use crate::article::Route;
use crate::publish::keys::Keys;
use crate::publish::reason::Reason;
use crate::publish::survey::stored::{Inspector, Likely};
use crate::store::{Session, StoreError};

/// One route to be removed, with what the store holds for it.
pub(crate) struct Leftover {
    pub route: Route,
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

    /// What the store holds of it, each object with its key.
    pub fn objects(&self, keys: &Keys) -> impl Iterator<Item = (ObjectState, String)> {
        let both = [
            (self.page, keys.page(&self.route)),
            (self.meta, keys.meta(&self.route)),
        ];
        both.into_iter()
            .filter(|(seen, _)| *seen != ObjectState::Absent)
    }
}
