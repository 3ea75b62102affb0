//! What a run changed. Its manifest holds what each key was before; what the run made of it is in the
//! store, as long as nobody changed it since, or in the manifest of a later run that replaced it.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::{
    ArchiveChange, ArticleDiff, DiffSink, MOST_BYTES, ObjectDiff, Scope, Side, TOGETHER, Totals,
    stored,
};
use crate::article::Route;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::publish::history::intents::{Void, intents, void};
use crate::publish::history::open_manifest::{self, unusable};
use crate::publish::keys::Keys;
use crate::publish::manifest::{Action, Intent, Manifest, Snapshot};
use crate::publish::plan::entry::EntryKind;
use crate::publish::reason::Reason;
use crate::publish::report::Report;
use crate::publish::run::connection::Connected;
use crate::publish::state::{Content, Fingerprint};
use crate::publish::survey::selection::Selection;
use crate::settings::Settings;
use crate::spool::{FinishedSpool, Spool};
use crate::store::Session;

/// Shows what the run named `run` changed. What it wrote is also looked for in the manifest of the later
/// run `against`, if there is one.
///
/// # Errors
/// When a manifest or the store cannot be read, or `interrupted` is set.
pub(crate) fn run_changed(
    settings: &Settings,
    (run, against): (&str, Option<&str>),
    scope: &Scope,
    interrupted: &Arc<AtomicBool>,
    report: &mut dyn Report,
    sink: &mut dyn DiffSink,
) -> Result<(String, Totals), Failure> {
    let manifest = open_manifest::open(settings, run, report)?;
    let against = against.map(|run| open_manifest::open(settings, run, report));
    let against = against.transpose()?;
    let address = open_manifest::address(settings, &manifest)?;
    let void = void(&manifest, interrupted)?;
    let selection = scope.selection()?;
    let mut store = Connected::open_to_read(&address, settings, interrupted)?;
    store.is_that_of(manifest.header())?;
    let source = RunDiff {
        manifest: &manifest,
        void: &void,
        selection: &selection,
        scope,
    };
    let later = against.map(|against| Replaced::read(&against, &source, interrupted));
    let mut reader = Reader {
        keys: Keys::new(&manifest.header().prefix),
        later: later.transpose()?,
        session: &mut store.session,
        together: Vec::new(),
        sink,
    };
    let totals = source.each_article(&mut |change| match change {
        RunChange::Article(article) => reader.add(article),
        RunChange::Archive(object) => {
            // In the order of the run.
            reader.show()?;
            reader.sink.archive_object(&object);
            Ok(())
        }
    })?;
    reader.show()?;
    Ok((manifest.header().run.clone(), totals))
}

/// What a run changed.
enum RunChange {
    /// An article, by its intents.
    Article(Vec<Intent>),
    Archive(ArchiveChange),
}

/// The articles of a run.
struct RunDiff<'a> {
    manifest: &'a Manifest,
    void: &'a Void,
    selection: &'a Selection,
    scope: &'a Scope,
}

impl RunDiff<'_> {
    /// Visits the articles that are shown, each with its intents: they follow each other in a manifest; and the
    /// archive objects that are named. A list that is asked for is shown like an article.
    fn each_article(
        &self,
        visit: &mut dyn FnMut(RunChange) -> Result<(), Failure>,
    ) -> Result<Totals, Failure> {
        let keys = Keys::new(&self.manifest.header().prefix);
        let mut totals = Totals::default();
        let mut intents = intents(self.manifest, self.void).peekable();
        while let Some(intent) = intents.next() {
            let intent = intent.map_err(|damage| unusable(&damage))?;
            let Some((kind, path)) = kind_of(&keys, &intent.key) else {
                continue;
            };
            let is_single = kind.objects().len() == 1;
            let path = path.to_owned();
            let is_same = |next: &Intent| !is_single && path_is(&keys, next, &path);
            let mut article = vec![intent];
            while let Some(Ok(next)) = intents.next_if(|next| next.as_ref().is_ok_and(is_same)) {
                article.push(next);
            }
            if !self.is_meant(&path) {
                continue;
            }
            article.retain(|intent| intent.action != Action::Refresh);
            let first = article.first();
            let of_archive = is_single || first.is_some_and(|first| first.of_archive);
            match first {
                None => totals.refreshed += u64::from(!is_single),
                Some(first) if of_archive && (is_single || self.selection.globs.is_empty()) => {
                    totals.archive += 1;
                    if self.scope.is_named(&totals) {
                        totals.named += 1;
                        visit(RunChange::Archive(ArchiveChange {
                            kind: if is_single { kind } else { EntryKind::List },
                            route: path,
                            action: first.action,
                            reason: first.reason,
                        }))?;
                    }
                }
                Some(_) => {
                    totals.changed += 1;
                    if self.scope.is_shown(&totals) {
                        totals.shown += 1;
                        visit(RunChange::Article(article))?;
                    }
                }
            }
        }
        Ok(totals)
    }

    fn is_meant(&self, path: &str) -> bool {
        self.selection.globs.is_empty()
            || Route::parse(path).is_ok_and(|route| self.selection.fits(&route))
    }
}

/// What a key is of, as far as it tells, and the route or path in it.
fn kind_of<'k>(keys: &Keys, key: &'k str) -> Option<(EntryKind, &'k str)> {
    let single = |kind: EntryKind| {
        let prefix = keys.prefix_of(kind.objects()[0]);
        key.strip_prefix(&prefix).map(|path| (kind, path))
    };
    let page = path(keys, key).map(|path| (EntryKind::Article, path));
    page.or_else(|| single(EntryKind::File))
        .or_else(|| single(EntryKind::Redirect))
}

/// The route in the key of a page or meta object.
fn path<'k>(keys: &Keys, key: &'k str) -> Option<&'k str> {
    let path = key.strip_prefix(&keys.page_prefix());
    path.or_else(|| key.strip_prefix(&keys.meta_prefix()))
}

fn path_is(keys: &Keys, intent: &Intent, expected: &str) -> bool {
    path(keys, &intent.key) == Some(expected)
}

/// A key that a run changed.
struct Recorded {
    key: String,
    action: Action,
    reason: Option<Reason>,
    old: Side,
    made: Option<Snapshot>,
}

/// Reads what the run wrote of some articles together, and shows them.
struct Reader<'a> {
    keys: Keys,
    later: Option<Replaced>,
    session: &'a mut Session,
    together: Vec<Vec<Recorded>>,
    sink: &'a mut dyn DiffSink,
}

impl Reader<'_> {
    fn add(&mut self, article: Vec<Intent>) -> Result<(), Failure> {
        let recorded = article.into_iter().map(|intent| {
            Ok(Recorded {
                old: prior(&intent)?,
                key: intent.key,
                action: intent.action,
                reason: intent.reason,
                made: intent.made,
            })
        });
        self.together
            .push(recorded.collect::<Result<_, Failure>>()?);
        if self.together.len() == TOGETHER {
            self.show()?;
        }
        Ok(())
    }

    fn show(&mut self) -> Result<(), Failure> {
        let articles = std::mem::take(&mut self.together);
        let made = articles.iter().flatten().filter(|one| one.made.is_some());
        let keys: Vec<&str> = made.map(|one| one.key.as_str()).collect();
        let mut now = stored::read(self.session, &keys)?.into_iter();
        for article in articles {
            let first = &article[0];
            let mut shown = ArticleDiff {
                route: path(&self.keys, &first.key).unwrap_or_default().to_owned(),
                action: first.action,
                reason: first.reason,
                objects: Vec::new(),
            };
            for one in article {
                let new = match &one.made {
                    None => Side::Absent,
                    Some(made) => {
                        let now = now.next().unwrap_or(Side::Absent);
                        self.written(&one.key, made, now)?
                    }
                };
                shown.objects.push(ObjectDiff {
                    is_page: one.key.starts_with(&self.keys.page_prefix()),
                    key: one.key,
                    old: one.old,
                    new,
                });
            }
            self.sink.article(&shown);
        }
        Ok(())
    }

    /// What the run made of a key that holds `now`.
    fn written(&self, key: &str, made: &Snapshot, now: Side) -> Result<Side, Failure> {
        if made.bytes.is_some_and(|bytes| bytes > MOST_BYTES as u64) {
            return Ok(Side::TooLarge);
        }
        let sum = made.sha1.as_deref().and_then(Fingerprint::parse);
        let is_made =
            |side: &Side| matches!(side, Side::Value(value) if Some(Fingerprint::of(value)) == sum);
        if is_made(&now) {
            return Ok(now);
        }
        let replaced = self.later.as_ref();
        let replaced = replaced.map_or(Ok(None), |later| later.value(key))?;
        let replaced = replaced.map(Side::Value).filter(is_made);
        Ok(replaced.unwrap_or(Side::MovedOn))
    }
}

/// What a key was before the run.
fn prior(intent: &Intent) -> Result<Side, Failure> {
    let Some(prior) = &intent.prior else {
        return Ok(Side::Absent);
    };
    let content = prior.content();
    let content = content.map_err(|error| damaged(&error))?;
    Ok(match content {
        Some(Content::Value(value)) if value.len() > MOST_BYTES => Side::TooLarge,
        Some(Content::Value(value)) => Side::Value(value),
        _ => Side::OtherType,
    })
}

fn damaged(what: &str) -> Failure {
    let what = format!("the manifest contradicts itself: {what}");
    Failure::new(Exit::Refused, what)
        .note("retry", "with a copy of the manifest; nothing was written")
}

/// What a later run replaced of the keys of a run: their values as it found them, in a file, since they
/// may be many.
struct Replaced {
    places: HashMap<[u8; 16], (u64, usize)>,
    spooled: FinishedSpool,
}

impl Replaced {
    /// Reads the values of the keys that `run` shows from the manifest of the later run.
    fn read(
        later: &Manifest,
        run: &RunDiff<'_>,
        interrupted: &AtomicBool,
    ) -> Result<Self, Failure> {
        let mut places = HashMap::new();
        run.each_article(&mut |article| {
            if let RunChange::Article(article) = article {
                places.extend(article.iter().map(|intent| (hash(&intent.key), (0, 0))));
            }
            Ok(())
        })?;
        let folder = std::env::temp_dir();
        let failed = |error: std::io::Error| {
            let what = format!("cannot write the spool in {}", folder.display());
            Failure::state_folder(&what, &error)
        };
        let mut spool = Spool::create(&folder).map_err(failed)?;
        let void = void(later, interrupted)?;
        for intent in intents(later, &void) {
            let intent = intent.map_err(|damage| unusable(&damage))?;
            if let Some(place) = places.get_mut(&hash(&intent.key))
                && let Side::Value(value) = prior(&intent)?
            {
                *place = (spool.append(&[&value]).map_err(failed)?, value.len());
            }
        }
        Ok(Self {
            places,
            spooled: spool.finish().map_err(failed)?,
        })
    }

    fn value(&self, key: &str) -> Result<Option<Vec<u8>>, Failure> {
        let Some((offset, length)) = self.places.get(&hash(key)) else {
            return Ok(None);
        };
        let value = self.spooled.read(*offset, *length);
        let failed = |error| Failure::state_folder("cannot read the spool", &error);
        value.map(Some).map_err(failed)
    }
}

fn hash(key: &str) -> [u8; 16] {
    let mut hash = [0; 16];
    let mut hasher = blake3::Hasher::new();
    hasher.update(key.as_bytes());
    hasher.finalize_xof().fill(&mut hash);
    hash
}
