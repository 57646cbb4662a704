//! Any bytes as an image file.

#![no_main]

use geiko_runtime::testing::images;
use libfuzzer_sys::fuzz_target;

/// Most instructions of an image that can be started.
const LIMIT: u32 = 3000;

fuzz_target!(|bytes: &[u8]| {
    images::open_and_run(bytes, LIMIT);
});
