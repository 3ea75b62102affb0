//! Front matter in YAML, and whole sources.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    anp_fuzz::boundary(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        anp_fuzz::yaml(text);
    }
});
