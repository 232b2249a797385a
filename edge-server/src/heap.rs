//! The process's own memory: how much of it is in use, beside how much of the machine's it holds. What grows without being in use is fragments; what is
//! in use without anybody being here has leaked.

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use std::alloc::System;
use std::fs;

/// Counts what is asked for and given back. Forwarding allocates nothing, so that counting costs it nothing.
#[global_allocator]
static HEAP: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Bytes that were asked for and not given back; without those of libraries in C (cryptography, SQLite).
#[must_use]
pub fn in_use() -> u64 {
    let stats = HEAP.stats();
    (stats.bytes_allocated as u64).wrapping_sub(stats.bytes_deallocated as u64)
}

/// Bytes of the machine's memory that the process holds (`VmRSS`); 0 where the system doesn't tell.
#[must_use]
pub fn resident() -> u64 {
    fs::read_to_string("/proc/self/status").ok().and_then(|status| resident_of(&status)).unwrap_or_default()
}

fn resident_of(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()?.checked_mul(1_024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_back_is_not_in_use() {
        const MUCH: usize = 64 << 20;
        let before = in_use();
        let held = vec![1_u8; MUCH];
        // Other tests use memory meanwhile, but not so much.
        assert!(in_use() > before + MUCH as u64 / 2);
        drop(held);
        assert!(in_use() < before + MUCH as u64 / 2);
        assert!(resident() > 1 << 20);
    }

    #[test]
    fn nonsense_says_nothing() {
        assert_eq!(resident_of("Name: edge\nVmRSS:\t    2 kB\n"), Some(2_048));
        assert_eq!(resident_of("VmRSS: many"), None);
    }
}
