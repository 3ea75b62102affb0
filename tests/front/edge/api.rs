//! A small server that speaks the API of a cache or CDN: it records what it is asked, and answers as told.

use std::collections::VecDeque;
use std::io::{BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// One request as it came.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: String,
    pub target: String,
    headers: Vec<(String, String)>,
    pub body: String,
}

impl Asked {
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub fn line(&self) -> String {
        format!("{} {}", self.method, self.target)
    }
}

/// What is answered: status, further headers, body.
pub type Answered = (u16, &'static str, &'static str);

#[derive(Default)]
struct State {
    asked: Vec<Asked>,
    /// The next answers; once there is none left, the usual one.
    next: VecDeque<Answered>,
    usual: Option<Answered>,
    delay: Duration,
}

#[derive(Clone)]
pub struct Api {
    state: Arc<Mutex<State>>,
    pub url: String,
}

impl Api {
    /// A server that answers with this if nothing else is asked for.
    pub fn start(usual: Answered) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State {
            usual: Some(usual),
            ..State::default()
        }));
        let shared = Arc::clone(&state);
        // It ends with the process of the test.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let state = Arc::clone(&shared);
                std::thread::spawn(move || serve(&stream.unwrap(), &state));
            }
        });
        Self { state, url }
    }

    /// Answers with these first.
    pub fn then(&self, answers: &[Answered]) -> &Self {
        self.state.lock().unwrap().next.extend(answers);
        self
    }

    /// Takes so long for each answer from here on.
    pub fn slow(&self, delay: Duration) {
        self.state.lock().unwrap().delay = delay;
    }

    /// What it was asked since the last call.
    pub fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.state.lock().unwrap().asked)
    }

    /// The same, methods and paths alone.
    pub fn lines(&self) -> Vec<String> {
        self.asked().iter().map(Asked::line).collect()
    }
}

fn serve(stream: &TcpStream, state: &Mutex<State>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    while let Some(asked) = read(&mut reader) {
        let (answer, delay) = {
            let mut state = state.lock().unwrap();
            state.asked.push(asked);
            let next = state.next.pop_front();
            (next.or(state.usual).unwrap(), state.delay)
        };
        std::thread::sleep(delay);
        let (status, headers, body) = answer;
        let text = format!(
            "HTTP/1.1 {status} So\r\nContent-Length: {}\r\n{headers}\r\n{body}",
            body.len()
        );
        let mut stream = stream;
        if stream.write_all(text.as_bytes()).is_err() {
            return;
        }
    }
}

fn read(reader: &mut impl std::io::BufRead) -> Option<Asked> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let mut words = line.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        headers.push((name.to_lowercase(), value.to_owned()));
    }
    let mut asked = Asked {
        method,
        target,
        headers,
        body: String::new(),
    };
    let length = asked
        .header("content-length")
        .map_or(0, |text| text.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    asked.body = String::from_utf8(body).unwrap();
    Some(asked)
}
