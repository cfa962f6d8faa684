#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ecnas_fuzz::csv::run(data));
