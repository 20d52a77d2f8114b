//! The delivery of the cleanups of one API: each that is due is called. One that fails goes back to
//! the journal, until it is due again or too old.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use shared::connection_id::ConnectionId;
use tokio::{
    sync::{OwnedSemaphorePermit, mpsc},
    time::sleep,
};
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::journal::{EventSource, Progress, Record};
use super::{Cleanups, queue::Queue};
use crate::{
    api::{Api, ApiConfig, Apis, Dialect},
    call::{Call, CallError, Repeated, RetryBackoff, log_failed},
};

/// A cleanup that is too old already is still tried for this long.
const MIN_TIME: Duration = Duration::from_secs(10 * 60);
/// The longest pause between attempts while the gateway drains.
const DRAINING_PAUSE: Duration = Duration::from_millis(500);
/// Attempts that may fail while the gateway drains. After them the cleanup is left to the next
/// start, if the journal survives the process.
const DRAINING_ATTEMPTS: u32 = 8;

impl Cleanups {
    /// Delivers from now on the cleanups of these APIs. Must be called again when the settings have
    /// changed.
    pub(crate) fn take_up(&self, apis: &Apis) {
        for api in apis.all() {
            let queue = self.queue(&api);
            queue.changed();
            if let Some(ready) = queue.take_up() {
                let this = self.clone();
                self.0.tasks.spawn(async move {
                    let fed = CancellationToken::new();
                    let feed = async {
                        this.feed_from_start(&api).await;
                        fed.cancel();
                    };
                    tokio::join!(feed, this.deliver_all(&api, ready, &fed));
                });
            }
        }
    }

    /// Delivers what comes, until the queue is `fed` for the last time.
    async fn deliver_all(
        &self,
        api: &Arc<Api>,
        mut ready: mpsc::Receiver<Record>,
        fed: &CancellationToken,
    ) {
        let queue = self.queue(api);
        while let Some(Some(record)) = fed.run_until_cancelled(ready.recv()).await {
            self.begin(api, &queue, record).await;
        }
        while let Ok(record) = ready.try_recv() {
            self.begin(api, &queue, record).await;
        }
    }

    /// Begins a delivery as soon as one more may be called.
    async fn begin(&self, api: &Arc<Api>, queue: &Arc<Queue>, record: Record) {
        let permit = queue.call().await;
        if queue.is_left() {
            return self.0.journal.to_backlog(record.key, record.progress);
        }
        let (this, api, queue) = (self.clone(), Arc::clone(api), Arc::clone(queue));
        self.0.tasks.spawn(async move { this.deliver(&api, &queue, record, permit).await });
    }

    /// Delivers one cleanup. If it fails, it goes back to the journal; while the gateway drains, it
    /// is called again and again here.
    async fn deliver(
        &self,
        api: &Api,
        queue: &Queue,
        record: Record,
        _permit: OwnedSemaphorePermit,
    ) {
        let Record { key, id, event, mut progress } = record;
        let journal = &self.0.journal;
        let mut failed_draining = 0;
        loop {
            // The settings may have changed since the last attempt.
            let config = api.config();
            progress.attempts = progress.attempts.saturating_add(1);
            let Some(call) = cleanup_call(api, &config, id, &event, progress) else {
                progress.attempts -= 1;
                journal.to_backlog(key, progress);
                return queue.changed();
            };
            let give_up_at = progress.give_up_at.unwrap_or_else(|| self.give_up_at(progress));
            progress.give_up_at = Some(give_up_at);
            let Err(error) = self.attempt(&call, api).await else {
                debug!(connection.id = %id, "cleanup delivered");
                return journal.settle(key);
            };
            progress.failures = progress.failures.saturating_add(1);
            let pause = RetryBackoff::pause_after(progress.failures);
            let next = self.0.clock.now() + pause;
            if self.is_draining() {
                // A drain is too short to give a cleanup up.
                failed_draining += 1;
                if failed_draining >= DRAINING_ATTEMPTS && journal.is_durable() {
                    self.report_left(&call, &error);
                    journal.to_backlog(key, progress);
                    return queue.leave();
                }
                self.report_failed(&call, &error, pause.min(DRAINING_PAUSE));
                journal.progress(key, progress);
                sleep(pause.min(DRAINING_PAUSE)).await;
            } else if next > give_up_at {
                self.report_given_up(&call, &error);
                return journal.give_up(key, progress, describe(&error), self.0.clock.now());
            } else {
                self.report_failed(&call, &error, pause);
                journal.to_backlog(key, Progress { not_before: Some(next), ..progress });
                return queue.changed();
            }
        }
    }

    /// When a cleanup is given up that is called for the first time in this process. It may be too
    /// old only because of a long outage, so one failed attempt must not give it up.
    fn give_up_at(&self, progress: Progress) -> SystemTime {
        let now = self.0.clock.now();
        let age = now.duration_since(progress.ended_at).unwrap_or_default();
        now + self.0.max_age.saturating_sub(age).max(self.0.max_age.min(MIN_TIME))
    }

    pub(super) async fn attempt(&self, call: &Call, api: &Api) -> Result<(), CallError> {
        self.0.functions.call(call, api.config().settings.timeout).await.map(drop)
    }

    fn report_failed(&self, call: &Call, error: &CallError, pause: Duration) {
        let failed = self.0.functions.failed(call, error);
        // A function that is down may have thousands of cleanups.
        match self.0.functions.line_turn(Repeated::Retry, &call.origin) {
            Some(left_out) => {
                log_failed!(warn, failed, ?pause, left_out, "cleanup failed, will be tried again");
            }
            None => log_failed!(debug, failed, ?pause, "cleanup failed, will be tried again"),
        }
    }

    fn report_left(&self, call: &Call, error: &CallError) {
        let failed = self.0.functions.failed(call, error);
        log_failed!(warn, failed, "cleanup failed, left to the next start");
    }

    fn report_given_up(&self, call: &Call, error: &CallError) {
        let (failed, id) = (self.0.functions.failed(call, error), call.origin.connection_id);
        log_failed!(error, failed, "cleanup given up for connection {id}");
    }

    pub(super) fn is_draining(&self) -> bool {
        self.0.draining.is_cancelled()
    }
}

/// The call of the cleanup function, if the API has one.
pub(super) fn cleanup_call(
    api: &Api,
    config: &ApiConfig,
    id: ConnectionId,
    event: &EventSource,
    progress: Progress,
) -> Option<Call> {
    let url = config.cleanup.as_ref()?;
    // A row without a known word is of a version with one dialect.
    let dialect = event.dialect.as_deref().and_then(Dialect::from_word);
    let dialect = dialect.unwrap_or(config.dialect);
    let mut call = dialect.cleanup_call(url, api.shared_id(), id, progress.end, &event.info);
    call.attempt = Some(progress.attempts);
    Some(call)
}

/// The text of an error and its causes.
pub(super) fn describe(error: &CallError) -> String {
    match error.causes() {
        Some(causes) => format!("{error}: {causes}"),
        None => error.to_string(),
    }
}
