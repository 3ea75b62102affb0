//! What can go wrong between us and the store, in classes that decide what to do.

use thiserror::Error;

use crate::characters::is_hidden;

/// What the failure of a wait says that a signal ended.
pub(super) const INTERRUPTED: &str = "interrupted by a signal";

/// The code of the error that replaces a reply which anp did not wait for, because of a signal. No
/// server sends it.
pub(super) const INTERRUPTED_CODE: &str = "ANP-INTERRUPTED";

/// What a failure asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// The server is busy with itself: wait and send again on the same node.
    Wait,
    /// This is not, or no longer, the node to talk to.
    FindAgain,
    /// The script is not on this node: load it and send again.
    LoadAgain,
    /// The server cannot take writes now: stop writing.
    Stop,
    /// Credentials or rights are missing: no retry can help.
    Never,
    /// The settings do not fit the server, or its certificate does not: no retry can help.
    Config,
    /// A signal asked the command to end.
    Interrupted,
    /// The system refused a thread.
    NoThread,
    /// The lock was lost while there was no connection: another run may be writing.
    Fenced,
}

/// A failure of the store, with what was being done.
#[derive(Clone, Debug, Error)]
#[error("{doing}: {detail}")]
pub struct StoreError {
    /// Decides the exit code and whether a retry can help.
    pub class: Class,
    /// What was being done: `reading the state of 128 keys`.
    pub doing: String,
    /// What the server or the system said. Never holds a password.
    pub detail: String,
}

impl StoreError {
    /// A failure of class `class` while `doing` something.
    pub fn new(class: Class, doing: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            class,
            doing: doing.into(),
            detail: short(detail.into()),
        }
    }

    /// The system refuses a thread.
    #[must_use]
    pub fn no_thread(doing: &str, error: &std::io::Error) -> Self {
        Self::new(
            Class::NoThread,
            doing,
            format!("cannot start a thread: {error}"),
        )
    }

    /// The same, where a signal ended the wait for something better.
    #[must_use]
    pub(super) fn interrupted(self) -> Self {
        Self {
            class: Class::Interrupted,
            detail: format!("{INTERRUPTED}; before that: {}", self.detail),
            ..self
        }
    }

    /// Whether the server refused who we are, and not what we do: a right would not help.
    #[must_use]
    pub fn is_login_refused(&self) -> bool {
        self.class == Class::Never
            && LOGIN_REFUSED
                .iter()
                .any(|words| self.detail.contains(words))
    }

    /// The failure that an error reply stands for.
    #[must_use]
    pub fn from_reply(doing: &str, code: &str, detail: &str) -> Self {
        let said = match code {
            INTERRUPTED_CODE => detail.to_owned(),
            _ => format!("the server answered {code} {detail}"),
        };
        Self::new(classify(code, detail), doing, said.trim_end())
    }
}

/// A detail is cut after so many characters. A few addresses with what came of each fit in.
const LONGEST: usize = 2000;

/// What servers say of a missing right where they, or the client library, do not say NOPERM.
const RIGHT_MISSING: [&str; 3] = [
    "The user executing the script can't",
    "ACL failure in script",
    "has no permissions to",
];

/// What servers say of a missing or wrong password, and of one that they did not ask for.
const LOGIN_REFUSED: [&str; 3] = ["WRONGPASS", "NOAUTH", "without any password configured"];

/// What a server says, cut where it goes on and on, and without what steers a terminal.
fn short(text: String) -> String {
    if text.len() <= LONGEST && !text.contains(is_hidden) {
        return text;
    }
    let cut = text.char_indices().nth(LONGEST).map(|(at, _)| at);
    let (said, left) = text.split_at(cut.unwrap_or(text.len()));
    let said = said.replace(is_hidden, "\u{fffd}");
    match left.len() {
        0 => said,
        left => format!("{said}… and {left} bytes more"),
    }
}

/// The class of an error reply, by its first word (and for the plain `ERR` by its text).
#[must_use]
pub fn classify(code: &str, detail: &str) -> Class {
    match code {
        "LOADING" | "BUSY" | "TRYAGAIN" | "MASTERDOWN" | "CLUSTERDOWN" => Class::Wait,
        "ERR" if detail.starts_with("max number of clients") => Class::Wait,
        INTERRUPTED_CODE => Class::Interrupted,
        "READONLY" | "MOVED" | "ASK" => Class::FindAgain,
        "NOSCRIPT" => Class::LoadAgain,
        "NOPERM" | "NOAUTH" | "WRONGPASS" | "CROSSSLOT" => Class::Never,
        // A right that is missing in a script, or for SELECT, comes as a plain ERR.
        "ERR" if RIGHT_MISSING.iter().any(|words| detail.contains(words)) => Class::Never,
        _ => Class::Stop,
    }
}

#[cfg(test)]
mod tests {
    use super::{Class, LONGEST, StoreError, classify};

    #[test]
    fn what_a_server_says_without_end_is_cut_and_stays_one_line() {
        let said = format!("bad\u{1b}[2J {}", "x".repeat(4 << 20));
        let error = StoreError::from_reply("reading", "ERR", &said);
        assert!(error.detail.len() < LONGEST + 50, "{}", error.detail.len());
        assert!(
            error
                .detail
                .starts_with("the server answered ERR bad\u{fffd}[2J xxx")
        );
        assert!(error.detail.ends_with(" bytes more"), "{}", error.detail);
        let short = StoreError::from_reply("reading", "ERR", "no");
        assert_eq!(short.detail, "the server answered ERR no");
    }

    #[test]
    fn error_replies_fall_into_their_classes() {
        assert_eq!(classify("LOADING", "Redis is loading"), Class::Wait);
        assert_eq!(
            classify("ERR", "max number of clients reached"),
            Class::Wait
        );
        assert_eq!(classify("READONLY", ""), Class::FindAgain);
        assert_eq!(classify("NOSCRIPT", ""), Class::LoadAgain);
        assert_eq!(classify("OOM", ""), Class::Stop);
        assert_eq!(classify("ERR", "unknown command"), Class::Stop);
        assert_eq!(classify("NOPERM", ""), Class::Never);
        for detail in [
            "The user executing the script can't run this command or subcommand script: 1f",
            "ACL failure in script: User anp has no permissions to run the 'set' command",
            "this user has no permissions to run the 'select' command",
        ] {
            assert_eq!(classify("ERR", detail), Class::Never);
        }
    }
}
