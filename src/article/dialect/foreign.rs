//! Syntax of other tools that anp does not run, and its places.

/// How many different pieces of a body are named; further ones are only counted.
const MAX_NAMED: usize = 20;

/// How much of a piece is shown, in characters.
const MAX_SHOWN: usize = 60;

/// A kind of foreign syntax.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `{{< youtube abc >}}`, `{{% note %}}`.
    Shortcode,
    /// `{% include x %}`.
    Tag,
    /// `{{ site.url }}`.
    Variable,
    /// `<% x %>`, `<%= x %>`.
    Embedded,
    /// `{props.name}` in MDX.
    Expression,
    /// `import Tabs from '@theme/Tabs'`, `export const x = 1`.
    Module,
    /// `:::tabs`, `!!! x` without a body, `=== "Tab"`.
    Block,
    /// `:::note` or `{% comment %}` that nothing closes.
    OpenBlock,
    /// `[[page]]`, `![[image.png]]`.
    WikiLink,
    /// `*[HTML]: Hyper Text`.
    Abbreviation,
}

impl Kind {
    /// The message of a finding, up to the piece.
    pub(crate) fn message(self) -> &'static str {
        match self {
            Self::Shortcode => "looks like a Hugo shortcode, which anp does not run:",
            Self::Tag => "looks like a tag of Liquid or Jinja, which anp does not run:",
            Self::Variable => "looks like a template variable, which anp does not replace:",
            Self::Embedded => "looks like a tag of ERB or EJS, which anp does not run:",
            Self::Expression => "looks like an expression of MDX, which anp does not run:",
            Self::Module => "left out an import or export of MDX, which anp does not run:",
            Self::Block => "looks like a block that anp does not know:",
            Self::OpenBlock => "looks like a block that nothing closes:",
            Self::WikiLink => "looks like a wiki link, which anp does not resolve:",
            Self::Abbreviation => "looks like an abbreviation, which anp does not know:",
        }
    }
}

/// A piece of foreign syntax, found once or more.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Foreign {
    pub(crate) kind: Kind,
    /// The first of its kind and name, as written, shortened.
    pub(crate) shown: String,
    name: String,
    pub(crate) times: u32,
    /// Its first place, in bytes of the Markdown.
    pub(crate) offset: usize,
}

/// The foreign syntax of a body.
#[derive(Debug, Default)]
pub(crate) struct ForeignSyntax {
    pub(crate) named: Vec<Foreign>,
    /// How many more pieces were found.
    pub(crate) unnamed: u32,
}

impl ForeignSyntax {
    /// Adds the piece that `text` begins with, at `offset`. Pieces of one kind and name count together.
    pub(crate) fn add(&mut self, kind: Kind, name: &str, text: &str, offset: usize) {
        let name: String = name.chars().take(MAX_SHOWN).collect();
        let known = self
            .named
            .iter()
            .position(|f| f.kind == kind && f.name == name);
        match known {
            Some(index) => {
                let known = &mut self.named[index];
                known.times += 1;
            }
            None if self.named.len() < MAX_NAMED => {
                let text = text.trim_end();
                let line = text.lines().next().unwrap_or_default();
                let mut shown: String = line.chars().take(MAX_SHOWN).collect();
                if shown.len() < text.len() {
                    shown.push('…');
                }
                self.named.push(Foreign {
                    kind,
                    shown,
                    name,
                    times: 1,
                    offset,
                });
            }
            None => self.unnamed += 1,
        }
    }
}
