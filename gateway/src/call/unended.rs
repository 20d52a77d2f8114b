//! Calls of which nobody knows whether their function still runs.

use std::{fmt, pin::Pin};

use tokio::time::Instant;
use url::Url;

/// A call without word of its function. The cleanup must not run before the call has ended, so it
/// waits for as long as the function may run.
///
/// The exchange of the call is not kept, since it would hold a socket for as long. Only an exchange
/// in a batch may be kept, because others share its socket, and only a few of them; and in a drain
/// those of calls that have time left.
#[derive(Debug)]
pub(crate) struct UnendedCall {
    /// The address of the function.
    pub(crate) url: Box<Url>,
    /// When the call began.
    pub(crate) began: Instant,
    /// The answer that may still come, if its exchange has been kept.
    pub(crate) late: Option<LateAnswer>,
}

/// An answer that may come after all.
pub(crate) struct LateAnswer {
    answer: Pin<Box<dyn Future<Output = bool> + Send>>,
    /// Whether the call has passed its deadline. For others a drain still waits.
    pub(crate) is_overdue: bool,
}

impl UnendedCall {
    /// A call of the function at `url` that began at `began` or before.
    pub(crate) fn new(url: &Url, began: Instant) -> Self {
        Self { url: Box::new(url.clone()), began, late: None }
    }

    /// The same call, whose answer may come late.
    pub(crate) fn with_late(self, late: Option<LateAnswer>) -> Self {
        Self { late, ..self }
    }
}

impl LateAnswer {
    /// The answer to a call that has passed its deadline. It says in the end whether the function
    /// has ended.
    pub(super) fn overdue(answer: impl Future<Output = bool> + Send + 'static) -> Self {
        Self { answer: Box::pin(answer), is_overdue: true }
    }

    /// The answer to a call that has time left.
    pub(crate) fn in_time(answer: impl Future<Output = bool> + Send + 'static) -> Self {
        Self { answer: Box::pin(answer), is_overdue: false }
    }

    /// Waits for the answer. Returns false if there is none, so that the function may still run.
    pub(crate) async fn has_ended(self) -> bool {
        self.answer.await
    }
}

impl fmt::Debug for LateAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LateAnswer")
    }
}
