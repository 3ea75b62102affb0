//! Whether the user may do all that a run and its way back need, asked before the first write: a
//! run that its own user cannot undo does not begin.
//!
//! The commands themselves are sent, with a key that nobody has: there they change nothing, and the
//! server checks the rights first. `ACL DRYRUN` would need a right of its own.

use crate::publish::plan::Keys;
use crate::store::{Batch, Class, KEY_COMMANDS, Session, StoreError};

/// Asks every master. `salt` makes a key that nobody has.
///
/// # Errors
/// `Never` with the first command that the user may not run on pages or metas, and as the session
/// fails.
pub(super) fn check(session: &mut Session, prefix: &str, salt: u64) -> Result<(), StoreError> {
    let keys = Keys::new(prefix);
    let kinds = [keys.page_prefix(), keys.meta_prefix()];
    let asked = || {
        let all = kinds.iter();
        all.flat_map(|kind| KEY_COMMANDS.iter().map(move |command| (kind, command)))
    };
    let mut batch = Batch::default();
    for (kind, (name, arguments)) in asked() {
        // No route has a dot in it.
        let key = format!("{kind}/.rights-{salt:016x}/");
        let words = name.split('|').chain([&*key]);
        let words = words.chain(arguments.iter().copied());
        let words: Vec<&[u8]> = words.map(str::as_bytes).collect();
        batch.push(&words);
    }
    let missing = session.on_each_master(&mut |one| {
        let replies = one.run(&batch, "checking the rights of this user")?;
        for ((kind, (name, _)), reply) in asked().zip(replies) {
            let doing = format!("checking that this user may run {name} on keys such as {kind}/a/");
            match reply.fail::<()>(&doing) {
                Err(error) if error.class == Class::Never => return Err(error),
                // What else it says of such a key is no matter.
                _ => {}
            }
        }
        Ok(())
    });
    missing.map(drop)
}
