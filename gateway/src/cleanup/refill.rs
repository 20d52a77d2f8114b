//! Takes up what waits in the journal: what the last life left, and what there was no place for.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use tokio::time::{Instant, sleep};
use tracing::{error, info};

use super::journal::{JournalFailed, Progress, Record};
use super::{Cleanups, Debt, budget::QueuePermit};
use crate::{
    api::{Api, Apis},
    call::FUNCTION_TIMEOUT_MAX,
    registry::End,
};

/// Debts that are taken out at once.
const PAGE: usize = 256;
/// How often it is looked for what is too old and has no function.
const LOOK: Duration = Duration::from_secs(60);
/// After the journal could not be read.
const PAUSE: Duration = Duration::from_secs(1);

impl Cleanups {
    /// Delivers from now on what waits in the journal; when the gateway drains, until nothing does.
    /// To be called again when the settings have changed.
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
                // The next life will be able to.
                Err(JournalFailed) if draining => return,
                Err(JournalFailed) => sleep(PAUSE).await,
            }
        }
    }

    /// Delivers as many as there are places for, when there is one; how many.
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
            let debt = Debt { key, id, api: Arc::clone(api) };
            self.0.tasks.spawn(self.clone().deliver_when_due(debt, progress, permit));
        }
        Ok(count)
    }

    /// Delivers once the calls of an earlier life have ended. If the gateway drains before, it is
    /// left to the next one.
    async fn deliver_when_due(self, debt: Debt, progress: Option<Progress>, permit: QueuePermit) {
        let wait = match progress {
            Some(Progress { not_before: Some(time), .. }) => until(time),
            Some(_) => Duration::ZERO,
            None => self.until_calls_have_ended(&debt.api),
        };
        let draining = self.0.draining.clone();
        if !wait.is_zero() && draining.run_until_cancelled_owned(sleep(wait)).await.is_none() {
            return;
        }
        // Nobody has seen the connection end, if nothing is known.
        let progress = progress.unwrap_or_else(|| Progress::new(End::CRASH));
        self.deliver(debt, Progress { not_before: None, ..progress }, permit).await;
    }

    /// The dead process may have had a call in flight when it died, which it would have waited for
    /// as long as this. More cannot be known.
    fn until_calls_have_ended(&self, api: &Api) -> Duration {
        let longest = api.config().settings.timeout.min(FUNCTION_TIMEOUT_MAX);
        (self.0.began + longest).saturating_duration_since(Instant::now())
    }

    /// Gives up what waits for APIs that the settings do not have, or that have no cleanup function,
    /// and is too old, until the gateway drains.
    pub(crate) fn bury_unserved(&self, apis: &Apis) {
        let (this, apis, max_age) = (self.clone(), apis.clone(), self.0.max_age);
        let work = async move {
            loop {
                let apis = apis.all().into_iter();
                let served = apis.filter(|api| api.config().cleanup.is_some());
                let served = served.map(|api| api.id().to_owned()).collect();
                // If it failed the log says so, and there is a next time.
                if let Ok(count @ 1..) = this.0.journal.bury_unserved(served, max_age).await {
                    error!("{count} cleanups given up: their apis have no cleanup function");
                }
                sleep(max_age.clamp(PAUSE, LOOK)).await;
            }
        };
        self.0.tasks.spawn(self.0.draining.clone().run_until_cancelled_owned(work));
    }

    /// Says what is left of earlier lives.
    pub(crate) async fn report_owed(&self, apis: &Apis) {
        let Ok(owed) = self.0.journal.backlog().await else { return };
        for (id, count) in owed {
            match apis.by_id(&id).filter(|api| api.config().cleanup.is_some()) {
                Some(_) => info!(api.id = id, "{count} cleanups of an earlier life are delivered"),
                None => error!(
                    api.id = id,
                    "{count} cleanups are owed to api {id:?}, which the settings do not have or \
                     which has no cleanup function: they are kept until it has"
                ),
            }
        }
    }
}

/// How long it is until then, however the clock was set meanwhile.
fn until(time: SystemTime) -> Duration {
    let wait = time.duration_since(SystemTime::now()).unwrap_or_default();
    wait.min(FUNCTION_TIMEOUT_MAX)
}
