//! The code blocks of articles, line by line, with the slots of the grammar.

use super::vocabulary::Code;

/// Lines that each make sense alone, so that any of them in any order read as an excerpt.
pub(super) fn lines(code: Code) -> &'static [&'static str] {
    match code {
        Code::Text => &[
            "HIT    /archive/{count}   0.00{n} s",
            "MISS   /archive/{count}   0.{many} s",
            "STALE  /archive/{count}   age={many}",
            "total {count} requests, {pct} percent from the cache",
            "limit {size}, used {pct} percent",
            "deadline {n} s, retry after {many} ms",
        ],
        Code::Sh => &[
            "timeout {n}s ./check.sh --limit {many} | tee check.log",
            "curl -sS -o /dev/null -w '%header(age)' https://example.org/archive/{count}",
            "test \"$(wc -l < keys.txt)\" -eq {count} || exit {n}",
            "flock -n /run/lock/import.lock nice ./run.sh --batch {many}",
            "sleep {n} && ./verify.sh --sample {many}",
            "grep -c ' 50[0-9] ' access.log  # {n}",
        ],
        Code::Sql => &[
            "SELECT count(*) FROM articles WHERE views > {count};",
            "SELECT route FROM articles ORDER BY updated DESC LIMIT {many};",
            "UPDATE jobs SET state = 'ready' WHERE id = {count} AND state = 'new';",
            "DELETE FROM sessions WHERE idle_minutes > {many};",
            "SET statement_timeout = '{n}s';",
            "EXPLAIN SELECT * FROM runs WHERE started_by = {many};",
        ],
        Code::Yaml => &[
            "timeout: {n}s",
            "retries: {n}",
            "batch_size: {many}",
            "max_memory: {size}",
            "warn_above: {pct}%",
            "keep_for: {many}d",
        ],
        Code::Ini => &[
            "TimeoutSec={n}",
            "max_connections = {many}",
            "retention.hours = {many}",
            "memory.limit = {size}",
            "prefetch = {n}",
            "Restart=on-failure",
        ],
        Code::Lua => &[
            "if redis.call('EXISTS', KEYS[1]) == 0 then return {n} end",
            "local left = redis.call('PTTL', KEYS[1])",
            "redis.call('SET', KEYS[1], ARGV[1], 'PX', {many}000)",
            "if left < {many}000 then left = {many}000 end",
            "local used = redis.call('INCRBY', KEYS[2], {n})",
            "-- at most {many} calls a window",
        ],
    }
}
