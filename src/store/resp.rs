//! Commands on the wire: RESP arrays of bulk strings, encoded into one reused buffer.

use super::Script;

/// Commands that are sent together and answered in order.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    bytes: Vec<u8>,
    /// End offset of each command in `bytes`.
    ends: Vec<usize>,
}

impl Batch {
    /// Appends one command: its name and arguments.
    pub fn push(&mut self, arguments: &[&[u8]]) {
        self.header(b'*', arguments.len());
        for argument in arguments {
            self.header(b'$', argument.len());
            self.bytes.extend_from_slice(argument);
            self.bytes.extend_from_slice(b"\r\n");
        }
        self.ends.push(self.bytes.len());
    }

    /// Appends a call of `script` on one key.
    pub fn script(&mut self, script: Script, key: &[u8], arguments: &[&[u8]]) {
        let mut all: Vec<&[u8]> = Vec::with_capacity(4 + arguments.len());
        all.extend_from_slice(&[b"EVALSHA", script.sha().as_bytes(), b"1", key]);
        all.extend_from_slice(arguments);
        self.push(&all);
    }

    /// Appends a command that is encoded already.
    pub fn push_encoded(&mut self, command: &[u8]) {
        self.bytes.extend_from_slice(command);
        self.ends.push(self.bytes.len());
    }

    fn header(&mut self, sigil: u8, number: usize) {
        let mut digits = [0_u8; 20];
        let mut start = digits.len();
        let mut rest = number;
        loop {
            start -= 1;
            digits[start] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        self.bytes.push(sigil);
        self.bytes.extend_from_slice(&digits[start..]);
        self.bytes.extend_from_slice(b"\r\n");
    }

    /// Number of commands.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no command.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The encoded commands.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The first `count` encoded commands.
    #[must_use]
    pub fn first(&self, count: usize) -> &[u8] {
        let end = count.checked_sub(1).map_or(0, |last| self.ends[last]);
        &self.bytes[..end]
    }

    /// The encoded command at `index`.
    #[must_use]
    pub fn command(&self, index: usize) -> &[u8] {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.bytes[start..self.ends[index]]
    }

    /// A batch of just the commands at `indexes`, to be sent again.
    #[must_use]
    pub fn only(&self, indexes: &[usize]) -> Self {
        let mut some = Self::default();
        for &index in indexes {
            some.push_encoded(self.command(index));
        }
        some
    }

    /// Empties the batch and keeps its memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::Batch;

    #[test]
    fn encodes_as_the_redis_protocol_page_shows() {
        let mut batch = Batch::default();
        batch.push(&[b"SET", b"key", b"0123456789"]);
        batch.push(&[b"PING"]);
        assert_eq!(
            batch.bytes(),
            b"*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$10\r\n0123456789\r\n*1\r\n$4\r\nPING\r\n"
        );
        assert_eq!(batch.command(1), b"*1\r\n$4\r\nPING\r\n");
        assert_eq!([batch.first(0), batch.first(2)], [b"", batch.bytes()]);
        assert_eq!(batch.only(&[1]).bytes(), batch.command(1));
    }

    #[test]
    fn an_empty_argument_is_a_bulk_string_of_length_zero() {
        let mut batch = Batch::default();
        batch.push(&[b""]);
        assert_eq!(batch.bytes(), b"*1\r\n$0\r\n\r\n");
    }
}
