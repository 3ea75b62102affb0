//! The JSON Schema of the settings file, for editors and CI.

use serde_json::{Map, Value, json};

use super::keys::KEYS;

const DURATION: &str = "^([0-9]+[Ww])?([0-9]+[Dd])?([0-9]+[Hh])?([0-9]+[Mm])?([0-9]+[Ss])?$";
const COUNT_OR_PERCENT: &str = "^[0-9]+(\\.[0-9])?%?$";

/// The schema (draft 2020-12) of anp.yaml. Its keys are those of [`KEYS`]; a value that only anp can
/// judge, such as an address, is a text.
#[must_use]
pub fn json_schema() -> Value {
    let mut properties = Map::new();
    for (key, variable) in KEYS {
        let mut schema = of(key).unwrap_or_else(|| json!({}));
        schema["description"] = json!(format!("{variable} and a flag win over it."));
        // Nothing behind a key is as good as no key.
        let schema = json!({ "anyOf": [schema, { "type": "null" }] });
        match key.split_once('.') {
            None => drop(properties.insert(key.to_owned(), schema)),
            Some((group, key)) => {
                let group = properties.entry(group).or_insert_with(|| {
                    json!({ "type": ["object", "null"], "properties": {}, "additionalProperties": false })
                });
                group["properties"][key] = schema;
            }
        }
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Settings of anp",
        "type": ["object", "null"],
        "properties": properties,
        "additionalProperties": false,
    })
}

/// The type of a setting.
fn of(key: &str) -> Option<Value> {
    let whole =
        |least: u64, most: u64| json!({ "type": "integer", "minimum": least, "maximum": most });
    Some(match key {
        "redis" | "sentinel_user" | "tls.ca" | "tls.cert" | "tls.key" | "tls.server_name"
        | "prefix" | "state_dir" | "content" | "schema" | "owner" | "expected_result"
        | "paused" | "metrics_dir" | "templates" | "serve.addr" | "site.name" | "site.timezone"
        | "route" => {
            json!({ "type": ["string", "number"] })
        }
        "site.url" | "site.assets" => json!({ "type": "string", "pattern": "^https?://" }),
        "site.lang" => json!({ "type": "string", "pattern": "^[A-Za-z0-9-]{1,35}$" }),
        "ttl"
        | "max_ttl"
        | "expect.max_duration"
        | "deadline"
        | "timeout"
        | "keep_runs.age"
        | "after.command_timeout"
        | "cache.browser"
        | "cache.edge"
        | "cache.stale" => {
            json!({ "type": "string", "pattern": DURATION })
        }
        "jitter" => json!({ "type": "string", "pattern": "^[0-9]+(\\.[0-9])?%$" }),
        "max_invalid" | "expect.max_changed" | "expect.max_removed" => json!({
            "anyOf": [
                { "type": "integer", "minimum": 0 },
                { "type": "string", "pattern": COUNT_OR_PERCENT },
            ],
        }),
        "expect.min_articles" => json!({ "type": "integer", "minimum": 0 }),
        "keep_runs.count" => whole(0, 1_000_000),
        "wait_replicas" => whole(0, 100),
        "wait_timeout" => whole(1, 600_000),
        "strict"
        | "drafts"
        | "future"
        | "split_spaces"
        | "archive.sitemap"
        | "archive.robots_txt"
        | "archive.llms_txt"
        | "archive.text"
        | "cache.surrogate_keys" => json!({ "type": "boolean" }),
        "archive.similar" => whole(0, 20),
        "archive.lists" => group(&json!({
            "home": { "type": "boolean" },
            "folders": { "type": "boolean" },
            "fields": { "type": "array", "items": { "type": "string" } },
            "per_page": whole(1, 1000),
        })),
        "archive.feeds" => group(&json!({ "count": whole(1, 1000) })),
        "archive.redirects" => group(&json!({ "keep": { "type": "string", "pattern": DURATION } })),
        "after.command" => json!({
            "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }],
        }),
        "after.purge" => json!({ "type": "array", "maxItems": 100, "items": purge_target() }),
        "unknown_fields" => json!({ "enum": ["keep", "warn", "deny"] }),
        "compress" => json!({ "enum": ["none", "gzip"] }),
        "links" => json!({ "enum": ["warn", "deny", "allow"] }),
        "login_cookies"
        | "include"
        | "exclude"
        | "languages"
        | "meta_box.show"
        | "meta_box.hide"
        | "wordpress.meta_prefix" => json!({
            "anyOf": [{ "type": "array", "items": { "type": "string" } }, { "type": "string" }],
        }),
        "visibility_fields" => json!({
            "type": ["object", "string"],
            "additionalProperties": { "enum": ["ignore", "draft", "noindex"] },
        }),
        _ => return None,
    })
}

/// A cache that is purged after a run; anp judges what fits its kind.
fn purge_target() -> Value {
    let text = || json!({ "type": "string" });
    let whole = || json!({ "type": "integer", "minimum": 0 });
    json!({
        "type": "object", "required": ["kind"], "additionalProperties": false,
        "properties": {
            "kind": { "enum": ["varnish", "nginx", "fastly", "cloudflare", "http"] },
            "url": { "type": "string", "pattern": "^https?://" },
            "headers": { "type": "object", "additionalProperties": { "type": ["string", "number"] } },
            "rate": { "type": "string", "pattern": "^[0-9]+/s$" },
            "timeout": { "type": "string", "pattern": DURATION },
            "retries": whole(), "max_urls": whole(), "batch": whole(),
            "everything": { "type": ["boolean", "object"] },
            "service": text(), "by": { "enum": ["url", "key"] }, "soft": { "type": "boolean" },
            "token_env": text(), "zone": text(), "method": text(), "body": text(),
        },
    })
}

/// A mapping with these members, or whether it is on.
fn group(members: &Value) -> Value {
    json!({
        "type": ["object", "boolean"], "properties": members, "additionalProperties": false,
    })
}

#[cfg(test)]
mod tests {
    use super::{KEYS, of};

    #[test]
    fn every_setting_has_a_type() {
        let without = KEYS.iter().filter(|(key, _)| of(key).is_none());
        let without: Vec<&str> = without.map(|(key, _)| *key).collect();
        assert!(without.is_empty(), "add a type in this file: {without:?}");
    }
}
