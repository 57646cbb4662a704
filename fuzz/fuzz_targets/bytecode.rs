//! Random byte code on a small Lisp.

#![no_main]

use geiko_runtime::testing::programs;
use libfuzzer_sys::fuzz_target;

/// Most instructions of a program.
const LIMIT: u32 = 5000;

fuzz_target!(|bytes: &[u8]| {
    programs::run(bytes, LIMIT);
});
