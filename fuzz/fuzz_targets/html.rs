//! Bodies in HTML, from the source to the page.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| anp_fuzz::packed::html(bytes));
