//! Whether the server takes a value as large as the largest one of a run, or of its way back. A
//! server closes the connection over a longer one than its `proto-max-bulk-len`, without a word
//! about the key.

use crate::exit::Exit;
use crate::failure::Failure;
use crate::store::{Batch, Class, Connector, StoreError, connect};

/// The least that a server can be set to take, in bytes (redis.conf, `proto-max-bulk-len`).
const EVERY_SERVER_TAKES: u64 = 1024 * 1024;

/// So often it is tried before a server that closes the connection is believed to do so over the
/// value.
const TRIES: usize = 2;

/// Refuses a run with a value that a server does not take: `bytes` bytes at `key`. `spare_key` is
/// one that nobody has.
///
/// # Errors
/// 65 when a server closes the connection over such a value; 69 and 77 when it cannot be asked.
pub fn check(connector: &Connector, key: &str, bytes: u64, spare_key: &str) -> Result<(), Failure> {
    if bytes <= EVERY_SERVER_TAKES {
        return Ok(());
    }
    let failed = |error: StoreError| Failure::before_writing(&error);
    let value = vec![0; usize::try_from(bytes).unwrap_or(usize::MAX)];
    let mut batch = Batch::default();
    // Nothing is set where there is no such key.
    batch.push(&[b"SET", spare_key.as_bytes(), &value, b"XX"]);
    drop(value);
    for _ in 0..TRIES {
        // Connections of its own: the server closes them. That they are made shows that it answers.
        let mut store = connect(connector).map_err(failed)?;
        let mut took_it = true;
        for (index, master) in store.masters().into_iter().enumerate() {
            if master.share > 0.0 {
                match store.send_to(index, &batch) {
                    Ok(_) => {}
                    Err(error) if error.class == Class::FindAgain => took_it = false,
                    Err(error) => return Err(failed(error)),
                }
            }
        }
        if took_it {
            return Ok(());
        }
    }
    let what = format!(
        "{key}: a value of {bytes} bytes, over which the server closes the connection; its \
         proto-max-bulk-len is smaller"
    );
    Err(Failure::new(Exit::Refused, what)
        .note("expected", "values that the server takes")
        .note(
            "retry",
            "safe once the server takes larger values (CONFIG SET proto-max-bulk-len) or the \
             article is smaller; nothing was written",
        ))
}
