//! A tap between anp and the server: it lets so many bytes through and no more, so that a
//! run can be killed at any byte that it sends.

use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// More than any run sends.
const OPEN: i64 = i64::MAX / 2;

pub struct Tap {
    path: PathBuf,
    left: Arc<AtomicI64>,
}

impl Tap {
    pub fn before(server: &Path, folder: &Path) -> Self {
        let path = folder.join("tap");
        let listener = UnixListener::bind(&path).unwrap();
        let left = Arc::new(AtomicI64::new(OPEN));
        let (shared, server) = (Arc::clone(&left), server.to_owned());
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (Ok(client), Ok(server)) = (client, UnixStream::connect(&server)) else {
                    return;
                };
                let replies = (server.try_clone().unwrap(), client.try_clone().unwrap());
                std::thread::spawn(move || pass(replies.0, replies.1, &AtomicI64::new(OPEN)));
                let left = Arc::clone(&shared);
                std::thread::spawn(move || pass(client, server, &left));
            }
        });
        Self { path, left }
    }

    pub fn url(&self) -> String {
        format!("redis+unix://{}", self.path.display())
    }

    /// Lets `bytes` through from now on, or all of them.
    pub fn open(&self, bytes: Option<u64>) {
        let bytes = bytes.map_or(OPEN, u64::cast_signed);
        self.left.store(bytes, Ordering::SeqCst);
    }

    /// Whether some bytes were held back.
    pub fn is_dry(&self) -> bool {
        self.left.load(Ordering::SeqCst) < 0
    }

    /// How many bytes passed since it was opened for all.
    pub fn passed(&self) -> u64 {
        (OPEN - self.left.load(Ordering::SeqCst)).cast_unsigned()
    }
}

fn pass(mut from: UnixStream, mut to: UnixStream, left: &AtomicI64) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        let length = length as i64;
        let before = left.fetch_sub(length, Ordering::SeqCst);
        let through = before.clamp(0, length).cast_unsigned() as usize;
        let _ = to.write_all(&buffer[..through]);
    }
    let _ = to.shutdown(Shutdown::Both);
}
