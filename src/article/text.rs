//! Cleans text, once, at the boundary.
//!
//! In fields:
//!
//! 1. Unicode NFC.
//! 2. Removed: control characters (C0, C1, DEL; noncharacters with them), everything that
//!    steers bidi order (overrides, embeddings, isolates, marks), invisible characters (zero
//!    width space, word joiner and invisible operators, byte order mark, soft hyphen, tags,
//!    deprecated format characters).
//! 3. ZWJ and ZWNJ stay only between two visible non-ASCII characters: there they shape
//!    emoji sequences and Arabic or Indic letters; elsewhere they are merely invisible.
//! 4. Runs of white space become one space, line ends included; a single no-break space stays
//!    one. Nothing at the ends.
//!
//! In Markdown bodies line ends and spaces carry meaning and marks, joiners and soft hyphens
//! are honest typography, so only NFC, controls (besides tab, LF, CR), bidi overrides,
//! embeddings and isolates, byte order marks and tags are touched.

use std::borrow::Cow;
use std::fmt;
use std::ops::AddAssign;

use crate::characters::Class;
use memchr::memchr;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// What cleaning changed: characters removed, texts altered. Sums up over files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cleaned {
    /// Control characters removed.
    pub controls: u64,
    /// Bidi overrides, embeddings, isolates and marks removed.
    pub bidi: u64,
    /// Invisible characters removed: zero width, byte order marks, tags, stray joiners.
    pub invisible: u64,
    /// Texts that were not in NFC.
    pub normalised: u64,
    /// Field texts whose inner white space was folded.
    pub folded: u64,
}

impl Cleaned {
    /// Whether anything was changed.
    #[must_use]
    pub fn any(&self) -> bool {
        *self != Self::default()
    }
}

impl fmt::Display for Cleaned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "texts were cleaned: {} control, {} bidi and {} invisible characters removed, \
             {} texts brought to NFC, {} with white space folded",
            self.controls, self.bidi, self.invisible, self.normalised, self.folded
        )
    }
}

impl AddAssign for Cleaned {
    fn add_assign(&mut self, other: Self) {
        self.controls += other.controls;
        self.bidi += other.bidi;
        self.invisible += other.invisible;
        self.normalised += other.normalised;
        self.folded += other.folded;
    }
}

/// Cleans the text of a field. Clean texts (nearly all) are returned unchanged.
#[must_use]
pub fn clean(text: String, cleaned: &mut Cleaned) -> String {
    if is_plain(text.as_bytes()) {
        return text;
    }
    let (text, was_nfc) = nfc(text);
    cleaned.normalised += u64::from(!was_nfc);
    let before = *cleaned;
    let kept = filter(&text, cleaned);
    // Characters that met only now may compose: e, zero width space, combining acute.
    let removed = (cleaned.controls, cleaned.bidi, cleaned.invisible)
        != (before.controls, before.bidi, before.invisible);
    if removed { nfc(kept).0 } else { kept }
}

/// Printable ASCII with single spaces inside: nothing to do.
fn is_plain(bytes: &[u8]) -> bool {
    let printable = bytes
        .iter()
        .fold(true, |so_far, b| so_far & (b' '..=b'~').contains(b));
    let ends = bytes.first() != Some(&b' ') && bytes.last() != Some(&b' ');
    // Like the fold above without a way out early, and so compiled to vector instructions.
    let pairs = bytes.iter().zip(bytes.get(1..).unwrap_or_default());
    let single = pairs.fold(true, |so_far, (a, b)| {
        so_far & ((*a != b' ') | (*b != b' '))
    });
    printable && ends && single
}

fn nfc(text: String) -> (String, bool) {
    match is_nfc_quick(text.chars()) {
        IsNormalized::Yes => (text, true),
        _ => {
            let normal: String = text.nfc().collect();
            let same = normal == text;
            (normal, same)
        }
    }
}

fn filter(text: &str, cleaned: &mut Cleaned) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    let mut last: Option<char> = None;
    // The white space seen since the last visible character: its first one, and how many.
    let mut gap: (char, u32) = (' ', 0);
    let mut folded = false;
    while let Some(c) = chars.next() {
        match Class::of(c) {
            Class::Space => {
                if gap.1 == 0 {
                    gap.0 = c;
                }
                gap.1 += 1;
            }
            Class::Control => cleaned.controls += 1,
            Class::BidiMark | Class::BidiForce => cleaned.bidi += 1,
            Class::Invisible | Class::Soft | Class::Tag => cleaned.invisible += 1,
            Class::Joiner if !joins(last, gap.1, chars.peek().copied()) => cleaned.invisible += 1,
            Class::Visible | Class::Joiner => {
                if gap.1 > 0 && last.is_some() {
                    let single = gap.1 == 1 && matches!(gap.0, ' ' | '\u{a0}' | '\u{202f}');
                    folded |= !single;
                    out.push(if single { gap.0 } else { ' ' });
                }
                gap.1 = 0;
                out.push(c);
                last = Some(c);
            }
        }
    }
    cleaned.folded += u64::from(folded);
    out
}

/// Whether a joiner between these two shapes anything.
fn joins(last: Option<char>, gap: u32, next: Option<char>) -> bool {
    let shaped =
        |c: Option<char>| c.is_some_and(|c| !c.is_ascii() && Class::of(c) == Class::Visible);
    gap == 0 && shaped(last) && shaped(next)
}

/// Cleans a Markdown body; borrows it when there is nothing to do.
#[must_use]
pub fn clean_body<'a>(body: &'a str, cleaned: &mut Cleaned) -> Cow<'a, str> {
    let plain = |b: u8| (b' '..=b'~').contains(&b) || matches!(b, b'\n' | b'\t' | b'\r');
    // Without a way out early, this is compiled to vector instructions.
    let all_plain = |bytes: &[u8]| bytes.iter().fold(true, |so_far, &b| so_far & plain(b));
    if body.as_bytes().chunks(256).all(all_plain) {
        return Cow::Borrowed(body);
    }
    // Most lines are plain all the same, and need no look at each character. No character
    // composes with a line end before it, so the form of lines is that of their text.
    let (mut dirty, mut normal) = (false, true);
    let mut rest = body;
    while !dirty && !rest.is_empty() {
        let end = memchr(b'\n', rest.as_bytes()).map_or(rest.len(), |at| at + 1);
        let (line, after) = rest.split_at(end);
        if !all_plain(line.as_bytes()) {
            dirty = line.chars().any(|c| removed_from_body(c).is_some());
            normal &= is_nfc_quick(line.chars()) == IsNormalized::Yes;
        }
        rest = after;
    }
    if !dirty && normal {
        return Cow::Borrowed(body);
    }
    let kept: Cow<'a, str> = if dirty {
        let keep = |c: &char| match removed_from_body(*c) {
            None => true,
            Some(class) => {
                match class {
                    Class::Control => cleaned.controls += 1,
                    Class::BidiForce => cleaned.bidi += 1,
                    _ => cleaned.invisible += 1,
                }
                false
            }
        };
        body.chars().filter(keep).collect::<String>().into()
    } else {
        Cow::Borrowed(body)
    };
    if is_nfc_quick(kept.chars()) == IsNormalized::Yes {
        return kept;
    }
    let composed: String = kept.nfc().collect();
    if composed == kept {
        return kept;
    }
    cleaned.normalised += 1;
    Cow::Owned(composed)
}

fn removed_from_body(c: char) -> Option<Class> {
    if matches!(c, '\n' | '\t' | '\r') {
        return None;
    }
    match Class::of(c) {
        class @ (Class::Control | Class::BidiForce | Class::Invisible | Class::Tag) => Some(class),
        // U+0085, U+000B and U+000C are white space to Unicode, and controls all the same.
        Class::Space if c.is_control() => Some(Class::Control),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cleaned(text: &str) -> (String, Cleaned) {
        let mut counts = Cleaned::default();
        (clean(text.to_owned(), &mut counts), counts)
    }

    #[test]
    fn clean_text_comes_back_untouched() {
        for text in [
            "",
            "a",
            "redis caching notes: 3rd part",
            "größer",
            "10\u{a0}000",
        ] {
            assert_eq!(
                cleaned(text),
                (text.to_owned(), Cleaned::default()),
                "{text}"
            );
        }
    }

    #[test]
    fn white_space_is_folded_and_trimmed() {
        let (text, counts) = cleaned(" a \t b\r\nc\rd\u{2028}e\u{85}f\u{3000}\u{a0}g \n");
        assert_eq!(text, "a b c d e f g");
        assert_eq!(
            counts,
            Cleaned {
                folded: 1,
                ..Cleaned::default()
            }
        );
    }

    #[test]
    fn controls_bidi_and_invisible_characters_are_removed_and_counted() {
        let (text, counts) = cleaned(
            "a\u{0}\u{1b}\u{7f}\u{9f}b\u{202e}\u{2066}\u{200f}c\u{200b}\u{feff}\u{e0041}\u{ad}d",
        );
        assert_eq!(text, "abcd");
        assert_eq!(
            counts,
            Cleaned {
                controls: 4,
                bidi: 3,
                invisible: 4,
                ..Cleaned::default()
            }
        );
    }

    #[test]
    fn text_is_composed() {
        let (text, counts) = cleaned("e\u{301}");
        assert_eq!((text.as_str(), counts.normalised), ("\u{e9}", 1));
        assert_eq!(cleaned("e\u{200b}\u{301}").0, "\u{e9}");
    }

    #[test]
    fn joiners_stay_where_they_shape_something() {
        assert_eq!(cleaned("👩\u{200d}💻").0, "👩\u{200d}💻");
        assert_eq!(cleaned("می\u{200c}خواهم").0, "می\u{200c}خواهم");
        assert_eq!(cleaned("ad\u{200d}min \u{200d}x\u{200c}").0, "admin x");
    }

    #[test]
    fn bodies_keep_line_ends_and_typography() {
        let mut counts = Cleaned::default();
        let body = "# a\r\n\r\n- b  \n\u{5d0}\u{200f}!\tsoft\u{ad}hyphen";
        assert!(matches!(clean_body(body, &mut counts), Cow::Borrowed(_)));
        assert!(!counts.any());
        let dirty = "a\u{0}\u{c}b\u{202e}c\u{feff}d e\u{301}";
        assert_eq!(clean_body(dirty, &mut counts), "abcd \u{e9}");
        assert_eq!(
            counts,
            Cleaned {
                controls: 2,
                bidi: 1,
                invisible: 1,
                normalised: 1,
                folded: 0
            }
        );
    }

    fn forbidden(c: char) -> bool {
        c.is_control() || crate::characters::is_hidden(c) && !matches!(c, '\u{200c}' | '\u{200d}')
    }

    /// Arbitrary text, with the characters that matter here made frequent.
    fn text() -> impl Strategy<Value = String> {
        let odd = prop::sample::select(vec![
            ' ',
            '\t',
            '\n',
            '\r',
            '\0',
            '\u{1b}',
            '\u{85}',
            '\u{a0}',
            '\u{301}',
            '\u{323}',
            'e',
            '\u{212a}',
            '\u{200b}',
            '\u{200c}',
            '\u{200d}',
            '\u{200e}',
            '\u{202e}',
            '\u{2066}',
            '\u{feff}',
            '\u{e0041}',
            '\u{fdd0}',
            '\u{ffff}',
            '👩',
            'ש',
            '\u{1fef}',
            '\u{37e}',
            '\u{2000}',
            '\u{1100}',
            '\u{1161}',
        ]);
        prop::collection::vec(prop_oneof![odd, any::<char>()], 0..40)
            .prop_map(|chars| chars.into_iter().collect())
    }

    proptest! {
        #[test]
        fn cleaned_text_has_no_forbidden_characters(text in text()) {
            let (once, _) = cleaned(&text);
            prop_assert!(!once.chars().any(forbidden), "{once:?}");
            prop_assert!(!once.starts_with(char::is_whitespace) && !once.ends_with(char::is_whitespace));
            prop_assert!(!once.contains("  "));
            prop_assert!(unicode_normalization::is_nfc(&once));
        }

        #[test]
        fn bodies_lose_what_is_forbidden_and_are_composed(text in text()) {
            let kept = text.chars().filter(|c| removed_from_body(*c).is_none());
            let removed = text.chars().count() - kept.clone().count();
            let mut counts = Cleaned::default();
            let cleaned = clean_body(&text, &mut counts);
            prop_assert_eq!(&cleaned, &kept.clone().nfc().collect::<String>());
            let counted = counts.controls + counts.bidi + counts.invisible;
            prop_assert_eq!(counted, removed as u64);
            prop_assert_eq!(counts.normalised > 0, !kept.clone().eq(kept.nfc()));
        }

        #[test]
        fn cleaning_twice_changes_nothing_more(text in text()) {
            let (once, _) = cleaned(&text);
            let (twice, counts) = cleaned(&once);
            prop_assert_eq!(&once, &twice);
            prop_assert!(!counts.any(), "{:?} {:?}", once, counts);
            let mut counts = Cleaned::default();
            let once = clean_body(&text, &mut counts).into_owned();
            let mut counts = Cleaned::default();
            prop_assert_eq!(&clean_body(&once, &mut counts), &once);
            prop_assert!(!counts.any());
        }
    }
}
