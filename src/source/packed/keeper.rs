//! Hashes the bytes of members and keeps them, on a thread of its own, while the next ones are
//! unpacked.

use std::io;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{Builder, JoinHandle};

use crate::source::identity::Identity;
use crate::spool::Spool;

/// Members of about so many bytes are handed on together.
const TOGETHER_BYTES: usize = 256 * 1024;

/// So many such batches wait at most: one may hold a line of 24 MiB.
const MOST_WAITING: usize = 2;

/// The bytes of some members, one behind the other; and of each, how many there are, and whether it is a
/// line.
#[derive(Default)]
struct Batch {
    bytes: Vec<u8>,
    members: Vec<(usize, bool)>,
}

/// Takes members in their order.
pub(super) struct Keeper {
    batch: Batch,
    /// Bytes of all members so far.
    length: u64,
    worker: Worker,
}

/// Who does the work.
enum Worker {
    Thread(SyncSender<Batch>, JoinHandle<io::Result<Work>>),
    /// This thread, where the system has no further one.
    Own(Work),
}

/// What was made of the members.
pub(super) struct Work {
    /// Their bytes, if they are kept.
    pub(super) spool: Option<Spool>,
    /// What each is known by.
    pub(super) identities: Vec<Identity>,
}

impl Work {
    fn take(&mut self, batch: &Batch) -> io::Result<()> {
        let mut rest = &batch.bytes[..];
        for (length, is_line) in &batch.members {
            let (member, after) = rest.split_at(*length);
            self.identities.push(identity(member, *is_line));
            rest = after;
        }
        match &mut self.spool {
            Some(spool) => spool.append(&[&batch.bytes]).map(drop),
            None => Ok(()),
        }
    }
}

impl Keeper {
    /// Keeps the bytes in `spool`, if there is one.
    pub(super) fn new(spool: Option<Spool>) -> Self {
        let work = Work {
            spool,
            identities: Vec::new(),
        };
        let (sender, receiver) = sync_channel::<Batch>(MOST_WAITING);
        // The thread gets the work once it is there: it may not be.
        let (hand_over, handed) = sync_channel::<Work>(1);
        let started = Builder::new().spawn(move || {
            let mut work = handed.recv().map_err(io::Error::other)?;
            for batch in receiver {
                work.take(&batch)?;
            }
            Ok(work)
        });
        let worker = match started {
            Ok(thread) => match hand_over.send(work) {
                Ok(()) => Worker::Thread(sender, thread),
                Err(unsent) => Worker::Own(unsent.0),
            },
            Err(_) => Worker::Own(work),
        };
        Self {
            batch: Batch::default(),
            length: 0,
            worker,
        }
    }

    /// Takes a member; returns where it begins among all bytes.
    ///
    /// # Errors
    /// When those before could not be kept.
    pub(super) fn add(&mut self, bytes: &[u8], is_line: bool) -> io::Result<u64> {
        let at = self.length;
        self.batch.bytes.extend_from_slice(bytes);
        self.batch.members.push((bytes.len(), is_line));
        self.length += bytes.len() as u64;
        if self.batch.bytes.len() >= TOGETHER_BYTES {
            self.hand_on()?;
        }
        Ok(at)
    }

    fn hand_on(&mut self) -> io::Result<()> {
        let batch = std::mem::take(&mut self.batch);
        match &mut self.worker {
            Worker::Own(work) => work.take(&batch),
            // Why the other end is gone, its thread says at the end.
            Worker::Thread(sender, _) => sender.send(batch).map_err(|_| GONE.into()),
        }
    }

    /// Ends the keeping.
    ///
    /// # Errors
    /// When something could not be kept.
    pub(super) fn finish(mut self) -> io::Result<Work> {
        let handed_on = self.hand_on();
        match self.worker {
            Worker::Own(work) => handed_on.map(|()| work),
            Worker::Thread(sender, thread) => {
                drop(sender);
                let work = thread.join();
                work.unwrap_or_else(|_| Err(io::Error::other("a thread of anp failed")))
            }
        }
    }

    /// Why `error` came back from [`add`](Self::add).
    pub(super) fn cause(self, error: io::Error) -> io::Error {
        match (error.kind() == GONE, self.worker) {
            (true, Worker::Thread(sender, thread)) => {
                drop(sender);
                thread.join().ok().and_then(Result::err).unwrap_or(error)
            }
            _ => error,
        }
    }
}

/// The other thread ended.
const GONE: io::ErrorKind = io::ErrorKind::BrokenPipe;

/// What tells the source from every other with its path. The places of a line are not what its bytes
/// say alone.
pub(super) fn identity(bytes: &[u8], is_line: bool) -> Identity {
    let mut identity = [0; 16];
    // In one piece, which is much faster than two.
    identity.copy_from_slice(&blake3::hash(bytes).as_bytes()[..16]);
    identity[0] ^= u8::from(is_line);
    Identity(identity)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_kept_one_behind_the_other_and_known_by_their_content() {
        let folder = tempfile::tempdir().unwrap();
        let members: Vec<Vec<u8>> = (0..200_u8)
            .map(|n| vec![n; 7000 + usize::from(n)])
            .collect();
        let mut keeper = Keeper::new(Some(Spool::create(folder.path()).unwrap()));
        let places: Vec<u64> = members
            .iter()
            .map(|member| keeper.add(member, false).unwrap())
            .collect();
        let work = keeper.finish().unwrap();
        let spool = work.spool.unwrap().finish().unwrap();
        for ((member, at), known) in members.iter().zip(places).zip(&work.identities) {
            assert_eq!(&spool.read(at, member.len()).unwrap(), member);
            assert_eq!(*known, identity(member, false));
            assert_ne!(*known, identity(member, true));
        }
        assert_eq!(work.identities.len(), members.len());
    }
}
