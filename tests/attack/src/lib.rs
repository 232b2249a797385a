//! The worst guests, one after another, against a live edge with a measured call in it: `make attack`.
//!
//! An edge is started, and a call in it (one publisher, two viewers; [`stage`]) that goes on to the end. Each [`case`](cases) throws
//! something at the edge for a few seconds; what the call lost meanwhile, what it cost the edge and how much memory stayed is a [`Row`].
//! Attackers with valid keys are [`guest::Guest`]s: DTLS, SRTP and SCTP of libraries that aren't ours, packets as a case wants them.
//!
//! [`churn`] draws the same bytes, a few at a time, into hours of joins and leaves.
//!
//! Not here: the same in virtual time, thousands of times and packet by packet (`tests/sim`), single parsers (`tests/fuzz`).

pub mod cases;
pub mod churn;
pub mod guest;
pub mod idle;
mod report;
pub mod stage;
pub mod wire;

pub use report::{Row, table};
