//! What fields that the schema does not know say of who may see an article: what the generators that
//! have them mean by them, and what anp has to ask about.

use super::names::{
    ASKED_IF_NO, ASKED_IF_YES, DRAFT_IF_NO, DRAFT_IF_YES, FROM, GROUPS, KNOWN_DATE, KNOWN_FROM,
    KNOWN_ROUTE, KNOWN_UNTIL, LOOSE_GROUPS, NAMING, NOINDEX_IF_NO, NOINDEX_IF_YES, OPENING,
    RESTRICTING, ROBOTS, SHOWING, STATUS, STATUS_DRAFT, STATUS_MEMBERS, STATUS_NOINDEX,
    STATUS_SCHEDULED, STATUS_UNCLEAR, UNTIL,
};
use super::said::{Said, squashed};
use crate::article::dates::{self, Timezone};

/// What a field says of its article, the strongest last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Saying {
    /// Nothing.
    Nothing,
    /// Search engines are told to leave it out.
    NoIndex,
    /// It is published at this time, ms since 1970.
    From(i64),
    /// It ends at this time, ms since 1970.
    Until(i64),
    /// It is published at a time that another field says.
    Scheduled,
    /// Its author took it back.
    Withdrawn,
    /// It is not published.
    Draft,
    /// Not everybody may see it, and anp cannot know who may.
    Unclear,
}

/// What the field `name`, which the schema does not know, says of its article.
pub(super) fn saying(name: &str, said: &Said<'_>) -> Saying {
    let name = &*squashed(name);
    let is_one_of = |names: &[&str]| names.contains(&name);
    let (yes, no) = (said.is_yes(), said.is_no());
    if yes && is_one_of(DRAFT_IF_YES) || no && is_one_of(DRAFT_IF_NO) {
        Saying::Draft
    } else if (yes || said.is_one_of(&["required"])) && is_one_of(ASKED_IF_YES)
        || no && is_one_of(ASKED_IF_NO)
    {
        Saying::Unclear
    } else if yes && name == "scheduled" {
        Saying::Scheduled
    } else if is_one_of(FROM) {
        let from_ms = said.text().and_then(opening_ms);
        from_ms.map_or(Saying::Nothing, Saying::From)
    } else if is_one_of(UNTIL) {
        let until_ms = said.text().and_then(closing_ms);
        until_ms.map_or(Saying::Nothing, Saying::Until)
    } else if yes && is_one_of(NOINDEX_IF_YES) || no && is_one_of(NOINDEX_IF_NO) {
        Saying::NoIndex
    } else if is_one_of(OPENING) {
        match said.text().and_then(opening_ms) {
            Some(from_ms) => Saying::From(from_ms),
            None if said.closes() => Saying::Draft,
            None => unclear(!said.opens()),
        }
    } else if is_one_of(SHOWING) {
        unclear(!said.opens())
    } else if is_one_of(RESTRICTING) {
        unclear(!said.leaves_open())
    } else if is_one_of(STATUS) {
        status(said)
    } else if is_noindex(name, said) {
        Saying::NoIndex
    } else if name == "build" && is_unrendered(said) {
        Saying::Draft
    } else if said.is_one_of(&["draft"]) && !is_one_of(NAMING) {
        // In any other field.
        Saying::Draft
    } else {
        Saying::Nothing
    }
}

/// What a member of a group says: also one that the schema would know outside of it.
pub(super) fn saying_of_member(name: &str, said: &Said<'_>) -> Saying {
    let squashed = &*squashed(name);
    if KNOWN_FROM.contains(&squashed) {
        return match said.text() {
            Some(text) => opening_ms(text)
                .map_or_else(|| unclear(!said.opens() && !said.is_no()), Saying::From),
            None => unclear(!said.opens()),
        };
    }
    if KNOWN_UNTIL.contains(&squashed) {
        let until_ms = said.text().and_then(closing_ms);
        return until_ms.map_or(Saying::Nothing, Saying::Until);
    }
    if squashed == "withdrawn" && said.is_yes() {
        return Saying::Withdrawn;
    }
    saying(name, said)
}

/// Whether a field outside of front matter would hold the article back: a line with this name and this
/// word as value. Unless it is `at_start` of the text, only names that mean nothing else count, with
/// a plain yes or no: `Status: draft` below a title is ordinary text.
#[must_use]
pub fn holds_back(name: &str, value: &str, at_start: bool) -> bool {
    let said = Said::of_text(value);
    if !at_start {
        let squashed = &*squashed(name);
        let ambiguous = [
            ASKED_IF_YES,
            ASKED_IF_NO,
            DRAFT_IF_NO,
            NOINDEX_IF_NO,
            STATUS,
        ];
        let is_ambiguous = ambiguous.iter().any(|names| names.contains(&squashed));
        if is_ambiguous || !said.is_yes() && !said.is_no() {
            return false;
        }
    }
    saying_of_member(name, &said) != Saying::Nothing
}

/// Whether a member of Hugo's `cascade` may hide the articles that Hugo applies it to.
pub(super) fn hides_others(name: &str, said: &Said<'_>) -> bool {
    let squashed = &*squashed(name);
    let is_one_of = |names: &[&str]| names.contains(&squashed);
    if is_one_of(KNOWN_ROUTE) {
        said.is_no()
    } else if squashed == "published" {
        !said.opens()
    } else if is_one_of(KNOWN_FROM)
        || is_one_of(KNOWN_UNTIL)
        || is_one_of(KNOWN_DATE)
        || is_one_of(FROM)
        || is_one_of(UNTIL)
        || is_one_of(&["draft", "hidden", "noindex", "robots", "withdrawn"])
    {
        !said.leaves_open()
    } else {
        false
    }
}

/// Whether the members of the field are fields themselves.
pub(super) fn holds_fields(name: &str) -> bool {
    GROUPS.contains(&&*squashed(name)) || is_loose(name)
}

/// Whether the members of the group may be something else as well.
pub(super) fn is_loose(name: &str) -> bool {
    LOOSE_GROUPS.contains(&&*squashed(name))
}

/// Whether anp knows the field, and a yes in it opens the article.
pub(super) fn opens(name: &str) -> bool {
    let name = &*squashed(name);
    let opening = [ASKED_IF_NO, DRAFT_IF_NO, NOINDEX_IF_NO, OPENING, SHOWING];
    opening.iter().any(|names| names.contains(&name)) || name == "sitemap"
}

/// The moment of a date: `publish: 2027-01-05 10:00`. Where it names no zone, the last place on earth
/// counts: nobody may see an article too early.
fn opening_ms(text: &str) -> Option<i64> {
    let west = Timezone::parse("-12:00")?;
    west.instant_ms(&dates::date(text, &west)?)
}

/// The moment of a date on which the article ends; without a zone, the first place on earth counts.
fn closing_ms(text: &str) -> Option<i64> {
    let east = Timezone::parse("+14:00")?;
    east.instant_ms(&dates::date(text, &east)?)
}

fn unclear(is_so: bool) -> Saying {
    if is_so {
        Saying::Unclear
    } else {
        Saying::Nothing
    }
}

fn status(said: &Said<'_>) -> Saying {
    if let Said::List(items) = said {
        let sayings = items.iter().map(status);
        return sayings.max().unwrap_or(Saying::Nothing);
    }
    if let Said::Members(members) = said {
        let named = members
            .iter()
            .filter(|(name, _)| STATUS_MEMBERS.contains(&&*squashed(name)));
        let sayings = named.map(|(_, said)| match said {
            Said::Members(_) => Saying::Nothing,
            said => status(said),
        });
        return sayings.max().unwrap_or(Saying::Nothing);
    }
    // `draft (needs work)`, `draft - to be checked`
    let remark = said.text().and_then(|text| {
        let word = text.get(..5)?;
        let behind = text[5..].trim_start();
        word.eq_ignore_ascii_case("draft").then(|| {
            behind.starts_with(['(', '-', ',', ':', ';', '/', '[', '\u{2013}', '\u{2014}'])
        })
    });
    if remark == Some(true) {
        return Saying::Draft;
    }
    let words = [
        (STATUS_DRAFT, Saying::Draft),
        (STATUS_SCHEDULED, Saying::Scheduled),
        (STATUS_NOINDEX, Saying::NoIndex),
        (STATUS_UNCLEAR, Saying::Unclear),
    ];
    let found = words.into_iter().find(|(words, _)| said.is_one_of(words));
    found.map_or(Saying::Nothing, |(_, saying)| saying)
}

/// Whether the field keeps the article out of search engines: robots, `sitemap: false`, `sitemap:
/// {exclude: true}`, Hugo's `build: {list: never}`.
fn is_noindex(name: &str, said: &Said<'_>) -> bool {
    let is_yes = |member: &&str| said.member(member).is_yes();
    match name {
        "sitemap" => said.is_no() || ["disable", "exclude", "ignore"].iter().any(is_yes),
        "build" => said.member("list").is_no() && !is_unrendered(said),
        name => ROBOTS.contains(&name) && said.is_noindex(),
    }
}

/// Hugo's `build: {render: never}`. What it renders as a mere link has no page either.
fn is_unrendered(said: &Said<'_>) -> bool {
    let render = said.member("render");
    render.is_no() || render.is_one_of(&["link"])
}

#[cfg(test)]
mod tests {
    use super::{Saying, saying};
    use crate::article::visibility::said::Said;
    use crate::yaml;

    #[track_caller]
    fn says(fields: &str, expected: Saying) {
        let root = yaml::parse(fields, 1).unwrap();
        for (key, node) in root.mapping().unwrap() {
            let found = saying(&key.name, &Said::of_node(node));
            assert_eq!(found, expected, "{}: {node:?}", key.name);
        }
    }

    #[test]
    fn what_generators_have_is_understood() {
        says(
            "{headless: true, render: false, routable: off, public: false, publish: no, \
             _build: {render: never, list: never}, build: {render: false}, status: draft, \
             post_status: Pending, state: [open, private]}",
            Saying::Draft,
        );
        says(
            "{unlisted: true, sitemap: false, sitemap_exclude: yes, robots_no_index: true, \
             eleventyExcludeFromCollections: true, listed: false, meta_robots: 'noindex, follow', \
             no_index: true, _build: {list: never}, status: hidden, hide: true}",
            Saying::NoIndex,
        );
        says("{sitemap: {exclude: true}}", Saying::NoIndex);
        says("{sitemap: {disable: true, priority: 0.3}}", Saying::NoIndex);
        says(
            "{status: scheduled, post_status: future}",
            Saying::Scheduled,
        );
    }

    #[test]
    fn what_somebody_may_not_see_is_asked_about() {
        says(
            "{private: true, visibility: private, visibility_: members, password: hunter2, \
             access: {level: x}, membersOnly: 1, restricted: [editors], protected: yes, \
             embargo_until: 2020-01-01, public: members, visible: false, audience: internal, \
             status: 'Members only', premium: maybe, acl: [a, b]}",
            Saying::Unclear,
        );
    }

    #[test]
    fn dates_of_publication_and_of_the_end_are_understood() {
        // The last place on earth, and the first.
        says("{go_live: 1970-01-01}", Saying::From(12 * 3_600_000));
        says("{validUntil: 1970-01-02}", Saying::Until(10 * 3_600_000));
        says("{go_live: soon, end_date: 2001-01-01}", Saying::Nothing);
    }

    #[test]
    fn what_is_plainly_public_or_about_something_else_says_nothing() {
        says(
            "{private: false, visibility: Public, password: '', access: ~, access_level: everyone, \
             membersOnly: 0, restricted: [], permissions: 'Owners can do this', acl: [public], public: true, visible: yes, \
             status: published, status_: Accepted, state: CA, audience: [developers, beginners], \
             headless: false, render: mermaid, hide: [navigation, toc], index: 3, \
             sitemap: {priority: 0.5}, build: {list: local}, robots_meta: all, search: false, \
             nav_exclude: true, archived: true, layout: private, members: [ann, bob]}",
            Saying::Nothing,
        );
    }
}
