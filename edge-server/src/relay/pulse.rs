//! Whether this edge's media threads turn: they are asked every quarter of a second, and heartbeats say what they answered.
//!
//! An edge whose signalling lives and whose media threads stand still would look well from outside: it registers, and takes people who get nothing.

use super::Hub;
use crate::media::link::ShardLink;
use sfu_core::hop::BEAT;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::time::{MissedTickBehavior, interval};

/// What was found last.
#[derive(Debug, Default)]
pub(super) struct Pulse(AtomicBool);

impl Pulse {
    /// One of the threads hasn't turned since it was asked to.
    pub(super) fn is_halted(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    fn feel(&self, shards: &[ShardLink]) {
        let halted = shards.iter().filter(|shard| !shard.turned_since_asked()).count();
        shards.iter().for_each(ShardLink::ask_to_turn);
        if self.0.swap(halted > 0, Ordering::Relaxed) != (halted > 0) {
            if halted > 0 {
                tracing::warn!(halted, "media threads stand still; other edges are told that nothing is forwarded here");
            } else {
                tracing::info!("all media threads turn again");
            }
        }
    }
}

/// Feels the pulse for as long as there are links.
pub(super) async fn keep(hub: Arc<Hub>) {
    let mut beats = interval(BEAT);
    // After a pause of this task itself nobody has had time to answer.
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        beats.tick().await;
        hub.pulse.feel(&hub.shards);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::link::connect;

    #[test]
    fn a_thread_that_doesnt_turn_is_found_at_the_second_look_and_one_that_does_is_not() {
        let (shards, mailboxes) = connect(2).unwrap();
        let pulse = Pulse::default();
        for _ in 0..3 {
            pulse.feel(&shards);
            assert!(!pulse.is_halted());
            mailboxes.iter().for_each(|mailbox| mailbox.turned());
        }
        pulse.feel(&shards);
        mailboxes[0].turned();
        pulse.feel(&shards);
        assert!(pulse.is_halted(), "the other stands still");
        mailboxes.iter().for_each(|mailbox| mailbox.turned());
        pulse.feel(&shards);
        assert!(!pulse.is_halted());
    }
}
