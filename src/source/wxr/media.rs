//! What options, media and captions consist of are no lines: the part of [`super::paragraphs`] that
//! removes white space around it.

use super::scan::{Ahead, is_at, is_space, skip_space};

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
pub(super) fn collapse_media(mut text: String) -> String {
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
