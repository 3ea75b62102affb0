//! As much HTTP/1.1 as a test needs to see every byte of an answer.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// Names in lower case, in the order they came in.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    /// The value of a header; of several, all with commas between them.
    pub fn header(&self, name: &str) -> Option<String> {
        let is_asked_for = |known: &str| known.eq_ignore_ascii_case(name);
        let values = self.headers.iter().filter(|(known, _)| is_asked_for(known));
        let values: Vec<&str> = values.map(|(_, value)| value.as_str()).collect();
        (!values.is_empty()).then(|| values.join(", "))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub fn is(&self, status: u16) -> &Self {
        assert_eq!(self.status, status, "{:?}\n{}", self.headers, self.text());
        self
    }

    /// The header has this value.
    #[track_caller]
    pub fn has(&self, name: &str, value: &str) -> &Self {
        assert_eq!(
            self.header(name).as_deref(),
            Some(value),
            "{name}: {:?}",
            self.headers
        );
        self
    }

    /// There is no such header.
    #[track_caller]
    pub fn lacks(&self, name: &str) -> &Self {
        assert_eq!(self.header(name), None, "{name}: {:?}", self.headers);
        self
    }

    #[track_caller]
    pub fn says(&self, text: &str) -> &Self {
        assert!(
            self.text().contains(text),
            "the body lacks {text:?}:\n{}",
            self.text()
        );
        self
    }

    #[track_caller]
    pub fn hides(&self, text: &str) -> &Self {
        assert!(
            !self.text().contains(text),
            "the body has {text:?}:\n{}",
            self.text()
        );
        self
    }
}

/// A connection that is kept.
pub struct Connection<S: Read + Write = TcpStream> {
    stream: BufReader<S>,
}

impl Connection {
    pub fn open(address: &str) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        stream
            .set_write_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        Self::over(stream)
    }
}

impl<S: Read + Write> Connection<S> {
    pub fn over(stream: S) -> Self {
        Self {
            stream: BufReader::new(stream),
        }
    }

    /// Sends bytes as they are.
    pub fn send(&mut self, bytes: &[u8]) -> &mut Self {
        self.stream.get_mut().write_all(bytes).unwrap();
        self
    }

    /// Sends a request, and reads its answer.
    pub fn request(&mut self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        let headers: String = headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}\r\n"))
            .collect();
        let request = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n");
        self.send(request.as_bytes());
        self.answer(method)
    }

    /// Sends the only request of this connection. What comes behind the answer counts as its
    /// body: a body where there may be none is seen.
    pub fn only(mut self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut all = vec![("Connection", "close")];
        all.extend(headers);
        let mut answer = self.request(method, path, &all);
        answer.body.extend(self.rest());
        answer
    }

    /// Reads the answer to a request of `method`.
    pub fn answer(&mut self, method: &str) -> Answer {
        let first = self.line();
        let status = first.split(' ').nth(1).and_then(|code| code.parse().ok());
        let status: u16 = status.unwrap_or_else(|| panic!("no status line: {first:?}"));
        let mut headers = Vec::new();
        loop {
            let line = self.line();
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':').unwrap();
            headers.push((name.to_lowercase(), value.trim().to_owned()));
        }
        let mut answer = Answer {
            status,
            headers,
            body: Vec::new(),
        };
        if method != "HEAD" && !matches!(status, 100..200 | 204 | 304) {
            answer.body = self.body(&answer);
        }
        answer
    }

    fn body(&mut self, answer: &Answer) -> Vec<u8> {
        let mut body = Vec::new();
        if answer.header("transfer-encoding").as_deref() == Some("chunked") {
            loop {
                let length = usize::from_str_radix(self.line().trim(), 16).unwrap();
                let mut chunk = vec![0; length];
                self.stream.read_exact(&mut chunk).unwrap();
                assert_eq!(self.line(), "");
                if length == 0 {
                    return body;
                }
                body.extend(chunk);
            }
        }
        match answer.header("content-length") {
            Some(length) => {
                body.resize(length.parse().unwrap(), 0);
                self.stream.read_exact(&mut body).unwrap();
            }
            None => drop(self.stream.read_to_end(&mut body).unwrap()),
        }
        body
    }

    /// All that still comes until the other end closes.
    pub fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        let _ = self.stream.read_to_end(&mut rest);
        rest
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).unwrap();
        line.trim_end_matches(['\r', '\n']).to_owned()
    }
}

/// Sends one request on a connection of its own.
pub fn request(address: &str, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    Connection::open(address).only(method, path, headers)
}

pub fn get(address: &str, path: &str) -> Answer {
    request(address, "GET", path, &[])
}
