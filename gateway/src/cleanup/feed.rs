//! Moves the cleanups of an API from the journal to its queue when they are due: those that an
//! earlier process left, that must wait for a call, that failed, and for which the queue had no
//! room.

use std::time::{Duration, SystemTime};

use tokio::time::{Instant, sleep, sleep_until};
use tracing::{error, info};

use super::journal::{JournalFailed, Key, Progress, TakenDue};
use super::{Cleanups, late::LateAnswers, queue::Queue};
use crate::api::{Api, Apis};

/// Owed cleanups that are taken out at once.
const PAGE: usize = 256;
/// How often the journal is read although nothing seems to be due.
const READ_INTERVAL: Duration = Duration::from_secs(60);
/// How often owed cleanups without a function are checked for their age.
const AGE_CHECK_INTERVAL: Duration = Duration::from_secs(60);
/// The pause after the journal could not be read.
const PAUSE: Duration = Duration::from_secs(1);

impl Cleanups {
    /// Feeds the queue of `api` until the gateway has drained: then nothing more is due, and what
    /// is not due is left to the next start, unless it waits for a call that has time left. A
    /// journal that does not survive the process leaves nothing.
    pub(super) async fn feed(&self, api: &Api) {
        let queue = self.queue(api);
        let mut late = LateAnswers::default();
        loop {
            let (hurries, settles) = (self.is_draining(), self.0.settling.is_cancelled());
            // When it settles, all connections have ended, and none adds an answer any more.
            late.add(queue.take_late());
            if queue.is_left() {
                return;
            }
            let next_due = match self.feed_due(api, &queue, hurries).await {
                Ok(next_due) => next_due,
                // The next process will read it.
                Err(JournalFailed) if settles => return,
                Err(JournalFailed) => {
                    sleep(PAUSE).await;
                    continue;
                }
            };
            let is_done = next_due.is_none() || self.0.journal.is_durable() && late.none_in_time();
            if settles && is_done {
                return;
            }
            let wait = next_due.map_or(READ_INTERVAL, |due| self.0.clock.until(due));
            tokio::select! {
                () = sleep_until(Instant::now() + wait.min(READ_INTERVAL)) => {}
                () = queue.has_changed() => {}
                () = self.0.draining.cancelled(), if !hurries => {}
                () = self.0.settling.cancelled(), if !settles => {}
                ended = late.ended() => {
                    for (key, progress) in ended {
                        self.due_now(key, progress);
                    }
                }
            }
        }
    }

    /// Moves what is due. Returns when the next one is.
    async fn feed_due(
        &self,
        api: &Api,
        queue: &Queue,
        hurries: bool,
    ) -> Result<Option<SystemTime>, JournalFailed> {
        while api.config().cleanup.is_some() && !queue.is_left() {
            let now = self.0.clock.now();
            let TakenDue { records, next_due } =
                self.0.journal.take_due(api.id(), now, PAGE, hurries).await?;
            let is_all = records.len() < PAGE;
            for record in records {
                // The receiver outlives this function.
                let _ = queue.ready.send(record).await;
            }
            if is_all {
                return Ok(next_due);
            }
        }
        Ok(None)
    }

    /// Has the cleanup delivered whose call has ended, unless it is due already and may be in
    /// delivery.
    fn due_now(&self, key: Key, progress: Progress) {
        let now = self.0.clock.now();
        if progress.not_before.is_some_and(|due| now < due) {
            self.0.journal.to_backlog(key, Progress { not_before: Some(now), ..progress });
        }
    }

    /// Gives up, until the gateway drains, owed cleanups that are too old and whose API is not in
    /// the settings or has no cleanup function.
    pub(crate) fn give_up_unserved(&self, apis: &Apis) {
        let (this, apis, max_age) = (self.clone(), apis.clone(), self.0.max_age);
        let work = async move {
            loop {
                let apis = apis.all().into_iter();
                let served = apis.filter(|api| api.config().cleanup.is_some());
                let served = served.map(|api| api.id().to_owned()).collect();
                // The log has the error already, and the next check follows.
                let now = this.0.clock.now();
                if let Ok(count @ 1..) = this.0.journal.give_up_unserved(served, now, max_age).await
                {
                    error!("{count} cleanups given up: their apis have no cleanup function");
                }
                sleep(max_age.clamp(PAUSE, AGE_CHECK_INTERVAL)).await;
            }
        };
        self.0.tasks.spawn(self.0.draining.clone().run_until_cancelled_owned(work));
    }

    /// Logs how many cleanups earlier processes have left.
    pub(crate) async fn report_owed(&self, apis: &Apis) {
        let Ok(owed) = self.0.journal.backlog().await else { return };
        for (id, count) in owed {
            match apis.by_id(&id).filter(|api| api.config().cleanup.is_some()) {
                Some(_) => {
                    info!(api.id = id, "cleanups left by the last run, will be delivered: {count}");
                }
                None => error!(
                    api.id = id,
                    "{count} cleanups are owed to api {id:?}, which is not in the settings or has no \
                     cleanup function: they are kept until it has one"
                ),
            }
        }
    }
}
