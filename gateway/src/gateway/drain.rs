//! The drain: connections are closed, calls in flight end, cleanups are delivered.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{info, warn};

use super::error::GatewayError;
use crate::{
    cleanup::{Cleanups, journal::Journal},
    registry::Registry,
    settings::DrainSettings,
};

/// The share of the remaining drain timeout for forwarding messages that clients have sent. The
/// rest is for closing clients whose messages were not forwarded, and for cleanups.
const FORWARDING_SHARE: f32 = 0.6;
/// The longest pause between the Closes of two connections, so that a few connections do not take
/// all of `spread`.
const CLOSE_PAUSE: Duration = Duration::from_millis(5);

/// Everything that the drain has to end.
pub(super) struct Drain {
    pub(super) settings: DrainSettings,
    pub(super) connections: TaskTracker,
    pub(super) registry: Registry,
    pub(super) cleanups: Cleanups,
    pub(super) journal: Journal,
    /// Cancelled when no more clients are accepted.
    pub(super) close_public: CancellationToken,
}

impl Drain {
    /// Drains within the drain timeout.
    pub(super) async fn run(self) -> Result<(), GatewayError> {
        let Self { settings, connections, registry, cleanups, .. } = &self;
        info!(connections = connections.len(), "gateway draining");
        let give_up = Instant::now() + settings.timeout;
        sleep(settings.delay).await;
        self.close_public.cancel();
        connections.close();
        close_all(registry, settings.spread).await;
        cleanups.hurry();
        // Some time must be left for cleanups, however much clients have sent.
        let left = give_up.saturating_duration_since(Instant::now());
        let cut = Instant::now() + left.mul_f32(FORWARDING_SHARE);
        if timeout_at(cut, connections.wait()).await.is_err() {
            registry.cut();
        }
        let settled = async {
            connections.wait().await;
            cleanups.settled().await;
        };
        let timed_out = timeout_at(give_up, settled).await.is_err();
        self.outcome(timed_out).await
    }

    /// Owed cleanups that are on disk are left to the next start, which is no failure.
    async fn outcome(&self, timed_out: bool) -> Result<(), GatewayError> {
        let (connections, cleanups) = (self.connections.len(), self.cleanups.owed().await);
        let is_safe = connections == 0 && self.journal.is_durable();
        match cleanups {
            0 if connections == 0 => Ok(()),
            _ if is_safe => {
                info!(timed_out, "{cleanups} cleanups are left in the journal to the next start");
                Ok(())
            }
            _ if timed_out => Err(GatewayError::DrainTimedOut { connections, cleanups }),
            _ => {
                warn!("{cleanups} cleanups are lost: their api has no cleanup function any more");
                Ok(())
            }
        }
    }
}

/// Asks all connections to close, one after another over `spread` and in random order, so that the
/// clients do not all reconnect at the same time.
async fn close_all(registry: &Registry, spread: Duration) {
    // The handles come from a hash map, in random order.
    let handles = registry.drain();
    let count = u32::try_from(handles.len().max(1)).unwrap_or(u32::MAX);
    let pause = (spread / count).min(CLOSE_PAUSE);
    let begin = Instant::now();
    for (number, handle) in (0..).zip(handles) {
        // A timer is no finer than one millisecond, so that several Closes may be due at once.
        let due = begin + pause * number;
        if due > Instant::now() {
            tokio::time::sleep_until(due).await;
        }
        handle.mailbox.drain();
    }
}
