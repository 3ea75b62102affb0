//! The one table of characters that nobody sees, or that make others be seen otherwise. What each
//! part of anp does about them follows from it.

/// What a character does that a reader of the text does not expect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Nothing: it is shown as it is.
    Visible,
    /// White space, line ends and tabs included.
    Space,
    /// A control (C0, DEL, C1), or a noncharacter.
    Control,
    /// A mark that says in which direction its neighbours run.
    BidiMark,
    /// An embedding, override or isolate: it changes the direction of all that follows.
    BidiForce,
    /// Invisible, and of no use in any text.
    Invisible,
    /// Invisible, but honest in prose: soft hyphens, zero width spaces, invisible operators.
    Soft,
    /// A joiner: invisible, but it shapes its neighbours in some scripts and in emoji.
    Joiner,
    /// An invisible copy of an ASCII character.
    Tag,
}

impl Class {
    /// That of a character.
    #[must_use]
    #[inline]
    pub fn of(c: char) -> Self {
        match c {
            ' '..='~' if c != ' ' => Self::Visible,
            '\u{200c}' | '\u{200d}' => Self::Joiner,
            '\u{200e}' | '\u{200f}' | '\u{61c}' => Self::BidiMark,
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => Self::BidiForce,
            '\u{200b}' | '\u{2060}'..='\u{2065}' | '\u{ad}' | '\u{180e}' => Self::Soft,
            '\u{feff}' | '\u{206a}'..='\u{206f}' | '\u{fff9}'..='\u{fffb}' => Self::Invisible,
            '\u{e0000}'..='\u{e007f}' => Self::Tag,
            '\u{fdd0}'..='\u{fdef}' => Self::Control,
            _ if c.is_whitespace() => Self::Space,
            _ if c.is_control() || u32::from(c) & 0xfffe == 0xfffe => Self::Control,
            _ => Self::Visible,
        }
    }
}

/// Whether a terminal would act on this character, or hide it, instead of showing it. Tabs are
/// shown; line ends are not.
#[must_use]
pub fn is_hidden(c: char) -> bool {
    match Class::of(c) {
        Class::Visible => false,
        Class::Space => c != '\t' && (c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')),
        _ => true,
    }
}

/// `text` as a part of one line of a message: a space for tabs and for what is hidden.
#[must_use]
pub fn in_one_line(text: &str) -> String {
    text.replace(|c| c == '\t' || is_hidden(c), " ")
}

/// Whether no page carries this character: controls and noncharacters (parse errors by the HTML
/// standard, §13.2.3.5), and what forces a direction. Tabs and line feeds stay.
#[must_use]
pub fn is_forbidden_on_pages(c: char) -> bool {
    match Class::of(c) {
        Class::Control | Class::BidiForce => true,
        Class::Space => c.is_control() && !matches!(c, '\t' | '\n'),
        _ => false,
    }
}

/// Whether the most forgiving reader of a URL might pass over this character: all that is hidden,
/// white space, and what has no width in some fonts.
#[must_use]
pub fn is_passed_over_in_urls(c: char) -> bool {
    c.is_whitespace()
        || is_hidden(c)
        || matches!(c,
            '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{e0080}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::{is_forbidden_on_pages, is_hidden, is_passed_over_in_urls};

    #[test]
    fn each_use_takes_its_part_of_the_table() {
        let parts = |c| {
            [
                is_hidden(c),
                is_forbidden_on_pages(c),
                is_passed_over_in_urls(c),
            ]
        };
        for c in "aé東🦀".chars() {
            assert_eq!(parts(c), [false; 3], "{c:?}");
        }
        for c in "\0\r\u{b}\u{1b}\u{7f}\u{85}\u{9f}\u{202e}\u{2066}\u{fdd0}\u{1ffff}".chars() {
            assert_eq!(parts(c), [true; 3], "{c:?}");
        }
        let seen_on_pages = "\u{ad}\u{61c}\u{180e}\u{200b}\u{200d}\u{200f}\u{2028}\u{2060}\u{206a}\u{feff}\u{fffb}\u{e0041}";
        for c in seen_on_pages.chars() {
            assert_eq!(parts(c), [true, false, true], "{c:?}");
        }
        for c in " \t\u{a0}\u{3000}\u{fe0f}\u{3164}".chars() {
            assert_eq!(parts(c), [false, false, true], "{c:?}");
        }
        assert_eq!(parts('\n'), [true, false, true]);
        for c in (0..=0x10_ffff).filter_map(char::from_u32) {
            let [hidden, forbidden, passed_over] = parts(c);
            assert!(hidden || !forbidden, "{c:?}");
            assert!(passed_over || !hidden, "{c:?}");
        }
    }
}
