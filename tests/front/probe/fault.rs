//! The ways in which a front can be wrong.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::front::{Asked, Reply, Shared, Then, gzip};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    /// Nothing is wrong.
    #[default]
    None,
    /// Nothing is wrong, and pages are compressed.
    Gzip,
    /// Nothing is wrong, but it does not tell of its cache.
    NoXCache,
    Errors,
    ErrorsFrom(usize),
    RedirectTo(String),
    Hang,
    Close,
    Cut,
    Endless,
    Huge,
    PlainText,
    WrongBody,
    StaleDigest,
    NoEtag,
    Always200,
    Always304,
    BodyIn304,
    OtherEtagIn304,
    NoCacheControl,
    TooLong,
    AlwaysMiss,
    NoindexLost,
    NoindexAdded,
    HeadWithBody,
    HeadOfAnother,
    BrokenGzip,
    AnotherInGzip,
    UnknownCoding,
    NoVary,
    SameEtag,
    LoginFromCache,
    LoginPublic,
    LoginErrors,
    LoginRedirects,
    LoginLeaks,
    LoginBodyLeaks,
    SetCookie,
    MissAfterLogin,
    AnyPath,
    MissingForLong,
    /// A redirect has this status.
    RedirectsWith(u16),
    /// A redirect leads there.
    RedirectsTo(&'static str),
    /// A redirect says this of caches.
    RedirectsFor(&'static str),
    /// Request number N, and no other, takes so long.
    StallAt(usize, Duration),
    /// Each takes so long from request number N on.
    SlowFrom(usize, Duration),
}

impl Fault {
    pub fn compresses(&self) -> bool {
        use Fault::{AnotherInGzip, BrokenGzip, Gzip, NoVary, SameEtag, UnknownCoding};
        matches!(
            self,
            Gzip | BrokenGzip | AnotherInGzip | NoVary | SameEtag | UnknownCoding
        )
    }

    pub fn etag(&self, digest: &str) -> String {
        match self {
            Self::StaleDigest => format!("\"{}\"", "0".repeat(32)),
            _ => format!("\"{digest}\""),
        }
    }

    /// Makes a good answer a bad one.
    pub fn spoil(&self, asked: &Asked, reply: &mut Reply, shared: &Shared) {
        let number = shared.requests.load(Ordering::SeqCst);
        let is_page = matches!(reply.status, 200 | 304);
        let is_gzip = reply.header("Content-Encoding").is_some();
        let is_redirect = matches!(reply.status, 301 | 302 | 308 | 410);
        match self {
            Self::AnyPath if !is_page => {
                *reply = Reply {
                    status: 200,
                    body: format!("Any page.<!--anp:{}-->", "0".repeat(32)).into_bytes(),
                    ..Reply::default()
                };
            }
            Self::MissingForLong if !is_page => reply.set("Cache-Control", "public, max-age=86400"),
            Self::StallAt(at, time) if number == *at => std::thread::sleep(*time),
            Self::SlowFrom(from, time) if number >= *from => std::thread::sleep(*time),
            Self::ErrorsFrom(from) if number >= *from => self.fail(reply),
            Self::RedirectsWith(status) if is_redirect => reply.status = *status,
            Self::RedirectsTo(to) if is_redirect => reply.set("Location", *to),
            Self::RedirectsFor(text) if is_redirect && !text.is_empty() => {
                reply.set("Cache-Control", *text);
            }
            Self::RedirectsFor(_) if is_redirect => reply.remove("Cache-Control"),
            _ if !is_page => {}
            Self::Errors => self.fail(reply),
            Self::RedirectTo(url) => {
                reply.status = 302;
                reply.set("Location", url.clone());
            }
            Self::Hang => reply.then = Then::Hang,
            Self::Close => reply.then = Then::Close,
            Self::Cut => reply.then = Then::Cut,
            Self::Endless => reply.then = Then::Endless,
            Self::Huge => reply.then = Then::Huge,
            Self::PlainText => reply.set("Content-Type", "text/plain"),
            Self::WrongBody => reply.body[100] ^= 1,
            Self::NoEtag => reply.remove("ETag"),
            Self::Always200 => reply.status = 200,
            Self::Always304 if asked.header("if-none-match").is_some() => reply.status = 304,
            Self::BodyIn304 => reply.body_in_spite = reply.status == 304,
            Self::OtherEtagIn304 if reply.status == 304 => reply.set("ETag", "\"0\""),
            Self::NoCacheControl if !asked.is_login() => reply.remove("Cache-Control"),
            Self::TooLong if !asked.is_login() => {
                reply.set("Cache-Control", "public, max-age=31536000");
            }
            Self::AlwaysMiss if !asked.is_login() => reply.set("X-Cache", "MISS"),
            Self::NoXCache => reply.remove("X-Cache"),
            Self::NoindexLost => reply.remove("X-Robots-Tag"),
            Self::NoindexAdded => reply.set("X-Robots-Tag", "noindex, nofollow"),
            Self::HeadWithBody => reply.body_in_spite = asked.method == "HEAD",
            Self::HeadOfAnother if asked.method == "HEAD" => reply.set("ETag", "\"0\""),
            Self::BrokenGzip if is_gzip => reply.body.truncate(reply.body.len() / 2),
            Self::AnotherInGzip if is_gzip => reply.body = gzip(b"<p>Another page.</p>"),
            Self::UnknownCoding if is_gzip => reply.set("Content-Encoding", "zstd"),
            Self::NoVary if is_gzip => reply.set("Vary", "Cookie"),
            Self::SameEtag if is_gzip => {
                let tag = reply.header("ETag").unwrap().replace("-gzip", "");
                reply.set("ETag", tag);
            }
            Self::LoginFromCache if asked.is_login() => reply.set("X-Cache", "HIT"),
            Self::LoginPublic if asked.is_login() => {
                reply.set("Cache-Control", "public, max-age=1");
            }
            Self::LoginErrors if asked.is_login() => self.fail(reply),
            Self::LoginRedirects if asked.is_login() => {
                reply.status = 302;
                reply.set("Location", "/login/\u{202e}\u{200b}x");
            }
            Self::LoginLeaks | Self::LoginBodyLeaks | Self::MissAfterLogin => {
                self.leak(asked, reply, shared);
            }
            Self::SetCookie => reply.set("Set-Cookie", "session=somebodys-secret"),
            _ => {}
        }
    }

    fn fail(&self, reply: &mut Reply) {
        reply.status = 500;
        reply.body = b"Sorry.".to_vec();
    }

    /// The next visitor gets something of what the one who was logged in got.
    fn leak(&self, asked: &Asked, reply: &mut Reply, shared: &Shared) {
        let mut leaked = shared.leaked.lock().unwrap();
        if asked.is_login() {
            reply.body = b"<p>Hello, Flo.</p>".to_vec();
            leaked.insert(asked.path.clone(), reply.clone());
        } else if let Some(kept) = leaked.remove(&asked.path) {
            match self {
                Self::LoginLeaks => *reply = kept,
                Self::LoginBodyLeaks => reply.body = kept.body,
                _ => reply.set("X-Cache", "MISS"),
            }
        }
    }
}
