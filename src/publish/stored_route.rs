//! What the store holds for one route.

use super::keys::{Keys, ObjectKind};
use super::plan::scan::scan;
use super::survey::routes::nearest;
use crate::article::Route;
use crate::store::{Batch, Class, Reply, Session, StoreError};

/// What the store holds for a route.
pub(crate) struct StoredRoute {
    /// The page, if there is one.
    pub(crate) page: Option<StoredObject>,
    /// The meta object, if there is one.
    pub(crate) meta: Option<StoredObject>,
    /// The text, if there is one.
    pub(crate) text: Option<StoredObject>,
    /// The server's clock before that, ms since 1970.
    pub(crate) now_ms: i64,
}

impl StoredRoute {
    /// Reads the objects of `route`. A text that this user may not read counts as none.
    pub(crate) fn read(
        session: &mut Session,
        keys: &Keys,
        route: &Route,
    ) -> Result<Self, StoreError> {
        Ok(Self {
            now_ms: session.now_ms()?,
            page: held(session, keys.page(route))?,
            meta: held(session, keys.meta(route))?,
            text: match held(session, keys.of(ObjectKind::Text, route)) {
                Err(error) if error.class == Class::Never => None,
                text => text?,
            },
        })
    }
}

/// So many routes are offered in place of one that is not there.
const NEAREST: usize = 3;

/// The stored routes that look most like `route`, as one line to ask with; none where nothing does, or
/// where the keys cannot be looked through.
pub(crate) fn did_you_mean(session: &mut Session, keys: &Keys, route: &Route) -> Option<String> {
    let known = scan(session, keys).ok()?;
    let alike = nearest(route, &known, NEAREST);
    let names: Vec<String> = alike.iter().map(ToString::to_string).collect();
    (!names.is_empty()).then(|| format!("did you mean {}?", names.join(" or ")))
}

/// One object as the store holds it.
pub(crate) struct StoredObject {
    /// Its key.
    pub(crate) key: String,
    /// Its type.
    pub(crate) kind: String,
    /// Absolute expiry, ms since 1970.
    pub(crate) expires_at_ms: Option<i64>,
    /// The bytes of a string.
    pub(crate) value: Option<Vec<u8>>,
}

fn held(session: &mut Session, key: String) -> Result<Option<StoredObject>, StoreError> {
    let doing = "reading one route";
    let mut batch = Batch::default();
    batch.push(&[b"TYPE", key.as_bytes()]);
    batch.push(&[b"PEXPIRETIME", key.as_bytes()]);
    batch.push(&[b"GET", key.as_bytes()]);
    let mut replies = session.run(&batch, doing)?.into_iter();
    let mut next = || replies.next().unwrap_or(Reply::Nil);
    let (kind, expiry, value) = (next(), next(), next());
    let kind = match kind.text() {
        Some("none") => return Ok(None),
        Some(kind) => kind.to_owned(),
        None => return kind.fail(doing),
    };
    let expires_at_ms = match expiry {
        Reply::Int(at) => (at >= 0).then_some(at),
        other => return other.fail(doing),
    };
    let value = match value {
        Reply::Bulk(bytes) => Some(bytes),
        Reply::Error { code, .. } if code == "WRONGTYPE" => None,
        Reply::Nil => None,
        other => return other.fail(doing),
    };
    Ok(Some(StoredObject {
        key,
        kind,
        expires_at_ms,
        value,
    }))
}
