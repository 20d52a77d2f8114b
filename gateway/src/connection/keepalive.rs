//! When a silent client is pinged, counted as lost, or closed as idle. Pure: takes `now`.
//!
//! When to ping next and whether the client is alive are two questions. The next ping is due at
//! `ping_interval` after the last byte that came, whether or not the last ping has been answered.
//! The client is lost when nothing has come for `pong_timeout` after a ping, while the gateway
//! read.

use std::time::Duration;

use tokio::time::Instant;

use crate::settings::ConnectionSettings;

/// How long the client has been silent.
#[derive(Debug)]
pub(super) struct Keepalive {
    ping_interval: Duration,
    pong_timeout: Duration,
    idle_timeout: Duration,
    /// When something last came from the client, or a ping was last sent to it.
    quiet_since: Instant,
    /// Since when an answer to a ping has been awaited, if nothing has come from the client since.
    awaiting: Option<Instant>,
    /// Whether the client is read from. If not, nobody knows whether it has answered.
    reading: bool,
    /// When a message was last received or written. Only messages count as activity.
    message: Instant,
}

/// What has to be done now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    Nothing,
    Ping,
    /// The client did not answer a ping.
    Lost,
    /// The client answers, but there has been no message for too long.
    Idle,
}

impl Keepalive {
    pub(super) fn new(now: Instant, settings: &ConnectionSettings, idle_timeout: Duration) -> Self {
        Self {
            ping_interval: settings.ping_interval,
            pong_timeout: settings.pong_timeout,
            idle_timeout,
            quiet_since: now,
            awaiting: None,
            reading: true,
            message: now,
        }
    }

    /// Something came from the client, or the client has read something that was written.
    pub(super) fn heard(&mut self, now: Instant) {
        self.quiet_since = now;
        self.awaiting = None;
    }

    /// Whether the client is read from, from now on.
    pub(super) fn set_reading(&mut self, reading: bool, now: impl FnOnce() -> Instant) {
        if self.reading == reading {
            return;
        }
        self.reading = reading;
        if let (true, Some(since)) = (reading, &mut self.awaiting) {
            // The answer may have come meanwhile. The client has the whole time again.
            *since = now();
        }
    }

    /// A message was received or written.
    pub(super) fn message(&mut self, now: Instant) {
        self.message = now;
    }

    /// What has to be done now. The caller sends a ping that is due.
    pub(super) fn due(&mut self, now: Instant) -> Due {
        if now >= self.message + self.idle_timeout {
            Due::Idle
        } else if self.lost_at().is_some_and(|lost_at| now >= lost_at) {
            Due::Lost
        } else if now >= self.quiet_since + self.ping_interval {
            self.quiet_since = now;
            self.awaiting.get_or_insert(now);
            Due::Ping
        } else {
            Due::Nothing
        }
    }

    /// When something will be due if nothing happens before.
    pub(super) fn deadline(&self) -> Instant {
        let others = (self.quiet_since + self.ping_interval).min(self.message + self.idle_timeout);
        self.lost_at().map_or(others, |lost_at| lost_at.min(others))
    }

    /// When the client will be lost if nothing comes from it.
    fn lost_at(&self) -> Option<Instant> {
        let since = self.awaiting.filter(|_| self.reading)?;
        Some(since + self.pong_timeout)
    }
}

#[cfg(test)]
mod tests;
