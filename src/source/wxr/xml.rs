//! The XML of one item, as the values of its elements.

use memchr::memchr_iter;
use quick_xml::Reader;
use quick_xml::escape::resolve_html5_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};

/// Most categories, tags and custom fields of an item that are read.
const MAX_LIST: usize = 10_000;

/// A text, and the line it begins on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) text: String,
    pub(super) line: u32,
}

/// A category, a tag, or another term.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Term {
    pub(super) domain: String,
    pub(super) name: String,
}

/// A custom field.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Meta {
    pub(super) key: String,
    pub(super) value: String,
    pub(super) line: u32,
}

/// What an item says. What it does not say is empty.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct RawItem {
    pub(super) line: u32,
    pub(super) title: Text,
    pub(super) link: Text,
    pub(super) creator: Text,
    pub(super) content: Text,
    pub(super) excerpt: Text,
    pub(super) id: Text,
    pub(super) date: Text,
    pub(super) date_gmt: Text,
    pub(super) modified_gmt: Text,
    pub(super) slug: Text,
    pub(super) status: Text,
    pub(super) parent: Text,
    pub(super) order: Text,
    pub(super) post_type: Text,
    pub(super) password: Text,
    pub(super) attachment_url: Text,
    pub(super) terms: Vec<Term>,
    pub(super) metas: Vec<Meta>,
    /// Whether there are more than are read.
    pub(super) has_more_metas: bool,
}

impl RawItem {
    fn element(&mut self, name: &str) -> Option<&mut Text> {
        Some(match name {
            "title" => &mut self.title,
            "link" => &mut self.link,
            "dc:creator" => &mut self.creator,
            "content:encoded" => &mut self.content,
            "excerpt:encoded" => &mut self.excerpt,
            "wp:post_id" => &mut self.id,
            "wp:post_date" => &mut self.date,
            "wp:post_date_gmt" => &mut self.date_gmt,
            "wp:post_modified_gmt" => &mut self.modified_gmt,
            "wp:post_name" => &mut self.slug,
            "wp:status" => &mut self.status,
            "wp:post_parent" => &mut self.parent,
            "wp:menu_order" => &mut self.order,
            "wp:post_type" => &mut self.post_type,
            "wp:post_password" => &mut self.password,
            "wp:attachment_url" => &mut self.attachment_url,
            _ => return None,
        })
    }
}

/// Why an item cannot be read, and where.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Broken {
    pub(super) line: u32,
    pub(super) message: String,
}

/// What the text that is read belongs to.
#[derive(Debug)]
enum Within {
    /// An element that does not matter.
    Nothing,
    /// An element of this name.
    Element(String),
    /// The last of the terms.
    Term,
    MetaKey,
    MetaValue,
}

/// Reads an item that begins on `line`.
pub(super) fn item(xml: &str, line: u32) -> Result<RawItem, Broken> {
    let mut item = RawItem {
        line,
        ..RawItem::default()
    };
    let mut within = Within::Nothing;
    walk(xml, line, &mut |step, line| match step {
        Step::Open { depth, tag } => {
            within = opened(&mut item, depth, tag, line);
        }
        Step::Close => within = Within::Nothing,
        Step::Text(text) => {
            let target = match &within {
                Within::Nothing => return,
                Within::Element(name) => item.element(name).map(|element| {
                    if element.text.is_empty() {
                        element.line = line;
                    }
                    &mut element.text
                }),
                Within::Term => item.terms.last_mut().map(|term| &mut term.name),
                Within::MetaKey => item.metas.last_mut().map(|meta| &mut meta.key),
                Within::MetaValue => item.metas.last_mut().map(|meta| {
                    if meta.value.is_empty() {
                        meta.line = line;
                    }
                    &mut meta.value
                }),
            };
            if let Some(target) = target {
                target.push_str(text);
            }
        }
    })?;
    Ok(item)
}

fn opened(item: &mut RawItem, depth: usize, tag: &BytesStart<'_>, line: u32) -> Within {
    let name = tag.name();
    let name: &str = name.as_ref();
    match (depth, name) {
        (2, "category") if item.terms.len() < MAX_LIST => {
            let domain = tag.try_get_attribute("domain").ok().flatten();
            let domain = domain.map(|domain| domain.value.into_owned());
            item.terms.push(Term {
                domain: domain.unwrap_or_default(),
                name: String::new(),
            });
            Within::Term
        }
        (2, "wp:postmeta") => {
            // One beyond may be the one that says who may see the article.
            item.has_more_metas |= item.metas.len() >= MAX_LIST;
            if item.has_more_metas {
                return Within::Nothing;
            }
            item.metas.push(Meta {
                line,
                ..Meta::default()
            });
            Within::Nothing
        }
        (3, "wp:meta_key") if !item.has_more_metas => Within::MetaKey,
        (3, "wp:meta_value") if !item.has_more_metas => Within::MetaValue,
        (2, name) => match item.element(name) {
            // Of an element that is there twice, the first counts.
            Some(element) if element.text.is_empty() => Within::Element(name.to_owned()),
            _ => Within::Nothing,
        },
        _ => Within::Nothing,
    }
}

/// The login and the display name of an author.
pub(super) fn author(xml: &str) -> Option<(String, String)> {
    let (mut login, mut shown) = (String::new(), String::new());
    let mut name = String::new();
    let read = walk(xml, 1, &mut |step, _| match step {
        Step::Open { depth: 2, tag } => name = tag.name().as_ref().to_owned(),
        Step::Open { .. } | Step::Close => name.clear(),
        Step::Text(text) => match name.as_str() {
            "wp:author_login" => login.push_str(text),
            "wp:author_display_name" => shown.push_str(text),
            _ => {}
        },
    });
    read.ok()?;
    (!login.is_empty()).then_some((login, shown))
}

enum Step<'s, 'x> {
    /// The start of an element; the outermost has depth 1.
    Open {
        depth: usize,
        tag: &'s BytesStart<'x>,
    },
    Close,
    Text(&'s str),
}

/// Hands on what an element and the elements in it consist of.
fn walk(xml: &str, first_line: u32, take: &mut dyn FnMut(Step<'_, '_>, u32)) -> Result<(), Broken> {
    let mut reader = Reader::from_str(xml);
    reader.config_mut().allow_dangling_amp = true;
    let mut depth = 0;
    let (mut line, mut counted) = (first_line, 0);
    loop {
        let at = usize::try_from(reader.buffer_position()).unwrap_or(xml.len());
        let passed = xml.as_bytes().get(counted..at).unwrap_or_default();
        line += u32::try_from(memchr_iter(b'\n', passed).count()).unwrap_or(0);
        counted = at;
        let event = reader.read_event().map_err(|error| Broken {
            line,
            message: explain(&error),
        })?;
        match event {
            Event::Start(tag) => {
                depth += 1;
                take(Step::Open { depth, tag: &tag }, line);
            }
            Event::Empty(tag) => {
                let depth = depth + 1;
                take(Step::Open { depth, tag: &tag }, line);
                take(Step::Close, line);
            }
            Event::End(_) => {
                depth -= 1;
                take(Step::Close, line);
                if depth == 0 {
                    return Ok(());
                }
            }
            Event::Text(text) => take(Step::Text(&text), line),
            Event::CData(text) => take(Step::Text(&text), line),
            Event::GeneralRef(name) => take(Step::Text(&resolved(&name)), line),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
            Event::Eof => {
                return Err(Broken {
                    line,
                    message: "expected </item>, found the end".to_owned(),
                });
            }
        }
    }
}

/// The text of `&name;`. One that neither XML nor HTML has stays as it was written.
fn resolved(name: &BytesRef<'_>) -> String {
    if let Ok(Some(c)) = name.resolve_char_ref() {
        return c.to_string();
    }
    match resolve_html5_entity(name) {
        Some(text) => text.to_owned(),
        None => format!("&{};", &**name),
    }
}

fn explain(error: &quick_xml::Error) -> String {
    use quick_xml::errors::{Error, IllFormedError};
    let shown = |name: &str| name.chars().take(60).collect::<String>();
    match error {
        Error::IllFormed(IllFormedError::MismatchedEndTag { expected, found }) => {
            format!("expected </{}>, found </{}>", shown(expected), shown(found))
        }
        Error::IllFormed(IllFormedError::UnmatchedEndTag(found)) => {
            format!("found </{}>, which nothing opens", shown(found))
        }
        other => format!("not well-formed XML: {}", shown(&other.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_may_be_cdata_in_pieces_or_text_with_entities() {
        let xml = "<item>\n<title>a &amp; b&nbsp;&#8211; &foo; & c</title>\n\
                   <content:encoded>\n<![CDATA[x ]]]]><![CDATA[> y]]></content:encoded>\
                   <wp:postmeta>\n<wp:meta_key>k</wp:meta_key>\n<wp:meta_value><![CDATA[v]]></wp:meta_value>\
                   </wp:postmeta><wp:comment><wp:status>1</wp:status><wp:commentmeta><wp:meta_key>no</wp:meta_key>\
                   </wp:commentmeta></wp:comment><category domain=\"post_tag\" nicename=\"t\"><![CDATA[T]]></category>\
                   <wp:status>publish</wp:status><wp:status>draft</wp:status></item>";
        let item = item(xml, 10).unwrap();
        assert_eq!(item.title.text, "a & b\u{a0}\u{2013} &foo; & c");
        assert_eq!((item.title.line, item.content.line), (11, 12));
        assert_eq!(item.content.text, "\nx ]]> y");
        assert_eq!(item.status.text, "publish");
        assert_eq!(item.terms[0].domain, "post_tag");
        assert_eq!(item.terms[0].name, "T");
        let meta = &item.metas[0];
        assert_eq!((&*meta.key, &*meta.value, meta.line), ("k", "v", 15));
        assert_eq!(item.metas.len(), 1);
    }

    #[test]
    fn a_broken_item_says_where() {
        let broken = item("<item>\n<title>x</link>\n</item>", 5).unwrap_err();
        assert_eq!(broken.message, "expected </title>, found </link>");
        assert_eq!(broken.line, 6);
    }

    #[test]
    fn an_author_has_a_login_and_a_name() {
        let xml = "<wp:author><wp:author_login><![CDATA[ann]]></wp:author_login>\
                   <wp:author_display_name><![CDATA[Ann Example]]></wp:author_display_name></wp:author>";
        let expected = ("ann".to_owned(), "Ann Example".to_owned());
        assert_eq!(author(xml), Some(expected));
    }
}
