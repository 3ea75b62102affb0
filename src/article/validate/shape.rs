//! What the reading of every kind of value shares: the name of the field, and the shape of a node.

use super::super::findings::Findings;
use super::super::schema::Kind;
use crate::yaml::scalar::is_null_word;
use crate::yaml::{self, Node};

/// The name of a value for messages: `score.quality`. Written out only when needed.
#[derive(Clone, Copy)]
pub(in crate::article) struct Name<'n> {
    pub(super) parent: Option<&'n Name<'n>>,
    pub(super) own: &'static str,
}

impl Name<'_> {
    pub(super) fn code(&self) -> String {
        match self.parent {
            Some(parent) => format!("{}.{}", parent.code(), self.own),
            None => self.own.to_owned(),
        }
    }
}

/// A node of the wrong shape.
pub(super) fn wrong(findings: &mut Findings<'_>, kind: &Kind, node: &Node, name: &Name<'_>) {
    let message = format!("expected {}, found {}", kind.expected(), node.describe());
    let help = match (&node.kind, kind) {
        (yaml::Kind::Mapping(_), kind) if !is_nested(kind) => {
            Some("quote the text if it contains ': '")
        }
        (yaml::Kind::Scalar { .. }, Kind::List { .. }) => Some("write it as a list: [a, b]"),
        _ => None,
    };
    findings.error(
        &name.code(),
        Some(node.span),
        message,
        help.map(str::to_owned),
    );
}

/// Whether a value of this kind is a list or a mapping.
pub(super) fn is_nested(kind: &Kind) -> bool {
    matches!(
        kind,
        Kind::List { .. } | Kind::Pairs { .. } | Kind::Group(_)
    )
}

/// Whether this scalar stands for no value.
pub(super) fn is_nothing(text: &str, plain: bool) -> bool {
    text.trim().is_empty() || plain && (text == "~" || is_null_word(text))
}
