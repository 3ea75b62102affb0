//! Checks of the ETag, and of what it saves.

use super::page::coding;
use super::scene::{
    Scene, Verdict, answer, failed, first, first_body, parting, status_line, verdict, whole,
};

pub(super) fn etag(scene: &Scene<'_>) -> Verdict {
    verdict(first(scene).and_then(|first| match first.head.etag() {
        Some(_) => Ok(()),
        None => Err(failed(first.head.shown("etag"))),
    }))
}

pub(super) fn same_etag(scene: &Scene<'_>) -> Verdict {
    verdict(answer(&scene.visit.same_etag).and_then(|answer| {
        if answer.head.status != 304 {
            return Err(failed(status_line(answer)));
        }
        if answer.extra > 0 {
            return Err(failed("304 with a body"));
        }
        let first = first(scene)?;
        // RFC 9110, 15.4.5: what a 200 would have said of the cache and the tag is said here too.
        if answer.head.etag() == first.head.etag() {
            Ok(())
        } else {
            let (found, expected) = (answer.head.shown("etag"), first.head.shown("etag"));
            Err(failed(format!(
                "304 with {found}, where 200 has {expected}"
            )))
        }
    }))
}

pub(super) fn other_etag(scene: &Scene<'_>) -> Verdict {
    verdict(first_body(scene).and_then(|(_, expected)| {
        let (_, body) = whole(&scene.visit.other_etag)?;
        if body.equals(expected) {
            Ok(())
        } else {
            Err(failed(parting(expected, body)))
        }
    }))
}

/// A strong tag stands for bytes, and those of the compressed page are others (RFC 9110,
/// 8.8.3.3): with one tag for both, a range of the one may be put together with the other.
/// A weak tag may be the same.
pub(super) fn coded_etag(scene: &Scene<'_>) -> Verdict {
    // The check of compression tells of an answer that is none.
    let coded = whole(&scene.visit.coded).map_err(|_| Verdict::NotRun);
    verdict(coded.and_then(|(coded, _)| {
        if coding(coded).is_none() {
            return Err(Verdict::NotOffered("nothing is compressed".to_owned()));
        }
        let plain = first(scene)?;
        if coding(plain).is_some() {
            return Err(Verdict::NotRun);
        }
        match (plain.head.etag(), coded.head.etag()) {
            (Some(plain), Some(tag)) if plain.strongly_equals(&tag) => {
                Err(failed(format!("{} for both", coded.head.shown("etag"))))
            }
            _ => Ok(()),
        }
    }))
}
