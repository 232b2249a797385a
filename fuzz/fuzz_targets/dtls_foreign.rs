#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| nearcast_fuzz::dtls_foreign(bytes));
