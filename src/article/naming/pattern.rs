//! The setting `route`: the form of routes, such as `/{year}/{month}/{slug}/`.

/// The form of routes: `/{dir}/{slug}/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoutePattern {
    text: String,
    segments: Vec<Vec<Piece>>,
    /// Whether it is the folders and the slug, nothing else.
    is_plain: bool,
    needs_date: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Text(String),
    /// All folders.
    Dir,
    /// The first folder.
    Section,
    Slug,
    Year,
    Month,
    Day,
}

impl Default for RoutePattern {
    fn default() -> Self {
        Self {
            text: Self::DEFAULT.to_owned(),
            segments: vec![vec![Piece::Dir], vec![Piece::Slug]],
            is_plain: true,
            needs_date: false,
        }
    }
}

impl RoutePattern {
    /// The pattern that routes have without the setting.
    pub const DEFAULT: &str = "/{dir}/{slug}/";

    /// What a pattern may be, for messages.
    pub const EXPECTED: &str = "a pattern of routes such as /{year}/{month}/{slug}/, of {dir}, \
                                {section}, {year}, {month}, {day}, one {slug} and [a-z0-9-]; \
                                {dir} and {slug} are whole segments";

    /// Reads a pattern.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let inner = text.strip_prefix('/')?;
        let inner = inner.strip_suffix('/').unwrap_or(inner);
        let segments: Option<Vec<Vec<Piece>>> = inner.split('/').map(segment).collect();
        let segments = segments?;
        let pieces = || segments.iter().flatten();
        let count = |piece: &Piece| pieces().filter(|other| *other == piece).count();
        let is_date = |piece: &Piece| matches!(piece, Piece::Year | Piece::Month | Piece::Day);
        let fits = count(&Piece::Slug) == 1 && count(&Piece::Dir) <= 1 && text.len() <= 200;
        let needs_date = pieces().any(is_date);
        fits.then(|| Self {
            is_plain: segments == Self::default().segments,
            needs_date,
            text: text.to_owned(),
            segments,
        })
    }

    /// The pattern as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether routes are the folders and the slug, nothing else.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.is_plain
    }

    /// Whether a route needs a date.
    pub(super) fn needs_date(&self) -> bool {
        self.needs_date
    }

    /// The pieces of each segment.
    pub(super) fn segments(&self) -> &[Vec<Piece>] {
        &self.segments
    }
}

/// The pieces of one segment.
fn segment(text: &str) -> Option<Vec<Piece>> {
    let (mut pieces, mut rest) = (Vec::new(), text);
    while !rest.is_empty() {
        let (piece, after) = if let Some(open) = rest.strip_prefix('{') {
            let (name, after) = open.split_once('}')?;
            let piece = match name {
                "dir" => Piece::Dir,
                "section" => Piece::Section,
                "slug" => Piece::Slug,
                "year" => Piece::Year,
                "month" => Piece::Month,
                "day" => Piece::Day,
                _ => return None,
            };
            (piece, after)
        } else {
            let (literal, after) = rest.split_at(rest.find('{').unwrap_or(rest.len()));
            let is_slug = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
            if !literal.bytes().all(is_slug) {
                return None;
            }
            (Piece::Text(literal.to_owned()), after)
        };
        pieces.push(piece);
        rest = after;
    }
    let has_whole = pieces.contains(&Piece::Dir) || pieces.contains(&Piece::Slug);
    (!pieces.is_empty() && (pieces.len() == 1 || !has_whole)).then_some(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_has_one_slug_and_known_parts() {
        for text in [
            "{slug}",
            "/",
            "",
            "/{dir}/",
            "/{slug}/{slug}/",
            "/a-{slug}/",
            "/{dir}{slug}/",
            "/{tag}/{slug}/",
            "/A/{slug}/",
            "/a b/{slug}/",
            "//{slug}/",
            "/{slug",
            "/{slug}/?x",
            "/{dir}/{dir}/{slug}/",
            "/ä/{slug}/",
            "/{}/{slug}/",
        ] {
            assert_eq!(RoutePattern::parse(text), None, "{text}");
        }
        let plain = |text: &str| RoutePattern::parse(text).unwrap().is_plain();
        assert!(plain("/{dir}/{slug}"));
        assert!(!plain("/x/{dir}/{slug}/"));
        assert_eq!(
            RoutePattern::parse(RoutePattern::DEFAULT),
            Some(RoutePattern::default())
        );
    }
}
