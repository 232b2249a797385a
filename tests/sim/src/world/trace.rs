//! Everything that happened, as lines to compare: only what the seed decides, so no drawn names, keys or sizes of handshakes.

use super::World;
use crate::client::Client;
use nearcast_protocol::ServerMessage;
use std::time::Duration;

impl World {
    /// What every client was told and received, in order of time. Sections are named by their position.
    #[must_use]
    pub fn trace(&self) -> Vec<String> {
        let mut lines: Vec<(Duration, String)> = Vec::new();
        for client in &self.clients {
            let name = &client.name;
            lines.extend(client.signals.iter().map(|(at, message)| (*at, format!("{name} hears {}", describe(client, message)))));
            lines.extend(client.packets.iter().map(|packet| {
                let slot = position(client, &packet.mid);
                let tag = packet.tag;
                let (seq, timestamp) = (packet.seq, packet.timestamp);
                (packet.at, format!("{name} gets {slot} {seq} {timestamp} of {}/{} {}:{}", tag.client, tag.source, tag.frame, tag.part))
            }));
            for (index, source) in client.sources.iter().enumerate() {
                lines.extend(source.keyframe_requests.iter().map(|at| (*at, format!("{name} is asked for a key frame of {index}"))));
            }
        }
        lines.sort_by_key(|(at, _)| *at);
        lines.into_iter().map(|(at, line)| format!("{:>10.3} {line}", at.as_secs_f64() * 1_000.0)).collect()
    }
}

fn position(client: &Client, mid: &str) -> String {
    client.slots.iter().position(|slot| &*slot.mid == mid).map_or_else(|| "?".to_owned(), |index| format!("#{index}"))
}

fn describe(client: &Client, message: &ServerMessage) -> String {
    match message {
        ServerMessage::Joined(joined) => format!("joined {} among {:?}", joined.participant.id, joined.others),
        ServerMessage::Answer { id, answer } => {
            format!("answer {id} {:?}", answer.published.iter().map(|published| &published.publication).collect::<Vec<_>>())
        }
        ServerMessage::Slot { binding } => format!("slot {} {:?}", position(client, binding.mid.as_str()), binding.publication),
        other => format!("{other:?}"),
    }
}
