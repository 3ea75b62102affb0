//! What a run changed of what readers see, from its manifest: the durable record, which is there after a
//! crash too.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use serde_json::json;

use crate::archive::FilePath;
use crate::article::Route;
use crate::edge::{Change, ChangeCount, Site};
use crate::failure::Failure;
use crate::publish::history::intents::{Void, intents, void};
use crate::publish::keys::{Keys, ObjectKind};
use crate::publish::manifest::{Action, Footer, Line, Manifest};
use crate::render::TEXT_NAME;
use crate::spool::{FinishedSpool, Spool};

/// The changes of a run as JSON lines on the disk: header, changes, summary.
#[derive(Clone)]
pub(super) struct Changed {
    pub(super) lines: Arc<FinishedSpool>,
    pub(super) count: ChangeCount,
}

/// Collects changes.
pub(super) struct Collector<'a> {
    spool: Spool,
    keys: Keys,
    site: &'a Site,
    count: ChangeCount,
}

impl<'a> Collector<'a> {
    /// For keys under `prefix`; the lines are kept in `folder`.
    pub(super) fn new(prefix: &str, site: &'a Site, folder: &Path) -> std::io::Result<Self> {
        Ok(Self {
            spool: Spool::create(folder)?,
            keys: Keys::new(prefix),
            site,
            count: ChangeCount::default(),
        })
    }

    fn line(&mut self, line: &impl serde::Serialize) -> std::io::Result<()> {
        let line = serde_json::to_vec(line)?;
        self.spool.append(&[&line, b"\n"]).map(drop)
    }

    /// Adds what was done to `key`, if readers see it.
    pub(super) fn add(&mut self, key: &str, action: Action) -> std::io::Result<()> {
        // The time to live alone is no change that readers see.
        if action == Action::Refresh {
            return Ok(());
        }
        let Some((kind, path)) = visible(&self.keys, key) else {
            return Ok(());
        };
        let change = Change {
            action: action.word().to_owned(),
            kind: kind.word().to_owned(),
            url: self.site.url(&path),
            path,
        };
        self.count.add(&change);
        self.line(&change)
    }

    pub(super) fn finish(self) -> std::io::Result<Changed> {
        Ok(Changed {
            lines: Arc::new(self.spool.finish()?),
            count: self.count,
        })
    }
}

/// The kind and the path of an object that readers ask for by an URL.
fn visible(keys: &Keys, key: &str) -> Option<(ObjectKind, String)> {
    ObjectKind::ALL.into_iter().find_map(|kind| {
        let path = key.strip_prefix(&keys.prefix_of(kind))?;
        let path = match kind {
            ObjectKind::Page | ObjectKind::Redirect if Route::parse(path).is_ok() => {
                path.to_owned()
            }
            ObjectKind::File if FilePath::parse(path).is_some() => path.to_owned(),
            ObjectKind::Text => {
                let route = Route::parse(path).ok()?;
                format!("{route}{TEXT_NAME}")
            }
            // Fronts read a meta object for the headers of its page, which changes with it.
            ObjectKind::Page | ObjectKind::Redirect | ObjectKind::File | ObjectKind::Meta => {
                return None;
            }
        };
        Some((kind, path))
    })
}

/// Reads what the run of `manifest` changed, or may have changed if it died. The lines are kept in
/// `folder`.
///
/// # Errors
/// When the manifest turns out to be damaged, the disk is full, or `interrupted` is set.
pub(super) fn read(
    manifest: &Manifest,
    site: &Site,
    folder: &Path,
    interrupted: &AtomicBool,
) -> Result<Changed, String> {
    let said = |failure: Failure| failure.what;
    let kept = |error: std::io::Error| format!("cannot keep what changed: {error}");
    let mut collector = Collector::new(&manifest.header().prefix, site, folder).map_err(kept)?;
    let header = Line::Header(manifest.header().clone());
    collector.line(&header).map_err(kept)?;
    if manifest.wrote() {
        let void = match manifest.footer().is_some_and(wrote_all) {
            true => Void::default(),
            false => void(manifest, interrupted).map_err(said)?,
        };
        for intent in intents(manifest, &void) {
            let intent = intent.map_err(|damage| damage.to_string())?;
            collector.add(&intent.key, intent.action).map_err(kept)?;
        }
    }
    let summary = summary(manifest, collector.count);
    collector.line(&summary).map_err(kept)?;
    collector.finish().map_err(kept)
}

/// Whether each intent was carried out, so that no outcome needs to be known.
fn wrote_all(footer: &Footer) -> bool {
    let counts = &footer.counts;
    counts.conflicts + counts.expired + counts.withheld == 0
}

/// The last line for a program: how the run ended.
fn summary(manifest: &Manifest, count: ChangeCount) -> serde_json::Value {
    let header = manifest.header();
    let footer = manifest.footer();
    json!({
        "type": "summary", "run": header.run, "command": header.command,
        "status": footer.map_or("died", |footer| footer.status.word()),
        "ended_at": footer.map(|footer| footer.ended_at),
        "counts": footer.map(|footer| footer.counts),
        "articles": footer.and_then(|footer| footer.articles),
        "changes": count.keys,
    })
}
