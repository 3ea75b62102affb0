//! The runs of a state folder as a list: which of them are asked for, and what became of each.

use std::collections::HashMap;

use super::records::{Record, rolled_back};
use super::runs::Runs;
use crate::failure::Failure;
use crate::publish::manifest::{Damage, Header, Manifest, Status};
use crate::settings::Settings;
use crate::store::Address;

/// No shorter start of an id is shown than its date and time to the second.
const SHORTEST: usize = 15;

/// Which runs are asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct RunFilter {
    /// Only those that did not do what they were to do.
    pub failed: bool,
    /// Only those that started since, ms since 1970.
    pub since_ms: Option<i64>,
}

/// One run of the list.
pub struct RunItem {
    /// Its id.
    pub id: String,
    /// Its place among the others, ms since 1970.
    pub place_ms: i64,
    /// What was recorded of it, or why that cannot be read.
    pub manifest: Result<Manifest, Damage>,
    /// The rollback that undid it.
    pub undone_by: Option<String>,
}

impl RunItem {
    /// Whether it did not do what it was to do: refused, stopped, died, or unreadable.
    #[must_use]
    pub fn failed(&self) -> bool {
        let status = |manifest: &Manifest| manifest.footer().map(|footer| footer.status);
        !matches!(
            self.manifest.as_ref().ok().and_then(status),
            Some(Status::Done | Status::Partial)
        )
    }

    /// Whether it is an import or warm.
    #[must_use]
    pub fn is_import(&self) -> bool {
        let command = |manifest: &Manifest| manifest.header().command.clone();
        let command = self.manifest.as_ref().map(command);
        command.is_ok_and(|command| ["import", "warm"].contains(&command.as_str()))
    }

    /// Whether its manifest is damaged, and not only without a header.
    #[must_use]
    pub fn is_damaged(&self) -> bool {
        !matches!(&self.manifest, Ok(_) | Err(Damage::NoHeader { .. }))
    }

    /// Whether it wrote to the store and under the prefix of `settings`.
    #[must_use]
    pub fn is_of(&self, settings: &Settings) -> bool {
        let manifest = self.manifest.as_ref();
        manifest.is_ok_and(|manifest| is_about(manifest.header(), settings))
    }

    /// Whether it did what it was to do, and no rollback undid it.
    #[must_use]
    pub fn is_good(&self) -> bool {
        !self.failed() && self.undone_by.is_none()
    }

    /// When it started, ms since 1970.
    #[must_use]
    pub fn started_at_ms(&self) -> i64 {
        let started = |manifest: &Manifest| manifest.header().started_at;
        self.manifest.as_ref().map_or(self.place_ms, started)
    }
}

/// Whether the run of `header` wrote to the store and under the prefix of `settings`.
pub(crate) fn is_about(header: &Header, settings: &Settings) -> bool {
    let there = Address::parse(&header.server);
    let there = there.map(|there| there.in_state_folder(&settings.state_dir));
    header.prefix == settings.prefix && there.is_ok_and(|there| there.same_as(&settings.address))
}

/// The runs that were asked for, oldest first.
pub struct RunList {
    /// The runs.
    pub items: Vec<RunItem>,
    /// How many there are in all.
    pub all: usize,
    /// Of each id of the folder, as much as tells it from the others.
    short: HashMap<String, String>,
}

impl RunList {
    /// Reads the runs of the state folder.
    ///
    /// # Errors
    /// 74 when the folder cannot be read.
    pub fn read(settings: &Settings, filter: RunFilter) -> Result<Self, Failure> {
        let runs = Runs::of(&settings.state_dir);
        let read = runs.all_placed();
        let read = read.map_err(|error| Failure::unlisted_runs(runs.folder(), &error))?;
        let whole = read.iter().filter_map(|(_, _, run)| run.as_ref().ok());
        let records: Vec<Record> = whole.map(Record::of).collect();
        let undone = rolled_back(&records);
        let all = read.len();
        let ids: Vec<String> = read.iter().map(|(id, ..)| id.clone()).collect();
        let items = read.into_iter().map(|(id, place_ms, manifest)| RunItem {
            undone_by: undone.get(id.as_str()).map(|by| (*by).to_owned()),
            id,
            place_ms,
            manifest,
        });
        let is_asked_for = |item: &RunItem| {
            (!filter.failed || item.failed())
                && filter
                    .since_ms
                    .is_none_or(|since| item.started_at_ms() >= since)
        };
        Ok(Self {
            items: items.filter(is_asked_for).collect(),
            all,
            short: shortened(ids),
        })
    }

    /// As much of `id` as tells it from the other runs of the folder.
    #[must_use]
    pub fn short<'a>(&'a self, id: &'a str) -> &'a str {
        self.short.get(id).map_or(id, String::as_str)
    }
}

/// The last import or warm into the store of `settings` that published, and that no rollback undid.
///
/// # Errors
/// 74 when the folder of the runs cannot be read.
pub fn last_good_import(settings: &Settings) -> Result<Option<RunItem>, Failure> {
    let list = RunList::read(settings, RunFilter::default())?;
    let mut newest_first = list.items.into_iter().rev();
    Ok(newest_first.find(|item| item.is_import() && item.is_of(settings) && item.is_good()))
}

/// Of each id, the shortest start that no other has, and at least date and time.
fn shortened(mut ids: Vec<String>) -> HashMap<String, String> {
    ids.sort_unstable();
    let common =
        |a: &String, b: &String| a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    let short = ids.iter().enumerate().map(|(index, id)| {
        let before = index
            .checked_sub(1)
            .map_or(0, |before| common(&ids[before], id));
        let after = ids.get(index + 1).map_or(0, |after| common(after, id));
        let length = (before.max(after) + 1).max(SHORTEST).min(id.len());
        (id.clone(), id.get(..length).unwrap_or(id).to_owned())
    });
    short.collect()
}

#[cfg(test)]
mod tests {
    use super::shortened;

    #[test]
    fn an_id_is_shown_as_far_as_no_other_begins_so() {
        let ids = [
            "20261124T070013.640Z-c1a8",
            "20261124T070013.641Z-0000",
            "20261124T080000.000Z-0000",
            "night",
            "night-of-the-archive-1",
            "night-of-the-archive-2",
        ];
        let short = shortened(ids.map(str::to_owned).to_vec());
        let of = |id: &str| short[id].as_str();
        assert_eq!(of(ids[0]), "20261124T070013.640");
        assert_eq!(of(ids[2]), "20261124T080000");
        assert_eq!(of(ids[3]), "night");
        assert_eq!(of(ids[4]), ids[4]);
    }
}
