//! Links of an article to places on its own page that are not there.

use std::path::PathBuf;
use std::sync::Arc;

use super::guard::guarded;
use super::links::quoted;
use crate::article::{Article, LinkRule, Links, Rules, To, fragment, link_places};
use crate::diagnostic::{Diagnostic, RETRY_AFTER_FIX, Severity};
use crate::render;

/// Most of them that are told of one article.
const MAX_TOLD: usize = 100;

/// What is to be said of the `links` of `article`, which was read from `bytes`.
pub(crate) fn broken(
    article: &Article<'_>,
    links: &Links,
    rules: &Rules,
    path: &Arc<PathBuf>,
    bytes: &[u8],
) -> Vec<Diagnostic> {
    let own = links.checked.iter().filter(|link| link.to == To::Own);
    let mut wanted = own.filter_map(|link| link.fragment.as_deref()).peekable();
    if rules.links == LinkRule::Allow || wanted.peek().is_none() {
        return Vec::new();
    }
    let Ok(there) = guarded("render", || render::anchors(article)) else {
        // Rendering says what is wrong.
        return Vec::new();
    };
    // As pages resolve them: in any case, and as GitHub writes them.
    let is_there = |heading: &str| {
        let heading = heading.to_lowercase();
        there.contains(heading.trim_start_matches("user-content-")) || there.contains(&heading)
    };
    if wanted.all(is_there) {
        return Vec::new();
    }
    let severity = match rules.links == LinkRule::Deny || rules.strict {
        true => Severity::Error,
        false => Severity::Warning,
    };
    let is_broken = |destination: &str| {
        let heading = article_fragment(destination);
        heading.is_some_and(|heading| !is_there(&heading))
    };
    let places = link_places(bytes, MAX_TOLD, is_broken).into_iter();
    let diagnostic = |(destination, place): (String, _)| {
        let heading = article_fragment(&destination).unwrap_or_default();
        let anchors = there.iter();
        let nearest = anchors.map(|anchor| (strsim::jaro_winkler(anchor, &heading), anchor));
        let nearest = nearest.filter(|(alike, _)| *alike > 0.8);
        let nearest = nearest.max_by(|(a, one), (b, other)| a.total_cmp(b).then(other.cmp(one)));
        Diagnostic {
            severity,
            code: "link".to_owned(),
            message: format!(
                "expected a heading {} on the page itself, found none",
                quoted(&heading)
            ),
            path: Arc::clone(path),
            place: Some(place),
            help: nearest.map(|(_, anchor)| format!("did you mean '#{anchor}'?")),
            retry: RETRY_AFTER_FIX,
        }
    };
    places.map(diagnostic).collect()
}

/// The heading that a link within the page leads to.
fn article_fragment(destination: &str) -> Option<String> {
    destination.starts_with('#').then_some(())?;
    fragment(destination)
}
