//! Imports, judged by the plan that the model makes.

use super::held::{Held, Keyspace};
use super::ops::{Kill, Prune, ROUTES, Ttl};
use super::oracle::{Action, After, Change, Intent, Kind, Plan, Run, keys_of};
use super::player::{Driven, Player, Step, differs, others_unchanged};

impl Player {
    pub fn import(&mut self, ttl: Ttl, prune: Prune, kill: Option<Kill>) -> Step {
        self.played.imports += 1;
        let mut arguments = vec!["import", "--ttl", ttl.flag(), "--max-invalid", "5"];
        match prune {
            Prune::No => {}
            Prune::Forced => arguments.extend(["--prune", "--force"]),
            Prune::Default => arguments.push("--prune"),
        }
        let driven = self.drive(Kind::Import, &arguments, kill)?;
        let Some(run) = driven.run.clone() else {
            return self.said_nothing(Kind::Import, driven);
        };
        let before = self.model.keys.clone();
        let started_ms = run["started_at"].as_i64().unwrap_or(0);
        let mut plan = self.model.plan(ttl, prune, started_ms);
        if plan.refused {
            plan.changes.clear();
        }
        let mut intents = Vec::new();
        for change in &plan.changes {
            self.judge(change, started_ms, &driven)?;
            intents.extend(intents_of(change, started_ms, &before, &driven.found));
        }
        let own: Vec<&str> = intents.iter().map(|intent| intent.key.as_str()).collect();
        others_unchanged(&before, &driven.found, &own, &driven.ran)?;
        if driven.killed {
            self.count_half(&intents);
        } else {
            said_as_planned(&plan, &driven)?;
        }
        self.model.runs.push(Run {
            id: driven.id.unwrap_or_default(),
            kind: Kind::Import,
            intents,
            announced: true,
        });
        self.compare(&driven.found, &driven.found)
    }

    /// A run that was killed before its first line has changed nothing.
    pub fn said_nothing(&mut self, kind: Kind, driven: Driven) -> Step {
        if !driven.killed {
            return differs(format!("no run was announced: {}", driven.ran));
        }
        if let Some(id) = driven.id {
            self.model.runs.push(Run {
                id,
                kind,
                intents: Vec::new(),
                announced: false,
            });
        }
        self.compare(&self.model.keys.clone(), &driven.found)
    }

    pub fn count_half(&mut self, intents: &[Intent]) {
        let seen = intents.iter().filter(|intent| intent.seen).count();
        self.played.halves += u64::from(seen > 0 && seen < intents.len());
    }

    /// Each key of a route is as it was or as it was to be made; unless the run was killed,
    /// it is made.
    fn judge(&mut self, change: &Change, started_ms: i64, driven: &Driven) -> Step {
        let (ran, found) = (&driven.ran, &driven.found);
        let before = self.model.keys.clone();
        let keys = keys_of(change.route);
        let done = keys.each_ref().map(|key| before.get(key) != found.get(key));
        for (index, key) in keys.iter().enumerate() {
            let action = change.actions[index];
            if !done[index] {
                if action.is_some() && !driven.killed {
                    return differs(format!("{key} was not written: {ran}"));
                }
                continue;
            }
            match (action, before.get(key), found.get(key)) {
                (Some(Action::Remove), Some(_), None) => {}
                (Some(Action::Refresh), Some(old), Some(new)) => {
                    if (&old.kind, &old.parts) != (&new.kind, &new.parts) {
                        return differs(format!("a refresh changed the value of {key}: {ran}"));
                    }
                }
                (Some(Action::Create), None, Some(new))
                | (Some(Action::Update), Some(_), Some(new)) => {
                    self.judge_value(change, index, new, driven)?;
                }
                other => return differs(format!("{key} became something else: {other:?} {ran}")),
            }
            if let Some(new) = found.get(key) {
                self.judge_expiry(change, new, started_ms, driven)?;
            }
        }
        // A meta object never describes a page that is not there.
        if change.actions[0].is_some() && done[1] && !done[0] {
            let route = ROUTES[change.route];
            return differs(format!("{route}: the meta came before its page: {ran}"));
        }
        Ok(())
    }

    /// The value is of the article, is the same as ever, and names the digest of the article.
    fn judge_value(&mut self, change: &Change, index: usize, new: &Held, driven: &Driven) -> Step {
        let ran = &driven.ran;
        let key = &keys_of(change.route)[index];
        let (Some(content), Some(text)) = (change.content, new.text()) else {
            return differs(format!("{key} is no text: {new:?} {ran}"));
        };
        let digest = if index == 0 {
            let tail = text.strip_suffix("-->");
            let tail = tail.and_then(|text| text.rsplit_once("<!--anp:"));
            tail.map(|(_, digest)| digest.to_owned())
        } else {
            let meta: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
            if meta["run"].as_str() != driven.id.as_deref() {
                return differs(format!("{key} names another run: {new:?} {ran}"));
            }
            meta["digest"].as_str().map(str::to_owned)
        };
        let Some(digest) = digest else {
            return differs(format!("{key} names no digest: {new:?} {ran}"));
        };
        let article = (change.route, content);
        let digests = &mut self.known.digests;
        let known = digests.entry(article).or_insert_with(|| digest.clone());
        if *known != digest {
            return differs(format!("{key} had the digest {known}, has {digest}: {ran}"));
        }
        if digests.values().filter(|other| **other == digest).count() > 1 {
            return differs(format!("{key} has the digest of another article: {ran}"));
        }
        if index == 0 {
            let pages = &mut self.known.pages;
            let known = pages.entry(article).or_insert_with(|| text.to_owned());
            if known != text {
                return differs(format!("{key} was rendered in another way before: {ran}"));
            }
        }
        let value = (key.to_owned(), new.parts[0].clone());
        self.model.rendered.insert(value, content);
        Ok(())
    }

    /// The start of the run + ttl ± 10 %, and the same deviation for a route each time, so
    /// page and meta share it.
    fn judge_expiry(&mut self, change: &Change, new: &Held, started: i64, run: &Driven) -> Step {
        let ran = &run.ran;
        let Some(at) = new.expires_at else {
            return differs(format!("a key without expiry: {new:?} {ran}"));
        };
        let spread = at - started - change.ttl_ms;
        let which = (change.route, change.ttl_ms);
        let known = *self.known.spreads.entry(which).or_insert(spread);
        if spread != known || spread.abs() > change.ttl_ms / 10 {
            return differs(format!(
                "the expiry deviates by {spread} ms, known {known}: {ran}"
            ));
        }
        Ok(())
    }
}

fn intents_of<'a>(
    change: &'a Change,
    started_ms: i64,
    before: &'a Keyspace,
    found: &'a Keyspace,
) -> impl Iterator<Item = Intent> + 'a {
    let keys = keys_of(change.route).into_iter().zip(change.actions);
    keys.filter_map(move |(key, action)| {
        let action = action?;
        let (old, new) = (before.get(&key), found.get(&key));
        Some(Intent {
            expiry_only: action == Action::Refresh,
            before: old.cloned(),
            after: match new {
                _ if action == Action::Remove => After::Absent,
                Some(held) if new != old => After::Present(held.clone()),
                _ => After::Unseen(started_ms + change.ttl_ms * 9 / 10),
            },
            seen: new != old,
            key,
        })
    })
}

/// The exit code, the lines and the counts of an import are those of its plan.
fn said_as_planned(plan: &Plan, driven: &Driven) -> Step {
    let ran = &driven.ran;
    let code = if plan.refused {
        65
    } else if plan.invalid > 0 {
        3
    } else {
        0
    };
    if ran.code != code {
        return differs(format!("expected exit code {code}: {ran}"));
    }
    let mut planned = Vec::new();
    for change in &plan.changes {
        for (key, action) in keys_of(change.route).into_iter().zip(change.actions) {
            let at = driven.found.get(&key).and_then(|held| held.expires_at);
            planned.extend(action.map(|action| (key, action.word().to_owned(), at)));
        }
    }
    let said = ran.of_type("key").into_iter().map(|line| {
        let word = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
        (word("key"), word("action"), line["expires_at"].as_i64())
    });
    let mut said: Vec<_> = said.collect();
    planned.sort();
    said.sort();
    if planned != said {
        return differs(format!("planned {planned:?}, said {said:?}: {ran}"));
    }
    if plan.refused {
        return Ok(());
    }
    let Some(summary) = ran.of_type("summary").pop() else {
        return differs(format!("no summary: {ran}"));
    };
    let count = |word: &str| {
        planned
            .iter()
            .filter(|(_, action, _)| action == word)
            .count() as u64
    };
    for (name, expected) in [
        ("created", count("create")),
        ("updated", count("update")),
        ("refreshed", count("refresh")),
        ("removed", count("remove")),
        ("kept", plan.kept),
        ("invalid", plan.invalid),
        ("conflicts", 0),
        ("expired", 0),
        ("withheld", 0),
    ] {
        if summary["counts"][name] != expected {
            return differs(format!("{name} is not {expected}: {ran}"));
        }
    }
    Ok(())
}
