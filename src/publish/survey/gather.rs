//! What the survey can say only once it has seen all sources.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use rayon::prelude::*;

use super::batch::{Chunk, Other, Owner, number};
use super::findings::{HeldFindings, MAX_FINDINGS, whole_file};
use super::held_back::HeldSources;
use super::links::FollowedLinks;
use super::links::LINK;
use super::slowest::SlowestSources;
use super::surveyor::Survey;
use crate::archive::{
    Aliases, ArchiveSettings, Catalog, CatalogBuilder, ListSettings, Lists, numbered_routes,
};
use crate::article::{Naming, Route, SourceName, alias_place, route_of_name};
use crate::diagnostic::{Diagnostic, RETRY_AFTER_FIX, Severity};
use crate::publish::plan::entry::Entry;
use crate::source::Origin;
use crate::words::listed;

/// How many of the other sources with one route a message names.
const NAMED: usize = 3;

/// What was found so far. Batches come in the order in which they end; each gives back its
/// memory then, so that what is found never lies there twice.
pub(crate) struct GatheredSurvey {
    survey: Survey,
    findings: HeldFindings,
    held: HeldSources,
    /// Numbers of the sources that are invalid.
    invalid: HashSet<u32>,
    /// Numbers of the sources that changed while they were read.
    changed: Vec<u32>,
    /// The claims of sources that have no entry.
    others: Vec<Claim>,
    links: FollowedLinks,
    /// What lists say of the articles; none where there are no lists.
    catalog: Option<CatalogBuilder>,
    slowest: SlowestSources,
}

struct Claim {
    route: Route,
    source: u32,
    /// Who writes it; none where it is invalid.
    owner: Option<Owner>,
}

impl GatheredSurvey {
    /// Nothing yet, of the sources of `origin`. Of all findings, only those of `code` will be held, if it is
    /// given; `has_lists`: what lists say of articles is.
    pub(crate) fn new(origin: &dyn Origin, code: Option<&str>, has_lists: bool) -> Self {
        Self {
            survey: Survey {
                // Growing would copy all of it. What is not used costs no memory.
                entries: Vec::with_capacity(origin.count()),
                ..Survey::default()
            },
            findings: HeldFindings::new(code.map(str::to_owned), origin.is_one_file()),
            held: HeldSources::default(),
            invalid: HashSet::new(),
            changed: Vec::new(),
            others: Vec::new(),
            links: FollowedLinks::default(),
            catalog: has_lists.then(CatalogBuilder::default),
            slowest: SlowestSources::default(),
        }
    }

    /// Findings of a batch that is not at its end yet.
    pub(crate) fn hold(&mut self, findings: &mut Vec<Diagnostic>) {
        self.findings.add(findings.drain(..));
    }

    pub(crate) fn add(&mut self, chunk: Chunk) {
        let survey = &mut self.survey;
        survey.entries.extend(chunk.entries);
        self.findings.add(chunk.diagnostics);
        self.findings.add_recalled(chunk.recalled);
        survey.cleaned += chunk.cleaned;
        self.changed.extend(chunk.changed.into_iter().map(number));
        for (index, route, why) in chunk.held {
            self.held.add(number(index), why);
            survey.held_routes.push(route);
        }
        survey.withdrawn.extend(chunk.withdrawn);
        survey.busy.extend(chunk.busy);
        self.links.merge(chunk.links);
        if let Some(catalog) = &mut self.catalog {
            chunk
                .listed
                .into_iter()
                .for_each(|draft| catalog.add(draft));
        }
        self.slowest.merge(chunk.slowest);
        let claim = |index, route, owner| Claim {
            route,
            source: number(index),
            owner,
        };
        for Other {
            index,
            route,
            owner,
        } in chunk.others
        {
            self.others.push(claim(index, route, Some(owner)));
        }
        for (index, route) in chunk.invalid {
            self.invalid.insert(number(index));
            self.others
                .extend(route.map(|route| claim(index, route, None)));
        }
    }

    /// Every claim of a route, with the number of its source. The `others` follow the entries.
    fn claim(&self, index: u32) -> (&Route, u32) {
        let (entries, index) = (&self.survey.entries, index as usize);
        match entries.get(index) {
            Some(entry) => (&entry.route, entry.source),
            None => {
                let claim = &self.others[index - entries.len()];
                (&claim.route, claim.source)
            }
        }
    }

    /// Makes every source invalid whose route another source claims too.
    fn refuse_collisions(&mut self, origin: &dyn Origin, naming: &Naming) {
        // Sorted are numbers of claims: of a million, the routes alone have 40 MB.
        let all = number(self.survey.entries.len() + self.others.len());
        let mut claims: Vec<u32> = (0..all).collect();
        claims.par_sort_unstable_by(|a, b| self.claim(*a).cmp(&self.claim(*b)));
        let mut findings = std::mem::take(&mut self.findings);
        let same_route = |a: &u32, b: &u32| self.claim(*a).0 == self.claim(*b).0;
        let mut refused = Vec::new();
        for same in claims.chunk_by(same_route) {
            if same.len() < 2 {
                continue;
            }
            let shown = |claim: &u32| origin.shown_at(self.claim(*claim).1 as usize);
            // One more than each message names: the one that it is about is not among them.
            let named = same.iter().take(NAMED + 1);
            let named: Vec<PathBuf> = named.map(shown).collect();
            let help = self.way_out(origin, naming, &claims, same);
            for (at, claim) in same.iter().enumerate() {
                let (route, source) = self.claim(*claim);
                let others = named.iter().enumerate().filter(|(other, _)| *other != at);
                let others = others.map(|(_, path)| path.display().to_string());
                let others = listed(others.take(NAMED), same.len() - 1);
                let message = format!("duplicate route {route}: also produced by {others}");
                let path = Arc::new(shown(claim));
                let mut finding = whole_file(path, "route", message, RETRY_AFTER_FIX);
                finding.help = Some(help.clone());
                let mut finding = [finding];
                origin.place(source as usize, &mut finding);
                findings.add(finding);
                refused.push(source);
            }
        }
        self.findings = findings;
        self.invalid.extend(refused);
    }

    /// Sorts what was found, and refuses what claims a route that another source claims too.
    pub(crate) fn settle(&mut self, origin: &dyn Origin, naming: &Naming) {
        let by_source = |entry: &Entry| entry.source;
        self.survey.entries.sort_unstable_by_key(by_source);
        self.refuse_collisions(origin, naming);
    }

    /// The links of all sources.
    pub(crate) fn links(&self) -> &FollowedLinks {
        &self.links
    }

    /// Routes without a source that links may have: of lists and aliases, as `settings` ask for them.
    pub(crate) fn other_routes(&self, settings: &ArchiveSettings) -> HashSet<Route> {
        let mut routes: HashSet<Route> = HashSet::new();
        if let Some(catalog) = &self.catalog {
            routes.extend(catalog.other_routes(settings));
        }
        if settings.lists.as_ref().is_some_and(|lists| lists.folders) {
            for (route, _) in self.claims() {
                let mut folder = route.parent();
                while let Some(above) = folder {
                    folder = above.parent();
                    if !routes.insert(above) {
                        break;
                    }
                }
            }
        }
        routes
    }

    /// The routes of the numbered pages of `lists`.
    pub(crate) fn numbered_routes(&self, lists: &ListSettings) -> impl Iterator<Item = Route> {
        let valid = self
            .claims()
            .filter(|(_, source)| !self.invalid.contains(source));
        let routes: HashMap<u32, &Route> = valid.map(|(route, source)| (source, route)).collect();
        let of_catalog = self.catalog.as_ref().map(|catalog| {
            let pages = self
                .claims()
                .filter(|(_, source)| !catalog.is_section(*source));
            let claimed: HashSet<&Route> = pages.map(|(route, _)| route).collect();
            let route_of = move |source| routes.get(&source).copied();
            numbered_routes(catalog, lists, route_of, move |route| {
                claimed.contains(route)
            })
        });
        of_catalog.into_iter().flatten()
    }

    /// Every route that a source claims, with the number of the source.
    pub(crate) fn claims(&self) -> impl Iterator<Item = (&Route, u32)> {
        let entries = self.survey.entries.iter();
        let entries = entries.map(|entry| (&entry.route, entry.source));
        let others = self.others.iter();
        entries.chain(others.map(|claim| (&claim.route, claim.source)))
    }

    /// The routes of sources that changed while they were read, guessed from their names.
    pub(crate) fn guesses(&self, origin: &dyn Origin, naming: &Naming) -> Vec<(Route, u32)> {
        let of_name = |source: &u32| {
            let route = route_of_name(&origin.relative(*source as usize), naming).ok()?;
            Some((route, *source))
        };
        self.changed.iter().filter_map(of_name).collect()
    }

    /// Adds findings about links, counts `beyond` more of this severity, and makes the sources `refused`
    /// invalid.
    pub(crate) fn refuse(
        &mut self,
        findings: Vec<Diagnostic>,
        (severity, beyond): (Severity, [u64; 2]),
        refused: Vec<u32>,
    ) {
        self.findings.add(findings);
        self.findings.count(severity, LINK, beyond);
        self.invalid.extend(refused);
    }

    /// The help line for sources with the `same` route. `claims` are all claims, sorted by route.
    fn way_out(
        &self,
        origin: &dyn Origin,
        naming: &Naming,
        claims: &[u32],
        same: &[u32],
    ) -> String {
        let Some(route) = same.first().map(|claim| self.claim(*claim).0) else {
            return String::new();
        };
        let is_free = |other: &str| {
            let found = claims.binary_search_by(|claim| self.claim(*claim).0.as_str().cmp(other));
            found.is_err()
        };
        let whole = route.as_str().trim_end_matches('/');
        let free = (2..100).map(|number| format!("{whole}-{number}/"));
        let free = free.into_iter().find(|other| is_free(other));
        let free = free.unwrap_or_else(|| format!("{whole}-100/"));
        let slug = free
            .trim_matches('/')
            .rsplit('/')
            .next()
            .unwrap_or_default();
        let some: Vec<(usize, PathBuf)> = same
            .iter()
            .take(NAMED + 1)
            .map(|claim| self.claim(*claim).1 as usize)
            .map(|source| (source, origin.relative(source)))
            .collect();
        let named = some.iter().filter_map(|(source, relative)| {
            let name = SourceName::new(relative, &naming.languages).ok()?;
            let is_of_name = name.route(naming, None, None).as_ref() == Ok(route);
            is_of_name.then(|| (origin.shown_at(*source).display().to_string(), name))
        });
        let named: Vec<_> = named.collect();
        let marked = named.iter().find(|(_, name)| name.is_in_site_language());
        if let Some((path, _)) = marked.filter(|_| named.len() > 1) {
            return format!(
                "{path} is in the language of the site, as files without a language are: if the \
                 other is not, set site.lang to its language"
            );
        }
        // A file that was there before the others is more likely to sort first.
        match named.last() {
            Some((path, name)) if name.is_index() => {
                format!("add 'route: {free}' to {path}, or rename its folder")
            }
            Some((path, name)) if name.date().is_some() => format!(
                "add 'slug: {slug}' to {path}, or set 'route: /{{year}}/{{month}}/{{day}}/{{slug}}/' \
                 in anp.yaml"
            ),
            Some((path, _)) => format!("add 'slug: {slug}' to {path}"),
            None => "give one of them another slug or route".to_owned(),
        }
    }
}

/// The survey of all batches, with the lists and aliases that `settings` ask for, and the lines of the first
/// findings of each code, so many.
pub(crate) fn close(
    origin: &dyn Origin,
    naming: &Naming,
    settings: Option<&ArchiveSettings>,
    (found, lines): (GatheredSurvey, usize),
) -> Survey {
    let GatheredSurvey {
        mut survey,
        mut findings,
        held,
        invalid,
        changed,
        others,
        links: _,
        catalog,
        slowest,
    } = found;
    survey.slowest = slowest.named(origin);
    let refused = |entry: &mut Entry| invalid.contains(&entry.source);
    let refused = survey.entries.extract_if(.., refused);
    survey.claimed.extend(refused.map(|entry| entry.route));
    survey.valid = survey.entries.len() as u64;
    let is_noindex = |entry: &&Entry| entry.is_noindex;
    survey.noindex = survey.entries.iter().filter(is_noindex).count() as u64;
    survey.held_back = held.named(origin);
    // What a broken source claims, or where it says nothing, what its name does.
    let of_name = |source: &u32| route_of_name(&origin.relative(*source as usize), naming).ok();
    let unknown = invalid.iter().chain(&changed);
    survey.claimed.extend(unknown.filter_map(of_name));
    survey.changed = changed.len() as u64;
    let catalog = catalog.map(|catalog| {
        let elsewhere = others.iter().filter(|claim| claim.owner.is_some());
        let elsewhere = elsewhere.filter(|claim| !invalid.contains(&claim.source));
        let elsewhere: HashMap<u32, &Route> = elsewhere
            .map(|claim| (claim.source, &claim.route))
            .collect();
        let own = &survey.entries;
        catalog.finish(|source| {
            let place = own.binary_search_by_key(&source, |entry| entry.source);
            let own = place.ok().map(|place| &own[place].route);
            own.or_else(|| elsewhere.get(&source).copied()).cloned()
        })
    });
    for claim in others {
        let Some(owner) = claim.owner.filter(|_| !invalid.contains(&claim.source)) else {
            survey.claimed.push(claim.route);
            continue;
        };
        survey.valid += 1;
        if let Owner::Elsewhere { is_changed } = owner {
            survey.changed_elsewhere += u64::from(is_changed);
            survey.elsewhere.push(claim.route);
        }
    }
    if let Some((catalog, settings)) = catalog.zip(settings) {
        let claimed: HashSet<&Route> = survey.claimed.iter().collect();
        let lists = settings.lists.as_ref();
        let lists = lists.map(|lists| Lists::of(&catalog, lists, &claimed));
        survey.lists = lists.unwrap_or_default();
        survey.aliases = Aliases::of(&catalog, &survey.lists);
        findings.add(alias_findings(origin, &catalog, &mut survey.aliases));
        survey.catalog = Some(catalog);
    }
    survey.invalid = invalid.len() as u64;
    survey.sources = origin.count() as u64;
    survey.skipped = origin.skipped().len() as u64;
    survey.passed_over = origin.passed_over();
    survey.folders = origin.folders(naming);
    if !naming.pattern.is_plain() {
        // Then routes are not made of folders: what is beside an article is in reach.
        let routes = survey.entries.iter().map(|entry| &entry.route);
        let beside = routes.filter_map(Route::parent);
        survey.folders.extend(beside);
    }
    survey.bare_folders = origin.bare_folders();
    report_skipped(origin, &mut survey, &mut findings);
    findings.read_lines(origin, lines);
    (survey.diagnostics, survey.codes) = findings.finish();
    survey
}

/// Warnings about aliases that make no redirect. Of very many, the first have places: each takes a look into its
/// source.
fn alias_findings(
    origin: &dyn Origin,
    catalog: &Catalog,
    aliases: &mut Aliases,
) -> Vec<Diagnostic> {
    let refused = std::mem::take(&mut aliases.refused).into_iter().enumerate();
    let findings = refused.map(|(place, one)| {
        let source = catalog.articles()[one.number as usize].source as usize;
        let path = Arc::new(origin.shown_at(source));
        let mut finding = [whole_file(path, "aliases", one.why, RETRY_AFTER_FIX)];
        finding[0].severity = Severity::Warning;
        if place < MAX_FINDINGS
            && let Ok(bytes) = origin.load(source).bytes
        {
            finding[0].place = alias_place(&bytes, &one.name);
        }
        origin.place(source, &mut finding);
        finding
    });
    findings.flatten().collect()
}

fn report_skipped(origin: &dyn Origin, survey: &mut Survey, findings: &mut HeldFindings) {
    for skipped in origin.skipped() {
        let path = Arc::new(origin.shown(&skipped.relative));
        let message = format!("skipped: {}", skipped.reason);
        let mut diagnostic = whole_file(
            path,
            "source",
            message,
            "once it is a file inside the folder",
        );
        if skipped.unreadable {
            diagnostic.retry = "once it can be read";
            survey.unreadable += 1;
        } else {
            diagnostic.severity = Severity::Warning;
        }
        findings.add([diagnostic]);
    }
}
