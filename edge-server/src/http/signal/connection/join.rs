//! From the first message to the shard: token, edge, admission, and what goes on from another edge.

use super::{Connection, Link, SHARD_PATIENCE, Stage};
use crate::clock;
use crate::media::link::{Input, Outgoing};
use crate::token::{Expiry, TokenFault};
use nearcast_protocol::{Continues, ErrorCode, ErrorInfo, Join};
use sfu_core::{Command, Continuation, WallClock};
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// Longest `client` of a join that is kept, in bytes.
const LONGEST_CLIENT: usize = 64;

impl Connection {
    /// Lets in whoever bears a token for a room that is here, and hands them to its shard, which answers.
    pub(super) async fn join(&mut self, request: u32, mut join: Join) -> Result<(), ErrorInfo> {
        let expiry = if join.resume.is_some() { Expiry::Waived } else { Expiry::Enforced };
        let claims = self.context.keyring.verify(&join.token, clock::unix(), expiry).map_err(|fault| fault.info())?;
        if self.wanted_room.as_ref().is_some_and(|wanted| *wanted != claims.room) {
            return Err(TokenFault::WrongRoom.info());
        }
        // Whoever comes back is inside already.
        if join.resume.is_none() {
            self.moved = Box::pin(self.context.cluster.enter(&claims.room)).await?;
            self.context.admission.admit(self.id.0)?;
        } else {
            self.moved = self.context.cluster.come_back(&claims.room);
        }
        let overloaded = || ErrorInfo::new(ErrorCode::Overloaded, "this edge is overloaded; use another, or try later");
        let resume = join.resume.as_ref().map(|resume| &resume.session);
        let shard = self.context.media.shard_for(&claims.room, resume).ok_or_else(overloaded)?.clone();
        self.identity.clone_from(&claims.sub);
        self.room.clone_from(&claims.room);
        let continuation = join.continues.take().and_then(|shown| self.continuation(&shown));
        if join.resume.is_none() {
            let now = clock::now();
            self.since = Some(continuation.as_ref().map_or_else(|| WallClock::new(now, clock::unix()).ntp(now), |going_on| going_on.since));
        }
        join.token.clear(); // verified: nobody further on needs it
        join.client = join.client.map(|client| client.chars().filter(|character| !character.is_control()).take(LONGEST_CLIENT).collect());
        tracing::info!(
            connection = self.id.0,
            room = claims.room,
            identity = claims.sub,
            client = join.client.as_deref().unwrap_or_default(),
            resume = join.resume.is_some(),
            moves = continuation.as_ref().map_or(0, |going_on| going_on.count),
            "joining"
        );
        let admission = claims.admission(&self.context.config)?;
        let (queue, messages) = mpsc::channel(self.context.config.outgoing_queue.as_usize());
        let outgoing = Outgoing { queue, overflow: Arc::clone(&self.overflow) };
        let command = Command::Join { connection: self.id, request, admission, continuation, join };
        let input = Input::Join { connection: self.id, outgoing, command };
        if !timeout(SHARD_PATIENCE, shard.send(input)).await.unwrap_or(false) {
            return Err(overloaded());
        }
        self.stage = Stage::Entering { request, link: Link { shard, messages } };
        Ok(())
    }

    /// The stay that goes on here. Who can't show that it is theirs begins one of their own.
    fn continuation(&self, shown: &Continues) -> Option<Continuation> {
        let read = self.context.relay.as_ref()?.claims().read((&self.room, &self.identity), shown);
        if read.is_none() {
            tracing::info!(connection = self.id.0, "what shall show that it was at another edge doesn't; it joins as a new participant");
        }
        read
    }
}
