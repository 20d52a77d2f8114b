//! What is due at a certain time: pings, the end of a silent or stalled client or of one whose
//! proof expires, deadlines of a Close.

use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::Instant,
};
use tracing::warn;

use super::{Connection, keepalive::Due, life::Event};
use crate::registry::End;

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Does what is due.
    pub(super) fn on_time(&mut self, now: Instant) {
        self.on_event_at(Event::Time, now);
        if self.life.is_open() && self.expiry.is_some_and(|expiry| expiry.has_come(now)) {
            self.on_event_at(Event::Close(End::EXPIRED), now);
        }
        if self.life.is_open() && self.intake.deadline().is_some_and(|deadline| now >= deadline) {
            let (id, end) = (self.entry.handle.info.id, self.intake.end());
            warn!(connection.id = %id, ?end, "closed connection {id}: its message came too slowly");
            self.on_event_at(Event::Close(end), now);
        }
        if let Some(deadline) = self.outbound.deadline() {
            if now >= deadline {
                let id = self.entry.handle.info.id;
                warn!(connection.id = %id, "closed connection {id}: the client does not read");
                // Nothing more can be written, so a Close cannot be sent.
                self.on_event_at(Event::Unreachable(End::STALLED), now);
            }
            return;
        }
        if !self.life.is_open() || self.socket.is_flushing() {
            return;
        }
        match self.keepalive.due(now) {
            Due::Nothing => {}
            Due::Ping => self.socket.ping(),
            Due::Lost => self.on_event_at(Event::Unreachable(End::LOST), now),
            // A function that runs is activity, even if the client is silent.
            Due::Idle if self.forwarding.is_some() => self.keepalive.message(now),
            Due::Idle => self.on_event_at(Event::Close(End::IDLE), now),
        }
    }

    /// When something will be due, if nothing happens before.
    pub(super) fn next_deadline(&self) -> Instant {
        let flush = self.outbound.deadline();
        // A client that is closing is not pinged. After the end the task waits for the call in
        // flight only, which has its own deadline.
        let silence = || self.keepalive.deadline();
        let open = || {
            let others = flush.unwrap_or_else(silence);
            let deadlines = [self.intake.deadline(), self.expiry.and_then(|expiry| expiry.at)];
            deadlines.into_iter().flatten().fold(others, Instant::min)
        };
        match self.life.deadline() {
            Some(life) if self.life.is_open() => life.min(open()),
            Some(life) => flush.map_or(life, |flush| life.min(flush)),
            None => open(),
        }
    }
}
