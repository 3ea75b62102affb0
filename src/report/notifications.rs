//! What is done after a run: caches that were purged, and what a dry run would send.

use serde_json::json;

use super::Output;
use crate::publish::report::Notified;
use crate::words::counted;

/// So many requests are shown one by one.
const FIRST_REQUESTS: u64 = 20;

/// Says what came of one part of a notification. What failed is warned of by itself.
pub(super) fn notified(output: &mut Output, notified: &Notified<'_>, is_quiet: bool) {
    let Notified {
        run,
        to,
        purged,
        problem,
    } = *notified;
    output.json(&json!({
        "type": "notified", "run": run, "to": to, "ok": problem.is_none(), "error": problem,
        "urls": purged.map(|purged| purged.urls),
        "requests": purged.map(|purged| purged.requests),
        "everything": purged.map(|purged| purged.everything),
    }));
    if !is_quiet && problem.is_none() {
        match purged {
            Some(purged) if purged.everything => {
                output.text(format!("purged everything from {to}"));
            }
            Some(purged) if purged.urls > 0 => {
                let (urls, requests) = (purged.urls, purged.requests);
                output.text(format!(
                    "purged {} from {to} ({})",
                    counted(urls, "URL"),
                    counted(requests, "request")
                ));
            }
            Some(_) => {}
            None => output.text("after.command ended well"),
        }
    }
    output.flush();
}

/// The requests that a dry run would send.
#[derive(Default)]
pub(super) struct Requests {
    /// Whether every one is shown.
    pub(super) prints_all: bool,
    count: u64,
    shown: u64,
}

impl Requests {
    pub(super) fn would_send(&mut self, output: &mut Output, to: &str, request: &str) {
        self.count += 1;
        output.json(&json!({ "type": "request", "to": to, "request": request }));
        if self.prints_all || self.shown < FIRST_REQUESTS {
            if self.shown == 0 {
                output.text("\nit would send");
            }
            self.shown += 1;
            output.text(format!("  {to}: {request}"));
        }
    }

    /// Says how many were not shown.
    pub(super) fn rest(self, output: &mut Output) {
        let rest = self.count - self.shown;
        if rest > 0 {
            let rest = counted(rest, "more request");
            output.text(format!("  … and {rest}, shown with --keys"));
        }
        output.flush();
    }
}
