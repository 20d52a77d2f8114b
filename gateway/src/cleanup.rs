//! The cleanup guarantee: for every connection whose register may have run, cleanup is called.
//!
//! An [`Owed`] is made before register is called, and is written into the journal. When it is dropped,
//! on whatever path, the cleanup function is called, again and again until it succeeds or the age limit
//! has passed. What one process cannot deliver, the next one does.

mod budget;
mod dead_letters;
mod delivery;
pub(crate) mod journal;
mod refill;

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use shared::connection_id::ConnectionId;
use tokio::time::Instant;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub(crate) use self::dead_letters::RetryError;
use self::{
    budget::{Budget, Budgets},
    journal::{Journal, JournalFailed, Key, Progress},
};
use crate::{
    api::Api,
    call::{FunctionClient, OverdueCall},
    registry::End,
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
    max_age: Duration,
    budgets: Budgets,
    /// When this process began.
    began: Instant,
}

/// A cleanup that is owed for one connection.
#[derive(Debug)]
pub(crate) struct Owed {
    /// None if the API has no cleanup function.
    debt: Option<OwedRow>,
    end: End,
    overdue: Option<OverdueCall>,
    cleanups: Cleanups,
}

#[derive(Debug)]
struct OwedRow {
    key: Key,
    id: ConnectionId,
    api: Arc<Api>,
}

impl Cleanups {
    pub(crate) fn new(
        functions: FunctionClient,
        journal: Journal,
        settings: CleanupSettings,
    ) -> Self {
        let (tasks, draining) = (TaskTracker::new(), CancellationToken::new());
        let began = Instant::now();
        let (max_age, budgets) = (settings.max_age, Budgets::new(settings));
        Self(Arc::new(Inner { functions, journal, tasks, draining, max_age, budgets, began }))
    }

    fn budget(&self, api: &Api) -> Arc<Budget> {
        self.0.budgets.of(api.id())
    }

    /// Owes a cleanup for this connection from now on, even if this process dies. On an error
    /// register must not be called.
    pub(crate) async fn owe(&self, id: ConnectionId, api: Arc<Api>) -> Result<Owed, JournalFailed> {
        let debt = match &api.config().cleanup {
            Some(_) => Some(OwedRow { key: self.0.journal.owe(id, api.id()).await?, id, api }),
            None => None,
        };
        Ok(Owed { debt, end: End::UNREGISTERED, overdue: None, cleanups: self.clone() })
    }

    /// Whether the journal can be written, as far as is known.
    pub(crate) fn has_journal(&self) -> bool {
        self.0.journal.is_alive()
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

    /// Waits until no cleanup is being delivered. All connections must have ended before.
    pub(crate) async fn settled(&self) {
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }
}

impl Owed {
    /// Notes that the connection has ended. The cleanup goes out as soon as the overdue call, if there
    /// is one, has ended too.
    pub(crate) fn end(mut self, end: End, overdue: Option<OverdueCall>) {
        self.end = end;
        self.overdue = overdue;
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
        let progress = Progress::new(self.end);
        let (cleanups, overdue) = (self.cleanups.clone(), self.overdue.take());
        self.cleanups.0.tasks.spawn(async move {
            if let Some(overdue) = overdue {
                // If this process ends before the call does, the next one has to wait for the call.
                let latest = overdue.latest_end().saturating_duration_since(Instant::now());
                let not_before = Some(SystemTime::now() + latest);
                cleanups.0.journal.progress(debt.key, Progress { not_before, ..progress });
                overdue.ended().await;
            }
            cleanups.deliver_or_defer(debt, progress).await;
        });
    }
}
