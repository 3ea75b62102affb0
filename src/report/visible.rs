//! Text that is safe for a terminal.

use crate::characters::is_hidden;

/// Text that may come from a file or from the store, safe for a terminal: of the characters that it
/// would act on or hide only line ends are left.
pub(super) fn visible(text: &str) -> std::borrow::Cow<'_, str> {
    let hidden = |c: char| c != '\n' && is_hidden(c);
    // Nearly all of it is ASCII, of which a byte tells enough.
    let is_plain = |b: u8| matches!(b, b' '..=b'~' | b'\n' | b'\t');
    if !text.bytes().all(is_plain) && text.contains(hidden) {
        text.replace(hidden, "\u{fffd}").into()
    } else {
        text.into()
    }
}
