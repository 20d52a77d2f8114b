//! Why a call of a function has no result, and what that means for the event it carried.

use std::{error::Error, fmt};

use shared::invocation::{Disposition, InvocationFault};

/// Why a call has no result.
#[derive(Debug)]
pub(crate) struct CallError {
    /// What it means for the event.
    pub(crate) disposition: Disposition,
    /// Whether time ran out: the function's, or that of the call.
    pub(crate) timed_out: bool,
    what: What,
}

#[derive(Debug)]
enum What {
    Status(u16),
    Transport(reqwest::Error),
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
            what: What::Status(status),
        }
    }

    /// There was no whole answer. A refused connection proves that nothing ran.
    pub(crate) fn transport(error: reqwest::Error) -> Self {
        let not_run = error.is_connect();
        Self {
            disposition: if not_run { Disposition::NotRun } else { Disposition::Faulted },
            timed_out: error.is_timeout() && !not_run,
            // A URL may hold credentials.
            what: What::Transport(error.without_url()),
        }
    }

    /// The call took longer than it may.
    pub(crate) fn deadline() -> Self {
        Self { disposition: Disposition::Faulted, timed_out: true, what: What::Deadline }
    }

    /// The answer is larger than a function may return.
    pub(crate) fn too_large() -> Self {
        Self { disposition: Disposition::Ran, timed_out: false, what: What::TooLarge }
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            What::Status(status) => write!(f, "function answered {status}"),
            What::Transport(_) => f.write_str("function did not answer"),
            What::Deadline => f.write_str("function did not answer in time"),
            What::TooLarge => f.write_str("function answered too much"),
        }
    }
}

impl Error for CallError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.what {
            What::Transport(error) => Some(error),
            What::Status(_) | What::Deadline | What::TooLarge => None,
        }
    }
}
