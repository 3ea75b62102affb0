//! The model: what is promised that an import or a rollback makes of a keyspace. It knows no
//! code of anp, only plain maps.

use std::collections::{BTreeMap, BTreeSet};

use super::held::{Held, Keyspace};
use super::ops::{Content, Prune, ROUTES, Ttl};

/// What a run did to one key, or may have done before it was killed.
#[derive(Clone, Debug)]
pub struct Intent {
    pub key: String,
    /// It moved the expiry alone, and only that is compared and brought back.
    pub expiry_only: bool,
    pub before: Option<Held>,
    pub after: After,
    /// Its effect was seen. Otherwise the run may have recorded it and died.
    pub seen: bool,
}

#[derive(Clone, Debug)]
pub enum After {
    Absent,
    Present(Held),
    /// A state that nobody saw; it expires after this time at the earliest.
    Unseen(i64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Import,
    Rollback,
}

#[derive(Clone, Debug)]
pub struct Run {
    pub id: String,
    pub kind: Kind,
    pub intents: Vec<Intent>,
    /// Its first line was seen, so its manifest has a header.
    pub announced: bool,
}

/// What a rollback does about one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    Restored(Held),
    Removed,
    AlreadyBack,
    Kept,
}

impl Fate {
    pub fn word(&self) -> &'static str {
        match self {
            Self::Restored(_) => "restored",
            Self::Removed => "removed",
            Self::AlreadyBack => "already_back",
            Self::Kept => "kept",
        }
    }

    /// The key after it.
    pub fn leaves(&self, current: Option<&Held>) -> Option<Held> {
        match self {
            Self::Restored(held) => Some(held.clone()),
            Self::Removed => None,
            Self::AlreadyBack | Self::Kept => current.cloned(),
        }
    }
}

impl Intent {
    /// What a rollback may do about it: one fate, or several where the model cannot know.
    /// None of them means that the run may not have recorded it.
    pub fn fates(&self, current: Option<&Held>, now_ms: i64) -> Vec<Option<Fate>> {
        let mut fates = match &self.after {
            After::Absent => vec![Some(self.fate(None, false, current, now_ms))],
            After::Present(after) => {
                let ran_out = after.is_gone_by(now_ms);
                vec![Some(self.fate(Some(after), ran_out, current, now_ms))]
            }
            After::Unseen(not_before) => {
                // No key is in a state that was never made.
                let never = Held {
                    kind: "unseen".to_owned(),
                    parts: Vec::new(),
                    expires_at: Some(0),
                };
                let mut fates = vec![Some(self.fate(Some(&never), false, current, now_ms))];
                if *not_before <= now_ms {
                    fates.push(Some(self.fate(Some(&never), true, current, now_ms)));
                }
                fates
            }
        };
        if !self.seen {
            fates.push(None);
        }
        fates
    }

    fn fate(
        &self,
        after: Option<&Held>,
        after_ran_out: bool,
        current: Option<&Held>,
        now_ms: i64,
    ) -> Fate {
        // What is owed: the state before, unless it would have expired by itself.
        let owed = self.before.as_ref().filter(|held| !held.is_gone_by(now_ms));
        let Some(current) = current else {
            return match owed {
                None => Fate::AlreadyBack,
                Some(held) if after.is_none() || after_ran_out => Fate::Restored(held.clone()),
                Some(_) => Fate::Kept,
            };
        };
        let is = |state: Option<&Held>| {
            state.is_some_and(|state| {
                if self.expiry_only {
                    state.expires_at == current.expires_at
                } else {
                    state == current
                }
            })
        };
        if is(after) {
            match owed {
                None => Fate::Removed,
                Some(held) if self.expiry_only => Fate::Restored(Held {
                    expires_at: held.expires_at,
                    ..current.clone()
                }),
                Some(held) => Fate::Restored(held.clone()),
            }
        } else if is(self.before.as_ref()) {
            Fate::AlreadyBack
        } else {
            Fate::Kept
        }
    }

    /// The times at which what is due may change.
    pub fn moments(&self) -> impl Iterator<Item = i64> {
        let after = match &self.after {
            After::Absent => None,
            After::Present(held) => held.expires_at,
            After::Unseen(not_before) => Some(*not_before),
        };
        let before = self.before.as_ref().and_then(|held| held.expires_at);
        [before, after].into_iter().flatten()
    }
}

/// What an import does to one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Create,
    Update,
    Refresh,
    Remove,
}

impl Action {
    pub fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Refresh => "refresh",
            Self::Remove => "remove",
        }
    }
}

/// What an import does to the keys of one route.
#[derive(Clone, Debug)]
pub struct Change {
    pub route: usize,
    /// What is done to the page, and what to the meta.
    pub actions: [Option<Action>; 2],
    pub content: Option<Content>,
    /// The time to live that its objects get.
    pub ttl_ms: i64,
}

/// What an import does.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    pub changes: Vec<Change>,
    pub kept: u64,
    pub invalid: u64,
    /// Nothing is written, and the run ends with 65.
    pub refused: bool,
}

/// The keys of a route: page, meta.
pub fn keys_of(route: usize) -> [String; 2] {
    ["page", "meta"].map(|kind| format!("anp:{kind}:{}", ROUTES[route]))
}

/// What is known of the store and of its past.
#[derive(Default)]
pub struct Model {
    pub keys: Keyspace,
    pub tree: BTreeMap<usize, Content>,
    /// The folders of the tree that ever held a source.
    pub folders: BTreeSet<&'static str>,
    /// Oldest first.
    pub runs: Vec<Run>,
    /// What a value was rendered from.
    pub rendered: BTreeMap<(String, Vec<u8>), Content>,
    /// Every state that a key ever had.
    pub past: BTreeMap<String, Vec<Held>>,
}

impl Model {
    /// What an import does that begins at `now_ms`.
    pub fn plan(&self, ttl: Ttl, prune: Prune, now_ms: i64) -> Plan {
        let is_valid = |content: &Content| *content != Content::Invalid;
        let mut plan = Plan {
            // An import without one valid article is refused.
            refused: !self.tree.values().any(is_valid),
            ..Plan::default()
        };
        for (route, content) in &self.tree {
            let ttl_ms = match content {
                Content::TwoHours(_) => 7_200_000,
                Content::Text(_) => ttl.ms(),
                Content::Invalid => {
                    plan.invalid += 1;
                    continue;
                }
            };
            let keys = keys_of(*route);
            let is_current = |key: &String| self.content_of(key) == Some(*content);
            let is_off = |key: &String| {
                let expires_at = self.keys.get(key).and_then(|held| held.expires_at);
                expires_at.is_none_or(|at| {
                    let left = at - now_ms;
                    left < ttl_ms / 2 || left > ttl_ms + ttl_ms / 10
                })
            };
            let write = |key: &String| match self.keys.get(key) {
                Some(_) => Some(Action::Update),
                None => Some(Action::Create),
            };
            let actions = if !keys.iter().all(is_current) {
                keys.each_ref().map(write)
            } else if keys.iter().any(is_off) {
                [Some(Action::Refresh); 2]
            } else {
                plan.kept += 2;
                continue;
            };
            plan.changes.push(Change {
                route: *route,
                actions,
                content: Some(*content),
                ttl_ms,
            });
        }
        // While a source is invalid, nothing is removed.
        if prune != Prune::No && plan.invalid == 0 && !plan.refused {
            let leftovers = self.leftovers();
            plan.refused = prune == Prune::Default && !leftovers.is_empty();
            plan.changes.extend(leftovers);
        }
        plan
    }

    /// What stands under the folders of the tree, is ours, and has no source any more. A folder
    /// stays when its last source goes; the root counts only while it holds a source.
    fn leftovers(&self) -> Vec<Change> {
        let sources = self.tree.keys().map(|route| folder(*route));
        let made = self.folders.iter().map(|folder| Some(*folder));
        let folders: BTreeSet<_> = sources.chain(made).collect();
        let ours = |key: String| self.content_of(&key).is_some().then_some(Action::Remove);
        (0..ROUTES.len())
            .filter(|route| !self.tree.contains_key(route) && folders.contains(&folder(*route)))
            .map(|route| Change {
                route,
                actions: keys_of(route).map(ours),
                content: None,
                ttl_ms: 0,
            })
            .filter(|change| change.actions != [None; 2])
            .collect()
    }

    /// What the value of a key was rendered from, if an import made it.
    pub fn content_of(&self, key: &str) -> Option<Content> {
        let held = self.keys.get(key).filter(|held| held.kind == "string")?;
        let value = (key.to_owned(), held.parts[0].clone());
        self.rendered.get(&value).copied()
    }

    /// Takes over a keyspace, and remembers its states.
    pub fn now_holds(&mut self, keys: Keyspace) {
        for (key, held) in &keys {
            let past = self.past.entry(key.clone()).or_default();
            if !past.contains(held) {
                past.push(held.clone());
            }
        }
        self.keys = keys;
    }
}

/// The folder of a route's source; none: the root.
pub fn folder(route: usize) -> Option<&'static str> {
    let path = ROUTES[route].trim_matches('/').split_once('/');
    path.map(|(folder, _)| folder)
}
