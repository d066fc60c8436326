//! What is checked is in the body, which tests/fuzz_twins.rs shares.
#![no_main]

#[path = "../bodies/board.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::check(data));
