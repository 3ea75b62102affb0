//! Checks of the page itself: status, body, digest, robots, HEAD, compression; and of no page.

use super::scene::{
    Scene, Verdict, answer, difference, failed, first, first_body, status_line, verdict, whole,
};
use crate::probe::body::Body;
use crate::probe::client::Answer;
use crate::probe::head::clipped;
use crate::probe::stored::Robots;
use crate::render::page_digest;

/// A page that is missing may come into being with the next import.
const LONGEST_MISSING_SECONDS: u64 = 60;

pub(super) fn status(scene: &Scene<'_>) -> Verdict {
    verdict(answer(&scene.visit.first).and_then(|first| {
        if first.head.status == 200 {
            Ok(())
        } else {
            Err(failed(status_line(first)))
        }
    }))
}

pub(super) fn content_type(scene: &Scene<'_>) -> Verdict {
    let media_type = |value: &str| {
        let value = value.split(';').next().unwrap_or_default();
        value.trim().to_ascii_lowercase()
    };
    verdict(first(scene).and_then(|first| {
        let stored = scene.stored.page.as_ref().ok_or(Verdict::NotRun)?;
        let found = first.head.get("content-type").unwrap_or_default();
        if media_type(found) == media_type(&stored.content_type) {
            Ok(())
        } else {
            Err(failed(first.head.shown("content-type")))
        }
    }))
}

pub(super) fn body(scene: &Scene<'_>) -> Verdict {
    verdict(first(scene).and_then(|_| {
        for exchange in [&scene.visit.first, &scene.visit.second] {
            let body = match exchange {
                Some(Ok(answer)) if answer.head.status == 200 => &answer.body,
                // The check of the cache tells it.
                _ => continue,
            };
            let body = body
                .as_ref()
                .map_err(|trouble| failed(trouble.to_string()))?;
            compare(scene, body)?;
        }
        Ok(())
    }))
}

/// Whether a body is the stored page once it is decoded.
fn compare(scene: &Scene<'_>, body: &Body) -> Result<(), Verdict> {
    let page_bytes = scene.stored.page.as_ref().map_or(0, |page| page.bytes);
    match &body.decoded {
        Ok(decoded) if decoded.is_page_of(page_bytes) => Ok(()),
        Ok(decoded) => Err(failed(difference(page_bytes, *decoded))),
        Err(why) => Err(failed(why.clone())),
    }
}

pub(super) fn digest(scene: &Scene<'_>) -> Verdict {
    verdict(first_body(scene).and_then(|(first, body)| {
        if scene
            .stored
            .page
            .as_ref()
            .is_none_or(|page| page.digest.is_none())
        {
            return Err(Verdict::NotOffered(
                "the stored page has no digest".to_owned(),
            ));
        }
        let etag = first.head.etag().ok_or(Verdict::NotRun)?;
        match page_digest(&body.tail) {
            Some(digest) if digest.to_string() == etag.opaque => Ok(()),
            Some(digest) => Err(failed(format!(
                "{digest} in the page, ETag: {}",
                clipped(&etag.to_string())
            ))),
            None => Err(failed("no digest at the end of the page")),
        }
    }))
}

pub(super) fn head(scene: &Scene<'_>) -> Verdict {
    verdict(first_body(scene).and_then(|(get, body)| {
        let head = answer(&scene.visit.head)?;
        if head.head.status != get.head.status {
            return Err(failed(status_line(head)));
        }
        if head.extra > 0 {
            return Err(failed("a body after the headers"));
        }
        for name in ["content-type", "etag", "content-encoding"] {
            let (found, expected) = (head.head.shown(name), get.head.shown(name));
            if found != expected {
                return Err(failed(format!("{found}, where GET has {expected}")));
            }
        }
        let length = head.head.get("content-length");
        if length.is_some_and(|length| length.trim() != body.bytes().to_string()) {
            let found = head.head.shown("content-length");
            return Err(failed(format!("{found}, where GET has {}", body.bytes())));
        }
        Ok(())
    }))
}

pub(super) fn compression(scene: &Scene<'_>) -> Verdict {
    verdict(whole(&scene.visit.coded).and_then(|(coded, body)| {
        let Some(coding) = coding(coded) else {
            let why = "no Content-Encoding for Accept-Encoding: gzip, br";
            return Err(Verdict::NotOffered(why.to_owned()));
        };
        compare(scene, body).map_err(|verdict| match verdict {
            Verdict::Failed(found) if body.decoded.is_ok() => {
                failed(format!("{found} in {coding}"))
            }
            other => other,
        })
    }))
}

/// The coding of an answer; none where it is plain.
pub(super) fn coding(answer: &Answer) -> Option<&str> {
    let coding = answer.head.get("content-encoding")?.trim();
    (!coding.is_empty() && !coding.eq_ignore_ascii_case("identity")).then_some(coding)
}

pub(super) fn robots(scene: &Scene<'_>) -> Verdict {
    verdict(first(scene).and_then(|first| {
        let noindex = match scene.stored.robots {
            Robots::Said { noindex } => noindex,
            // Nothing is expected where nobody says what.
            Robots::Unsaid(why) => return Err(Verdict::NotOffered(why.to_owned())),
        };
        if first.head.is_noindex() == noindex {
            return Ok(());
        }
        let said = if noindex { "noindex" } else { "index" };
        let found = first.head.shown("x-robots-tag");
        Err(failed(format!(
            "{found}, where the meta object says {said}"
        )))
    }))
}

pub(super) fn gone(scene: &Scene<'_>) -> Verdict {
    verdict(answer(&scene.visit.first).and_then(no_page))
}

pub(super) fn missing(scene: &Scene<'_>) -> Verdict {
    verdict(answer(&scene.visit.first).and_then(|answer| {
        no_page(answer)?;
        let caching = answer.head.caching();
        match caching.longest() {
            Some(seconds) if seconds > LONGEST_MISSING_SECONDS => {
                let found = answer.head.shown("cache-control");
                Err(failed(format!("{}, {found}", answer.head.status)))
            }
            _ => Ok(()),
        }
    }))
}

fn no_page(answer: &Answer) -> Result<(), Verdict> {
    let is_page = answer
        .body
        .as_ref()
        .is_ok_and(|body| page_digest(&body.tail).is_some());
    match answer.head.status {
        200 if is_page => Err(failed("200 with a page of anp")),
        500.. => Err(failed(answer.head.status.to_string())),
        _ => Ok(()),
    }
}
