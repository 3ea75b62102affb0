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

/// Grants what `anp serve` and `anp probe` need to read published objects, and nothing else.
pub const READER_ACL_LINE: &str = "ACL SETUSER preview on >PASSWORD ~anp:* resetchannels -@all \
+ping +select +get +getrange +pttl";

/// What a user of either line needs besides where sentinels say who the master is: whoever they
/// name is asked.
pub const SENTINEL_RIGHT: &str = "+role";

/// What a user of either line needs besides in a cluster: who serves which slot, and a slot that
/// is on its way.
pub const CLUSTER_RIGHTS: &str = "+cluster|shards +asking";

/// What a run that waits for replicas needs besides.
pub const REPLICAS_RIGHT: &str = "+wait";
