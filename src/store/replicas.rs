//! Waiting until replicas have what was written: `WAIT`.

use std::time::{Duration, Instant};

use super::{Class, OneMaster, REPLICAS_RIGHT, Reply, Session, StoreError};

/// The longest wait in the server.
const SLICE: Duration = Duration::from_secs(1);
/// Between two questions for the offsets of the replicas.
const PAUSE: Duration = Duration::from_millis(20);
const DOING: &str = "waiting for the replicas";

/// How many replicas must have a write before it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copies {
    /// Replicas of each master.
    pub replicas: u32,
    /// How long they are waited for.
    pub within: Duration,
}

/// Waits until what this session wrote so far is with the replicas of each master that
/// serves keys, or was given some. `resent`: some of it was written over a connection that
/// was lost since.
///
/// # Errors
/// `Stop` when fewer have it in time, or a connection is lost meanwhile: nobody knows then
/// what they have.
pub fn wait_for_replicas(
    session: &mut Session,
    copies: Copies,
    resent: bool,
) -> Result<(), StoreError> {
    // A wait must end before the socket's own, and nothing else is heard meanwhile.
    let slice = SLICE.min(session.patience().timeout / 2);
    // WAIT knows of the writes of its own connection alone.
    let waited = session.once_on_each_master(&mut |one| {
        if one.master.share == 0.0 && !one.master.is_used {
            return Ok(());
        }
        let until = Instant::now() + copies.within;
        let mut goal = None;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let have = if resent {
                std::thread::sleep(PAUSE.min(left));
                acknowledged(one, &mut goal)?
            } else {
                wait(one, copies.replicas, left.min(slice))?
            };
            if have >= copies.replicas {
                return Ok(());
            }
            one.goes_on(DOING)?;
            if left.is_zero() {
                let detail = lacking(have, copies, &one.master.name);
                return Err(StoreError::new(Class::Stop, DOING, detail));
            }
        }
    });
    waited.map(drop).map_err(|error| match error.class {
        Class::FindAgain | Class::Wait => StoreError {
            class: Class::Stop,
            ..error
        },
        Class::Never => StoreError {
            detail: format!(
                "{} (to wait for replicas the user needs {REPLICAS_RIGHT} besides)",
                error.detail
            ),
            ..error
        },
        _ => error,
    })
}

/// Says that `have` replicas of `master` have what was written; it has no name where the store is
/// one server.
fn lacking(have: u32, copies: Copies, master: &str) -> String {
    let Copies { replicas, within } = copies;
    let noun = if replicas == 1 { "replica" } else { "replicas" };
    let verb = if replicas == 1 || have == 1 {
        "has"
    } else {
        "have"
    };
    let of = if master.is_empty() {
        String::new()
    } else {
        format!(" of {master}")
    };
    let ms = within.as_millis();
    format!("{have} of {replicas} {noun}{of} {verb} the last writes after {ms} ms")
}

/// Waits for so many replicas, and returns how many have what this connection wrote.
fn wait(one: &mut OneMaster<'_>, replicas: u32, time: Duration) -> Result<u32, StoreError> {
    // 0 would mean for ever.
    let time = time.as_millis().max(1).to_string();
    let replicas = replicas.to_string();
    match one.command(&[b"WAIT", replicas.as_bytes(), time.as_bytes()], DOING)? {
        Reply::Int(have) => Ok(u32::try_from(have).unwrap_or(0)),
        other => other.fail(DOING),
    }
}

/// How many replicas have acknowledged all that the master held, whoever wrote it, when it was
/// asked first: that sets `goal`.
fn acknowledged(one: &mut OneMaster<'_>, goal: &mut Option<u64>) -> Result<u32, StoreError> {
    let reply = one.command(&[b"INFO", b"replication"], DOING)?;
    match reply.lossy() {
        Some(info) => Ok(up_to_date(&info, goal)),
        None => reply.fail(DOING),
    }
}

fn up_to_date(info: &str, goal: &mut Option<u64>) -> u32 {
    let lines = || info.lines().filter_map(|line| line.split_once(':'));
    let offset = || {
        lines().find_map(|(name, value)| {
            (name == "master_repl_offset").then(|| value.trim().parse::<u64>().ok())?
        })
    };
    *goal = goal.or_else(offset);
    let Some(offset) = *goal else {
        return 0;
    };
    let has_it = |fields: &str| {
        let mut fields = fields
            .trim()
            .split(',')
            .filter_map(|field| field.split_once('='));
        fields.any(|(name, value)| {
            name == "offset" && value.parse::<u64>().is_ok_and(|acked| acked >= offset)
        })
    };
    let is_replica = |name: &str| {
        let number = name.strip_prefix("slave");
        number.is_some_and(|number| number.parse::<u32>().is_ok())
    };
    lines()
        .filter(|(name, fields)| is_replica(name) && has_it(fields))
        .map(|_| 1)
        .sum()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Copies, lacking, up_to_date};

    #[test]
    fn a_lack_of_replicas_is_told_in_english_with_and_without_a_name() {
        let copies = |replicas| Copies {
            replicas,
            within: Duration::from_millis(300),
        };
        assert_eq!(
            lacking(0, copies(1), ""),
            "0 of 1 replica has the last writes after 300 ms"
        );
        assert_eq!(
            lacking(1, copies(2), "h:1"),
            "1 of 2 replicas of h:1 has the last writes after 300 ms"
        );
    }

    #[test]
    fn replicas_count_once_they_acknowledged_the_offset_of_the_master() {
        let info = "role:master\r\nconnected_slaves:2\r\n\
            slave0:ip=127.0.0.1,port=1,state=online,offset=90,lag=1\r\n\
            slave1:ip=127.0.0.1,port=2,state=online,offset=100,lag=0\r\n\
            slave_read_only:1\r\nmaster_repl_offset:100\r\n";
        let mut goal = None;
        assert_eq!(up_to_date(info, &mut goal), 1);
        // What others write meanwhile is not waited for.
        let later = info.replace("master_repl_offset:100", "master_repl_offset:900");
        assert_eq!(up_to_date(&later, &mut goal), 1);
        assert_eq!(up_to_date(&later, &mut None), 0);
        assert_eq!(up_to_date("role:slave\r\n", &mut None), 0);
    }
}
