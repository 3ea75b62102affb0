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
/// It takes 4 bytes an article for the result; and while it works 8 for each of the largest month, if that
/// is divided.
#[must_use]
pub fn parts<'e>(
    count: u32,
    entry: impl Fn(u32) -> SitemapEntry<'e>,
    site_url: &str,
    limits: Limits,
) -> Vec<Part> {
    let mut longest = String::new();
    let lastmod = "0".repeat(LASTMOD_BYTES);
    location(&mut longest, "url", [&escape(site_url), ""], Some(&lastmod));
    let division = Division {
        entry,
        limits,
        url_bytes: longest.len(),
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
            if self.fits(&members) {
                parts.push(self.part(name, members));
            } else {
                let mut hashed = self.hashed(members);
                hashed.sort_unstable();
                self.divide(&format!("{name}-"), &hashed, 0, &mut parts);
            }
        }
        parts
    }

    /// Articles behind the hashes of their routes.
    fn hashed(&self, members: Vec<u32>) -> Vec<(u32, u32)> {
        let members = members.into_iter();
        let hashed = members.map(|number| (hash((self.entry)(number).route), number));
        hashed.collect()
    }

    /// Adds both halves of articles whose hashes have the same first bits, `depth` of them, or what these
    /// are divided into.
    fn divide(&self, name: &str, sorted: &[(u32, u32)], depth: u32, parts: &mut Vec<Part>) {
        let bit = 1_u32.rotate_right(depth + 1);
        let middle = sorted.partition_point(|(hash, _)| hash & bit == 0);
        let (zeros, ones) = sorted.split_at(middle);
        for (digit, half) in [('0', zeros), ('1', ones)] {
            let name = format!("{name}{digit}");
            match self.members(half, depth + 1) {
                Some(members) if members.is_empty() => {}
                Some(members) => parts.push(self.part(name, members)),
                None => self.divide(&name, half, depth + 1, parts),
            }
        }
    }

    /// The articles, if they make a part.
    fn members(&self, sorted: &[(u32, u32)], depth: u32) -> Option<Vec<u32>> {
        // Nobody finds thousands of routes whose hashes agree in all bits.
        let is_last = depth == u32::BITS;
        if sorted.len() > self.limits.urls && !is_last {
            return None;
        }
        let mut members: Vec<u32> = sorted.iter().map(|(_, number)| *number).collect();
        members.sort_unstable();
        (is_last || self.fits(&members)).then_some(members)
    }

    fn part(&self, name: String, mut members: Vec<u32>) -> Part {
        // Callers mostly number the articles in the order of their routes; then this only looks.
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
    let site_url = escape(site_url);
    for (route, lastmod) in items {
        location(&mut xml, "url", [&site_url, route], lastmod);
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
    let folder = format!("{}/", escape(site_url));
    for (name, lastmod) in parts {
        location(&mut xml, "sitemap", [&folder, name], lastmod);
    }
    xml.push_str("</sitemapindex>\n");
    xml.into_bytes()
}

/// The newest of some stored dates.
#[must_use]
pub fn newest<'d>(dates: impl IntoIterator<Item = &'d str>) -> Option<&'d str> {
    dates.into_iter().max_by_key(|date| instant_ms(date))
}

/// Appends an element with a location, of an escaped beginning and a path, and a time.
fn location(xml: &mut String, name: &str, [base, path]: [&str; 2], lastmod: Option<&str>) {
    let lastmod = lastmod.filter(|date| date.len() <= LASTMOD_BYTES);
    let [before, after] = lastmod.map_or([""; 2], |_| ["<lastmod>", "</lastmod>"]);
    let [path, lastmod] = [path, lastmod.unwrap_or_default()].map(escape);
    for piece in [
        "<", name, "><loc>", base, &path, "</loc>", before, &lastmod, after, "</", name, ">\n",
    ] {
        xml.push_str(piece);
    }
}

#[cfg(test)]
mod tests;
