//! Reads a document, and builds the tree from the events of `saphyr-parser` where it must.
//!
//! The events are pulled one at a time. (The parser's own `load` recurses once a level and is
//! not used. Its scanner counts flow levels in a `u8` and refuses the 256th, which is reported
//! as what it is: too much nesting.)

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span as ParserSpan, Tag};

use super::explain::{alias, explain, nesting};
use super::lenient::{self, Shifts};
use super::tree::respelled;
use super::{Document, Fault, MAX_BYTES, Node, TreeBuilder, YamlError, plain};
use crate::diagnostic::Span;

/// Reads one document. `first_line` is the line of the file on which `text` begins; all
/// positions count from there. A document without content is an empty mapping.
///
/// # Errors
///
/// Every alias, anchor, tag and key whose name occurs twice, in the order of their places; the
/// first syntax error ends the reading. `text` longer than [`MAX_BYTES`] is not parsed at all.
pub fn parse(text: &str, first_line: u32) -> Result<Node, Vec<YamlError>> {
    let Document {
        root,
        mut errors,
        complete,
    } = read(text, first_line);
    if complete {
        respelled(&root, &mut errors);
    }
    if errors.is_empty() {
        return Ok(root);
    }
    errors.sort_by_key(|error| (error.span.line, error.span.column));
    Err(errors)
}

/// As [`parse`], for callers that go on with what there is, and decide what two spellings of
/// one name mean. A byte order mark at the start is passed over.
#[must_use]
pub fn read(text: &str, first_line: u32) -> Document {
    // The parser reads everything doubtful, and reports all errors.
    plain::read(text, first_line).unwrap_or_else(|| read_by_parser(text, first_line))
}

/// As [`read`], without the shortcut for plain documents: slower, with the same result.
#[must_use]
pub fn read_by_parser(text: &str, first_line: u32) -> Document {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.len() > MAX_BYTES {
        return TreeBuilder::new(first_line).too_long("YAML", text.len());
    }
    let prepared = prepare(text);
    let document = events(&prepared, first_line, Shifts::default());
    if document.complete {
        return document;
    }
    // The parser is stricter than the readers of other programs.
    let Some((repaired, shifts)) = lenient::repaired(&prepared) else {
        return document;
    };
    let repaired = events(&repaired, first_line, shifts);
    let end = |document: &Document| document.errors.last().map(|error| error.span.line);
    if repaired.complete || end(&repaired) >= end(&document) {
        repaired
    } else {
        document
    }
}

/// As [`read_by_parser`], of the text as [`lenient`] repairs it, whether the parser takes it
/// as it is or not. For tests: a repair never changes what is read.
#[doc(hidden)]
#[must_use]
pub fn read_repaired(text: &str, first_line: u32) -> Option<Document> {
    let (repaired, shifts) = lenient::repaired(&prepare(text))?;
    Some(events(&repaired, first_line, shifts))
}

/// Builds the tree of a text that is not too long.
fn events(text: &str, first_line: u32, shifts: Shifts) -> Document {
    let mut builder = Builder {
        first_line,
        shifts,
        tree: TreeBuilder::new(first_line),
    };
    let complete = Parser::new_from_str(text).all(|event| match event {
        Ok((event, span)) => builder.event(event, span),
        Err(error) => {
            builder.scan_error(&error);
            false
        }
    });
    builder.tree.finish(complete)
}

/// The parser takes NUL for the end of its input and a byte order mark for the end of a
/// document. Both become characters of the same width that the cleaning of texts removes,
/// so that columns stay right.
fn prepare(text: &str) -> std::borrow::Cow<'_, str> {
    // 0xef opens the byte order mark, and few other characters.
    let suspect = text
        .bytes()
        .fold(false, |found, b| found | (b == 0) | (b == 0xef));
    if !suspect {
        return text.into();
    }
    text.chars()
        .map(|c| match c {
            '\0' => '\u{1}',
            '\u{feff}' => '\u{200b}',
            other => other,
        })
        .collect::<String>()
        .into()
}

struct Builder {
    first_line: u32,
    /// Lines that were moved to the right for the parser.
    shifts: Shifts,
    tree: TreeBuilder,
}

impl Builder {
    /// Takes one event; false means that reading on makes no sense.
    fn event(&mut self, event: Event<'_>, at: ParserSpan) -> bool {
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => true,
            Event::DocumentStart(_) => self.document(at),
            Event::Alias(_) => {
                let span = self.span(at);
                self.tree.error(alias(span));
                self.tree.scalar(String::new(), true, span);
                true
            }
            Event::Scalar(text, style, anchor, tag) => {
                let span = self.span(at);
                let text_tag = tag.as_deref().is_some_and(means_text);
                self.decorations(anchor, tag.is_some() && !text_tag, span);
                let plain = style == ScalarStyle::Plain && !text_tag;
                self.tree.scalar(text.into_owned(), plain, span);
                true
            }
            Event::SequenceStart(anchor, tag) => {
                let span = self.opening(at);
                self.decorations(anchor, tag.is_some(), span);
                self.tree.open_list(span)
            }
            Event::MappingStart(anchor, tag) => {
                let span = self.opening(at);
                self.decorations(anchor, tag.is_some(), span);
                self.tree.open_mapping(span)
            }
            Event::SequenceEnd | Event::MappingEnd => self.tree.close(),
        }
    }

    fn document(&mut self, at: ParserSpan) -> bool {
        if !self.tree.has_root() {
            return true;
        }
        let span = self.span(at);
        self.tree.error(YamlError::new(
            Fault::Documents,
            span,
            "expected one YAML document, found the start of a second",
        ));
        false
    }

    fn decorations(&mut self, anchor: usize, tag: bool, span: Span) {
        if anchor > 0 {
            self.tree.error(
                YamlError::new(
                    Fault::Anchor,
                    span,
                    "expected a plain value, found a YAML anchor ('&name')",
                )
                .with_help("quote the text if '&' belongs to it"),
            );
        }
        if tag {
            self.tree.error(
                YamlError::new(
                    Fault::Tag,
                    span,
                    "expected a plain value, found a YAML tag ('!name')",
                )
                .with_help("quote the text if '!' belongs to it"),
            );
        }
    }

    /// The span of a list or mapping. Block style begins with an empty mark: shown to the
    /// end of the line; flow style with a bracket.
    fn opening(&self, at: ParserSpan) -> Span {
        let length = if at.is_empty() { u32::MAX } else { 1 };
        Span {
            length,
            ..self.span(at)
        }
    }

    fn span(&self, at: ParserSpan) -> Span {
        let length = if at.start.line() == at.end.line() {
            at.end.col().saturating_sub(at.start.col())
        } else {
            // It goes on: marked to the end of its first line.
            usize::MAX
        };
        self.place(at.start.line(), at.start.col(), length)
    }

    /// A place of the file, from a line (from 1) and column (from 0) of the parser.
    fn place(&self, line: usize, column: usize, length: usize) -> Span {
        let column = column.saturating_sub(self.shifts.of_line(line));
        Span {
            line: small(line)
                .saturating_sub(1)
                .saturating_add(self.first_line),
            column: small(column).saturating_add(1),
            length: small(length).max(1),
        }
    }

    fn scan_error(&mut self, error: &ScanError) {
        let mark = error.marker();
        let span = self.place(mark.line(), mark.col(), 1);
        self.tree.error(match error.info() {
            "recursion limit exceeded" => nesting(span),
            info if info.contains("found unknown anchor") => alias(span),
            info => YamlError::new(Fault::Syntax, span, explain(info)),
        });
    }
}

fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Whether the tag says that a scalar is a text, which it is here anyway: `!!str`, or the
/// lone `!` that Psych (Ruby) writes before a text that would be something else.
fn means_text(tag: &Tag) -> bool {
    tag.is_yaml_core_schema() && tag.suffix == "str" || tag.handle.is_empty() && tag.suffix == "!"
}
