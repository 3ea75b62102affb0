//! The checks: each a name, what is expected, and a small function that judges a visit.

mod archive;
mod cache;
mod page;
mod scene;
mod validators;
mod visitors;

pub use scene::{Scene, Verdict};

use super::stored::Stored;
use super::subject::Subject;

/// One check.
#[derive(Clone, Copy)]
pub struct Check {
    /// Its name, for people and machines.
    pub name: &'static str,
    /// What is expected of each route.
    pub expects: &'static str,
    judge: fn(&Scene<'_>) -> Verdict,
}

/// The checks of a route that the store holds, in the order in which they are shown.
pub const CHECKS: [Check; 17] = [
    Check {
        name: "status",
        expects: "an answer with 200",
        judge: page::status,
    },
    Check {
        name: "content-type",
        expects: "Content-Type: text/html",
        judge: page::content_type,
    },
    Check {
        name: "body",
        expects: "the bytes of the stored page",
        judge: page::body,
    },
    Check {
        name: "digest",
        expects: "one digest, at the end of the page and in its ETag",
        judge: page::digest,
    },
    Check {
        name: "cache-control",
        expects: "Cache-Control: public, max-age=…, with the times that are set",
        judge: cache::cache_control,
    },
    Check {
        name: "max-age",
        expects: "max-age less Age is at most what the store has left (1 s of slack)",
        judge: cache::max_age,
    },
    Check {
        name: "x-cache",
        expects: "X-Cache: HIT for the second request",
        judge: cache::x_cache,
    },
    Check {
        name: "etag",
        expects: "an ETag, strong or weak",
        judge: validators::etag,
    },
    Check {
        name: "same-etag",
        expects: "304 without a body where If-None-Match has the ETag",
        judge: validators::same_etag,
    },
    Check {
        name: "other-etag",
        expects: "200 with the page where If-None-Match has another ETag",
        judge: validators::other_etag,
    },
    Check {
        name: "head",
        expects: "HEAD answers as GET does, without a body",
        judge: page::head,
    },
    Check {
        name: "compression",
        expects: "gzip or brotli that decodes to the stored page",
        judge: page::compression,
    },
    Check {
        name: "vary",
        expects: "Vary: Accept-Encoding where the page is compressed",
        judge: cache::vary,
    },
    Check {
        name: "coded-etag",
        expects: "no strong ETag that the plain page has too, where it is compressed",
        judge: validators::coded_etag,
    },
    Check {
        name: "robots",
        expects: "X-Robots-Tag: noindex where the meta object says so, and nowhere else",
        judge: page::robots,
    },
    Check {
        name: "login",
        expects: "200 with private or no-store, and no HIT, for a visitor with a login cookie",
        judge: visitors::login,
    },
    Check {
        name: "anonymous",
        expects: "after a logged-in visitor the next one gets the page as before",
        judge: visitors::anonymous,
    },
];

/// The check of a file.
pub const FILE: Check = Check {
    name: "file",
    expects: "200 with the stored bytes, their type and digest, for no longer than the store has left",
    judge: archive::file,
};

/// The check of a redirect.
pub const REDIRECT: Check = Check {
    name: "redirect",
    expects: "the stored status and Location, for no longer than the store has left",
    judge: archive::redirect,
};

/// The check of a route that the store does not hold (any more).
pub const GONE: Check = Check {
    name: "gone",
    expects: "no page of anp where the store has none",
    judge: page::gone,
};

/// The check of a route that never was.
pub const MISSING: Check = Check {
    name: "missing",
    expects: "no page of anp for a route that does not exist, cached for at most 60 s",
    judge: page::missing,
};

/// The checks of what is asked for, where the store holds it or not. A file or redirect that is gone has
/// none: another answer may be at its path.
#[must_use]
pub fn checks_of(subject: Subject<'_>, stored: &Stored) -> &'static [Check] {
    match (subject, stored.is_there()) {
        (Subject::Page(_), true) => &CHECKS,
        (Subject::Page(_), false) => &[GONE],
        (Subject::File(_), true) => &[FILE],
        (Subject::Redirect(_), true) => &[REDIRECT],
        (Subject::File(_) | Subject::Redirect(_), false) => &[],
    }
}

impl Check {
    /// Judges one route.
    #[must_use]
    pub fn judge(&self, scene: &Scene<'_>) -> Verdict {
        (self.judge)(scene)
    }
}

impl std::fmt::Debug for Check {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}
