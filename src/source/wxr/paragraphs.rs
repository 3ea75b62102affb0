//! Paragraphs and line breaks where a body has empty lines and line ends, as WordPress makes them
//! (`wpautop`) of bodies that were written without blocks.
//!
//! What counts is that a page looks as it did. So each pass does what the pass of the same purpose does
//! there, with its exceptions. Each reads the text once, from its beginning to its end.

use super::blocks::{lines_around_blocks, remove_breaks, unwrap_blocks};
use super::media::collapse_media;
use super::scan::{Ahead, is_at, is_space, rewrite, skip_space, work};

/// Stands for a line end within a tag. As with that of WordPress, a tag ends here for the passes after it.
const LINE_END: &str = " <\u{1}> ";
const BARE_LINE_END: &str = "<\u{1}>";

/// Begins what stands for the content of a `<pre>`.
const KEPT: &str = "<pre wp-pre-tag-";

/// The body with paragraphs and line breaks.
pub(super) fn add_paragraphs(body: &str) -> String {
    if body.bytes().all(|b| is_space(b) || b == 0) {
        return String::new();
    }
    let body = format!("{body}\n");
    let (mut text, kept) = take_out_pre(&body);
    text = double_breaks(&text);
    text = lines_around_blocks(text);
    if text.contains('\r') {
        text = text.replace("\r\n", "\n").replace('\r', "\n");
    }
    text = hide_line_ends_in_tags(&text);
    text = collapse_media(text);
    text = wrap(&text);
    text = unwrap_blocks(text);
    text = break_lines(text);
    text = remove_breaks(text);
    if !kept.is_empty() {
        text = put_back_pre(&text, &kept);
    }
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

/// A line end is a line break, unless there is one already.
fn break_lines(mut text: String) -> String {
    const KEPT_LINE_END: &str = "<WPPreserveNewline />";
    const ENDS: [(&str, &str); 4] = [
        ("script", "</script>"),
        ("style", "</style>"),
        ("svg", "</svg>"),
        ("math", "</math>"),
    ];
    let mut ends = ENDS.map(|(name, end)| (name, Ahead::new(&text, end)));
    text = rewrite(&text, b'<', |at, out| {
        let (name, close) = ends
            .iter_mut()
            .find(|(name, _)| is_at(&text, at + 1, name))?;
        let end = close.end(at + 1 + name.len())?;
        out.push_str(&text[at..end].replace('\n', KEPT_LINE_END));
        Some(end)
    });
    text = rewrite(&text, b'<', |at, out| {
        let found = ["<br>", "<br/>"]
            .into_iter()
            .find(|mark| is_at(&text, at, mark))?;
        out.push_str("<br />");
        Some(at + found.len())
    });
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
                let (once, short) = measure(&piece, 60);
                let (twice, long) = measure(&piece, 120);
                assert!(twice < once * 5 / 2 + 2000, "{piece:?}: {once}, {twice}");
                assert!(long < short * 5 / 2 + 2000, "{piece:?}: {short}, {long}");
                // Every pass reads a text that no pass makes much longer.
                assert!(twice < 120 * (piece.len() + 30) * 60, "{piece:?}: {twice}");
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
