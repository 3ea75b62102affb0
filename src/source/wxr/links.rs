//! Addresses that become links.

use memchr::memchr2;

use super::scan::{Opaque, is_at, is_space};
use super::text::escaped;

/// Whether a text is an address of the web.
pub(super) fn is_url(text: &str) -> bool {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| {
        !rest.is_empty() && !rest.contains(|c: char| c.is_whitespace() || c == '<')
    })
}

/// A link that shows where it goes to.
pub(super) fn link(url: &str) -> String {
    let url = escaped(url);
    format!("<a href=\"{url}\">{url}</a>")
}

/// Makes links of addresses that stand alone on their line.
pub(super) fn link_lone_urls(text: &str) -> String {
    let mut opaque = Opaque::new(text);
    let mut out = String::with_capacity(text.len());
    let (mut copied, mut at) = (0, 0);
    let mut is_at_start = true;
    while at < text.len() {
        let b = text.as_bytes()[at];
        if b == b'<' {
            let end = opaque.end(at).unwrap_or(at + 1);
            is_at_start = is_at(text, at, "<p>") || is_at(text, at, "<p ");
            at = end;
        } else if b == b'\n' {
            is_at_start = true;
            at += 1;
        } else if is_space(b) && is_at_start {
            at += 1;
        } else if let Some(end) = is_at_start.then(|| url_end(text, at)).flatten() {
            out.push_str(&text[copied..at]);
            out.push_str(&link(&text[at..end]));
            copied = end;
            at = end;
        } else {
            is_at_start = false;
            let length = memchr2(b'<', b'\n', &text.as_bytes()[at..]);
            at = length.map_or(text.len(), |length| at + length.max(1));
        }
    }
    out.push_str(&text[copied..]);
    out
}

/// The end of an address at `at` that nothing follows on its line.
fn url_end(text: &str, at: usize) -> Option<usize> {
    let rest = &text[at..];
    let scheme = ["https://", "http://"]
        .into_iter()
        .find(|scheme| rest.starts_with(scheme))?;
    let ends = |c: char| c.is_ascii_whitespace() || matches!(c, '<' | '>' | '"');
    let end = at + rest.find(ends).unwrap_or(rest.len());
    if end == at + scheme.len() {
        return None;
    }
    let behind = text[end..].trim_start_matches([' ', '\t', '\r']);
    let is_alone = behind.is_empty() || behind.starts_with('\n') || behind.starts_with("</p>");
    is_alone.then_some(end)
}

#[cfg(test)]
mod tests {
    use super::super::scan::work;
    use super::*;

    #[test]
    fn an_address_alone_on_its_line_becomes_a_link() {
        let url = "https://youtu.be/x?a=1&b=2";
        let linked = link(url);
        for (text, expected) in [
            (format!("a\n  {url} \nb"), format!("a\n  {linked} \nb")),
            (url.to_owned(), linked.clone()),
            (format!("<p>{url}</p>"), format!("<p>{linked}</p>")),
            (
                format!("<div>\n{url}\n</div>"),
                format!("<div>\n{linked}\n</div>"),
            ),
        ] {
            assert_eq!(link_lone_urls(&text), expected);
        }
        for text in [
            "a https://x",
            "https://x b",
            "<pre>\nhttps://x\n</pre>",
            "https://",
            "<b>https://x</b>",
        ] {
            assert_eq!(link_lone_urls(text), text);
        }
    }

    #[test]
    fn the_work_grows_with_the_text_alone() {
        for piece in [
            "\nhttps://a",
            "\n",
            "<",
            "<pre>\n",
            "\n   https://a   ",
            "<!--\n",
        ] {
            let measure = |times: usize| {
                let text = piece.repeat(times);
                work::of(|| drop(link_lone_urls(&text)))
            };
            let (once, twice) = (measure(1000), measure(2000));
            assert!(twice < once * 5 / 2 + 1000, "{piece:?}: {once}, {twice}");
        }
    }
}
