//! HTTP/1.1 as a checker needs it: every header, the body as it came, and what came although
//! it must not. No redirect is followed, nothing is decoded, no proxy is asked.

use std::io::{self, BufRead, BufReader, Read, Write as _};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use super::body::{Body, Reader};
use super::coding::LARGEST_BODY;
use super::head::Head;
use super::wire::{Front, Stream, Trouble, Until, sleep_until};

const LARGEST_HEAD: u64 = 64 * 1024;
const MOST_HEADERS: usize = 128;

/// How long a front that was asked to close the connection may take to do so.
const GOODBYE: Duration = Duration::from_millis(500);

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// `GET` or `HEAD`.
    pub method: &'a str,
    /// The path, as it stands in the request.
    pub path: &'a str,
    /// Further headers.
    pub headers: &'a [(&'a str, &'a str)],
    /// Whether the connection is read to its end, to see what comes after the answer.
    pub to_the_end: bool,
    /// The stored page, if the body is to be decoded and compared with it.
    pub page: Option<&'a [u8]>,
}

/// What came.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Status and headers.
    pub head: Head,
    /// What is known of the body, or why it is not whole.
    pub body: Result<Body, Trouble>,
    /// How many bytes came after an answer that has no body (304, HEAD); counted only where
    /// the connection was read to its end.
    pub extra: usize,
    /// When the request was begun: the answer is no older than that.
    pub asked_at: Instant,
}

/// One connection with a front, opened when it is needed and kept while the front keeps it.
pub struct Client {
    front: Arc<Front>,
    timeout: Duration,
    interrupted: Arc<AtomicBool>,
    kept: Option<BufReader<Stream>>,
    /// Between the beginnings of two requests, at least.
    gap: Duration,
    /// Nothing is sent before.
    next: Instant,
}

impl Client {
    /// Each answer has to be whole within `timeout`.
    #[must_use]
    pub fn new(front: Arc<Front>, timeout: Duration, interrupted: Arc<AtomicBool>) -> Self {
        Self {
            front,
            timeout,
            interrupted,
            kept: None,
            gap: Duration::ZERO,
            next: Instant::now(),
        }
    }

    /// Sends at most `rate` requests a second from here on, evenly.
    pub fn at_most(&mut self, rate: u32) {
        self.gap = Duration::from_secs(1) / rate.max(1);
    }

    /// Opens the connection that the next request goes over.
    ///
    /// # Errors
    /// When there is none.
    pub fn connect(&mut self) -> Result<(), Trouble> {
        let until = Until::new(self.timeout, &self.interrupted);
        self.kept = Some(BufReader::new(self.front.connect(&until)?));
        Ok(())
    }

    /// Sends one request and reads the answer.
    ///
    /// # Errors
    /// When there is no head of an answer; trouble with the body is a part of the [`Answer`].
    pub fn send(&mut self, request: &Request<'_>) -> Result<Answer, Trouble> {
        if let Some(mut kept) = self.kept.take() {
            let (until, asked_at) = self.turn()?;
            kept.get_mut().limit(&until);
            match self.exchange(kept, request, &until, asked_at) {
                // A front may close an idle connection at any time, also while we send.
                Err(Trouble::Lost(_)) => {}
                done => return done,
            }
        }
        let (until, asked_at) = self.turn()?;
        let fresh = BufReader::new(self.front.connect(&until)?);
        self.exchange(fresh, request, &until, asked_at)
    }

    /// Waits until a request may be sent. Its time begins then.
    fn turn(&mut self) -> Result<(Until, Instant), Trouble> {
        if !sleep_until(self.next, &self.interrupted) {
            return Err(Trouble::Interrupted);
        }
        let now = Instant::now();
        self.next = now + self.gap;
        Ok((Until::new(self.timeout, &self.interrupted), now))
    }

    fn exchange(
        &mut self,
        mut stream: BufReader<Stream>,
        request: &Request<'_>,
        until: &Until,
        asked_at: Instant,
    ) -> Result<Answer, Trouble> {
        let lost = |error: std::io::Error| until.trouble(&error);
        let bytes = self.wire_form(request);
        stream.get_mut().write_all(&bytes).map_err(lost)?;
        stream.get_mut().flush().map_err(lost)?;
        let head = loop {
            let head = read_head(&mut stream, until)?;
            // 100 and 103 are said before the answer.
            if !(100..200).contains(&head.status) {
                break head;
            }
        };
        let has_none = request.method == "HEAD" || matches!(head.status, 204 | 304);
        let coding = head.get("content-encoding").unwrap_or_default();
        let body = Reader::new(coding, request.page);
        let mut answer = Answer {
            body: if has_none {
                Ok(body.finish())
            } else {
                read_body(&mut stream, &head, body, until)
            },
            head,
            extra: 0,
            asked_at,
        };
        if has_none && request.to_the_end {
            answer.extra = read_goodbye(&mut stream, until);
            return Ok(answer);
        }
        let closes = answer
            .head
            .list("connection")
            .any(|word| word.eq_ignore_ascii_case("close"));
        let until_close = !has_none && Framing::of(&answer.head) == Framing::UntilClose;
        if answer.body.is_ok() && !closes && !until_close && !request.to_the_end {
            self.kept = Some(stream);
        }
        Ok(answer)
    }

    fn wire_form(&self, request: &Request<'_>) -> Vec<u8> {
        let (method, path) = (request.method, request.path);
        let mut text = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nUser-Agent: anp/{} (probe)\r\nAccept: \
             text/html,*/*\r\n",
            self.front.target.authority,
            env!("CARGO_PKG_VERSION")
        );
        for (name, value) in request.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        if request.to_the_end {
            text.push_str("Connection: close\r\n");
        }
        text.push_str("\r\n");
        text.into_bytes()
    }
}

/// How the end of a body is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    Chunked,
    Length(u64),
    UntilClose,
}

impl Framing {
    fn of(head: &Head) -> Self {
        let mut codings = head.list("transfer-encoding");
        if codings.any(|coding| coding.eq_ignore_ascii_case("chunked")) {
            return Self::Chunked;
        }
        let length = head
            .get("content-length")
            .and_then(|text| text.trim().parse().ok());
        length.map_or(Self::UntilClose, Self::Length)
    }
}

fn read_head(stream: &mut impl BufRead, until: &Until) -> Result<Head, Trouble> {
    let mut bytes = Vec::new();
    loop {
        let line = read_line(stream, LARGEST_HEAD - bytes.len() as u64, until)?;
        if line.is_empty() && bytes.is_empty() {
            return Err(Trouble::Lost("closed before an answer".to_owned()));
        }
        let ends = matches!(line.as_slice(), b"\r\n" | b"\n");
        let is_whole = line.ends_with(b"\n");
        bytes.extend_from_slice(&line);
        if ends {
            break;
        }
        if bytes.len() as u64 >= LARGEST_HEAD {
            return Err(Trouble::Protocol(format!(
                "headers of more than {LARGEST_HEAD} bytes"
            )));
        }
        if !is_whole {
            return Err(Trouble::Lost("closed within the headers".to_owned()));
        }
    }
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut parsed = httparse::Response::new(&mut headers);
    match parsed.parse(&bytes) {
        Ok(httparse::Status::Complete(_)) => {}
        Ok(httparse::Status::Partial) => {
            return Err(Trouble::Protocol("headers that do not end".to_owned()));
        }
        Err(error) => return Err(Trouble::Protocol(error.to_string())),
    }
    let header = |header: &httparse::Header<'_>| {
        let value = String::from_utf8_lossy(header.value).into_owned();
        (header.name.to_ascii_lowercase(), value)
    };
    Ok(Head {
        status: parsed.code.unwrap_or_default(),
        headers: parsed.headers.iter().map(header).collect(),
    })
}

/// A line with its end, or what there is of it.
fn read_line(stream: &mut impl BufRead, limit: u64, until: &Until) -> Result<Vec<u8>, Trouble> {
    let mut line = Vec::new();
    let read = stream.take(limit).read_until(b'\n', &mut line);
    read.map_err(|error| until.trouble(&error))?;
    Ok(line)
}

fn read_body(
    stream: &mut impl BufRead,
    head: &Head,
    mut body: Reader<'_>,
    until: &Until,
) -> Result<Body, Trouble> {
    match Framing::of(head) {
        Framing::Length(length) => read_exactly(stream, length, &mut body, until)?,
        Framing::UntilClose => {
            read_up_to(stream, LARGEST_BODY as u64, &mut body, until)?;
            let more = stream.fill_buf().map_err(|error| until.trouble(&error))?;
            if !more.is_empty() {
                return Err(Trouble::TooLarge(LARGEST_BODY));
            }
        }
        Framing::Chunked => loop {
            let line = read_line(stream, 1024, until)?;
            if line.is_empty() {
                return Err(Trouble::Lost("closed between two chunks".to_owned()));
            }
            let size = chunk_size(&line)
                .ok_or_else(|| Trouble::Protocol("a chunk without its size".to_owned()))?;
            if size == 0 {
                // Trailers, up to an empty line.
                while !matches!(
                    read_line(stream, LARGEST_HEAD, until)?.as_slice(),
                    b"\r\n" | b"\n" | b""
                ) {}
                break;
            }
            read_exactly(stream, size, &mut body, until)?;
            if read_line(stream, 2, until)? != b"\r\n" {
                return Err(Trouble::Protocol("a chunk longer than its size".to_owned()));
            }
        },
    }
    Ok(body.finish())
}

fn read_exactly(
    stream: &mut impl Read,
    length: u64,
    body: &mut Reader<'_>,
    until: &Until,
) -> Result<(), Trouble> {
    if length > body.room() as u64 {
        return Err(Trouble::TooLarge(LARGEST_BODY));
    }
    let read = read_up_to(stream, length, body, until)?;
    if read < length {
        return Err(Trouble::Lost(format!(
            "closed after {read} of {length} bytes of the body"
        )));
    }
    Ok(())
}

fn read_up_to(
    stream: &mut impl Read,
    length: u64,
    body: &mut Reader<'_>,
    until: &Until,
) -> Result<u64, Trouble> {
    io::copy(&mut stream.take(length), body).map_err(|error| until.trouble(&error))
}

fn chunk_size(line: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(line).ok()?;
    let digits = text.split(';').next()?.trim();
    let is_hex = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit());
    is_hex.then(|| u64::from_str_radix(digits, 16).ok())?
}

/// How many bytes come until the front closes the connection, as it was asked to.
fn read_goodbye(stream: &mut BufReader<Stream>, until: &Until) -> usize {
    let mut short = until.clone();
    short.deadline = until.deadline.min(Instant::now() + GOODBYE);
    stream.get_mut().limit(&short);
    let mut extra = Vec::new();
    // A front that keeps the connection all the same, or resets it, has said what it had to say.
    let _ = stream.take(LARGEST_HEAD).read_to_end(&mut extra);
    extra.len()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;
    use std::time::Duration;

    use super::{Body, Framing, Reader, Until, chunk_size, read_body, read_head};
    use crate::probe::wire::Trouble;

    fn until() -> Until {
        Until::new(Duration::from_secs(60), &Arc::new(AtomicBool::new(false)))
    }

    fn read(bytes: &str) -> Result<Body, Trouble> {
        let mut stream = bytes.as_bytes();
        let head = read_head(&mut stream, &until())?;
        read_body(&mut stream, &head, Reader::new("", None), &until())
    }

    #[test]
    fn a_body_ends_by_length_or_chunk_or_with_the_connection() {
        let text = |bytes: &str| String::from_utf8(read(bytes).unwrap().tail).unwrap();
        assert_eq!(
            text("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabc"),
            "ab"
        );
        assert_eq!(
            text(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nab\r\n1\r\nc\r\n0\r\nT: 1\r\n\r\nmore"
            ),
            "abc"
        );
        assert_eq!(text("HTTP/1.0 200 OK\r\n\r\nabc"), "abc");
    }

    #[test]
    fn a_body_that_does_not_end_as_it_said_is_told() {
        let lost = |bytes: &str| matches!(read(bytes), Err(Trouble::Lost(_)));
        assert!(lost("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc"));
        assert!(lost(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabc"
        ));
        assert!(lost(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"
        ));
        assert!(lost(""));
        assert!(lost("HTTP/1.1 200 OK\r\nContent-"));
        let wrong = |bytes: &str| matches!(read(bytes), Err(Trouble::Protocol(_)));
        assert!(wrong(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n"
        ));
        assert!(wrong(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"
        ));
        assert!(wrong("<html>\r\n\r\n"));
        assert_eq!(
            read("HTTP/1.1 200 OK\r\nContent-Length: 68719476736\r\n\r\n"),
            Err(Trouble::TooLarge(super::LARGEST_BODY))
        );
        let endless = format!("HTTP/1.1 200 OK\r\n{}", "a: b\r\n".repeat(20_000));
        assert!(wrong(&endless));
    }

    #[test]
    fn names_of_headers_are_read_in_any_case_and_every_line_is_kept() {
        let mut stream =
            "HTTP/1.1 304 Not Modified\r\nETAG: \"a\"\r\nVary: Cookie\r\nvary: A\r\n\r\n"
                .as_bytes();
        let head = read_head(&mut stream, &until()).unwrap();
        assert_eq!((head.status, head.get("etag")), (304, Some("\"a\"")));
        assert_eq!(head.list("vary").collect::<Vec<_>>(), ["Cookie", "A"]);
        assert_eq!(Framing::of(&head), Framing::UntilClose);
    }

    #[test]
    fn the_size_of_a_chunk_is_hex() {
        assert_eq!(chunk_size(b"1F;a=b\r\n"), Some(31));
        for line in [
            &b"\r\n"[..],
            b"-1\r\n",
            b"+1\r\n",
            b"g\r\n",
            b"fffffffffffffffff\r\n",
        ] {
            assert_eq!(chunk_size(line), None);
        }
    }
}
