//! What hashes of several parts, and short ones, have in common.

use std::io::{Read, Write};

use blake3::Hasher;

/// Adds a part behind its length, so that no two lists of parts give the same bytes.
pub(crate) fn add_part(hasher: &mut Hasher, bytes: &[u8]) {
    hasher.update(&(bytes.len() as u64).to_le_bytes());
    hasher.update(bytes);
}

/// The first 8 bytes of a hash.
pub(crate) fn first_bytes(hash: &blake3::Hash) -> [u8; 8] {
    let (first, _) = hash.as_bytes().split_first_chunk().expect("it has 32");
    *first
}

/// The first 8 bytes of the hash of what `hasher` was given, as a little-endian number.
pub(crate) fn short_hash(hasher: &Hasher) -> u64 {
    u64::from_le_bytes(first_bytes(&hasher.finalize()))
}

/// Hashes what goes through.
pub(crate) struct Hashing<T> {
    inner: T,
    hasher: blake3::Hasher,
    /// Hashed in large pieces: many bytes at a time go several times as fast.
    pending: Vec<u8>,
}

const PIECE: usize = 64 * 1024;

impl<T> Hashing<T> {
    pub(crate) fn new(inner: T) -> Self {
        Self {
            inner,
            hasher: blake3::Hasher::new(),
            pending: Vec::with_capacity(PIECE),
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        if self.pending.len() + bytes.len() > PIECE {
            self.hasher.update(&self.pending);
            self.pending.clear();
        }
        if bytes.len() > PIECE {
            self.hasher.update(bytes);
        } else {
            self.pending.extend_from_slice(bytes);
        }
    }

    /// The inner one, and the hash of everything so far.
    pub(crate) fn finish(mut self) -> (T, [u8; 32]) {
        self.hasher.update(&self.pending);
        (self.inner, *self.hasher.finalize().as_bytes())
    }
}

impl<T: Read> Read for Hashing<T> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.take(&buffer[..count]);
        Ok(count)
    }
}

impl<T: Write> Write for Hashing<T> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.take(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}
