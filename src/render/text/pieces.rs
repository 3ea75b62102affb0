//! The HTML of a body, piece by piece. [`super::super::markdown`] wrote it: its tags are known and
//! balanced, their names in lower case, their values between double quotes.

/// A piece of HTML.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece<'h> {
    /// Text, with its character references.
    Text(&'h str),
    /// A start tag.
    Start(StartTag<'h>),
    /// An end tag, by its name.
    End(&'h str),
}

/// A start tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StartTag<'h> {
    pub(super) name: &'h str,
    attributes: &'h str,
}

impl<'h> StartTag<'h> {
    /// The value of an attribute that it has, with its character references.
    pub(super) fn attribute(&self, name: &str) -> Option<&'h str> {
        let mut rest = self.attributes.trim_start();
        while !rest.is_empty() {
            let end = rest.find(['=', ' ']).unwrap_or(rest.len());
            let (found, after) = rest.split_at(end);
            let (value, after) = match after.strip_prefix("=\"") {
                Some(value) => value.split_once('"')?,
                None => ("", after.get(1..).unwrap_or_default()),
            };
            if found == name {
                return Some(value);
            }
            rest = after.trim_start();
        }
        None
    }

    /// Whether it has this class. Only tags of our own have any.
    pub(super) fn is_of_class(&self, class: &str) -> bool {
        self.attribute("class") == Some(class)
    }
}

/// The pieces of HTML, in order.
#[derive(Clone, Copy)]
pub(super) struct Pieces<'h> {
    rest: &'h str,
}

impl<'h> Pieces<'h> {
    /// The pieces of `html`.
    pub(super) fn new(html: &'h str) -> Self {
        Self { rest: html }
    }

    /// Passes over what is left of the element `name`, whose start tag was the last piece. Hands its texts
    /// and the start tags in it to `each`.
    pub(super) fn pass_over(&mut self, name: &str, mut each: impl FnMut(Piece<'h>)) {
        let mut open = 1;
        for piece in self.by_ref() {
            match piece {
                Piece::Start(tag) if tag.name == name => open += 1,
                Piece::End(end) if end == name => open -= 1,
                piece => each(piece),
            }
            if open == 0 {
                return;
            }
        }
    }
}

impl<'h> Iterator for Pieces<'h> {
    type Item = Piece<'h>;

    fn next(&mut self) -> Option<Piece<'h>> {
        let Some(tag) = self.rest.strip_prefix('<') else {
            let end = self.rest.find('<').unwrap_or(self.rest.len());
            let (text, rest) = self.rest.split_at(end);
            self.rest = rest;
            return (!text.is_empty()).then_some(Piece::Text(text));
        };
        let (tag, rest) = tag.split_at(end_of_tag(tag)?);
        self.rest = &rest[1..];
        if let Some(name) = tag.strip_prefix('/') {
            return Some(Piece::End(name));
        }
        let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        Some(Piece::Start(StartTag { name, attributes }))
    }
}

/// Where the tag ends that begins with `tag`. A value may hold a `>`.
fn end_of_tag(tag: &str) -> Option<usize> {
    let mut in_value = false;
    tag.bytes().position(|byte| {
        in_value ^= byte == b'"';
        byte == b'>' && !in_value
    })
}

#[cfg(test)]
mod tests {
    use super::{Piece, Pieces};

    #[test]
    fn html_comes_in_texts_and_tags() {
        let html = "a<b title=\"x > y\" id=\"c\">&lt;</b><br>d<details open id=\"e\">";
        let pieces: Vec<Piece<'_>> = Pieces::new(html).collect();
        let attribute = |at: usize, name: &str| match pieces[at] {
            Piece::Start(tag) => tag.attribute(name),
            _ => None,
        };
        assert_eq!(pieces[0], Piece::Text("a"));
        assert_eq!(attribute(1, "title"), Some("x > y"));
        assert_eq!(attribute(1, "id"), Some("c"));
        assert_eq!(attribute(1, "x"), None);
        assert_eq!(pieces[2..4], [Piece::Text("&lt;"), Piece::End("b")]);
        assert_eq!(attribute(6, "open"), Some(""));
        assert_eq!(attribute(6, "id"), Some("e"));
        assert_eq!(pieces.len(), 7);
    }

    #[test]
    fn an_element_is_passed_over_with_those_of_its_name_inside() {
        let mut pieces = Pieces::new("a<span>b</span>c</span>d");
        let mut texts = Vec::new();
        pieces.pass_over("span", |piece| texts.push(piece));
        assert_eq!(texts, ["a", "b", "c"].map(Piece::Text));
        assert_eq!(pieces.next(), Some(Piece::Text("d")));
    }
}
