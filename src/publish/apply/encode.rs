//! Compare-and-sets as the store takes them: plain commands where these compare enough, calls
//! of the scripts elsewhere.

use super::step::CompareAndSet;
use crate::publish::state::{Present, expiry_argument};
use crate::store::{Batch, Script};

/// Which way a write goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Publishing.
    Forth,
    /// The same, sent a second time because the first reply was lost: what is as it is to be
    /// was made by the first.
    ForthAgain,
    /// Undoing: this goes on while the server is out of memory.
    Back,
}

impl Way {
    /// The same way, for commands that may have been carried out already. On the way back
    /// nothing changes: there, what is as it is to be is always fine.
    pub(crate) fn again(self) -> Self {
        match self {
            Self::Forth | Self::ForthAgain => Self::ForthAgain,
            Self::Back => Self::Back,
        }
    }

    /// What the scripts are told.
    fn word(self) -> &'static [u8] {
        match self {
            Self::Forth => b"forth",
            Self::ForthAgain => b"again",
            Self::Back => b"back",
        }
    }
}

/// Appends the compare-and-set from the prior state (none: no such key) to the one to be made, with its
/// bytes. The expiry of
/// either may be up to `slack_ms` off.
pub(crate) fn push_put(
    batch: &mut Batch,
    key: &str,
    (prior, made, content): (Option<&Present>, &Present, &[u8]),
    way: Way,
    slack_ms: i64,
) {
    let script = match way {
        Way::Back => Script::PutUnderOom,
        Way::Forth | Way::ForthAgain => Script::Put,
    };
    let prior = match prior {
        None => ["none".to_owned(), "-1".to_owned(), String::new()],
        Some(present) => state_arguments(present),
    };
    let made = state_arguments(made);
    let mut arguments: Vec<&[u8]> = prior.iter().chain(&made).map(String::as_bytes).collect();
    arguments.push(content);
    arguments.push(way.word());
    let slack = slack_ms.to_string();
    arguments.push(slack.as_bytes());
    batch.script(script, key.as_bytes(), &arguments);
}

/// Appends `command` for `key`, whose expiry may have moved by itself by up to `slack_ms`.
pub(crate) fn encode(
    command: &CompareAndSet,
    batch: &mut Batch,
    key: &str,
    way: Way,
    slack_ms: i64,
) {
    let slack = slack_ms.to_string();
    match command {
        CompareAndSet::Create { content, made } => {
            let at = expiry_argument(made.expires_at_ms);
            batch.push(&[
                b"SET",
                key.as_bytes(),
                content,
                b"NX",
                b"PXAT",
                at.as_bytes(),
            ]);
        }
        CompareAndSet::Put {
            prior,
            made,
            content,
        } => {
            let states = (prior.as_ref(), made, content.bytes());
            push_put(batch, key, states, way, slack_ms);
        }
        CompareAndSet::Expire { from_ms, to_ms, .. } => {
            let (from, to) = (expiry_argument(*from_ms), expiry_argument(*to_ms));
            batch.script(
                Script::Expire,
                key.as_bytes(),
                &[from.as_bytes(), to.as_bytes(), way.word(), slack.as_bytes()],
            );
        }
        CompareAndSet::Remove { prior } => {
            let prior = state_arguments(prior);
            let arguments = [
                prior[0].as_bytes(),
                prior[1].as_bytes(),
                prior[2].as_bytes(),
                way.word(),
                slack.as_bytes(),
            ];
            batch.script(Script::Remove, key.as_bytes(), &arguments);
        }
    }
}

fn state_arguments(present: &Present) -> [String; 3] {
    [
        present.kind.clone(),
        expiry_argument(present.expires_at_ms),
        present.fingerprint_argument(),
    ]
}
