//! Checks of files and redirects: each is one, for the many small steps of a page.

use super::scene::{Scene, Verdict, answer, failed, first, status_line, verdict};
use super::{cache, page, validators};
use crate::probe::head::clipped;

/// The steps of a file, in the order in which the first that fails is told.
const STEPS: [fn(&Scene<'_>) -> Verdict; 8] = [
    page::status,
    page::content_type,
    page::body,
    tag,
    cache::cache_control,
    cache::max_age,
    validators::same_etag,
    page::head,
];

pub(super) fn file(scene: &Scene<'_>) -> Verdict {
    let verdicts = STEPS.iter().map(|step| step(scene));
    let mut failed = verdicts.filter(|verdict| matches!(verdict, Verdict::Failed(_)));
    failed.next().unwrap_or(Verdict::Ok)
}

/// Whether the ETag is the digest of the file, which is known to be at the end of the body.
fn tag(scene: &Scene<'_>) -> Verdict {
    verdict(first(scene).and_then(|first| {
        let stored = scene.stored.page.as_ref();
        let digest = stored.and_then(|file| file.digest).ok_or(Verdict::NotRun)?;
        match first.head.etag() {
            Some(etag) if etag.opaque == digest.to_string() => Ok(()),
            Some(etag) => Err(failed(format!(
                "{digest} in the file, ETag: {}",
                clipped(&etag.to_string())
            ))),
            None => Err(failed(first.head.shown("etag"))),
        }
    }))
}

pub(super) fn redirect(scene: &Scene<'_>) -> Verdict {
    verdict(answer(&scene.visit.first).and_then(|answer| {
        let redirect = scene.stored.redirect.as_ref().ok_or(Verdict::NotRun)?;
        let location = answer.head.get("location").unwrap_or_default();
        let leads_on = redirect
            .to()
            .is_none_or(|to| scene.target.is_at(location, to.as_str()));
        if answer.head.status != redirect.status() || !leads_on {
            let to = redirect
                .to()
                .map_or(String::new(), |to| format!(" to {to}"));
            let (found, status) = (status_line(answer), redirect.status());
            return Err(failed(format!("{found}, where the store has {status}{to}")));
        }
        // Browsers keep it for as long as they like where nothing is said, but for 302.
        let caching = answer.head.caching();
        if caching.longest().is_none() && !caching.no_cache && answer.head.status != 302 {
            return Err(failed(answer.head.shown("cache-control")));
        }
        cache::as_set(scene, answer)?;
        cache::within_expiry(scene, answer)
    }))
}
