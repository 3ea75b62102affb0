//! Custom fields: which are fields of the front matter, which the author's own, and which belong to
//! WordPress and its plugins alone.

use serde_json::{Map, Value};

use super::event::{Finding, MAX_SUMMARY, WxrOptions};
use super::php;
use super::xml::Meta;
use crate::words::counted;
use crate::yaml::normalise;

/// Most own fields of an article, most entries of a list or mapping in one, and how deep those may be
/// nested: the limits of front matter.
const MAX_OWN: usize = 64;
const MAX_ENTRIES: usize = 64;
const MAX_DEPTH: usize = 4;

/// Most bytes of all custom fields together; front matter ends at 64 KiB.
const MAX_BYTES: usize = 40 * 1024;

/// Most values that are joined to one list.
const MAX_JOINED: usize = 1000;

/// Most findings about the custom fields of an item that are named.
const MAX_NAMED: usize = 50;

/// The longest key that is a field, in bytes.
const MAX_KEY_BYTES: usize = 200;

/// Fields that WordPress itself has, whose value counts.
const OF_WORDPRESS: [&str; 5] = ["title", "date", "updated", "route", "slug"];

/// Fields of which all values count.
const JOINED: [&str; 4] = ["aliases", "tags", "categories", "author"];

/// Fields whose yes hides the article: of several values the one that hides more counts.
const HIDING: [&str; 4] = ["draft", "noindex", "hidden", "withdrawn"];

/// What WordPress and widely used plugins keep for themselves.
#[rustfmt::skip]
const INTERNAL_KEYS: &[&str] = &[
    "_edit_last", "_edit_lock", "_encloseme", "_pingme", "_thumbnail_id", "_wp_page_template",
    "enclosure", "footnotes", "inline_featured_image", "slide_template", "_g_feedback_shortcode",
    "_last_editor_used_jetpack", "_revision-control", "_wpcom_is_markdown",
    "classic-editor-remember",
];
const INTERNAL_PREFIXES: &[&str] = &[
    "_wp_",
    "_oembed_",
    "_menu_item_",
    "_yoast_wpseo_",
    "rank_math_",
    "_rank_math_",
    "_aioseo",
    "_seopress_",
    "_genesis_",
    "_elementor_",
    "_et_pb_",
    "_et_",
    "_fl_builder",
    "_wpb_",
    "_vc_",
    "_jetpack_",
    "jetpack_",
    "_publicize_",
    "publicize_",
    "_wpas_",
    "_wpcom_",
    "_monsterinsights_",
    "_trashed_",
    "_dp_",
    "_jetpack",
    "_crosspost_",
    "_wxr_import_",
    "_brizy_",
    "_bricks_",
    "_oxygen_",
    "ct_builder_",
    "ct_other_",
    "_themify_",
    "_fusion",
    "_generate-",
    "_astra-",
    "astra-",
    "site-sidebar-layout",
    "ast-",
];

/// Custom fields by which plugins say who may see an article, and the values that let everybody.
const RESTRICTING: &[(&str, &[&str])] = &[
    ("_members_access_role", &[""]),
    ("rcp_subscription_level", &["", "0", "any", "None"]),
    ("rcp_access_level", &["", "0", "None"]),
    ("rcp_user_level", &["", "All", "all"]),
    ("_is_paid", &["", "0"]),
    ("_llms_is_restricted", &["", "no"]),
    ("pms-content-restrict-user-status", &[""]),
    ("pms-content-restrict-subscription-plan", &[""]),
    ("_wpmem_block", &["", "0"]),
    ("_groups-read", &[""]),
    ("_ppw_password", &[""]),
    ("passster_activate_protection", &["", "0"]),
    ("passster_password", &[""]),
    ("memberful_acl", &[""]),
    ("memberful_available_to_any_registered_user", &["", "0"]),
    ("_jetpack_newsletter_access", &["", "everybody"]),
    ("pms-content-restrict-all-subscription-plans", &[""]),
];

/// The fields of the front matter that custom fields and the item itself make.
#[derive(Debug, Default)]
pub(super) struct Fields {
    pub(super) record: Map<String, Value>,
    pub(super) findings: Vec<Finding>,
    /// Why a plugin holds the article back.
    pub(super) restricted_by: Option<String>,
    /// The fields that the item itself gives.
    given: Vec<&'static str>,
    /// The custom fields that are fields of the front matter, by key.
    from_metas: Vec<(&'static str, String)>,
    /// The own fields, as keys are matched.
    own: Vec<String>,
    bytes: usize,
    /// How many findings about custom fields there are.
    about_metas: usize,
}

/// Description and search engines, as SEO plugins keep them.
#[derive(Debug, Default)]
struct Seo {
    is_noindex: bool,
    description: Option<String>,
}

impl Seo {
    fn take(&mut self, key: &str, value: &str) {
        match key {
            "_yoast_wpseo_meta-robots-noindex" | "_genesis_noindex" | "_aioseop_noindex" => {
                self.is_noindex |= matches!(value, "1" | "on" | "yes");
            }
            "rank_math_robots" => self.is_noindex |= value.contains("noindex"),
            "_seopress_robots_index" => self.is_noindex |= matches!(value, "yes" | "1"),
            "_yoast_wpseo_metadesc"
            | "rank_math_description"
            | "_seopress_titles_desc"
            | "_genesis_description"
            | "_aioseop_description"
            | "_aioseo_description" => {
                // `%excerpt%` and `#post_excerpt` are filled in by the plugin.
                let is_template = value.contains(['%', '#']);
                if !is_template && !value.trim().is_empty() && self.description.is_none() {
                    self.description = Some(super::text::plain(value));
                }
            }
            _ => {}
        }
    }
}

impl Fields {
    /// None yet, with these findings.
    pub(super) fn with(findings: Vec<Finding>) -> Self {
        Self {
            findings,
            ..Self::default()
        }
    }

    /// Sets a field that the item itself gives.
    pub(super) fn set(&mut self, field: &'static str, value: Value) {
        self.given.push(field);
        self.record.insert(field.to_owned(), value);
    }

    pub(super) fn warn(&mut self, line: u32, code: &'static str, message: String) {
        self.about_metas += usize::from(code == META);
        if code != META || self.about_metas <= MAX_NAMED {
            self.findings.push(Finding::new(line, code, message));
        }
    }

    /// How many findings about custom fields were not named.
    fn count_unnamed(&mut self, line: u32) {
        if let Some(unnamed @ 1..) = self.about_metas.checked_sub(MAX_NAMED) {
            let more = counted(unnamed as u64, "more custom field");
            let message = format!("left out {more}, or values of them");
            self.findings.push(Finding::new(line, META, message));
        }
    }

    /// Adds the custom fields of an item.
    pub(super) fn add_metas(&mut self, metas: &[Meta], options: &WxrOptions<'_>) {
        let mut seo = Seo::default();
        // Fields with a prefix of anp's were written for it.
        for is_first in [true, false] {
            for meta in metas {
                let stripped = strip_prefix(&meta.key, options);
                if stripped.is_some() == is_first {
                    seo.take(&meta.key, &meta.value);
                    self.add_meta(meta, stripped, options);
                }
            }
        }
        self.count_unnamed(metas.last().map_or(1, |meta| meta.line));
        if seo.is_noindex {
            self.record.insert("noindex".to_owned(), Value::Bool(true));
        }
        if let Some(description) = seo.description
            && !self.record.contains_key("description")
        {
            let description = super::text::shortened(description, MAX_SUMMARY);
            self.set("description", Value::String(description));
        }
    }

    fn add_meta(&mut self, meta: &Meta, stripped: Option<&str>, options: &WxrOptions<'_>) {
        let key = meta.key.trim();
        if let Some((_, open)) = RESTRICTING
            .iter()
            .find(|(restricting, _)| *restricting == key)
        {
            let value = meta.value.trim();
            if !open.contains(&value) && value != "a:0:{}" {
                self.restricted_by.get_or_insert_with(|| key.to_owned());
            }
            return;
        }
        let is_restricted = match key {
            "um_content_restriction" => Some(says_restricted(&meta.value)),
            "_issuem_leaky_paywall_visibility" => Some(meta.value.contains("\"only")),
            _ => None,
        };
        if let Some(is_restricted) = is_restricted {
            if is_restricted {
                self.restricted_by.get_or_insert_with(|| key.to_owned());
            }
            return;
        }
        let name = normalise(stripped.unwrap_or(key));
        let field = (options.field_of)(&name);
        if key.is_empty() || field.is_none() && is_internal(key, &meta.value) {
            return;
        }
        if key.len() > MAX_KEY_BYTES {
            let key: String = key.chars().take(40).collect();
            self.warn(
                meta.line,
                META,
                format!("left out the custom field '{key}\u{2026}': its name is too long"),
            );
            return;
        }
        let Some(value) = self.value(meta, key) else {
            return;
        };
        match field {
            Some(field) => self.add_known(meta, field, value, stripped.is_some()),
            None => self.add_own(meta, key, value),
        }
    }

    /// The value of a custom field; none if it is refused, which is reported, or empty.
    fn value(&mut self, meta: &Meta, key: &str) -> Option<Value> {
        let value = if php::is_serialised(&meta.value) {
            match php::read(&meta.value) {
                Ok(value) => value,
                Err(refused) => {
                    let message =
                        format!("left out the custom field '{key}': it {}", refused.why());
                    self.warn(meta.line, META, message);
                    return None;
                }
            }
        } else {
            Value::String(meta.value.trim().to_owned())
        };
        let is_empty = match &value {
            Value::Null => true,
            Value::String(text) => text.is_empty(),
            Value::Array(items) => items.is_empty(),
            Value::Object(members) => members.is_empty(),
            Value::Bool(_) | Value::Number(_) => false,
        };
        if is_empty {
            return None;
        }
        let bytes = key.len() + bytes_of(&value);
        if self.bytes + bytes > MAX_BYTES {
            let message = format!(
                "left out the custom field '{key}': all of them together have at most 40 KiB"
            );
            self.warn(meta.line, META, message);
            return None;
        }
        self.bytes += bytes;
        Some(value)
    }

    /// A field of the front matter.
    fn add_known(&mut self, meta: &Meta, field: &'static str, value: Value, is_for_anp: bool) {
        let key = meta.key.trim();
        if field == "route" && is_no(&value) {
            // Material for other pages.
            self.record.insert("route".to_owned(), Value::Bool(false));
            return;
        }
        if HIDING.contains(&field) && is_yes(self.record.get(field)) {
            return;
        }
        let counts = !OF_WORDPRESS.contains(&field) && is_for_anp;
        let is_given = self.given.contains(&field);
        let is_same_key = self
            .from_metas
            .iter()
            .any(|known| *known == (field, key.to_owned()));
        match self.record.get_mut(field) {
            // `url` and `permalink` of other plugins lead elsewhere.
            None if field == "route" && !is_for_anp => {}
            None => {
                self.from_metas.push((field, key.to_owned()));
                self.record.insert(field.to_owned(), value);
                return;
            }
            Some(there) if *there == value => return,
            Some(Value::Object(there)) if field == "payload" && value.is_object() => {
                if let Value::Object(members) = value {
                    there.extend(members);
                }
                return;
            }
            Some(there) if is_same_key || JOINED.contains(&field) => return join(there, value),
            Some(there) if is_hiding(field, &value) || is_given && counts => {
                *there = value;
                return;
            }
            Some(_) => {}
        }
        let message = format!(
            "left out the custom field '{key}': what WordPress or another custom field says of '{field}' counts"
        );
        self.warn(meta.line, META, message);
    }

    /// An own field of the author.
    fn add_own(&mut self, meta: &Meta, key: &str, value: Value) {
        if let Some(there) = self.record.get_mut(key) {
            join(there, value);
            if there
                .as_array()
                .is_some_and(|items| items.len() > MAX_ENTRIES)
            {
                if let Some(items) = there.as_array_mut() {
                    items.truncate(MAX_ENTRIES);
                }
                self.warn(meta.line, META, beyond(key));
            }
            return;
        }
        if !is_within(&value, MAX_DEPTH) {
            self.warn(meta.line, META, beyond(key));
            return;
        }
        let name = normalise(key);
        if self.own.contains(&name) {
            let message =
                format!("left out the custom field '{key}': another one has the same name");
            self.warn(meta.line, META, message);
            return;
        }
        if self.own.len() == MAX_OWN {
            let message =
                format!("left out the custom field '{key}': an article has at most {MAX_OWN}");
            self.warn(meta.line, META, message);
            return;
        }
        self.own.push(name);
        self.record.insert(key.to_owned(), value);
    }
}

/// The code of findings about custom fields.
const META: &str = "wordpress.meta";

fn beyond(key: &str) -> String {
    format!(
        "left out values of the custom field '{key}': expected at most {MAX_ENTRIES} entries in a list or \
         mapping, and {MAX_DEPTH} of those inside each other"
    )
}

/// The key behind a prefix that the settings name, or that is anp's.
fn strip_prefix<'k>(key: &'k str, options: &WxrOptions<'_>) -> Option<&'k str> {
    let own = ["_anp_".to_owned(), "anp_".to_owned()];
    let prefixes = match options.meta_prefixes.is_empty() {
        true => &own[..],
        false => options.meta_prefixes,
    };
    let mut found = prefixes.iter().filter(|prefix| !prefix.is_empty());
    let rest = found.find_map(|prefix| key.strip_prefix(prefix.as_str()))?;
    // Only a prefix of a field is one.
    (options.field_of)(&normalise(rest)).map(|_| rest)
}

fn is_internal(key: &str, value: &str) -> bool {
    // `_colour: field_5f3a…` tells ACF what field `colour` is.
    let is_reference = key.starts_with('_') && value.starts_with("field_");
    is_reference
        || INTERNAL_KEYS.contains(&key)
        || INTERNAL_PREFIXES
            .iter()
            .any(|prefix| key.starts_with(prefix))
}

/// Whether the plugin Ultimate Member restricts the article.
fn says_restricted(value: &str) -> bool {
    let Ok(Value::Object(members)) = php::read(value) else {
        return !value.trim().is_empty() && value.trim() != "a:0:{}";
    };
    let is_on = is_yes(members.get("_um_custom_access_settings"));
    // 0: everybody.
    is_on && !members.get("_um_accessible").is_some_and(is_no)
}

/// Appends to a list, or makes one.
fn join(there: &mut Value, value: Value) {
    let mut items = match std::mem::take(there) {
        Value::Array(items) => items,
        first => vec![first],
    };
    let further = match value {
        Value::Array(further) => further,
        value => vec![value],
    };
    for item in further {
        if items.len() < MAX_JOINED && !items.contains(&item) {
            items.push(item);
        }
    }
    *there = match items.len() {
        1 => items.swap_remove(0),
        _ => Value::Array(items),
    };
}

fn word(value: &Value) -> String {
    match value {
        Value::String(text) => text.trim().to_ascii_lowercase(),
        value => value.to_string(),
    }
}

fn is_yes(value: Option<&Value>) -> bool {
    value.is_some_and(|value| ["1", "true", "yes", "on"].contains(&word(value).as_str()))
}

fn is_no(value: &Value) -> bool {
    ["0", "false", "no", "off"].contains(&word(value).as_str())
}

/// Whether the value of a field hides the article.
fn is_hiding(field: &str, value: &Value) -> bool {
    HIDING.contains(&field) && is_yes(Some(value)) || field == "published" && is_no(value)
}

fn is_within(value: &Value, depth: usize) -> bool {
    match value {
        Value::Array(items) => {
            depth > 0
                && items.len() <= MAX_ENTRIES
                && items.iter().all(|item| is_within(item, depth - 1))
        }
        Value::Object(members) => {
            depth > 0
                && members.len() <= MAX_ENTRIES
                && members.values().all(|item| is_within(item, depth - 1))
        }
        _ => true,
    }
}

/// About the bytes of a value in JSON.
fn bytes_of(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len() + text.len() / 8 + 2,
        Value::Array(items) => items.iter().map(bytes_of).sum::<usize>() + items.len() + 2,
        Value::Object(members) => {
            let members = members.iter();
            members
                .map(|(key, value)| key.len() + 4 + bytes_of(value))
                .sum::<usize>()
                + 2
        }
        _ => 24,
    }
}
