//! Raw HTML of an article → a few known tags, well quoted and balanced.
//!
//! This is the first of two steps. It reads the raw pieces as the HTML tokeniser would
//! (WHATWG HTML §13.2.5) and writes them again: known tags and attributes only, values
//! between double quotes, every tag closed in order. Comments, declarations and elements
//! whose content is not text to read (`script`, `style`, `svg`, …) vanish. The second
//! step, [`super::sanitise`], judges the tree that results.
//!
//! Why not the second step alone: html5ever repairs mis-nested formatting tags by copying
//! them (the adoption agency), so 40 KB can grow into 28 MB and take 12 s. Input that is
//! balanced and of bounded depth has nothing to repair. And because no raw tag keeps a
//! `class`, `role` or ARIA attribute, those that the second step sees are our own.
//!
//! Ids stay, and the names of anchors become ids, so that links find them. Pages have no scripts
//! that an id could mislead; and without a `name`, an id hides nothing that a browser's `document`
//! or `window` has (HTML §3.1.5, §7.2.2.3).

use std::collections::HashMap;

use super::escape;
use super::ids::Ids;
use super::nesting::Nesting;
use super::removals::{Removals, Removed};
use super::url::{self, Use};
use crate::article::html::policy::{
    ELEMENTS, FORMATTING, HIDEABLE, VANISH, VOID, find, is_sane, own_attributes,
};
use crate::article::html::tag::{
    EndTags, RawTag, end_of_vanished, name_of_declaration, read_tag, skip_declaration, starts_tag,
    text_until_end,
};

/// A piece of raw HTML: a whole HTML block, or one inline tag.
#[derive(Default)]
pub(super) struct RawHtml {
    text: String,
    /// Where its parts begin in `text`, and in the Markdown if known.
    parts: Vec<(usize, Option<usize>)>,
}

impl RawHtml {
    /// Appends the part at `offset` of the Markdown.
    pub(super) fn push(&mut self, part: &str, offset: Option<usize>) {
        self.parts.push((self.text.len(), offset));
        self.text.push_str(part);
    }

    /// Where the byte at `at` is in the Markdown.
    fn offset(&self, at: usize) -> Option<usize> {
        let after = self.parts.partition_point(|(start, _)| *start <= at);
        let (start, offset) = self.parts.get(after.checked_sub(1)?)?;
        Some((*offset)? + at - start)
    }
}

/// What a piece of raw HTML is written to.
pub(super) struct Rewriter<'t, 'w> {
    pub(super) out: &'t mut String,
    /// Closes open elements at the end of the Markdown block around them.
    pub(super) nesting: &'t mut Nesting,
    pub(super) ids: &'t mut Ids<'w>,
    pub(super) removals: &'t mut Removals,
    /// URLs that the sanitiser will remove.
    pub(super) refused_urls: &'t mut Vec<(Removed, Option<usize>)>,
    /// New URLs by the URL as written: of links, and of images.
    pub(super) rewritten: &'t [HashMap<String, String>; 2],
    /// Whether a tag may be a component of MDX.
    pub(super) has_components: bool,
}

/// How many of the URLs that the sanitiser removes are named.
const MAX_REFUSED_URLS: usize = 64;

impl Rewriter<'_, '_> {
    /// Writes one raw piece.
    pub(super) fn rewrite(&mut self, raw: &RawHtml) {
        let text = raw.text.as_str();
        let mut end_tags = EndTags::default();
        let mut at = 0;
        while let Some(length) = text[at..].find('<') {
            self.write_text(&text[at..at + length]);
            at += length;
            let rest = &text[at..];
            if self.nesting.is_too_deep() {
                return; // the caller rejects the article
            }
            if let Some(after) = skip_declaration(rest) {
                if let Some(name) = name_of_declaration(rest) {
                    self.removals.add(Removed::tag(name), raw.offset(at));
                }
                at = text.len() - after.len();
                continue;
            }
            let Some((tag, after)) = read_tag(rest) else {
                // Either a mere `<`, or a tag without an end, which HTML drops with all after it.
                if starts_tag(rest) {
                    let is_of_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '/');
                    let name = rest[1..].split(|c| !is_of_name(c)).next();
                    let name = Removed::tag(name.unwrap_or_default());
                    self.removals.add(name, raw.offset(at));
                    return;
                }
                self.write_text("<");
                at += 1;
                continue;
            };
            let start = at;
            at = text.len() - after.len();
            if let Some(name) = find(VANISH, &tag.name).filter(|_| !tag.closes) {
                self.removals
                    .add(Removed::tag(tag.written), raw.offset(start));
                let end_tag = end_tags.next(text, name, at);
                at = end_of_vanished(text, name, at, tag.closes_itself, end_tag);
            } else if !tag.closes && tag.is_hidden() && self.hide(&tag) {
                self.removals
                    .add(Removed::Hidden(tag.name), raw.offset(start));
            } else if !self.write_tag(&tag, after, || raw.offset(start)) {
                // Nobody misses an end tag without a start.
                if !tag.closes {
                    let what = if self.is_component(&tag) {
                        Removed::component(tag.written)
                    } else if find(ELEMENTS, &tag.name).is_some() {
                        Removed::Misplaced(tag.name.clone())
                    } else {
                        Removed::tag(tag.written)
                    };
                    self.removals.add(what, raw.offset(start));
                    self.write_anchor(&tag);
                }
            } else if tag.name == "pre" && !tag.closes {
                // The line end that follows the tag is no part of the text.
                at += usize::from(text[at..].starts_with('\r'));
                at += usize::from(text[at..].starts_with('\n'));
            }
        }
        self.write_text(&text[at..]);
    }

    /// Writes text between tags. Only white space can be between the parts of a table.
    fn write_text(&mut self, text: &str) {
        if self.nesting.is_hidden() {
            return;
        }
        let is_space = |b: u8| matches!(b, b' ' | b'\t' | b'\n' | b'\r' | 0xc);
        let hoisted = !text.bytes().all(is_space) && self.nesting.hoist(self.out);
        if text.starts_with(['\n', '\r']) && ends_with_pre_tag(self.out) {
            self.out.push('\n');
        }
        escape::html_text(self.out, text);
        self.nesting.lower(self.out, hoisted);
    }

    fn is_component(&self, tag: &RawTag<'_>) -> bool {
        self.has_components && tag.is_component()
    }

    /// Leaves out an element with its content. Returns false for components and unknown elements.
    fn hide(&mut self, tag: &RawTag<'_>) -> bool {
        let known = find(ELEMENTS, &tag.name).or_else(|| find(HIDEABLE, &tag.name));
        let Some(name) = known.filter(|_| !self.is_component(tag)) else {
            return false;
        };
        if !VOID.contains(&name) {
            self.nesting.open_hidden(self.out, name);
        }
        true
    }

    /// Keeps the id of a tag that is not written, as a target of links.
    fn write_anchor(&mut self, tag: &RawTag<'_>) {
        if id_of(tag).is_some() && !self.nesting.is_hidden() {
            let hoisted = self.nesting.hoist(self.out);
            self.write_place(tag);
            self.nesting.lower(self.out, hoisted);
        }
    }

    /// Writes `tag` in canonical form. `after` is the text behind it. Returns false if raw HTML may
    /// not use the tag here.
    fn write_tag(
        &mut self,
        tag: &RawTag<'_>,
        after: &str,
        offset: impl Fn() -> Option<usize>,
    ) -> bool {
        if self.is_component(tag) {
            return false;
        }
        let Some(name) = find(ELEMENTS, &tag.name) else {
            let name = find(HIDEABLE, &tag.name).filter(|_| tag.closes);
            return name.is_some_and(|name| self.nesting.close_raw(self.out, name));
        };
        let is_void = VOID.contains(&name);
        if tag.closes {
            return !is_void && self.nesting.close_raw(self.out, name);
        }
        if name == "img" && tag.attribute("src").is_none() {
            return false;
        }
        let Some(written) = self.nesting.open_raw(self.out, name, is_void) else {
            return false;
        };
        if self.nesting.is_hidden() {
            return true;
        }
        if name == "a" {
            self.write_place(tag);
        }
        self.out.push('<');
        self.out.push_str(written);
        self.write_id(tag, name, after);
        for attribute in &tag.attributes {
            let attribute_name = attribute.name.to_ascii_lowercase();
            let is_common = !FORMATTING.contains(&name)
                && ["title", "lang", "dir"].contains(&attribute_name.as_str());
            let is_own = own_attributes(name).contains(&attribute_name.as_str());
            if (is_common || is_own) && is_sane(&attribute_name, attribute.value) {
                self.write_attribute(&attribute_name, attribute.value, &offset);
            }
        }
        if name == "img" {
            if tag.attribute("alt").is_none() {
                self.out.push_str(" alt=\"\"");
            }
            self.out.push_str(" loading=\"lazy\" decoding=\"async\"");
        }
        self.out.push('>');
        true
    }

    fn write_attribute(&mut self, name: &str, value: &str, offset: impl Fn() -> Option<usize>) {
        self.out.push(' ');
        self.out.push_str(name);
        self.out.push_str("=\"");
        let usage = match name {
            "href" => Some(Use::Link),
            "src" => Some(Use::Image),
            _ => None,
        };
        let fragment = value.strip_prefix('#');
        match (usage, fragment.filter(|fragment| !fragment.is_empty())) {
            (Some(Use::Link), Some(fragment)) => self.ids.link(self.out, fragment),
            (Some(usage), _) => {
                if !url::is_allowed(value, usage) && self.refused_urls.len() < MAX_REFUSED_URLS {
                    self.refused_urls.push((Removed::url(value), offset()));
                }
                let rewritten = self.rewritten[usize::from(usage == Use::Image)].get(value);
                escape::html_attribute(self.out, rewritten.map_or(value, String::as_str));
            }
            (None, _) => escape::html_attribute(self.out, value),
        }
        self.out.push('"');
    }

    /// Writes the id of a link as an element in front of it. The link itself keeps no id: parsers copy
    /// links around blocks with their attributes.
    fn write_place(&mut self, tag: &RawTag<'_>) {
        if let Some(id) = id_of(tag) {
            self.out.push_str("<span");
            self.ids.write(self.out, id);
            self.out.push_str("></span>");
        }
    }

    /// Writes the id of an element. A heading without one gets that of its text.
    fn write_id(&mut self, tag: &RawTag<'_>, name: &'static str, after: &str) {
        let id = id_of(tag).filter(|_| name != "a" && !FORMATTING.contains(&name));
        if matches!(name, "h1" | "h2" | "h3" | "h4" | "h5" | "h6") {
            self.ids
                .write_heading(self.out, &text_until_end(after, name), id);
        } else if let Some(id) = id {
            self.ids.write(self.out, id);
        }
    }
}

/// The id of an element, or the name of an `<a>`, which browsers take for one.
fn id_of<'t>(tag: &RawTag<'t>) -> Option<&'t str> {
    let value = |name: &str| tag.attribute(name).filter(|value| !value.is_empty());
    value("id").or_else(|| value("name").filter(|_| tag.name == "a"))
}

/// Whether the last thing in `html` is the start tag of a `<pre>`. The HTML parser drops one line
/// end after it, so text that begins with a line end needs one more.
fn ends_with_pre_tag(html: &str) -> bool {
    html.ends_with('>') && html.rfind('<').is_some_and(|at| is_pre_tag(&html[at..]))
}

/// Whether `html` begins with the start tag of a `<pre>`, as this module and the sanitiser write it.
pub(super) fn is_pre_tag(html: &str) -> bool {
    html.strip_prefix("<pre")
        .is_some_and(|rest| rest.starts_with([' ', '>']))
}

#[cfg(test)]
mod tests {
    use super::super::ids::PageIds;
    use super::*;

    fn with_removals(raw: &str) -> (String, Removals) {
        let (page, mut out) = (PageIds::default(), String::new());
        let (mut nesting, mut removals) = (Nesting::default(), Removals::default());
        let (mut ids, mut refused_urls) = (Ids::new(&page), Vec::new());
        let mut html = RawHtml::default();
        let (first, second) = raw.split_at(raw.find('\n').unwrap_or_default());
        html.push(first, Some(100));
        html.push(second, Some(1000));
        let mut rewriter = Rewriter {
            out: &mut out,
            nesting: &mut nesting,
            ids: &mut ids,
            removals: &mut removals,
            refused_urls: &mut refused_urls,
            rewritten: &Default::default(),
            has_components: true,
        };
        rewriter.rewrite(&html);
        nesting.close_all(&mut out);
        for (what, offset) in refused_urls {
            removals.add(what, offset);
        }
        (ids.resolve(out), removals)
    }

    fn rewritten(raw: &str) -> String {
        with_removals(raw).0
    }

    #[test]
    fn known_tags_come_out_in_one_form() {
        assert_eq!(rewritten("<KBD>Ctrl</kBd >"), "<kbd>Ctrl</kbd>");
        assert_eq!(
            rewritten("<abbr title=Hyper&quot;Text onclick=x()>H</abbr>"),
            "<abbr title=\"Hyper&quot;Text\">H</abbr>"
        );
        assert_eq!(
            rewritten("<img/src='a.png'/onerror=x>"),
            "<img src=\"a.png\" alt=\"\" loading=\"lazy\" decoding=\"async\">"
        );
        assert_eq!(rewritten("a < b <3 &amp; c"), "a &lt; b &lt;3 &amp; c");
    }

    #[test]
    fn everything_opened_is_closed_in_order() {
        assert_eq!(rewritten("<b><i>x</b>y</i>"), "<b><i>x</i></b>y");
        assert_eq!(rewritten("</div></article><p>x"), "<p>x</p>");
        assert_eq!(rewritten("<u>x</h1></u>"), "<u>x</u>");
    }

    #[test]
    fn a_pre_loses_no_more_line_ends_than_the_parser_drops() {
        assert_eq!(rewritten("<pre>\nx</pre>"), "<pre>x</pre>");
        assert_eq!(rewritten("<pre>\r\nx</pre>"), "<pre>x</pre>");
        assert_eq!(rewritten("<pre>\n\nx</pre>"), "<pre>\n\nx</pre>");
        assert_eq!(
            rewritten("<pre title='>'>\n<!-- -->\nx</pre>\ny"),
            "<pre title=\"&gt;\">\n\nx</pre>\ny"
        );
    }

    #[test]
    fn hidden_content_vanishes() {
        for raw in [
            "<script>alert(1)</script>",
            "<SCRIPT\n>a</b</script x>",
            "<style>*{}</style>",
            "<!-- <b> -->",
            "<!-->",
            "<![CDATA[ <b> ]]>",
            "<?php <b ?>",
            "<svg><b>x</b></svg>",
            "<!-- never ends",
            "<a href=\"",
            "<script>never ends",
            "<a b",
            "<iframe srcdoc='<b>'></iframe>",
            "<!DOCTYPE html>",
        ] {
            assert_eq!(rewritten(raw), "", "{raw}");
        }
        assert_eq!(rewritten("<scripty>x</scripty>"), "x");
        assert_eq!(rewritten("<script></scripty></script>x"), "x");
    }

    #[test]
    fn what_its_author_hides_is_left_out() {
        for (raw, expected) in [
            ("<p hidden>s</p>b", "b"),
            (
                "<div style='color:red; DISPLAY : none !important'>s<b>s</b><div>s</div></div>b",
                "b",
            ),
            ("a<span hidden='until-found'>s<img hidden src=x>", "a"),
            ("<section hidden><p>s</section>b", "b"),
            ("<p>a<p hidden>s<p>b", "<p>a</p><p>b</p>"),
            (
                "<table><tr hidden>s<td>s</td>s</tr><tr><td>a</table>",
                "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"Table\"><table><tbody><tr><td>a</td></tr></tbody></table></div>",
            ),
            ("<table hidden>s<tr><td>s</td></tr>s</table>b", "b"),
            (
                "<ul><li>a<li hidden>s<li>b</ul>",
                "<ul><li>a</li><li>b</li></ul>",
            ),
            ("<h2 hidden>s</h2><h3>a</h3>", "<h2 id=\"a\">a</h2>\n"),
            ("<p style='display:block'>a</p>", "<p>a</p>"),
        ] {
            assert_eq!(rewritten(raw), expected, "{raw}");
        }
        let (_, removals) = with_removals("<p hidden>s</p>");
        assert_eq!(removals.named[0].what, Removed::Hidden("p".to_owned()));
    }

    #[test]
    fn components_with_the_name_of_an_element_are_none() {
        for (raw, expected) in [
            ("<Code code='x' lang='js' />a", "a"),
            (
                "<B x={1} />a<A href='x' />b<Table data={x}>c</Table>",
                "abc",
            ),
            (
                "<A HREF='x'>a</A><BR/><B>c</B>",
                "<a href=\"x\">a</a><br><b>c</b>",
            ),
        ] {
            assert_eq!(rewritten(raw), expected, "{raw}");
        }
        let (_, removals) = with_removals("<B x={1} />");
        assert_eq!(removals.named[0].what, Removed::Component("B".to_owned()));
    }

    #[test]
    fn no_name_or_role_of_ours_can_be_taken() {
        assert_eq!(
            rewritten("<p class=b name=c role=d aria-label=e tabindex=0 style=f data-g=h>x</p>"),
            "<p>x</p>"
        );
        assert_eq!(
            rewritten("<table><tr><td colspan=4000 rowspan=2>x"),
            "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"Table\"><table><tbody><tr><td rowspan=\"2\">x</td></tr></tbody></table></div>"
        );
    }

    #[test]
    fn ids_and_names_of_anchors_stay() {
        for (raw, expected) in [
            (
                "<a name=a></a><a href='#A'>x</a>",
                "<span id=\"a\"></span><a></a><a href=\"#a\">x</a>",
            ),
            ("<p id='a b'>x<p id=c name=d>y", "<p>x</p><p id=\"c\">y</p>"),
            (
                "<b id=a>x</b><img name=a src=b id=c>",
                "<b>x</b><img id=\"c\" src=\"b\" alt=\"\" loading=\"lazy\" decoding=\"async\">",
            ),
            ("<center id=a>x</center>", "<span id=\"a\"></span>x"),
            (
                "<h1>A <i>b</i> &amp; c</h1><h2 id=x>A</h2><h3>A b  c</h3>",
                "<h2 id=\"a-b--c\">A <i>b</i> &amp; c</h2>\n<h3 id=\"x\">A</h3>\n<h4 id=\"a-b--c-1\">A b  c</h4>\n",
            ),
        ] {
            assert_eq!(rewritten(raw), expected, "{raw}");
        }
    }

    #[test]
    fn text_after_an_element_that_nothing_ends_stays() {
        for (raw, expected) in [
            ("<iframe src='x'/>\nText", "\nText"),
            ("<iframe src=x/>a<iframe src=y></iframe>b", "ab"),
            ("<video src=x/>a</video>b", "b"),
            ("<script src=x />a", "a"),
            ("<select><option>a", "a"),
            ("<svg><path d=x>a <b>c", "a <b>c</b>"),
            ("<noscript>a<noscript>b</noscript>c", "c"),
            ("<style>a{}", ""),
        ] {
            assert_eq!(rewritten(raw), expected, "{raw}");
        }
    }

    #[test]
    fn what_was_left_out_is_named_with_its_place() {
        let (_, removals) = with_removals(
            "<!-- a --><IFRAME></IFRAME></p><!doctype html>\n<iframe></iframe><b>x</b><Tabs><?php x ?><td>\
             <a href='javascript:x'>y</a><!--",
        );
        let found: Vec<_> = removals
            .named
            .into_iter()
            .map(|r| (r.what, r.times, r.offset))
            .collect();
        let element = |name: &str| Removed::Element(name.to_owned());
        assert_eq!(
            found,
            [
                (element("iframe"), 2, Some(110)),
                (Removed::Component("Tabs".to_owned()), 1, Some(1026)),
                (element("?php"), 1, Some(1032)),
                (Removed::Misplaced("td".to_owned()), 1, Some(1042)),
                (Removed::Url("javascript:x".to_owned()), 1, Some(1046)),
            ]
        );
    }
}
