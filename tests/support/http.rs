//! A tiny HTTP/1.1 client: one request a connection.

use std::io::{Read, Write};

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    /// The value of a header, whatever the case of its name; several are joined by `, `.
    pub fn header(&self, name: &str) -> Option<String> {
        let values: Vec<&str> = self
            .headers
            .iter()
            .filter(|(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
            .collect();
        (!values.is_empty()).then(|| values.join(", "))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub fn is(&self, status: u16) -> &Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    #[track_caller]
    pub fn has(&self, name: &str, value: &str) -> &Self {
        assert_eq!(
            self.header(name).as_deref(),
            Some(value),
            "{name} of {self:?}"
        );
        self
    }

    #[track_caller]
    pub fn lacks(&self, name: &str) -> &Self {
        assert_eq!(self.header(name), None, "{name} of {self:?}");
        self
    }
}

/// Sends one request, its path as it is, and reads the whole answer.
#[track_caller]
pub fn request(
    mut stream: impl Read + Write,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
) -> Answer {
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: www.example.org\r\n");
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    head += "Connection: close\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    let mut bytes = Vec::new();
    let mut piece = [0; 16 * 1024];
    let end = loop {
        let length = stream.read(&mut piece).unwrap();
        bytes.extend_from_slice(&piece[..length]);
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        assert!(length > 0, "no head: {:?}", String::from_utf8_lossy(&bytes));
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap();
    let mut answer = Answer {
        status: status.parse().unwrap(),
        headers: lines
            .map(|line| line.split_once(": ").unwrap())
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        body: bytes.split_off(end + 4),
    };
    // Whoever was sent no body, though told of one, may wait for it before it closes.
    let length = answer.header("content-length");
    let length = length.and_then(|length| length.parse().ok());
    let expected = if method == "HEAD" {
        0
    } else {
        length.unwrap_or(usize::MAX)
    };
    while answer.body.len() < expected {
        let length = stream.read(&mut piece).unwrap();
        if length == 0 {
            break;
        }
        answer.body.extend_from_slice(&piece[..length]);
    }
    if answer.header("transfer-encoding").as_deref() == Some("chunked") {
        answer.body = unchunked(&answer.body);
    }
    answer
}

fn unchunked(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while !rest.is_empty() {
        let end = rest.windows(2).position(|two| two == b"\r\n").unwrap();
        let length = std::str::from_utf8(&rest[..end]).unwrap();
        let length = usize::from_str_radix(length, 16).unwrap();
        body.extend_from_slice(&rest[end + 2..end + 2 + length]);
        rest = &rest[end + 2 + length + 2..];
    }
    body
}
