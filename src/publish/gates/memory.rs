//! How much memory a server has left, and how much a run needs of it.
//!
//! The formula was measured on Redis 7.0, 7.4, 8.0, 8.2, 8.6 and Valkey 8.0, 8.1, 9.1 (docs/stores.md,
//! "Memory"): a run that fits by it was never stopped by `maxmemory`. It errs on the side of more:
//! each value that grows counts, and none that shrinks.

use crate::store::{Session, StoreError};

/// What a key costs besides its name and its value: its entries among the keys and the expiries, and
/// the head of its value.
const KEY_BYTES: u64 = 2 * 32 + 16;
/// What it costs besides in a cluster: the list of the keys of its slot, or tables of their own.
const CLUSTER_KEY_BYTES: u64 = 64;
/// The tables of all slots of a cluster, where each has its own.
const CLUSTER_BYTES: u64 = 4 * 1024 * 1024;
/// One slot of a hash table.
const SLOT_BYTES: u64 = 8;
/// So many keys are written besides: lock, switch, what others write meanwhile.
const SPARE_KEYS: u64 = 16;
/// What connections and scripts take at once: at most this, and less where less is sent.
const CONNECTION_BYTES: u64 = 64 * 1024;
const BUFFER_BYTES: u64 = 512 * 1024;
/// So many times the largest value is in memory at once: read, handed to a script, compared, and about
/// to be replaced.
const LARGEST_TIMES: u64 = 6;
/// From here on a value may keep the buffer that it was read into.
const LARGE_VALUE: u64 = 32 * 1024;
const LARGE_VALUE_BYTES: u64 = 1024;

/// How a server takes memory from the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allocator {
    /// jemalloc up to 5.3.0: four sizes between two powers of two, whatever the size.
    Jemalloc,
    /// Later ones: pages above 16 KiB.
    JemallocPages,
    /// Any other: that of the C library, or not known.
    Other,
}

impl Allocator {
    /// As INFO names it.
    fn parse(name: &str) -> Self {
        let Some(version) = name.strip_prefix("jemalloc-") else {
            return Self::Other;
        };
        let number = |part: &str| part.parse::<u32>().unwrap_or(u32::MAX);
        let version: Vec<u32> = version.split('.').map(number).collect();
        if version.as_slice() <= [5, 3, 0].as_slice() {
            Self::Jemalloc
        } else {
            Self::JemallocPages
        }
    }

    /// At most so much does it take for `bytes`.
    fn most(self, bytes: u64) -> u64 {
        let of_classes = size_class(bytes);
        match self {
            Self::Jemalloc | Self::JemallocPages => of_classes,
            Self::Other if bytes < 64 * 1024 => of_classes.max(bytes + 24),
            Self::Other => of_classes.max(bytes + 2 * 4096),
        }
    }

    /// At least so much does it take for them.
    fn least(self, bytes: u64) -> u64 {
        match self {
            Self::Jemalloc => size_class(bytes),
            Self::JemallocPages if bytes <= 14 * 1024 => size_class(bytes),
            Self::JemallocPages | Self::Other => bytes,
        }
    }
}

/// The size that jemalloc takes for `bytes`.
fn size_class(bytes: u64) -> u64 {
    if bytes <= 128 {
        return bytes.next_multiple_of(16).max(16);
    }
    let step = bytes.next_power_of_two() / 8;
    bytes.next_multiple_of(step)
}

/// A value with what stands before and behind it.
fn value_bytes(length: u64) -> u64 {
    let head = match length {
        0..256 => 3,
        256..65_536 => 5,
        _ => 9,
    };
    head + length + 1
}

/// What a run needs of the memory of all masters.
#[derive(Clone, Copy, Debug)]
pub struct MemoryNeed {
    allocator: Allocator,
    /// New keys, and what existing ones grow by.
    bytes: u64,
    /// The sum of the squares of what each key needs.
    squares: f64,
    keys: u64,
    expiries: u64,
    largest: u64,
    sent: u64,
}

impl MemoryNeed {
    /// A run that writes nothing, on servers that allocate so.
    #[must_use]
    pub fn new(allocator: Allocator) -> Self {
        Self {
            allocator,
            bytes: 0,
            squares: 0.0,
            keys: 0,
            expiries: 0,
            largest: 0,
            sent: 0,
        }
    }

    fn add(&mut self, bytes: u64) {
        self.bytes = self.bytes.saturating_add(bytes);
        self.squares += (bytes as f64) * (bytes as f64);
    }

    fn send(&mut self, length: u64) {
        self.largest = self.largest.max(length);
        self.sent = self.sent.saturating_add(length);
    }

    /// A key with a name of `name` bytes is created, with a value of `length` bytes.
    pub fn create(&mut self, name: u64, length: u64) {
        self.send(length);
        let buffer = match length {
            0..LARGE_VALUE => 0,
            _ => LARGE_VALUE_BYTES,
        };
        let allocated = |bytes| self.allocator.most(value_bytes(bytes));
        self.add(allocated(length) + buffer + allocated(name) + KEY_BYTES);
        self.keys += 1;
        self.expiries += 1;
    }

    /// The value of a key, which was `old` bytes long, is replaced by one of `length` bytes.
    pub fn replace(&mut self, old: u64, length: u64, had_expiry: bool) {
        self.send(length);
        // Nobody takes more for less.
        if length > old {
            let freed = match old {
                0 => 0,
                old => self.allocator.least(value_bytes(old)),
            };
            let taken = self.allocator.most(value_bytes(length));
            self.add(taken.saturating_sub(freed));
        }
        self.expiries += u64::from(!had_expiry);
    }
}

/// The memory of a master that has a limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Room {
    /// `maxmemory`, in bytes.
    pub max_bytes: u64,
    /// `used_memory`, in bytes.
    pub used_bytes: u64,
    /// `maxmemory_policy`: `noeviction`, `allkeys-lru` …
    pub policy: String,
    /// How it allocates.
    pub allocator: Allocator,
    /// Its keys in the database.
    keys: u64,
    /// Those of them with an expiry.
    expiries: u64,
    /// Its share of all keys, in millionths.
    share: u32,
}

const WHOLE: u32 = 1_000_000;

impl Room {
    /// What each master says of its memory, of those that have a limit and serve keys.
    ///
    /// # Errors
    /// When the store fails or refuses.
    pub fn ask(session: &mut Session, db: i64) -> Result<Vec<Self>, StoreError> {
        let doing = "asking the server for its memory";
        let rooms = session.on_each_master(&mut |one| {
            let share = (one.master.share * f64::from(WHOLE)).ceil() as u32;
            if share == 0 {
                return Ok(None);
            }
            let reply = one.command(&[b"INFO", b"memory", b"keyspace"], doing)?;
            match reply.lossy() {
                Some(text) => Ok(Self::parse(&text, db, share)),
                None => reply.fail(doing),
            }
        })?;
        Ok(rooms.into_iter().flatten().collect())
    }

    fn parse(info: &str, db: i64, share: u32) -> Option<Self> {
        let field = |name: &str| {
            info.lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
        };
        let number = |name: &str| field(name)?.trim().parse::<u64>().ok();
        let keyspace = field(&format!("db{db}")).unwrap_or_default();
        let count = |name: &str| {
            let mut members = keyspace
                .split(',')
                .filter_map(|member| member.split_once('='));
            let (_, count) = members.find(|(member, _)| *member == name)?;
            count.trim().parse().ok()
        };
        Some(Self {
            max_bytes: number("maxmemory").filter(|max| *max > 0)?,
            used_bytes: number("used_memory").unwrap_or(0),
            policy: field("maxmemory_policy")?.trim().to_owned(),
            allocator: Allocator::parse(field("mem_allocator").unwrap_or_default().trim()),
            keys: count("keys").unwrap_or(0),
            expiries: count("expires").unwrap_or(0),
            share,
        })
    }

    /// Bytes that are free.
    #[must_use]
    pub fn free_bytes(&self) -> u64 {
        self.max_bytes.saturating_sub(self.used_bytes)
    }

    /// Whether the server makes room by dropping other keys.
    #[must_use]
    pub fn evicts(&self) -> bool {
        self.policy != "noeviction"
    }

    /// What the run needs of this master: its share of the keys, and a little more, since keys are
    /// spread over slots by chance.
    #[must_use]
    pub fn needed(&self, need: &MemoryNeed) -> u64 {
        if need.sent == 0 {
            return 0;
        }
        let is_cluster = self.share < WHOLE;
        let share = f64::from(self.share) / f64::from(WHOLE);
        let of_all = |count: u64| (count as f64 * share).ceil() as u64;
        let chance = 4.0 * (need.squares * share * (1.0 - share)).sqrt();
        let (keys, expiries) = (of_all(need.keys), of_all(need.expiries));
        let tables = if is_cluster {
            // Each slot has tables of its own, or all slots have one.
            let slots = 3 * SLOT_BYTES * (keys + expiries) + CLUSTER_KEY_BYTES * keys;
            slots + of_all(CLUSTER_BYTES) + table_growth(self.keys, keys)
        } else {
            table_growth(self.keys, keys) + table_growth(self.expiries, expiries)
        };
        let buffers = CONNECTION_BYTES + of_all(need.sent).min(BUFFER_BYTES);
        of_all(need.bytes)
            .saturating_add(chance as u64)
            .saturating_add(tables)
            .saturating_add(buffers)
            .saturating_add(need.largest.saturating_mul(LARGEST_TIMES))
    }
}

/// What a hash table of `keys` keys takes more when it gets `more` keys. It doubles, and the old table
/// stays until all are moved.
fn table_growth(keys: u64, more: u64) -> u64 {
    if more == 0 {
        return 0;
    }
    let size = |keys: u64| keys.max(4).next_power_of_two();
    let (now, then) = (size(keys), size(keys + more + SPARE_KEYS));
    if now == then {
        return 0;
    }
    SLOT_BYTES * (then + then / 2 - now)
}

#[cfg(test)]
mod tests {
    use super::{Allocator, MemoryNeed, Room, WHOLE, size_class, table_growth};

    const INFO: &str = "# Memory\r\nused_memory:1000\r\nmaxmemory:5000\r\n\
                        maxmemory_policy:noeviction\r\nmem_allocator:jemalloc-5.3.0\r\n\
                        # Keyspace\r\ndb0:keys=7,expires=1\r\ndb3:keys=40,expires=30,avg_ttl=1\r\n";

    #[test]
    fn a_server_without_a_limit_has_room_for_all() {
        let unlimited = INFO.replace("maxmemory:5000", "maxmemory:0");
        assert_eq!(Room::parse(&unlimited, 0, WHOLE), None);
        let room = Room::parse(INFO, 3, WHOLE).unwrap();
        assert_eq!((room.free_bytes(), room.evicts()), (4000, false));
        assert_eq!((room.keys, room.expiries), (40, 30));
        assert_eq!(room.allocator, Allocator::Jemalloc);
        assert_eq!(Room::parse(INFO, 1, WHOLE).unwrap().keys, 0);
    }

    #[test]
    fn allocators_are_known_by_name_and_version() {
        for (name, allocator) in [
            ("jemalloc-5.1.0", Allocator::Jemalloc),
            ("jemalloc-5.3.0", Allocator::Jemalloc),
            ("jemalloc-5.3.1", Allocator::JemallocPages),
            ("jemalloc-6.0.0", Allocator::JemallocPages),
            ("libc", Allocator::Other),
        ] {
            assert_eq!(Allocator::parse(name), allocator, "{name}");
        }
        for allocator in [
            Allocator::Jemalloc,
            Allocator::JemallocPages,
            Allocator::Other,
        ] {
            for bytes in (0..200_000).step_by(7) {
                let (least, most) = (allocator.least(bytes), allocator.most(bytes));
                assert!(bytes <= least && least <= most, "{allocator:?} {bytes}");
            }
        }
        let sizes = [1, 16, 17, 128, 129, 160, 161, 1024, 1025, 14_337].map(size_class);
        assert_eq!(sizes, [16, 16, 32, 128, 160, 160, 192, 1024, 1280, 16_384]);
    }

    #[test]
    fn a_table_doubles_beside_the_old_one() {
        assert_eq!(table_growth(100, 0), 0);
        assert_eq!(table_growth(600, 100), 0);
        assert_eq!(table_growth(900, 500), 8 * (2048 + 1024 - 1024));
        assert_eq!(table_growth(0, 1000), 8 * (1024 + 512 - 4));
    }

    #[test]
    fn what_shrinks_makes_no_room_and_what_is_only_prolonged_needs_none() {
        let room = Room::parse(INFO, 0, WHOLE).unwrap();
        let mut need = MemoryNeed::new(room.allocator);
        assert_eq!(room.needed(&need), 0);
        need.replace(9_000, 1_000, true);
        let small = need.bytes;
        assert_eq!(small, 0);
        need.replace(1_000, 9_000, true);
        assert_eq!(need.bytes, 10_240 - 1_024);
        need.create(30, 9_000);
        assert_eq!(need.bytes, 2 * 10_240 - 1_024 + 48 + 80);
        assert!(room.needed(&need) > need.bytes + 6 * 9_000);
    }

    #[test]
    fn a_value_of_the_same_length_takes_the_same_of_every_allocator() {
        for allocator in [
            Allocator::Jemalloc,
            Allocator::JemallocPages,
            Allocator::Other,
        ] {
            let mut need = MemoryNeed::new(allocator);
            for bytes in [700, 20_000, 300_000] {
                need.replace(bytes, bytes, true);
                need.replace(bytes, bytes - 1, true);
            }
            assert_eq!(need.bytes, 0, "{allocator:?}");
            need.replace(20_000, 20_001, true);
            assert!(need.bytes < 5_000, "{allocator:?}");
        }
    }

    #[test]
    fn a_master_needs_its_share_and_what_chance_may_add() {
        let whole = Room::parse(INFO, 0, WHOLE).unwrap();
        let half = Room::parse(INFO, 0, WHOLE / 2).unwrap();
        let mut need = MemoryNeed::new(whole.allocator);
        for _ in 0..100_000 {
            need.create(60, 5_000);
        }
        let (all, half) = (whole.needed(&need), half.needed(&need));
        assert!(half > all / 2 && half < all * 6 / 10, "{half} of {all}");
    }
}
