//! What is forwarded of an encoding from one picture to the next, and which encoding is waited for.

use crate::layer::{LayerTag, Target};
use crate::rtp::Seq;
use std::time::{Duration, Instant};

/// A picture that has begun is given this long to end before a key frame that waits behind it goes out: three frame intervals at
/// 60 frames/s. Senders send the packets of a frame back to back.
const PATIENCE: Duration = Duration::from_millis(50);

/// The encoding that is being forwarded, as far as its packets came in turn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flow {
    pub(super) encoding: u8,
    pub(super) generation: u32,
    /// The newest packet, forwarded or not.
    pub(super) newest: Seq,
    /// Of the newest packet: the publisher's timestamp.
    pub(super) timestamp: u32,
    /// Of the newest packet.
    pub(super) layer: Target,
    /// The newest packet was forwarded.
    pub(super) forwards: bool,
    /// A packet of the newest picture was forwarded.
    pub(super) begun: bool,
    /// A part of the newest picture was forwarded, and its last packet wasn't yet.
    pub(super) open: bool,
    /// Numbers were kept since the newest packet that was forwarded.
    pub(super) kept: bool,
    /// How far picture ids are shifted.
    pub(super) picture_shift: u16,
    /// The picture id that was last left out.
    pub(super) left_out: Option<u16>,
}

/// The encoding that is to be forwarded next, while its key frame is waited for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Approach {
    pub(super) generation: u32,
    pub(super) encoding: u8,
    /// The newest packet that came of it.
    pub(super) newest: Seq,
    /// The key frame that is to be begun with, as soon as the picture that is being forwarded has ended; and when it came.
    pub(super) start: Option<(Seq, Instant)>,
}

impl Approach {
    pub(super) fn new(encoding: u8, generation: u32, newest: Seq) -> Self {
        Self { generation, encoding, newest, start: None }
    }

    pub(super) fn has_waited(&self, now: Instant) -> bool {
        self.start.is_some_and(|(_, since)| now.saturating_duration_since(since) >= PATIENCE)
    }
}

/// The target to go on with from a picture's first packet, tagged `tag`, when `current` was forwarded and `wanted` is asked for.
///
/// Up only where the publisher says that it can be done; down wherever what stays needs nothing that wasn't forwarded.
pub(super) fn step(current: Target, wanted: Target, tag: &LayerTag) -> Target {
    if tag.switch.contains(wanted) {
        return wanted;
    }
    // Fewer pictures of the same size need nothing new in any mode; a smaller size stands on its own in some.
    let temporal = current.temporal.min(wanted.temporal);
    let spatial = if tag.nested { current.spatial.min(wanted.spatial) } else { current.spatial };
    let lower = Target { spatial, temporal };
    // One of the two may be had before the other.
    let (more, bigger) = (Target { temporal: wanted.temporal, ..lower }, Target { spatial: wanted.spatial, ..lower });
    if more != lower && (tag.switch.contains(more) || tag.sync.contains(more)) {
        more
    } else if bigger != lower && tag.switch.contains(bigger) {
        bigger
    } else {
        lower
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::Targets;

    const fn target(spatial: u8, temporal: u8) -> Target {
        Target { spatial, temporal }
    }

    fn tag(switch: &[Target], nested: bool) -> LayerTag {
        let switch = switch.iter().fold(Targets::NONE, |all, target| all.with(*target));
        LayerTag { switch, nested, ..LayerTag::single(false, true, false) }
    }

    #[test]
    fn up_only_where_the_publisher_allows_it() {
        assert_eq!(step(target(0, 0), target(1, 1), &tag(&[], true)), target(0, 0));
        assert_eq!(step(target(0, 0), target(1, 1), &tag(&[target(1, 1)], true)), target(1, 1));
        assert_eq!(step(target(0, 0), target(1, 1), &tag(&[target(0, 1)], true)), target(0, 1), "what can be had already");
    }

    #[test]
    fn more_pictures_of_the_same_size_where_the_publisher_syncs() {
        let sync = LayerTag { sync: Targets::NONE.with(target(0, 2)), ..tag(&[], true) };
        assert_eq!(step(target(0, 0), target(0, 2), &sync), target(0, 2));
        assert_eq!(step(target(1, 0), target(0, 2), &sync), target(0, 2), "a smaller size needs nothing new");
        assert_eq!(step(target(1, 0), target(1, 2), &sync), target(1, 0));
    }

    #[test]
    fn down_at_any_picture_unless_layers_stand_alone() {
        assert_eq!(step(target(2, 2), target(0, 0), &tag(&[], true)), target(0, 0));
        assert_eq!(step(target(2, 2), target(0, 0), &tag(&[], false)), target(2, 0), "fewer pictures, but none of another size");
        assert_eq!(step(target(2, 2), target(0, 0), &tag(&[target(0, 0)], false)), target(0, 0));
    }

    #[test]
    fn down_in_one_and_up_in_the_other_is_done_as_far_as_it_goes() {
        assert_eq!(step(target(2, 0), target(0, 2), &tag(&[], true)), target(0, 0));
        assert_eq!(step(target(2, 0), target(0, 2), &tag(&[target(0, 2)], true)), target(0, 2));
    }
}
