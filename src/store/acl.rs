//! The minimum rights, as the line that grants them.

/// Grants what anp needs on keys under the default prefix, and nothing else. `SCAN` serves
/// `--prune`, and purges of what no content tree names.
pub const ACL_LINE: &str = "ACL SETUSER anp on >PASSWORD ~anp:* resetchannels -@all \
+ping +select +time +info +client|setname +client|id +client|list \
+client|kill +script|load +evalsha +type +get +set +getrange +strlen \
+pttl +pexpire +pexpireat +pexpiretime +persist +del +unlink +dump +restore +hgetall +smembers \
+zrange +lrange +xinfo|stream +hlen +scard +zcard +llen +xlen +scan";

/// What a run needs besides where it may meet hashes whose fields run out. Servers without such
/// fields (before Redis 7.4 and Valkey 9) do not know the command.
pub const FIELD_EXPIRIES_RIGHT: &str = "+hpexpiretime";

/// What a run, or its way back, asks of a key, with the arguments after the key: the commands of
/// [`ACL_LINE`] that take one, by the names that they have there. Where there is no such key, none of them changes anything.
pub const KEY_COMMANDS: &[(&str, &[&str])] = &[
    ("type", &[]),
    ("get", &[]),
    ("set", &["", "XX"]),
    ("getrange", &["0", "0"]),
    ("strlen", &[]),
    ("pttl", &[]),
    ("pexpire", &["1"]),
    ("pexpireat", &["1"]),
    ("pexpiretime", &[]),
    ("persist", &[]),
    ("del", &[]),
    ("unlink", &[]),
    ("dump", &[]),
    // An empty dump is refused.
    ("restore", &["0", ""]),
    ("hgetall", &[]),
    ("smembers", &[]),
    ("zrange", &["0", "0"]),
    ("lrange", &["0", "0"]),
    ("xinfo|stream", &[]),
    ("hlen", &[]),
    ("scard", &[]),
    ("zcard", &[]),
    ("llen", &[]),
    ("xlen", &[]),
];

/// Grants what `anp serve` and `anp probe` need to read published objects, and nothing else.
pub const READER_ACL_LINE: &str = "ACL SETUSER preview on >PASSWORD ~anp:* resetchannels -@all \
+ping +select +getrange +pttl +scan";

/// What a user of either line needs besides where sentinels say who the master is: whoever they
/// name is asked.
pub const SENTINEL_RIGHT: &str = "+role";

/// What a user of either line needs besides in a cluster: who serves which slot, and a slot that
/// is on its way.
pub const CLUSTER_RIGHTS: &str = "+cluster|shards +asking";

/// What a run that waits for replicas needs besides.
pub const REPLICAS_RIGHT: &str = "+wait";

#[cfg(test)]
mod tests {
    use super::{ACL_LINE, KEY_COMMANDS};

    /// What takes no key. Every run uses it before it writes; `SCAN` alone it may not need.
    const OTHERS: [&str; 11] = [
        "ping",
        "select",
        "time",
        "info",
        "client|setname",
        "client|id",
        "client|list",
        "client|kill",
        "script|load",
        "evalsha",
        "scan",
    ];

    #[test]
    fn every_right_of_the_line_is_asked_for_or_used_before_a_write() {
        let rights = ACL_LINE
            .split(' ')
            .filter_map(|word| word.strip_prefix('+'));
        let mut granted: Vec<&str> = rights.collect();
        let names = KEY_COMMANDS.iter().map(|(name, _)| *name);
        let mut known: Vec<&str> = names.chain(OTHERS).collect();
        granted.sort_unstable();
        known.sort_unstable();
        assert_eq!(granted, known);
    }
}
