//! Admonitions of other tools: reads their first lines, and maps their kinds to the five of GitHub.

use pulldown_cmark::BlockQuoteKind;

use super::attributes::Attributes;

/// A block quote that is an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// Where the quote begins, in bytes of the Markdown.
    pub(crate) offset: usize,
    pub(crate) kind: BlockQuoteKind,
    /// The title that its author gave it; may be empty.
    pub(crate) title: String,
}

/// The first line of an admonition.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Opening<'a> {
    /// The alert that it becomes; `None` if anp does not know its kind.
    pub(super) kind: Option<BlockQuoteKind>,
    pub(super) title: &'a str,
}

/// The kinds of Docusaurus, VitePress, Starlight, Material for MkDocs, Obsidian, Quarto and MyST.
fn kind_of(name: &str) -> Option<BlockQuoteKind> {
    let name = name.to_ascii_lowercase();
    let name = name.strip_prefix("callout-").unwrap_or(&name);
    Some(match name {
        "note" | "info" | "abstract" | "summary" | "tldr" | "todo" | "seealso" | "question"
        | "help" | "faq" | "example" | "quote" | "cite" | "details" | "secondary"
        | "admonition" => BlockQuoteKind::Note,
        "tip" | "hint" | "success" | "check" | "done" => BlockQuoteKind::Tip,
        "important" => BlockQuoteKind::Important,
        "warning" | "warn" | "attention" => BlockQuoteKind::Warning,
        "caution" | "danger" | "error" | "failure" | "fail" | "missing" | "bug" => {
            BlockQuoteKind::Caution
        }
        _ => return None,
    })
}

/// Reads the text behind the colons of `:::note[Title]`, `::: tip Title`, `::: {.note}`, `:::{note}`;
/// `None` if it does not name a block.
pub(super) fn of_colons(rest: &str) -> Option<Opening<'_>> {
    let rest = rest.trim();
    let ends = |c: char| !(c.is_alphanumeric() || matches!(c, '-' | '_'));
    let inside = rest.strip_prefix('{');
    let (name, after) = match inside {
        Some(inside) => {
            let inside = inside.strip_prefix('.').unwrap_or(inside);
            let end = inside.find(ends)?;
            let (list, after) = inside.split_once('}')?;
            let title = list
                .split_once("title=\"")
                .and_then(|(_, rest)| rest.split_once('"'));
            let after = title.map_or(after, |(title, _)| title);
            (&inside[..end], after)
        }
        None => rest.split_at(rest.find(ends).unwrap_or(rest.len())),
    };
    if !name.starts_with(|c: char| c.is_alphabetic()) {
        return None;
    }
    // Attributes in braces only style the block.
    let after = after.trim();
    let after = match after.rsplit_once('{') {
        Some((before, list))
            if list.ends_with('}') && Attributes::parse(list.trim_end_matches('}')).is_some() =>
        {
            before.trim()
        }
        _ => after,
    };
    let title = match after.strip_prefix('[') {
        Some(label) => label.strip_suffix(']').unwrap_or(after),
        None => after.trim_end_matches(':').trim(),
    };
    Some(Opening {
        kind: kind_of(name),
        title,
    })
}

/// Reads the text behind the marks of `!!! note "Title"`, `??? tip`, `???+ tip`.
pub(super) fn of_marks(rest: &str) -> Option<Opening<'_>> {
    let rest = rest.strip_prefix('+').unwrap_or(rest);
    let rest = rest.strip_prefix([' ', '\t'])?.trim();
    let (types, title) = match rest.split_once('"') {
        Some((types, title)) => (types, title.strip_suffix('"')?),
        None => (rest, ""),
    };
    let mut types = types.split_whitespace();
    let name = types.next()?;
    let is_name = |name: &str| name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
    // Further types only place the block. Prose has longer lines.
    (is_name(name) && types.clone().count() <= 3 && types.all(is_name)).then(|| Opening {
        kind: kind_of(name).or((!title.is_empty()).then_some(BlockQuoteKind::Note)),
        title,
    })
}

/// Reads a line of a quote that begins with `[!`, unless it is one of GitHub's: `[!info]- Title`.
pub(super) fn of_quote(rest: &str) -> Option<Opening<'_>> {
    let (name, title) = rest.trim().strip_prefix("[!")?.split_once(']')?;
    let folds = title.strip_prefix(['+', '-']);
    let title = folds.unwrap_or(title).trim();
    let github = ["note", "tip", "important", "warning", "caution"];
    let is_github = github.iter().any(|known| known.eq_ignore_ascii_case(name));
    if is_github && folds.is_none() && title.is_empty() {
        return None;
    }
    let name = name.split('|').next().unwrap_or_default();
    let kind = Some(kind_of(name)?);
    Some(Opening { kind, title })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(opening: Option<Opening<'_>>) -> Option<(Option<BlockQuoteKind>, &str)> {
        opening.map(|opening| (opening.kind, opening.title))
    }

    #[test]
    fn first_lines_of_many_tools_are_read() {
        use BlockQuoteKind::{Caution, Important, Note, Tip, Warning};
        for (rest, expected) in [
            ("note", Some((Some(Note), ""))),
            (" tip Some title", Some((Some(Tip), "Some title"))),
            ("danger[Take *care*]", Some((Some(Caution), "Take *care*"))),
            ("note[T]{#id .x}", Some((Some(Note), "T"))),
            ("tip{icon=\"heart\"}", Some((Some(Tip), ""))),
            ("{note} T", Some((Some(Note), "T"))),
            (
                " {.callout-important title=\"T\"}",
                Some((Some(Important), "T")),
            ),
            ("tabs", Some((None, ""))),
            ("", None),
            (" 3", None),
        ] {
            assert_eq!(shown(of_colons(rest)), expected, "{rest}");
        }
        for (rest, expected) in [
            (" note", Some((Some(Note), ""))),
            (" warning \"T t\"", Some((Some(Warning), "T t"))),
            ("+ tip inline end \"\"", Some((Some(Tip), ""))),
            (" own \"T\"", Some((Some(Note), "T"))),
            (" own", Some((None, ""))),
            (" Really? No", None),
            ("", None),
        ] {
            assert_eq!(shown(of_marks(rest)), expected, "{rest}");
        }
        for (rest, expected) in [
            ("[!info]+ T", Some((Some(Note), "T"))),
            ("[!NOTE]", None),
            ("[!NOTE] T", Some((Some(Note), "T"))),
            ("[!note]-", Some((Some(Note), ""))),
            ("[!own] T", None),
        ] {
            assert_eq!(shown(of_quote(rest)), expected, "{rest}");
        }
    }
}
