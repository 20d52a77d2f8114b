//! Why a call of a function has no result, and what that means for the event it carried.

use std::{error::Error, fmt, pin::Pin, time::Duration};

use batch::NoAnswer;
use shared::invocation::{Disposition, InvocationFault};
use tokio::time::{Instant, timeout_at};

/// The longest timeout that a function can have (documented).
pub(crate) const FUNCTION_TIMEOUT_MAX: Duration = Duration::from_secs(900);

/// Why a call has no result.
#[derive(Debug)]
pub(crate) struct CallError {
    /// What it means for the event.
    pub(crate) disposition: Disposition,
    /// Whether time ran out: the function's, or that of the call.
    pub(crate) timed_out: bool,
    /// The rest of a call that took longer than it may: the function may still be at work.
    pub(crate) rest: Option<Rest>,
    what: What,
}

/// A call that nobody waits for but the cleanup, which must not overtake it.
pub(crate) struct Rest {
    call: Pin<Box<dyn Future<Output = ()> + Send>>,
    /// When it began.
    began: Instant,
}

#[derive(Debug)]
enum What {
    Status(u16),
    Transport(reqwest::Error),
    NoAnswer(NoAnswer),
    Deadline,
    TooLarge,
}

impl CallError {
    /// The answer was not a success.
    pub(crate) fn status(status: u16) -> Self {
        let fault = InvocationFault::from_status(status);
        Self {
            disposition: fault.map_or(Disposition::Faulted, InvocationFault::disposition),
            timed_out: fault == Some(InvocationFault::TimedOut),
            rest: None,
            what: What::Status(status),
        }
    }

    /// There was no whole answer. A refused connection proves that nothing ran.
    pub(crate) fn transport(error: reqwest::Error) -> Self {
        let not_run = error.is_connect();
        Self {
            disposition: if not_run { Disposition::NotRun } else { Disposition::Faulted },
            timed_out: error.is_timeout() && !not_run,
            rest: None,
            // A URL may hold credentials.
            what: What::Transport(error.without_url()),
        }
    }

    /// A batch brought no answer to it.
    pub(crate) fn no_answer(error: NoAnswer) -> Self {
        // What stands in between may say so of a batch that was taken.
        if let NoAnswer::Refused(status) = error
            && status.is_server_error()
        {
            return Self::status(status.as_u16());
        }
        let disposition = match error {
            NoAnswer::NotSent(_) | NoAnswer::Refused(_) => Disposition::NotRun,
            NoAnswer::TimedOut(_) | NoAnswer::Broken(_) => Disposition::Faulted,
        };
        Self { disposition, timed_out: false, rest: None, what: What::NoAnswer(error) }
    }

    /// The call that began then took longer than it may; `rest` is what is left of it.
    pub(crate) fn deadline(
        began: Instant,
        rest: impl Future<Output = ()> + Send + 'static,
    ) -> Self {
        Self {
            disposition: Disposition::Faulted,
            timed_out: true,
            rest: Some(Rest::new(began, rest)),
            what: What::Deadline,
        }
    }

    /// The answer is larger than a function may return.
    pub(crate) fn too_large() -> Self {
        Self { disposition: Disposition::Ran, timed_out: false, rest: None, what: What::TooLarge }
    }

    /// Whether the function would not take the event for its size.
    pub(crate) fn is_event_too_large(&self) -> bool {
        matches!(self.what, What::Status(status)
            if status == InvocationFault::EventTooLarge.status())
    }
}

impl Rest {
    /// The rest of a call that began then, or before.
    pub(crate) fn new(began: Instant, call: impl Future<Output = ()> + Send + 'static) -> Self {
        Self { call: Box::pin(call), began }
    }

    /// When the call has ended for certain: no function runs for longer.
    pub(crate) fn latest_end(&self) -> Instant {
        self.began + FUNCTION_TIMEOUT_MAX
    }

    /// Waits until the call has ended.
    pub(crate) async fn ended(self) {
        let latest = self.latest_end();
        // The error is that it has not ended; there is nothing more to wait for then.
        let _ = timeout_at(latest, self.call).await;
    }
}

impl fmt::Debug for Rest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rest")
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            What::Status(status) => write!(f, "function answered {status}"),
            What::Transport(_) | What::NoAnswer(_) => f.write_str("function did not answer"),
            What::Deadline => f.write_str("function did not answer in time"),
            What::TooLarge => f.write_str("function answered too much"),
        }
    }
}

impl Error for CallError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.what {
            What::Transport(error) => Some(error),
            What::NoAnswer(error) => Some(error),
            What::Status(_) | What::Deadline | What::TooLarge => None,
        }
    }
}
