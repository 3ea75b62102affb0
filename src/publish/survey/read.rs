//! The part of the survey that reads: the sources of a batch → entries, or what is wrong.
//!
//! Of an article that was read little is kept. Parsed ones are held only until the store has
//! been asked about them, for which a few wait together.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::batch::{Chunk, Other, Owner, SurveyError, UnreadSource, number};
use super::findings::whole_file;
use super::gather::GatheredSurvey;
use super::guard::guarded;
use super::large;
use super::load::{LoadedSource, load};
use super::own_headings;
use super::ownership::{leave, owner_of};
use super::stored::Likely;
use super::surveyor::Surveyor;
use crate::archive::{ArticleIdentity, Draft};
use crate::article;
use crate::article::{Article, Held, Input, Lifetime, Reading, Route};
use crate::characters::is_hidden;
use crate::diagnostic::{Diagnostic, Place, RETRY_AFTER_FIX, Severity};
use crate::publish::plan::entry::{Entry, Spot};
use crate::publish::plan::need::{Need, need};
use crate::publish::plan::stored_article::StoredArticle;
use crate::render;
use crate::render::{Digest, Inputs, Removals, Rendered, Stamp};
use crate::source::{Learned, ListingSpot, Origin, Ranks};
use crate::words::{counted, with};

/// The store is asked about so many articles at once …
const TOGETHER: usize = 64;
/// … or about fewer, of so many bytes of sources, …
const TOGETHER_BYTES: usize = 512 * 1024;
/// … or of so many events of Markdown, which take 24 to 120 bytes each.
const TOGETHER_EVENTS: usize = 50_000;

/// Why anp could not read or render a file that it should have.
const RETRY_AFTER_UPGRADE: &str = "after anp is fixed: please report this";

/// A valid article.
struct ValidArticle<'l> {
    source: &'l LoadedSource<'l>,
    article: Article<'l>,
    digest: Digest,
    /// The hash of the routes of its links.
    links: Option<[u8; 16]>,
    /// What can be remembered of it, if rendering has nothing to say of it either.
    learned: Option<Learned>,
    /// How long it took to read.
    took: Duration,
}

impl ValidArticle<'_> {
    fn inputs(&self, surveyor: &Surveyor<'_>) -> Inputs {
        surveyor.renderer.inputs(&self.article, self.links.as_ref())
    }
}

/// A valid article of another shard: source, route, digest, how long it lives.
type Elsewhere = (usize, Route, Digest, Lifetime);

/// A page that was rendered once more.
pub(crate) struct Again {
    /// Where it is.
    pub spot: Spot,
    /// How many holes it has.
    pub holes: u32,
}

/// Reads the sources of one origin for a survey.
pub(crate) struct SourceReader<'r, 's> {
    pub surveyor: &'r Surveyor<'s>,
    pub origin: &'r dyn Origin,
}

impl SourceReader<'_, '_> {
    /// Reads the `unread` sources of a batch, and renders those that are to be written.
    pub(crate) fn read(
        &self,
        unread: &[UnreadSource],
        chunk: &mut Chunk,
        found: &Mutex<GatheredSurvey>,
    ) -> Result<(), SurveyError> {
        let (mut together, mut bytes) = (Vec::with_capacity(TOGETHER), 0);
        for one in unread {
            let Some(loaded) = load(self.origin, one, chunk) else {
                continue;
            };
            if large::is_large(&loaded.bytes) {
                large::alone(|| self.judge(&[loaded], chunk))?;
                continue;
            }
            bytes += loaded.bytes.len();
            together.push(loaded);
            if together.len() == TOGETHER || bytes >= TOGETHER_BYTES {
                self.judge(&together, chunk)?;
                together.clear();
                bytes = 0;
                let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
                found.hold(&mut chunk.diagnostics);
            }
        }
        self.judge(&together, chunk)
    }

    fn judge(&self, loaded: &[LoadedSource<'_>], chunk: &mut Chunk) -> Result<(), SurveyError> {
        let (mut valid, mut events) = (Vec::with_capacity(loaded.len()), 0);
        let mut elsewhere: Vec<Elsewhere> = Vec::new();
        for source in loaded {
            self.surveyor.goes_on()?;
            let Some(one) = self.parse(source, chunk)? else {
                continue;
            };
            let (metadata, path) = (Some(&one.article.metadata), &source.relative);
            let index = source.unread.index;
            let route = &one.article.route;
            match owner_of(self.surveyor, route, path, metadata, &mut chunk.busy) {
                Owner::Own => {
                    events += one.article.body.events.len();
                    valid.push(one);
                }
                Owner::Elsewhere { .. } => {
                    let mut one = one;
                    if self.is_renderable(&mut one, chunk) {
                        let lifetime = one.article.lifetime();
                        elsewhere.push((index, one.article.route, one.digest, lifetime));
                    }
                }
                owner @ Owner::Nobody => {
                    chunk
                        .learned
                        .extend(self.unrendered(one.learned, &one.article));
                    chunk.others.push(Other {
                        index,
                        route: one.article.route,
                        owner,
                    });
                }
            }
            if events >= TOGETHER_EVENTS {
                self.compare(std::mem::take(&mut valid), chunk)?;
                events = 0;
            }
        }
        leave(self.surveyor, elsewhere, Likely::Absent, chunk)?;
        self.compare(valid, chunk)?;
        if let Some(cache) = &self.surveyor.cache {
            cache.note(&[], std::mem::take(&mut chunk.learned));
        }
        Ok(())
    }

    /// The article of a source; none if it is invalid, or held back.
    fn parse<'l>(
        &self,
        source: &'l LoadedSource<'_>,
        chunk: &mut Chunk,
    ) -> Result<Option<ValidArticle<'l>>, SurveyError> {
        let started = Instant::now();
        let input = Input {
            path: Arc::clone(&source.path),
            relative: &source.relative,
            markup: source.markup,
            bytes: &source.bytes,
            cleaned: &source.cleaned,
        };
        let reading = guarded("read", || article::read(&input, self.surveyor.rules));
        let mut reading = reading.unwrap_or_else(|panic| Reading {
            diagnostics: vec![bug(&source.path, "read", &panic)],
            ..Reading::default()
        });
        self.add_findings(source, &mut reading);
        let (links, rewritten) = match &mut reading.article {
            Some(article) => {
                let assets = self.surveyor.renderer.assets();
                let targets = self.surveyor.targets(self.origin);
                article::resolve_links(article, &source.relative, &targets, assets)
            }
            None => Default::default(),
        };
        if let Some(article) = &reading.article {
            let broken = own_headings::broken(article, &links, self.surveyor.rules, &input);
            let refused = broken.iter().any(|d| d.severity == Severity::Error);
            reading.diagnostics.extend(broken);
            if refused {
                reading.article = None;
            }
        }
        let digest = reading.article.as_ref().map(|article| {
            let further = further(article, rewritten.as_ref());
            self.surveyor.renderer.digest(article, &further)
        });
        let (listing, listed) = self.list(source, reading.article.as_ref().zip(digest))?;
        let learned = match (&self.surveyor.cache, digest) {
            (Some(_), Some(digest)) => source.state(self.origin).and_then(|state| {
                let twins = &self.surveyor.rules.naming.twins;
                let place = (&*source.relative, twins);
                Learned::from(&reading, place, state, (&links, digest), listing)
            }),
            _ => None,
        };
        self.origin
            .place(source.unread.index, &mut reading.diagnostics);
        chunk.diagnostics.extend(reading.diagnostics);
        chunk.cleaned += reading.cleaned;
        let Some((article, digest)) = reading.article.zip(digest) else {
            // A guess is no claim that could make another source invalid.
            let claimed = reading.route.filter(|_| !reading.route_guessed);
            chunk.invalid.push((source.unread.index, claimed));
            return Ok(None);
        };
        if let Some(why) = self.surveyor.held(&article.visibility) {
            chunk.learned.extend(self.unrendered(learned, &article));
            let identity = ArticleIdentity::of(&article.metadata, article.body_hash);
            chunk.hold_back(source.unread.index, why, (&article.route, identity));
            return Ok(None);
        }
        chunk.listed.extend(listed);
        chunk.links.add(number(source.unread.index), &links, true);
        Ok(Some(ValidArticle {
            source,
            article,
            digest,
            links: rewritten,
            learned,
            took: started.elapsed(),
        }))
    }

    /// The body of the article of a source, as HTML for the page of a list; none if it has no article any
    /// more.
    ///
    /// # Errors
    /// When the run has to end, or the body cannot be written.
    pub(crate) fn body(&self, source: u32) -> Result<Option<String>, SurveyError> {
        let unread = UnreadSource {
            index: source as usize,
            asked: None,
        };
        // What is to be said of it was said when it was surveyed.
        let mut said = Chunk::default();
        let Some(loaded) = load(self.origin, &unread, &mut said) else {
            return Ok(None);
        };
        let Some(one) = self.parse(&loaded, &mut said)? else {
            return Ok(None);
        };
        let body = self.surveyor.renderer.body(&one.article);
        body.map(|(html, _)| Some(html))
            .map_err(|error| SurveyError::Render(one.article.route.clone(), error))
    }

    /// Keeps what lists say of the article of a source that is not held back, and what a withdrawn one is known
    /// by.
    fn list(
        &self,
        source: &LoadedSource<'_>,
        article: Option<(&Article<'_>, Digest)>,
    ) -> std::io::Result<(ListingSpot, Option<Draft>)> {
        let is_kept = |held| matches!(held, None | Some(Held::Withdrawn));
        let article = article.filter(|(one, _)| is_kept(self.surveyor.held(&one.visibility)));
        match (&self.surveyor.listings, article) {
            (Some(listings), Some(article)) => listings
                .keep(source.unread.index, &source.relative, article)
                .map(|(spot, draft)| (spot, Some(draft))),
            _ => Ok(Default::default()),
        }
    }

    /// Compares articles with the store, and renders what is to be written.
    fn compare(&self, valid: Vec<ValidArticle<'_>>, chunk: &mut Chunk) -> Result<(), SurveyError> {
        let surveyor = self.surveyor;
        let unasked =
            |one: &&ValidArticle<'_>| one.source.unread.seen(&one.article.route).is_none();
        let open = valid.iter().filter(unasked);
        let open: Vec<&Route> = open.map(|one| &one.article.route).collect();
        let mut answers = surveyor.inspect(&open, Likely::Absent)?.into_iter();
        for mut one in valid {
            let started = Instant::now();
            let article = &one.article;
            let seen = one.source.unread.seen(&article.route);
            let stored = seen.or_else(|| answers.next());
            let stored = stored.unwrap_or(StoredArticle::absent(surveyor.has_texts));
            let lifetime = article.lifetime();
            let when = (&surveyor.expiry, &article.route);
            let made = surveyor.made(one.source.unread.index, one.digest)?;
            let need = match surveyor.keeps_lists && stored.meta.is_list() {
                // A part of the tree does not know what its list has.
                true => Need::Keep,
                false => need(surveyor.policy, &stored, made, when, lifetime),
            };
            let expires_at_ms = surveyor.expiry.of(&article.route, lifetime);
            let rank = surveyor.order.rank(Ranks::of(article));
            let is_noindex = article.visibility.is_noindex;
            let (mut spot, mut holes) = (Spot::default(), 0);
            // Nobody asks what an article was made from that is not written.
            let inputs = (need == Need::Write).then(|| one.inputs(surveyor));
            let reason = surveyor.reason(need, &stored, lifetime, inputs.as_ref());
            if need == Need::Write {
                let Some(rendered) = self.render(&mut one, inputs, chunk) else {
                    continue;
                };
                spot = surveyor.spool_article(&rendered)?;
                holes = self.holes(&rendered.page);
            } else if !self.is_renderable(&mut one, chunk) {
                continue;
            }
            let source = number(one.source.unread.index);
            chunk.slowest.add(one.took + started.elapsed(), source);
            let mut entry = Entry::new(source, one.article.route, need, &stored);
            entry.expires_at_ms = expires_at_ms;
            entry.rank = rank;
            entry.reason = reason;
            entry.is_noindex = is_noindex;
            entry.holes = holes;
            if need == Need::Write {
                // Until it is filled.
                entry.fill = 0;
            }
            chunk.entries.push(entry.at(spot));
        }
        Ok(())
    }

    fn holes(&self, page: &[u8]) -> u32 {
        match self.surveyor.fills {
            true => render::holes(page),
            false => 0,
        }
    }

    /// Renders the article of a source once more, which did not change since; none if it did.
    ///
    /// # Errors
    /// When the run has to end, or the spool fails.
    pub(crate) fn render_again(&self, index: usize) -> Result<Option<Again>, SurveyError> {
        let unread = UnreadSource { index, asked: None };
        // What is to be said of it was said when it was surveyed.
        let mut said = Chunk::default();
        let Some(loaded) = load(self.origin, &unread, &mut said) else {
            return Ok(None);
        };
        let Some(mut one) = self.parse(&loaded, &mut said)? else {
            return Ok(None);
        };
        let inputs = one.inputs(self.surveyor);
        let Some(rendered) = self.render(&mut one, Some(inputs), &mut said) else {
            return Ok(None);
        };
        Ok(Some(Again {
            spot: self.surveyor.spool_article(&rendered)?,
            holes: self.holes(&rendered.page),
        }))
    }

    /// Whether an article that is not to be written could be: which sources are valid does not
    /// depend on what is in the store already.
    fn is_renderable(&self, one: &mut ValidArticle<'_>, chunk: &mut Chunk) -> bool {
        if self.is_judged_by_rendering(&one.article) {
            return self.render(one, None, chunk).is_some();
        }
        chunk.learned.extend(one.learned.take());
        true
    }

    /// Whether rendering can make an article invalid that rendered before: where warnings are
    /// errors, and it may have to leave something out.
    fn is_judged_by_rendering(&self, article: &Article<'_>) -> bool {
        self.surveyor.rules.strict && render::may_remove(article)
    }

    /// What is remembered of an article that is not rendered.
    fn unrendered(&self, learned: Option<Learned>, article: &Article<'_>) -> Option<Learned> {
        if self.is_judged_by_rendering(article) {
            learned.map(Learned::that_must_render)
        } else {
            learned
        }
    }

    /// Renders an article; none if that makes it invalid.
    fn render(
        &self,
        one: &mut ValidArticle<'_>,
        inputs: Option<Inputs>,
        chunk: &mut Chunk,
    ) -> Option<Rendered> {
        let learned = one.learned.take();
        let stamp = Stamp {
            inputs,
            ..self.surveyor.stamp
        };
        let rendered = guarded("render", || {
            self.surveyor
                .renderer
                .render(&one.article, one.digest, &stamp)
        });
        match rendered {
            Ok(Ok(rendered)) => {
                let mut removed = self.removed(&rendered.removals, one);
                self.origin.place(one.source.unread.index, &mut removed);
                let refused = removed.iter().any(|d| d.severity == Severity::Error);
                chunk.learned.extend(if refused {
                    learned.map(Learned::that_must_render)
                } else {
                    learned
                });
                chunk.diagnostics.extend(removed);
                if !refused {
                    return Some(rendered);
                }
            }
            Ok(Err(error)) => {
                chunk.learned.extend(learned.map(Learned::that_must_render));
                let path = Arc::clone(&one.source.path);
                let message = error.to_string();
                let error = whole_file(path, error.code, message, RETRY_AFTER_FIX);
                self.report(one.source, error, chunk);
            }
            Err(panic) => {
                self.report(one.source, bug(&one.source.path, "render", &panic), chunk);
            }
        }
        let route = one.article.route.clone();
        chunk.invalid.push((one.source.unread.index, Some(route)));
        None
    }

    /// Adds what the reader of an export has to say of an article.
    fn add_findings(&self, source: &LoadedSource<'_>, reading: &mut Reading<'_>) {
        let is_strict = self.surveyor.rules.strict;
        for finding in &source.findings {
            let path = Arc::clone(&source.path);
            let (code, message) = (&finding.code, finding.message.clone());
            let mut found = whole_file(path, code, message, RETRY_AFTER_FIX);
            found.place = Some(Place {
                line: finding.line,
                column: 1,
                length: 1,
                text: String::new(),
                window_start: 1,
            });
            if !is_strict {
                found.severity = Severity::Warning;
            }
            reading.diagnostics.push(found);
        }
        if is_strict && !source.findings.is_empty() {
            reading.article = None;
        }
    }

    fn report(&self, source: &LoadedSource<'_>, finding: Diagnostic, chunk: &mut Chunk) {
        let mut finding = [finding];
        self.origin.place(source.unread.index, &mut finding);
        chunk.diagnostics.extend(finding);
    }

    /// What rendering left out, as warnings, or as errors where warnings are errors.
    fn removed(&self, removals: &Removals, one: &ValidArticle<'_>) -> Vec<Diagnostic> {
        let named = removals.named.iter().map(|removal| {
            let (code, message) = removal.finding();
            (
                code,
                message,
                removal.offset.zip(Some(removal.what.length())),
            )
        });
        let unnamed = (removals.unnamed > 0).then(|| {
            let more = u64::from(removals.unnamed);
            let removed = counted(more, "more tag or URL").replace("URLs", "tags and URLs");
            let message = format!(
                "removed {removed} that {} not allowed",
                with(more, "is", "are")
            );
            ("body.html", message, None)
        });
        let found = named.chain(unnamed);
        found
            .map(|(code, message, place)| {
                let path = Arc::clone(&one.source.path);
                let mut diagnostic = whole_file(path, code, message, RETRY_AFTER_FIX);
                let source = std::str::from_utf8(&one.source.bytes).unwrap_or_default();
                diagnostic.place = place.map(|(offset, length)| {
                    let mut span = one.article.body.place_of(offset);
                    span.length = length;
                    Place::in_text(source, span)
                });
                if !self.surveyor.rules.strict {
                    diagnostic.severity = Severity::Warning;
                }
                diagnostic
            })
            .collect()
    }
}

/// What decides a page without being in its source: what its name says, where its links lead, and
/// what the settings say of its fields.
fn further(article: &Article<'_>, links: Option<&[u8; 16]>) -> Vec<u8> {
    let mut further = article.said_by_name.as_bytes().to_vec();
    further.extend(links.into_iter().flatten());
    if article.visibility.is_noindex {
        further.extend_from_slice(b"noindex");
    }
    further
}

fn bug(path: &Arc<PathBuf>, step: &str, panic: &str) -> Diagnostic {
    let message = format!(
        "anp could not {step} this file, which is a bug in anp: {}",
        panic.replace(is_hidden, " ")
    );
    let mut diagnostic = whole_file(Arc::clone(path), "bug", message, RETRY_AFTER_UPGRADE);
    diagnostic.help =
        Some("report it, with this file; the other files are not affected".to_owned());
    diagnostic
}
