//! One frame of the file: guard, zstd frame, end mark.
//!
//! Skippable frames are those of RFC 8878, section 3.1.2: a magic number from 0x184D2A50
//! to 0x184D2A5F, a length of four bytes, then that many bytes of any content.

/// Magic number of the guard, little endian.
const GUARD_MAGIC: [u8; 4] = 0x184D_2A5A_u32.to_le_bytes();
/// Magic number of the end mark, little endian.
const END_MAGIC: [u8; 4] = 0x184D_2A5E_u32.to_le_bytes();
/// Bytes of content in a guard: sequence 8, length 8, BLAKE3 32, check of the guard 8.
const GUARD_CONTENT: usize = 56;
/// Bytes of a guard.
pub(super) const GUARD: usize = 8 + GUARD_CONTENT;
/// The end mark, whole. Its last byte is not zero, and no flip of one bit makes it so.
pub(super) const END: [u8; 12] = {
    let [a, b, c, d] = END_MAGIC;
    [a, b, c, d, 4, 0, 0, 0, b'a', b'n', b'p', 0xA5]
};

/// What a guard says of the frame behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Guard {
    /// Place of the frame in the file, from 0.
    pub sequence: u64,
    /// Bytes of the zstd frame.
    pub length: u64,
    /// BLAKE3 of the zstd frame.
    pub hash: [u8; 32],
}

impl Guard {
    pub(super) fn encode(self) -> [u8; GUARD] {
        let mut bytes = [0; GUARD];
        bytes[..4].copy_from_slice(&GUARD_MAGIC);
        bytes[4..8].copy_from_slice(&(GUARD_CONTENT as u32).to_le_bytes());
        bytes[8..16].copy_from_slice(&self.sequence.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.length.to_le_bytes());
        bytes[24..56].copy_from_slice(&self.hash);
        let check = blake3::hash(&bytes[..56]);
        bytes[56..].copy_from_slice(&check.as_bytes()[..8]);
        bytes
    }

    /// Reads a guard; none if any bit of it is not as it was written.
    pub(super) fn decode(bytes: &[u8; GUARD]) -> Option<Self> {
        let number = |range: std::ops::Range<usize>| {
            bytes[range]
                .iter()
                .rev()
                .fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte))
        };
        let guard = Self {
            sequence: number(8..16),
            length: number(16..24),
            hash: bytes[24..56].try_into().ok()?,
        };
        (guard.encode() == *bytes).then_some(guard)
    }

    /// Whether `bytes`, fewer than a guard, can be the beginning of one.
    pub(super) fn may_begin_with(bytes: &[u8]) -> bool {
        let known = Self {
            sequence: 0,
            length: 0,
            hash: [0; 32],
        }
        .encode();
        let compared = bytes.len().min(8);
        bytes[..compared] == known[..compared]
    }
}

#[cfg(test)]
mod tests {
    use super::{END, GUARD, Guard};

    #[test]
    fn a_guard_reads_back_and_no_flipped_bit_goes_unseen() {
        let guard = Guard {
            sequence: 7,
            length: 123_456,
            hash: [9; 32],
        };
        let bytes = guard.encode();
        assert_eq!(Guard::decode(&bytes), Some(guard));
        for bit in 0..GUARD * 8 {
            let mut flipped = bytes;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Guard::decode(&flipped), None, "bit {bit}");
        }
    }

    #[test]
    fn zstd_passes_over_guard_and_end_mark() {
        let frame = zstd::bulk::compress(b"one line\n", 1).unwrap();
        let guard = Guard {
            sequence: 0,
            length: frame.len() as u64,
            hash: [0; 32],
        };
        let file = [&guard.encode()[..], &frame, &END].concat();
        assert_eq!(zstd::decode_all(&file[..]).unwrap(), b"one line\n");
    }
}
