//! The standing queue: how much later than on an empty path packets arrive, whatever their own burst adds.
//!
//! A sender that forwards frames as they come puts a burst of 10-60 kB into the bottleneck 30 times a second; the last packet of each
//! is late by what the frame itself takes. The smallest delay over a few frames is what stays when the bursts have passed: the idea
//! of CoDel (RFC 8289 §3.2) and of Copa's standing round trip (Arun, Balakrishnan 2018, §2.2), with one-way delays.
//!
//! Not here: whether it grows (`trend`), and what to do about it (`rate`).

/// One-way delays are compared with the smallest of the last [`BASE_LEN`] × [`BASE_STEP_US`]: 30 s. Quartz clocks drift apart by 100 ppm
/// at most: 3 ms in that time. Guess: every cut empties the queue, and cuts come more often than that where a queue stands.
const BASE_STEP_US: i64 = 5_000_000;
const BASE_LEN: usize = 6;
/// The standing queue is the smallest delay over three to four of these: 90-120 ms, three frames at 30 frames/s (CoDel's interval: 100 ms).
const STEP_US: i64 = 30_000;
const LEN: usize = 4;

/// The smallest of the last few intervals.
#[derive(Debug)]
struct WindowedMin<const STEP_US: i64, const N: usize> {
    /// Number of the interval that `mins[0]` covers.
    current: i64,
    mins: [i64; N],
}

impl<const STEP_US: i64, const N: usize> WindowedMin<STEP_US, N> {
    fn new() -> Self {
        Self { current: i64::MIN, mins: [i64::MAX; N] }
    }

    fn push(&mut self, at_us: i64, value: i64) {
        // By a constant, which is a multiplication: this is done for every packet.
        let interval = at_us.div_euclid(const { STEP_US });
        if interval > self.current {
            let steps = usize::try_from(interval.saturating_sub(self.current)).unwrap_or(N).min(N);
            self.mins.rotate_right(steps);
            self.mins.iter_mut().take(steps).for_each(|min| *min = i64::MAX);
            self.current = interval;
        }
        let behind = usize::try_from(self.current.saturating_sub(interval)).unwrap_or(N);
        if let Some(min) = self.mins.get_mut(behind) {
            *min = value.min(*min);
        }
    }

    fn min(&self) -> Option<i64> {
        self.mins.iter().copied().min().filter(|min| *min != i64::MAX)
    }

    fn clear(&mut self) {
        self.mins = [i64::MAX; N];
        self.current = i64::MIN;
    }
}

#[derive(Debug)]
pub(super) struct QueueDelay {
    base: WindowedMin<BASE_STEP_US, BASE_LEN>,
    standing: WindowedMin<STEP_US, LEN>,
}

impl QueueDelay {
    pub(super) fn new() -> Self {
        Self { base: WindowedMin::new(), standing: WindowedMin::new() }
    }

    /// A packet sent at `sent_us` (our clock) that arrived at `arrival_us` (theirs).
    pub(super) fn push(&mut self, sent_us: i64, arrival_us: i64) {
        let delay = arrival_us.saturating_sub(sent_us);
        self.base.push(sent_us, delay);
        self.standing.push(sent_us, delay);
    }

    /// µs that a packet waits in queues before it, at least; 0 before the first packet.
    pub(super) fn standing_us(&self) -> i64 {
        self.above_base(self.standing.min())
    }

    fn above_base(&self, delay: Option<i64>) -> i64 {
        delay.zip(self.base.min()).map_or(0, |(delay, base)| delay.saturating_sub(base).max(0))
    }

    /// What stands isn't a queue, the path became longer: measure from it from now on.
    pub(super) fn rebase(&mut self) {
        self.base.clear();
        if let Some(standing) = self.standing.min() {
            self.base.push(self.standing.current.saturating_mul(STEP_US), standing);
        }
    }

    /// Nothing was sent for a while: what stood then stands no more, as far as anybody knows.
    pub(super) fn forget_standing(&mut self) {
        self.standing.clear();
    }

    /// The receiver's clock was set anew.
    pub(super) fn reset(&mut self) {
        self.base.clear();
        self.standing.clear();
    }
}
