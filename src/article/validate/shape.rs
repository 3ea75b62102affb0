//! What the reading of every kind of value shares: the name of the field, and the shape of a node.

use super::super::schema::{Kind, Split};
use crate::diagnostic::Span;
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

/// A value that a field was not meant for.
pub(super) struct Misfit {
    pub(super) span: Span,
    pub(super) message: String,
    pub(super) help: Option<String>,
}

impl Misfit {
    /// A node of another shape.
    pub(super) fn of(kind: &Kind, node: &Node) -> Box<Self> {
        if let (yaml::Kind::Sequence(items), Kind::List { of, .. }) = (&node.kind, kind)
            && let Some(item) = items.iter().find(|item| !may_be(item, of))
        {
            return Self::of(of, item);
        }
        let is_text = matches!(&node.kind, yaml::Kind::Mapping(_)) && !is_nested(kind);
        let help = is_text.then(|| "quote the text if it contains ': '".to_owned());
        Box::new(Self {
            span: node.span,
            message: format!("expected {}, found {}", kind.expected(), node.describe()),
            help,
        })
    }
}

/// Whether a node has the shape of a value of `kind`, or is nothing.
pub(super) fn may_be(node: &Node, kind: &Kind) -> bool {
    match (&node.kind, kind) {
        (_, Kind::Any) | (yaml::Kind::Mapping(_), Kind::Group(_)) => true,
        (yaml::Kind::Scalar { text, plain }, kind) => !is_nested(kind) || is_nothing(text, *plain),
        _ => false,
    }
}

/// Whether a value of this kind is a list or a mapping.
pub(super) fn is_nested(kind: &Kind) -> bool {
    matches!(
        kind,
        Kind::List { .. } | Kind::Pairs { .. } | Kind::Group(_) | Kind::Any
    )
}

/// Whether a text of this kind may be any text.
pub(super) fn is_free_text(kind: &Kind) -> bool {
    matches!(kind, Kind::Text { .. } | Kind::Numbered { .. })
}

/// The items of a list that is written as one text.
pub(super) fn items(text: String, split: Split, split_spaces: bool) -> Vec<String> {
    let has_comma = text.contains(',');
    match split {
        Split::AtCommasOrSpaces if split_spaces && !has_comma => {
            text.split_whitespace().map(str::to_owned).collect()
        }
        Split::AtCommas | Split::AtCommasOrSpaces if has_comma => {
            let items = text.split(',').map(str::trim);
            let items = items.filter(|item| !item.is_empty());
            items.map(str::to_owned).collect()
        }
        _ => vec![text],
    }
}

/// Whether this scalar means no value.
pub(super) fn is_nothing(text: &str, plain: bool) -> bool {
    text.trim().is_empty() || plain && (text == "~" || is_null_word(text))
}
