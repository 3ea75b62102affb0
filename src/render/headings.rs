//! Heading levels.

/// Maps the levels an author wrote to levels that begin at h2 and never skip one.
#[derive(Clone, Default)]
pub(super) struct Levels {
    /// Levels of the headings that the next one stands under, strictly rising.
    open: Vec<u8>,
}

impl Levels {
    /// The level (2–6) for the next heading, which the author gave `level` (1–6).
    pub(super) fn next(&mut self, level: u8) -> u8 {
        while self.open.last().is_some_and(|open| *open >= level) {
            self.open.pop();
        }
        self.open.push(level);
        // At most seven levels are ever open, so this fits.
        (self.open.len() as u8 + 1).min(6)
    }

    /// Levels for a part of the page that has an h2 of its own.
    pub(super) fn under_a_heading() -> Self {
        Self { open: vec![0] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(written: &[u8]) -> Vec<u8> {
        let mut levels = Levels::default();
        written.iter().map(|level| levels.next(*level)).collect()
    }

    #[test]
    fn headings_start_at_two_and_never_skip_a_level() {
        assert_eq!(levels(&[2, 3, 3, 2, 4]), [2, 3, 3, 2, 3]);
        assert_eq!(levels(&[1, 2, 6, 1]), [2, 3, 4, 2]);
        assert_eq!(levels(&[6, 5, 4]), [2, 2, 2]);
        assert_eq!(levels(&[1, 2, 3, 4, 5, 6, 6]), [2, 3, 4, 5, 6, 6, 6]);
    }
}
