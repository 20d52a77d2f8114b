//! Cleanups that were given up. An operator lists, retries or deletes them.

use std::{sync::Arc, time::Duration};

use shared::connection_id::ConnectionId;
use tokio::time::timeout;
use tracing::info;

use super::journal::{Counts, DeadLetter, JournalFailed};
use super::{
    Cleanups,
    delivery::{cleanup_call, describe},
};
use crate::{
    api::{Api, Apis},
    call::log_failed,
};

/// How long an operator's retry waits for a permit of its API.
const TURN_TIMEOUT: Duration = Duration::from_secs(5);

/// Why a dead letter was not delivered.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RetryError {
    #[error("no cleanup of this connection was given up")]
    NotFound,
    #[error(
        "the settings have no api {0:?} with a cleanup function; add it, or DELETE the cleanup"
    )]
    NoFunction(String),
    #[error("{0}")]
    Failed(String),
    #[error("too many other cleanups of this api are running; try again later")]
    Busy,
    #[error("the gateway is shutting down")]
    Draining,
    #[error(transparent)]
    Journal(#[from] JournalFailed),
}

impl Cleanups {
    /// How many cleanups there are in all, and up to `limit` given-up ones after the id `after`.
    pub(crate) async fn dead_letters(
        &self,
        after: Option<ConnectionId>,
        limit: usize,
    ) -> Result<(Counts, Vec<DeadLetter>), JournalFailed> {
        self.0.journal.dead_letters(after, limit).await
    }

    /// Makes one more attempt, now.
    pub(crate) async fn retry(&self, id: ConnectionId, apis: &Apis) -> Result<(), RetryError> {
        let letter = self.0.journal.dead_letter(id).await?.ok_or(RetryError::NotFound)?;
        if self.is_draining() {
            return Err(RetryError::Draining);
        }
        let Some(api) = apis.by_id(&letter.api).filter(|api| api.config().cleanup.is_some()) else {
            return Err(RetryError::NoFunction(letter.api));
        };
        // In a task of its own: the attempt goes on if the operator hangs up.
        let work = self.clone().deliver_letter(letter, api);
        self.0.tasks.spawn(work).await.unwrap_or(Err(RetryError::Draining))
    }

    /// Deletes a given-up cleanup, and returns whether there was one.
    pub(crate) async fn forget(&self, id: ConnectionId) -> Result<bool, JournalFailed> {
        let there_was = self.0.journal.erase_dead_letter(id).await?;
        if there_was {
            info!(connection.id = %id, "given-up cleanup deleted by an operator");
        }
        Ok(there_was)
    }

    async fn deliver_letter(self, letter: DeadLetter, api: Arc<Api>) -> Result<(), RetryError> {
        let DeadLetter { id, api: api_id, event, mut progress, .. } = letter;
        progress.attempts = progress.attempts.saturating_add(1);
        let Some(call) = cleanup_call(&api, &api.config(), id, &event, progress) else {
            return Err(RetryError::NoFunction(api_id));
        };
        let queue = self.queue(&api);
        let Ok(permit) = timeout(TURN_TIMEOUT, queue.call()).await else {
            return Err(RetryError::Busy);
        };
        let outcome = self.attempt(&call, &api).await;
        drop(permit);
        match outcome {
            Ok(()) => {
                info!(connection.id = %id, "given-up cleanup delivered");
                self.0.journal.erase_dead_letter(id).await?;
                Ok(())
            }
            Err(error) => {
                let failed = self.0.functions.failed(&call, &error);
                log_failed!(info, failed, "given-up cleanup failed again");
                let error = describe(&error);
                self.0.journal.retried(id, progress.attempts, error.clone());
                Err(RetryError::Failed(error))
            }
        }
    }
}
