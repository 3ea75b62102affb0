//! Options of a command line that could not be read as a whole: what is printed about it follows
//! them all the same.

use std::ffi::OsString;

/// The last value of the option `name`, as `NAME VALUE` or `NAME=VALUE`.
pub(super) fn last_value(
    arguments: impl IntoIterator<Item = OsString>,
    name: &str,
) -> Option<String> {
    let mut last = None;
    let mut arguments = arguments
        .into_iter()
        .map(|argument| argument.to_string_lossy().into_owned())
        .take_while(|argument| argument != "--");
    while let Some(argument) = arguments.next() {
        let rest = argument.strip_prefix(name);
        match rest.map(|rest| (rest, rest.strip_prefix('='))) {
            Some(("", _)) => last = arguments.next(),
            Some((_, Some(value))) => last = Some(value.to_owned()),
            _ => {}
        }
    }
    last
}
