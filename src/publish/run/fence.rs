//! A lease alone is no fence: bytes that a dead run sent may still be waiting in the server.
//!
//! So each connection of a run gets the name of the run, `anp:PREFIX:RUN`, in its login, before
//! any other command. A run that takes the lock ends all other connections with such a name
//! before it looks at a key. Names of other
//! prefixes, and the same names in other databases (each has a lock of its own), are left
//! alone.

use crate::store::{Batch, Reply, Session, StoreError};

/// The ids of the connections of one session, each with the name of its master.
pub type Ids = Vec<(String, i64)>;

/// The ids of the connections of `session`.
///
/// # Errors
/// When the store fails or refuses.
pub fn ids(session: &mut Session) -> Result<Ids, StoreError> {
    let doing = "asking for the id of the connection";
    session.on_each_master(&mut |one| match one.command(&[b"CLIENT", b"ID"], doing)? {
        Reply::Int(id) => Ok((one.master.name.clone(), id)),
        other => other.fail(doing),
    })
}

/// Who answers at the other end: changes when a server is started again, when another one
/// takes its place, and when it became a replica or stopped being one. Whatever it acknowledged
/// before may be lost then. A replica that attaches to it changes nothing. In a cluster, who
/// answers as the masters.
///
/// # Errors
/// When the store fails or refuses.
pub fn identity(session: &mut Session) -> Result<String, StoreError> {
    let doing = "asking the server who it is";
    let mut parts = session.on_each_master(&mut |one| {
        let reply = one.command(&[b"INFO", b"server", b"replication"], doing)?;
        let Some(info) = reply.lossy() else {
            return reply.fail(doing);
        };
        let ids = info.lines().filter_map(|line| {
            let (name, id) = line.split_once(':')?;
            // The second id is that of the master it followed; the first one changes with any
            // replica.
            matches!(name, "run_id" | "role" | "master_replid2").then(|| id.trim())
        });
        Ok(ids.collect::<Vec<_>>().join(" "))
    })?;
    // Slots that move change the order of the masters, and nothing else.
    parts.sort();
    Ok(parts.join(", "))
}

/// Ends those of the connections `old` that still bear `name`, but for the ones in use, `own`:
/// what was sent over them and has not run yet never will. Ids begin anew with each start of a
/// server, so an id alone may be anybody's.
///
/// # Errors
/// When the store fails or refuses.
pub fn end_own(session: &mut Session, name: &str, old: &Ids, own: &Ids) -> Result<(), StoreError> {
    let doing = "ending the connection that was lost";
    session
        .on_each_master(&mut |one| {
            let here = |ids: &Ids| {
                let found = ids.iter().find(|(master, _)| *master == one.master.name);
                found.map(|(_, id)| *id)
            };
            let Some(old) = here(old).filter(|old| here(own) != Some(*old)) else {
                return Ok(());
            };
            let id = old.to_string();
            let reply = one.command(&[b"CLIENT", b"LIST", b"ID", id.as_bytes()], doing)?;
            let Some(list) = reply.lossy() else {
                return reply.fail(doing);
            };
            let is_ours = list.lines().any(|line| field(line, "name") == Some(name));
            if is_ours {
                // 0: it had ended by itself.
                one.command(&[b"CLIENT", b"KILL", b"ID", id.as_bytes()], doing)?;
            }
            Ok(())
        })
        .map(drop)
}

/// Ends the connections of other runs under `prefix` in the database `db`. The caller holds
/// the lock, and has named its connections: `own_run` is its run, or `RUN#SHARD.START` for a shard,
/// which ends those of an earlier start of its own, and leaves the other shards of its run alone.
///
/// # Errors
/// When the store fails or refuses.
pub fn end_others(
    session: &mut Session,
    prefix: &str,
    db: i64,
    own_run: &str,
) -> Result<(), StoreError> {
    end(session, prefix, db, &|other| is_stale(other, own_run)).map(drop)
}

/// Ends the connections of `run`, and returns how many there were.
///
/// # Errors
/// When the store fails or refuses.
pub fn end_run(
    session: &mut Session,
    prefix: &str,
    db: i64,
    run: &str,
) -> Result<usize, StoreError> {
    end(session, prefix, db, &|other| parts(other).0 == run)
}

fn end(
    session: &mut Session,
    prefix: &str,
    db: i64,
    which: &dyn Fn(&str) -> bool,
) -> Result<usize, StoreError> {
    let doing = "ending connections of runs that died";
    let ended = session.on_each_master(&mut |one| {
        let reply = one.command(&[b"CLIENT", b"LIST"], doing)?;
        let Some(list) = reply.lossy() else {
            return reply.fail(doing);
        };
        let mut batch = Batch::default();
        for id in bearing(&list, prefix, db, which) {
            batch.push(&[b"CLIENT", b"KILL", b"ID", id.as_bytes()]);
        }
        if batch.is_empty() {
            return Ok(0);
        }
        for reply in one.run(&batch, doing)? {
            // 0: it had ended by itself.
            if !matches!(reply, Reply::Int(_)) {
                return reply.fail(doing);
            }
        }
        Ok(batch.len())
    })?;
    Ok(ended.into_iter().sum())
}

/// The run, and the shard if it is one, of a name without its prefix. No id of a run has a '#'.
fn parts(name: &str) -> (&str, Option<&str>) {
    match name.split_once('#') {
        Some((run, rest)) => (run, Some(rest.split('.').next().unwrap_or(rest))),
        None => (name, None),
    }
}

/// Whether a connection of that name may not live on beside `own`.
fn is_stale(other: &str, own: &str) -> bool {
    let (other_run, other_shard) = parts(other);
    let (own_run, own_shard) = parts(own);
    other != own && (other_run != own_run || other_shard == own_shard)
}

/// The ids in a reply to CLIENT LIST of connections that bear the name of a run of `which`.
fn bearing<'a>(
    list: &'a str,
    prefix: &'a str,
    db: i64,
    which: &'a dyn Fn(&str) -> bool,
) -> impl Iterator<Item = &'a str> {
    let db = db.to_string();
    list.lines().filter_map(move |line| {
        let run = field(line, "name")?
            .strip_prefix("anp:")?
            .strip_prefix(prefix)?
            .strip_prefix(':')?;
        // A longer prefix would leave a further colon: run ids have none.
        let is_meant = !run.is_empty() && !run.contains(':') && which(run);
        (is_meant && field(line, "db")? == db).then(|| field(line, "id"))?
    })
}

/// The value of one field in a line of CLIENT LIST.
fn field<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    line.split(' ')
        .find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{bearing, identity, is_stale, parts};
    use crate::store::{Batch, Interrupt, Patience, Reply, Session, Store, StoreError};

    /// Answers everything with these bytes.
    struct Says(&'static [u8]);

    impl Store for Says {
        fn send(&mut self, batch: &Batch) -> Result<Vec<Reply>, StoreError> {
            Ok(vec![Reply::Bulk(self.0.to_vec()); batch.len()])
        }
    }

    #[test]
    fn a_server_is_known_by_its_start_and_its_history_whatever_its_paths_are() {
        let info = b"# Server\r\nrun_id:a1\r\nconfig_file:/cfg\xff/r.conf\r\n\
            # Replication\r\nrole:master\r\nmaster_replid:b2\r\nmaster_replid2:00\r\n";
        let patience = Patience {
            timeout: Duration::from_secs(1),
            deadline: Duration::ZERO,
        };
        let mut session = Session::new(Box::new(Says(info)), patience, Interrupt::never());
        assert_eq!(identity(&mut session).unwrap(), "a1 master 00");
        // Its first replica gives it another id.
        let info = b"run_id:a1\r\nrole:master\r\nmaster_replid:c3\r\nmaster_replid2:00\r\n";
        let mut session = Session::new(Box::new(Says(info)), patience, Interrupt::never());
        assert_eq!(identity(&mut session).unwrap(), "a1 master 00");
    }

    #[test]
    fn only_other_runs_of_this_prefix_and_database_are_stale() {
        let list = "\
id=1 addr=a name=anp:anp:dead db=0 cmd=set\n\
id=2 addr=a name=anp:anp:own db=0 cmd=set\n\
id=3 addr=a name=anp:anp:other-database db=1 cmd=set\n\
id=4 addr=a name=anp:anp:longer:dead db=0 cmd=set\n\
id=5 addr=a name=anp:anpx:dead db=0 cmd=set\n\
id=6 addr=a name= db=0 cmd=set\n\
id=7 addr=a name=worker db=0 cmd=set\n\
id=8 addr=a name=anp:anp:dead-too db=0 cmd=set\n";
        let ids: Vec<&str> = bearing(list, "anp", 0, &|run| run != "own").collect();
        assert_eq!(ids, ["1", "8"]);
    }

    #[test]
    fn a_shard_ends_its_predecessor_and_other_runs_and_no_sibling() {
        let own = "night#1.00ff";
        for other in ["night#1.00aa", "morning#1.00aa", "morning"] {
            assert!(is_stale(other, own), "{other}");
        }
        for other in [own, "night#0.00aa", "night#10.00aa", "night#11.00ff"] {
            assert!(!is_stale(other, own), "{other}");
        }
        assert!(is_stale("night#1.00aa", "20261124T054515.123Z-00ff"));
        assert_eq!(parts("night#12.00aa"), ("night", Some("12")));
    }
}
