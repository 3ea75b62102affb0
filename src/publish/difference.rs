//! How a key can differ from what a run made of it.

/// How a key differs from what a run made of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DifferenceKind {
    /// It is gone before its time.
    Missing,
    /// It is there, and the run removed it.
    Unexpected,
    /// It has another value.
    Value,
    /// It has another expiry, and the value that the run wrote.
    Expiry,
    /// The same, and a later run of anp gave it that expiry.
    Refreshed,
}

impl DifferenceKind {
    /// The word for machines.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Unexpected => "unexpected",
            Self::Value => "value",
            Self::Expiry => "expiry",
            Self::Refreshed => "refreshed",
        }
    }
}
