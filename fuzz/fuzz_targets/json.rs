//! Front matter in JSON, beside the values of `serde_json`.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        anp_fuzz::json(text);
    }
});
