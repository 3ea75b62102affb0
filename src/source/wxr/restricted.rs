//! Parts of a body that WordPress shows to some readers alone: between the shortcodes of a plugin, in
//! blocks, and behind a paywall. anp runs neither, so the whole article is held back.

use memchr::memmem;

/// What the name of a shortcode or block has in it that hides what it encloses.
const MARKS: &[&str] = &[
    "is_free",
    "is_paid",
    "logged_in",
    "loggedin",
    "login_required",
    "member",
    "mepr",
    "not_paid",
    "passster",
    "password",
    "paywall",
    "ppwp",
    "premium-content",
    "premium_content",
    "private",
    "protect",
    "restrict",
    "s2if",
    "subscriber",
    "um_show_content",
    "wlm_",
];

/// Names with such a mark that mean something else: a page about a team has its members.
const HARMLESS: &[&str] = &["remember", "team"];

/// The longest name that is looked at, and the longest settings of a block, in bytes.
const MAX_NAME: usize = 64;
const MAX_SETTINGS: usize = 16 * 1024;

/// The first part of a body that not everybody sees: what it is, and its place in bytes.
pub(super) fn restricted(text: &str) -> Option<(String, usize)> {
    let found = [shortcode(text), block(text)];
    found.into_iter().flatten().min_by_key(|(_, at)| *at)
}

/// A shortcode that encloses something: its end says so.
fn shortcode(text: &str) -> Option<(String, usize)> {
    memmem::find_iter(text.as_bytes(), b"[/").find_map(|at| {
        let name = name_at(text, at + 2);
        let is_end = text[at + 2 + name.len()..].starts_with(']');
        (is_end && hides(name)).then(|| (format!("[{name}]"), at))
    })
}

fn block(text: &str) -> Option<(String, usize)> {
    const START: &[u8] = b"<!-- wp:";
    memmem::find_iter(text.as_bytes(), START).find_map(|at| {
        let name = name_at(text, at + START.len());
        if hides(name) {
            return Some((format!("the block {name}"), at));
        }
        let rest = &text.as_bytes()[at..];
        let rest = &rest[..rest.len().min(MAX_SETTINGS)];
        let end = memmem::find(rest, b"-->").unwrap_or(rest.len());
        let has_rule = memmem::find(&rest[..end], b"\"blockVisibility\"").is_some();
        has_rule.then(|| (format!("the block {name}, which has a blockVisibility"), at))
    })
}

fn name_at(text: &str, at: usize) -> &str {
    let rest = text.as_bytes().get(at..).unwrap_or_default();
    let is_part = |b: &&u8| b.is_ascii_alphanumeric() || b"_-/".contains(b);
    let length = rest.iter().take(MAX_NAME).take_while(is_part).count();
    text.get(at..at + length).unwrap_or_default()
}

fn hides(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let has = |marks: &[&str]| marks.iter().any(|mark| name.contains(mark));
    has(MARKS) && !has(HARMLESS)
}

#[cfg(test)]
mod tests {
    use super::restricted;

    #[test]
    fn parts_for_some_readers_alone_are_told_from_other_shortcodes() {
        for (text, expected) in [
            (
                "a [members_logged_in]x[/members_logged_in]",
                "[members_logged_in]",
            ),
            ("[s2If is_user_logged_in()]x[/s2If]", "[s2If]"),
            ("[restrict level=1]x[/restrict]", "[restrict]"),
            ("[mepr-active rules=\"1\"]x[/mepr-active]", "[mepr-active]"),
            ("<!-- wp:jetpack/paywall /-->", "the block jetpack/paywall"),
            (
                "<!-- wp:premium-content/container {\"a\":1} -->",
                "the block premium-content/container",
            ),
            (
                "<!-- wp:group {\"metadata\":{\"blockVisibility\":false}} -->",
                "the block group, which has a blockVisibility",
            ),
        ] {
            let found = restricted(text).map(|(what, _)| what);
            assert_eq!(found.as_deref(), Some(expected), "{text}");
        }
        for text in [
            "[member_list]",
            "[et_pb_team_member name=\"x\"]y[/et_pb_team_member]",
            "[gallery]x[/gallery]",
            "<!-- wp:paragraph -->blockVisibility<!-- /wp:paragraph -->",
            "[/",
            "<!-- wp:",
        ] {
            assert_eq!(restricted(text), None, "{text}");
        }
    }
}
