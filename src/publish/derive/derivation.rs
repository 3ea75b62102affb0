//! What archive objects are made with.

use super::archive::Archive;
use super::texts::Texts;
use crate::article::Route;
use crate::publish::survey::surveyor::Surveyor;
use crate::settings::Settings;
use crate::source::{Caching, Origin};

/// What archive objects are made with.
pub(crate) struct Derivation<'d, 's> {
    pub surveyor: &'d Surveyor<'s>,
    pub origin: &'d dyn Origin,
    pub settings: &'d Settings,
    pub archive: &'d Archive,
    /// What use is made of what earlier runs remember.
    pub caching: Caching,
    /// The sources of `origin` and the archive objects that are meant, by number; none: all.
    pub numbers: Option<&'d [u32]>,
}

impl Derivation<'_, '_> {
    pub(super) fn texts(&self) -> Texts<'_> {
        self.archive.texts()
    }

    /// The number of a source, of which `origin` may have some alone.
    pub(super) fn source(&self, number: u32) -> u32 {
        let numbers = self.numbers;
        numbers.map_or(number, |numbers| numbers[number as usize])
    }

    /// Whether this process writes what is at `route`.
    pub(super) fn is_own(&self, route: &Route) -> bool {
        let share = self.surveyor.share;
        share.is_none_or(|share| share.shard.takes(route))
    }
}
