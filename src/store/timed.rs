//! A stream whose every wait ends at a deadline, or soon after a signal.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::Instant;

use super::dial::{Limit, SLICE};

enum Raw {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// The stream. What reads and writes through it (TLS, the parser of replies) needs no limits of
/// its own: a byte now and then does not make a wait longer.
pub(super) struct TimedStream {
    raw: Raw,
    limit: Limit,
}

impl TimedStream {
    pub(super) fn tcp(stream: TcpStream, limit: Limit) -> io::Result<Self> {
        stream.set_read_timeout(Some(SLICE))?;
        stream.set_write_timeout(Some(SLICE))?;
        let raw = Raw::Tcp(stream);
        Ok(Self { raw, limit })
    }

    pub(super) fn unix(stream: UnixStream, limit: Limit) -> io::Result<Self> {
        stream.set_read_timeout(Some(SLICE))?;
        stream.set_write_timeout(Some(SLICE))?;
        let raw = Raw::Unix(stream);
        Ok(Self { raw, limit })
    }

    /// Begins a wait that ends at `until`, however many pieces of it there are.
    pub(super) fn wait_until(&mut self, until: Instant) {
        self.limit = Limit::new(until, &self.limit.interrupt);
    }

    fn patiently(
        &mut self,
        mut once: impl FnMut(&mut Raw) -> io::Result<usize>,
    ) -> io::Result<usize> {
        loop {
            self.limit.slice()?;
            match once(&mut self.raw) {
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
                    ) => {}
                done => return done,
            }
        }
    }
}

impl Read for TimedStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.patiently(|raw| match raw {
            Raw::Tcp(stream) => stream.read(buffer),
            Raw::Unix(stream) => stream.read(buffer),
        })
    }
}

impl Write for TimedStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.patiently(|raw| match raw {
            Raw::Tcp(stream) => stream.write(bytes),
            Raw::Unix(stream) => stream.write(bytes),
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
