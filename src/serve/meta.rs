//! What the first bytes of a meta object tell of the page beside it.

use std::time::{Duration, SystemTime};

use crate::render::{Digest, MetaHead};

/// What the meta object says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Meta {
    /// When the page was written, if the object is about this page.
    pub(super) written_at: Option<SystemTime>,
    /// Whether search engines are to leave it out.
    pub(super) is_noindex: bool,
}

impl Meta {
    /// Reads the first bytes of the meta object beside a page with `digest`.
    pub(super) fn read(head: &[u8], digest: Option<Digest>) -> Self {
        let head = MetaHead::read(head);
        // A date of another page would be believed; that a page is not for search engines
        // is better believed once too often.
        let is_of_page = digest.is_some() && head.digest == digest;
        let written_at = head.written_at.as_deref().filter(|_| is_of_page);
        Self {
            written_at: written_at.and_then(date),
            is_noindex: head.is_noindex(),
        }
    }
}

/// A date that an HTTP header can hold, to the second.
fn date(text: &str) -> Option<SystemTime> {
    let at: jiff::Timestamp = text.parse().ok()?;
    let seconds = u64::try_from(at.as_second()).ok()?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::Meta;
    use crate::render::Digest;

    const DIGEST: &str = "0123456789abcdef0123456789abcdef";

    fn head(digest: &str, robots: &str) -> Vec<u8> {
        format!(
            "{{\"digest\":\"{digest}\",\"run\":\"20261124T154031.354Z-0000\",\
             \"written_at\":\"1994-11-06T08:49:37.354Z\",\"etag\":\"\\\"{digest}\\\"\",\
             \"robots\":\"{robots}\",\"route\":\"/a/\",\"title\":\"\\\"robots\\\":\\\"noindex\\\""
        )
        .into_bytes()
    }

    fn meta(head: &[u8]) -> Meta {
        Meta::read(head, Digest::from_hex(DIGEST.as_bytes()))
    }

    #[test]
    fn a_meta_object_tells_when_it_was_written_and_who_may_find_it() {
        let written = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        let told = meta(&head(DIGEST, "index,follow"));
        assert_eq!(
            told,
            Meta {
                written_at: Some(written),
                is_noindex: false
            }
        );
        assert!(meta(&head(DIGEST, "noindex")).is_noindex);
    }

    #[test]
    fn without_one_or_with_that_of_another_page_there_is_no_date() {
        assert_eq!(meta(b""), Meta::default());
        assert_eq!(meta(b"{}"), Meta::default());
        let other = meta(&head("00000000000000000000000000000000", "noindex"));
        assert_eq!(
            other,
            Meta {
                written_at: None,
                is_noindex: true
            }
        );
        let before = String::from_utf8(head(DIGEST, "noindex")).unwrap();
        assert_eq!(
            meta(before.replace("1994", "1694").as_bytes()).written_at,
            None
        );
    }
}
