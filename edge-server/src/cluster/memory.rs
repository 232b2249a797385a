//! How full the memory is that this process may use: of its control group where that has a limit (containers), else of the machine.

use std::fs;

/// Share of it, 0 to 1; 0 where the system doesn't tell.
pub(crate) fn used() -> f32 {
    let read = |path: &str| fs::read_to_string(path).ok();
    let group = || of_group(&read("/sys/fs/cgroup/memory.current")?, &read("/sys/fs/cgroup/memory.max")?);
    let machine = || of_machine(&read("/proc/meminfo")?);
    group().or_else(machine).unwrap_or_default()
}

fn of_group(current: &str, most: &str) -> Option<f32> {
    let most: f32 = most.trim().parse().ok().filter(|most| *most > 0.0)?; // "max": no limit
    Some(current.trim().parse::<f32>().ok()? / most)
}

fn of_machine(meminfo: &str) -> Option<f32> {
    let of = |name: &str| {
        let line = meminfo.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().strip_suffix(" kB")?.trim().parse::<f32>().ok()
    };
    let total = of("MemTotal:").filter(|total| *total > 0.0)?;
    Some(1.0 - of("MemAvailable:")? / total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_without_a_limit_says_nothing() {
        assert_eq!(of_group("512\n", "1024\n"), Some(0.5));
        assert_eq!(of_group("512\n", "max\n"), None);
    }

    #[test]
    fn what_can_be_had_is_not_used() {
        assert_eq!(of_machine("MemTotal:       1000 kB\nMemFree:  10 kB\nMemAvailable:    750 kB\n"), Some(0.25));
        assert_eq!(of_machine("nonsense"), None);
    }
}
