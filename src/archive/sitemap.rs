//! The sitemap: an index, and parts with the URLs of the articles (sitemaps.org, version 0.9).
//!
//! Articles are divided by the month of their date, so that a new one changes one part. A part past a limit
//! is divided by the bits of a hash of each route: an article keeps its part until that part is divided.

use std::collections::BTreeMap;

use quick_xml::escape::escape;

use crate::article::instant_ms;

/// What the protocol allows.
pub const PROTOCOL: Limits = Limits {
    urls: 50_000,
    bytes: 50 << 20,
    parts: 50_000,
};

/// How large things may be.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// URLs in a part.
    pub urls: usize,
    /// Bytes of a part, uncompressed.
    pub bytes: usize,
    /// Parts in the index.
    pub parts: usize,
}

/// The longest time of change, as RFC 3339 writes it: with nine digits of a second and an offset.
const LASTMOD_BYTES: usize = "2024-02-29T08:30:00.123456789+01:00".len();

/// More than what a part has besides its URLs: its beginning and end, and the digest behind it.
const FRAME_BYTES: usize = 256;

const OPEN: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n";
const NAMESPACE: &str = "xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\"";

/// An article of the sitemap.
#[derive(Clone, Copy, Debug)]
pub struct SitemapEntry<'e> {
    /// Its route.
    pub route: &'e str,
    /// The month of its date: see [`month`].
    pub month: Option<Month>,
}

/// A year and a month, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    /// From 1 to 9999.
    pub year: u16,
    /// From 1 to 12.
    pub month: u8,
}

/// A part of the sitemap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The name of its file: `sitemap-2024-05.xml`.
    pub name: String,
    /// The numbers of its articles, in the order of their routes.
    pub members: Vec<u32>,
}

/// The month of a stored date.
#[must_use]
pub fn month(date: &str) -> Option<Month> {
    instant_ms(date)?;
    Some(Month {
        year: date.get(..4)?.parse().ok()?,
        month: date.get(5..7)?.parse().ok()?,
    })
}

/// Divides the articles with the numbers from 0 to `count` into parts, the undated ones first, then by month
/// and bits. The parts of an article depend on its route and month and on the size of that month, not on
/// the order of the articles.
///
/// It takes 4 bytes an article for the result, and about as much while it works.
#[must_use]
pub fn parts<'e>(
    count: u32,
    entry: impl Fn(u32) -> SitemapEntry<'e>,
    site_url: &str,
    limits: Limits,
) -> Vec<Part> {
    let url_bytes = url(site_url, "", Some(&"0".repeat(LASTMOD_BYTES))).len();
    let division = Division {
        entry,
        limits,
        url_bytes,
    };
    let by_month = division.parts(count, |month| (month.year, month.month));
    if by_month.len() <= limits.parts {
        return by_month;
    }
    // More months than an index may name: there are fewer years.
    division.parts(count, |month| (month.year, 0))
}

/// How articles are divided.
struct Division<F> {
    entry: F,
    limits: Limits,
    /// Bytes of a URL besides its route, at most.
    url_bytes: usize,
}

impl<'e, F: Fn(u32) -> SitemapEntry<'e>> Division<F> {
    /// The parts by what `of` a month decides: all, or the year.
    fn parts(&self, count: u32, of: impl Fn(Month) -> (u16, u8)) -> Vec<Part> {
        let mut groups: BTreeMap<_, Vec<u32>> = BTreeMap::new();
        for number in 0..count {
            let group = (self.entry)(number).month.map(&of);
            groups.entry(group).or_default().push(number);
        }
        let mut parts = Vec::new();
        for (group, members) in groups {
            let name = match group {
                None => "sitemap-undated".to_owned(),
                Some((year, 0)) => format!("sitemap-{year:04}"),
                Some((year, month)) => format!("sitemap-{year:04}-{month:02}"),
            };
            self.divide(name, members, 0, &mut parts);
        }
        parts
    }

    /// Adds the part `name` with these articles; or, if they are too many, its two halves by the bit of
    /// their hashes behind the first `depth`.
    fn divide(&self, name: String, members: Vec<u32>, depth: u32, parts: &mut Vec<Part>) {
        // Nobody finds thousands of routes whose hashes agree in all bits.
        if depth == u32::BITS || self.fits(&members) {
            if !members.is_empty() {
                parts.push(self.part(name, members));
            }
            return;
        }
        let bit = 1_u32.rotate_right(depth + 1);
        let is_zero = |number: &u32| hash((self.entry)(*number).route) & bit == 0;
        let (zeros, ones) = members.into_iter().partition(is_zero);
        let name = if depth == 0 { name + "-" } else { name };
        self.divide(format!("{name}0"), zeros, depth + 1, parts);
        self.divide(format!("{name}1"), ones, depth + 1, parts);
    }

    fn part(&self, name: String, mut members: Vec<u32>) -> Part {
        // Callers mostly have the articles in the order of their routes; then this only looks.
        members.sort_by_key(|number| (self.entry)(*number).route);
        members.shrink_to_fit();
        Part {
            name: name + ".xml",
            members,
        }
    }

    fn fits(&self, members: &[u32]) -> bool {
        if members.len() > self.limits.urls {
            return false;
        }
        let bytes = |number: &u32| (self.entry)(*number).route.len() + self.url_bytes;
        members.iter().map(bytes).sum::<usize>() + FRAME_BYTES <= self.limits.bytes
    }
}

/// The bits that divide articles, the first one the highest.
fn hash(route: &str) -> u32 {
    let [a, b, c, d, ..] = *blake3::hash(route.as_bytes()).as_bytes();
    u32::from_be_bytes([a, b, c, d])
}

/// A part: the URL of each route with the time of its last change, a stored date, if it is known.
#[must_use]
pub fn part_xml<'e>(
    site_url: &str,
    items: impl IntoIterator<Item = (&'e str, Option<&'e str>)>,
) -> Vec<u8> {
    let mut xml = format!("{OPEN}<urlset {NAMESPACE}>\n");
    for (route, lastmod) in items {
        xml.push_str(&url(site_url, route, lastmod));
    }
    xml.push_str("</urlset>\n");
    xml.into_bytes()
}

/// The index of parts, each with its name and the time of the newest change in it, if that is known.
#[must_use]
pub fn index_xml<'p>(
    site_url: &str,
    parts: impl IntoIterator<Item = (&'p str, Option<&'p str>)>,
) -> Vec<u8> {
    let mut xml = format!("{OPEN}<sitemapindex {NAMESPACE}>\n");
    for (name, lastmod) in parts {
        xml.push_str("<sitemap>");
        location(&mut xml, &[site_url, "/", name], lastmod);
        xml.push_str("</sitemap>\n");
    }
    xml.push_str("</sitemapindex>\n");
    xml.into_bytes()
}

/// The newest of some stored dates.
#[must_use]
pub fn newest<'d>(dates: impl IntoIterator<Item = &'d str>) -> Option<&'d str> {
    dates.into_iter().max_by_key(|date| instant_ms(date))
}

fn url(site_url: &str, route: &str, lastmod: Option<&str>) -> String {
    let mut xml = "<url>".to_owned();
    location(&mut xml, &[site_url, route], lastmod);
    xml.push_str("</url>\n");
    xml
}

fn location(xml: &mut String, url: &[&str], lastmod: Option<&str>) {
    xml.push_str("<loc>");
    url.iter().for_each(|part| xml.push_str(&escape(*part)));
    xml.push_str("</loc>");
    if let Some(lastmod) = lastmod.filter(|date| date.len() <= LASTMOD_BYTES) {
        xml.push_str("<lastmod>");
        xml.push_str(&escape(lastmod));
        xml.push_str("</lastmod>");
    }
}

#[cfg(test)]
mod tests;
