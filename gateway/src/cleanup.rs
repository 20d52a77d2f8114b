//! The cleanup guarantee: for every connection whose register may have run, cleanup is called.
//!
//! An [`Owed`] is made before register is called, and is written into the journal. When it is
//! dropped, on whatever path, the cleanup becomes due: at once, or when the last call of the
//! connection has ended for certain. A path that does not say whether a call still runs (a panic)
//! waits as long as one may run. What is due is called. What is not due waits in the journal, and
//! no task and no memory waits with it. What one process cannot deliver, the next one does.

mod clock;
mod crashed;
mod dead_letters;
mod delivery;
mod feed;
pub(crate) mod journal;
mod late;
mod queue;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use shared::connection_id::ConnectionId;
use tokio::{sync::mpsc::error::TrySendError, time::Instant};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub(crate) use self::dead_letters::RetryError;
use self::{
    clock::Clock,
    journal::{EventSource, Journal, JournalFailed, Key, Progress, Record, WAIT_MAX},
    queue::{Queue, Queues},
};
use crate::{
    api::Api,
    call::{FunctionClient, LateAnswer, UnendedCall},
    registry::{ConnectionInfo, End},
    settings::CleanupSettings,
};

/// Delivers cleanups; all clones are one delivery.
#[derive(Debug, Clone)]
pub(crate) struct Cleanups(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    functions: FunctionClient,
    journal: Journal,
    tasks: TaskTracker,
    draining: CancellationToken,
    /// Cancelled when all connections have ended.
    settling: CancellationToken,
    max_age: Duration,
    queues: Queues,
    clock: Clock,
}

/// A cleanup that is owed for one connection.
#[derive(Debug)]
pub(crate) struct Owed {
    /// None if the API has no cleanup function.
    debt: Option<OwedRow>,
    end: End,
    /// How long a call may still run. None if all have ended, which is not known before
    /// [`Self::end`].
    wait: Option<Duration>,
    /// An answer that may say earlier that the call has ended.
    late: Option<LateAnswer>,
    cleanups: Cleanups,
}

#[derive(Debug)]
struct OwedRow {
    key: Key,
    id: ConnectionId,
    event: EventSource,
    api: Arc<Api>,
}

impl Cleanups {
    pub(crate) fn new(
        functions: FunctionClient,
        journal: Journal,
        settings: CleanupSettings,
    ) -> Self {
        Self(Arc::new(Inner {
            functions,
            journal,
            tasks: TaskTracker::new(),
            draining: CancellationToken::new(),
            settling: CancellationToken::new(),
            max_age: settings.max_age,
            queues: Queues::new(settings),
            clock: Clock::start(),
        }))
    }

    fn queue(&self, api: &Api) -> Arc<Queue> {
        self.0.queues.of(api.id())
    }

    /// Owes a cleanup for this connection from now on, even if this process dies. On an error
    /// register must not be called.
    pub(crate) async fn owe(
        &self,
        info: &ConnectionInfo,
        api: Arc<Api>,
    ) -> Result<Owed, JournalFailed> {
        let config = api.config();
        let debt = if config.cleanup.is_some() {
            let (id, dialect) = (info.id, config.dialect);
            let run = self.longest_run(&api).await.map(|run| run.min(WAIT_MAX));
            let event = EventSource {
                dialect: Some(dialect.as_str().to_owned()),
                info: dialect.cleanup_info(info),
            };
            let key = self.0.journal.owe(id, api.id(), run, event.clone()).await?;
            Some(OwedRow { key, id, event, api })
        } else {
            None
        };
        let (end, wait) = (End::UNREGISTERED, Some(config.settings.function_timeout));
        Ok(Owed { debt, end, wait, late: None, cleanups: self.clone() })
    }

    /// How long register and transmit of an API may run, if that is known.
    async fn longest_run(&self, api: &Api) -> Option<Duration> {
        let config = api.config();
        let otherwise = config.settings.function_timeout;
        let mut longest = Duration::ZERO;
        for url in config.register.iter().chain([&config.transmit]) {
            longest = longest.max(self.0.functions.longest_run(url, otherwise).await?);
        }
        Some(longest)
    }

    /// Why no cleanup can be owed, as far as is known.
    pub(crate) fn obstacle(&self) -> Option<&'static str> {
        self.0.journal.obstacle()
    }

    /// How many cleanups are owed. Without a journal that answers: how many are being delivered.
    pub(crate) async fn owed(&self) -> u64 {
        match self.0.journal.counts().await {
            Ok(counts) => counts.owed,
            Err(JournalFailed) => self.0.tasks.len() as u64,
        }
    }

    /// Retries failed cleanups at once, because the gateway drains.
    pub(crate) fn hurry(&self) {
        self.0.draining.cancel();
    }

    /// Waits until no cleanup that is due is left. All connections must have ended before.
    pub(crate) async fn settled(&self) {
        self.0.settling.cancel();
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }
}

impl Owed {
    /// Notes that the connection has ended. The cleanup goes out as soon as the call that may still
    /// run, if there is one, has ended too.
    pub(crate) async fn end(mut self, end: End, unended: Option<UnendedCall>) {
        self.end = end;
        let Some(UnendedCall { url, began, late }) = unended else {
            self.wait = None;
            return;
        };
        if let Some(debt) = &self.debt {
            self.late = late;
            let otherwise = debt.api.config().settings.function_timeout;
            let functions = &self.cleanups.0.functions;
            let latest = functions.latest_end(&url, began, otherwise).await;
            // Another server may be at the address of the runner.
            let wait = latest.saturating_duration_since(Instant::now()).min(WAIT_MAX);
            self.wait = Some(wait);
        }
    }

    /// Owes nothing any more: register provably did not run.
    pub(crate) fn forgive(mut self) {
        if let Some(debt) = self.debt.take() {
            self.cleanups.0.journal.settle(debt.key);
        }
    }
}

impl Drop for Owed {
    fn drop(&mut self) {
        let Some(debt) = self.debt.take() else { return };
        let Inner { clock, journal, .. } = &*self.cleanups.0;
        let queue = self.cleanups.queue(&debt.api);
        let ended_at = clock.now();
        let not_before = self.wait.filter(|wait| !wait.is_zero()).map(|wait| ended_at + wait);
        let progress = Progress {
            end: self.end,
            ended_at,
            attempts: 0,
            failures: 0,
            not_before,
            give_up_at: None,
        };
        let OwedRow { key, id, event, .. } = debt;
        if not_before.is_some() {
            journal.to_backlog(key, progress);
            if let Some(answer) = self.late.take() {
                queue.wait_for(key, progress, answer);
            }
            return queue.changed();
        }
        // If this process ends before the delivery, the next one knows how the connection ended and
        // that its calls have ended.
        journal.progress(key, progress);
        let full = queue.ready.try_send(Record { key, id, event, progress });
        if let Err(TrySendError::Full(_) | TrySendError::Closed(_)) = full {
            journal.to_backlog(key, progress);
            queue.changed();
        }
    }
}
