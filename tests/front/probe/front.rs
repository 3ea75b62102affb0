//! A web server in front of the world's store that answers well, or badly in one way.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use anp::archive::{FilePath, Redirect};
use anp::article::Route;

use super::fault::Fault;
use super::tls;

/// A front that runs until the test ends.
pub struct Front {
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

/// What all connections of a front know.
pub struct Shared {
    redis: String,
    pub fault: Fault,
    /// Paths that were answered before: from then on they are in the cache.
    cached: Mutex<BTreeSet<String>>,
    /// What was kept of answers to visitors who were logged in, where the front does that.
    pub leaked: Mutex<BTreeMap<String, Reply>>,
    pub requests: AtomicUsize,
    connections: AtomicUsize,
}

pub struct Asked {
    pub method: String,
    pub path: String,
    headers: Vec<(String, String)>,
}

#[derive(Clone, Default)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    /// Sent although there must be no body.
    pub body_in_spite: bool,
    pub then: Then,
}

/// What becomes of the connection.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub enum Then {
    #[default]
    Keep,
    /// Nothing is said, and the connection stays open.
    Hang,
    /// Nothing is said, and the connection is closed.
    Close,
    /// The body ends after half of it.
    Cut,
    /// The body never ends.
    Endless,
    /// The body is said to be of 64 GiB.
    Huge,
}

impl Asked {
    pub fn header(&self, name: &str) -> Option<&str> {
        let named = self.headers.iter().find(|(known, _)| known == name);
        named.map(|(_, value)| value.as_str())
    }

    pub fn takes_gzip(&self) -> bool {
        self.header("accept-encoding")
            .is_some_and(|all| all.contains("gzip"))
    }

    pub fn is_login(&self) -> bool {
        self.header("cookie")
            .is_some_and(|all| all.contains("wordpress_logged_in_"))
    }
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        let named = self.headers.iter().find(|(known, _)| *known == name);
        named.map(|(_, value)| value.as_str())
    }

    pub fn set(&mut self, name: &'static str, value: impl Into<String>) {
        self.remove(name);
        self.headers.push((name, value.into()));
    }

    pub fn remove(&mut self, name: &str) {
        self.headers.retain(|(known, _)| *known != name);
    }
}

impl Front {
    pub fn start(server: &crate::support::Server, fault: Fault) -> Self {
        Self::listen(server, fault, false)
    }

    /// The same behind TLS, as `localhost`.
    pub fn start_tls(server: &crate::support::Server, fault: Fault) -> Self {
        Self::listen(server, fault, true)
    }

    fn listen(server: &crate::support::Server, fault: Fault, with_tls: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            redis: server.url(),
            fault,
            cached: Mutex::default(),
            leaked: Mutex::default(),
            requests: AtomicUsize::new(0),
            connections: AtomicUsize::new(0),
        });
        let of_thread = Arc::clone(&shared);
        // Ends with the process of the test.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&of_thread);
                shared.connections.fetch_add(1, Ordering::SeqCst);
                std::thread::spawn(move || {
                    // Whoever asks may go away at any time.
                    let _ = if with_tls {
                        tls::accept(stream).and_then(|stream| serve(stream, &shared))
                    } else {
                        serve(stream, &shared)
                    };
                });
            }
        });
        Self { address, shared }
    }

    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Requests so far.
    pub fn requests(&self) -> usize {
        self.shared.requests.load(Ordering::SeqCst)
    }

    /// Connections so far.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }
}

fn serve(stream: impl Read + Write, shared: &Shared) -> std::io::Result<()> {
    let mut redis = redis::Client::open(shared.redis.as_str())
        .unwrap()
        .get_connection()
        .unwrap();
    let mut stream = BufReader::new(stream);
    while let Some(asked) = read_request(&mut stream)? {
        shared.requests.fetch_add(1, Ordering::SeqCst);
        let mut reply = answer(&asked, shared, &mut redis);
        shared.fault.spoil(&asked, &mut reply, shared);
        let wants_close = asked.header("connection") == Some("close");
        match reply.then {
            Then::Close => return Ok(()),
            Then::Hang => loop {
                std::thread::park();
            },
            _ => {}
        }
        let has_none = asked.method == "HEAD" || reply.status == 304;
        let mut bytes = format!("HTTP/1.1 {} Some Words\r\n", reply.status).into_bytes();
        for (name, value) in &reply.headers {
            bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        if reply.then == Then::Endless {
            bytes.extend_from_slice(b"\r\n");
            loop {
                stream.get_mut().write_all(&bytes)?;
                bytes = vec![b' '; 256 * 1024];
            }
        }
        if reply.status != 304 {
            let length = match reply.then {
                Then::Huge => 1 << 36,
                _ => reply.body.len(),
            };
            bytes.extend_from_slice(format!("Content-Length: {length}\r\n").as_bytes());
        }
        bytes.extend_from_slice(b"\r\n");
        if !has_none || reply.body_in_spite {
            bytes.extend_from_slice(&reply.body);
        }
        if reply.then == Then::Cut {
            bytes.truncate(bytes.len() - reply.body.len() / 2);
        }
        stream.get_mut().write_all(&bytes)?;
        stream.get_mut().flush()?;
        if wants_close || reply.then == Then::Cut {
            return Ok(());
        }
    }
    Ok(())
}

fn read_request(stream: &mut BufReader<impl Read>) -> std::io::Result<Option<Asked>> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let line = line.trim_end().to_owned();
        if line.is_empty() {
            break;
        }
        lines.push(line);
    }
    let mut words = lines[0].split(' ');
    let method = words.next().unwrap().to_owned();
    let path = words.next().unwrap().to_owned();
    let headers = lines[1..].iter().map(|line| {
        let (name, value) = line.split_once(':').unwrap();
        (name.to_ascii_lowercase(), value.trim().to_owned())
    });
    let headers = headers.collect();
    Ok(Some(Asked {
        method,
        path,
        headers,
    }))
}

/// A good answer.
fn answer(asked: &Asked, shared: &Shared, redis: &mut redis::Connection) -> Reply {
    let mut get =
        |key: &str| -> Option<Vec<u8>> { redis::cmd("GET").arg(key).query(redis).unwrap() };
    let route = asked.path.strip_prefix("/below").unwrap_or(&asked.path);
    let (key, meta) = (format!("anp:page:{route}"), format!("anp:meta:{route}"));
    let key = if route.contains('.') {
        format!("anp:file:{route}")
    } else {
        key
    };
    let Some(page) = get(&key) else {
        let key = format!("anp:redirect:{route}");
        let value = get(&key).unwrap_or_default();
        let left_ms: i64 = redis::cmd("PTTL").arg(&key).query(redis).unwrap();
        let leads_from = Route::parse(route).ok();
        let redirect = leads_from.and_then(|route| Redirect::parse_at(&route, &value));
        if let Some(redirect) = redirect {
            let mut reply = Reply {
                status: redirect.status(),
                ..Reply::default()
            };
            let max_age = format!("public, max-age={}", left_ms / 1000);
            reply.set("Cache-Control", max_age);
            if let Some(to) = redirect.to() {
                reply.set("Location", asked.path.replace(route, to.as_str()));
            }
            return reply;
        }
        return Reply {
            status: 404,
            headers: vec![
                ("Cache-Control", "no-store".to_owned()),
                ("X-Cache", "MISS".to_owned()),
            ],
            body: b"no such page".to_vec(),
            ..Reply::default()
        };
    };
    let meta = get(&meta).map(|meta| String::from_utf8(meta).unwrap());
    let ttl_ms: i64 = redis::cmd("PTTL").arg(&key).query(redis).unwrap();
    let digest = anp::render::file_digest(&page).unwrap().to_string();
    let was_cached = !shared.cached.lock().unwrap().insert(asked.path.clone());
    let mut reply = Reply {
        status: 200,
        body: page,
        ..Reply::default()
    };
    let file = FilePath::parse(route).map(|path| path.content_type());
    let content_type = file.unwrap_or("text/html; charset=utf-8".to_owned());
    reply.set("Content-Type", content_type);
    reply.set("Vary", "Cookie");
    if meta.is_some_and(|meta| meta.contains(r#""robots":"noindex""#)) {
        reply.set("X-Robots-Tag", "noindex");
    }
    if asked.is_login() {
        reply.set("Cache-Control", "private, no-store");
        reply.set("X-Cache", "BYPASS");
        return reply;
    }
    reply.set("ETag", shared.fault.etag(&digest));
    reply.set(
        "Cache-Control",
        format!("public, max-age={}", ttl_ms / 1000),
    );
    reply.set("Age", "0");
    reply.set("X-Cache", if was_cached { "HIT" } else { "MISS" });
    if shared.fault.compresses() && asked.takes_gzip() {
        reply.body = gzip(&reply.body);
        reply.set("Content-Encoding", "gzip");
        reply.set("Vary", "Cookie, Accept-Encoding");
        reply.set("ETag", format!("\"{digest}-gzip\""));
    }
    if asked.header("if-none-match").is_some()
        && asked.header("if-none-match") == reply.header("ETag")
    {
        reply.status = 304;
    }
    reply
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A listener that nobody may call.
pub struct Elsewhere(TcpListener);

impl Elsewhere {
    pub fn listen() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        Self(listener)
    }

    pub fn url(&self) -> String {
        format!("http://{}/", self.0.local_addr().unwrap())
    }

    /// Whether somebody called: a connection waits to be accepted.
    pub fn was_called(&self) -> bool {
        self.0.accept().is_ok()
    }
}
