//! A strict reader of small YAML documents: text in, a tree with positions out.
//!
//! It knows nothing of articles: the front matter of articles and the tool's own settings
//! file are both read here. What makes YAML surprising or dangerous is an error with its
//! position: aliases, anchors, tags, keys that are equal after normalising, deep nesting,
//! more than one document. Scalars stay text; a caller that asks for a value names its type.
//!
//! Documents of the plain kind that programs write are read by [`plain`], all others, and
//! with them everything that is wrong, by a complete parser; [`read`] chooses.

mod build;
mod error;
pub(crate) mod explain;
mod lenient;
mod node;
pub mod plain;
pub mod scalar;
pub mod suggest;
#[cfg(test)]
mod tests;
mod tree;

#[doc(hidden)]
pub use build::read_repaired;
pub use build::{parse, read, read_by_parser};
pub use error::{Fault, YamlError};
pub use node::{Document, Key, Kind, Node, normalise};
pub use scalar::quoted;
pub(crate) use tree::TreeBuilder;

/// The longest document that is read, in bytes.
pub const MAX_BYTES: usize = 64 * 1024;

/// How deep lists and mappings may be nested; the outermost counts as 1.
pub const MAX_NESTING: usize = 16;
