//! What changed, as JSON lines: the input of `after.command`, and what purges are made from.

use std::io::{BufRead as _, BufReader, Read};

use serde::{Deserialize, Serialize};

/// No line that is read back is longer.
const LONGEST_LINE: u64 = 64 * 1024;

/// Something that readers see, and that a run changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "change")]
pub struct Change {
    /// `create`, `update` or `remove`.
    pub action: String,
    /// `page`, `file`, `redirect` or `text`.
    pub kind: String,
    /// The path below the base URL of the site. Fronts use it as the surrogate key.
    pub path: String,
    /// The whole URL; empty if the site has none.
    pub url: String,
}

impl Change {
    /// The paths that answer with it: a redirect also answers without the last slash.
    #[must_use]
    pub fn paths(&self) -> Vec<String> {
        let unslashed = self.path.strip_suffix('/').filter(|path| !path.is_empty());
        let other = unslashed.filter(|_| self.kind == "redirect");
        std::iter::once(self.path.as_str())
            .chain(other)
            .map(str::to_owned)
            .collect()
    }
}

/// The changes among JSON lines.
pub fn changes(lines: impl Read) -> impl Iterator<Item = std::io::Result<Change>> {
    let mut lines = BufReader::new(lines);
    std::iter::from_fn(move || {
        loop {
            let mut line = Vec::new();
            let mut bounded = (&mut lines).take(LONGEST_LINE);
            match bounded.read_until(b'\n', &mut line) {
                Ok(0) => return None,
                Ok(_) => {}
                Err(error) => return Some(Err(error)),
            }
            // The other lines are about the run.
            if line.starts_with(b"{\"type\":\"change\"") {
                return Some(serde_json::from_slice(&line).map_err(Into::into));
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::{Change, changes};

    #[test]
    fn changes_are_read_back_among_other_lines() {
        let change = |kind: &str, path: &str| Change {
            action: "update".to_owned(),
            kind: kind.to_owned(),
            path: path.to_owned(),
            url: format!("https://example.org{path}"),
        };
        let all = [change("page", "/a/"), change("redirect", "/b/")];
        let mut text = "{\"type\":\"header\",\"run\":\"x\"}\n".to_owned();
        for change in &all {
            text += &(serde_json::to_string(change).unwrap() + "\n");
        }
        text += "{\"type\":\"summary\"}\n";
        let read: Vec<Change> = changes(text.as_bytes()).map(Result::unwrap).collect();
        assert_eq!(read, all);
        assert_eq!(read[0].paths(), ["/a/"]);
        assert_eq!(read[1].paths(), ["/b/", "/b"]);
        assert_eq!(change("redirect", "/").paths(), ["/"]);
    }
}
