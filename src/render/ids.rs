//! The ids of a body, and the links to them.
//!
//! A heading has the id that GitHub gives it, so links written for GitHub and similar tools work.
//! Ids that authors write stay unchanged. An id that the page itself uses gets the prefix
//! `user-content-`, as on GitHub.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use percent_encoding::percent_decode_str;
use unicode_normalization::char::is_combining_mark;

use super::{escape, url};

/// The prefix of an id that the page itself uses too.
const PREFIX: &str = "user-content-";

/// The longest id, in bytes. A longer heading has the id of its beginning.
const ID_BYTES: usize = 512;

/// The mark around the number of a link whose target is not yet known. No body has this
/// noncharacter: [`super::escape`] removes it.
const MARK: char = '\u{fdd1}';

/// The ids that a page has besides those of its body.
#[derive(Debug, Default)]
pub(super) struct PageIds(BTreeSet<String>);

impl PageIds {
    /// Finds the ids that templates write, and adds that of the meta box.
    pub(super) fn of(templates: &[(&str, &str)]) -> Self {
        let mut ids = BTreeSet::from(["about".to_owned()]);
        for (_, text) in templates {
            for (at, _) in text.match_indices("id=") {
                let is_attribute = text[..at].ends_with(|c: char| c.is_ascii_whitespace());
                let value = &text[at + 3..];
                let value = value.strip_prefix(['"', '\'']).unwrap_or(value);
                let id = value.split(|c: char| matches!(c, '"' | '\'' | '>') || c.is_whitespace());
                if let Some(id) = id
                    .into_iter()
                    .next()
                    .filter(|id| is_attribute && !id.is_empty())
                {
                    ids.insert(id.to_owned());
                }
            }
        }
        Self(ids)
    }

    /// Bytes that differ from those of other ids.
    pub(super) fn identity(&self) -> Vec<u8> {
        let ids = self.0.iter();
        // No id has white space in it.
        ids.flat_map(|id| id.bytes().chain([b' '])).collect()
    }

    /// Whether the page uses `id` itself, with or without the prefix.
    fn has(&self, id: &str) -> bool {
        let mut id = id;
        while let Some(rest) = id.strip_prefix(PREFIX) {
            id = rest;
        }
        self.0.contains(id) || is_of_footnotes(id)
    }
}

/// Whether the list of footnotes may use `id`: `fn`, `fn-2`, `fnref-2`, `fnref-2-3`.
fn is_of_footnotes(id: &str) -> bool {
    let numbers = match id.strip_prefix("fn") {
        Some("") => return true,
        Some(rest) => rest.strip_prefix("ref").unwrap_or(rest),
        None => return false,
    };
    numbers.starts_with('-')
        && numbers[1..]
            .split('-')
            .all(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}

/// Hands out the ids of one body, each once, and keeps the links to them until all are known.
pub(super) struct Ids<'w> {
    page: &'w PageIds,
    /// The ids of headings, each with the last number that was appended to it for a duplicate.
    headings: HashMap<String, u32>,
    /// The ids that the author wrote.
    written: HashSet<String>,
    /// The slug of the heading that became the title.
    title: Option<String>,
    /// Fragments of links within the page.
    links: Vec<String>,
}

impl<'w> Ids<'w> {
    pub(super) fn new(page: &'w PageIds) -> Self {
        Self {
            page,
            headings: HashMap::new(),
            written: HashSet::new(),
            title: None,
            links: Vec::new(),
        }
    }

    /// Reserves the id of the heading that became the title of the page.
    pub(super) fn take_title(&mut self, text: &str) {
        self.title = Some(self.slug(text));
    }

    /// Writes the `id` of a heading: the one that its author gave it, or else that of its text, unless an
    /// earlier element has it.
    pub(super) fn write_heading(
        &mut self,
        out: &mut String,
        text: &str,
        given: Option<&str>,
    ) -> Option<String> {
        let id = match given.filter(|id| self.is_free(id)) {
            Some(given) => {
                self.written.insert(given.to_owned());
                given.to_owned()
            }
            None => {
                let slug = self.slug(text);
                if self.written.contains(&slug) {
                    return None;
                }
                slug
            }
        };
        let shown = self.shown(&id).into_owned();
        write_id(out, &shown);
        Some(shown)
    }

    /// Writes an `id` that the author gave an element, unless an earlier element has it.
    pub(super) fn write(&mut self, out: &mut String, id: &str) {
        if self.is_free(id) {
            self.written.insert(id.to_owned());
            write_id(out, &self.shown(id));
        }
    }

    /// Writes the value of an `href` to `fragment`, for [`Ids::resolve`] to complete.
    pub(super) fn link(&mut self, out: &mut String, fragment: &str) {
        out.push('#');
        out.push(MARK);
        out.push_str(&self.links.len().to_string());
        out.push(MARK);
        self.links.push(fragment.to_owned());
    }

    /// Completes the links in `html`. Each gets the id that it names, also in another case or
    /// percent-encoded.
    pub(super) fn resolve(&self, html: String) -> String {
        if self.links.is_empty() {
            return html;
        }
        let mut by_lower_case = BTreeMap::new();
        for id in self.headings.keys().chain(&self.written) {
            let known = by_lower_case.entry(id.to_lowercase()).or_insert(id);
            *known = id.min(known);
        }
        let mut whole = String::with_capacity(html.len());
        // Every other piece is the number of a link.
        for (piece, text) in html.split(MARK).enumerate() {
            let link = text.parse().ok().filter(|_| piece % 2 == 1);
            match link.and_then(|number: usize| self.links.get(number)) {
                Some(fragment) => {
                    let target = self.find(fragment, &by_lower_case);
                    url::write(&mut whole, target.as_deref().unwrap_or(fragment));
                }
                None => whole.push_str(text),
            }
        }
        whole
    }

    /// The ids without prefix, including that of the heading that became the title.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.headings
            .keys()
            .chain(&self.written)
            .map(String::as_str)
    }

    /// The id on the page that `fragment` names.
    fn find(&self, fragment: &str, by_lower_case: &BTreeMap<String, &String>) -> Option<String> {
        let decoded = percent_decode_str(fragment).decode_utf8_lossy();
        let candidates = [fragment, &decoded, decoded.trim_start_matches(PREFIX)];
        let exact = candidates.iter().find(|id| self.has(id));
        let found = match exact {
            Some(id) => Some(*id),
            None => candidates
                .iter()
                .find_map(|id| by_lower_case.get(&id.to_lowercase()))
                .map(|id| id.as_str()),
        }?;
        if self.title.as_deref() == Some(found) && self.page.has("content") {
            return Some("content".to_owned());
        }
        Some(self.shown(found).into_owned())
    }

    /// Whether `id` is valid and no element has it.
    fn is_free(&self, id: &str) -> bool {
        (1..=ID_BYTES).contains(&id.len()) && !id.contains(char::is_whitespace) && !self.has(id)
    }

    /// Whether an element has `id`.
    fn has(&self, id: &str) -> bool {
        self.headings.contains_key(id) || self.written.contains(id)
    }

    /// `id` as the page has it.
    fn shown<'i>(&self, id: &'i str) -> Cow<'i, str> {
        if self.page.has(id) {
            Cow::Owned(PREFIX.to_owned() + id)
        } else {
            Cow::Borrowed(id)
        }
    }

    /// The next slug of a heading with this text, as github-slugger counts them: `faq`, `faq-1`.
    fn slug(&mut self, text: &str) -> String {
        let slug = slug(text);
        let Some(last) = self.headings.get(&slug) else {
            self.headings.insert(slug.clone(), 0);
            return slug;
        };
        let mut number = *last;
        loop {
            number += 1;
            let numbered = format!("{slug}-{number}");
            if !self.headings.contains_key(&numbered) {
                self.headings.insert(numbered.clone(), 0);
                self.headings.insert(slug, number);
                return numbered;
            }
        }
    }
}

fn write_id(out: &mut String, id: &str) {
    out.push_str(" id=\"");
    escape::attribute(out, id);
    out.push('"');
}

/// The id that GitHub makes of the text of a heading, without a number: in lower case, without
/// punctuation, with a hyphen for each space. `section` if nothing is left.
fn slug(text: &str) -> String {
    let mut end = text.len().min(ID_BYTES - 16);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let text = &text[..end];
    let mut slug = String::with_capacity(end);
    if text.is_ascii() {
        for byte in text.bytes() {
            match byte {
                b' ' => slug.push('-'),
                b'-' | b'_' => slug.push(char::from(byte)),
                _ if byte.is_ascii_alphanumeric() => {
                    slug.push(char::from(byte.to_ascii_lowercase()));
                }
                _ => {}
            }
        }
    } else {
        let kept = text.to_lowercase();
        slug.extend(kept.chars().filter_map(|c| match c {
            ' ' | '-' => Some('-'),
            c if is_word(c) => Some(c),
            _ => None,
        }));
    }
    if slug.is_empty() {
        slug.push_str("section");
    }
    slug
}

/// Whether `c` is in Ruby's `\p{Word}`: a letter, mark, decimal digit or connector.
fn is_word(c: char) -> bool {
    c.is_alphabetic() || is_combining_mark(c) || is_decimal_digit(c) || CONNECTORS.contains(&c)
}

/// Characters of the category Pc (Unicode 16).
const CONNECTORS: [char; 10] = [
    '_', '\u{203f}', '\u{2040}', '\u{2054}', '\u{fe33}', '\u{fe34}', '\u{fe4d}', '\u{fe4e}',
    '\u{fe4f}', '\u{ff3f}',
];

/// Whether `c` is of the category Nd: a numeric character that is neither a letter nor one of the
/// others, such as `²` and `①`.
fn is_decimal_digit(c: char) -> bool {
    if c.is_ascii() || !c.is_numeric() {
        return c.is_ascii_digit();
    }
    let c = u32::from(c);
    let after = ZEROS.partition_point(|zero| *zero <= c);
    after > 0 && c - ZEROS[after - 1] < 10
}

/// The zeros of the category Nd above ASCII, each followed by its digits 1 to 9.
const ZEROS: [u32; 65] = [
    0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6,
    0xe50, 0xed0, 0xf20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50,
    0x1bb0, 0x1c40, 0x1c50, 0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10,
    0x104a0, 0x10d30, 0x11066, 0x110f0, 0x11136, 0x111d0, 0x112f0, 0x11450, 0x114d0, 0x11650,
    0x116c0, 0x11730, 0x118e0, 0x11950, 0x11c50, 0x11d50, 0x11da0, 0x16a60, 0x16ac0, 0x16b50,
    0x1d7ce, 0x1d7d8, 0x1d7e2, 0x1d7ec, 0x1d7f6, 0x1e140, 0x1e2f0, 0x1e950, 0x1fbf0,
];

#[cfg(test)]
mod tests {
    use super::*;

    fn page() -> PageIds {
        PageIds::of(&[(
            "page.html",
            "<main\nid=\"content\" data-id='x'><i id='own'>",
        )])
    }

    #[test]
    fn headings_have_the_ids_that_github_makes() {
        for (text, expected) in [
            ("Setup & Config", "setup--config"),
            ("What's new?", "whats-new"),
            ("v1.2.3", "v123"),
            ("Übersicht", "übersicht"),
            ("概要", "概要"),
            ("Tier 0 — write path", "tier-0--write-path"),
            ("foo_bar()", "foo_bar"),
            (" a\tb\u{a0}c ", "-abc-"),
            ("x² ① ½ Ⅳ ٣ हिन्दी", "x---ⅳ-٣-हिन्दी"),
            ("🚀 Go", "-go"),
            ("ΟΔΟΣ", "οδος"),
            ("!?", "section"),
        ] {
            assert_eq!(slug(text), expected);
        }
        assert!(slug(&"é".repeat(9_000)).len() <= ID_BYTES);
    }

    #[test]
    fn ids_are_unique_whatever_the_texts() {
        let page = page();
        let mut ids = Ids::new(&page);
        let given: Vec<_> = ["FAQ", "faq", "FAQ 1", "faq", "FAQ", ""]
            .map(|text| ids.slug(text))
            .into();
        assert_eq!(
            given,
            ["faq", "faq-1", "faq-1-1", "faq-2", "faq-3", "section"]
        );
    }

    /// The ids that headings and elements get, and the links to `fragments`.
    fn written(elements: &[(&str, Option<&str>)], fragments: &[&str]) -> (String, String) {
        let page = page();
        let mut ids = Ids::new(&page);
        let (mut out, mut links) = (String::new(), String::new());
        for fragment in fragments {
            ids.link(&mut links, fragment);
            links.push(' ');
        }
        for (text, given) in elements {
            match *text {
                "" => ids.write(&mut out, given.unwrap()),
                text => {
                    ids.write_heading(&mut out, text, *given);
                }
            }
        }
        (out, ids.resolve(links))
    }

    #[test]
    fn the_first_element_keeps_an_id() {
        let elements = [
            ("", Some("setup")),
            ("Setup", None),
            ("Setup", None),
            ("", Some("setup-1")),
            ("x", Some("Own Id")),
            ("y", Some("Own")),
            ("z", Some("Own")),
        ];
        let (ids, links) = written(&elements, &["SETUP", "own", "Own", "%4Fwn", "none", "a\"b"]);
        assert_eq!(
            ids,
            " id=\"setup\" id=\"setup-1\" id=\"x\" id=\"Own\" id=\"z\""
        );
        assert_eq!(links, "#setup #Own #Own #Own #none #a%22b ");
    }

    #[test]
    fn ids_of_the_page_itself_are_not_given_away() {
        let elements = [
            ("Content", None),
            ("", Some("fn-1")),
            ("", Some("own")),
            ("fnord", None),
            ("About", None),
            ("", Some("user-content-own")),
        ];
        let fragments = [
            "content",
            "fn-1",
            "user-content-own",
            "about",
            "user-content-fnord",
        ];
        let (ids, links) = written(&elements, &fragments);
        assert_eq!(
            ids,
            " id=\"user-content-content\" id=\"user-content-fn-1\" id=\"user-content-own\" id=\"fnord\" \
             id=\"user-content-about\" id=\"user-content-user-content-own\""
        );
        assert_eq!(
            links,
            "#user-content-content #user-content-fn-1 #user-content-user-content-own \
             #user-content-about #fnord "
        );
    }

    #[test]
    fn a_link_to_the_heading_that_became_the_title_goes_to_the_article() {
        let page = page();
        let mut ids = Ids::new(&page);
        ids.take_title("My Project");
        let mut out = String::new();
        ids.link(&mut out, "my-project");
        ids.link(&mut out, "my-project-1");
        ids.write_heading(&mut out, "My project", None);
        assert_eq!(
            ids.resolve(out),
            "#content#my-project-1 id=\"my-project-1\""
        );
    }
}
