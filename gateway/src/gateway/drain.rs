//! The way down: connections are closed, the calls in flight end, cleanups are delivered.

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

/// The share of what is left of the drain timeout in which what clients have sent is forwarded.
/// The rest has to do for telling those whose messages were not, and for cleanups.
const FORWARDING_SHARE: f32 = 0.6;
/// The longest pause between the Closes of two connections: a few are not spread.
const CLOSE_PAUSE: Duration = Duration::from_millis(5);

/// What has to end.
pub(super) struct Drain {
    pub(super) settings: DrainSettings,
    pub(super) connections: TaskTracker,
    pub(super) registry: Registry,
    pub(super) cleanups: Cleanups,
    pub(super) journal: Journal,
    /// Cancelled when clients are not taken in any more.
    pub(super) close_public: CancellationToken,
}

impl Drain {
    /// Ends it all within the drain timeout.
    pub(super) async fn run(self) -> Result<(), GatewayError> {
        let Self { settings, connections, registry, cleanups, .. } = &self;
        info!(connections = connections.len(), "gateway draining");
        let give_up = Instant::now() + settings.timeout;
        sleep(settings.delay).await;
        self.close_public.cancel();
        connections.close();
        close_all(registry, settings.spread).await;
        cleanups.hurry();
        // A part of the time belongs to the cleanups, however much clients have sent.
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

    /// What is only owed, and written down, is left to the next life.
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

/// Asks all connections to close, in no order that clients could share, one after another over
/// `spread`: whoever comes back then does not come with all others.
async fn close_all(registry: &Registry, spread: Duration) {
    // A hash map has them in random order.
    let handles = registry.drain();
    let count = u32::try_from(handles.len().max(1)).unwrap_or(u32::MAX);
    let pause = (spread / count).min(CLOSE_PAUSE);
    let begin = Instant::now();
    for (number, handle) in (0..).zip(handles) {
        // A timer is no finer than a millisecond, so several may be due at once.
        let due = begin + pause * number;
        if due > Instant::now() {
            tokio::time::sleep_until(due).await;
        }
        handle.mailbox.drain();
    }
}
