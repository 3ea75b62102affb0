//! What is carried out together: groups of steps, and how large a batch of them may be.

use super::step::Step;

/// A batch is closed at so many bytes, sent and recorded, or at the keys of its pace.
pub(crate) const BATCH_BYTES: usize = 4 * 1024 * 1024;

/// Steps that belong together: each one after the first is only sent when the first was
/// written, so that a meta object never describes a page that is not there.
pub type Group = Vec<Step>;

/// A group with its number, in the order in which groups come.
pub(crate) type NumberedGroup = (usize, Group);

/// About how many bytes a group sends and records.
pub(crate) fn bytes_of(group: &Group) -> usize {
    group
        .iter()
        .map(|step| step.want.sent_bytes().saturating_add(step.prior_bytes))
        .fold(0, usize::saturating_add)
}
