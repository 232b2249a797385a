//! This edge among others: which of them there are, and which of them have a part of which room. What follows from that,
//! `cluster-core` decides.

pub mod directory;
