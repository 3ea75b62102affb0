//! WordPress exports, and the articles in them.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| anp_fuzz::packed::wxr(bytes));
