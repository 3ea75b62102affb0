//! Where files carry their digest: at their end, in a form that their readers pass over.

use super::digest::Digest;

/// How a kind of file carries its digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileSeal {
    /// XML and Markdown: `<!--anp:DIGEST-->`.
    Comment,
    /// A JSON object: its last member is `"_anp":{"digest":"DIGEST"}`.
    JsonMember,
    /// Lines of text such as robots.txt: the last one is `# anp:DIGEST`.
    HashLine,
}

impl FileSeal {
    /// That of the file at a path; none if its ending has none. llms.txt is Markdown although it ends
    /// like text.
    #[must_use]
    pub fn of(path: &str) -> Option<Self> {
        match path.rsplit_once('.')? {
            (_, "xml" | "md") => Some(Self::Comment),
            (_, "json") => Some(Self::JsonMember),
            (stem, "txt") if stem.ends_with("/llms") => Some(Self::Comment),
            (_, "txt") => Some(Self::HashLine),
            _ => None,
        }
    }

    /// Appends the digest. Nothing may follow it. A JSON file must end with `}`.
    pub fn write(self, file: &mut Vec<u8>, digest: Digest) {
        let (open, close) = match self {
            Self::Comment => ("<!--anp:", "-->"),
            Self::HashLine => ("# anp:", "\n"),
            Self::JsonMember => {
                let _brace = file.pop();
                let is_first = file.ends_with(b"{");
                let open = if is_first {
                    "\"_anp\":{\"digest\":\""
                } else {
                    ",\"_anp\":{\"digest\":\""
                };
                (open, "\"}}")
            }
        };
        file.extend_from_slice(open.as_bytes());
        file.extend_from_slice(&digest.to_hex());
        file.extend_from_slice(close.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::{Digest, FileSeal};

    const DIGEST: Digest = Digest([0xab; 16]);
    const HEX: &str = "abababababababababababababababab";

    fn sealed(path: &str, file: &str) -> String {
        let mut file = file.as_bytes().to_vec();
        FileSeal::of(path).unwrap().write(&mut file, DIGEST);
        String::from_utf8(file).unwrap()
    }

    #[test]
    fn each_kind_of_file_stays_what_it_is() {
        assert_eq!(
            sealed("/feed.xml", "<feed/>\n"),
            format!("<feed/>\n<!--anp:{HEX}-->")
        );
        assert_eq!(
            sealed("/llms.txt", "# Site\n"),
            format!("# Site\n<!--anp:{HEX}-->")
        );
        assert_eq!(
            sealed("/robots.txt", "Allow: /\n"),
            format!("Allow: /\n# anp:{HEX}\n")
        );
        assert_eq!(
            sealed("/feed.json", "{\"items\":[]}"),
            format!("{{\"items\":[],\"_anp\":{{\"digest\":\"{HEX}\"}}}}")
        );
        assert_eq!(
            sealed("/a.json", "{}"),
            format!("{{\"_anp\":{{\"digest\":\"{HEX}\"}}}}")
        );
        assert_eq!(FileSeal::of("/a.png"), None);
        assert_eq!(FileSeal::of("/a/"), None);
    }
}
