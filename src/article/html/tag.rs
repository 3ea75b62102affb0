//! Reading raw HTML as the HTML tokeniser would (WHATWG HTML §13.2.5), a tag at a time.
//! Every function takes the text that is left and runs once over what it consumes.

use super::policy::{CODE, VOID};

/// One attribute of a raw start tag, as written.
pub(crate) struct Attribute<'a> {
    pub(crate) name: &'a str,
    pub(crate) value: &'a str,
}

/// A tag of raw HTML.
pub(crate) struct RawTag<'a> {
    /// Its name as written.
    pub(crate) written: &'a str,
    /// Its name in lower case.
    pub(crate) name: String,
    pub(crate) closes: bool,
    /// Whether it ends with `/>`.
    pub(crate) closes_itself: bool,
    pub(crate) attributes: Vec<Attribute<'a>>,
}

impl<'a> RawTag<'a> {
    /// Whether it is a component of MDX that only shares its name with an element: `<Code>`,
    /// `<B x={1}>`, `<A />`. Old HTML is all in upper case.
    pub(crate) fn is_component(&self) -> bool {
        if !self.written.starts_with(|c: char| c.is_ascii_uppercase()) {
            return false;
        }
        let is_expression = |a: &Attribute<'_>| a.value.starts_with('{') || a.name.starts_with('{');
        self.written.contains(|c: char| c.is_ascii_lowercase())
            || self.closes_itself && !VOID.contains(&self.name.as_str())
            || self.attributes.iter().any(is_expression)
    }

    /// The value of an attribute that it has.
    pub(crate) fn attribute(&self, name: &str) -> Option<&'a str> {
        let mut attributes = self.attributes.iter();
        let found = attributes.find(|attribute| attribute.name.eq_ignore_ascii_case(name));
        found.map(|attribute| attribute.value)
    }

    /// Whether browsers do not show the element.
    pub(crate) fn is_hidden(&self) -> bool {
        self.attribute("hidden").is_some() || self.attribute("style").is_some_and(hides)
    }
}

/// Whether `html` begins with the tag of an element that browsers do not show.
pub(crate) fn is_hidden(html: &str) -> bool {
    read_tag(html).is_some_and(|(tag, _)| tag.is_hidden())
}

/// Whether a style hides its element.
fn hides(style: &str) -> bool {
    let mut style = style.to_ascii_lowercase();
    style.retain(|c| !c.is_ascii_whitespace());
    let hides = |rule| matches!(rule, "display:none" | "visibility:hidden");
    let mut rules = style.split(';');
    rules.any(|rule| hides(rule.trim_end_matches("!important")))
}

/// How many attributes of one tag are read; further ones are dropped.
const ATTRIBUTES: usize = 32;

/// Whether `rest` begins with a tag.
pub(crate) fn starts_tag(rest: &str) -> bool {
    let Some(name) = rest.strip_prefix('<') else {
        return false;
    };
    let name = name.strip_prefix('/').unwrap_or(name);
    name.starts_with(|c: char| c.is_ascii_alphabetic())
}

/// What follows the comment, CDATA section, declaration or instruction at the start of `rest`.
pub(crate) fn skip_declaration(rest: &str) -> Option<&str> {
    let past = |end: &str, from: usize| {
        let after = rest.get(from..).unwrap_or_default();
        after.find(end).map_or("", |at| &after[at + end.len()..])
    };
    if rest.starts_with("<!--") {
        Some(past("-->", 2)) // `<!-->` is a whole comment
    } else if rest.starts_with("<![CDATA[") {
        Some(past("]]>", 9))
    } else if rest.starts_with("<!") || rest.starts_with("<?") {
        Some(past(">", 2))
    } else {
        None
    }
}

/// The name of the declaration at the start of `rest`. Comments and declarations about the whole
/// document have none.
pub(crate) fn name_of_declaration(rest: &str) -> Option<&str> {
    let section = "<![CDATA[";
    if rest.starts_with(section) {
        return Some(&section[1..]);
    }
    let instruction = rest.strip_prefix("<?")?;
    let end = instruction.find(|c: char| !c.is_ascii_alphanumeric());
    let name = &rest[1..2 + end.unwrap_or(instruction.len())];
    (name != "?xml").then_some(name)
}

/// Where the first end tag of `name` in `text` from `from` on begins and ends.
fn find_end_tag(text: &str, name: &str, from: usize) -> Option<(usize, usize)> {
    let mut from = from;
    while let Some(at) = text[from..].find("</") {
        let start = from + at + 2;
        let end = start + name.len();
        let found = text
            .get(start..end)
            .is_some_and(|found| found.eq_ignore_ascii_case(name));
        if found && !text[end..].starts_with(|c: char| c.is_ascii_alphanumeric() || c == '-') {
            let length = text[end..].find('>').map(|at| end + at + 1);
            return Some((start - 2, length.unwrap_or(text.len())));
        }
        from = start;
    }
    None
}

/// The end tags of a piece of raw HTML that were searched for. Each is searched for once, not once
/// for every start tag.
#[derive(Default)]
pub(crate) struct EndTags {
    /// For each element, where the next end tag begins and ends, if there is one.
    found: Vec<(&'static str, Option<(usize, usize)>)>,
}

impl EndTags {
    /// Where the first end tag of `name` from `at` on begins and ends. Calls must not go back in
    /// `text`.
    pub(crate) fn next(
        &mut self,
        text: &str,
        name: &'static str,
        at: usize,
    ) -> Option<(usize, usize)> {
        match self.found.iter_mut().find(|(known, _)| *known == name) {
            // None was found: there is none further on either.
            Some((_, found)) => {
                if found.is_some_and(|(start, _)| start < at) {
                    *found = find_end_tag(text, name, at);
                }
                *found
            }
            None => {
                let found = find_end_tag(text, name, at);
                self.found.push((name, found));
                found
            }
        }
    }
}

/// Whether `text` has a start tag of `name`.
fn has_start_tag(text: &str, name: &str) -> bool {
    text.match_indices('<').any(|(at, _)| {
        let found = text.get(at + 1..at + 1 + name.len());
        found.is_some_and(|found| found.eq_ignore_ascii_case(name))
    })
}

/// Where the vanishing element `name` ends, whose start tag ends at `at`. Without an end tag it is
/// its start tag alone, and so is one that its author closed as in XML: `<iframe src="x"/>`.
pub(crate) fn end_of_vanished(
    text: &str,
    name: &str,
    at: usize,
    closes_itself: bool,
    end_tag: Option<(usize, usize)>,
) -> usize {
    match end_tag {
        // The end tag is that of another element.
        Some((start, _)) if closes_itself && has_start_tag(&text[at..start], name) => at,
        Some((_, end)) => end,
        None if CODE.contains(&name) && !closes_itself => text.len(),
        None => at,
    }
}

/// How many bytes of a raw heading decide its id.
const HEADING_BYTES: usize = 2048;

/// The text from the start of `html` to the end tag of `name`, without tags and references.
pub(crate) fn text_until_end(html: &str, name: &str) -> String {
    let mut end = html.len().min(HEADING_BYTES);
    while !html.is_char_boundary(end) {
        end -= 1;
    }
    let html = &html[..end];
    let mut rest = find_end_tag(html, name, 0).map_or("", |(start, _)| &html[..start]);
    let mut text = String::new();
    while let Some(at) = rest.find(['<', '&', '\n']) {
        text.push_str(&rest[..at]);
        let close = match rest.as_bytes()[at] {
            b'<' if is_hidden(&rest[at..]) => return text.trim_end().to_owned(),
            b'<' => '>',
            b'&' => ';',
            _ => '\n',
        };
        let length = rest[at..].find(close).map_or(1, |length| length + 1);
        rest = &rest[at + length..];
    }
    text + rest
}

/// Reads the tag at the start of `rest`; `None` if there is none or it has no end.
pub(crate) fn read_tag(rest: &str) -> Option<(RawTag<'_>, &str)> {
    if !starts_tag(rest) {
        return None;
    }
    let closes = rest[1..].starts_with('/');
    let name_at = if closes { 2 } else { 1 };
    let is_space = |c: char| matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{c}');
    let name_end = name_at + rest[name_at..].find(|c| is_space(c) || c == '/' || c == '>')?;
    let written = &rest[name_at..name_end];
    let whole = rest;
    let mut tag = RawTag {
        written,
        name: written.to_ascii_lowercase(),
        closes,
        closes_itself: false,
        attributes: Vec::new(),
    };
    let mut rest = &rest[name_end..];
    loop {
        rest = rest.trim_start_matches(|c| is_space(c) || c == '/');
        if let Some(after) = rest.strip_prefix('>') {
            tag.closes_itself = whole[..whole.len() - rest.len()].ends_with('/');
            return Some((tag, after));
        }
        // An `=` at the start of a name belongs to it.
        let first = rest.chars().next()?.len_utf8();
        let end = rest[first..].find(|c| is_space(c) || matches!(c, '/' | '>' | '='))? + first;
        let name = &rest[..end];
        rest = rest[end..].trim_start_matches(is_space);
        let mut value = "";
        if let Some(after) = rest.strip_prefix('=') {
            rest = after.trim_start_matches(is_space);
            let quote = rest.chars().next()?;
            if quote == '"' || quote == '\'' {
                let end = rest[1..].find(quote)? + 1;
                value = &rest[1..end];
                rest = &rest[end + 1..];
            } else {
                let end = rest.find(|c| is_space(c) || c == '>')?;
                value = &rest[..end];
                rest = &rest[end..];
            }
        }
        // Of two attributes with one name the parser keeps the first.
        if tag.attributes.len() < ATTRIBUTES
            && !tag
                .attributes
                .iter()
                .any(|other| other.name.eq_ignore_ascii_case(name))
        {
            tag.attributes.push(Attribute { name, value });
        }
    }
}
