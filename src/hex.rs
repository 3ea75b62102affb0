//! Bytes as lower-case hex digits, and back.

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Writes two digits a byte into `out`, as far as there is room.
#[inline]
pub fn write(out: &mut [u8], bytes: &[u8]) {
    for (pair, byte) in out.chunks_exact_mut(2).zip(bytes) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
}

/// The digits as a text.
#[must_use]
pub fn text(bytes: &[u8]) -> String {
    let mut digits = vec![0; 2 * bytes.len()];
    write(&mut digits, bytes);
    String::from_utf8(digits).expect("hex digits are ASCII")
}

/// The `N` bytes that 2 × `N` lower-case digits stand for.
#[must_use]
pub fn read<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    let value = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    if digits.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = value(pair[0])? << 4 | value(pair[1])?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::{read, text};

    #[test]
    fn bytes_come_back_from_their_digits() {
        let bytes: [u8; 256] = std::array::from_fn(|index| index as u8);
        assert_eq!(read(text(&bytes).as_bytes()), Some(bytes));
        assert_eq!(text(&[0, 0x9f, 0xa0]), "009fa0");
        for digits in ["", "0", "000", "0g", "0A"] {
            assert_eq!(read::<1>(digits.as_bytes()), None, "{digits}");
        }
    }
}
