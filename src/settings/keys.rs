//! The names of all settings, and where they are looked for.

use std::path::Path;

/// Key in anp.yaml and `ANP_…` variable of every setting.
pub const KEYS: [(&str, &str); 66] = [
    ("redis", "ANP_REDIS_URL"),
    ("sentinel_user", "ANP_SENTINEL_USER"),
    ("tls.ca", "ANP_TLS_CA"),
    ("tls.cert", "ANP_TLS_CERT"),
    ("tls.key", "ANP_TLS_KEY"),
    ("tls.server_name", "ANP_TLS_SERVER_NAME"),
    ("prefix", "ANP_PREFIX"),
    ("state_dir", "ANP_STATE_DIR"),
    ("content", "ANP_CONTENT"),
    ("include", "ANP_INCLUDE"),
    ("exclude", "ANP_EXCLUDE"),
    ("route", "ANP_ROUTE"),
    ("languages", "ANP_LANGUAGES"),
    ("ttl", "ANP_TTL"),
    ("max_ttl", "ANP_MAX_TTL"),
    ("jitter", "ANP_JITTER"),
    ("max_invalid", "ANP_MAX_INVALID"),
    ("expect.min_articles", "ANP_EXPECT_MIN_ARTICLES"),
    ("expect.max_changed", "ANP_EXPECT_MAX_CHANGED"),
    ("expect.max_removed", "ANP_EXPECT_MAX_REMOVED"),
    ("expect.max_duration", "ANP_EXPECT_MAX_DURATION"),
    ("strict", "ANP_STRICT"),
    ("unknown_fields", "ANP_UNKNOWN_FIELDS"),
    ("split_spaces", "ANP_SPLIT_SPACES"),
    ("schema", "ANP_SCHEMA"),
    ("visibility_fields", "ANP_VISIBILITY_FIELDS"),
    ("links", "ANP_LINKS"),
    ("drafts", "ANP_DRAFTS"),
    ("future", "ANP_FUTURE"),
    ("owner", "ANP_OWNER"),
    ("expected_result", "ANP_EXPECTED_RESULT"),
    ("paused", "ANP_PAUSED"),
    ("deadline", "ANP_DEADLINE"),
    ("timeout", "ANP_TIMEOUT"),
    ("wait_replicas", "ANP_WAIT_REPLICAS"),
    ("wait_timeout", "ANP_WAIT_TIMEOUT"),
    ("metrics_dir", "ANP_METRICS_DIR"),
    ("templates", "ANP_TEMPLATES"),
    ("compress", "ANP_COMPRESS"),
    ("login_cookies", "ANP_LOGIN_COOKIES"),
    ("serve.addr", "ANP_SERVE_ADDR"),
    ("cache.browser", "ANP_CACHE_BROWSER"),
    ("cache.edge", "ANP_CACHE_EDGE"),
    ("cache.stale", "ANP_CACHE_STALE"),
    ("cache.surrogate_keys", "ANP_CACHE_SURROGATE_KEYS"),
    ("after.purge", "ANP_AFTER_PURGE"),
    ("after.command", "ANP_AFTER_COMMAND"),
    ("after.command_timeout", "ANP_AFTER_COMMAND_TIMEOUT"),
    ("keep_runs.count", "ANP_KEEP_RUNS_COUNT"),
    ("keep_runs.age", "ANP_KEEP_RUNS_AGE"),
    ("site.url", "ANP_SITE_URL"),
    ("site.name", "ANP_SITE_NAME"),
    ("site.lang", "ANP_SITE_LANG"),
    ("site.timezone", "ANP_SITE_TIMEZONE"),
    ("site.assets", "ANP_SITE_ASSETS"),
    ("meta_box.show", "ANP_META_BOX_SHOW"),
    ("meta_box.hide", "ANP_META_BOX_HIDE"),
    ("wordpress.meta_prefix", "ANP_WORDPRESS_META_PREFIX"),
    ("archive.similar", "ANP_ARCHIVE_SIMILAR"),
    ("archive.lists", "ANP_ARCHIVE_LISTS"),
    ("archive.feeds", "ANP_ARCHIVE_FEEDS"),
    ("archive.sitemap", "ANP_ARCHIVE_SITEMAP"),
    ("archive.robots_txt", "ANP_ARCHIVE_ROBOTS_TXT"),
    ("archive.llms_txt", "ANP_ARCHIVE_LLMS_TXT"),
    ("archive.redirects", "ANP_ARCHIVE_REDIRECTS"),
    ("archive.text", "ANP_ARCHIVE_TEXT"),
];

/// Keys of anp.yaml that hold other keys.
pub(super) const GROUPS: [&str; 10] = [
    "after",
    "archive",
    "cache",
    "expect",
    "keep_runs",
    "meta_box",
    "serve",
    "site",
    "tls",
    "wordpress",
];

pub(super) const SECOND_MS: u64 = 1000;
pub(super) const DAY_MS: u64 = 24 * 60 * 60 * SECOND_MS;

/// Where settings come from besides the flags.
pub struct Sources<'a> {
    /// `--config`, if it was given.
    pub config: Option<&'a Path>,
    /// Key and text of each flag that was given.
    pub flags: Vec<(&'static str, String)>,
    /// Reads a variable of the environment.
    pub env: &'a dyn Fn(&str) -> Option<String>,
    /// The folder that relative paths of flags and variables start from.
    pub current_dir: &'a Path,
}

/// The flag of a setting whose name on the command line has its group in it.
pub(super) fn flag(key: &str) -> Option<String> {
    key.starts_with("tls.")
        .then(|| format!("--{}", key.replace(['.', '_'], "-")))
}

/// The flag of a setting.
pub(super) fn flag_name(key: &str) -> String {
    flag(key).unwrap_or_else(|| format!("--{}", last_part(key).replace('_', "-")))
}

/// `max_removed` of `expect.max_removed`.
pub(super) fn last_part(key: &str) -> &str {
    key.rsplit_once('.').map_or(key, |(_, last)| last)
}
