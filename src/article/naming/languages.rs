//! Languages in the names of sources: `about.fr.md`.

/// The languages that a name may end with: `about.fr.md`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Languages {
    /// The language of the site, in lower case: its articles have no prefix.
    site: String,
    /// The languages that count, in lower case. If empty, the known ones count.
    listed: Vec<String>,
}

/// Codes of ISO 639-1 that count without being listed.
#[rustfmt::skip]
const KNOWN: [&str; 64] = [
    "af", "ar", "az", "be", "bg", "bn", "bs", "ca", "cy", "da", "de", "en", "es", "et", "eu", "fa",
    "fi", "fr", "ga", "gl", "gu", "he", "hi", "hr", "hu", "hy", "it", "ja", "ka", "kk", "km", "kn",
    "ko", "ku", "lt", "lv", "mn", "mr", "ms", "nb", "ne", "nl", "nn", "no", "pa", "pt", "ro", "ru",
    "si", "sk", "sl", "sq", "sr", "sv", "sw", "ta", "te", "th", "tr", "uk", "ur", "uz", "vi",
    "zh",
];
/// The other codes, which are also endings of file names, domains or words: they count only after
/// `index` and `README`, or with a region.
#[rustfmt::skip]
const AMBIGUOUS: [&str; 21] = [
    "am", "as", "co", "cs", "el", "eo", "id", "ie", "io", "is", "la", "lb", "mk", "ml", "mt", "my",
    "pl", "ps", "so", "to", "ts",
];

impl Languages {
    /// The languages of a site in the language `site`, of which `listed` count.
    #[must_use]
    pub fn new(site: &str, listed: &[String]) -> Self {
        Self {
            site: site.to_ascii_lowercase(),
            listed: listed.iter().map(|tag| tag.to_ascii_lowercase()).collect(),
        }
    }

    /// What tells these from other languages: the site's first.
    pub(super) fn tags(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.site)
            .chain(&self.listed)
            .map(String::as_str)
    }

    /// The language that `suffix` of a name is.
    pub(super) fn of<'s>(&self, suffix: &'s str, is_index: bool) -> Option<Language<'s>> {
        if !(2..=11).contains(&suffix.len()) {
            return None;
        }
        let tag = suffix.to_ascii_lowercase().replace('_', "-");
        let (primary, rest) = tag.split_once('-').unwrap_or((&tag, ""));
        let of_site = self.site.split('-').next().unwrap_or_default();
        let is_site = !tag.is_empty() && (tag == self.site || tag == of_site);
        let is_known = || {
            let is_part = |part: &str| {
                let is_region = part.len() == 2 && part.bytes().all(|b| b.is_ascii_lowercase());
                let is_area = part.len() == 3 && part.bytes().all(|b| b.is_ascii_digit());
                let is_script = part.len() == 4 && part.bytes().all(|b| b.is_ascii_lowercase());
                is_region || is_area || is_script
            };
            if rest.is_empty() {
                KNOWN.contains(&primary) || is_index && AMBIGUOUS.contains(&primary)
            } else {
                rest.split('-').all(is_part)
                    && (KNOWN.contains(&primary) || AMBIGUOUS.contains(&primary))
            }
        };
        let counts = is_site
            || match self.listed.is_empty() {
                true => is_known(),
                false => self.listed.contains(&tag),
            };
        counts.then_some(Language { suffix, is_site })
    }
}

/// The language at the end of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Language<'s> {
    pub(super) suffix: &'s str,
    /// Whether it is the language of the site.
    pub(super) is_site: bool,
}
