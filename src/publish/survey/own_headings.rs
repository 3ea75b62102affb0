//! Links to headings of the same page that do not exist.

use super::guard::guarded;
use super::links::{MAX_NAMED, finding, quoted};
use crate::article::{Article, Input, LinkRule, Links, Rules, To, link_places, own_heading};
use crate::diagnostic::Diagnostic;
use crate::render;

/// The findings about the `links` of `article`, which was read from `input`.
pub(crate) fn broken(
    article: &Article<'_>,
    links: &Links,
    rules: &Rules,
    input: &Input<'_>,
) -> Vec<Diagnostic> {
    let own = links.checked.iter().filter(|link| link.to == To::Own);
    let mut wanted = own.filter_map(|link| link.heading.as_deref()).peekable();
    if rules.links == LinkRule::Allow || wanted.peek().is_none() {
        return Vec::new();
    }
    let Ok(anchors) = guarded("render", || render::anchors(article)) else {
        // Rendering says what is wrong.
        return Vec::new();
    };
    if wanted.all(|heading| anchors.contains(heading)) {
        return Vec::new();
    }
    let is_broken = |destination: &str| {
        own_heading(destination).is_some_and(|heading| !anchors.contains(&heading))
    };
    let places = link_places(input.bytes, input.markup, MAX_NAMED, is_broken).into_iter();
    let about = |(destination, place): (String, _)| {
        let heading = own_heading(&destination).unwrap_or_default();
        let scored = anchors.iter();
        let scored = scored.map(|anchor| (strsim::jaro_winkler(anchor, &heading), anchor));
        let alike = scored.filter(|(alike, _)| *alike > 0.8);
        let nearest = alike.max_by(|(a, one), (b, other)| a.total_cmp(b).then(other.cmp(one)));
        let message = format!(
            "expected a heading {} on this page, found none",
            quoted(&heading)
        );
        let help = nearest.map(|(_, anchor)| format!("did you mean '#{anchor}'?"));
        finding(rules, &input.path, place, (message, help))
    };
    places.map(about).collect()
}
