//! A whole session against a scripted edge, in virtual time.

// Marked as tests for clippy, which lets tests unwrap and panic.
#[cfg(test)]
mod adapting;
#[cfg(test)]
mod any_order;
#[cfg(test)]
mod counters;
#[cfg(test)]
mod direct;
#[cfg(test)]
mod heartbeat;
#[cfg(test)]
mod house;
#[cfg(test)]
mod joining;
#[cfg(test)]
mod layers;
#[cfg(test)]
mod live;
#[cfg(test)]
mod moderation;
#[cfg(test)]
mod moving;
#[cfg(test)]
mod negotiating;
#[cfg(test)]
mod outages;
#[cfg(test)]
mod quality;
#[cfg(test)]
mod relays;
#[cfg(test)]
mod requesting;
mod resuming;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod traces;
#[cfg(test)]
mod world;
