//! Which command goes to which slot, read from its encoded form.

use super::topology::slot;

/// The slot of an encoded command's key; none where it has no key.
pub(super) fn slot_of(command: &[u8]) -> Option<usize> {
    let mut words = Words(command);
    words.header(b'*')?;
    let name = words.next()?;
    let key = match name {
        // EVALSHA sha 1 key …
        b"EVALSHA" => words.nth(2)?,
        b"ASKING" | b"CLIENT" | b"CLUSTER" | b"INFO" | b"PING" | b"SCAN" | b"SCRIPT" | b"TIME"
        | b"WAIT" => return None,
        _ => words.next()?,
    };
    Some(slot(key))
}

/// The bulk strings of an encoded command.
struct Words<'a>(&'a [u8]);

impl<'a> Words<'a> {
    /// Reads `*3\r\n`, or `$5\r\n`.
    fn header(&mut self, sigil: u8) -> Option<usize> {
        let rest = self.0.strip_prefix(&[sigil])?;
        let end = rest.iter().position(|&byte| byte == b'\r')?;
        let number = std::str::from_utf8(&rest[..end]).ok()?.parse().ok()?;
        self.0 = rest.get(end + 2..)?;
        Some(number)
    }
}

impl<'a> Iterator for Words<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let length = self.header(b'$')?;
        let word = self.0.get(..length)?;
        self.0 = self.0.get(length + 2..)?;
        Some(word)
    }
}

#[cfg(test)]
mod tests {
    use super::{slot, slot_of};
    use crate::store::Batch;

    #[test]
    fn the_key_decides_and_commands_without_one_have_no_slot() {
        let of = |arguments: &[&[u8]]| {
            let mut batch = Batch::default();
            batch.push(arguments);
            slot_of(batch.command(0))
        };
        let key: &[u8] = b"anp:page:/a/\r\n$1/";
        assert_eq!(of(&[b"GET", key]), Some(slot(key)));
        assert_eq!(of(&[b"SET", key, b"value", b"NX"]), Some(slot(key)));
        assert_eq!(of(&[b"EVALSHA", b"5f", b"1", key, b"x"]), Some(slot(key)));
        assert_eq!(of(&[b"TIME"]), None);
        assert_eq!(of(&[b"CLIENT", b"ID"]), None);
        assert_eq!(of(&[b"GET"]), None);
    }
}
