//! Takes owed cleanups out of the journal: those that an earlier process left, and those for which no
//! permit was free.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use tokio::time::{Instant, sleep};
use tracing::{error, info};

use super::journal::{JournalFailed, Progress, Record};
use super::{Cleanups, OwedRow, budget::QueuePermit};
use crate::{
    api::{Api, Apis},
    call::FUNCTION_TIMEOUT_MAX,
    registry::End,
};

/// Owed cleanups that are taken out at once.
const PAGE: usize = 256;
/// How often owed cleanups without a function are checked for their age.
const AGE_CHECK_INTERVAL: Duration = Duration::from_secs(60);
/// The pause after the journal could not be read.
const PAUSE: Duration = Duration::from_secs(1);

impl Cleanups {
    /// Delivers from now on the cleanups that wait in the journal. While the gateway drains, stops when
    /// none is left. Must be called again when the settings have changed.
    pub(crate) fn take_up(&self, apis: &Apis) {
        for api in apis.all() {
            let budget = self.budget(&api);
            budget.defer();
            if budget.take_up() {
                self.0.tasks.spawn(self.clone().take_up_all(api));
            }
        }
    }

    async fn take_up_all(self, api: Arc<Api>) {
        let budget = self.budget(&api);
        loop {
            let draining = self.is_draining();
            if draining && budget.is_left() {
                return;
            }
            match self.take_up_some(&api).await {
                Ok(0) if draining => return,
                Ok(0) => drop(self.0.draining.run_until_cancelled(budget.deferred()).await),
                Ok(_) => {}
                // The next process will read it.
                Err(JournalFailed) if draining => return,
                Err(JournalFailed) => sleep(PAUSE).await,
            }
        }
    }

    /// Waits for a free permit, then delivers as many cleanups as there are permits. Returns how many.
    async fn take_up_some(&self, api: &Arc<Api>) -> Result<usize, JournalFailed> {
        if api.config().cleanup.is_none() {
            return Ok(0);
        }
        let budget = self.budget(api);
        let mut permits = vec![budget.queue().await];
        while permits.len() < PAGE
            && let Some(permit) = budget.try_queue()
        {
            permits.push(permit);
        }
        let records = self.0.journal.take_backlog(api.id(), permits.len()).await?;
        let count = records.len();
        for (Record { key, id, progress }, permit) in records.into_iter().zip(permits) {
            let debt = OwedRow { key, id, api: Arc::clone(api) };
            self.0.tasks.spawn(self.clone().deliver_when_due(debt, progress, permit));
        }
        Ok(count)
    }

    /// Delivers a cleanup as soon as the calls of the earlier process have ended. If the gateway drains
    /// before that, the cleanup is left to the next process.
    async fn deliver_when_due(
        self,
        debt: OwedRow,
        progress: Option<Progress>,
        permit: QueuePermit,
    ) {
        let wait = match progress {
            Some(Progress { not_before: Some(time), .. }) => until(time),
            Some(_) => Duration::ZERO,
            None => self.until_calls_have_ended(&debt.api),
        };
        let draining = self.0.draining.clone();
        if !wait.is_zero() && draining.run_until_cancelled_owned(sleep(wait)).await.is_none() {
            return;
        }
        // Without progress in the journal nobody has seen the connection end.
        let progress = progress.unwrap_or_else(|| Progress::new(End::CRASH));
        self.deliver(debt, Progress { not_before: None, ..progress }, permit).await;
    }

    /// How long a call may still run that was in flight when the earlier process died. That process
    /// would have waited for the API's timeout. More cannot be known.
    fn until_calls_have_ended(&self, api: &Api) -> Duration {
        let longest = api.config().settings.timeout.min(FUNCTION_TIMEOUT_MAX);
        (self.0.began + longest).saturating_duration_since(Instant::now())
    }

    /// Gives up, until the gateway drains, owed cleanups that are too old and whose API is not in the
    /// settings or has no cleanup function.
    pub(crate) fn give_up_unserved(&self, apis: &Apis) {
        let (this, apis, max_age) = (self.clone(), apis.clone(), self.0.max_age);
        let work = async move {
            loop {
                let apis = apis.all().into_iter();
                let served = apis.filter(|api| api.config().cleanup.is_some());
                let served = served.map(|api| api.id().to_owned()).collect();
                // The log has the error already, and the next check follows.
                if let Ok(count @ 1..) = this.0.journal.give_up_unserved(served, max_age).await {
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

/// How long it is until `time`. A clock that was set in between cannot make it longer than a call.
fn until(time: SystemTime) -> Duration {
    let wait = time.duration_since(SystemTime::now()).unwrap_or_default();
    wait.min(FUNCTION_TIMEOUT_MAX)
}
