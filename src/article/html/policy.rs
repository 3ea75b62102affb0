//! Which elements and attributes raw HTML may use, and which of the others vanish with their content.

/// Elements that raw HTML may use.
pub(crate) const ELEMENTS: &str = "a abbr b bdi blockquote br caption cite code dd del details dfn div dl dt em figcaption figure \
    h1 h2 h3 h4 h5 h6 hr i img ins kbd li mark ol p pre q rp rt ruby s samp small span strong sub summary sup \
    table tbody td tfoot th thead time tr u ul var wbr";

/// Attributes that elements may have besides `title`, `lang` and `dir`.
pub(crate) fn own_attributes(element: &str) -> &'static [&'static str] {
    match element {
        "a" => &["href"],
        "details" => &["open"],
        "img" => &["src", "alt", "width", "height"],
        "ol" => &["start"],
        "td" => &["colspan", "rowspan"],
        "th" => &["colspan", "rowspan", "scope"],
        "time" => &["datetime"],
        _ => &[],
    }
}

/// Formatting elements of the HTML standard (§13.2.4.3). They keep no attributes, so the
/// parser's "Noah's Ark" rule bounds how many of them it can ever copy. `a` is one too,
/// but the parser never lets two be open.
pub(crate) const FORMATTING: &[&str] = &["b", "code", "em", "i", "s", "small", "strong", "u"];

/// Elements without content or end tag.
pub(crate) const VOID: &[&str] = &["br", "hr", "img", "wbr"];

/// Elements that vanish with their content, up to the next end tag of that name.
pub(crate) const VANISH: &str = "applet audio canvas embed frameset head iframe math noembed noframes noscript object plaintext \
    script select style svg template textarea title video xmp";

/// Elements that pages do not have. Their text stays, unless the author hides the element.
pub(crate) const HIDEABLE: &str = "article aside big button center fieldset font footer form header hgroup label main menu nav \
    nobr output search section strike tt";

/// Of those that vanish, the ones that hold code: without an end tag, all that follows is code.
pub(crate) const CODE: &[&str] = &["script", "style"];

/// The entry `name` of a list of names.
pub(crate) fn find(list: &'static str, name: &str) -> Option<&'static str> {
    list.split_ascii_whitespace().find(|known| *known == name)
}

/// Whether `value` is one that the attribute `name`, in lower case, can have.
pub(crate) fn is_sane(name: &str, value: &str) -> bool {
    match name {
        "width" | "height" | "start" | "colspan" | "rowspan" => {
            let limit = if name.ends_with("span") { 100 } else { 100_000 };
            value
                .parse::<u32>()
                .is_ok_and(|number| (1..=limit).contains(&number))
        }
        "dir" => ["ltr", "rtl", "auto"].contains(&value),
        "scope" => ["row", "col", "rowgroup", "colgroup"].contains(&value),
        "lang" => {
            !value.is_empty()
                && value
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-')
        }
        _ => true,
    }
}

/// Elements that cannot be part of a line of text.
pub(crate) fn is_block(name: &str) -> bool {
    matches!(
        name,
        "blockquote"
            | "caption"
            | "dd"
            | "details"
            | "div"
            | "dl"
            | "dt"
            | "figcaption"
            | "figure"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "hr"
            | "li"
            | "ol"
            | "p"
            | "pre"
            | "summary"
            | "table"
            | "tbody"
            | "td"
            | "tfoot"
            | "th"
            | "thead"
            | "tr"
            | "ul"
    )
}
