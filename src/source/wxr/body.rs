//! The body of an article, as WordPress shows it: the steps of its filter `the_content`, in its order.

use memchr::memchr_iter;

use super::attachments::Attachments;
use super::event::Finding;
use super::foreign::foreign;
use super::links::link_lone_urls;
use super::paragraphs::add_paragraphs;
use super::scan::{Ahead, is_at, rewrite};
use super::shortcodes::{EMBED, Runner, unwrap_figures};
use super::text::escaped;
use super::xml::Text;
use crate::words::counted;

/// Most blocks without content that are named.
const MAX_NAMED: usize = 20;

/// The HTML of a body. `footnotes` is the custom field that blocks keep theirs in.
pub(super) fn convert(
    body: &Text,
    attachments: &Attachments,
    id: u64,
    footnotes: &str,
    findings: &mut Vec<Finding>,
) -> String {
    let text = body.text.as_str();
    let line_of = |offset: usize| {
        let before = text.as_bytes().get(..offset).unwrap_or_default();
        let lines = memchr_iter(b'\n', before).count();
        body.line
            .saturating_add(u32::try_from(lines).unwrap_or(u32::MAX))
    };
    let mut warn = |offset: usize, code, message| {
        findings.push(Finding::new(line_of(offset), code, message));
    };
    let (named, unnamed) = foreign(text);
    for found in named {
        let times = match found.times {
            1 => String::new(),
            times => format!(" ({times} times)"),
        };
        let what = "looks like a WordPress shortcode, which anp does not run:";
        warn(
            found.offset,
            "body.foreign",
            format!("{what} {}{times}", found.shown),
        );
    }
    if unnamed > 0 {
        let more = counted(unnamed, "more shortcode");
        warn(
            0,
            "body.foreign",
            format!("found {more}, which anp does not run"),
        );
    }
    let has_blocks = text.contains("<!-- wp:");
    let Unblocked { text, left_out } = remove_block_comments(text, &note_list(footnotes));
    if let Some((offset, _)) = left_out.first() {
        let what = "left out blocks that WordPress fills in when it shows the page:";
        let names: Vec<&str> = left_out.iter().map(|(_, name)| name.as_str()).collect();
        warn(
            *offset,
            "body.foreign",
            format!("{what} {}", names.join(", ")),
        );
    }
    let mut runner = Runner::new(attachments, id);
    let text = link_lone_urls(&runner.run(&text, Some(EMBED)));
    let text = match has_blocks {
        true => text,
        false => add_paragraphs(&text),
    };
    let html = runner.run(&unwrap_figures(&text), None);
    for name in &runner.kept {
        let what = "left a WordPress shortcode as text, because it names no file:";
        warn(0, "body.foreign", format!("{what} [{name}]"));
    }
    if runner.is_full() {
        let message = "left out files of galleries and players: there are too many".to_owned();
        warn(0, "body.image", message);
    }
    if runner.missing > 0 {
        let missing = counted(u64::from(runner.missing), "attachment");
        let message =
            format!("a gallery or playlist names {missing} that the export does not have");
        warn(0, "body.image", message);
    }
    html
}

struct Unblocked {
    text: String,
    /// The places and names of blocks that had no content.
    left_out: Vec<(usize, String)>,
}

/// Removes the comments that say where blocks begin and end, and those that cut a body in parts.
fn remove_block_comments(text: &str, footnotes: &str) -> Unblocked {
    let mut comment = Ahead::new(text, "-->");
    let mut left_out: Vec<(usize, String)> = Vec::new();
    let text = rewrite(text, b'<', |at, out| {
        if !is_at(text, at, "<!--") {
            return None;
        }
        let end = comment.end(at + 4)?;
        let inner = &text[at + 4..end - 3];
        let is_cut = |mark: &str| inner.trim() == mark;
        if is_cut("nextpage")
            || is_cut("noteaser")
            || inner.starts_with("more") && is_name(inner, 4)
        {
            return Some(end);
        }
        let Some(name) = block_name(inner) else {
            out.push_str(&text[at..end]);
            return Some(end);
        };
        // A block without content: `<!-- wp:latest-posts {"postsToShow":3} /-->`
        if inner.ends_with('/') && !name.is_empty() {
            match name.strip_prefix("core/").unwrap_or(name) {
                "footnotes" => out.push_str(footnotes),
                "nextpage" | "more" => {}
                name => {
                    let is_new = left_out.iter().all(|(_, known)| known != name);
                    if is_new && left_out.len() < MAX_NAMED {
                        left_out.push((at, name.to_owned()));
                    }
                }
            }
        }
        Some(end)
    });
    Unblocked { text, left_out }
}

/// The name of the block that a comment begins or ends: of ` wp:core/list {"ordered":true} `.
fn block_name(comment: &str) -> Option<&str> {
    let inner = comment.trim_ascii_start();
    if inner.len() == comment.len() {
        return None;
    }
    let name = inner
        .strip_prefix('/')
        .unwrap_or(inner)
        .strip_prefix("wp:")?;
    let is_part = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'/');
    let length = name.bytes().take_while(is_part).count();
    Some(&name[..length])
}

/// Whether a word ends at `at`: `more` of `more to read`, not of `moreover`.
fn is_name(text: &str, at: usize) -> bool {
    let next = text[at..].chars().next();
    next.is_none_or(char::is_whitespace)
}

/// The list of footnotes.
fn note_list(footnotes: &str) -> String {
    let notes: Vec<serde_json::Map<String, serde_json::Value>> =
        serde_json::from_str(footnotes).unwrap_or_default();
    let mut items = String::new();
    for note in &notes {
        let text = |name: &str| note.get(name).and_then(serde_json::Value::as_str);
        if let (Some(id), Some(content)) = (text("id"), text("content")) {
            let id = escaped(id);
            items.push_str(&format!(
                "<li id=\"{id}\">{content} <a href=\"#{id}-link\">\u{21a9}\u{fe0e}</a></li>"
            ));
        }
    }
    match items.is_empty() {
        true => items,
        false => format!("<ol>{items}</ol>"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn converted(text: &str) -> (String, Vec<String>) {
        let body = Text {
            text: text.to_owned(),
            line: 10,
        };
        let mut findings = Vec::new();
        let footnotes = r#"[{"id":"f1","content":"a <b>note</b>"}]"#;
        let html = convert(
            &body,
            &Attachments::default().sorted(),
            1,
            footnotes,
            &mut findings,
        );
        let findings = findings.iter();
        let findings =
            findings.map(|found| format!("{} {} {}", found.line, found.code, found.message));
        (html, findings.collect())
    }

    #[test]
    fn a_body_with_blocks_keeps_its_html() {
        let (html, findings) = converted(
            "<!-- wp:paragraph {\"align\":\"left\"} -->\n<p>a\nb</p>\n<!-- /wp:paragraph -->\n\n\
             <!-- wp:more -->\n<!--more-->\n<!-- /wp:more -->\n<!-- wp:latest-posts {\"n\":3} /-->\
             <!-- wp:core/footnotes /--><!-- wp:acme/map /--><!-- a comment -->",
        );
        let notes =
            "<ol><li id=\"f1\">a <b>note</b> <a href=\"#f1-link\">\u{21a9}\u{fe0e}</a></li></ol>";
        assert_eq!(
            html,
            format!("\n<p>a\nb</p>\n\n\n\n\n\n{notes}<!-- a comment -->")
        );
        assert_eq!(
            findings,
            [
                "18 body.foreign left out blocks that WordPress fills in when it shows the page: \
              latest-posts, acme/map"
            ]
        );
    }

    #[test]
    fn a_classic_body_gets_paragraphs_and_figures() {
        let (html, findings) = converted(
            "a<!--more Read on-->\nb\n\n[caption width=\"5\"]<img src=\"x\"> Text[/caption]\n\n\
             https://youtu.be/x\n[embed]https://x/y[/embed]\n\n<!--nextpage-->\n\n[foo a=b]\n\n[gallery ids=\"5\"]",
        );
        assert_eq!(
            html,
            "<p>a<br />\nb</p>\n<figure><img src=\"x\"><figcaption>Text</figcaption></figure>\n\
             <p><a href=\"https://youtu.be/x\">https://youtu.be/x</a><br />\n\
             <a href=\"https://x/y\">https://x/y</a></p>\n<p>[foo a=b]</p>\n\n"
        );
        assert_eq!(
            findings,
            [
                "20 body.foreign looks like a WordPress shortcode, which anp does not run: [foo a=b]",
                "10 body.image a gallery or playlist names 1 attachment that the export does not have",
            ]
        );
    }
}
