//! What the store holds for the articles of a batch, in one or two round trips.

use crate::article::Route;
use crate::publish::plan::{Keys, Seen};
use crate::render;
use crate::store::{Batch, Reply, Session, StoreError};

/// What a key of a foreign type is taken to hold until it is read.
const FOREIGN_BYTES: u64 = 1024 * 1024;

/// Asks the store what it holds for a batch of routes.
pub struct Inspector<'a> {
    /// The store.
    pub session: &'a mut Session,
    /// How keys are named.
    pub keys: &'a Keys,
}

impl Inspector<'_> {
    /// What the store holds for each of `routes`: page and meta.
    ///
    /// # Errors
    /// When the store fails.
    pub fn inspect(&mut self, routes: &[&Route]) -> Result<Vec<(Seen, Seen)>, StoreError> {
        let doing = "comparing the articles with the store";
        let keys: Vec<[String; 2]> = routes
            .iter()
            .map(|route| [self.keys.page(route), self.keys.meta(route)])
            .collect();
        let mut batch = Batch::default();
        for key in keys.iter().flatten() {
            batch.push(&[b"PEXPIRETIME", key.as_bytes()]);
        }
        // Most keys of a first import are absent, and the expiry alone tells.
        let mut expiries = Vec::with_capacity(batch.len());
        for reply in self.session.run(&batch, doing)? {
            match reply {
                Reply::Int(at) => expiries.push(at),
                other => return other.fail(doing),
            }
        }
        batch.clear();
        for (index, at) in expiries.iter().enumerate() {
            if *at == -2 {
                continue;
            }
            let key = keys[index / 2][index % 2].as_bytes();
            let (from, to) = if index % 2 == 0 {
                (format!("-{}", render::PAGE_TAIL_BYTES), "-1".to_owned())
            } else {
                ("0".to_owned(), (render::META_HEAD_BYTES - 1).to_string())
            };
            batch.push(&[b"STRLEN", key]);
            batch.push(&[b"GETRANGE", key, from.as_bytes(), to.as_bytes()]);
        }
        let mut replies = if batch.is_empty() {
            Vec::new().into_iter()
        } else {
            self.session.run(&batch, doing)?.into_iter()
        };
        let mut seen = Vec::with_capacity(expiries.len());
        for (index, at) in expiries.into_iter().enumerate() {
            if at == -2 {
                seen.push(Seen::Absent);
                continue;
            }
            let length = replies.next().unwrap_or(Reply::Nil);
            let part = replies.next().unwrap_or(Reply::Nil);
            seen.push(look(index % 2 == 0, at, length, part, doing)?);
        }
        Ok(seen
            .chunks_exact(2)
            .map(|pair| (pair[0], pair[1]))
            .collect())
    }
}

fn look(
    is_page: bool,
    expiry: i64,
    length: Reply,
    part: Reply,
    doing: &str,
) -> Result<Seen, StoreError> {
    let (bytes, digest) = match (length, part) {
        (Reply::Int(length), Reply::Bulk(part)) => {
            let digest = if is_page {
                render::page_digest(&part)
            } else {
                render::meta_digest(&part)
            };
            (length.unsigned_abs(), digest)
        }
        // A foreign type: an update whose prior state is kept by DUMP.
        (Reply::Error { code, .. }, _) if code == "WRONGTYPE" => (FOREIGN_BYTES, None),
        (error @ Reply::Error { .. }, _) | (_, error) => return error.fail(doing),
    };
    Ok(Seen::Present {
        expires_at_ms: (expiry >= 0).then_some(expiry),
        bytes,
        digest,
    })
}
