//! The last look at a slot's stream before its packets are sealed. The forwarder sees to it that what is refused here never comes; should
//! it fail, one packet is lost instead of a key (AES-GCM gives it away when two packets have one number) or a receiver's sense of time.

/// Numbers below the newest of which is known whether they went.
const REACH: u64 = u64::BITS as u64;

/// Why a packet must not leave.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Breach {
    /// A packet went under this number.
    Repeated,
    /// It is the newest of its stream, and older than the one before.
    BackInTime,
}

/// What has left of one stream.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Guard {
    /// SRTP index and timestamp of the packet with the highest number.
    newest: Option<(u64, u32)>,
    /// The numbers from the newest downwards that went, from the lowest bit upwards.
    went: u64,
}

impl Guard {
    /// Judges a packet that isn't sent again but for the first time, and takes note of it.
    ///
    /// # Errors
    /// Why it must not leave. Nothing is noted then.
    #[inline]
    pub(crate) fn admit(&mut self, index: u64, timestamp: u32) -> Result<(), Breach> {
        let Some((newest, last)) = self.newest else {
            *self = Self { newest: Some((index, timestamp)), went: 1 };
            return Ok(());
        };
        if index > newest {
            if timestamp.wrapping_sub(last).cast_signed() < 0 {
                return Err(Breach::BackInTime);
            }
            let ahead = index.saturating_sub(newest);
            let moved = if ahead < REACH { self.went.wrapping_shl(ahead as u32) } else { 0 };
            *self = Self { newest: Some((index, timestamp)), went: moved | 1 };
            return Ok(());
        }
        let behind = newest.saturating_sub(index);
        if behind < REACH {
            let bit = 1_u64.wrapping_shl(behind as u32);
            if self.went & bit != 0 {
                return Err(Breach::Repeated);
            }
            self.went |= bit;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_goes_once_in_whatever_order() {
        let mut guard = Guard::default();
        for index in [70_000, 70_003, 70_001, 70_002, 70_080, 70_040] {
            assert_eq!(guard.admit(index, 9), Ok(()), "{index}");
        }
        for index in [70_080, 70_040] {
            assert_eq!(guard.admit(index, 9), Err(Breach::Repeated), "{index}");
        }
        assert_eq!(guard.admit(70_079, 9), Ok(()));
    }

    #[test]
    fn time_runs_forward_round_the_circle_too() {
        let mut guard = Guard::default();
        assert_eq!(guard.admit(1, u32::MAX - 5), Ok(()));
        assert_eq!(guard.admit(2, 3), Ok(()));
        assert_eq!(guard.admit(3, 2), Err(Breach::BackInTime));
        assert_eq!(guard.admit(3, 3), Ok(()), "another packet of the same picture");
        assert_eq!(guard.admit(9, 3_003), Ok(()));
        assert_eq!(guard.admit(5, 4), Ok(()), "what comes late has the time of its place");
    }

    /// A bit that is shifted out must not come back as another number's.
    #[test]
    fn a_long_way_forward_forgets_what_went() {
        let mut guard = Guard::default();
        assert_eq!(guard.admit(1, 0), Ok(()));
        assert_eq!(guard.admit(65, 0), Ok(()));
        assert_eq!(guard.admit(2, 0), Ok(()));
        assert_eq!(guard.admit(64, 0), Ok(()));
        assert_eq!(guard.admit(1 << 40, 0), Ok(()));
        assert_eq!(guard.admit((1 << 40) - 1, 0), Ok(()));
    }
}
