//! Shortcodes of plugins, which anp does not run and names.

use std::collections::HashSet;
use std::fmt::Write as _;

use memchr::{memchr2, memmem};

use super::scan::{Ahead, Opaque, is_at};
use super::shortcodes::KNOWN;

/// Shortcodes of widely used plugins, which are ones also without attributes.
const OF_PLUGINS: &[&str] = &[
    "add_to_cart",
    "bbp-forum-index",
    "buddypress",
    "contact-form",
    "contact-form-7",
    "edd_checkout",
    "formidable",
    "gravityform",
    "gravityforms",
    "jetpack_subscription_form",
    "mc4wp_form",
    "metaslider",
    "ninja_form",
    "ninja_forms",
    "product_page",
    "products",
    "recent-posts",
    "rev_slider",
    "show_more",
    "smartslider3",
    "su_note",
    "su_spacer",
    "tablepress",
    "toc",
    "vc_column",
    "vc_row",
    "woocommerce_cart",
    "woocommerce_checkout",
    "woocommerce_my_account",
    "wpforms",
];

/// Most bytes between the name and the bracket of a foreign shortcode.
const MAX_ATTRIBUTES: usize = 4096;

/// A shortcode that anp does not run.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Foreign {
    pub(super) name: String,
    /// Its opening tag, as written, shortened.
    pub(super) shown: String,
    /// Its first place, in bytes of the body.
    pub(super) offset: usize,
    pub(super) times: u32,
}

/// Most shortcodes of a body that are told apart.
const MAX_NAMED: usize = 20;

/// The shortcodes of plugins in a body, and how many more there are than are told apart. What is in brackets is one if it has an attribute, if a closing
/// tag is there, or if its name is known; `[1]` and `[sic]` are text.
pub(super) fn foreign(text: &str) -> (Vec<Foreign>, u64) {
    let (mut opaque, mut bracket) = (Opaque::new(text), Ahead::new(text, "]"));
    let (mut open, mut tag) = (Ahead::new(text, "["), Ahead::new(text, "<"));
    let mut unnamed = 0;
    let closed = closed_names(text);
    let mut found: Vec<Foreign> = Vec::new();
    let mut at = 0;
    while let Some(length) = memchr2(b'<', b'[', &text.as_bytes()[at..]) {
        at += length;
        if text.as_bytes()[at] == b'<' {
            at = opaque.end(at).unwrap_or(at + 1);
            continue;
        }
        let start = at;
        at += 1;
        let name = name_at(text, start + 1);
        let Some(end) = bracket.find(start) else {
            break;
        };
        let is_known = KNOWN.iter().any(|(known, _)| *known == name);
        let is_escaped = start > 0 && text.as_bytes()[start - 1] == b'[';
        // Attributes hold neither brackets nor tags.
        let is_simple = [open.find(at), tag.find(at)]
            .iter()
            .all(|at| at.is_none_or(|at| at > end));
        if name.is_empty() || is_known || is_escaped || !is_simple || is_at(text, end + 1, "(") {
            continue;
        }
        let attributes = &text[start + 1 + name.len()..end];
        if !is_shortcode(name, attributes, closed.contains(name)) {
            continue;
        }
        at = end + 1;
        if let Some(known) = found.iter_mut().find(|known| known.name == name) {
            known.times += 1;
        } else if found.len() < MAX_NAMED {
            let mut shown = String::new();
            let tag = text[start..=end]
                .chars()
                .map(|c| if c.is_control() { ' ' } else { c });
            shown.extend(tag.take(60));
            if shown.len() < end - start {
                let _ = write!(shown, "\u{2026}");
            }
            found.push(Foreign {
                name: name.to_owned(),
                shown,
                offset: start,
                times: 1,
            });
        } else {
            unnamed += 1;
        }
    }
    (found, unnamed)
}

fn is_shortcode(name: &str, attributes: &str, is_closed: bool) -> bool {
    if attributes.len() > MAX_ATTRIBUTES {
        return false;
    }
    let is_named = OF_PLUGINS.contains(&name);
    if attributes.is_empty() || attributes == "/" || attributes.trim() == "/" {
        return is_closed || is_named || !attributes.is_empty();
    }
    if !attributes.starts_with(|c: char| c.is_ascii_whitespace()) {
        return false;
    }
    let first = attributes.trim_start();
    let key = first
        .bytes()
        .take_while(|b| b.is_ascii_alphanumeric() || b"_-".contains(b));
    let key = key.count();
    let has_attribute = key > 0 && first[key..].trim_start().starts_with('=');
    has_attribute || is_closed || is_named || attributes.trim_end().ends_with('/')
}

/// The name of a shortcode at `at`, in lower case; empty if there is none.
fn name_at(text: &str, at: usize) -> &str {
    let rest = &text.as_bytes()[at.min(text.len())..];
    let is_part =
        |b: &&u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-');
    let length = rest.iter().take(64).take_while(is_part).count();
    if !rest.first().is_some_and(u8::is_ascii_lowercase) {
        return "";
    }
    &text[at..at + length]
}

/// The names of all closing tags.
fn closed_names(text: &str) -> HashSet<&str> {
    let places = memmem::find_iter(text.as_bytes(), b"[/");
    let names = places.map(|at| (at, name_at(text, at + 2)));
    let closed =
        names.filter(|(at, name)| !name.is_empty() && is_at(text, at + 2 + name.len(), "]"));
    closed.map(|(_, name)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::super::scan::work;
    use super::*;

    #[test]
    fn shortcodes_of_plugins_are_told_from_brackets() {
        let names = |text: &str| -> Vec<String> {
            let found = foreign(text).0.into_iter();
            found
                .map(|found| format!("{} {}", found.shown, found.times))
                .collect()
        };
        for text in [
            "[1]",
            "[text]",
            "[see page 4]",
            "[x=1]",
            "[Note a=\"b\"]",
            "[a](b) [b c=d](e)",
            "[[foo a=b]]",
            "<code>[foo a=b]</code>",
            "<a title='[foo a=b]'>",
            "[gallery ids=1]",
            "[a <b> c=d]",
            "[",
            "[]",
        ] {
            assert_eq!(names(text), Vec::<String>::new(), "{text}");
        }
        assert_eq!(
            names(
                "[foo a=\"b\"] [foo] [foo a=c] [bar]x[/bar] [toc] [divider /] [tabs open]y[/tabs]"
            ),
            [
                "[foo a=\"b\"] 2",
                "[bar] 1",
                "[toc] 1",
                "[divider /] 1",
                "[tabs open] 1"
            ]
        );
    }

    #[test]
    fn the_work_grows_with_the_text_alone() {
        for piece in [
            "[a",
            "[a ",
            "[a   ]",
            "[foo a=b]",
            "[[",
            "<pre>[x a=b]",
            "[foo a",
            "<!--[x/]",
            "[/a]",
        ] {
            let measure = |times: usize| {
                let text = piece.repeat(times);
                work::of(|| drop(foreign(&text)))
            };
            let (once, twice) = (measure(1000), measure(2000));
            assert!(twice < once * 5 / 2 + 1000, "{piece:?}: {once}, {twice}");
        }
    }
}
