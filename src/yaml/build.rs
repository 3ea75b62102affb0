//! Reads a document, and builds the tree from the events of `saphyr-parser` where it must.
//!
//! The events are pulled one at a time, so nothing here or there recurses: the stack below
//! is a `Vec` that never holds more than [`MAX_NESTING`] frames. (The parser's own
//! `load` recurses once a level and is not used. Its scanner counts flow levels in a `u8`
//! and refuses the 256th, which is reported as what it is: too much nesting.)

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span as ParserSpan};

use super::explain::{alias, duplicate, explain, nesting};
use super::{Document, Fault, Key, Kind, MAX_BYTES, MAX_NESTING, Node, YamlError, plain};
use crate::diagnostic::Span;

/// Mappings up to this size look for duplicates by comparing all pairs of keys.
const SMALL_MAPPING: usize = 48;

/// Reads one document. `first_line` is the line of the file on which `text` begins; all
/// positions count from there. A document without content is an empty mapping.
///
/// # Errors
///
/// Every alias, anchor, tag and duplicate key, in the order of their places; the first
/// syntax error ends the reading. `text` longer than [`MAX_BYTES`] is not parsed at all.
pub fn parse(text: &str, first_line: u32) -> Result<Node, Vec<YamlError>> {
    let Document { root, errors, .. } = read(text, first_line);
    if errors.is_empty() {
        Ok(root)
    } else {
        Err(errors)
    }
}

/// As [`parse`], for callers that go on with what there is. A byte order mark at the start
/// is passed over.
#[must_use]
pub fn read(text: &str, first_line: u32) -> Document {
    // Whatever is doubtful is the parser's, and all errors are.
    plain::read(text, first_line).unwrap_or_else(|| read_by_parser(text, first_line))
}

/// As [`read`], without the shortcut for plain documents: slower, with the same result.
#[must_use]
pub fn read_by_parser(text: &str, first_line: u32) -> Document {
    let start = Span {
        line: first_line,
        column: 1,
        length: 1,
    };
    let empty = Node {
        kind: Kind::Mapping(Vec::new()),
        span: start,
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.len() > MAX_BYTES {
        let message = format!(
            "expected at most {MAX_BYTES} bytes of YAML, found {}",
            text.len()
        );
        let errors = vec![YamlError::new(Fault::Size, start, message)];
        return Document {
            root: empty,
            errors,
            complete: false,
        };
    }
    let prepared = prepare(text);
    let mut builder = Builder {
        first_line,
        stack: Vec::new(),
        root: None,
        errors: Vec::new(),
    };
    let complete = Parser::new_from_str(&prepared).all(|event| match event {
        Ok((event, span)) => builder.event(event, span),
        Err(error) => {
            builder.scan_error(&error);
            false
        }
    });
    let outermost = match builder.stack.into_iter().next() {
        Some(Frame::Mapping(span, entries, _)) => Some(Node {
            kind: Kind::Mapping(entries),
            span,
        }),
        _ => None,
    };
    builder
        .errors
        .sort_by_key(|error| (error.span.line, error.span.column));
    Document {
        root: builder.root.or(outermost).unwrap_or(empty),
        errors: builder.errors,
        complete,
    }
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

/// A list or mapping whose end has not come yet.
enum Frame {
    Sequence(Span, Vec<Node>),
    Mapping(Span, Vec<(Key, Node)>, Option<Key>),
}

struct Builder {
    first_line: u32,
    stack: Vec<Frame>,
    root: Option<Node>,
    errors: Vec<YamlError>,
}

impl Builder {
    /// Takes one event; false means that reading on makes no sense.
    fn event(&mut self, event: Event<'_>, at: ParserSpan) -> bool {
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => true,
            Event::DocumentStart(_) => self.document(at),
            Event::Alias(_) => {
                let span = self.span(at);
                self.errors.push(alias(span));
                self.place(Node {
                    kind: empty(),
                    span,
                })
            }
            Event::Scalar(text, style, anchor, tag) => {
                let span = self.span(at);
                self.decorations(anchor, tag.is_some(), span);
                let plain = style == ScalarStyle::Plain;
                self.place(Node {
                    kind: Kind::Scalar {
                        text: text.into_owned(),
                        plain,
                    },
                    span,
                })
            }
            Event::SequenceStart(anchor, tag) => {
                let span = self.opening(at);
                self.decorations(anchor, tag.is_some(), span);
                self.open(Frame::Sequence(span, Vec::new()), span)
            }
            Event::MappingStart(anchor, tag) => {
                let span = self.opening(at);
                self.decorations(anchor, tag.is_some(), span);
                self.open(Frame::Mapping(span, Vec::new(), None), span)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
        }
    }

    fn document(&mut self, at: ParserSpan) -> bool {
        if self.root.is_none() {
            return true;
        }
        let span = self.span(at);
        self.errors.push(YamlError::new(
            Fault::Documents,
            span,
            "expected one YAML document, found the start of a second",
        ));
        false
    }

    fn decorations(&mut self, anchor: usize, tag: bool, span: Span) {
        if anchor > 0 {
            self.errors.push(
                YamlError::new(
                    Fault::Anchor,
                    span,
                    "expected a plain value, found a YAML anchor ('&name')",
                )
                .with_help("quote the text if '&' belongs to it"),
            );
        }
        if tag {
            self.errors.push(
                YamlError::new(
                    Fault::Tag,
                    span,
                    "expected a plain value, found a YAML tag ('!name')",
                )
                .with_help("quote the text if '!' belongs to it"),
            );
        }
    }

    fn open(&mut self, frame: Frame, span: Span) -> bool {
        if self.stack.len() >= MAX_NESTING {
            self.errors.push(nesting(span));
            return false;
        }
        self.stack.push(frame);
        true
    }

    fn close(&mut self) -> bool {
        let node = match self.stack.pop() {
            Some(Frame::Sequence(span, items)) => Node {
                kind: Kind::Sequence(items),
                span,
            },
            Some(Frame::Mapping(span, entries, _)) => {
                let entries = self.without_duplicates(entries);
                Node {
                    kind: Kind::Mapping(entries),
                    span,
                }
            }
            None => return false,
        };
        self.place(node)
    }

    /// Puts a finished node where it belongs: as key, value, item or root.
    fn place(&mut self, node: Node) -> bool {
        match self.stack.last_mut() {
            None => self.root = Some(node),
            Some(Frame::Sequence(_, items)) => items.push(node),
            Some(Frame::Mapping(_, entries, pending)) => match pending.take() {
                Some(key) => entries.push((key, node)),
                None => {
                    let (key, error) = as_key(node);
                    *pending = Some(key);
                    self.errors.extend(error);
                }
            },
        }
        true
    }

    /// Reports and drops every key whose name an earlier key has.
    fn without_duplicates(&mut self, mut entries: Vec<(Key, Node)>) -> Vec<(Key, Node)> {
        let mut again: Vec<usize> = Vec::new();
        if entries.len() <= SMALL_MAPPING {
            for (index, (key, _)) in entries.iter().enumerate() {
                let earlier = entries[..index]
                    .iter()
                    .find(|(other, _)| other.name == key.name);
                if let Some((first, _)) = earlier {
                    self.errors.push(duplicate(key, first.span.line));
                    again.push(index);
                }
            }
        } else {
            let mut lines: HashMap<&str, u32> = HashMap::with_capacity(entries.len());
            for (index, (key, _)) in entries.iter().enumerate() {
                if let Some(&line) = lines.get(key.name.as_str()) {
                    self.errors.push(duplicate(key, line));
                    again.push(index);
                } else {
                    lines.insert(&key.name, key.span.line);
                }
            }
        }
        if !again.is_empty() {
            let mut index = 0;
            entries.retain(|_| {
                index += 1;
                again.binary_search(&(index - 1)).is_err()
            });
        }
        entries
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
        Span {
            line: small(at.start.line())
                .saturating_sub(1)
                .saturating_add(self.first_line),
            column: small(at.start.col()).saturating_add(1),
            length: small(length).max(1),
        }
    }

    fn scan_error(&mut self, error: &ScanError) {
        let mark = error.marker();
        let span = Span {
            line: small(mark.line())
                .saturating_sub(1)
                .saturating_add(self.first_line),
            column: small(mark.col()).saturating_add(1),
            length: 1,
        };
        self.errors.push(match error.info() {
            "recursion limit exceeded" => nesting(span),
            info if info.contains("found unknown anchor") => alias(span),
            info => YamlError::new(Fault::Syntax, span, explain(info)),
        });
    }
}

fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn empty() -> Kind {
    Kind::Scalar {
        text: String::new(),
        plain: true,
    }
}

fn as_key(node: Node) -> (Key, Option<YamlError>) {
    let span = node.span;
    match node.kind {
        Kind::Scalar { text, .. } => {
            let key = Key::new(text, span);
            let error = key.name.is_empty().then(|| {
                YamlError::new(Fault::Key, span, "expected a key before ':', found nothing")
            });
            (key, error)
        }
        Kind::Sequence(_) | Kind::Mapping(_) => {
            let error = YamlError::new(
                Fault::Key,
                span,
                "expected a text as key, found a list or mapping",
            )
            .with_help("quote the value if it begins with '[' or '{'");
            (Key::new(String::new(), span), Some(error))
        }
    }
}
