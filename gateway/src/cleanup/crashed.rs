//! Cleanups of connections that were open when an earlier process was killed.
//!
//! Their calls may still run. The journal has the timeout of the function, and the runner knows
//! more: an event may have waited for an instance until now. So the runner is asked, and the later
//! time counts.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use url::Url;

use super::{Cleanups, journal::JournalFailed};
use crate::api::Api;

/// The pause before a runner that did not answer is asked again.
const PAUSE: Duration = Duration::from_secs(5);
/// The pause after the journal could not be written.
const JOURNAL_PAUSE: Duration = Duration::from_secs(1);

impl Cleanups {
    /// Feeds the queue of `api`. Cleanups of crashed connections wait until the runner has
    /// answered.
    pub(super) async fn feed_from_start(&self, api: &Api) {
        let functions = self.functions_of_runner(api);
        if functions.is_empty() || !self.hold_crashed(api).await {
            return self.feed(api).await;
        }
        let asking = self.release_crashed(api, &functions);
        tokio::join!(self.feed(api), self.0.settling.run_until_cancelled(asking));
    }

    fn functions_of_runner(&self, api: &Api) -> Vec<Url> {
        let config = api.config();
        let urls = config.register.iter().chain([&config.transmit]);
        urls.filter(|url| self.0.functions.is_of_runner(url)).cloned().collect()
    }

    /// Has crashed connections wait as if the runner did not answer. Returns whether there are any.
    async fn hold_crashed(&self, api: &Api) -> bool {
        let wait = api.config().settings.function_timeout;
        let until = self.0.clock.started() + wait;
        loop {
            if let Ok(count) = self.crashed_wait_until(api, until).await {
                return count > 0;
            }
            let pause = self.0.settling.run_until_cancelled(sleep(JOURNAL_PAUSE));
            if pause.await.is_none() {
                return false;
            }
        }
    }

    /// Asks the runner until it answers, and has crashed connections wait for as long as it says.
    async fn release_crashed(&self, api: &Api, functions: &[Url]) {
        loop {
            if let Some(until) = self.calls_end(api, functions).await
                && self.crashed_wait_until(api, until).await.is_ok()
            {
                return self.queue(api).changed();
            }
            sleep(PAUSE).await;
        }
    }

    /// When the calls of an earlier process will have ended. None if the runner did not answer.
    async fn calls_end(&self, api: &Api, functions: &[Url]) -> Option<Instant> {
        let otherwise = api.config().settings.function_timeout;
        let started = self.0.clock.started();
        let mut latest = started;
        for url in functions {
            latest = latest.max(self.0.functions.earlier_end(url, started, otherwise).await?);
        }
        Some(latest)
    }

    async fn crashed_wait_until(&self, api: &Api, until: Instant) -> Result<usize, JournalFailed> {
        self.0.journal.crashed_wait_until(api.id(), self.0.clock.at(until)).await
    }
}
