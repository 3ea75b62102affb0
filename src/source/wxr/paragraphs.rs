//! Paragraphs and line breaks where a body has empty lines and line ends, as WordPress makes them
//! (`wpautop`) of bodies that were written without blocks.
//!
//! What counts is that a page looks as it did. So each pass does what the pass of the same purpose does
//! there, with its exceptions. Each reads the text once, from its beginning to its end.

use super::scan::{Ahead, is_at, is_at_in_any_case, is_space, rewrite, skip_space, work};

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

/// Stands for a line end within a tag.
const LINE_END: &str = " <!-- wpnl --> ";
const BARE_LINE_END: &str = "<!-- wpnl -->";

/// Begins what stands for the content of a `<pre>`.
const KEPT: &str = "<pre wp-pre-tag-";

/// The body with paragraphs and line breaks.
pub(super) fn add_paragraphs(body: &str) -> String {
    if body.bytes().all(|b| is_space(b) || b == 0) {
        return String::new();
    }
    let body = format!("{body}\n");
    let (text, kept) = take_out_pre(&body);
    let text = double_breaks(&text);
    let text = lines_around_blocks(&text);
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let text = hide_line_ends_in_tags(&text);
    let text = collapse_media(text);
    let text = wrap(&text);
    let text = unwrap_blocks(&text);
    let text = break_lines(&text);
    let text = remove_breaks(&text);
    let text = put_back_pre(&text, &kept);
    if text.contains(BARE_LINE_END) {
        return text.replace(LINE_END, "\n").replace(BARE_LINE_END, "\n");
    }
    text
}

/// Replaces each `<pre>` by an empty one that says its number.
fn take_out_pre(text: &str) -> (String, Vec<&str>) {
    let (mut out, mut kept) = (String::with_capacity(text.len()), Vec::new());
    if !text.contains("<pre") {
        return (text.to_owned(), kept);
    }
    let mut rest = text;
    while let Some((part, behind)) = rest.split_once("</pre>") {
        match part.find("<pre") {
            Some(start) => {
                out.push_str(&part[..start]);
                out.push_str(&format!("{KEPT}{}></pre>", kept.len()));
                kept.push(&rest[start..part.len() + "</pre>".len()]);
            }
            None => out.push_str(part),
        }
        rest = behind;
    }
    out.push_str(rest);
    (out, kept)
}

fn put_back_pre(text: &str, kept: &[&str]) -> String {
    if kept.is_empty() {
        return text.to_owned();
    }
    rewrite(text, b'<', |at, out| {
        let number = text[at..].strip_prefix(KEPT)?;
        let digits = number.bytes().take_while(u8::is_ascii_digit).count();
        let pre = kept.get(number[..digits].parse::<usize>().ok()?)?;
        let end = at + KEPT.len() + digits;
        is_at(text, end, "></pre>").then(|| {
            out.push_str(pre);
            end + "></pre>".len()
        })
    })
}

/// Two `<br>` are an empty line.
fn double_breaks(text: &str) -> String {
    let line_break = |at: usize| {
        let at = is_at(text, at, "<br").then(|| skip_space(text, at + 3))?;
        let at = at + usize::from(is_at(text, at, "/"));
        is_at(text, at, ">").then_some(at + 1)
    };
    rewrite(text, b'<', |at, out| {
        let end = line_break(skip_space(text, line_break(at)?))?;
        out.push_str("\n\n");
        Some(end)
    })
}

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
fn lines_around_blocks(text: &str) -> String {
    let above = rewrite(text, b'<', |at, out| {
        let name = block_name(text, at + 1)?;
        let end = at + 1 + name.len();
        let next = *text.as_bytes().get(end)?;
        if !is_space(next) && !matches!(next, b'/' | b'>') {
            return None;
        }
        out.push_str("\n\n");
        out.push_str(&text[at..=end]);
        Some(end + 1)
    });
    let below = rewrite(&above, b'<', |at, out| {
        if !is_at(&above, at, "</") {
            return None;
        }
        let end = at + 2 + block_name(&above, at + 2)?.len();
        is_at(&above, end, ">").then(|| {
            out.push_str(&above[at..=end]);
            out.push_str("\n\n");
            end + 1
        })
    });
    rewrite(&below, b'<', |at, out| {
        if !is_at(&below, at, "<hr") {
            return None;
        }
        let end = skip_space(&below, at + 3);
        let end = end + usize::from(is_at(&below, end, "/"));
        is_at(&below, end, ">").then(|| {
            out.push_str(&below[at..=end]);
            out.push_str("\n\n");
            end + 1
        })
    })
}

/// Line ends within tags and comments are no line breaks.
fn hide_line_ends_in_tags(text: &str) -> String {
    let (mut gt, mut comment, mut cdata) = (
        Ahead::new(text, ">"),
        Ahead::new(text, "-->"),
        Ahead::new(text, "]]>"),
    );
    rewrite(text, b'<', |at, out| {
        let end = if is_at(text, at, "<!--") {
            comment.end(at + 2)
        } else if is_at(text, at, "<![CDATA[") {
            cdata.end(at + 9)
        } else {
            gt.end(at)
        };
        let end = end.unwrap_or(text.len());
        out.push_str(&text[at..end].replace('\n', LINE_END));
        Some(end)
    })
}

/// Removes white space around the tags that `tag` finds the ends of.
fn collapse(
    text: &str,
    before: bool,
    after: bool,
    mut tag: impl FnMut(usize) -> Option<usize>,
) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut copied, mut at) = (0, 0);
    while let Some(length) = memchr::memchr2(b'<', b'[', &text.as_bytes()[at..]) {
        at += length;
        let Some(end) = tag(at) else {
            at += 1;
            continue;
        };
        out.push_str(&text[copied..at]);
        if before {
            let kept = out.bytes().rev().take_while(|b| is_space(*b)).count();
            out.truncate(out.len() - kept);
        }
        out.push_str(&text[at..end]);
        at = if after { skip_space(text, end) } else { end };
        copied = at;
    }
    out.push_str(&text[copied..]);
    out
}

/// The end of a tag that begins with one of these, at the next `>`.
fn tag_end(text: &str, at: usize, starts: &[&str], gt: &mut Ahead<'_>) -> Option<usize> {
    let start = starts.iter().find(|start| is_at(text, at, start))?;
    gt.end(at + start.len())
}

/// Options, and what media consist of, are no lines.
fn collapse_media(mut text: String) -> String {
    let exact = |text: &str, mark: &str, at| is_at(text, at, mark).then(|| at + mark.len());
    if text.contains("<option") {
        text = collapse(&text, true, false, |at| exact(&text, "<option", at));
        text = collapse(&text, false, true, |at| exact(&text, "</option>", at));
    }
    if text.contains("</object>") {
        let mut gt = Ahead::new(&text, ">");
        let next = collapse(&text, false, true, |at| {
            tag_end(&text, at, &["<object"], &mut gt)
        });
        text = collapse(&next, true, false, |at| exact(&next, "</object>", at));
        let starts = ["<param", "</param", "<embed", "</embed"];
        let mut gt = Ahead::new(&text, ">");
        text = collapse(&text, true, true, |at| tag_end(&text, at, &starts, &mut gt));
    }
    if text.contains("<source") || text.contains("<track") {
        text = collapse_players(&text);
    }
    if text.contains("<figcaption") {
        let mut gt = Ahead::new(&text, ">");
        let next = collapse(&text, true, false, |at| {
            tag_end(&text, at, &["<figcaption"], &mut gt)
        });
        text = collapse(&next, false, true, |at| exact(&next, "</figcaption>", at));
    }
    text
}

/// `<audio>` and `<video>`, and their shortcodes.
fn collapse_players(text: &str) -> String {
    let starts = ["<audio", "<video", "[audio", "[video"];
    let (mut gt, mut bracket) = (Ahead::new(text, ">"), Ahead::new(text, "]"));
    let opened = collapse(text, false, true, |at| {
        let start = starts.iter().find(|start| is_at(text, at, start))?;
        let at = at + start.len();
        match (gt.end(at), bracket.end(at)) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    });
    let closed = collapse(&opened, true, false, |at| {
        let rest = opened[at + 1..].strip_prefix('/')?;
        let rest = rest
            .strip_prefix("audio")
            .or_else(|| rest.strip_prefix("video"))?;
        rest.starts_with(['>', ']'])
            .then_some(at + "</audio>".len())
    });
    let mut gt = Ahead::new(&closed, ">");
    let starts = ["<source", "<track"];
    collapse(&closed, true, true, |at| {
        tag_end(&closed, at, &starts, &mut gt)
    })
}

/// Wraps what stands between empty lines.
fn wrap(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    let mut paragraph = |part: &str| {
        if !part.is_empty() {
            out.push_str("<p>");
            out.push_str(part.trim_matches('\n'));
            out.push_str("</p>\n");
        }
    };
    let (mut start, mut at) = (0, 0);
    work::count(text.len());
    while let Some(length) = memchr::memchr(b'\n', &text.as_bytes()[at..]) {
        let first = at + length;
        let end = skip_space(text, first);
        let last = text[first..end]
            .rfind('\n')
            .map_or(first, |length| first + length);
        if last > first {
            paragraph(&text[start..first]);
            start = last + 1;
        }
        at = end;
    }
    paragraph(&text[start..]);
    out
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
fn unwrap_blocks(text: &str) -> String {
    let text = &rewrite(text, b'<', |at, _| {
        let end = is_at(text, at, "<p>").then(|| skip_space(text, at + 3))?;
        is_at(text, end, "</p>").then_some(end + 4)
    });
    // `<p>text</div>`
    let mut lt = Ahead::new(text, "<");
    let text = &rewrite(text, b'<', |at, out| {
        let start = is_at(text, at, "<p>").then_some(at + 3)?;
        let end = lt.find(start).filter(|end| *end > start)?;
        let close = ["</div>", "</address>", "</form>"]
            .into_iter()
            .find(|close| is_at(text, end, close))?;
        out.push_str(&text[at..end]);
        out.push_str("</p>");
        out.push_str(close);
        Some(end + close.len())
    });
    let mut gt = Ahead::new(text, ">");
    let text = &rewrite(text, b'<', |at, out| {
        let start = is_at(text, at, "<p>").then(|| skip_space(text, at + 3))?;
        let end = block_tag(text, start, &mut gt)?;
        let behind = skip_space(text, end);
        is_at(text, behind, "</p>").then(|| {
            out.push_str(&text[start..end]);
            behind + 4
        })
    });
    let (mut close, mut line) = (Ahead::new(text, "</p>"), Ahead::new(text, "\n"));
    let text = &rewrite(text, b'<', |at, out| {
        let start = is_at(text, at, "<p><li").then_some(at + 3)?;
        // At least one character, all on one line.
        let least = start + 3 + text[start + 3..].chars().next()?.len_utf8();
        let end = close.find(least)?;
        if line.find(start).is_some_and(|line| line < end) {
            return None;
        }
        out.push_str(&text[start..end]);
        Some(end + 4)
    });
    let mut gt = Ahead::new(text, ">");
    let text = &rewrite(text, b'<', |at, out| {
        let start = is_at_in_any_case(text, at, "<p><blockquote").then_some(at + 14)?;
        let end = gt.find(start)?;
        out.push_str("<blockquote");
        out.push_str(&text[start..end]);
        out.push_str("><p>");
        Some(end + 1)
    });
    let text = &text.replace("</blockquote></p>", "</p></blockquote>");
    let mut gt = Ahead::new(text, ">");
    let text = &rewrite(text, b'<', |at, out| {
        let start = is_at(text, at, "<p>").then(|| skip_space(text, at + 3))?;
        let end = block_tag(text, start, &mut gt)?;
        out.push_str(&text[start..end]);
        Some(end)
    });
    remove_behind_blocks(text, "</p>")
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

/// A line end is a line break, unless there is one already.
fn break_lines(text: &str) -> String {
    const KEPT_LINE_END: &str = "<WPPreserveNewline />";
    let mut ends = ["script", "style", "svg", "math"].map(|name| {
        let end = match name {
            "script" => "</script>",
            "style" => "</style>",
            "svg" => "</svg>",
            _ => "</math>",
        };
        (name, Ahead::new(text, end))
    });
    let text = rewrite(text, b'<', |at, out| {
        let (name, close) = ends
            .iter_mut()
            .find(|(name, _)| is_at(text, at + 1, name))?;
        let end = close.end(at + 1 + name.len())?;
        out.push_str(&text[at..end].replace('\n', KEPT_LINE_END));
        Some(end)
    });
    let text = text.replace("<br>", "<br />").replace("<br/>", "<br />");
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    let mut at = 0;
    work::count(text.len());
    while at < text.len() {
        let Some(length) = text.as_bytes()[at..].iter().position(|b| is_space(*b)) else {
            break;
        };
        let mut start = at + length;
        let end = skip_space(&text, start);
        // White space directly behind a line break belongs to it.
        if text[..start].ends_with("<br />") {
            start += 1;
        }
        match text[start..end].rfind('\n') {
            Some(last) => {
                out.push_str(&text[at..start]);
                out.push_str("<br />\n");
                out.push_str(&text[start + last + 1..end]);
            }
            None => out.push_str(&text[at..end]),
        }
        at = end;
    }
    out.push_str(&text[at..]);
    out.replace(KEPT_LINE_END, "\n")
}

/// Removes line breaks around blocks.
fn remove_breaks(text: &str) -> String {
    let text = remove_behind_blocks(text, "<br />");
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::scan::work;
    use super::add_paragraphs;

    #[test]
    fn paragraphs_and_line_breaks() {
        for (body, expected) in [
            ("", ""),
            (" \n\n", ""),
            ("a", "<p>a</p>\n"),
            ("a\nb\n\nc", "<p>a<br />\nb</p>\n<p>c</p>\n"),
            ("a\r\n\r\nb", "<p>a</p>\n<p>b</p>\n"),
            ("a<br>b<br/><br />c", "<p>a<br />b</p>\n<p>c</p>\n"),
            (
                "a\n<!--x\ny-->\nb",
                "<p>a<br />\n<!--x\ny--><br />\nb</p>\n",
            ),
            ("<h2>a</h2>\nb", "<h2>a</h2>\n<p>b</p>\n"),
            (
                "<ul>\n<li>a</li>\n<li>b\nc</li>\n</ul>",
                "<ul>\n<li>a</li>\n<li>b<br />\nc</li>\n</ul>\n",
            ),
            (
                "<blockquote>a\n\nb</blockquote>",
                "<blockquote><p>a</p>\n<p>b</p></blockquote>\n",
            ),
            (
                "a\n<pre>\nx\n\n<p>y\n</pre>\nb",
                "<p>a</p>\n<pre>\nx\n\n<p>y\n</pre>\n<p>b</p>\n",
            ),
            (
                "<div>a</div>b<hr>c",
                "<div>a</div>\n<p>b</p>\n<hr>\n<p>c</p>\n",
            ),
            (
                "<script>\na;\n\nb;\n</script>",
                "<p><script>\na;</p>\n<p>b;\n</script></p>\n",
            ),
            (
                "<figure>\n<img src=\"a\">\n<figcaption>\nb\n</figcaption>\n</figure>",
                "<figure>\n<img src=\"a\"><figcaption>\nb<br />\n</figcaption></figure>\n",
            ),
            ("<a\nhref=\"x\">a</a>", "<p><a\nhref=\"x\">a</a></p>\n"),
            (
                "<select>\n<option>a</option>\n<option>b</option>\n</select>",
                "<p><select><option>a</option><option>b</option></select></p>\n",
            ),
        ] {
            assert_eq!(add_paragraphs(body), expected, "{body}");
        }
    }

    /// Pieces that the passes look for.
    const PIECES: [&str; 30] = [
        "<p>",
        "</p>",
        "<p",
        "<",
        ">",
        " ",
        "\n",
        "\n\n",
        "<br>",
        "<br />",
        "<div>",
        "<div ",
        "</div>",
        "<li",
        "<li>",
        "<blockquote",
        "</blockquote>",
        "<pre>",
        "</pre>",
        "<pre",
        "<script>",
        "<svg",
        "</script>",
        "<!--",
        "-->",
        "<option",
        "<object",
        "<source",
        "[video",
        "x",
    ];

    #[test]
    fn twice_the_text_takes_twice_the_work() {
        let measure = |piece: &str, times: usize| {
            let text = piece.repeat(times) + "</object><source><option";
            let mut length = 0;
            let work = work::of(|| length = add_paragraphs(&text).len());
            (work, length)
        };
        for first in PIECES {
            for second in PIECES {
                let piece = format!("{first}{second}");
                let (once, short) = measure(&piece, 200);
                let (twice, long) = measure(&piece, 400);
                assert!(twice < once * 5 / 2 + 2000, "{piece:?}: {once}, {twice}");
                assert!(long < short * 5 / 2 + 2000, "{piece:?}: {short}, {long}");
                // Every pass reads a text that no pass makes much longer.
                assert!(twice < 400 * (piece.len() + 30) * 60, "{piece:?}: {twice}");
            }
        }
    }

    proptest! {
        #[test]
        fn no_body_makes_it_panic_and_no_text_is_lost(
            parts in prop::collection::vec(prop_oneof![
                prop::sample::select(&PIECES[..]).prop_map(str::to_owned),
                "[a-z\u{f6}]{1,4}",
            ], 0..40)
        ) {
            let body = parts.concat();
            let letters = |text: &str| {
                text.chars().filter(|c| *c == '\u{f6}').count()
            };
            prop_assert_eq!(letters(&add_paragraphs(&body)), letters(&body));
        }
    }
}
