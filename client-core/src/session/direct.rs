//! Carries out what [`crate::direct`] decides: hands messages to the edge, has connections made, and changes the source of tracks.

use super::{Session, Stage};
use crate::direct::{Act, Acts, Direct, Facts};
use crate::room::Room;
use crate::{Event, MonoTime, Output};
use alloc::vec::Vec;
use nearcast_protocol::{ClientMessage, Mid};

impl Session {
    /// Looks at all direct connections after whatever happened.
    pub(super) fn direct(&mut self, now: MonoTime) {
        let (Stage::In, Some(stay)) = (&self.stage, &self.stay) else { return };
        let mut acts = Vec::new();
        let facts = Facts {
            room: &self.room,
            me: &stay.id,
            up: self.link.is_up(),
            silent: self.recovery.is_silent(),
            proven: self.link.is_proven(),
        };
        self.direct.step(now, facts, &mut acts);
        if self.direct.is_eager(now) {
            self.read_soon(now);
        }
        self.act(acts);
    }

    /// Tells the connections something.
    pub(super) fn directly(&mut self, tell: impl FnOnce(&mut Direct, &Room, &mut Acts)) {
        let mut acts = Vec::new();
        tell(&mut self.direct, &self.room, &mut acts);
        self.act(acts);
    }

    #[inline(never)]
    fn act(&mut self, acts: Acts) {
        for act in acts {
            match act {
                Act::Say(to, payload) => {
                    // A full queue means an edge that is away for good.
                    let _ = self.requests.push(None, ClientMessage::Peer { to, payload });
                    self.send_requests();
                }
                Act::Do(Output::DescribeLink { link, sdp }) => {
                    let with_dtx = |(id, mid): &(_, Mid)| self.negotiation.has_dtx(id).then(|| mid.clone());
                    let dtx: Vec<_> = self.direct.sections(link).iter().filter_map(with_dtx).collect();
                    let sdp = crate::sdp::tune_answer(&sdp, &dtx, true);
                    self.push(Output::DescribeLink { link, sdp });
                }
                Act::Do(output) => self.push(output),
                Act::Route(publication, link, mid) => self.event(Event::TrackRouted { publication, link, mid }),
                Act::Unroute(publication) => {
                    if let Some(mid) = self.room.shown_in(&publication).cloned() {
                        self.event(Event::TrackSubscribed { publication, mid });
                    }
                }
                Act::Path(participant, direct, reason) => self.event(Event::PathChanged { participant, direct, reason }),
            }
        }
    }
}
