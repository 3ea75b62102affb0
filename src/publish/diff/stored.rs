//! What the store holds at some keys.

use super::{MOST_BYTES, Side};
use crate::failure::Failure;
use crate::store::{Batch, Reply, Session, StoreError};

const DOING: &str = "reading the objects that differ";

/// What the store holds at each of `keys`, in one round trip.
pub(super) fn read(session: &mut Session, keys: &[&str]) -> Result<Vec<Side>, Failure> {
    let last = MOST_BYTES.to_string();
    let mut batch = Batch::default();
    for key in keys {
        batch.push(&[b"EXISTS", key.as_bytes()]);
        batch.push(&[b"GETRANGE", key.as_bytes(), b"0", last.as_bytes()]);
    }
    if batch.is_empty() {
        return Ok(Vec::new());
    }
    let replies = session.run(&batch, DOING);
    let replies = replies.map_err(|error| Failure::of_reading(&error))?;
    let mut replies = replies.into_iter();
    let sides = keys.iter().map(|_| {
        let mut next = || replies.next().unwrap_or(Reply::Nil);
        side(next(), next()).map_err(|error| Failure::of_reading(&error))
    });
    sides.collect()
}

fn side(exists: Reply, value: Reply) -> Result<Side, StoreError> {
    match (exists, value) {
        (Reply::Int(_), Reply::Error { code, .. }) if code == "WRONGTYPE" => Ok(Side::OtherType),
        (Reply::Int(0), Reply::Bulk(value)) if value.is_empty() => Ok(Side::Absent),
        (Reply::Int(_), Reply::Bulk(value)) if value.len() > MOST_BYTES => Ok(Side::TooLarge),
        (Reply::Int(_), Reply::Bulk(value)) => Ok(Side::Value(value)),
        (Reply::Int(_), other) | (other, _) => other.fail(DOING),
    }
}
