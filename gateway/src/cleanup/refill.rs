//! Takes up what waits in the journal: what the last life left, and what there was no place for.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use tokio::time::sleep;
use tracing::{error, info};

use super::{Cleanups, Debt};
use crate::{
    api::{Api, Apis},
    end::End,
    journal::{Progress, Record},
};

/// Debts that are taken out at once.
const PAGE: usize = 256;
/// After the journal could not be read.
const PAUSE: Duration = Duration::from_secs(1);

impl Cleanups {
    /// Delivers from now on what waits in the journal, until the gateway drains. To be called
    /// again when the settings have changed.
    pub(crate) fn take_up(&self, apis: &Apis) {
        for api in apis.all() {
            api.cleanup_budget.defer();
            if api.cleanup_budget.take_up() {
                let work = self.clone().take_up_all(api);
                self.0.tasks.spawn(self.0.draining.clone().run_until_cancelled_owned(work));
            }
        }
    }

    async fn take_up_all(self, api: Arc<Api>) {
        let budget = &api.cleanup_budget;
        loop {
            if api.config().cleanup.is_none() {
                budget.deferred().await;
                continue;
            }
            let mut places = vec![budget.place().await];
            while places.len() < PAGE
                && let Some(place) = budget.try_place()
            {
                places.push(place);
            }
            let Ok(records) = self.0.journal.take_backlog(api.id(), places.len()).await else {
                drop(places);
                sleep(PAUSE).await;
                continue;
            };
            if records.is_empty() {
                drop(places);
                budget.deferred().await;
                continue;
            }
            for (Record { key, id, progress }, place) in records.into_iter().zip(places) {
                let debt = Debt { key, id, api: Arc::clone(&api) };
                let progress = progress.unwrap_or_else(crashed);
                self.0.tasks.spawn(self.clone().deliver(debt, progress, place));
            }
        }
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

/// Nobody has seen the connection end.
fn crashed() -> Progress {
    Progress { end: End::CRASH, ended_at: SystemTime::now(), attempts: 0 }
}
