//! What can stand in a line.

/// A part of a line with a meaning. It is written once it has any content.
pub(super) enum Span {
    /// `*`, `**` or `~~` around it.
    Marked(&'static str),
    /// A link.
    Link { destination: String, title: String },
}

pub(super) struct OpenSpan {
    pub(super) span: Span,
    pub(super) is_written: bool,
}

impl OpenSpan {
    /// Whether `mark` stands around what comes now, since this span began.
    pub(super) fn is(&self, mark: &str) -> bool {
        self.is_written && matches!(self.span, Span::Marked(own) if own == mark)
    }
}
