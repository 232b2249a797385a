//! What another process uses, as /proc tells.
//!
//! CPU time comes from `/proc/PID/task/*/schedstat`: the nanoseconds each thread ran. It is the figure that `utime + stime` of
//! `/proc/PID/stat` are scaled to, without their rounding to 10 ms. Where the kernel doesn't keep it (`CONFIG_SCHED_INFO`), those serve.
//! On a kernel without IRQ time accounting (most), it contains the network's soft interrupts, and on loopback those of the receiver too.

use crate::LoadError;
use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

/// CPU time of a process and its threads since they began.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct CpuTime {
    /// Running.
    pub ran: Duration,
    /// Ready to run, and waiting for a core that something else had.
    pub waited: Duration,
    /// Running, by name of the thread; threads of one name together, numbered ones too.
    pub threads: BTreeMap<String, Duration>,
}

impl CpuTime {
    /// What was used since `earlier`.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let before = |name: &str| earlier.threads.get(name).copied().unwrap_or_default();
        Self {
            ran: self.ran.saturating_sub(earlier.ran),
            waited: self.waited.saturating_sub(earlier.waited),
            threads: self.threads.iter().map(|(name, ran)| (name.clone(), ran.saturating_sub(before(name)))).collect(),
        }
    }
}

/// CPU time of process `pid` so far.
///
/// # Errors
/// It has ended.
pub fn cpu_time(pid: u32) -> Result<CpuTime, LoadError> {
    let tasks = format!("/proc/{pid}/task");
    let mut total = CpuTime::default();
    for task in fs::read_dir(&tasks).map_err(LoadError::system(format!("reading {tasks}")))?.flatten() {
        let read = |file: &str| fs::read_to_string(task.path().join(file)).ok();
        // A thread may end between listing and reading.
        let Some((ran, waited)) = read("schedstat").and_then(|text| schedstat(&text)).or_else(|| ticks(&read("stat")?)) else { continue };
        total.ran += ran;
        total.waited += waited;
        *total.threads.entry(family(&read("comm").unwrap_or_default()).to_owned()).or_default() += ran;
    }
    Ok(total)
}

/// Janus names a thread for each transport, by a random number: `hloop 100261512`.
fn family(name: &str) -> &str {
    let numbered = name.trim().rsplit_once(' ').filter(|(_, number)| number.bytes().all(|byte| byte.is_ascii_digit()));
    numbered.map_or(name.trim(), |(family, _)| family)
}

/// `time running`, `time waiting`, `slices`; all zero where the kernel doesn't keep it.
fn schedstat(text: &str) -> Option<(Duration, Duration)> {
    let mut fields = text.split_whitespace().map(|field| field.parse::<u64>().map(Duration::from_nanos));
    let (ran, waited) = (fields.next()?.ok()?, fields.next()?.ok()?);
    (!ran.is_zero()).then_some((ran, waited))
}

/// Fields 14 and 15 of `stat`, in ticks of 10 ms (USER_HZ, 100 on every Linux). The name in brackets may contain spaces.
fn ticks(text: &str) -> Option<(Duration, Duration)> {
    let mut fields = text.rsplit_once(')')?.1.split_whitespace().skip(11).map(str::parse::<u64>);
    let ticks = fields.next()?.ok()? + fields.next()?.ok()?;
    Some((Duration::from_millis(ticks * 10), Duration::ZERO))
}

/// Resident memory of process `pid`, in kB of 1,024 bytes.
///
/// # Errors
/// It has ended.
pub fn resident_kb(pid: u32) -> Result<u64, LoadError> {
    let file = format!("/proc/{pid}/status");
    let text = fs::read_to_string(&file).map_err(LoadError::system(format!("reading {file}")))?;
    vm_rss(&text).ok_or_else(|| LoadError::refused(format!("reading {file}"), "there is no VmRSS in it; the process has ended"))
}

fn vm_rss(status: &str) -> Option<u64> {
    status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// CPU time that anything on this machine has used since it started, to 10 ms, all cores together; also what a hypervisor took away.
#[must_use]
pub fn machine_time() -> Duration {
    fs::read_to_string("/proc/stat").ok().and_then(|text| busy(&text)).unwrap_or_default()
}

/// Of `cpu user nice system idle iowait irq softirq steal …`, everything but idle and iowait.
fn busy(stat: &str) -> Option<Duration> {
    let fields = stat.lines().next()?.strip_prefix("cpu ")?.split_whitespace();
    let ticks = fields.take(8).map(|field| field.parse::<u64>().ok()).collect::<Option<Vec<_>>>()?;
    let idle: u64 = ticks.iter().skip(3).take(2).sum();
    Some(Duration::from_millis((ticks.iter().sum::<u64>() - idle) * 10))
}

/// UDP datagrams that the calling thread's network namespace dropped because a socket's receive buffer was full, since it began.
#[must_use]
pub fn udp_receive_overflows() -> u64 {
    fs::read_to_string("/proc/thread-self/net/snmp").ok().and_then(|text| overflows(&text)).unwrap_or_default()
}

fn overflows(snmp: &str) -> Option<u64> {
    let mut lines = snmp.lines().filter_map(|line| line.strip_prefix("Udp: "));
    let (names, values) = (lines.next()?, lines.next()?);
    names.split(' ').zip(values.split(' ')).find(|(name, _)| *name == "RcvbufErrors")?.1.parse().ok()
}

/// The machine in a few words: model of the processor, cores, kernel.
#[must_use]
pub fn machine() -> String {
    let read = |file| fs::read_to_string(file).unwrap_or_default();
    let info = read("/proc/cpuinfo");
    let model =
        info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ")).map_or("unknown processor", |(_, model)| model);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{cores} cores, {model}, Linux {}", read("/proc/sys/kernel/osrelease").trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_of_this_process_is_seen_by_thread() {
        let pid = std::process::id();
        let before = cpu_time(pid).unwrap();
        let worker = std::thread::Builder::new().name("worker-bee".into()).spawn(move || {
            while crate::cpu::thread_time() < Duration::from_millis(30) {
                std::hint::spin_loop();
            }
            cpu_time(pid).unwrap()
        });
        let used = worker.unwrap().join().unwrap().since(&before);
        let bee = used.threads.get("worker-bee").copied().unwrap_or_default();
        assert!(bee >= Duration::from_millis(20), "{used:?}");
        assert!(used.ran >= bee);
    }

    #[test]
    fn what_the_kernel_writes_is_read() {
        let millis = |ran, waited| Some((Duration::from_millis(ran), Duration::from_millis(waited)));
        assert_eq!(schedstat("418000000 73000000 12\n"), millis(418, 73));
        assert_eq!(["hloop 100261512\n", "shard-0", "SCTP timer"].map(family), ["hloop", "shard-0", "SCTP timer"]);
        assert_eq!(schedstat("0 0 0"), None);
        assert_eq!(ticks("12 (a (b) c) S 1 1 1 0 -1 4194304 100 0 0 0 25 17 0 0 20 0"), millis(420, 0));
        assert_eq!(vm_rss("VmPeak:\t 1 kB\nVmRSS:\t   20480 kB\n"), Some(20480));
        assert_eq!(busy("cpu  100 20 30 5000 700 1 2 3 40 50\ncpu0 1"), Some(Duration::from_millis(1560)));
        assert_eq!(busy("intr 1"), None);
        assert_eq!(overflows("Tcp: 1\nTcp: 2\nUdp: InDatagrams RcvbufErrors X\nUdp: 10 7 3\n"), Some(7));
        assert!(resident_kb(std::process::id()).unwrap() > 100);
        assert!(resident_kb(u32::MAX).is_err());
    }
}
