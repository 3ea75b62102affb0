//! Reading raw HTML as the HTML tokeniser would (WHATWG HTML §13.2.5), a tag at a time.
//! Every function takes the text that is left and runs once over what it consumes.

/// One attribute of a raw start tag, as written.
pub(super) struct Attribute<'a> {
    pub(super) name: &'a str,
    pub(super) value: &'a str,
}

/// A tag of raw HTML.
pub(super) struct RawTag<'a> {
    /// Its name as written.
    pub(super) written: &'a str,
    /// Its name in lower case.
    pub(super) name: String,
    pub(super) closes: bool,
    /// Whether it ends with `/>`.
    pub(super) closes_itself: bool,
    pub(super) attributes: Vec<Attribute<'a>>,
}

impl RawTag<'_> {
    /// Whether it is a component of MDX that only shares its name with an element: `<Code>`,
    /// `<B x={1}>`, `<A />`. Old HTML is all in upper case.
    pub(super) fn is_component(&self) -> bool {
        if !self.written.starts_with(|c: char| c.is_ascii_uppercase()) {
            return false;
        }
        let is_expression = |a: &Attribute<'_>| a.value.starts_with('{') || a.name.starts_with('{');
        self.written.contains(|c: char| c.is_ascii_lowercase())
            || self.closes_itself && !["br", "hr", "img", "wbr"].contains(&self.name.as_str())
            || self.attributes.iter().any(is_expression)
    }

    /// Whether browsers show nothing of the element.
    pub(super) fn is_hidden(&self) -> bool {
        self.attributes.iter().any(|attribute| {
            let is = |name: &str| attribute.name.eq_ignore_ascii_case(name);
            is("hidden") || is("style") && hides(attribute.value)
        })
    }
}

/// Whether a style says that nothing is to be seen.
fn hides(style: &str) -> bool {
    let mut style = style.to_ascii_lowercase();
    style.retain(|c| !c.is_ascii_whitespace());
    let hides = |rule| matches!(rule, "display:none" | "visibility:hidden");
    let mut rules = style.split(';');
    rules.any(|rule| hides(rule.trim_end_matches("!important")))
}

/// Attributes of one tag that are looked at; all further ones are dropped.
const ATTRIBUTES: usize = 32;

/// Whether `rest`, which begins with `<`, begins with a tag.
pub(super) fn starts_tag(rest: &str) -> bool {
    let name = rest[1..].strip_prefix('/').unwrap_or(&rest[1..]);
    name.starts_with(|c: char| c.is_ascii_alphabetic())
}

/// What follows the comment, CDATA section, declaration or instruction at the start of `rest`.
pub(super) fn skip_declaration(rest: &str) -> Option<&str> {
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

/// Where the first end tag of `name` in `text` begins, and where it is over, from `from` on.
pub(super) fn find_end_tag(text: &str, name: &str, from: usize) -> Option<(usize, usize)> {
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

/// Reads the tag at the start of `rest`; `None` if there is none or it has no end.
pub(super) fn read_tag(rest: &str) -> Option<(RawTag<'_>, &str)> {
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
