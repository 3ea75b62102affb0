//! A proxy between anp and its server that does what networks do: it cuts, loses and delays.

use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What happens to a piece of what a client sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The connection is cut; the piece never arrives.
    NotSent,
    /// The piece arrives and is carried out; its replies are lost, and the connection is cut.
    ReplyLost,
    /// As before, but the first bytes of the replies come through.
    ReplyTorn,
    /// The piece arrives and is carried out; its replies are withheld until [`Proxy::release`],
    /// and then lost with the connection.
    ReplyHeld,
    /// The piece is withheld until [`Proxy::release`]; the client hears nothing meanwhile.
    Held,
}

/// Which pieces meet with a fault.
#[derive(Clone, Copy, Debug)]
pub struct Trouble {
    pub fault: Fault,
    /// Only pieces that hold these bytes.
    pub at: &'static [u8],
    /// So many of them pass unharmed first.
    pub skip: usize,
    /// So many of them meet with the fault.
    pub times: usize,
}

impl Trouble {
    /// The first piece that holds `at` meets with `fault`.
    pub fn once(fault: Fault, at: &'static [u8]) -> Self {
        Self {
            fault,
            at,
            skip: 0,
            times: 1,
        }
    }

    /// Each piece that holds `at` does.
    pub fn always(fault: Fault, at: &'static [u8]) -> Self {
        Self {
            times: usize::MAX,
            ..Self::once(fault, at)
        }
    }
}

struct Shared {
    trouble: Trouble,
    server: PathBuf,
    pieces: AtomicUsize,
    released: AtomicBool,
    serving: AtomicUsize,
    /// What each connection was to carry to the server, in the order of their beginnings.
    sent: Mutex<Vec<Vec<u8>>>,
}

/// Listens on a unix socket until the test ends.
pub struct Proxy {
    path: PathBuf,
    shared: Arc<Shared>,
}

impl Proxy {
    pub fn start(path: &Path, server: &Path, trouble: Trouble) -> Self {
        let listener = UnixListener::bind(path).unwrap();
        let shared = Arc::new(Shared {
            trouble,
            server: server.to_owned(),
            pieces: AtomicUsize::new(0),
            released: AtomicBool::new(false),
            serving: AtomicUsize::new(0),
            sent: Mutex::default(),
        });
        let of_thread = Arc::clone(&shared);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                // A server that is away: the client meets with an end at once.
                let Ok(server) = UnixStream::connect(&of_thread.server) else {
                    continue;
                };
                let shared = Arc::clone(&of_thread);
                let client = client.unwrap();
                shared.serving.fetch_add(1, Ordering::SeqCst);
                std::thread::spawn(move || {
                    shared.serve(client, server);
                    shared.serving.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Self {
            path: path.to_owned(),
            shared,
        }
    }

    pub fn url(&self) -> String {
        format!("redis+unix://{}", self.path.display())
    }

    /// The commands that each connection was to carry, also those that a fault kept back.
    pub fn commands(&self) -> Vec<Vec<Vec<String>>> {
        let sent = self.shared.sent.lock().unwrap();
        sent.iter().map(|bytes| commands_in(bytes)).collect()
    }

    /// How many pieces met with the fault.
    pub fn faults(&self) -> usize {
        let Trouble { skip, times, .. } = self.shared.trouble;
        let pieces = self.shared.pieces.load(Ordering::SeqCst);
        pieces.saturating_sub(skip).min(times)
    }

    /// Waits until a piece has met with the fault.
    pub fn wait_for_fault(&self) {
        while self.faults() == 0 {
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Passes on what was withheld; the connection goes on.
    pub fn release(&self) {
        self.shared.released.store(true, Ordering::SeqCst);
    }

    /// Passes on what was withheld, and waits until the server has carried it out, or has
    /// closed that connection before.
    pub fn release_and_wait(&self) {
        self.release();
        while self.shared.serving.load(Ordering::SeqCst) > 0 {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Whole commands, as RESP arrays of bulk strings.
fn commands_in(mut bytes: &[u8]) -> Vec<Vec<String>> {
    fn number(bytes: &mut &[u8]) -> Option<usize> {
        let end = bytes.windows(2).position(|pair| pair == b"\r\n")?;
        let number = std::str::from_utf8(&bytes[1..end]).ok()?.parse().ok()?;
        *bytes = &bytes[end + 2..];
        Some(number)
    }
    fn command(bytes: &mut &[u8]) -> Option<Vec<String>> {
        let words = number(bytes)?;
        let mut word = || {
            let length = number(bytes)?;
            let word = String::from_utf8_lossy(bytes.get(..length)?).into_owned();
            *bytes = bytes.get(length + 2..)?;
            Some(word)
        };
        (0..words).map(|_| word()).collect()
    }
    std::iter::from_fn(|| command(&mut bytes)).collect()
}

impl Shared {
    fn serve(&self, mut client: UnixStream, mut server: UnixStream) {
        let connection = {
            let mut sent = self.sent.lock().unwrap();
            sent.push(Vec::new());
            sent.len() - 1
        };
        /// Replies pass, pass up to so many bytes, or are lost.
        const ALL: usize = usize::MAX;
        let open = Arc::new(AtomicUsize::new(ALL));
        let replies = {
            let (open, mut from, mut to) = (
                Arc::clone(&open),
                server.try_clone().unwrap(),
                client.try_clone().unwrap(),
            );
            std::thread::spawn(move || {
                let mut buffer = [0; 16 * 1024];
                while let Ok(length @ 1..) = from.read(&mut buffer) {
                    let pass = open.load(Ordering::SeqCst).min(length);
                    let _ = to.write_all(&buffer[..pass]);
                    if pass < length {
                        open.store(0, Ordering::SeqCst);
                    }
                }
                let _ = to.shutdown(Shutdown::Both);
            })
        };
        let mut buffer = [0; 16 * 1024];
        while let Ok(length @ 1..) = client.read(&mut buffer) {
            let piece = &buffer[..length];
            self.sent.lock().unwrap()[connection].extend_from_slice(piece);
            match self.fault_for(piece) {
                None => {
                    if server.write_all(piece).is_err() {
                        break;
                    }
                    continue;
                }
                Some(Fault::NotSent) => {}
                Some(Fault::ReplyLost) => {
                    open.store(0, Ordering::SeqCst);
                    let _ = server.write_all(piece);
                }
                Some(Fault::ReplyHeld) => {
                    open.store(0, Ordering::SeqCst);
                    let _ = server.write_all(piece);
                    while !self.released.load(Ordering::SeqCst) {
                        std::thread::sleep(Duration::from_millis(5));
                    }
                }
                Some(Fault::ReplyTorn) => {
                    open.store(3, Ordering::SeqCst);
                    let _ = server.write_all(piece);
                }
                Some(Fault::Held) => {
                    while !self.released.load(Ordering::SeqCst) {
                        std::thread::sleep(Duration::from_millis(5));
                    }
                    if server.write_all(piece).is_err() {
                        break;
                    }
                    continue;
                }
            }
            break;
        }
        // The server closes its side when it has carried out what was sent.
        let _ = server.shutdown(Shutdown::Write);
        let _ = replies.join();
    }

    fn fault_for(&self, piece: &[u8]) -> Option<Fault> {
        let Trouble {
            fault,
            at,
            skip,
            times,
        } = self.trouble;
        let meant = at.is_empty() || piece.windows(at.len()).any(|window| window == at);
        if !meant {
            return None;
        }
        let number = self.pieces.fetch_add(1, Ordering::SeqCst);
        (number >= skip && number - skip < times).then_some(fault)
    }
}
