//! Whether the user may do all that a run and its way back need, asked before the first write: a
//! run that its own user cannot undo does not begin.
//!
//! The commands themselves are sent, with a key that nobody has: there they change nothing, and the
//! server checks the rights first. `ACL DRYRUN` would need a right of its own.

use crate::publish::keys::{Keys, ObjectKind};
use crate::store::{Batch, Class, KEY_COMMANDS, Reply, Session, StoreError};

/// Asks every master. `salt` makes a key that nobody has; `has_archive`: the run may write archive objects;
/// `has_texts`: it may write texts.
///
/// # Errors
/// `Never` with the first command that the user may not run on pages or metas, and as the session
/// fails.
pub(crate) fn check(
    session: &mut Session,
    prefix: &str,
    salt: u64,
    (has_archive, has_texts): (bool, bool),
) -> Result<(), StoreError> {
    let keys = Keys::new(prefix);
    let kinds = ObjectKind::ALL.into_iter();
    let kinds = kinds.filter(|kind| match kind {
        ObjectKind::Page | ObjectKind::Meta => true,
        ObjectKind::File | ObjectKind::Redirect => has_archive,
        ObjectKind::Text => has_texts,
    });
    let kinds: Vec<String> = kinds.map(|kind| keys.prefix_of(kind)).collect();
    let asked = || {
        let all = kinds.iter();
        all.flat_map(|kind| KEY_COMMANDS.iter().map(move |command| (kind, command)))
    };
    let mut batch = Batch::default();
    for (_, words) in COMMANDS {
        let words: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
        batch.push(&words);
    }
    for (kind, (name, arguments)) in asked() {
        // No route has a dot in it.
        let key = format!("{kind}/.rights-{salt:016x}/");
        let words = name.split('|').chain([&*key]);
        let words = words.chain(arguments.iter().copied());
        let words: Vec<&[u8]> = words.map(str::as_bytes).collect();
        batch.push(&words);
    }
    let missing = session.on_each_master(&mut |one| {
        let mut replies = one
            .run(&batch, "checking the rights of this user")?
            .into_iter();
        for ((name, _), reply) in COMMANDS.iter().zip(replies.by_ref()) {
            refused(reply, &format!("checking that this user may run {name}"))?;
        }
        for ((kind, (name, _)), reply) in asked().zip(replies) {
            let doing = format!("checking that this user may run {name} on keys such as {kind}/a/");
            refused(reply, &doing)?;
        }
        Ok(())
    });
    missing.map(drop)
}

/// What a run, or its way back, may need only later: scripts that another user loaded may go, and
/// connections of a dead run are rare.
const COMMANDS: [(&str, &[&str]); 2] = [
    ("script|load", &["SCRIPT", "LOAD", "return 1"]),
    // No connection has the largest id there can be.
    (
        "client|kill",
        &["CLIENT", "KILL", "ID", "9223372036854775807"],
    ),
];

/// The error of a command that this user may not run; what else the server says does not matter.
fn refused(reply: Reply, doing: &str) -> Result<(), StoreError> {
    match reply.fail::<()>(doing) {
        Err(error) if error.class == Class::Never => Err(error),
        _ => Ok(()),
    }
}
