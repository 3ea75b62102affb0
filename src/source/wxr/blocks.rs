//! Blocks, which stand outside of paragraphs: the part of [`super::paragraphs`] that knows their names.

use super::scan::{Ahead, is_at, is_at_in_any_case, is_space, rewrite, skip_space};

/// Elements that stand for themselves, outside of paragraphs.
const BLOCKS: &[&str] = &[
    "table",
    "thead",
    "tfoot",
    "caption",
    "col",
    "colgroup",
    "tbody",
    "tr",
    "td",
    "th",
    "div",
    "dl",
    "dd",
    "dt",
    "ul",
    "ol",
    "li",
    "pre",
    "form",
    "map",
    "area",
    "blockquote",
    "address",
    "style",
    "p",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "fieldset",
    "legend",
    "section",
    "article",
    "aside",
    "hgroup",
    "header",
    "footer",
    "nav",
    "figure",
    "figcaption",
    "details",
    "menu",
    "summary",
];

/// Those before which a line break goes.
const BREAK_GOES_BEFORE: &[&str] = &[
    "p", "li", "div", "dl", "dd", "dt", "th", "pre", "td", "ul", "ol",
];

/// The name behind a `<` or `</`, if it is that of a block.
fn block_name(text: &str, at: usize) -> Option<&str> {
    let rest = &text.as_bytes()[at.min(text.len())..];
    let length = rest
        .iter()
        .take(12)
        .take_while(|b| b.is_ascii_alphanumeric());
    let name = text.get(at..at + length.count())?;
    BLOCKS.contains(&name).then_some(name)
}

/// Whether a name begins like that of a block. The later passes take it for one: `<param>` is then one
/// as `<p>` is.
fn begins_like_a_block(text: &str, at: usize) -> bool {
    BLOCKS.iter().any(|block| is_at(text, at, block))
}

/// Empty lines above blocks and below them.
pub(super) fn lines_around_blocks(mut text: String) -> String {
    text = rewrite(&text, b'<', |at, out| {
        let name = block_name(&text, at + 1)?;
        let end = at + 1 + name.len();
        let next = *text.as_bytes().get(end)?;
        if !is_space(next) && !matches!(next, b'/' | b'>') {
            return None;
        }
        out.push_str("\n\n");
        out.push_str(&text[at..=end]);
        Some(end + 1)
    });
    text = rewrite(&text, b'<', |at, out| {
        if !is_at(&text, at, "</") {
            return None;
        }
        let end = at + 2 + block_name(&text, at + 2)?.len();
        is_at(&text, end, ">").then(|| {
            out.push_str(&text[at..=end]);
            out.push_str("\n\n");
            end + 1
        })
    });
    rewrite(&text, b'<', |at, out| {
        if !is_at(&text, at, "<hr") {
            return None;
        }
        let end = skip_space(&text, at + 3);
        let end = end + usize::from(is_at(&text, end, "/"));
        is_at(&text, end, ">").then(|| {
            out.push_str(&text[at..=end]);
            out.push_str("\n\n");
            end + 1
        })
    })
}

/// The end of the tag of a block, open or closed, that begins at `at`.
fn block_tag(text: &str, at: usize, gt: &mut Ahead<'_>) -> Option<usize> {
    if !is_at(text, at, "<") {
        return None;
    }
    let name = at + 1 + usize::from(is_at(text, at + 1, "/"));
    if !begins_like_a_block(text, name) {
        return None;
    }
    gt.end(name)
}

/// Takes paragraphs away from blocks that stand alone, or begin or end one.
pub(super) fn unwrap_blocks(mut text: String) -> String {
    text = remove_empty(&text);
    text = close_before_ends(&text);
    text = unwrap_lone(&text);
    text = unwrap_list_items(&text);
    text = move_into_quotes(&text);
    text = text.replace("</blockquote></p>", "</p></blockquote>");
    text = unwrap_first(&text);
    remove_behind_blocks(&text, "</p>")
}

fn remove_empty(text: &str) -> String {
    rewrite(text, b'<', |at, _| {
        let end = paragraph_at(text, at)?;
        is_at(text, end, "</p>").then_some(end + 4)
    })
}

/// The first place behind `<p>` and white space.
fn paragraph_at(text: &str, at: usize) -> Option<usize> {
    is_at(text, at, "<p>").then(|| skip_space(text, at + 3))
}

/// `<p>text</div>`
fn close_before_ends(text: &str) -> String {
    let mut lt = Ahead::new(text, "<");
    rewrite(text, b'<', |at, out| {
        let start = is_at(text, at, "<p>").then_some(at + 3)?;
        let end = lt.find(start).filter(|end| *end > start)?;
        let closes = ["</div>", "</address>", "</form>"];
        let close = closes.into_iter().find(|close| is_at(text, end, close))?;
        out.push_str(&text[at..end]);
        out.push_str("</p>");
        out.push_str(close);
        Some(end + close.len())
    })
}

/// `<p><div></p>`
fn unwrap_lone(text: &str) -> String {
    let mut gt = Ahead::new(text, ">");
    rewrite(text, b'<', |at, out| {
        let start = paragraph_at(text, at)?;
        let end = block_tag(text, start, &mut gt)?;
        let behind = skip_space(text, end);
        is_at(text, behind, "</p>").then(|| {
            out.push_str(&text[start..end]);
            behind + 4
        })
    })
}

/// `<p><li>text</p>`, on one line.
fn unwrap_list_items(text: &str) -> String {
    let (mut close, mut line) = (Ahead::new(text, "</p>"), Ahead::new(text, "\n"));
    rewrite(text, b'<', |at, out| {
        let start = is_at(text, at, "<p><li").then_some(at + 3)?;
        // At least one character.
        let least = start + 3 + text[start + 3..].chars().next()?.len_utf8();
        let end = close.find(least)?;
        if line.find(start).is_some_and(|line| line < end) {
            return None;
        }
        out.push_str(&text[start..end]);
        Some(end + 4)
    })
}

/// `<p><blockquote>`
fn move_into_quotes(text: &str) -> String {
    let mut gt = Ahead::new(text, ">");
    rewrite(text, b'<', |at, out| {
        let start = is_at_in_any_case(text, at, "<p><blockquote").then_some(at + 14)?;
        let end = gt.find(start)?;
        out.push_str("<blockquote");
        out.push_str(&text[start..end]);
        out.push_str("><p>");
        Some(end + 1)
    })
}

/// `<p><div>text`
fn unwrap_first(text: &str) -> String {
    let mut gt = Ahead::new(text, ">");
    rewrite(text, b'<', |at, out| {
        let start = paragraph_at(text, at)?;
        let end = block_tag(text, start, &mut gt)?;
        out.push_str(&text[start..end]);
        Some(end)
    })
}

/// Removes `mark` behind the tag of a block.
fn remove_behind_blocks(text: &str, mark: &str) -> String {
    let mut gt = Ahead::new(text, ">");
    // Where no mark follows the last tag. A broken tag may begin many times before one `>`.
    let mut failed = None;
    rewrite(text, b'<', |at, out| {
        let end = block_tag(text, at, &mut gt)?;
        if failed == Some(end) {
            return None;
        }
        let behind = skip_space(text, end);
        if !is_at(text, behind, mark) {
            failed = Some(end);
            return None;
        }
        out.push_str(&text[at..end]);
        Some(behind + mark.len())
    })
}

/// Removes line breaks around blocks.
pub(super) fn remove_breaks(mut text: String) -> String {
    text = remove_behind_blocks(&text, "<br />");
    let mut gt = Ahead::new(&text, ">");
    let mut out = rewrite(&text, b'<', |at, out| {
        let start = is_at(&text, at, "<br />").then_some(at + 6)?;
        let tag = skip_space(&text, start);
        if !is_at(&text, tag, "<") {
            return None;
        }
        let name = tag + 1 + usize::from(is_at(&text, tag + 1, "/"));
        if !BREAK_GOES_BEFORE
            .iter()
            .any(|block| is_at(&text, name, block))
        {
            return None;
        }
        let end = gt.end(name)?;
        out.push_str(&text[start..end]);
        Some(end)
    });
    for ending in ["\n</p>\n", "\n</p>"] {
        if out.ends_with(ending) {
            out.remove(out.len() - ending.len());
            break;
        }
    }
    out
}
