//! HTML → tags and the texts between them, as the renderer reads raw HTML.

use super::policy::{ELEMENTS, HIDEABLE, VANISH, VOID, find};
use super::tag::{
    EndTags, RawTag, end_of_vanished, name_of_declaration, read_tag, skip_declaration, starts_tag,
};

/// What a piece of HTML is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Text, with its character references.
    Text,
    /// The start tag of an element.
    Start,
    /// An end tag.
    End,
    /// The tag of an element without content.
    Void,
    /// A comment or a declaration that nobody misses.
    Comment,
    /// An element that vanishes with its content, a tag that pages do not have, or one without an end.
    Opaque,
}

/// No token.
pub(crate) const NONE: u32 = u32::MAX;

/// A piece of HTML, and the elements around it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    /// The name of the element that a tag starts or ends.
    pub(crate) name: &'static str,
    /// Where it begins and ends, in bytes.
    pub(crate) start: u32,
    pub(crate) end: u32,
    /// Of a start tag: the token that ends the element, [`NONE`] if that is not known. Of an end tag: the
    /// token of its start tag.
    pub(crate) partner: u32,
    /// The start tag of the innermost element around it.
    pub(crate) parent: u32,
    pub(crate) flags: Flags,
}

/// What else is known of a tag.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Flags {
    /// Browsers do not show the element.
    pub(crate) is_hidden: bool,
    /// It has attributes that pages keep on any element.
    pub(crate) has_attributes: bool,
    /// An end tag of its own ends the element.
    pub(crate) is_closed: bool,
    /// A block is in the element.
    pub(crate) has_block: bool,
    /// The element is a list with more in it than items.
    pub(crate) is_mixed: bool,
}

impl Token {
    /// The HTML of the token.
    pub(crate) fn text<'a>(&self, html: &'a str) -> &'a str {
        html.get(self.start as usize..self.end as usize)
            .unwrap_or_default()
    }

    /// Whether it is a text of white space alone.
    pub(crate) fn is_blank(&self, html: &str) -> bool {
        self.kind == Kind::Text && self.text(html).bytes().all(|byte| is_space(&byte))
    }
}

/// White space of HTML.
pub(crate) fn is_space(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0xc)
}

/// The tokens of `html`, which has at most 4 GiB.
pub(crate) fn tokens(html: &str) -> Vec<Token> {
    let mut tokens = Tokens::default();
    let mut end_tags = EndTags::default();
    // Up to `copied` all is in tokens.
    let (mut at, mut copied) = (0, 0);
    while let Some(length) = html[at..].find('<') {
        at += length;
        let rest = &html[at..];
        if let Some(after) = skip_declaration(rest) {
            tokens.add_text(copied, at);
            copied = html.len() - after.len();
            let kind = match name_of_declaration(rest) {
                Some(_) => Kind::Opaque,
                None => Kind::Comment,
            };
            tokens.add(kind, "", at, copied);
            at = copied;
            continue;
        }
        let Some((tag, after)) = read_tag(rest) else {
            if starts_tag(rest) {
                // Without an end it drops all that follows.
                tokens.add_text(copied, at);
                tokens.add(Kind::Opaque, "", at, html.len());
                return tokens.0;
            }
            at += 1;
            continue;
        };
        tokens.add_text(copied, at);
        copied = html.len() - after.len();
        if let Some(name) = find(VANISH, &tag.name).filter(|_| !tag.closes) {
            let end_tag = end_tags.next(html, name, copied);
            copied = end_of_vanished(html, name, copied, tag.closes_itself, end_tag);
            tokens.add(Kind::Opaque, "", at, copied);
        } else {
            tokens.add_tag(&tag, at, copied);
        }
        at = copied;
    }
    tokens.add_text(copied, html.len());
    tokens.0
}

#[derive(Default)]
struct Tokens(Vec<Token>);

impl Tokens {
    fn add_text(&mut self, start: usize, end: usize) {
        if start < end {
            self.add(Kind::Text, "", start, end);
        }
    }

    fn add(&mut self, kind: Kind, name: &'static str, start: usize, end: usize) {
        self.0.push(Token {
            kind,
            name,
            start: start as u32,
            end: end as u32,
            partner: NONE,
            parent: NONE,
            flags: Flags::default(),
        });
    }

    fn add_tag(&mut self, tag: &RawTag<'_>, start: usize, end: usize) {
        let known = find(ELEMENTS, &tag.name).or_else(|| find(HIDEABLE, &tag.name));
        let Some(name) = known else {
            self.add(Kind::Opaque, "", start, end);
            return;
        };
        let kind = match (tag.closes, VOID.contains(&name)) {
            (true, _) => Kind::End,
            (false, true) => Kind::Void,
            (false, false) => Kind::Start,
        };
        self.add(kind, name, start, end);
        if let Some(token) = self.0.last_mut().filter(|_| !tag.closes) {
            let kept = ["id", "title", "lang", "dir"];
            token.flags.is_hidden = tag.is_hidden();
            token.flags.has_attributes = kept.iter().any(|name| tag.attribute(name).is_some());
        }
    }
}
