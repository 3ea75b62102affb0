//! Attribute lists: `{: #id .class key="value"}` of kramdown, `{#id .class}` of many.

/// The parts of an attribute list that anp uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Attributes<'a> {
    /// The last id in it.
    pub(super) id: Option<&'a str>,
    /// It is the place of a table of contents.
    pub(super) is_toc: bool,
    /// It has a word that is not an id, class or assignment: it may be other text in braces.
    pub(super) has_words: bool,
}

impl<'a> Attributes<'a> {
    /// Reads the text between the braces; `None` if it is not an attribute list.
    pub(super) fn parse(list: &'a str) -> Option<Self> {
        let mut attributes = Self::default();
        let mut rest = list.trim();
        if rest.is_empty() {
            return None;
        }
        while !rest.is_empty() {
            let end = end_of_item(rest)?;
            let (item, after) = rest.split_at(end);
            rest = after.trim_start();
            if let Some(id) = item.strip_prefix('#') {
                attributes.id = Some(id).filter(|id| is_name(id));
                attributes.id?;
            } else if let Some(class) = item.strip_prefix('.') {
                if !is_name(class) {
                    return None;
                }
            } else if let Some((key, value)) = item.split_once('=') {
                if !is_name(key) {
                    return None;
                }
                if key == "id" {
                    let id = value.trim_matches(['"', '\'']);
                    attributes.id = Some(id).filter(|id| is_name(id));
                }
            } else if is_name(item) {
                attributes.is_toc |= item == "toc";
                attributes.has_words |= !matches!(item, "toc" | "no_toc" | "footnotes");
            } else {
                return None;
            }
        }
        Some(attributes)
    }
}

/// Where the first item of `list` ends: at white space outside quotes.
fn end_of_item(list: &str) -> Option<usize> {
    let mut quote = None;
    for (at, c) in list.char_indices() {
        match quote {
            Some(open) if c == open => quote = None,
            None if matches!(c, '"' | '\'') => quote = Some(c),
            None if c.is_whitespace() => return Some(at),
            _ => {}
        }
    }
    quote.is_none().then_some(list.len())
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_alphanumeric() || c == '_')
        && name
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | ':' | '.' | '%'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_ids_classes_and_assignments_are_read() {
        let of = |list| Attributes::parse(list);
        for (list, id) in [
            ("#id", Some("id")),
            (" #Größe .a-b ", Some("Größe")),
            (".note", None),
            ("target=\"_blank\" rel='a b' width=10", None),
            ("id=x", Some("x")),
        ] {
            let expected = Attributes {
                id,
                ..Attributes::default()
            };
            assert_eq!(of(list), Some(expected), "{list}");
        }
        assert!(of("toc").unwrap().is_toc);
        assert!(of("ok").unwrap().has_words);
        for list in [
            "", "1, 2", "#", "# a", ":ok, x", "a=\"b", "a + b", "#<b>", "\"x\"",
        ] {
            assert_eq!(of(list), None, "{list}");
        }
    }
}
