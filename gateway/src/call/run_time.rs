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
    /// How long a call of the function at `url` may run, from its begin on; `otherwise` if no runner
    /// can say it. None if the function is the runner's, and the runner has never been reached.
    pub(crate) async fn longest_run(&self, url: &Url, otherwise: Duration) -> Option<Duration> {
        let Some(name) = self.runner().name_of(url) else { return Some(otherwise + MARGIN) };
        if self.runner().timeout_of(name).is_none() && self.runner().may_be_asked() {
            self.ask_runner().await;
        }
        self.runner().timeout_of(name).map(|timeout| timeout + MARGIN)
    }

    /// When a call of the function at `url` that began at `began` will have ended at the latest.
    /// `otherwise` is how long it may run if the function is not the runner's, or the runner does not
    /// answer.
    pub(crate) async fn latest_end(
        &self,
        url: &Url,
        began: Instant,
        otherwise: Duration,
    ) -> Instant {
        let after = |run: Duration| began + run + MARGIN;
        let Some(name) = self.runner().name_of(url) else { return after(otherwise) };
        match self.ask_runner().await {
            RunnerAnswer::Functions(functions) => match functions.get(name) {
                Some(FunctionTimes { all_ended: Some(all_ended), .. }) => *all_ended + MARGIN,
                Some(FunctionTimes { timeout, all_ended: None }) => after(*timeout),
                None => after(otherwise),
            },
            // Its functions end with it.
            RunnerAnswer::Unreachable => after(self.runner().timeout_of(name).unwrap_or(otherwise)),
            // It may not even have read the event.
            RunnerAnswer::NoAnswer => after(otherwise),
        }
    }
}
