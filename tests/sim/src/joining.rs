//! Who joins, and with what.

use crate::source::SourcePlan;
use nearcast_protocol::Permissions;
use sfu_core::{ForwardingPolicy, ModePolicy};
use std::sync::Arc;
use str0m::RtcConfig;

/// Somebody about to join. Everything has a usual value; say only what matters to the test.
pub struct Joining {
    pub(crate) name: String,
    pub(crate) room: String,
    pub(crate) permissions: Permissions,
    pub(crate) mode: ModePolicy,
    pub(crate) max_participants: Option<u32>,
    pub(crate) role: Option<String>,
    pub(crate) forwarding: Option<Arc<ForwardingPolicy>>,
    pub(crate) auto_subscribe: bool,
    pub(crate) audio_slots: usize,
    pub(crate) video_slots: usize,
    pub(crate) grow_slots: bool,
    pub(crate) sources: Vec<SourcePlan>,
    pub(crate) data: bool,
    pub(crate) configure: Box<dyn Fn(RtcConfig) -> RtcConfig>,
    pub(crate) tamper: Box<dyn Fn(String) -> String>,
}

impl std::fmt::Debug for Joining {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Joining").field("name", &self.name).field("room", &self.room).finish_non_exhaustive()
    }
}

impl Joining {
    /// Somebody with all permissions in the room "room", who publishes nothing and has no slots, and receives what is there.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            room: "room".to_owned(),
            permissions: Permissions { publish: true, subscribe: true, publish_data: true, moderate: false },
            mode: ModePolicy::default(),
            max_participants: None,
            role: None,
            forwarding: None,
            auto_subscribe: true,
            audio_slots: 0,
            video_slots: 0,
            grow_slots: false,
            sources: Vec::new(),
            data: false,
            configure: Box::new(|config| config),
            tamper: Box::new(|sdp| sdp),
        }
    }

    /// The same as one of many: its number is added to the name.
    #[must_use]
    pub fn numbered(mut self, number: usize) -> Self {
        self.name = format!("{} {number}", self.name);
        self
    }

    /// In another room.
    #[must_use]
    pub fn room(mut self, room: &str) -> Self {
        room.clone_into(&mut self.room);
        self
    }

    /// With receiving sections from the start.
    #[must_use]
    pub fn slots(mut self, audio: usize, video: usize) -> Self {
        (self.audio_slots, self.video_slots) = (audio, video);
        self
    }

    /// Adds receiving sections whenever the edge asks for more.
    #[must_use]
    pub fn growing_slots(mut self) -> Self {
        self.grow_slots = true;
        self
    }

    /// Subscribes only to what it asks for.
    #[must_use]
    pub fn by_choice(mut self) -> Self {
        self.auto_subscribe = false;
        self
    }

    /// Publishes VP8 at 30 frames/s, about 2 Mbit/s.
    #[must_use]
    pub fn camera(self) -> Self {
        self.publishing(SourcePlan::camera())
    }

    /// Publishes Opus at 50 packets/s.
    #[must_use]
    pub fn microphone(self) -> Self {
        self.publishing(SourcePlan::microphone())
    }

    /// Publishes something particular.
    #[must_use]
    pub fn publishing(mut self, plan: SourcePlan) -> Self {
        self.sources.push(plan);
        self
    }

    /// With both data channels.
    #[must_use]
    pub fn data(mut self) -> Self {
        self.data = true;
        self
    }

    /// With other grants than all of them.
    #[must_use]
    pub fn permitted(mut self, publish: bool, subscribe: bool, publish_data: bool) -> Self {
        self.permissions = Permissions { publish, subscribe, publish_data, ..self.permissions };
        self
    }

    /// With a token that says how the room goes about its media.
    #[must_use]
    pub fn in_mode(mut self, mode: ModePolicy) -> Self {
        self.mode = mode;
        self
    }

    /// With a token that lets it moderate.
    #[must_use]
    pub fn moderating(mut self) -> Self {
        self.permissions.moderate = true;
        self
    }

    /// With a role in its token.
    #[must_use]
    pub fn role(mut self, role: &str) -> Self {
        self.role = Some(role.to_owned());
        self
    }

    /// With a token that says who gets what from whom.
    #[must_use]
    pub fn under(mut self, policy: &Arc<ForwardingPolicy>) -> Self {
        self.forwarding = Some(Arc::clone(policy));
        self
    }

    /// With a token that says how many the room takes.
    #[must_use]
    pub fn among_at_most(mut self, participants: u32) -> Self {
        self.max_participants = Some(participants);
        self
    }

    /// Changes every offer between the client and the edge.
    #[must_use]
    pub fn tampering(mut self, tamper: impl Fn(String) -> String + 'static) -> Self {
        self.tamper = Box::new(tamper);
        self
    }

    /// Changes the client's WebRTC configuration.
    #[must_use]
    pub fn configured(mut self, configure: impl Fn(RtcConfig) -> RtcConfig + 'static) -> Self {
        self.configure = Box::new(configure);
        self
    }
}
