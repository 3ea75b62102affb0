//! Large articles are read and rendered one at a time. A parsed article holds up to 100 times as
//! many bytes as its source, so that a few at once would fill the memory.

use std::panic::resume_unwind;
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::article::marks;

/// A source whose text may make more bytes of HTML is large.
const LARGE_BYTES: usize = 512 * 1024;

/// How many bytes of HTML one byte of a source may become: `"` in an attribute is `&quot;`.
const MAX_GROWTH: usize = 6;

/// So is one with more line ends and characters of markup. Each makes up to two events and two
/// nodes of a parser's tree, of 60 to 200 bytes.
const LARGE_MARKS: usize = 32 * 1024;

/// Whether `source` is large.
pub(crate) fn is_large(source: &[u8]) -> bool {
    source.len() > LARGE_MARKS && (weight(source) > LARGE_BYTES || marks(source) > LARGE_MARKS)
}

/// How many bytes of HTML the text of `source` may make. What else grows is a mark.
fn weight(source: &[u8]) -> usize {
    if source.len() <= LARGE_BYTES / MAX_GROWTH || source.len() > LARGE_BYTES {
        return source.len();
    }
    let grown = |byte: &u8| match byte {
        b'"' => MAX_GROWTH,
        // With the byte that follows it, a no-break space: `&nbsp;`.
        0xc2 => MAX_GROWTH - 1,
        _ => 1,
    };
    source.iter().map(grown).sum()
}

/// Does what is to be done with a large article while no other large one is worked on, on a
/// thread of its own: the allocator keeps some of what a thread has freed for that thread, and
/// here it finds it again for the next article.
pub(crate) fn alone<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    // Where the system refuses the thread, it is done on this one.
    let work = Mutex::new(Some(work));
    let do_it = || {
        let work = work.lock().unwrap_or_else(PoisonError::into_inner).take();
        work.map(|work| work())
    };
    let done = thread::scope(|scope| {
        let started = thread::Builder::new().spawn_scoped(scope, do_it);
        started
            .ok()
            .and_then(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)))
    });
    done.or_else(do_it)
        .expect("the work is there until one of the two has taken it")
}

#[cfg(test)]
mod tests {
    use super::{LARGE_BYTES, LARGE_MARKS, is_large};

    #[test]
    fn an_article_is_large_by_its_length_or_its_markup() {
        assert!(!is_large(&vec![b'a'; LARGE_BYTES]));
        assert!(is_large(&vec![b'a'; LARGE_BYTES + 1]));
        assert!(!is_large(&b"a\n".repeat(LARGE_MARKS)));
        assert!(is_large(&b"\"".repeat(LARGE_BYTES / 6 + 1)));
        assert!(!is_large(&b"\"".repeat(LARGE_BYTES / 6)));
        assert!(is_large("\u{a0}".repeat(LARGE_BYTES / 6 + 1).as_bytes()));
        assert!(!is_large("é".repeat(LARGE_BYTES / 6 + 1).as_bytes()));
        assert!(is_large(&b"|\n".repeat(LARGE_MARKS / 2 + 1)));
    }
}
