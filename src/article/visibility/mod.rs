//! Who may see an article, and when. What its fields say does not depend on the time.
//!
//! Every run compares it with the time ([`Visibility::held`]), also for a source that has not changed:
//! an article becomes due, or ends, without anybody writing to its file.

mod fields;
mod names;
mod said;
mod saying;

use std::fmt;

use self::said::Said;
use self::saying::{Saying, hides_others, holds_fields, is_loose, saying};
use super::dates::Timezone;
use super::findings::Findings;
use super::metadata::{Metadata, Value};
use crate::yaml::{Key, Kind, Node};

pub use self::fields::{Meaning, VisibilityFields};
pub use self::saying::holds_back;

/// Who may see an article, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Visibility {
    /// It is not finished.
    pub is_draft: bool,
    /// Its author took it back.
    pub is_withdrawn: bool,
    /// Whether it has no page of its own.
    pub has_no_page: bool,
    /// Search engines are told to leave it out.
    pub is_noindex: bool,
    /// When it is published, ms since 1970; `i64::MIN`: at once.
    pub from_ms: i64,
    /// When it ends, ms since 1970; `i64::MAX`: never.
    pub until_ms: i64,
}

/// Why a valid article is not published now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// It is a draft.
    Draft,
    /// It is published at this time, ms since 1970.
    Scheduled(i64),
    /// It ended at this time, ms since 1970.
    Expired(i64),
    /// Its author took it back.
    Withdrawn,
    /// It is material for other pages: `route: false`.
    NoPage,
}

/// Which articles are published although they would be held back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Admits {
    /// Drafts.
    pub drafts: bool,
    /// What is scheduled for later.
    pub future: bool,
}

impl Default for Visibility {
    /// Everybody, always.
    fn default() -> Self {
        Self {
            is_draft: false,
            is_withdrawn: false,
            has_no_page: false,
            is_noindex: false,
            from_ms: i64::MIN,
            until_ms: i64::MAX,
        }
    }
}

/// What fields say that the schema does not know, or that the settings explain.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Further {
    is_draft: bool,
    is_scheduled: bool,
    is_withdrawn: bool,
    from_ms: Option<i64>,
    until_ms: Option<i64>,
    /// The latest day of the article under a second name.
    date_ms: Option<i64>,
    is_noindex: bool,
}

impl Further {
    /// Takes note of what a field says that the schema does not know. A field that seems to restrict
    /// who may see the article is an error, unless the settings explain it. Returns whether they do.
    pub(super) fn ask(
        &mut self,
        fields: &VisibilityFields,
        (key, node): (&Key, &Node),
        findings: &mut Findings<'_>,
    ) -> bool {
        self.take_note(fields.of_unknown(&key.name, node), key, findings);
        let is_explained = fields.explain(&key.name);
        if !is_explained {
            self.ask_inside(fields, (key, node), findings);
        }
        is_explained
    }

    /// The same for a field of a schema file, whose type does not say what it means.
    pub(super) fn ask_known(
        &mut self,
        fields: &VisibilityFields,
        field: &str,
        (key, node): (&Key, &Node),
        findings: &mut Findings<'_>,
    ) {
        if !ACTING.contains(&field) && !fields.explain(field) {
            self.ask(fields, (key, node), findings);
        }
    }

    /// Asks the members of a group, or of each group in a list.
    fn ask_inside(
        &mut self,
        fields: &VisibilityFields,
        (key, node): (&Key, &Node),
        findings: &mut Findings<'_>,
    ) {
        if matches!(node.kind, Kind::Scalar { .. }) {
            return;
        }
        if key.name == "cascade" {
            refuse_cascade(fields, key, node, findings);
            return;
        }
        if !holds_fields(&key.name) {
            return;
        }
        let is_loose = is_loose(&key.name);
        for (key, node) in mappings(node).flatten() {
            let saying = fields.of_member(&key.name, node);
            if saying != Saying::Unclear || !is_loose || Said::of_node(node).is_yes() {
                self.take_note(saying, key, findings);
            }
            if !fields.explain(&key.name) {
                self.ask_inside(fields, (key, node), findings);
            }
        }
    }

    fn take_note(&mut self, saying: Saying, key: &Key, findings: &mut Findings<'_>) {
        self.add(saying);
        if saying != Saying::Unclear {
            return;
        }
        let name = &key.name;
        let mut message = format!(
            "the field '{name}' seems to say who may see the article, and anp does not know whom it means"
        );
        // A finding with a place would show the line, and so the password.
        let is_secret = ["pass", "secret"].iter().any(|part| name.contains(part));
        if is_secret {
            message = format!("line {}: {message}", key.span.line);
        }
        let help = format!(
            "explain it in anp.yaml: 'visibility_fields: {{{name}: draft}}' holds such articles back; \
             noindex or ignore in the place of draft publishes them"
        );
        let span = (!is_secret).then_some(key.span);
        findings.error("visibility", span, message, Some(help));
    }

    /// Takes note of a second date of the article, ms since 1970: the later one counts.
    pub(super) fn add_date(&mut self, at_ms: Option<i64>) {
        self.date_ms = self.date_ms.max(at_ms);
    }

    fn add(&mut self, saying: Saying) {
        match saying {
            Saying::Draft => self.is_draft = true,
            Saying::Scheduled => self.is_scheduled = true,
            Saying::Withdrawn => self.is_withdrawn = true,
            Saying::From(at_ms) => self.from_ms = self.from_ms.max(Some(at_ms)),
            Saying::Until(at_ms) => {
                self.until_ms = Some(self.until_ms.map_or(at_ms, |other| other.min(at_ms)));
            }
            Saying::NoIndex => self.is_noindex = true,
            Saying::Nothing | Saying::Unclear => {}
        }
    }
}

/// Fields about who may see the article: a name that a schema file adds to one of them needs no
/// explanation.
const ACTING: [&str; 10] = [
    "date",
    "draft",
    "expires_at",
    "hidden",
    "noindex",
    "publish_at",
    "published",
    "robots",
    "route",
    "withdrawn",
];

/// The members of a mapping, or of each mapping of a list.
fn mappings(node: &Node) -> impl Iterator<Item = &Vec<(Key, Node)>> {
    let blocks = match &node.kind {
        Kind::Sequence(items) => items.as_slice(),
        _ => std::slice::from_ref(node),
    };
    blocks.iter().filter_map(|block| match &block.kind {
        Kind::Mapping(members) => Some(members),
        _ => None,
    })
}

/// Whether a `cascade`, or a group in it, hides the articles that Hugo applies it to.
fn cascades(fields: &VisibilityFields, node: &Node) -> bool {
    mappings(node).flatten().any(|(key, node)| {
        if fields.explain(&key.name) {
            return fields.of_unknown(&key.name, node) != Saying::Nothing;
        }
        let said = Said::of_node(node);
        hides_others(&key.name, &said)
            || saying(&key.name, &said) != Saying::Nothing
            || holds_fields(&key.name) && cascades(fields, node)
    })
}

/// Hugo applies the members of `cascade` to all pages of a folder. anp reads each article by itself,
/// so it would publish what such a member hides.
fn refuse_cascade(fields: &VisibilityFields, key: &Key, node: &Node, findings: &mut Findings<'_>) {
    if cascades(fields, node) {
        let message = "the field 'cascade' says who may see the articles of this folder, and anp reads \
                       each article by itself";
        let help = "say it in those articles; or explain it in anp.yaml: 'visibility_fields: \
                    {cascade: ignore}'";
        let span = Some(key.span);
        findings.error(
            "visibility",
            span,
            message.to_owned(),
            Some(help.to_owned()),
        );
    }
}

impl Visibility {
    /// What validated fields say.
    #[must_use]
    pub fn of(metadata: &Metadata) -> Self {
        let (fields, timezone) = (VisibilityFields::default(), Timezone::default());
        Self::with(metadata, &fields, &timezone, Further::default())
    }

    /// The same with what `further` fields say, and those that the settings explain.
    pub(super) fn with(
        metadata: &Metadata,
        explained: &VisibilityFields,
        timezone: &Timezone,
        mut further: Further,
    ) -> Self {
        let instant_ms = |date| timezone.instant_ms(date);
        let mut visibility = Self::default();
        let (mut date, mut publish_at) = (None, None);
        for (field, value) in &metadata.entries {
            if let Some(saying) = explained.of_known(field.name, value) {
                further.add(saying);
                continue;
            }
            match (field.name, value) {
                ("draft", Value::Flag(true)) | ("published", Value::Flag(false)) => {
                    visibility.is_draft = true;
                }
                ("withdrawn", Value::Flag(true)) => visibility.is_withdrawn = true,
                ("route", Value::Flag(false)) => visibility.has_no_page = true,
                ("noindex" | "hidden", Value::Flag(true)) => visibility.is_noindex = true,
                ("robots", value) => visibility.is_noindex |= Said::of_value(value).is_noindex(),
                ("date", Value::Text(text)) => date = instant_ms(text),
                // Every validated date has a moment. If one had none, the article is held back.
                ("publish_at", Value::Text(text)) => {
                    publish_at = Some(instant_ms(text).unwrap_or(i64::MAX));
                }
                ("expires_at", Value::Text(text)) => {
                    visibility.until_ms = instant_ms(text).unwrap_or(i64::MIN);
                }
                _ => {}
            }
        }
        // An event of next year is announced today: its `publish_at` counts, not its `date`.
        let from_ms = publish_at.or(date.max(further.date_ms));
        let from_ms = from_ms.max(further.from_ms);
        let until_ms = further.until_ms.unwrap_or(i64::MAX);
        visibility.until_ms = visibility.until_ms.min(until_ms);
        visibility.is_withdrawn |= further.is_withdrawn;
        visibility.from_ms = from_ms.unwrap_or(i64::MIN);
        visibility.is_draft |= further.is_draft || further.is_scheduled && from_ms.is_none();
        visibility.is_noindex |= further.is_noindex
            || visibility.is_draft
            || metadata.flag("flags", "needs_human_review");
        visibility
    }

    /// Why the article is not published at `now_ms`, if it is not.
    #[must_use]
    pub fn held(&self, now_ms: i64, admits: Admits) -> Option<Held> {
        if self.is_withdrawn {
            Some(Held::Withdrawn)
        } else if self.has_no_page {
            Some(Held::NoPage)
        } else if self.is_draft && !admits.drafts {
            Some(Held::Draft)
        } else if self.until_ms <= now_ms {
            Some(Held::Expired(self.until_ms))
        } else if self.from_ms > now_ms && !admits.future {
            Some(Held::Scheduled(self.from_ms))
        } else {
            None
        }
    }
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Draft => f.write_str("draft"),
            Self::Scheduled(at) => write!(f, "scheduled for {}", moment(*at)),
            Self::Expired(at) => write!(f, "expired at {}", moment(*at)),
            Self::Withdrawn => f.write_str("withdrawn"),
            Self::NoPage => f.write_str("without a page (route: false)"),
        }
    }
}

impl Held {
    /// The word for machines.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Scheduled(_) => "scheduled",
            Self::Expired(_) => "expired",
            Self::Withdrawn => "withdrawn",
            Self::NoPage => "no_page",
        }
    }

    /// When it becomes due, or ended, in RFC 3339.
    #[must_use]
    pub fn at(self) -> Option<String> {
        match self {
            Self::Scheduled(at) | Self::Expired(at) => Some(moment(at)),
            Self::Draft | Self::Withdrawn | Self::NoPage => None,
        }
    }
}

/// Ms since 1970 as `2027-01-05T10:00:00Z`; the last day of the year 9999 is cut to its beginning.
fn moment(at_ms: i64) -> String {
    let last = jiff::Timestamp::MAX;
    let at = jiff::Timestamp::from_millisecond(at_ms).unwrap_or(last);
    format!("{at:.0}")
}

#[cfg(test)]
mod tests {
    use super::{Admits, Held, Visibility};

    const ALL: Admits = Admits {
        drafts: true,
        future: true,
    };

    #[test]
    fn an_article_is_due_at_its_moment_and_ends_at_its_moment() {
        let visibility = Visibility {
            from_ms: 10,
            until_ms: 20,
            ..Visibility::default()
        };
        let held = |now_ms| visibility.held(now_ms, Admits::default());
        assert_eq!(held(9), Some(Held::Scheduled(10)));
        assert_eq!(held(10), None);
        assert_eq!(held(19), None);
        assert_eq!(held(20), Some(Held::Expired(20)));
        assert_eq!(visibility.held(9, ALL), None);
        assert_eq!(visibility.held(20, ALL), Some(Held::Expired(20)));
    }

    #[test]
    fn nothing_admits_what_was_withdrawn() {
        let withdrawn = Visibility {
            is_withdrawn: true,
            is_draft: true,
            ..Visibility::default()
        };
        assert_eq!(withdrawn.held(0, ALL), Some(Held::Withdrawn));
        let draft = Visibility {
            is_withdrawn: false,
            ..withdrawn
        };
        assert_eq!(draft.held(0, Admits::default()), Some(Held::Draft));
        assert_eq!(draft.held(0, ALL), None);
    }

    #[test]
    fn a_reason_says_when() {
        assert_eq!(
            Held::Scheduled(1_799_143_200_000).to_string(),
            "scheduled for 2027-01-05T10:00:00Z"
        );
        assert_eq!(
            Held::Expired(999).to_string(),
            "expired at 1970-01-01T00:00:00Z"
        );
        assert!(Held::Scheduled(i64::MAX).to_string().contains("9999-12-30"));
    }
}
