//! Retries of calls that provably did not run.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use bytes::Bytes;
use shared::invocation::Disposition;
use tokio::time::{Instant, sleep, timeout_at};

use super::{Call, CallError, FunctionClient, failed::Repeated, log_failed};

/// The least time that a repeat must have left. One with less would often be cut off, and then
/// nobody knows whether its function ran.
const LEAST_TIME: Duration = Duration::from_millis(200);

/// The pauses between attempts: exponential, with jitter, unlimited in number.
#[derive(Debug)]
pub(crate) struct RetryBackoff(ExponentialBackoff);

impl RetryBackoff {
    /// Pauses from about `min` up to about `max`.
    pub(crate) fn new(min: Duration, max: Duration) -> Self {
        let builder = ExponentialBuilder::new()
            .with_min_delay(min)
            .with_max_delay(max)
            .with_jitter()
            .without_max_times();
        Self(builder.build())
    }

    /// The pause after so many failed attempts to deliver a cleanup.
    pub(crate) fn pause_after(failures: u32) -> Duration {
        let mut pauses = Self::new(Duration::from_millis(50), Duration::from_secs(60));
        // After twelve attempts the pauses grow no more.
        let before = failures.saturating_sub(1).min(16);
        pauses.0.nth(before as usize).expect("the sequence has no end")
    }

    /// The next pause.
    pub(crate) fn pause(&mut self) -> Duration {
        self.0.next().expect("the sequence has no end")
    }
}

/// Calls again until the function has run, no time is left of `timeout` for another attempt, or the
/// call is given up. Returns the result of the last attempt.
pub(crate) async fn call_until(
    functions: &FunctionClient,
    call: &Call,
    timeout: Duration,
) -> Result<Bytes, CallError> {
    let deadline = Instant::now() + timeout;
    let mut backoff = RetryBackoff::new(Duration::from_millis(20), Duration::from_secs(1));
    let mut attempts = 0;
    loop {
        attempts += 1;
        let outcome = functions.call(call, deadline - Instant::now()).await;
        let error = match outcome.map_err(|error| error.after(attempts)) {
            Err(error) if error.disposition == Disposition::NotRun => error,
            done => return done,
        };
        let pause = backoff.pause();
        report_retry(functions, call, &error, pause);
        let is_over = tokio::select! {
            biased;
            () = call.given_up() => true,
            slept = timeout_at(deadline - LEAST_TIME, sleep(pause)) => slept.is_err(),
        };
        if is_over {
            return Err(error);
        }
    }
}

/// A line for the operator from time to time, and one for each retry at debug.
fn report_retry(functions: &FunctionClient, call: &Call, error: &CallError, pause: Duration) {
    let (failed, event) = (functions.failed(call, error), call.origin.event.as_str());
    match functions.line_turn(Repeated::Retry, &call.origin) {
        Some(left_out) => {
            log_failed!(warn, failed, ?pause, left_out, "{event} did not run, will be tried again");
        }
        None => log_failed!(debug, failed, ?pause, "{event} did not run, will be tried again"),
    }
}
