//! ICE restarts: new credentials for a transport that goes on (RFC 8445 §9).

use super::{Event, Shard};
use crate::keys::ParticipantKey;
use crate::participant::ConnectionId;
use crate::sdp::SdpFragment;
use nearcast_protocol::{ErrorCode, ErrorInfo, MediaAnswer, ServerMessage};

impl Shard {
    /// Draws new credentials when the other side has new ones. The old ones work until the new ones are used.
    pub(super) fn restart_transport(&mut self, key: ParticipantKey, remote_ufrag: &str) {
        if self.peer(key).is_none_or(|peer| peer.ice.remote_ufrag() == remote_ufrag) {
            return;
        }
        let local = self.random_credentials();
        self.ufrags.insert(local.ufrag.clone(), key);
        let Some(peer) = self.participants.get_mut(key).and_then(|participant| participant.peer.as_mut()) else { return };
        if let Some(outdated) = peer.ice.previous_ufrag() {
            self.ufrags.remove(outdated);
        }
        peer.ice.restart(local, remote_ufrag.to_owned());
    }

    /// The same by a fragment of a description (RFC 9725 §4.3.3), where nothing but ICE can change.
    pub(super) fn restart_ice(&mut self, connection: ConnectionId, request: u32, fragment: &SdpFragment) {
        let message = match self.restarted(connection, fragment) {
            Ok(sdp) => ServerMessage::Answer { id: request, answer: MediaAnswer { sdp, published: Vec::new() } },
            Err(error) => ServerMessage::Failed { id: request, error },
        };
        self.events.push_back(Event::Signal { connection, message });
    }

    fn restarted(&mut self, connection: ConnectionId, fragment: &SdpFragment) -> Result<String, ErrorInfo> {
        let unknown = || ErrorInfo::new(ErrorCode::SessionUnknown, "this session has ended; begin another");
        let key = *self.connections.get(&connection).ok_or_else(unknown)?;
        let remote = fragment.ice.as_ref().ok_or_else(|| ErrorInfo::new(ErrorCode::BadSdp, "no a=ice-ufrag and a=ice-pwd"))?;
        self.restart_transport(key, &remote.ufrag);
        let peer = self.peer(key).ok_or_else(unknown)?;
        Ok(fragment.answer(peer.ice.local(), &self.config.candidates()))
    }
}
