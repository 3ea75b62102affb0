//! How much memory the server has left.

use crate::store::{Session, StoreError};

/// The memory of a server that has a limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Room {
    /// `maxmemory`, in bytes.
    pub max_bytes: u64,
    /// `used_memory`, in bytes.
    pub used_bytes: u64,
    /// `maxmemory_policy`: `noeviction`, `allkeys-lru` …
    pub policy: String,
}

impl Room {
    /// What the server says of its memory; none if it has no limit. In a cluster it is that of
    /// the master with the least room for its share of the keys, as if each had as much.
    ///
    /// # Errors
    /// When the store fails or refuses.
    pub fn ask(session: &mut Session) -> Result<Option<Self>, StoreError> {
        let doing = "asking the server for its memory";
        let rooms = session.on_each_master(&mut |one| {
            if one.master.share == 0.0 {
                return Ok(None);
            }
            let reply = one.command(&[b"INFO", b"memory"], doing)?;
            match reply.lossy() {
                Some(text) => Ok(Self::parse(&text).map(|room| room.of_all(one.master.share))),
                None => reply.fail(doing),
            }
        })?;
        Ok(rooms.into_iter().flatten().min_by_key(Self::free_bytes))
    }

    /// The memory of all masters, if this one of them serves `share` of the keys.
    fn of_all(self, share: f64) -> Self {
        let scale = |bytes: u64| (bytes as f64 / share) as u64;
        Self {
            max_bytes: scale(self.max_bytes),
            used_bytes: scale(self.used_bytes),
            ..self
        }
    }

    fn parse(info: &str) -> Option<Self> {
        let field = |name: &str| {
            info.lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
        };
        let number = |name: &str| field(name)?.trim().parse::<u64>().ok();
        Some(Self {
            max_bytes: number("maxmemory").filter(|max| *max > 0)?,
            used_bytes: number("used_memory").unwrap_or(0),
            policy: field("maxmemory_policy")?.trim().to_owned(),
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
}

#[cfg(test)]
mod tests {
    use super::Room;

    #[test]
    fn a_server_without_a_limit_has_room_for_all() {
        let info = "# Memory\r\nused_memory:1000\r\nmaxmemory:0\r\nmaxmemory_policy:noeviction\r\n";
        assert_eq!(Room::parse(info), None);
        let info = info.replace("maxmemory:0", "maxmemory:5000");
        let room = Room::parse(&info).unwrap();
        assert_eq!((room.free_bytes(), room.evicts()), (4000, false));
        assert_eq!(room.clone().of_all(1.0), room);
        assert_eq!(room.clone().of_all(0.25).free_bytes(), 16_000);
    }
}
