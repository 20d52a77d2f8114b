//! When a silent client is pinged, counted as lost, or closed as idle. Pure: takes `now`.

use std::time::Duration;

use tokio::time::Instant;

use crate::settings::ConnectionSettings;

/// How long the client has been silent.
#[derive(Debug)]
pub(super) struct Keepalive {
    ping_interval: Duration,
    pong_timeout: Duration,
    idle_timeout: Duration,
    /// When something last came from the client.
    heard: Instant,
    /// When a message was last received or written. Only messages count as activity.
    message: Instant,
    /// When a ping was sent, if nothing has come from the client since.
    pinged: Option<Instant>,
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
            heard: now,
            message: now,
            pinged: None,
        }
    }

    /// Something came from the client.
    pub(super) fn heard(&mut self, now: Instant) {
        self.heard = now;
        self.pinged = None;
    }

    /// A message was received or written.
    pub(super) fn message(&mut self, now: Instant) {
        self.message = now;
    }

    /// What has to be done now. The caller sends a ping that is due.
    pub(super) fn due(&mut self, now: Instant) -> Due {
        if now >= self.message + self.idle_timeout {
            return Due::Idle;
        }
        match self.pinged {
            Some(pinged) if now >= pinged + self.pong_timeout => Due::Lost,
            None if now >= self.heard + self.ping_interval => {
                self.pinged = Some(now);
                Due::Ping
            }
            Some(_) | None => Due::Nothing,
        }
    }

    /// When something will be due if nothing happens before.
    pub(super) fn deadline(&self) -> Instant {
        let liveness = match self.pinged {
            Some(pinged) => pinged + self.pong_timeout,
            None => self.heard + self.ping_interval,
        };
        liveness.min(self.message + self.idle_timeout)
    }
}

#[cfg(test)]
mod tests;
