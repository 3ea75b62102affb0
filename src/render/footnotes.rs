//! Footnotes: numbered in the order of their first reference, listed after the body, with
//! a link back to every reference.

use std::collections::HashMap;
use std::fmt::Write;

use super::escape;
use crate::article::Events;

#[derive(Default)]
struct Note {
    /// From 1; 0 as long as nothing refers to it.
    number: u32,
    /// References that carry an id and so can be linked back to.
    references: u32,
    html: String,
}

/// The footnotes of one body.
pub(super) struct Footnotes<'w> {
    by_label: HashMap<&'w str, usize>,
    notes: Vec<Note>,
    numbered: u32,
    /// The definitions being written, and what was written before each began.
    open: Vec<(usize, String)>,
    /// Bytes of finished notes, and of what waits for an open one to end.
    set_aside: usize,
}

impl<'w> Footnotes<'w> {
    /// Finds the definitions among `events`: a reference may come before its definition.
    pub(super) fn new(events: &'w Events<'_>) -> Self {
        let mut by_label = HashMap::new();
        for label in events.footnotes() {
            let next = by_label.len();
            by_label.entry(label).or_insert(next);
        }
        let notes = (0..by_label.len()).map(|_| Note::default()).collect();
        Self {
            by_label,
            notes,
            numbered: 0,
            open: Vec::new(),
            set_aside: 0,
        }
    }

    /// Whether a footnote is being written.
    pub(super) fn is_open(&self) -> bool {
        !self.open.is_empty()
    }

    /// Bytes written that are not in the writer's own buffer.
    pub(super) fn bytes(&self) -> usize {
        self.set_aside
    }

    /// Writes a reference. Inside a link it is a number alone: HTML has no links in links.
    pub(super) fn reference(&mut self, out: &mut String, label: &str, in_link: bool) {
        let Some(index) = self.by_label.get(label) else {
            out.push_str("[^");
            escape::text(out, label);
            out.push(']');
            return;
        };
        let note = &mut self.notes[*index];
        if note.number == 0 {
            self.numbered += 1;
            note.number = self.numbered;
        }
        let number = note.number;
        // Writing to a String cannot fail.
        let _ = if in_link {
            write!(out, "<sup>{number}</sup>")
        } else {
            note.references += 1;
            let suffix = Suffix(note.references);
            write!(
                out,
                "<sup><a id=\"fnref-{number}{suffix}\" href=\"#fn-{number}\" role=\"doc-noteref\" aria-label=\"Footnote {number}\">{number}</a></sup>"
            )
        };
    }

    /// A definition begins: from here on `out` takes the note alone.
    pub(super) fn start(&mut self, out: &mut String, label: &str) {
        let index = self.by_label.get(label).copied().unwrap_or_default();
        let before = std::mem::take(out);
        self.set_aside += before.len();
        self.open.push((index, before));
    }

    /// A definition ends: `out` is the body again.
    pub(super) fn end(&mut self, out: &mut String) {
        let Some((index, before)) = self.open.pop() else {
            return;
        };
        self.set_aside -= before.len();
        let html = std::mem::replace(out, before);
        self.set_aside += html.len();
        self.notes[index].html.push_str(&html);
    }

    /// Writes the list of all notes. Those that nothing refers to come last.
    pub(super) fn write_all(&mut self, out: &mut String) {
        let mut notes = std::mem::take(&mut self.notes);
        // A note inside a hidden element has no text.
        notes.retain(|note| note.number > 0 || !note.html.is_empty());
        if notes.is_empty() {
            return;
        }
        self.set_aside = 0;
        notes.sort_by_key(|note| {
            if note.number == 0 {
                u32::MAX
            } else {
                note.number
            }
        });
        out.push_str("<section class=\"notes\" role=\"doc-endnotes\" aria-labelledby=\"fn\"><h2 id=\"fn\">Footnotes</h2>\n<ol>\n");
        for (position, note) in notes.iter().enumerate() {
            let number = position + 1;
            let _ = write!(out, "<li id=\"fn-{number}\">");
            let html = note.html.trim_end();
            // Back links belong to the last line of the note, if that is a paragraph.
            match html.strip_suffix("</p>") {
                Some(text) => out.push_str(text),
                None => {
                    out.push_str(html);
                    out.push_str("<p>");
                }
            }
            for reference in 1..=note.references {
                let suffix = Suffix(reference);
                let _ = write!(
                    out,
                    " <a href=\"#fnref-{number}{suffix}\" role=\"doc-backlink\" aria-label=\"Back to reference {number}{suffix}\">↩</a>"
                );
            }
            out.push_str("</p>");
            out.push_str("</li>\n");
        }
        out.push_str("</ol></section>\n");
    }
}

/// Tells the references to one note apart: nothing for the first, then `-2`, `-3`.
struct Suffix(u32);

impl std::fmt::Display for Suffix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0 > 1 {
            write!(f, "-{}", self.0)
        } else {
            Ok(())
        }
    }
}
