//! The delivery of one cleanup: attempts until it succeeds, or is too old.

use std::{error::Error, time::Duration};

use shared::connection_id::ConnectionId;
use tokio::time::{Instant, sleep};
use tracing::{debug, error, warn};

use super::journal::Progress;
use super::{Cleanups, OwedRow, budget::QueuePermit};
use crate::{
    api::Api,
    call::{Call, CallError, RetryBackoff},
};

/// A cleanup that is too old already is still tried for this long.
const MIN_TIME: Duration = Duration::from_secs(10 * 60);
/// The longest pause between attempts while the gateway drains.
const DRAINING_PAUSE: Duration = Duration::from_millis(500);
/// Attempts that may fail while the gateway drains. After them the cleanup is left to the next start,
/// if the journal survives the process.
const DRAINING_ATTEMPTS: u32 = 8;

impl Cleanups {
    /// Delivers the cleanup, or leaves it to the journal if no permit to wait in memory is free.
    pub(super) async fn deliver_or_defer(self, debt: OwedRow, progress: Progress) {
        let budget = self.budget(&debt.api);
        match budget.try_queue() {
            Some(permit) => self.deliver(debt, progress, permit).await,
            None if self.is_draining() => {
                // A drain makes no new connections, so the cleanups may wait in memory. The journal has
                // them too, in case the time of the drain ends.
                self.0.journal.progress(debt.key, progress);
                let permit = budget.queue().await;
                if !budget.is_left() {
                    self.deliver(debt, progress, permit).await;
                }
            }
            None => {
                self.0.journal.to_backlog(debt.key, progress);
                budget.defer();
            }
        }
    }

    pub(super) async fn deliver(self, debt: OwedRow, mut progress: Progress, _permit: QueuePermit) {
        let OwedRow { key, id, api } = debt;
        let journal = &self.0.journal;
        let budget = self.budget(&api);
        let mut call: Option<Call> = None;
        // The age is read once from the wall clock. From here on the monotonic clock counts.
        let age = progress.ended_at.elapsed().unwrap_or_default();
        // A cleanup may be too old only because of a long outage or a clock that was set. One failed
        // attempt must not give it up.
        let time_left = self.0.max_age.saturating_sub(age).max(self.0.max_age.min(MIN_TIME));
        let give_up = Instant::now() + time_left;
        let mut backoff = RetryBackoff::new(Duration::from_millis(50), Duration::from_secs(60));
        let mut failed_draining = 0;
        // If this process ends during the delivery, the next one knows how the connection ended and that
        // its calls have ended.
        journal.progress(key, progress);
        loop {
            // The settings may have changed since the last attempt.
            let config = api.config();
            let Some(url) = &config.cleanup else {
                journal.to_backlog(key, progress);
                return budget.defer();
            };
            let call =
                call.get_or_insert_with(|| config.dialect.cleanup_call(url, id, progress.end));
            call.url.clone_from(url);
            call.attempt = Some(progress.attempts.saturating_add(1));
            let permit = budget.call().await;
            let outcome = self.attempt(call, &api).await;
            drop(permit);
            let Err(error) = outcome else {
                debug!(connection.id = %id, "cleanup delivered");
                return journal.settle(key);
            };
            progress.attempts = progress.attempts.saturating_add(1);
            let (draining, pause) = (self.is_draining(), backoff.pause());
            // A drain is too short to give a cleanup up.
            if !draining && Instant::now() + pause > give_up {
                report_given_up(id, &error);
                return journal.give_up(key, progress, describe(&error));
            }
            journal.progress(key, progress);
            failed_draining += u32::from(draining);
            if failed_draining >= DRAINING_ATTEMPTS && journal.is_durable() {
                budget.leave();
                return report_left(id, &error);
            }
            report_failed(id, &error, pause);
            self.pause(pause).await;
        }
    }

    pub(super) async fn attempt(&self, call: &Call, api: &Api) -> Result<(), CallError> {
        self.0.functions.call(call, api.config().settings.timeout).await.map(drop)
    }

    pub(super) fn is_draining(&self) -> bool {
        self.0.draining.is_cancelled()
    }

    /// Waits for `pause`, or for a short one while the gateway drains.
    async fn pause(&self, pause: Duration) {
        if self.is_draining() {
            return sleep(pause.min(DRAINING_PAUSE)).await;
        }
        tokio::select! {
            () = sleep(pause) => {}
            () = self.0.draining.cancelled() => {}
        }
    }
}

/// The text of an error and its cause.
pub(super) fn describe(error: &CallError) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

fn report_failed(id: ConnectionId, error: &CallError, pause: Duration) {
    let source = error.source();
    warn!(connection.id = %id, %error, source, ?pause, "cleanup failed, will be tried again");
}

fn report_left(id: ConnectionId, error: &CallError) {
    let source = error.source();
    warn!(connection.id = %id, %error, source, "cleanup failed, left to the next start");
}

fn report_given_up(id: ConnectionId, error: &CallError) {
    let source = error.source();
    error!(connection.id = %id, %error, source, "cleanup given up for connection {id}");
}
