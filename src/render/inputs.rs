//! Hashes of what a page was made from, one for each kind of input. The meta object carries them, so
//! that a later run can tell which input changed. They decide nothing: whether a page is unchanged,
//! the digest alone says.

use super::digest::{META_HEAD_BYTES, RENDERER_VERSION};
use crate::hashing::add_part;
use crate::hex;

/// Digits of one kind of input, and of all five.
const PART: usize = 8;
const DIGITS: usize = 5 * PART;
const OPEN: &[u8] = b",\"inputs\":\"";

/// How many of a meta object's first bytes hold its digest and its inputs.
pub const META_INPUTS_BYTES: usize = META_HEAD_BYTES + OPEN.len() + DIGITS + 1;

/// Four bytes for each kind of input, as hex digits: renderer, templates, settings, routes of linked
/// sources, source. They stay digits, because every survey reads them and few compare them. Two different inputs have the same four bytes once in four billion times; then a change of this
/// input goes unnamed, and the page is written all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inputs([u8; DIGITS]);

/// A kind of input of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// The source: what it says, and what its file name says.
    Source,
    /// The routes of the sources that it links to.
    Links,
    /// A template, built in or not.
    Template,
    /// The settings that decide pages.
    Settings,
    /// The version of the renderer.
    Renderer,
}

/// The hashes of what the articles of a run share.
#[derive(Clone, Copy, Debug)]
pub(super) struct SharedInputs {
    templates: u32,
    settings: u32,
}

impl SharedInputs {
    pub(super) fn new(templates: &[(&str, &str)], settings: &[&[u8]]) -> Self {
        let templates = templates.iter().flat_map(|(name, text)| [*name, *text]);
        Self {
            templates: sum(templates.map(str::as_bytes)),
            settings: sum(settings.iter().copied()),
        }
    }

    /// The inputs of a page: of the hash of its `source`, what its name says, the hash of the routes that it links
    /// to, and whether the settings hide it from search engines.
    pub(super) fn of(
        self,
        source: &[u8],
        said_by_name: &[u8],
        links: Option<&[u8; 16]>,
        is_noindex: bool,
    ) -> Inputs {
        let links = links.map_or([0; 4], |[a, b, c, d, ..]| [*a, *b, *c, *d]);
        let settings = self.settings ^ u32::from(is_noindex);
        let mut digits = [0; DIGITS];
        for (place, part) in digits.chunks_exact_mut(PART).zip([
            RENDERER_VERSION.to_le_bytes(),
            self.templates.to_le_bytes(),
            settings.to_le_bytes(),
            links,
            sum([source, said_by_name]).to_le_bytes(),
        ]) {
            hex::write(place, &part);
        }
        Inputs(digits)
    }
}

fn sum<'p>(parts: impl IntoIterator<Item = &'p [u8]>) -> u32 {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        add_part(&mut hasher, part);
    }
    let [a, b, c, d, ..] = *hasher.finalize().as_bytes();
    u32::from_le_bytes([a, b, c, d])
}

impl Inputs {
    /// Appends the member that [`Inputs::read`] looks for. It must follow the digest.
    pub(super) fn write(self, meta: &mut Vec<u8>) {
        meta.extend_from_slice(OPEN);
        meta.extend_from_slice(&self.0);
        meta.push(b'"');
    }

    /// The inputs in the first [`META_INPUTS_BYTES`] of a meta object; none in objects of older versions.
    #[must_use]
    pub fn read(head: &[u8]) -> Option<Self> {
        let digits = head.get(META_HEAD_BYTES..META_INPUTS_BYTES)?;
        let digits = digits.strip_prefix(OPEN)?.strip_suffix(b"\"")?;
        digits.try_into().ok().map(Self)
    }

    /// The first input that is not the same in `other`, the closest to the article first; none if one of
    /// them holds anything but digits.
    #[must_use]
    pub fn first_change(&self, other: &Self) -> Option<Input> {
        let order = [
            (4, Input::Source),
            (3, Input::Links),
            (1, Input::Template),
            (2, Input::Settings),
            (0, Input::Renderer),
        ];
        let parts = |inputs: &Self| hex::read::<{ DIGITS / 2 }>(&inputs.0);
        let (here, there) = (parts(self)?, parts(other)?);
        let bytes = |at: usize| at * PART / 2..(at + 1) * PART / 2;
        let changed = order
            .into_iter()
            .find(|(at, _)| here[bytes(*at)] != there[bytes(*at)]);
        changed.map(|(_, input)| input)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_meta_object_carries_its_inputs_behind_its_digest() {
        let inputs = SharedInputs::new(&[("a", "b")], &[b"c"]).of(b"source", b"", None, false);
        let mut meta = vec![b'x'; META_HEAD_BYTES];
        inputs.write(&mut meta);
        assert_eq!(meta.len(), META_INPUTS_BYTES);
        assert_eq!(Inputs::read(&meta), Some(inputs));
        assert_eq!(Inputs::read(&meta[..META_INPUTS_BYTES - 1]), None);
        meta[META_HEAD_BYTES + 2] = b'r';
        assert_eq!(Inputs::read(&meta), None);
    }

    #[test]
    fn the_input_that_changed_is_told_the_closest_to_the_article_first() {
        let shared = SharedInputs::new(&[("page.html", "{{ body }}")], &[b"https://example.org"]);
        let before = shared.of(b"source", b"", Some(&[1; 16]), false);
        let told = |now: Inputs| before.first_change(&now);
        assert_eq!(told(before), None);
        let template =
            SharedInputs::new(&[("page.html", "{{ title }}")], &[b"https://example.org"]);
        let setting = SharedInputs::new(&[("page.html", "{{ body }}")], &[b"https://example.com"]);
        let links = Some(&[1; 16]);
        assert_eq!(
            told(template.of(b"source", b"", links, false)),
            Some(Input::Template)
        );
        assert_eq!(
            told(setting.of(b"source", b"", links, false)),
            Some(Input::Settings)
        );
        assert_eq!(
            told(shared.of(b"source", b"", links, true)),
            Some(Input::Settings)
        );
        assert_eq!(
            told(shared.of(b"source", b"", None, false)),
            Some(Input::Links)
        );
        assert_eq!(
            told(shared.of(b"source", b"2026-01-01", links, false)),
            Some(Input::Source)
        );
        assert_eq!(
            told(template.of(b"another", b"", links, false)),
            Some(Input::Source)
        );
        let mut older = before;
        older.0[0] ^= 1;
        assert_eq!(told(older), Some(Input::Renderer));
        older.0[0] = b'x';
        assert_eq!(told(older), None);
    }
}
