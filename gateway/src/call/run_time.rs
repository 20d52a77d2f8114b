//! How long a call may run: what the runner says of its functions, and the API's `function_timeout`
//! for all others.

use std::time::Duration;

use tokio::time::Instant;
use url::Url;

use super::{
    FunctionClient,
    runner_answer::{FunctionTimes, RunnerAnswer},
};

/// What an event may need to its function, and a function to its end when its time is over.
const MARGIN: Duration = Duration::from_secs(1);

impl FunctionClient {
    /// Whether the function at `url` is one of the runner's.
    pub(crate) fn is_of_runner(&self, url: &Url) -> bool {
        self.runner().url().name_of(url).is_some()
    }

    /// How long a call of the function at `url` may run, from its begin on; `otherwise` if no
    /// runner can say it. None if the function is the runner's, and the runner has never been
    /// reached.
    pub(crate) async fn longest_run(&self, url: &Url, otherwise: Duration) -> Option<Duration> {
        let Some(name) = self.runner().url().name_of(url) else { return Some(otherwise + MARGIN) };
        self.refresh_runner().await;
        self.runner().timeout_of(name).map(|timeout| timeout + MARGIN)
    }

    /// When a call of the function at `url` that began at `began` will have ended at the latest.
    /// `otherwise` is how long it may run if the function is not the runner's, or the runner does
    /// not answer.
    pub(crate) async fn latest_end(
        &self,
        url: &Url,
        began: Instant,
        otherwise: Duration,
    ) -> Instant {
        let after = |run: Duration| began + run + MARGIN;
        let Some(name) = self.runner().url().name_of(url) else { return after(otherwise) };
        match self.ask_runner().await {
            RunnerAnswer::Functions(functions) => {
                end_of(functions.get(name), began).unwrap_or_else(|| after(otherwise))
            }
            // Its functions end with it.
            RunnerAnswer::Unreachable => after(self.runner().timeout_of(name).unwrap_or(otherwise)),
            // It may not even have read the event.
            RunnerAnswer::NoAnswer => after(otherwise),
        }
    }

    /// When the calls of the function at `url` will have ended that an earlier process had begun,
    /// at `started` at the latest. None if the runner does not answer, and must be asked again.
    pub(crate) async fn earlier_end(
        &self,
        url: &Url,
        started: Instant,
        otherwise: Duration,
    ) -> Option<Instant> {
        let otherwise = started + otherwise + MARGIN;
        let Some(name) = self.runner().url().name_of(url) else { return Some(otherwise) };
        match self.ask_runner().await {
            RunnerAnswer::Functions(functions) => {
                Some(end_of(functions.get(name), started).unwrap_or(otherwise))
            }
            RunnerAnswer::Unreachable => Some(started),
            RunnerAnswer::NoAnswer => None,
        }
    }
}

/// When the calls of a function will have ended that began at `began` at the latest, as the runner
/// says. None if it does not know the function.
fn end_of(times: Option<&FunctionTimes>, began: Instant) -> Option<Instant> {
    let FunctionTimes { timeout, all_ended } = *times?;
    Some(all_ended.unwrap_or(began + timeout) + MARGIN)
}
