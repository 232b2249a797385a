//! Resends of which the subscriber hasn't said yet whether they came. What its transport-wide feedback says arrived isn't sent again, however
//! often it is asked for: some clients don't see what comes by RTX, and ask on and on (the `webrtc` crate).
//!
//! Bound: [`MOST`]; the oldest are forgotten, and sent again if asked for.

/// Feedback comes ten times a second or more often: the resends of a link of 20 Mbit/s that loses a tenth.
const MOST: usize = 32;

/// A packet that was sent again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Underway {
    /// Transport-wide number.
    pub(crate) number: u16,
    /// Index of its slot.
    pub(crate) slot: usize,
    /// The number that it was asked for by.
    pub(crate) wire: u16,
}

/// All of one subscriber.
#[derive(Debug, Default)]
pub(crate) struct ResendsUnderway(Vec<Underway>);

impl ResendsUnderway {
    /// Takes note of a resend.
    pub(crate) fn push(&mut self, resend: Underway) {
        if self.0.capacity() == 0 {
            self.0.reserve_exact(MOST);
        }
        if self.0.len() >= MOST {
            self.0.remove(0);
        }
        self.0.push(resend);
    }

    /// Feedback came. `arrived` says of a transport-wide number what is known of it, none: nothing yet. Calls `on_arrival` for what came, and
    /// forgets what is known.
    pub(crate) fn settle(&mut self, arrived: impl Fn(u16) -> Option<bool>, mut on_arrival: impl FnMut(Underway)) {
        self.0.retain(|resend| match arrived(resend.number) {
            Some(true) => {
                on_arrival(*resend);
                false
            }
            Some(false) => false,
            None => true,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_told_once_and_forgotten() {
        let mut underway = ResendsUnderway::default();
        let resend = |number| Underway { number, slot: 0, wire: number + 100 };
        (0..3).for_each(|number| underway.push(resend(number)));
        let mut came = Vec::new();
        let know = |number| [Some(true), Some(false), None].get(usize::from(number)).copied().flatten();
        underway.settle(know, |resend| came.push(resend.wire));
        underway.settle(know, |resend| came.push(resend.wire));
        assert_eq!(came, [100]);
        assert_eq!(underway.0, [resend(2)]);
    }

    #[test]
    fn the_oldest_make_room() {
        let mut underway = ResendsUnderway::default();
        (0..40).for_each(|number| underway.push(Underway { number, slot: 0, wire: number }));
        assert_eq!((underway.0.len(), underway.0[0].number, underway.0.capacity()), (MOST, 8, MOST));
    }
}
