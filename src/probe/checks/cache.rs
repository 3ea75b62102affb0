//! Checks of what caches are told, and of the cache of the front.

use std::time::Duration;

use super::page::coding;
use super::scene::{Scene, Verdict, answer, failed, first, status_line, verdict, whole};
use crate::probe::client::Answer;
use crate::probe::head::XCache;

/// Seconds are whole in headers, and clocks are not the same.
const SLACK: Duration = Duration::from_secs(1);

pub(super) fn cache_control(scene: &Scene<'_>) -> Verdict {
    verdict(first(scene).and_then(|first| {
        let caching = first.head.caching();
        let is_kept = caching.public && !caching.private && !caching.no_store && !caching.no_cache;
        if !is_kept || caching.max_age.is_none() {
            return Err(failed(first.head.shown("cache-control")));
        }
        as_set(scene, first)
    }))
}

/// Whether caches are told what the settings say, where these say anything.
pub(super) fn as_set(scene: &Scene<'_>, answer: &Answer) -> Result<(), Verdict> {
    let Some(left) = scene.stored.left_at(answer.asked_at) else {
        return Ok(());
    };
    if !scene.policy.is_set() {
        return Ok(());
    }
    // What it had left when the front, or a cache before it, made the answer; a little less and a
    // little more.
    let made = left.as_secs().saturating_add(answer.head.age());
    let slack = SLACK.as_secs();
    let bounds = [made.saturating_sub(slack), made.saturating_add(slack)];
    let [low, high] = bounds.map(|left| scene.policy.of(left));
    let caching = answer.head.caching();
    // The stale time is what the others leave of the object's life.
    let stale = low.stale.min(high.stale)..=low.stale.max(high.stale);
    let is_within =
        |low: Option<u64>, found: Option<u64>, high: Option<u64>| (low..=high).contains(&found);
    if is_within(Some(low.browser), caching.max_age, Some(high.browser))
        && is_within(low.edge, caching.s_maxage, high.edge)
        && stale.contains(&caching.stale.unwrap_or(0))
    {
        return Ok(());
    }
    let expected = scene.policy.cache_control(made);
    Err(failed(format!(
        "{}, where the settings ask for {expected}",
        answer.head.shown("cache-control")
    )))
}

pub(super) fn max_age(scene: &Scene<'_>) -> Verdict {
    verdict(first(scene).and_then(|_| {
        for exchange in [&scene.visit.first, &scene.visit.second] {
            let Some(Ok(answer)) = exchange else { continue };
            // The check of Cache-Control tells that it is missing.
            answer.head.caching().longest().ok_or(Verdict::NotRun)?;
            within_expiry(scene, answer)?;
        }
        Ok(())
    }))
}

/// Whether caches keep an answer no longer than the store has what it is about; also if nothing is said.
/// What is stale counts only where the settings say how long it may be used: elsewhere it is the front's
/// own choice.
pub(super) fn within_expiry(scene: &Scene<'_>, answer: &Answer) -> Result<(), Verdict> {
    let longest = answer.head.caching().longest().unwrap_or(0);
    let Some(left) = scene.stored.left_at(answer.asked_at) else {
        return Ok(());
    };
    let age = answer.head.age();
    if Duration::from_secs(longest.saturating_sub(age)) > left + SLACK {
        return Err(failed(format!(
            "{longest} less {age} s, and the store has {} s left",
            left.as_secs()
        )));
    }
    Ok(())
}

pub(super) fn x_cache(scene: &Scene<'_>) -> Verdict {
    verdict(answer(&scene.visit.second).and_then(|second| {
        if second.head.status != 200 {
            return Err(failed(status_line(second)));
        }
        match second.head.x_cache() {
            Some(XCache::Hit) => Ok(()),
            Some(XCache::Other) => Err(failed(second.head.shown("x-cache"))),
            None => Err(Verdict::NotOffered("no X-Cache".to_owned())),
        }
    }))
}

pub(super) fn vary(scene: &Scene<'_>) -> Verdict {
    // The check of compression tells of an answer that is none.
    let coded = whole(&scene.visit.coded).map_err(|_| Verdict::NotRun);
    verdict(coded.and_then(|(coded, _)| {
        if coding(coded).is_none() {
            return Err(Verdict::NotOffered("nothing is compressed".to_owned()));
        }
        let names = |name: &str| name == "*" || name.eq_ignore_ascii_case("accept-encoding");
        if coded.head.list("vary").any(names) {
            Ok(())
        } else {
            Err(failed(coded.head.shown("vary")))
        }
    }))
}
