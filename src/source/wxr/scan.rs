//! Small steps through HTML, for passes that read a text once from its beginning to its end.

use memchr::{memchr, memmem};

/// White space as HTML and regular expressions without Unicode have it.
pub(super) fn is_space(b: u8) -> bool {
    matches!(b, b' ' | b'\t'..=b'\r')
}

/// The first place from `at` on that is no white space.
pub(super) fn skip_space(text: &str, at: usize) -> usize {
    let rest = text.as_bytes().get(at..).unwrap_or_default();
    let length = rest.iter().take_while(|b| is_space(**b)).count();
    work::count(length + 1);
    at + length
}

/// Whether `mark` stands at `at`.
pub(super) fn is_at(text: &str, at: usize, mark: &str) -> bool {
    let rest = text.as_bytes().get(at..);
    rest.is_some_and(|rest| rest.starts_with(mark.as_bytes()))
}

/// The same in any case of ASCII letters.
pub(super) fn is_at_in_any_case(text: &str, at: usize, mark: &str) -> bool {
    let there = text.as_bytes().get(at..at + mark.len());
    there.is_some_and(|there| there.eq_ignore_ascii_case(mark.as_bytes()))
}

/// The next place of a mark, for a pass that asks at places that only grow. However often it asks, each
/// byte is searched once.
#[derive(Debug)]
pub(super) struct Ahead<'t> {
    text: &'t str,
    mark: &'static str,
    /// The next place, or none up to the end of the text; from the place where the search began.
    found: Option<(usize, Option<usize>)>,
}

impl<'t> Ahead<'t> {
    pub(super) fn new(text: &'t str, mark: &'static str) -> Self {
        Self {
            text,
            mark,
            found: None,
        }
    }

    /// The first place of the mark from `at` on.
    pub(super) fn find(&mut self, at: usize) -> Option<usize> {
        if let Some((from, found)) = self.found
            && from <= at
            && found.is_none_or(|found| found >= at)
        {
            return found;
        }
        let rest = self.text.as_bytes().get(at..).unwrap_or_default();
        let found = match self.mark.as_bytes() {
            [b] => memchr(*b, rest),
            mark => memmem::find(rest, mark),
        };
        work::count(found.unwrap_or(rest.len()) + 1);
        let found = found.map(|length| at + length);
        self.found = Some((at, found));
        found
    }

    /// The place behind the first mark from `at` on.
    pub(super) fn end(&mut self, at: usize) -> Option<usize> {
        let found = self.find(at)?;
        Some(found + self.mark.len())
    }
}

/// Rewrites a text: calls `step` at each of the bytes `first`. Either `step` writes a replacement and returns
/// where to go on, or it returns none and the byte stays.
pub(super) fn rewrite(
    text: &str,
    first: u8,
    mut step: impl FnMut(usize, &mut String) -> Option<usize>,
) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 16);
    let (mut copied, mut at) = (0, 0);
    work::count(text.len());
    while let Some(length) = memchr(first, &text.as_bytes()[at..]) {
        at += length;
        let mut written = String::new();
        match step(at, &mut written) {
            Some(end) => {
                out.push_str(&text[copied..at]);
                out.push_str(&written);
                copied = end;
                at = end.max(at + 1);
            }
            None => at += 1,
        }
        if at >= text.len() {
            break;
        }
    }
    out.push_str(&text[copied..]);
    out
}

/// The ends of what a pass over the text of HTML leaves alone: tags, comments, and the content of
/// elements that hold code.
#[derive(Debug)]
pub(super) struct Opaque<'t> {
    text: &'t str,
    gt: Ahead<'t>,
    comment: Ahead<'t>,
    elements: [(&'static str, Ahead<'t>); 4],
}

impl<'t> Opaque<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let ends = [
            ("pre", "</pre>"),
            ("code", "</code>"),
            ("script", "</script>"),
            ("style", "</style>"),
        ];
        Self {
            text,
            gt: Ahead::new(text, ">"),
            comment: Ahead::new(text, "-->"),
            elements: ends.map(|(name, end)| (name, Ahead::new(text, end))),
        }
    }

    /// Where the tag, comment or element ends that begins with the `<` at `at`; none if it is a mere
    /// character.
    pub(super) fn end(&mut self, at: usize) -> Option<usize> {
        if is_at(self.text, at, "<!--") {
            return self.comment.end(at + 4);
        }
        let next = self.text.as_bytes().get(at + 1)?;
        if !next.is_ascii_alphabetic() && !matches!(next, b'/' | b'!' | b'?') {
            return None;
        }
        for (name, end) in &mut self.elements {
            if is_at_in_any_case(self.text, at + 1, name)
                && is_name_end(self.text, at + 1 + name.len())
            {
                return end.end(at).or_else(|| self.gt.end(at));
            }
        }
        self.gt.end(at)
    }
}

/// Whether the name of a tag ends at `at`.
pub(super) fn is_name_end(text: &str, at: usize) -> bool {
    let next = text.as_bytes().get(at);
    next.is_none_or(|b| is_space(*b) || matches!(b, b'/' | b'>'))
}

/// Counts the bytes that passes look at, in tests alone: a text that is twice as long must not take more
/// than twice the work.
pub(super) mod work {
    #[cfg(test)]
    thread_local! {
        static BYTES: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
    }

    #[inline]
    #[cfg_attr(not(test), allow(unused_variables, reason = "counted in tests"))]
    pub(in crate::source::wxr) fn count(bytes: usize) {
        #[cfg(test)]
        BYTES.with(|all| all.set(all.get() + bytes));
    }

    /// The bytes that `run` looks at.
    #[cfg(test)]
    pub(in crate::source::wxr) fn of(run: impl FnOnce()) -> usize {
        let before = BYTES.with(std::cell::Cell::get);
        run();
        BYTES.with(std::cell::Cell::get) - before
    }
}
