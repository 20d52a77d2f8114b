//! When a quiet client is pinged, taken for lost, or closed as idle. Pure: takes `now`.

use std::time::Duration;

use tokio::time::Instant;

use crate::settings::ConnectionSettings;

/// What is known of the client's silence.
#[derive(Debug)]
pub(super) struct Keepalive {
    ping_interval: Duration,
    pong_timeout: Duration,
    idle_timeout: Duration,
    /// When anything came from the client.
    heard: Instant,
    /// When a message was received or written: only messages count as activity.
    message: Instant,
    /// When the ping was sent that nothing has come after.
    pinged: Option<Instant>,
}

/// What is to be done now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    Nothing,
    Ping,
    /// The client did not answer a ping.
    Lost,
    /// The client is there, but there was no message for too long.
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

    /// What is to be done now. A ping that is due is taken to be sent.
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

    /// When something will be due, if nothing happens until then.
    pub(super) fn deadline(&self) -> Instant {
        let liveness = match self.pinged {
            Some(pinged) => pinged + self.pong_timeout,
            None => self.heard + self.ping_interval,
        };
        liveness.min(self.message + self.idle_timeout)
    }
}
