//! Why a call of a function has no result, and what that means for its event.

use std::{error::Error, fmt};

use batch::NoAnswer;
use shared::invocation::{Disposition, InvocationFault};
use tokio::time::Instant;

use super::overdue::OverdueCall;

/// Why a call has no result.
#[derive(Debug)]
pub(crate) struct CallError {
    /// Whether the function ran.
    pub(crate) disposition: Disposition,
    /// Whether the timeout of the function or of the call passed.
    pub(crate) timed_out: bool,
    /// The call, if it is overdue: the function may still run.
    pub(crate) overdue: Option<OverdueCall>,
    what: What,
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
    /// The response had a status other than 200.
    pub(crate) fn status(status: u16) -> Self {
        let fault = InvocationFault::from_status(status);
        Self {
            disposition: fault.map_or(Disposition::Faulted, InvocationFault::disposition),
            timed_out: fault == Some(InvocationFault::TimedOut),
            overdue: None,
            what: What::Status(status),
        }
    }

    /// There was no complete response. If no connection was made, nothing ran.
    pub(crate) fn transport(error: reqwest::Error) -> Self {
        let not_run = error.is_connect();
        Self {
            disposition: if not_run { Disposition::NotRun } else { Disposition::Faulted },
            timed_out: error.is_timeout() && !not_run,
            overdue: None,
            // A URL may hold credentials.
            what: What::Transport(error.without_url()),
        }
    }

    /// The batch of the call had no answer for it.
    pub(crate) fn no_answer(error: NoAnswer) -> Self {
        // A proxy in between may answer so for a batch that the runner has taken.
        if let NoAnswer::Refused(status) = error
            && status.is_server_error()
        {
            return Self::status(status.as_u16());
        }
        let disposition = match error {
            NoAnswer::TooLarge => return Self::too_large(),
            // A server that took the batch for one event has not got the events.
            NoAnswer::NotSent(_)
            | NoAnswer::NotOffered
            | NoAnswer::Foreign
            | NoAnswer::Refused(_) => Disposition::NotRun,
            NoAnswer::TimedOut(_) | NoAnswer::Broken(_) => Disposition::Faulted,
        };
        Self { disposition, timed_out: false, overdue: None, what: What::NoAnswer(error) }
    }

    /// The call that began at `began` has passed its timeout; `rest` ends when the call does.
    pub(crate) fn deadline(
        began: Instant,
        overdue: impl Future<Output = ()> + Send + 'static,
    ) -> Self {
        Self {
            disposition: Disposition::Faulted,
            timed_out: true,
            overdue: Some(OverdueCall::new(began, overdue)),
            what: What::Deadline,
        }
    }

    /// The response is larger than a function may return.
    pub(crate) fn too_large() -> Self {
        Self {
            disposition: Disposition::Ran,
            timed_out: false,
            overdue: None,
            what: What::TooLarge,
        }
    }

    /// Whether the function refused the event because of its size.
    pub(crate) fn is_event_too_large(&self) -> bool {
        matches!(self.what, What::Status(status)
            if status == InvocationFault::EventTooLarge.status())
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
