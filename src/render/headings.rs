//! Heading levels and ids.

use std::collections::HashMap;

use deunicode::deunicode_char;

/// Longest slug of a heading, in bytes.
const SLUG_BYTES: usize = 64;

/// Maps the levels an author wrote to levels that begin at h2 and never skip one.
#[derive(Default)]
pub(super) struct Levels {
    /// Levels of the headings that the next one stands under, strictly rising.
    open: Vec<u8>,
}

impl Levels {
    /// The level (2–6) for the next heading, which the author gave `level` (1–6).
    pub(super) fn next(&mut self, level: u8) -> u8 {
        while self.open.last().is_some_and(|open| *open >= level) {
            self.open.pop();
        }
        self.open.push(level);
        // At most seven levels are ever open, so this fits.
        (self.open.len() as u8 + 1).min(6)
    }

    /// Levels for a part of the page that has an h2 of its own.
    pub(super) fn under_a_heading() -> Self {
        Self { open: vec![0] }
    }
}

/// Hands out ids: `h-` and a slug, unique within a page. The prefix keeps them apart from
/// the ids of templates, footnotes and the meta box.
#[derive(Default)]
pub(super) struct Ids {
    /// How often each slug was asked for.
    seen: HashMap<String, u32>,
}

impl Ids {
    /// The id for a heading with this text, without its `h-`.
    pub(super) fn next(&mut self, text: &str) -> String {
        let slug = slug(text);
        let mut number = match self.seen.get(&slug) {
            None => {
                self.seen.insert(slug.clone(), 1);
                return slug;
            }
            Some(number) => *number,
        };
        loop {
            number += 1;
            let numbered = format!("{slug}-{number}");
            if !self.seen.contains_key(&numbered) {
                self.seen.insert(numbered.clone(), 1);
                self.seen.insert(slug, number);
                return numbered;
            }
        }
    }
}

/// `text` as `[a-z0-9-]`; `section` if nothing of it is left.
pub(super) fn slug(text: &str) -> String {
    let mut slug = String::with_capacity(text.len().min(SLUG_BYTES));
    'text: for c in text.chars() {
        let ascii = if c.is_ascii() {
            None
        } else {
            deunicode_char(c)
        };
        let mut buffer = [0; 4];
        let spelled: &str = match ascii {
            Some(ascii) => ascii,
            None => c.encode_utf8(&mut buffer),
        };
        for c in spelled.chars() {
            if slug.len() >= SLUG_BYTES {
                break 'text;
            }
            if c.is_ascii_alphanumeric() {
                slug.push(c.to_ascii_lowercase());
            } else if c != '\'' && !slug.is_empty() && !slug.ends_with('-') {
                slug.push('-');
            }
        }
    }
    while slug.ends_with('-') {
        slug.pop();
    }
    if slug.is_empty() {
        slug.push_str("section");
    }
    slug
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(written: &[u8]) -> Vec<u8> {
        let mut levels = Levels::default();
        written.iter().map(|level| levels.next(*level)).collect()
    }

    #[test]
    fn headings_start_at_two_and_never_skip_a_level() {
        assert_eq!(levels(&[2, 3, 3, 2, 4]), [2, 3, 3, 2, 3]);
        assert_eq!(levels(&[1, 2, 6, 1]), [2, 3, 4, 2]);
        assert_eq!(levels(&[6, 5, 4]), [2, 2, 2]);
        assert_eq!(levels(&[1, 2, 3, 4, 5, 6, 6]), [2, 3, 4, 5, 6, 6, 6]);
    }

    #[test]
    fn ids_are_unique_whatever_the_texts() {
        let mut ids = Ids::default();
        let given: Vec<_> = ["A b!", "a-b", "a b 2", "a b", "", "東京", "Don't"]
            .map(|text| ids.next(text))
            .into();
        assert_eq!(
            given,
            [
                "a-b",
                "a-b-2",
                "a-b-2-2",
                "a-b-3",
                "section",
                "dong-jing",
                "dont"
            ]
        );
    }
}
