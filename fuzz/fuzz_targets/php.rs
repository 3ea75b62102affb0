//! Values as PHP serialises them.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        anp_fuzz::packed::php(text);
    }
});
