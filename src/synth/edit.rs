//! Changes to an article that is already written. Only spoilt articles are changed, so that
//! the others pay nothing for them.

/// The line that ends the front matter, as articles write it.
const CLOSING: &[u8] = b"\n---\n\n";

/// A finished article, `---` to the end of its body.
pub(super) struct Edit<'a> {
    bytes: &'a mut Vec<u8>,
}

impl<'a> Edit<'a> {
    pub(super) fn new(bytes: &'a mut Vec<u8>) -> Self {
        Self { bytes }
    }

    /// Gives the first line that begins with `label` (`title`, `  quality`, `  - source`)
    /// another value. A field that is not there becomes the last one.
    pub(super) fn set(&mut self, label: &str, value: impl AsRef<[u8]>) {
        match self.line(label) {
            Some((start, end)) => {
                let value_at = start + label.len() + 2;
                self.bytes
                    .splice(value_at..end, value.as_ref().iter().copied());
            }
            None => self.add(&[label.as_bytes(), b": ", value.as_ref()].concat()),
        }
    }

    /// Removes the first line that begins with `label`.
    pub(super) fn remove(&mut self, label: &str) {
        if let Some((start, end)) = self.line(label) {
            self.bytes.drain(start..=end);
        }
    }

    /// Adds `lines` to the end of the front matter.
    pub(super) fn add(&mut self, lines: &[u8]) {
        let at = self.closing() + 1;
        self.bytes
            .splice(at..at, lines.iter().copied().chain([b'\n']));
    }

    /// Removes the line that closes the front matter.
    pub(super) fn open_front_matter(&mut self) {
        let at = self.closing() + 1;
        self.bytes.drain(at..at + 4);
    }

    /// Puts a block of Markdown after the first paragraph of the body.
    pub(super) fn put_block(&mut self, markdown: impl AsRef<[u8]>) {
        let body = self.closing() + CLOSING.len();
        let at = find(&self.bytes[body..], b"\n\n").map_or(self.bytes.len(), |at| body + at + 2);
        let block = markdown.as_ref().iter().copied();
        self.bytes.splice(at..at, block.chain(*b"\n\n"));
    }

    /// Where the line break before the closing `---` is.
    fn closing(&self) -> usize {
        find(self.bytes, CLOSING).unwrap_or(self.bytes.len())
    }

    /// First byte and line break of the line that begins with `label`, a colon and a space.
    fn line(&self, label: &str) -> Option<(usize, usize)> {
        let needle = format!("\n{label}: ");
        let front_matter = &self.bytes[..=self.closing()];
        let start = find(front_matter, needle.as_bytes())? + 1;
        let end = start + find(&front_matter[start..], b"\n")?;
        Some((start, end))
    }
}

fn find(text: &[u8], needle: &[u8]) -> Option<usize> {
    text.windows(needle.len())
        .position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edited(change: impl Fn(&mut Edit<'_>)) -> String {
        let mut bytes = b"---\ntitle: t\nscore:\n  depth: 1\n---\n\nOne.\n\nTwo.\n".to_vec();
        change(&mut Edit::new(&mut bytes));
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn each_change_is_made_in_its_place() {
        let body = "---\n\nOne.\n\nTwo.\n";
        for (found, expected) in [
            (
                edited(|edit| edit.set("title", "new")),
                format!("---\ntitle: new\nscore:\n  depth: 1\n{body}"),
            ),
            (
                edited(|edit| edit.set("  depth", "200")),
                format!("---\ntitle: t\nscore:\n  depth: 200\n{body}"),
            ),
            (
                edited(|edit| edit.set("ttl", "1s")),
                format!("---\ntitle: t\nscore:\n  depth: 1\nttl: 1s\n{body}"),
            ),
            (
                edited(|edit| edit.remove("title")),
                format!("---\nscore:\n  depth: 1\n{body}"),
            ),
            (
                edited(|edit| {
                    edit.set("title", "open");
                    edit.open_front_matter();
                }),
                "---\ntitle: open\nscore:\n  depth: 1\n\nOne.\n\nTwo.\n".to_owned(),
            ),
            (
                edited(|edit| edit.put_block("New.")),
                "---\ntitle: t\nscore:\n  depth: 1\n---\n\nOne.\n\nNew.\n\nTwo.\n".to_owned(),
            ),
        ] {
            assert_eq!(found, expected);
        }
    }
}
