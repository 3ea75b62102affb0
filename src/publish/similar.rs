//! Why the similar posts of an article are these: its terms, and what it shares with each post. Reads the
//! content tree alone, as the next import would.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use glob::Pattern;

use super::derive::archive::Archive;
use super::report::Report;
use super::survey::content::{Corpus, SurveyPurpose, SurveyScope, readable, renderer, survey};
use super::survey::read_again::{lenient_rules, read_again};
use super::survey::routes::nearest;
use super::survey::selection::{RouteGlob, Selection};
use super::survey::surveyor::Survey;
use crate::archive;
use crate::archive::{Explanation, Match, Term};
use crate::article::Route;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::settings::Settings;
use crate::source::{Caching, Tree};

/// So many candidates are shown that just missed the list.
const RUNNERS_UP: usize = 3;

/// So many routes are offered in place of one that is not there.
const NEAREST: usize = 3;

/// Why the similar posts of an article are these.
#[derive(Clone, Debug)]
pub(crate) struct SimilarPosts {
    /// Its route.
    pub route: Route,
    /// Its title.
    pub title: String,
    /// How many articles are older.
    pub older: u32,
    /// How many of them were compared with it.
    pub compared: usize,
    /// Its terms, those of the greatest weight first; at the end those that no older article has.
    pub terms: Vec<ArticleTerm>,
    /// The posts that the page shows, the most similar first.
    pub posts: Vec<Post>,
    /// The candidates that come next.
    pub runners_up: Vec<Post>,
}

/// A term of the article.
#[derive(Clone, Debug)]
pub(crate) struct ArticleTerm {
    /// Its text, in lower case.
    pub text: String,
    /// Where it comes from: `topic`, `label` or `title`.
    pub kind: &'static str,
    /// What a post that has it gains; none if no older article has it.
    pub weight: Option<f64>,
    /// How many older articles have it and may be listed.
    pub older: u32,
}

/// An older article that was compared with the article.
#[derive(Clone, Debug)]
pub(crate) struct Post {
    /// Its route.
    pub route: Route,
    /// Its title.
    pub title: String,
    /// The sum of the weights of the shared terms.
    pub score: f64,
    /// The terms that both have, as places in [`SimilarPosts::terms`].
    pub shared: Vec<usize>,
}

/// Explains the similar posts of the article at `route`, as an import of the content tree makes them.
///
/// # Errors
/// 78 when pages have no similar posts, 3 when the content tree has no such article, 65 when it cannot be
/// read, 130 when `interrupted` is set.
pub(crate) fn explain_similar(
    settings: &Settings,
    route: &Route,
    interrupted: &Arc<AtomicBool>,
    report: &mut dyn Report,
) -> Result<SimilarPosts, Failure> {
    if settings.archive.similar == 0 {
        return Err(switched_off());
    }
    let renderer = renderer(settings)?;
    readable(settings)?;
    // Only this article is rendered. Of the others the survey knows what they are about.
    let glob = RouteGlob::parse(&Pattern::escape(route.as_str())).map_err(Failure::usage)?;
    let selection = Selection {
        globs: vec![glob],
        ..Selection::default()
    };
    let wanted = SurveyScope {
        selection: &selection,
        ..SurveyScope::all()
    };
    let corpus = Corpus::find(settings, &wanted, interrupted, None, Caching::Read, report)?;
    let purpose = SurveyPurpose {
        lengths: false,
        store: None,
        spool_in: None,
        interrupted,
        time_limit: None,
        wanted,
        code: None,
        run: "show",
        // There is no server whose clock would count.
        started_at: jiff::Timestamp::now().as_millisecond(),
        cache: Caching::Read,
    };
    let (survey, _) = survey(settings, &renderer, purpose, &corpus, report)?;
    let archive = survey.archive.as_ref().ok_or_else(|| in_part(settings))?;
    let number = archive
        .number_at(route)
        .filter(|_| !archive.has_list(route))
        .ok_or_else(|| no_article(settings, &survey, archive, route))?;
    let Corpus::Tree(root, found) = &corpus else {
        return Err(in_part(settings));
    };
    let tree = Tree { root, found };
    let all_terms = terms(settings, &tree, archive.source(number) as usize)?;
    explained(archive, number, all_terms, settings.archive.similar)
        .map_err(|error| {
            let what = "cannot read what the survey kept of an article";
            Failure::state_folder(what, &error)
        })?
        .ok_or_else(changed)
}

/// The terms of the article of a source.
fn terms(settings: &Settings, tree: &Tree<'_>, source: usize) -> Result<Vec<Term>, Failure> {
    let rules = lenient_rules(settings, tree);
    let terms = read_again(tree, source, &rules, |article| archive::terms(&article));
    terms.ok_or_else(changed)
}

/// What `archive` knows of the article with this number, whose source has these terms; none if it has others
/// by now.
fn explained(
    archive: &Archive,
    number: u32,
    all_terms: Vec<Term>,
    most: usize,
) -> io::Result<Option<SimilarPosts>> {
    let Some(explanation) = archive.explain(number, most + RUNNERS_UP)? else {
        return Ok(None);
    };
    let Some(terms) = named(&explanation, all_terms) else {
        return Ok(None);
    };
    let posts = explanation.matches.into_iter();
    let mut posts: Vec<Post> = posts
        .map(|post| read_post(archive, post))
        .collect::<io::Result<_>>()?;
    let runners_up = posts.split_off(most.min(posts.len()));
    Ok(Some(SimilarPosts {
        route: archive.route(number).clone(),
        title: archive.title(number)?,
        older: number,
        compared: explanation.candidates,
        terms,
        posts,
        runners_up,
    }))
}

fn read_post(archive: &Archive, post: Match) -> io::Result<Post> {
    let Match { similar, shared } = post;
    Ok(Post {
        route: archive.route(similar.place).clone(),
        title: archive.title(similar.place)?,
        score: weight(similar.score),
        shared,
    })
}

/// The terms of an explanation with their texts, then those of `all_terms` that no older article has; none if
/// a text is missing.
fn named(explanation: &Explanation, all_terms: Vec<Term>) -> Option<Vec<ArticleTerm>> {
    let places = (0..).zip(&all_terms);
    let places: HashMap<u64, usize> = places.map(|(place, term)| (term.hash, place)).collect();
    let mut all_terms: Vec<Option<Term>> = all_terms.into_iter().map(Some).collect();
    let mut terms = Vec::with_capacity(all_terms.len());
    for weighed in &explanation.terms {
        let term = all_terms[*places.get(&weighed.hash)?].take()?;
        terms.push(ArticleTerm {
            text: term.text,
            kind: term.kind.word(),
            weight: Some(weight(weighed.weight)),
            older: weighed.older,
        });
    }
    let alone = all_terms.into_iter().flatten();
    terms.extend(alone.map(|term| ArticleTerm {
        text: term.text,
        kind: term.kind.word(),
        weight: None,
        older: 0,
    }));
    Some(terms)
}

/// A weight or a score, which is counted in units of 1/256.
fn weight(units: u32) -> f64 {
    f64::from(units) / 256.0
}

fn switched_off() -> Failure {
    let what = "no article has similar posts: archive.similar is 0";
    Failure::new(Exit::Config, what)
        .note(
            "expected",
            "'archive: {similar: 5}' in anp.yaml, or ANP_ARCHIVE_SIMILAR=5",
        )
        .note("retry", "after you turn similar posts on")
}

fn in_part(settings: &Settings) -> Failure {
    let path = settings.sources_shown();
    let what =
        format!("{path} is a part of the content tree: similar posts are found in all of it");
    Failure::new(Exit::Usage, what).note("expected", "the content folder of the settings")
}

fn changed() -> Failure {
    let what = "the source of the article changed while it was read";
    Failure::new(Exit::Partial, what).note("retry", "safe now")
}

/// Why there are no similar posts of `route`.
fn no_article(settings: &Settings, survey: &Survey, archive: &Archive, route: &Route) -> Failure {
    let refused = |why: String| Failure::new(Exit::Partial, why);
    if archive.has_list(route) {
        return refused(format!("{route} is a list, which has no similar posts"));
    }
    if survey.held_routes.contains(route) {
        return refused(format!(
            "the article of {route} is held back, so it has no similar posts"
        ))
        .note("help", format!("'anp ls {route}' shows why"));
    }
    if survey.claimed.contains(route) {
        return refused(format!(
            "the article of {route} is invalid, so it has no similar posts"
        ))
        .note("help", "'anp check' shows why");
    }
    let content = settings.sources_shown();
    let failure = refused(format!("{content} has no article with the route {route}"));
    let failure = match nearest(route, archive.article_routes(), NEAREST)[..] {
        [] => failure,
        ref alike => {
            let names: Vec<&str> = alike.iter().map(|route| route.as_str()).collect();
            failure.note("help", format!("did you mean {}?", names.join(" or ")))
        }
    };
    failure.note("retry", "with the route of an article")
}
