//! The files of a media library, by the ids that articles refer to them by.

use super::text::escaped;

/// Most bytes of addresses and texts together. What is beyond is counted, and its images are missing.
const MAX_BYTES: usize = 64 * 1024 * 1024;

/// The longest address, and the longest text of an image, in bytes.
const MAX_URL_BYTES: usize = 2000;
const MAX_TEXT_BYTES: usize = 1000;

/// What an export says of attachments. About 100 bytes for each.
#[derive(Debug, Default)]
pub struct Attachments {
    /// By id.
    entries: Vec<Entry>,
    /// Places of `entries`, by the article they were uploaded to, and their order there.
    by_parent: Vec<u32>,
    /// The addresses and texts one after the other.
    texts: String,
    left_out: u64,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    id: u64,
    parent: u64,
    order: i32,
    start: u32,
    url_bytes: u16,
    alt_bytes: u16,
    caption_bytes: u16,
}

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Attachment<'a> {
    pub(super) id: u64,
    pub(super) url: &'a str,
    alt: &'a str,
    caption: &'a str,
}

impl Attachments {
    /// How many are known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether none is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many were not remembered, because the export has too many.
    #[must_use]
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    pub(super) fn add(
        &mut self,
        id: u64,
        parent: u64,
        order: i32,
        url: &str,
        alt: &str,
        caption: &str,
    ) {
        let is_short = |text: &&str| text.len() <= MAX_TEXT_BYTES;
        let alt = Some(alt).filter(is_short).unwrap_or_default();
        let caption = Some(caption).filter(is_short).unwrap_or_default();
        let bytes = url.len() + alt.len() + caption.len();
        let start = u32::try_from(self.texts.len());
        let lengths = [url, alt, caption].map(|text| u16::try_from(text.len()));
        let (Ok(start), [Ok(url_bytes), Ok(alt_bytes), Ok(caption_bytes)], true) = (
            start,
            lengths,
            url.len() <= MAX_URL_BYTES && self.texts.len() + bytes <= MAX_BYTES,
        ) else {
            self.left_out += 1;
            return;
        };
        self.texts.extend([url, alt, caption]);
        self.entries.push(Entry {
            id,
            parent,
            order,
            start,
            url_bytes,
            alt_bytes,
            caption_bytes,
        });
    }

    /// Ready to be asked.
    pub fn sorted(mut self) -> Self {
        // Of an id that is there twice, the first counts.
        self.entries.sort_by_key(|entry| entry.id);
        self.entries.dedup_by_key(|entry| entry.id);
        let places = (0..self.entries.len()).filter_map(|at| u32::try_from(at).ok());
        self.by_parent = places.collect();
        let entries = &self.entries;
        self.by_parent.sort_by_key(|at| {
            let entry = entries.get(*at as usize);
            entry.map(|entry| (entry.parent, entry.order, entry.id))
        });
        self
    }

    pub(super) fn get(&self, id: u64) -> Option<Attachment<'_>> {
        let at = self
            .entries
            .binary_search_by_key(&id, |entry| entry.id)
            .ok()?;
        Some(self.attachment(&self.entries[at]))
    }

    /// Those that were uploaded to an article, in their order.
    pub(super) fn children(&self, parent: u64) -> impl Iterator<Item = Attachment<'_>> {
        let entry = |at: &u32| self.entries[*at as usize];
        let start = self
            .by_parent
            .partition_point(|at| entry(at).parent < parent);
        let behind = self.by_parent[start..].iter();
        let own = behind.take_while(move |at| entry(at).parent == parent && parent != 0);
        own.map(|at| self.attachment(&self.entries[*at as usize]))
    }

    fn attachment(&self, entry: &Entry) -> Attachment<'_> {
        let mut at = entry.start as usize;
        let mut next = |bytes: u16| {
            let start = at;
            at += usize::from(bytes);
            self.texts.get(start..at).unwrap_or_default()
        };
        Attachment {
            id: entry.id,
            url: next(entry.url_bytes),
            alt: next(entry.alt_bytes),
            caption: next(entry.caption_bytes),
        }
    }
}

impl Attachment<'_> {
    /// Whether the ending of its address is that of an image.
    pub(super) fn is_image(&self) -> bool {
        self.is_of_kind("image")
    }

    /// Whether the ending of its address is that of an `image`, `audio` or `video`.
    pub(super) fn is_of_kind(&self, kind: &str) -> bool {
        let endings: &[&str] = match kind {
            "image" => &[
                "jpg", "jpeg", "png", "gif", "webp", "avif", "svg", "bmp", "tif", "tiff",
            ],
            "audio" => &["mp3", "ogg", "oga", "m4a", "wav", "flac"],
            "video" => &["mp4", "m4v", "webm", "ogv", "mov", "wmv", "flv"],
            _ => &[],
        };
        let ending = self.url.rsplit_once('.').map(|(_, ending)| ending);
        ending.is_some_and(|ending| {
            endings
                .iter()
                .any(|known| ending.eq_ignore_ascii_case(known))
        })
    }

    /// About how much HTML shows it.
    pub(super) fn html_bytes(&self) -> usize {
        self.url.len() + self.alt.len() + self.caption.len() + 80
    }

    pub(super) fn figure(&self) -> String {
        let (url, alt) = (escaped(self.url), escaped(self.alt));
        let caption = match self.caption {
            "" => String::new(),
            caption => format!("<figcaption>{caption}</figcaption>"),
        };
        format!("<figure><img src=\"{url}\" alt=\"{alt}\">{caption}</figure>\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_found_by_id_and_by_article() {
        let mut attachments = Attachments::default();
        attachments.add(9, 1, 2, "u9", "alt \"x\"", "cap");
        attachments.add(3, 1, 1, "u3.PNG", "", "");
        attachments.add(3, 5, 0, "other", "", "");
        attachments.add(4, 0, 0, "u4", &"x".repeat(2000), "");
        attachments.add(5, 0, 0, &"x".repeat(70_000), "", "");
        let attachments = attachments.sorted();
        assert_eq!((attachments.len(), attachments.left_out()), (3, 1));
        let ids = |parent| -> Vec<u64> { attachments.children(parent).map(|a| a.id).collect() };
        assert_eq!(ids(1), [3, 9]);
        assert_eq!((ids(0), ids(5)), (vec![], vec![]));
        let found = attachments.get(9).unwrap();
        assert_eq!(
            found.figure(),
            "<figure><img src=\"u9\" alt=\"alt &quot;x&quot;\"><figcaption>cap</figcaption></figure>\n"
        );
        assert!(attachments.get(3).unwrap().is_image() && !found.is_image());
        assert_eq!(attachments.get(4).unwrap().alt, "");
        assert_eq!(attachments.get(77), None);
    }
}
