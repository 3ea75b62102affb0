//! Which settings were given, and where: what `--verbose` shows.

use crate::yaml::{Kind, Node};

/// A setting that does not have its default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InForce {
    /// Its key in anp.yaml.
    pub key: &'static str,
    /// Its text; none where that may hold a password.
    pub text: Option<String>,
    /// The flag, the variable, or the line of the settings file.
    pub origin: String,
}

/// A value on one line.
pub(super) fn text_of(node: &Node) -> String {
    match &node.kind {
        Kind::Scalar { text, .. } => text.trim().replace('\n', " "),
        Kind::Sequence(items) => {
            let items: Vec<String> = items.iter().map(text_of).collect();
            format!("[{}]", items.join(", "))
        }
        Kind::Mapping(entries) => {
            let entries = entries.iter();
            let entries = entries.map(|(key, value)| format!("{}: {}", key.name, text_of(value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
    }
}
