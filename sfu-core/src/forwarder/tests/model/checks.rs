//! What a receiver can tell.

use super::*;

/// A packet that was received, told apart.
#[derive(Clone, Copy, Debug)]
struct Part {
    frame: FrameId,
    part: u8,
}

/// Packets of one frame that came further apart may be torn by a switch: the frame was given up.
const SPAN: Duration = Duration::from_millis(40);

impl World {
    fn part(&self, seen: &Seen) -> Option<Part> {
        let media = seen.media();
        let body = media.get(if self.vp9() { 5 } else { 7 }..)?;
        let [encoding, spatial, part, _, picture @ ..] = body else { return None };
        Some(Part { frame: (*encoding, u32::from_be_bytes(picture.try_into().unwrap()), *spatial), part: *part })
    }

    /// What packets of the model are; none for empty ones.
    pub(in super::super) fn labels(&self, seen: &[Seen]) -> Vec<Label> {
        let label = |part: Part| (part.frame.0, part.frame.1, part.frame.2, part.part);
        seen.iter().filter_map(|seen| self.part(seen)).map(label).collect()
    }

    /// All that a receiver got, in the order of the numbers.
    fn parts(&self) -> impl Iterator<Item = (u64, Part, &Seen)> {
        self.seen.iter().filter_map(|(index, seen)| Some((*index, self.part(seen)?, seen)))
    }

    fn received(&self) -> BTreeMap<FrameId, BTreeSet<u8>> {
        let mut received: BTreeMap<_, BTreeSet<u8>> = BTreeMap::new();
        for (index, part, _) in self.parts() {
            assert!(received.entry(part.frame).or_default().insert(part.part), "{part:?} came twice, last as {index}");
        }
        received
    }

    /// All packets of a frame came to the edge, and close enough together.
    fn came_whole(&self, id: FrameId) -> bool {
        let frame = &self.frames[&id];
        let times: Option<Vec<_>> = (0..frame.packets).map(|part| self.arrivals.get(&(id, part)).copied()).collect();
        times.is_some_and(|times| *times.iter().max().unwrap() - *times.iter().min().unwrap() < SPAN)
    }

    pub(super) fn check(&self) {
        let received = self.received();
        self.no_number_is_missing_without_need();
        self.frames_are_forwarded_whole_or_not_at_all(&received);
        self.every_frame_can_be_decoded(&received);
        self.pictures_follow_each_other();
        self.picture_ids_run_on();
    }

    fn no_number_is_missing_without_need(&self) {
        let (Some((first, _)), Some((last, _))) = (self.seen.first_key_value(), self.seen.last_key_value()) else { return };
        let holes = (*first..*last).filter(|index| !self.seen.contains_key(index)).count();
        assert!(holes <= self.lost as usize, "{holes} numbers are missing, {} packets were lost", self.lost);
    }

    fn frames_are_forwarded_whole_or_not_at_all(&self, received: &BTreeMap<FrameId, BTreeSet<u8>>) {
        for (id, parts) in received {
            if self.came_whole(*id) {
                assert_eq!(parts.len(), usize::from(self.frames[id].packets), "{id:?} is torn");
            }
        }
    }

    fn every_frame_can_be_decoded(&self, received: &BTreeMap<FrameId, BTreeSet<u8>>) {
        for id in received.keys() {
            for reference in &self.frames[id].refers_to {
                assert!(
                    received.contains_key(reference) || !self.came_whole(*reference),
                    "{id:?} refers to {reference:?}, which was left out"
                );
            }
        }
    }

    fn pictures_follow_each_other(&self) {
        let mut before: Option<(Part, u32)> = None;
        for (index, part, seen) in self.parts() {
            let timestamp = seen.header.timestamp;
            if let Some((last, at)) = before {
                let same = (last.frame.0, last.frame.1) == (part.frame.0, part.frame.1);
                let step = timestamp.wrapping_sub(at).cast_signed();
                assert!(if same { step == 0 } else { step > 0 }, "{step} ticks from {last:?} to {part:?} as {index}");
                assert!(last.frame.0 != part.frame.0 || last.frame <= part.frame, "{part:?} came after {last:?}");
            }
            before = Some((part, timestamp));
        }
    }

    fn picture_ids_run_on(&self) {
        let mut before: Option<(u64, Part, u16)> = None;
        for (index, part, seen) in self.parts() {
            let id =
                u16::from_be_bytes([seen.payload[if self.vp9() { 1 } else { 2 }], seen.payload[if self.vp9() { 2 } else { 3 }]]) & 0x7fff;
            if let Some((at, last, last_id)) = before {
                let step = id.wrapping_sub(last_id) & 0x7fff;
                let between = (at + 1..index).filter(|number| self.seen.get(number).is_none_or(|seen| seen.media().is_empty())).count();
                if (last.frame.0, last.frame.1) == (part.frame.0, part.frame.1) {
                    assert_eq!(step, 0, "{part:?}");
                } else if self.vp9() && last.frame.0 == part.frame.0 {
                    // References are counted in them; a pause begins anew.
                    assert!(step == 1 || u32::from(step) == part.frame.1 - last.frame.1, "{last:?} {last_id} to {part:?} {id}");
                } else {
                    assert!((1..=1 + between).contains(&usize::from(step)), "{last:?} {last_id} to {part:?} {id}, {between} missing");
                }
            }
            before = Some((index, part, id));
        }
    }

    pub(super) fn check_without_loss(&self) {
        assert!(self.seen.values().all(|seen| !seen.media().is_empty()), "an empty packet without need");
        // The last packet of a picture, and no other, has the marker.
        let parts: Vec<_> = self.parts().collect();
        for pair in parts.windows(2) {
            let [(_, part, seen), (_, next, _)] = pair else { continue };
            let ends = (part.frame.0, part.frame.1) != (next.frame.0, next.frame.1);
            assert_eq!(seen.header.marker, ends, "{part:?} before {next:?}");
        }
    }
}
