//! A network link in userspace, for tests with real programs at both ends.
//!
//! Two network namespaces are joined by a pair of TUN devices. Every IP packet that one side sends into its device passes a
//! modelled [`Link`] and comes out of the other side's: TCP, UDP and ICMP are delayed, lost and cut alike.
//!
//! The way of a packet: `run` (reads the device) → [`Link::send`] (cut? blocked?) → [`direction`] (the model of that way) →
//! [`Link::arrived`] → `run` (writes the other device).
//!
//! * The model is sans-IO: [`link`], [`direction`], [`settings`], [`packet`] know no clock and no device; time is an argument.
//! * [`command`] is what a test says on standard input while packets flow, one JSON object a line, each answered with a line.
//! * [`device`] enters the namespaces and opens the devices; `run` is the only loop.
//!
//! The seed decides what is lost, duplicated and late: the same packets at the same times meet the same fate. Over real
//! devices times differ from run to run, so there it decides frequencies, not single packets.

pub mod command;
pub mod device;
pub mod direction;
pub mod link;
pub mod packet;
pub mod run;
pub mod settings;

pub use link::{Link, Way};
