#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| nearcast_fuzz::turn(bytes));
