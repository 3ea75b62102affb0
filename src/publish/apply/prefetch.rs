//! What is made ready on threads of their own while the store is busy with an earlier batch:
//! steps (values from the spool or a manifest, and their SHA-1), and intents (JSON and zstd).

use std::io;
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::thread::{Builder, Scope};

use super::batch::{BATCH_BYTES, Group, bytes_of};
use super::pace::BATCH_KEYS;
use super::stop::Stop;
use crate::publish::manifest::{Encoder, Frames, Line};
use crate::store::StoreError;

/// The same `groups`, in the same order. At most one batch of them waits to be taken.
///
/// # Errors
/// When the system refuses the thread.
pub(crate) fn ahead<'scope, I>(
    scope: &'scope Scope<'scope, '_>,
    mut groups: I,
) -> Result<impl Iterator<Item = Result<Group, Stop>> + use<I>, Stop>
where
    I: Iterator<Item = Result<Group, Stop>> + Send + 'scope,
{
    let (sender, receiver) = sync_channel(0);
    let thread = Builder::new().name("ahead".to_owned());
    let started = thread.spawn_scoped(scope, move || {
        loop {
            let (mut keys, mut bytes) = (0, 0_usize);
            let mut batch = Vec::new();
            while keys < BATCH_KEYS && bytes < BATCH_BYTES {
                let Some(group) = groups.next() else { break };
                if let Ok(group) = &group {
                    keys += group.len();
                    bytes = bytes.saturating_add(bytes_of(group));
                }
                batch.push(group);
            }
            // Nobody takes any more once a run has stopped.
            if batch.is_empty() || sender.send(batch).is_err() {
                return;
            }
        }
    });
    started.map_err(no_thread)?;
    Ok(receiver.into_iter().flatten())
}

#[allow(clippy::needless_pass_by_value, reason = "as map_err hands it over")]
fn no_thread(error: io::Error) -> Stop {
    Stop::Store(StoreError::no_thread("writing", &error))
}

/// Encodes lines, one batch at a time.
pub(crate) struct Encoding {
    lines: Sender<Vec<Line>>,
    frames: Receiver<io::Result<Frames>>,
}

impl Encoding {
    /// # Errors
    /// When zstd lacks the memory, or the system refuses the thread.
    pub(crate) fn start<'scope>(scope: &'scope Scope<'scope, '_>) -> Result<Self, Stop> {
        let mut encoder = Encoder::new().map_err(Stop::Manifest)?;
        let (lines, to_encode) = channel::<Vec<Line>>();
        let (encoded, frames) = channel();
        let thread = Builder::new().name("encode".to_owned());
        let started = thread.spawn_scoped(scope, move || {
            for lines in to_encode {
                let _ = encoded.send(encoder.encode(&lines));
            }
        });
        started.map_err(no_thread)?;
        Ok(Self { lines, frames })
    }

    /// Begins to encode `lines`.
    pub(crate) fn begin(&self, lines: Vec<Line>) {
        // If nobody takes them, `end` says so.
        let _ = self.lines.send(lines);
    }

    /// What has become of the lines.
    ///
    /// # Errors
    /// When they could not be encoded.
    pub(crate) fn end(&self) -> io::Result<Frames> {
        let gone = |_| io::Error::other("the thread that encodes it has ended");
        self.frames.recv().map_err(gone)?
    }
}

#[cfg(test)]
mod tests {
    use super::ahead;
    use crate::publish::apply::batch::Group;
    use crate::publish::apply::step::{Step, Want};
    use crate::publish::apply::stop::Stop;

    fn group(number: usize) -> Group {
        vec![Step {
            key: number.to_string(),
            want: Want::Remove,
            reason: None,
            of_archive: false,
            prior_bytes: 0,
        }]
    }

    #[test]
    fn everything_comes_in_order_and_an_error_in_its_place() {
        let groups = (0..3000).map(|number| match number {
            2500 => Err(Stop::Interrupted),
            number => Ok(group(number)),
        });
        let taken: Vec<_> = std::thread::scope(|scope| ahead(scope, groups).unwrap().collect());
        let keys = taken.iter().map(|group| match group {
            Ok(group) => group[0].key.clone(),
            Err(stop) => stop.to_string(),
        });
        let expected = (0..3000).map(|number| match number {
            2500 => Stop::Interrupted.to_string(),
            number => number.to_string(),
        });
        assert!(keys.eq(expected));
    }

    #[test]
    fn whoever_takes_no_more_is_not_waited_for() {
        std::thread::scope(|scope| {
            let mut endless = ahead(scope, (0..).map(|number| Ok(group(number)))).unwrap();
            assert!(endless.next().is_some());
        });
    }
}
