//! What the articles are about: stacks with their parts and tools, scenarios, contexts,
//! measured quantities and places that pictures come from.
//!
//! Words are lower case and hold nothing that YAML or Markdown would read as syntax, so that
//! they may stand anywhere. Changing or moving one changes every article of every seed.

/// A technology that articles are filed under; its name makes the folder.
pub(super) struct Stack {
    pub(super) name: &'static str,
    pub(super) area: &'static str,
    pub(super) code: Code,
    pub(super) tools: [&'static str; 3],
    /// Nouns that read well after "the".
    pub(super) parts: [&'static str; 4],
}

/// The language of a stack's code block.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Code {
    Text,
    Sh,
    Sql,
    Yaml,
    Ini,
    Lua,
}

impl Code {
    /// The token of `code_language` and of the fence.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Sh => "sh",
            Self::Sql => "sql",
            Self::Yaml => "yaml",
            Self::Ini => "ini",
            Self::Lua => "lua",
        }
    }
}

const fn stack(
    name: &'static str,
    area: &'static str,
    code: Code,
    tools: [&'static str; 3],
    parts: [&'static str; 4],
) -> Stack {
    Stack {
        name,
        area,
        code,
        tools,
        parts,
    }
}

use Code::{Ini, Lua, Sh, Sql, Text, Yaml};

/// Forty stacks: with [`super::ARTICLES_A_SHELF`] they keep a folder below 1,000 files.
#[rustfmt::skip]
pub(super) const STACKS: [Stack; 40] = [
    stack("haproxy", "web", Ini, ["stats socket", "health checks", "tcpdump"], ["backend pool", "stick table", "connection limit", "health check"]),
    stack("varnish", "web", Text, ["varnishlog", "varnishstat", "ban lurker"], ["grace period", "hash key", "ban list", "storage backend"]),
    stack("cdn delivery", "web", Sh, ["curl", "edge logs", "purge api"], ["cache key", "edge rule", "origin shield", "purge queue"]),
    stack("http caching", "web", Text, ["curl", "browser tools", "header checker"], ["cache header", "etag", "vary rule", "revalidation path"]),
    stack("tls certificates", "security", Sh, ["openssl", "acme client", "expiry exporter"], ["certificate chain", "renewal hook", "key store", "cipher list"]),
    stack("access control", "security", Yaml, ["policy tests", "audit log", "role diff"], ["role mapping", "session store", "token lifetime", "permission check"]),
    stack("secret handling", "security", Yaml, ["vault", "sealed files", "rotation jobs"], ["rotation job", "lease renewal", "secret mount", "access log"]),
    stack("kubernetes", "platform", Yaml, ["kubectl", "event log", "metrics server"], ["resource limit", "readiness probe", "node pool", "pod budget"]),
    stack("container images", "platform", Sh, ["buildkit", "layer diff", "registry mirror"], ["base layer", "build cache", "entry point", "registry mirror"]),
    stack("terraform", "platform", Text, ["plan files", "state list", "drift report"], ["state file", "module layout", "provider pin", "plan review"]),
    stack("ansible", "platform", Yaml, ["check mode", "fact cache", "vault files"], ["inventory", "handler order", "fact cache", "role default"]),
    stack("systemd services", "linux", Ini, ["systemctl", "journalctl", "systemd-analyze"], ["unit file", "restart policy", "timer", "watchdog"]),
    stack("linux networking", "linux", Sh, ["ss", "tcpdump", "ethtool"], ["accept queue", "conntrack table", "receive buffer", "route table"]),
    stack("linux storage", "linux", Sh, ["iostat", "fio", "smartctl"], ["write barrier", "page cache", "io scheduler", "mount option"]),
    stack("shell scripting", "linux", Sh, ["shellcheck", "bash -x", "flock"], ["exit trap", "lock file", "temporary folder", "argument parser"]),
    stack("cron jobs", "linux", Sh, ["flock", "journalctl", "dead man switch"], ["job lock", "start time", "mail output", "catch-up rule"]),
    stack("rabbitmq", "messaging", Ini, ["rabbitmqctl", "management api", "shovel"], ["dead letter queue", "prefetch limit", "quorum queue", "consumer timeout"]),
    stack("kafka", "messaging", Ini, ["consumer groups", "mirror maker", "lag exporter"], ["partition count", "offset commit", "retention rule", "rebalance"]),
    stack("background workers", "messaging", Yaml, ["queue panel", "job replayer", "worker traces"], ["retry queue", "worker pool", "job payload", "visibility timeout"]),
    stack("web hooks", "messaging", Text, ["request bin", "signature check", "replay tool"], ["delivery log", "signature", "retry ladder", "endpoint list"]),
    stack("prometheus", "observability", Yaml, ["promtool", "recording rules", "alert tests"], ["scrape interval", "label set", "alert rule", "remote write"]),
    stack("log pipelines", "observability", Yaml, ["vector", "logrotate", "sample viewer"], ["parser", "index rule", "sampling rate", "disk buffer"]),
    stack("tracing", "observability", Yaml, ["span viewer", "tail sampler", "context checker"], ["span name", "sampling rule", "context header", "trace store"]),
    stack("load testing", "observability", Sh, ["wrk", "k6", "vegeta"], ["arrival rate", "warm-up phase", "test data", "think time"]),
    stack("object storage", "storage", Sh, ["rclone", "lifecycle rules", "inventory reports"], ["multipart upload", "lifecycle rule", "bucket policy", "listing job"]),
    stack("backup and restore", "storage", Sh, ["restic", "rsync", "checksum lists"], ["restore drill", "retention plan", "snapshot lock", "repository check"]),
    stack("image processing", "media", Sh, ["libvips", "exiftool", "size budget"], ["thumbnail queue", "colour profile", "resize cache", "upload limit"]),
    stack("static sites", "publishing", Yaml, ["link checker", "html validator", "build timer"], ["template", "asset manifest", "redirect map", "build cache"]),
    stack("content imports", "publishing", Yaml, ["dry run", "import manifest", "schema check"], ["front matter", "import batch", "rollback manifest", "slug rule"]),
    stack("api design", "backend", Text, ["contract tests", "request replayer", "schema diff"], ["pagination", "error format", "idempotency key", "version header"]),
    stack("rate limiting", "backend", Lua, ["redis-cli", "burst simulator", "header checker"], ["token bucket", "client key", "burst size", "reject path"]),
    stack("redis caching", "database", Text, ["redis-cli", "keyspace hints", "latency monitor"], ["eviction policy", "hot shard", "key space", "expiry spread"]),
    stack("redis streams", "database", Lua, ["redis-cli", "consumer lag panel", "slow log"], ["consumer group", "pending list", "stream trimmer", "claim loop"]),
    stack("postgres tuning", "database", Sql, ["psql", "pg_stat_statements", "auto_explain"], ["query planner", "vacuum schedule", "shared buffer", "partial index"]),
    stack("postgres replication", "database", Sql, ["pg_basebackup", "psql", "replication slots"], ["standby", "replication slot", "failover script", "wal archive"]),
    stack("mysql operations", "database", Sql, ["mysqldump", "pt-query-digest", "slow query log"], ["buffer pool", "binary log", "read replica", "schema change"]),
    stack("sqlite in production", "database", Sql, ["sqlite3", "litestream", "file locks"], ["write-ahead log", "busy timeout", "checkpoint", "page cache"]),
    stack("elasticsearch", "search", Yaml, ["index templates", "hot threads", "shard allocator"], ["shard layout", "refresh interval", "merge policy", "field mapping"]),
    stack("full text search", "search", Sql, ["query analyser", "stop word lists", "relevance tests"], ["tokeniser", "ranking function", "synonym list", "suggestion index"]),
    stack("nginx", "web", Text, ["access log", "stub status", "curl"], ["upstream block", "proxy buffer", "keep-alive pool", "location match"]),
];

/// What the article's team was doing: the stem of the file name, and the activity.
pub(super) struct Scenario {
    pub(super) slug: &'static str,
    pub(super) activity: &'static str,
}

const fn scenario(slug: &'static str, activity: &'static str) -> Scenario {
    Scenario { slug, activity }
}

#[rustfmt::skip]
pub(super) const SCENARIOS: [Scenario; 32] = [
    scenario("config-drift", "detecting configuration drift"),
    scenario("version-upgrades", "upgrading a major version"),
    scenario("cache-stampedes", "avoiding cache stampedes"),
    scenario("partial-outages", "degrading well in a partial outage"),
    scenario("long-tail-latency", "trimming the long tail of latency"),
    scenario("cost-reviews", "reviewing what each request costs"),
    scenario("data-cleanup", "cleaning up stale data"),
    scenario("access-reviews", "reviewing who may change what"),
    scenario("regional-traffic", "serving readers in several regions"),
    scenario("traffic-spikes", "absorbing a sudden traffic spike"),
    scenario("dependency-pinning", "pinning dependencies without falling behind"),
    scenario("local-development", "keeping local development close to production"),
    scenario("incident-reviews", "writing incident reviews that get read"),
    scenario("queue-backlogs", "draining a backlog in order"),
    scenario("feature-switches", "shipping behind a feature switch"),
    scenario("rollback-plans", "keeping a rollback plan that works"),
    scenario("duplicate-work", "removing duplicate work"),
    scenario("timeouts", "choosing timeouts that add up"),
    scenario("test-data", "seeding realistic test data"),
    scenario("read-replicas", "reading from replicas without surprises"),
    scenario("monthly-reports", "producing monthly reports on time"),
    scenario("scheduled-tasks", "running scheduled tasks reliably"),
    scenario("zero-downtime-deploys", "deploying without downtime"),
    scenario("cold-starts", "surviving a cold start"),
    scenario("capacity-planning", "planning capacity for the next season"),
    scenario("slow-requests", "finding the slowest requests"),
    scenario("safe-migrations", "migrating data in small steps"),
    scenario("bulk-imports", "importing a large batch overnight"),
    scenario("failover-drills", "rehearsing a failover"),
    scenario("memory-limits", "living within a memory limit"),
    scenario("noisy-alerts", "cutting down noisy alerts"),
    scenario("retry-storms", "stopping retry storms"),
];

/// For whom: completes "running scheduled tasks reliably …".
pub(super) const CONTEXTS: [&str; 16] = [
    "in a mixed cloud setup",
    "for a multilingual site",
    "on ageing hardware",
    "for a nightly batch",
    "with one database server",
    "for a high traffic archive",
    "for a small team on call",
    "on two modest machines",
    "after a data centre move",
    "in a busy news room",
    "with a fixed budget",
    "for a public api",
    "during the yearly sale",
    "for an internal tool",
    "behind a shared proxy",
    "with strict uptime goals",
];

/// How the article goes about it.
pub(super) const KINDS: [&str; 8] = [
    "notes",
    "field notes",
    "runbook",
    "review",
    "checklist",
    "lessons",
    "case study",
    "primer",
];

/// A quantity that is better when it is lower, its unit, and its usual range.
pub(super) struct Metric {
    pub(super) name: &'static str,
    pub(super) unit: &'static str,
    pub(super) low: u32,
    pub(super) high: u32,
}

const fn metric(name: &'static str, unit: &'static str, low: u32, high: u32) -> Metric {
    Metric {
        name,
        unit,
        low,
        high,
    }
}

pub(super) const METRICS: [Metric; 12] = [
    metric("p99 latency", " ms", 18, 240),
    metric("median latency", " ms", 4, 60),
    metric("queue depth", " jobs", 40, 2_400),
    metric("error rate", " per million", 12, 700),
    metric("cpu time", " µs a request", 70, 900),
    metric("memory use", " MiB", 96, 1_800),
    metric("retry count", " an hour", 5, 400),
    metric("cache misses", " a second", 30, 1_500),
    metric("open connections", "", 60, 3_000),
    metric("disk wait", " ms", 2, 45),
    metric("start-up time", " s", 2, 40),
    metric("replication lag", " ms", 15, 900),
];

/// Kinds of entity, beside the stack's own area.
pub(super) const ENTITY_TYPES: [&str; 4] = ["tool", "part", "practice", "signal"];

/// Where pictures come from.
pub(super) const IMAGE_HOSTS: [&str; 3] = ["dummyimage.com", "placehold.co", "images.example.org"];

pub(super) const OWNERS: [&str; 6] = [
    "archive desk",
    "platform team",
    "search team",
    "on-call rota",
    "publishing team",
    "data team",
];

/// How long an article may stay in the store.
pub(super) const TTLS: [&str; 5] = ["12h", "36h", "3d", "7d", "14d"];
