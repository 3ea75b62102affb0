//! Checks that visitors who are logged in and those who are not are kept apart.

use super::scene::{Scene, Verdict, failed, first_body, parting, verdict, whole};
use crate::probe::head::XCache;

pub(super) fn login(scene: &Scene<'_>) -> Verdict {
    verdict(whole(&scene.visit.login).and_then(|(answer, _)| {
        let caching = answer.head.caching();
        if answer.head.x_cache() == Some(XCache::Hit) {
            return Err(failed(answer.head.shown("x-cache")));
        }
        if caching.private || caching.no_store {
            Ok(())
        } else {
            let found = answer.head.shown("cache-control");
            Err(failed(format!("{}, {found}", answer.head.status)))
        }
    }))
}

pub(super) fn anonymous(scene: &Scene<'_>) -> Verdict {
    verdict(first_body(scene).and_then(|(_, expected)| {
        let (after, body) = whole(&scene.visit.after)?;
        if after.head.get("set-cookie").is_some() {
            // Its value is somebody's session.
            return Err(failed("Set-Cookie"));
        }
        let caching = after.head.caching();
        let before = scene
            .visit
            .second
            .as_ref()
            .and_then(|second| second.as_ref().ok());
        let was_private = before.is_some_and(|before| {
            let caching = before.head.caching();
            caching.private || caching.no_store
        });
        // Where it was so before, it is the check of Cache-Control that tells it.
        if (caching.private || caching.no_store) && !was_private {
            return Err(failed(after.head.shown("cache-control")));
        }
        if !body.equals(expected) {
            let of_login = match &scene.visit.login {
                Some(Ok(login)) => login.body.as_ref().is_ok_and(|login| login.equals(body)),
                _ => false,
            };
            return Err(failed(if of_login {
                "the body that the logged-in visitor got".to_owned()
            } else {
                parting(expected, body)
            }));
        }
        let was_hit = before.and_then(|before| before.head.x_cache()) == Some(XCache::Hit);
        if was_hit && after.head.x_cache() != Some(XCache::Hit) {
            return Err(failed(after.head.shown("x-cache")));
        }
        Ok(())
    }))
}
