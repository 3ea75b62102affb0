//! The shortcodes of WordPress itself, as HTML.

use std::collections::HashSet;

use memchr::memchr2;

use super::attachments::{Attachment, Attachments};
use super::links::{is_url, link};
use super::scan::{Ahead, Opaque, is_at, rewrite, work};

/// How deep shortcodes may be nested in captions.
const MAX_DEPTH: usize = 4;

/// The shortcodes that become HTML, and their closing tags.
pub(super) const KNOWN: [(&str, &str); 7] = [
    ("caption", "[/caption]"),
    ("wp_caption", "[/wp_caption]"),
    ("gallery", "[/gallery]"),
    ("playlist", "[/playlist]"),
    ("audio", "[/audio]"),
    ("video", "[/video]"),
    (EMBED, "[/embed]"),
];

pub(super) const EMBED: &str = "embed";

/// Those that become blocks, so that no paragraph is around them.
const FIGURES: [&str; 3] = ["caption", "wp_caption", "gallery"];

/// Most bytes of HTML that attachments become in one article: no source is longer.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// What it costs to look at an attachment that is not shown, in bytes.
const LOOK_BYTES: usize = 16;

/// Attributes that name the file of a player.
const MEDIA: &[&str] = &[
    "src", "mp3", "mp4", "m4a", "ogg", "wav", "flac", "webm", "m4v", "ogv", "wmv", "flv",
];

/// A shortcode in a text.
#[derive(Debug, PartialEq, Eq)]
struct Shortcode<'t> {
    name: &'static str,
    attributes: &'t str,
    content: Option<&'t str>,
    /// The place behind it.
    end: usize,
    /// `[[gallery]]`: it is shown, not run.
    is_escaped: bool,
}

/// Finds the known shortcodes of a text, in a pass from its beginning to its end.
struct Finder<'t> {
    text: &'t str,
    bracket: Ahead<'t>,
    closing: [(&'static str, Ahead<'t>); 7],
}

impl<'t> Finder<'t> {
    fn new(text: &'t str) -> Self {
        Self {
            text,
            bracket: Ahead::new(text, "]"),
            closing: KNOWN.map(|(name, closing)| (name, Ahead::new(text, closing))),
        }
    }

    /// The shortcode that begins with the `[` at `at`.
    fn at(&mut self, at: usize) -> Option<Shortcode<'t>> {
        let text = self.text;
        let start = at + 1 + usize::from(is_at(text, at + 1, "["));
        let is_name_byte = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
        let (name, closing) = self.closing.iter_mut().find(|(name, _)| {
            let behind = text.as_bytes().get(start + name.len());
            is_at(text, start, name) && !behind.is_some_and(is_name_byte)
        })?;
        let bracket = self.bracket.find(start)?;
        let attributes = &text[start + name.len()..bracket];
        let (mut end, mut content) = (bracket + 1, None);
        if !attributes.ends_with('/')
            && let Some(close) = closing.find(end)
        {
            content = Some(&text[end..close]);
            end = close + name.len() + 3;
        }
        let is_escaped = start == at + 2 && is_at(text, end, "]");
        if start == at + 2 && !is_escaped {
            // A bracket of the text, with a shortcode behind it.
            return None;
        }
        Some(Shortcode {
            name,
            attributes,
            content,
            end: end + usize::from(is_escaped),
            is_escaped,
        })
    }
}

/// Takes the paragraph away from around shortcodes that become blocks.
pub(super) fn unwrap_figures(text: &str) -> String {
    let mut finder = Finder::new(text);
    rewrite(text, b'<', |at, out| {
        let start = is_at(text, at, "<p>").then(|| skip_blanks(text, at + 3))?;
        let found = is_at(text, start, "[")
            .then(|| finder.at(start))
            .flatten()?;
        let behind = skip_blanks(text, found.end);
        let is_alone = FIGURES.contains(&found.name) && is_at(text, behind, "</p>");
        is_alone.then(|| {
            out.push_str(&text[start..found.end]);
            behind + 4
        })
    })
}

/// Spaces, also those that do not break.
fn skip_blanks(text: &str, mut at: usize) -> usize {
    loop {
        let blanks = ["\u{a0}", "&nbsp;", " ", "\n", "\t", "\r"];
        let Some(blank) = blanks.into_iter().find(|blank| is_at(text, at, blank)) else {
            return at;
        };
        work::count(blank.len());
        at += blank.len();
    }
}

/// What shortcodes are run with.
#[derive(Debug)]
pub(super) struct Runner<'a> {
    attachments: &'a Attachments,
    /// The id of the article, whose own attachments a gallery without ids shows.
    parent: u64,
    /// How many attachments were not in the export.
    pub(super) missing: u32,
    /// Shortcodes that stay as text.
    pub(super) kept: Vec<&'static str>,
    /// How many more bytes attachments may take.
    room: usize,
}

impl<'a> Runner<'a> {
    pub(super) fn new(attachments: &'a Attachments, parent: u64) -> Self {
        Self {
            attachments,
            parent,
            missing: 0,
            kept: Vec::new(),
            room: MAX_BYTES,
        }
    }

    /// The text with its known shortcodes as HTML; with `only`, those of that name.
    pub(super) fn run(&mut self, text: &str, only: Option<&str>) -> String {
        self.nested(text, only, 0)
    }

    fn nested(&mut self, text: &str, only: Option<&str>, depth: usize) -> String {
        let (mut finder, mut opaque) = (Finder::new(text), Opaque::new(text));
        let mut out = String::with_capacity(text.len());
        let (mut copied, mut at) = (0, 0);
        while let Some(length) = memchr2(b'<', b'[', &text.as_bytes()[at..]) {
            at += length;
            if text.as_bytes()[at] == b'<' {
                at = opaque.end(at).unwrap_or(at + 1);
                continue;
            }
            let found = finder.at(at);
            let Some(found) = found.filter(|found| only.is_none_or(|only| found.name == only))
            else {
                at += 1;
                continue;
            };
            let html = match found.is_escaped {
                true if only.is_some() => Some(text[at..found.end].to_owned()),
                true => Some(text[at + 1..found.end - 1].to_owned()),
                false => self.html(&found, depth),
            };
            if html.is_none() && !self.kept.contains(&found.name) {
                self.kept.push(found.name);
            }
            if let Some(html) = html {
                out.push_str(&text[copied..at]);
                out.push_str(&html);
                copied = found.end;
            }
            at = found.end;
        }
        out.push_str(&text[copied..]);
        out
    }

    /// The HTML of a shortcode; none if it stays as it is.
    fn html(&mut self, found: &Shortcode<'_>, depth: usize) -> Option<String> {
        if self.is_full() {
            return None;
        }
        let attributes = attributes(found.attributes);
        let attribute = |name: &str| {
            let found = attributes.iter().find(|(own, _)| own == name);
            found
                .map(|(_, value)| value.as_str())
                .filter(|value| !value.is_empty())
        };
        let content = found.content.unwrap_or_default();
        match found.name {
            "caption" | "wp_caption" => {
                let content = match depth < MAX_DEPTH {
                    true => self.nested(content, None, depth + 1),
                    false => content.to_owned(),
                };
                Some(caption(&content, attribute("caption")))
            }
            // WordPress shows nothing either if it has none of them.
            "gallery" => {
                let shown = self.attachments_of(&attribute, true);
                Some(shown.iter().map(Attachment::figure).collect())
            }
            "playlist" => {
                let shown = self.attachments_of(&attribute, false);
                let links = shown.iter().map(|found| link(found.url));
                Some(links.collect::<Vec<_>>().join("<br />\n"))
            }
            EMBED => {
                let url = attribute("src").unwrap_or(content).trim();
                is_url(url).then(|| link(url))
            }
            name => {
                let named = MEDIA.iter().find_map(|ending| attribute(ending));
                let unnamed = attributes.iter().map(|(_, value)| value.as_str());
                let mut others = unnamed.chain([content.trim()]).filter(|text| is_url(text));
                if let Some(url) = named.or_else(|| others.next()) {
                    return Some(link(url));
                }
                let attached = self.own(self.parent, |found| found.is_of_kind(name));
                attached.first().map(|found| link(found.url))
            }
        }
    }

    /// The attachments that `ids` or `include` name, or else the images of the article, or its other
    /// files.
    fn attachments_of<'v>(
        &mut self,
        attribute: &impl Fn(&str) -> Option<&'v str>,
        are_images: bool,
    ) -> Vec<Attachment<'a>> {
        let ids = |text: &'v str| {
            let ids = text.split(|c: char| !c.is_ascii_digit());
            ids.filter_map(|id| id.parse::<u64>().ok())
        };
        if let Some(named) = attribute("ids").or_else(|| attribute("include")) {
            let mut found = Vec::new();
            for id in ids(named) {
                match self.attachments.get(id) {
                    Some(attachment) if self.takes(attachment.html_bytes()) => {
                        found.push(attachment);
                    }
                    Some(_) => break,
                    None => self.missing = self.missing.saturating_add(1),
                }
            }
            return found;
        }
        let parent = attribute("id").and_then(|id| id.parse().ok());
        let excluded: HashSet<u64> = attribute("exclude").into_iter().flat_map(ids).collect();
        self.own(parent.unwrap_or(self.parent), |found| {
            found.is_image() == are_images && !excluded.contains(&found.id)
        })
    }

    /// The attachments of an article that `are_meant`.
    fn own(
        &mut self,
        parent: u64,
        are_meant: impl Fn(&Attachment<'a>) -> bool,
    ) -> Vec<Attachment<'a>> {
        let mut found = Vec::new();
        for attachment in self.attachments.children(parent) {
            let is_meant = are_meant(&attachment);
            let bytes = if is_meant {
                attachment.html_bytes()
            } else {
                LOOK_BYTES
            };
            if !self.takes(bytes) {
                break;
            }
            if is_meant {
                found.push(attachment);
            }
        }
        found
    }

    /// Whether its shortcodes show more files than an article may.
    pub(super) fn is_full(&self) -> bool {
        self.room == 0
    }

    /// Whether so much more may be written or looked at.
    fn takes(&mut self, bytes: usize) -> bool {
        let rest = self.room.checked_sub(bytes);
        self.room = rest.unwrap_or(0);
        rest.is_some()
    }
}

/// `<figure>` around the image of a `[caption]`, which is followed by the caption if no attribute has it.
fn caption(content: &str, caption: Option<&str>) -> String {
    let mut image_end = content.len();
    if caption.is_none() {
        let lower = content.to_ascii_lowercase();
        let Some(image) = lower.find("<img ") else {
            return content.to_owned();
        };
        let Some(end) = content[image..].find('>') else {
            return content.to_owned();
        };
        image_end = image + end + 1;
        let behind = content[image_end..].trim_start();
        if lower[..image].contains("<a ")
            && lower[content.len() - behind.len()..].starts_with("</a>")
        {
            image_end = content.len() - behind.len() + "</a>".len();
        }
    }
    let text = caption.unwrap_or(&content[image_end..]).trim();
    let image = content[..image_end].trim();
    if text.is_empty() {
        return image.to_owned();
    }
    format!("<figure>{image}<figcaption>{text}</figcaption></figure>")
}

/// The attributes of a shortcode, by lower-case name; values without a name have an empty one.
fn attributes(text: &str) -> Vec<(String, String)> {
    let text = text.replace(['\u{a0}', '\u{200b}'], " ");
    let mut rest = text.trim().trim_end_matches('/').trim_start();
    let mut found = Vec::new();
    while !rest.is_empty() {
        let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
        let name = &rest[..rest.find(|c| !is_name(c)).unwrap_or(rest.len())];
        let behind = rest[name.len()..].trim_start();
        let (name, value) = match behind.strip_prefix('=') {
            Some(value) if !name.is_empty() => (name, value.trim_start()),
            _ => ("", rest),
        };
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
        let quoted = quote.and_then(|quote| value[1..].split_once(quote));
        let (value, behind) = match quoted {
            Some(quoted) => quoted,
            None => value.split_at(value.find(char::is_whitespace).unwrap_or(value.len())),
        };
        found.push((name.to_ascii_lowercase(), value.to_owned()));
        rest = behind.trim_start();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(text: &str) -> String {
        let mut attachments = Attachments::default();
        for (id, url) in [
            (7, "https://x/a.jpg"),
            (8, "https://x/b.png"),
            (9, "https://x/c.mp3"),
        ] {
            attachments.add(id, 1, 0, url, "", "");
        }
        let attachments = attachments.sorted();
        let mut runner = Runner::new(&attachments, 1);
        runner.run(text, None)
    }

    #[test]
    fn shortcodes_of_wordpress_become_html() {
        const A: &str = "<figure><img src=\"https://x/a.jpg\" alt=\"\"></figure>\n";
        const B: &str = "<figure><img src=\"https://x/b.png\" alt=\"\"></figure>\n";
        for (text, expected) in [
            (
                "[caption width=\"9\"]<a href=\"y\"><img src=\"z\"></a> It <em>is</em>[/caption]",
                "<figure><a href=\"y\"><img src=\"z\"></a><figcaption>It <em>is</em></figcaption></figure>".to_owned(),
            ),
            (
                "[caption caption='old']<img src=\"z\">[/caption]",
                "<figure><img src=\"z\"><figcaption>old</figcaption></figure>".to_owned(),
            ),
            ("[caption]<img src=\"z\">[/caption]", "<img src=\"z\">".to_owned()),
            ("[gallery ids=\"8, 7,99\"]", format!("{B}{A}")),
            ("[gallery]", format!("{A}{B}")),
            ("[gallery exclude=7 /]", B.to_owned()),
            ("[playlist]", link("https://x/c.mp3")),
            ("[audio src=\"https://x/d.mp3\"][/audio]x", format!("{}x", link("https://x/d.mp3"))),
            ("[video mp4='https://x/d.mp4']", link("https://x/d.mp4")),
            ("[embed width=\"3\"]https://x/?a=1&b[/embed]", link("https://x/?a=1&b")),
            ("[[gallery]] [gallery_x] [[caption]a[/caption]]", "[gallery] [gallery_x] [caption]a[/caption]".to_owned()),
            ("<pre>[gallery]</pre><code>[gallery]</code><a title=\"[gallery]\">",
             "<pre>[gallery]</pre><code>[gallery]</code><a title=\"[gallery]\">".to_owned()),
            ("[audio]", link("https://x/c.mp3")),
            ("[video https://x/e.mp4]", link("https://x/e.mp4")),
            ("[video]", "[video]".to_owned()),
            ("a[gallery ids=99]", "a".to_owned()),
            ("[embed]javascript:x[/embed]", "[embed]javascript:x[/embed]".to_owned()),
        ] {
            assert_eq!(run(text), expected, "{text}");
        }
    }

    #[test]
    fn the_work_grows_with_the_text_alone() {
        for piece in [
            "[gallery",
            "[caption]",
            "[/caption]",
            "<",
            "[[",
            "<p>[gallery ",
            "<pre>[x a=b]",
            "[foo a",
            "\nhttp://",
        ] {
            let measure = |times: usize| {
                let text = piece.repeat(times);
                work::of(|| {
                    let _ = run(&unwrap_figures(&text));
                })
            };
            let (once, twice) = (measure(1000), measure(2000));
            assert!(twice < once * 5 / 2 + 1000, "{piece:?}: {once}, {twice}");
        }
    }
}
