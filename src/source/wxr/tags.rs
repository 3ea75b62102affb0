//! The tags by which an export is cut into items.

/// The tags that matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Name {
    Rss,
    RssEnd,
    ChannelEnd,
    Item,
    ItemEnd,
    Author,
    AuthorEnd,
    Made,
    MadeEnd,
    Version,
    Other,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Tag {
    pub(super) name: Name,
    pub(super) line: u32,
    pub(super) is_empty: bool,
}

impl Tag {
    /// Whether it can only stand outside of an item.
    pub(super) fn ends_item(self) -> bool {
        matches!(self.name, Name::Item | Name::ChannelEnd | Name::RssEnd)
    }

    /// The tag of these bytes, behind its `<`.
    pub(super) fn of(bytes: &[u8], line: u32, is_empty: bool) -> Self {
        let ends = |b: &u8| b.is_ascii_whitespace() || *b == b'>';
        let end = bytes.iter().position(ends).unwrap_or(bytes.len());
        let mut name = &bytes[..end];
        if let (true, Some(plain)) = (is_empty, name.strip_suffix(b"/")) {
            name = plain;
        }
        let name = match name {
            b"rss" => Name::Rss,
            b"/rss" => Name::RssEnd,
            b"/channel" => Name::ChannelEnd,
            b"item" => Name::Item,
            b"/item" => Name::ItemEnd,
            b"wp:author" => Name::Author,
            b"/wp:author" => Name::AuthorEnd,
            b"pubDate" => Name::Made,
            b"/pubDate" => Name::MadeEnd,
            b"wp:wxr_version" => Name::Version,
            _ => Name::Other,
        };
        Self {
            name,
            line,
            is_empty,
        }
    }
}
