//! The origin behind the front.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};

/// An origin that tells what it was asked, and remembers it.
pub struct Origin {
    socket: PathBuf,
    asked: Arc<Mutex<Vec<String>>>,
    gate: Arc<Mutex<()>>,
}

impl Origin {
    pub fn start(socket: PathBuf) -> Self {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let gate = Arc::new(Mutex::new(()));
        let listener = UnixListener::bind(&socket).unwrap();
        let (heads, closed) = (Arc::clone(&asked), Arc::clone(&gate));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (heads, gate) = (Arc::clone(&heads), Arc::clone(&closed));
                std::thread::spawn(move || answer(stream.unwrap(), &heads, &gate));
            }
        });
        Self {
            socket,
            asked,
            gate,
        }
    }

    /// As long as this is held, whoever asks for /waits/ waits.
    pub fn hold(&self) -> MutexGuard<'_, ()> {
        self.gate.lock().unwrap()
    }

    /// Nobody can reach it any more.
    pub fn stop(&self) {
        std::fs::remove_file(&self.socket).unwrap();
    }

    /// The heads of all requests until now.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn answer(mut stream: UnixStream, heads: &Mutex<Vec<String>>, gate: &Mutex<()>) {
    let mut head = String::new();
    for line in BufReader::new(stream.try_clone().unwrap()).lines() {
        let line = line.unwrap();
        if line.is_empty() {
            break;
        }
        head += &line;
        head += "\n";
    }
    heads.lock().unwrap().push(head.clone());
    if head.contains("/hangs-up/") {
        return;
    }
    if head.contains("/waits/") {
        drop(gate.lock());
    }
    let body = format!("the origin was asked:\n{head}");
    let _ = write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\nX-Cache: ORIGIN\r\n\
         Cache-Control: max-age=17\r\nExpires: Thu, 31 Dec 2037 23:55:55 GMT\r\nETag: \"o\"\r\n\
         CDN-Cache-Control: max-age=17\r\nCloudflare-CDN-Cache-Control: max-age=17\r\n\
         Edge-Control: max-age=17\r\n\
         Last-Modified: Mon, 06 Jan 2025 10:00:00 GMT\r\n\r\n{body}",
        body.len()
    );
}
