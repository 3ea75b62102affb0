//! What the store holds for one route, or the path of one file.

use std::borrow::Cow;

use super::keys::{Keys, ObjectKind};
use super::plan::scan::scan;
use super::plan::stale::scan_singles;
use super::state::LARGEST_PRIOR_BYTES;
use super::survey::routes::nearest;
use super::survey::selection::TypedPath;
use crate::archive::Redirect;
use crate::article::Route;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::render::{GzipError, plain};
use crate::store::{Batch, Class, Reply, Session, StoreError};

/// What the store holds for a route, or for the path of a file.
pub(crate) struct StoredRoute {
    /// The page, if there is one.
    pub(crate) page: Option<StoredObject>,
    /// The meta object, if there is one.
    pub(crate) meta: Option<StoredObject>,
    /// The text, if there is one.
    pub(crate) text: Option<StoredObject>,
    /// The file, if there is one.
    pub(crate) file: Option<StoredObject>,
    /// The redirect, if there is one.
    pub(crate) redirect: Option<StoredRedirect>,
    /// The server's clock before that, ms since 1970.
    pub(crate) now_ms: i64,
}

impl StoredRoute {
    /// Reads the objects of `path`. A text or a redirect that this user may not read counts as none.
    pub(crate) fn read(
        session: &mut Session,
        keys: &Keys,
        path: &TypedPath,
    ) -> Result<Self, StoreError> {
        let now_ms = session.now_ms()?;
        let mut read = |kind: ObjectKind| {
            if (kind == ObjectKind::File) != path.is_file {
                return Ok(None);
            }
            match held(session, keys.of(kind, &path.route)) {
                Err(error)
                    if error.class == Class::Never
                        && matches!(kind, ObjectKind::Text | ObjectKind::Redirect) =>
                {
                    Ok(None)
                }
                read => read,
            }
        };
        Ok(Self {
            now_ms,
            page: read(ObjectKind::Page)?,
            meta: read(ObjectKind::Meta)?,
            text: read(ObjectKind::Text)?,
            file: read(ObjectKind::File)?,
            redirect: read(ObjectKind::Redirect)?
                .map(|object| StoredRedirect::of(object, &path.route)),
        })
    }

    /// Whether it holds anything.
    pub(crate) fn is_there(&self) -> bool {
        let objects = [&self.page, &self.meta, &self.text, &self.file];
        objects.into_iter().any(Option::is_some) || self.redirect.is_some()
    }
}

/// So many routes are offered in place of one that is not there.
const NEAREST: usize = 3;

/// The stored routes or files that look most like `path`, as one line to ask with; none where nothing does, or
/// where the keys cannot be looked through.
pub(crate) fn did_you_mean(session: &mut Session, keys: &Keys, path: &TypedPath) -> Option<String> {
    let [(_, files), (_, redirects), _] = scan_singles(session, keys).ok()?;
    let mut known = files;
    if !path.is_file {
        known = scan(session, keys).ok()?;
        known.extend(redirects);
    }
    let alike = nearest(&path.route, &known, NEAREST);
    let names: Vec<String> = alike.iter().map(ToString::to_string).collect();
    (!names.is_empty()).then(|| format!("did you mean {}?", names.join(" or ")))
}

/// A redirect as the store holds it.
pub(crate) struct StoredRedirect {
    pub(crate) object: StoredObject,
    /// Its status; none if fronts ignore the value.
    pub(crate) status: Option<u16>,
    /// Where it leads; none also for 410.
    pub(crate) to: Option<Route>,
}

impl StoredRedirect {
    fn of(object: StoredObject, route: &Route) -> Self {
        let value = object.value.as_ref();
        let redirect = value.and_then(|value| Redirect::parse_at(route, value));
        Self {
            status: redirect.as_ref().map(Redirect::status),
            to: redirect.and_then(|redirect| redirect.to().cloned()),
            object,
        }
    }
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

impl StoredObject {
    /// What a reader of it sees; none of another type than string.
    pub(crate) fn plain(&self) -> Option<Result<Cow<'_, [u8]>, GzipError>> {
        let value = self.value.as_deref()?;
        Some(plain(value, LARGEST_PRIOR_BYTES.max(value.len())))
    }

    /// The same, to be shown as it is.
    ///
    /// # Errors
    /// 3 where it is damaged.
    pub(crate) fn readable(&self) -> Result<Option<Cow<'_, [u8]>>, Failure> {
        self.plain().transpose().map_err(|error| {
            let what = format!("the store holds {error} at {}", self.key);
            Failure::new(Exit::Partial, what)
                .note("expected", "a value as anp import wrote it")
                .note("retry", "after anp import has written it again")
        })
    }

    /// The length of what was unpacked, where it is stored in gzip.
    pub(crate) fn unpacked_bytes(&self) -> Option<Result<usize, GzipError>> {
        match self.plain()? {
            Ok(Cow::Borrowed(_)) => None,
            Ok(Cow::Owned(plain)) => Some(Ok(plain.len())),
            Err(error) => Some(Err(error)),
        }
    }
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
