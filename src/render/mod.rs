//! An article → the bytes of its page and meta objects.

/// Hash of everything that decides a page: source bytes, route, templates, output
/// settings, renderer version. No clock, no run, no path. 128 bits of BLAKE3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Digest(pub [u8; 16]);

/// The two objects of one article, ready for the store.
#[derive(Debug)]
pub struct Rendered {
    /// The whole HTML page, ending in `<!--anp:DIGEST-->`.
    pub page: Vec<u8>,
    /// The meta object: one line of JSON, beginning `{"digest":"DIGEST",`.
    pub meta: Vec<u8>,
}
