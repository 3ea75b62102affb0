//! What raw HTML has in it, piece by piece.

/// Looks for text in raw HTML, piece by piece.
#[derive(Default)]
pub(crate) struct HtmlText {
    /// The end mark of the open tag or comment.
    until: Option<&'static str>,
}

impl HtmlText {
    /// Whether `html` has text outside tags and comments.
    pub(crate) fn has_text(&mut self, html: &str) -> bool {
        let mut rest = html;
        loop {
            if let Some(end) = self.until {
                let Some((_, after)) = rest.split_once(end) else {
                    return false;
                };
                self.until = None;
                rest = after;
            }
            let at = rest.find('<').unwrap_or(rest.len());
            let (text, markup) = rest.split_at(at);
            if !text.trim().is_empty() {
                return true;
            }
            if markup.is_empty() {
                return false;
            }
            self.until = Some(if markup.starts_with("<!--") {
                "-->"
            } else {
                ">"
            });
            rest = markup;
        }
    }
}

/// How many images `html` has.
pub(crate) fn image_tags(html: &str) -> usize {
    let bytes = html.as_bytes();
    bytes
        .windows(4)
        .filter(|window| window.eq_ignore_ascii_case(b"<img"))
        .count()
}
