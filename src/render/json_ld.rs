//! What search engines read: schema.org's TechArticle as JSON-LD.

use super::escape;
use super::meta::string;
use crate::article::{Metadata, Value};

/// What the JSON-LD is made from.
pub(super) struct Facts<'f> {
    pub(super) title: &'f str,
    pub(super) description: &'f str,
    pub(super) canonical: &'f str,
    pub(super) image: &'f str,
    pub(super) lang: &'f str,
    pub(super) site_name: &'f str,
    pub(super) metadata: &'f Metadata,
}

/// The JSON, fit to stand in a script element.
pub(super) fn write(facts: &Facts<'_>) -> String {
    let mut json = Vec::with_capacity(512);
    json.extend_from_slice(b"{\"@context\":\"https://schema.org\",\"@type\":\"TechArticle\"");
    let mut member = |name: &str, value: &str| {
        if !value.is_empty() {
            json.push(b',');
            string(&mut json, name);
            json.push(b':');
            string(&mut json, value);
        }
    };
    let metadata = facts.metadata;
    member("headline", facts.title);
    member("description", facts.description);
    member("url", facts.canonical);
    member("image", facts.image);
    member("inLanguage", facts.lang);
    member("datePublished", metadata.text("date").unwrap_or_default());
    member("dateModified", metadata.text("updated").unwrap_or_default());
    member("about", metadata.text("topic").unwrap_or_default());
    member(
        "proficiencyLevel",
        metadata.text("difficulty").unwrap_or_default(),
    );
    if let Some(Value::Number(minutes)) = metadata.get("reading_time") {
        member("timeRequired", &format!("PT{minutes}M"));
    }
    member("keywords", &metadata.texts("tags").join(", "));
    let mut open: &[u8] = b",\"author\":[";
    let authors = metadata.texts("author");
    for name in &authors {
        json.extend_from_slice(open);
        json.extend_from_slice(b"{\"@type\":\"Person\",\"name\":");
        string(&mut json, name);
        json.push(b'}');
        open = b",";
    }
    if !authors.is_empty() {
        json.push(b']');
    }
    if !facts.site_name.is_empty() {
        json.extend_from_slice(b",\"publisher\":{\"@type\":\"Organization\",\"name\":");
        string(&mut json, facts.site_name);
        json.push(b'}');
    }
    json.push(b'}');
    let mut out = String::with_capacity(json.len() + 16);
    // All parts are UTF-8.
    escape::json_in_html(&mut out, &String::from_utf8(json).unwrap_or_default());
    out
}
