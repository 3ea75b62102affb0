//! What a source is split into.

/// The format of a front matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Between two lines `---`.
    Yaml,
    /// Between two lines `+++`.
    Toml,
    /// An object, to its closing brace.
    Json,
    /// The first paragraph, a field a line, without fences.
    PlainFields,
}

/// A source in two parts.
#[derive(Debug, PartialEq, Eq)]
pub struct Parts<'a> {
    /// The format of the front matter; none if there is no front matter.
    pub format: Option<Format>,
    /// The front matter, without the lines that enclose it.
    pub text: &'a str,
    /// The line on which the front matter begins, from 1.
    pub line: u32,
    /// The Markdown.
    pub body: &'a str,
    /// The line on which the Markdown begins, from 1.
    pub body_line: u32,
}
