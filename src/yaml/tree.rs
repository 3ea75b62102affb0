//! Builds the tree from a stream of openings, closings and scalars, for every format.
//!
//! Nothing recurses: the stack is a `Vec` that never holds more than [`MAX_NESTING`] frames.

use std::collections::HashMap;

use super::explain::{duplicate, nesting};
use super::{Document, Fault, Key, Kind, MAX_BYTES, MAX_NESTING, Node, YamlError};
use crate::diagnostic::Span;

/// Mappings up to this size look for duplicates by comparing all pairs of keys.
const SMALL_MAPPING: usize = 48;

/// A list or mapping whose end has not come yet.
enum Frame {
    Sequence(Span, Vec<Node>),
    Mapping(Span, Vec<(Key, Node)>, Option<Key>),
}

/// A tree that grows.
pub(crate) struct TreeBuilder {
    /// The place of a document without content.
    start: Span,
    stack: Vec<Frame>,
    root: Option<Node>,
    errors: Vec<YamlError>,
}

impl TreeBuilder {
    /// A tree without nodes. `first_line` is the line of the file on which its text begins.
    pub(crate) fn new(first_line: u32) -> Self {
        Self {
            start: Span {
                line: first_line,
                column: 1,
                length: 1,
            },
            stack: Vec::new(),
            root: None,
            errors: Vec::new(),
        }
    }

    /// Notes an error; the tree goes on.
    pub(crate) fn error(&mut self, error: YamlError) {
        self.errors.push(error);
    }

    /// Whether a whole value has been read.
    pub(crate) fn has_root(&self) -> bool {
        self.root.is_some()
    }

    /// Opens a list. False means that it would be nested too deep, which has been noted.
    pub(crate) fn open_list(&mut self, span: Span) -> bool {
        self.open(Frame::Sequence(span, Vec::new()), span)
    }

    /// Opens the mapping that is the whole document.
    pub(crate) fn open_document(&mut self) -> bool {
        self.open_mapping(self.start)
    }

    /// Opens a mapping. Its keys and values come by turns. False as for a list.
    pub(crate) fn open_mapping(&mut self, span: Span) -> bool {
        self.open(Frame::Mapping(span, Vec::new(), None), span)
    }

    fn open(&mut self, frame: Frame, span: Span) -> bool {
        if self.stack.len() >= MAX_NESTING {
            self.errors.push(nesting(span));
            return false;
        }
        self.stack.push(frame);
        true
    }

    /// Closes the list or mapping that was opened last. False means that none is open.
    pub(crate) fn close(&mut self) -> bool {
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
        self.place(node);
        true
    }

    /// Puts a finished scalar where it belongs.
    pub(crate) fn scalar(&mut self, text: String, plain: bool, span: Span) {
        self.place(Node {
            kind: Kind::Scalar { text, plain },
            span,
        });
    }

    /// Puts a finished node where it belongs: as key, value, item or root.
    fn place(&mut self, node: Node) {
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
    }

    /// Reports and drops every key that an earlier key equals. Two spellings of one name are
    /// no duplicate to any other reader; both stay.
    fn without_duplicates(&mut self, mut entries: Vec<(Key, Node)>) -> Vec<(Key, Node)> {
        let mut again: Vec<usize> = Vec::new();
        if entries.len() <= SMALL_MAPPING {
            for (index, (key, _)) in entries.iter().enumerate() {
                let earlier = entries[..index]
                    .iter()
                    .find(|(other, _)| other.text() == key.text());
                if let Some((first, _)) = earlier {
                    self.errors.push(duplicate(key, first.span.line));
                    again.push(index);
                }
            }
        } else {
            let mut lines: HashMap<&str, u32> = HashMap::with_capacity(entries.len());
            for (index, (key, _)) in entries.iter().enumerate() {
                if let Some(&line) = lines.get(key.text()) {
                    self.errors.push(duplicate(key, line));
                    again.push(index);
                } else {
                    lines.insert(key.text(), key.span.line);
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

    /// The document of a text in `format` that is longer than [`MAX_BYTES`], and so was not read.
    pub(crate) fn too_long(mut self, format: &str, bytes: usize) -> Document {
        let message = format!("expected at most {MAX_BYTES} bytes of {format}, found {bytes}");
        self.error(YamlError::new(Fault::Size, self.start, message));
        self.finish(false)
    }

    /// The document: `complete` if it was read to its end. Without content it is an empty
    /// mapping; if the reading broke off, it is what was read of the outermost mapping.
    pub(crate) fn finish(mut self, complete: bool) -> Document {
        let outermost = match self.stack.into_iter().next() {
            Some(Frame::Mapping(span, entries, _)) => Some(Node {
                kind: Kind::Mapping(entries),
                span,
            }),
            _ => None,
        };
        self.errors
            .sort_by_key(|error| (error.span.line, error.span.column));
        Document {
            root: self.root.or(outermost).unwrap_or(Node {
                kind: Kind::Mapping(Vec::new()),
                span: self.start,
            }),
            errors: self.errors,
            complete,
        }
    }
}

/// The second spelling of each name that a mapping of the tree spells in two ways.
pub(super) fn respelled(node: &Node, found: &mut Vec<YamlError>) {
    match &node.kind {
        Kind::Scalar { .. } => {}
        Kind::Sequence(items) => items.iter().for_each(|item| respelled(item, found)),
        Kind::Mapping(entries) => {
            let mut lines: HashMap<&str, u32> = HashMap::with_capacity(entries.len());
            for (key, value) in entries {
                match lines.get(key.name.as_str()) {
                    // An empty name is an error already.
                    Some(&line) if !key.name.is_empty() => found.push(duplicate(key, line)),
                    _ => drop(lines.insert(&key.name, key.span.line)),
                }
                respelled(value, found);
            }
        }
    }
}

fn as_key(node: Node) -> (Key, Option<YamlError>) {
    let span = node.span;
    match node.kind {
        Kind::Scalar { text, plain: true } if text == "<<" => {
            let message = "expected a key, found '<<', which merges another mapping into this one";
            let error = YamlError::new(Fault::Key, span, message);
            let error = error.with_help("write the members of that mapping here");
            (Key::new(text, span), Some(error))
        }
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
