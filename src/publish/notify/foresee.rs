//! What a dry run would send.

use std::sync::Arc;

use super::changed::{Changed, Collector};
use super::send;
use crate::edge::{Purge, Requests, Site, changes};
use crate::failure::Failure;
use crate::publish::apply::progress::KeyReport;
use crate::publish::manifest::Fate;
use crate::publish::outcome::Outcome;
use crate::publish::report::{Both, Report};
use crate::settings::Settings;

/// Does the dry run `work`, and says what would be sent after the real one.
pub(crate) fn dry_run(
    settings: &Settings,
    report: &mut dyn Report,
    work: impl FnOnce(&mut dyn Report) -> Result<Outcome, Failure>,
) -> Result<Outcome, Failure> {
    if !settings.after.is_on() {
        return work(report);
    }
    let site = Site::new(&settings.render.site_url);
    // A dry run needs no state folder.
    let collector = Collector::new(&settings.prefix, &site, &std::env::temp_dir());
    let mut foreseen = Foreseen(collector);
    let outcome = work(&mut Both(report, &mut foreseen))?;
    match foreseen.0.and_then(Collector::finish) {
        Ok(changed) => show(settings, &site, &changed, report),
        Err(error) => report.warning(&format!("cannot tell what would be sent: {error}")),
    }
    Ok(outcome)
}

/// Collects what would be changed.
struct Foreseen<'a>(std::io::Result<Collector<'a>>);

impl Foreseen<'_> {
    fn add(&mut self, key: &KeyReport<'_>) {
        let (Fate::Written, Some(action)) = (key.fate, key.action) else {
            return;
        };
        if let Ok(collector) = &mut self.0
            && let Err(error) = collector.add(key.key, action)
        {
            self.0 = Err(error);
        }
    }
}

impl Report for Foreseen<'_> {
    fn key(&mut self, key: &KeyReport<'_>) {
        self.add(key);
    }

    fn restored(&mut self, key: &KeyReport<'_>) {
        self.add(key);
    }
}

/// Says what would be sent for these changes.
pub(super) fn show(settings: &Settings, site: &Site, changed: &Changed, report: &mut dyn Report) {
    for (name, target) in send::named(&settings.after) {
        if changed.count.keys == 0 {
            continue;
        }
        let purge = Purge {
            requests: Requests { target, site },
            count: changed.count,
        };
        let mut requests = 0_u64;
        let lines = Arc::clone(&changed.lines);
        let read = purge.requests(changes(lines.reader()), &mut |request, _| {
            requests += 1;
            report.would_send(&name, &request.shown());
            true
        });
        if let Err(error) = read {
            report.warning(&format!("cannot tell what would be sent: {error}"));
        } else if requests == 0 {
            let urls = changed.count.urls;
            report.warning(&format!(
                "{urls} URLs would change, more than max_urls: {name} would not be purged"
            ));
        }
    }
    if !settings.after.command.is_empty() {
        report.would_send(send::COMMAND, &settings.after.command.join(" "));
    }
    report.would_have_sent();
}
