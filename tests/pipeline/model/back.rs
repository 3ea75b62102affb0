//! Rollbacks, judged key by key.

use std::collections::BTreeMap;

use anp::publish::manifest::{Manifest, Verify};

use super::held::{self, Held, Keyspace};
use super::ops::{Kill, Pick};
use super::oracle::{After, Fate, Intent, Kind, Run};
use super::player::{Driven, End, Player, Step, differs, others_unchanged};

impl Player {
    pub fn rollback(&mut self, pick: Pick, kill: Option<Kill>) -> Step {
        let newest_first: Vec<Run> = self.model.runs.iter().rev().cloned().collect();
        let import = newest_first.iter().position(|run| run.kind == Kind::Import);
        let (targets, may_refuse, name) = match pick {
            Pick::Back(_) if newest_first.is_empty() => return Ok(()),
            Pick::Back(number) => {
                let run = &newest_first[number % newest_first.len()];
                (vec![run.clone()], !run.announced, run.id.clone())
            }
            Pick::Last => {
                // A run that wrote nothing is passed over, and of one that was killed nobody knows
                // what its manifest holds: up to the first one that wrote for sure.
                let wrote = |run: &Run| run.intents.iter().any(|intent| intent.seen);
                let imports = newest_first.iter().filter(|run| run.kind == Kind::Import);
                let mut targets = Vec::new();
                for run in imports {
                    targets.push(run.clone());
                    if wrote(run) {
                        break;
                    }
                }
                let is_sure = targets.last().is_some_and(wrote);
                (targets, !is_sure, "last".to_owned())
            }
        };
        self.played.rollbacks += 1;
        let driven = self.drive(Kind::Rollback, &["rollback", &name], kill)?;
        let before = self.model.keys.clone();
        let (ran, found) = (&driven.ran, &driven.found);
        if driven.run.is_none() {
            if driven.killed {
                return self.said_nothing(Kind::Rollback, driven);
            }
            let code = if import.is_none() {
                ran.code == 2
            } else {
                false
            } || ran.code == 3;
            if !may_refuse || driven.id.is_some() || !code {
                return differs(format!("this run can be rolled back: {ran}"));
            }
            return self.compare(&before, found);
        }
        let undone = self.undone_by(driven.id.as_deref());
        let Some(target) = targets
            .into_iter()
            .find(|run| Some(&run.id) == undone.as_ref())
        else {
            return differs(format!("{undone:?} is not to be rolled back: {ran}"));
        };
        if matches!(pick, Pick::Last) && target.intents.is_empty() {
            return differs(format!("the run that was undone wrote nothing: {ran}"));
        }
        let intents = if driven.killed {
            let intents = half_back(&target, &driven, &before)?;
            self.count_half(&intents);
            intents
        } else {
            self.told_back(&target, &driven, &before)?
        };
        let own: Vec<&str> = by_key(&target).into_keys().collect();
        others_unchanged(&before, found, &own, ran)?;
        self.played.back += intents.iter().filter(|intent| intent.seen).count() as u64;
        self.model.runs.push(Run {
            id: driven.id.unwrap_or_default(),
            kind: Kind::Rollback,
            intents,
            announced: true,
        });
        self.compare(&driven.found, &driven.found)
    }

    /// The run that the rollback `id` undoes, as its manifest says.
    fn undone_by(&self, id: Option<&str>) -> Option<String> {
        let manifest = Manifest::open(&self.world.manifest(id?), Verify::Ends).ok()?;
        manifest.header().undoes.clone()
    }

    /// A rollback that ended tells a fate for each key: one that is due, and the store is as
    /// that says.
    fn told_back(
        &mut self,
        target: &Run,
        driven: &Driven,
        before: &Keyspace,
    ) -> Result<Vec<Intent>, End> {
        let (ran, found) = (&driven.ran, &driven.found);
        let mut told: BTreeMap<String, String> = BTreeMap::new();
        let mut tally: BTreeMap<String, u64> = BTreeMap::new();
        for line in ran.lines() {
            if let (Some(key), Some(fate)) = (line["key"].as_str(), line["fate"].as_str()) {
                *tally.entry(fate.to_owned()).or_default() += 1;
                if told.insert(key.to_owned(), fate.to_owned()).is_some() {
                    return differs(format!("two fates of {key}: {ran}"));
                }
            }
        }
        let mut intents = Vec::new();
        let mut expected = before.clone();
        for (key, recorded) in by_key(target) {
            let current = before.get(key);
            let said = told.remove(key);
            let due: Vec<(&Intent, Option<Fate>)> = recorded
                .iter()
                .flat_map(|intent| {
                    let fates = intent.fates(current, driven.before_ms);
                    fates.into_iter().map(move |fate| (*intent, fate))
                })
                .collect();
            // Where several may be the one that was recorded, the store tells which.
            let is_so = |(_, fate): &&(&Intent, Option<Fate>)| {
                let leaves = fate.as_ref().map(|fate| fate.leaves(current));
                fate.as_ref().map(Fate::word) == said.as_deref()
                    && leaves.is_none_or(|held| held.as_ref() == found.get(key))
            };
            let Some((intent, fate)) = due.iter().find(is_so) else {
                let (at, now) = (driven.before_ms, found.get(key));
                return differs(format!(
                    "the fate of {key} is {said:?}, due is {due:#?}; it was {current:?} at {at}, \
                     and is {now:?}: {ran}"
                ));
            };
            let Some(fate) = fate else { continue };
            let after = fate.leaves(current);
            if after.as_ref() != current {
                intents.push(undoing(intent, current, after.clone(), true));
            }
            match after {
                Some(held) => drop(expected.insert(key.to_owned(), held)),
                None => drop(expected.remove(key)),
            }
        }
        if !told.is_empty() {
            return differs(format!("fates of keys of another run: {told:?} {ran}"));
        }
        if expected != *found {
            let difference = held::difference(&expected, found);
            return differs(format!("the store is not as was told\n{difference}{ran}"));
        }
        let Some(summary) = ran.of_type("summary").pop() else {
            return differs(format!("no summary: {ran}"));
        };
        let count = |word: &str| tally.get(word).copied().unwrap_or(0);
        for word in ["restored", "removed", "already_back", "kept"] {
            if summary[word] != count(word) {
                return differs(format!("{word} is not {}: {ran}", count(word)));
            }
        }
        self.played.kept += count("kept");
        let code = if count("kept") > 0 { 3 } else { 0 };
        if ran.code != code {
            return differs(format!("expected exit code {code}: {ran}"));
        }
        Ok(intents)
    }
}

/// The intents of a run, those that may stand for each other together.
fn by_key(run: &Run) -> BTreeMap<&str, Vec<&Intent>> {
    let mut keys: BTreeMap<&str, Vec<&Intent>> = BTreeMap::new();
    for intent in &run.intents {
        keys.entry(&intent.key).or_default().push(intent);
    }
    keys
}

/// A rollback that was killed left each key as it was or as is due.
fn half_back(target: &Run, driven: &Driven, before: &Keyspace) -> Result<Vec<Intent>, End> {
    let mut intents = Vec::new();
    for (key, recorded) in by_key(target) {
        let (current, found) = (before.get(key), driven.found.get(key));
        let mut due: Vec<(&Intent, Option<Held>)> = Vec::new();
        for intent in recorded {
            let fates = intent.fates(current, driven.before_ms);
            let after = fates.iter().flatten().map(|fate| fate.leaves(current));
            let changed = after.filter(|after| after.as_ref() != current);
            due.extend(changed.map(|after| (intent, after)));
        }
        if found == current {
            // It may have come as far as the intent.
            for (intent, after) in due {
                intents.push(undoing(intent, current, after, false));
            }
            continue;
        }
        let Some((intent, after)) = due.iter().find(|(_, after)| after.as_ref() == found) else {
            return differs(format!(
                "{key} was {current:?}, due is {due:?}, and it is {found:?}: {}",
                driven.ran
            ));
        };
        intents.push(undoing(intent, current, after.clone(), true));
    }
    Ok(intents)
}

/// The intent of a rollback that makes `after` of `current`.
fn undoing(undone: &Intent, current: Option<&Held>, after: Option<Held>, seen: bool) -> Intent {
    Intent {
        key: undone.key.clone(),
        expiry_only: undone.expiry_only && current.is_some() && after.is_some(),
        before: current.cloned(),
        after: after.map_or(After::Absent, After::Present),
        seen,
    }
}
