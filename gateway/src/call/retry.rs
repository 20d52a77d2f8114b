//! Retries of calls that provably did not run.

use std::{pin::pin, time::Duration};

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use bytes::Bytes;
use shared::invocation::Disposition;
use tokio::time::{Instant, sleep};

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
    let attempt = |left| functions.call(call, left);
    let report = |error: &CallError, pause| report_retry(functions, call, error, pause);
    repeat(timeout, call.given_up(), attempt, report).await
}

/// The same with any `attempt`, which is given the time that it has. `report` is called before each
/// pause.
async fn repeat<F>(
    timeout: Duration,
    given_up: impl Future<Output = ()>,
    mut attempt: impl FnMut(Duration) -> F,
    report: impl Fn(&CallError, Duration),
) -> Result<Bytes, CallError>
where
    F: Future<Output = Result<Bytes, CallError>>,
{
    let deadline = Instant::now() + timeout;
    let mut given_up = pin!(given_up);
    let mut backoff = RetryBackoff::new(Duration::from_millis(20), Duration::from_secs(1));
    let mut attempts = 0;
    loop {
        attempts += 1;
        let outcome = attempt(deadline - Instant::now()).await;
        let error = match outcome.map_err(|error| error.after(attempts)) {
            Err(error) if error.disposition == Disposition::NotRun => error,
            done => return done,
        };
        let pause = backoff.pause();
        if Instant::now() + pause + LEAST_TIME > deadline {
            return Err(error);
        }
        report(&error, pause);
        let is_over = tokio::select! {
            biased;
            () = &mut given_up => true,
            // On a busy machine the pause may have been longer.
            () = sleep(pause) => Instant::now() + LEAST_TIME > deadline,
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

#[cfg(test)]
mod tests {
    use std::{
        cell::{Cell, RefCell},
        future::{pending, ready},
    };

    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(15);

    #[tokio::test(start_paused = true)]
    async fn no_attempt_begins_without_time_and_no_pause_is_made_for_nothing() {
        // The pauses have jitter.
        for _ in 0..100 {
            let (begin, last, reports) = (Instant::now(), Cell::new(TIMEOUT), Cell::new(0));
            let attempt = |left| {
                last.set(left);
                ready(Err(CallError::no_turn()))
            };
            let ended = repeat(TIMEOUT, pending(), attempt, |_, _| reports.set(reports.get() + 1));
            let error = ended.await.unwrap_err();
            assert!(last.get() >= LEAST_TIME, "{last:?}");
            assert_eq!(begin.elapsed(), TIMEOUT - last.get(), "slept after the last attempt");
            // Another attempt would have come after a pause of a second, or of two with jitter.
            assert!(last.get() < Duration::from_secs(2) + LEAST_TIME, "{last:?}");
            assert_eq!(error.attempts, reports.get() + 1, "each report has its attempt");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_attempt_that_takes_all_the_time_is_the_last_one() {
        for (takes, attempts) in [(TIMEOUT - LEAST_TIME, 1), (Duration::from_secs(14), 2)] {
            let pauses = RefCell::new(Vec::new());
            let attempt = async |_| {
                sleep(takes).await;
                Err(CallError::no_turn())
            };
            let report = |_: &CallError, pause| pauses.borrow_mut().push(pause);
            let error = repeat(TIMEOUT, pending(), attempt, report).await.unwrap_err();
            assert_eq!((error.attempts, pauses.borrow().len()), (attempts, attempts as usize - 1));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_is_given_up_ends_in_its_pause() {
        let begin = Instant::now();
        let attempt = |_| ready(Err(CallError::no_turn()));
        let given_up = sleep(Duration::from_secs(3));
        repeat(TIMEOUT, given_up, attempt, |_, _| ()).await.unwrap_err();
        assert_eq!(begin.elapsed(), Duration::from_secs(3));
    }
}
