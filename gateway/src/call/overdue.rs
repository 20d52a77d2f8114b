//! Calls that have passed their timeout while their function may still run.

use std::{fmt, pin::Pin, time::Duration};

use tokio::time::{Instant, timeout_at};

/// The longest timeout that a function can have (documented).
pub(crate) const FUNCTION_TIMEOUT_MAX: Duration = Duration::from_secs(900);

/// A call that has passed its timeout. Only the cleanup still waits for it, because the cleanup must
/// not run before the call has ended.
pub(crate) struct OverdueCall {
    call: Pin<Box<dyn Future<Output = ()> + Send>>,
    /// When the call began.
    began: Instant,
}

impl OverdueCall {
    /// A call that began at `began` or before.
    pub(crate) fn new(began: Instant, call: impl Future<Output = ()> + Send + 'static) -> Self {
        Self { call: Box::pin(call), began }
    }

    /// When the call has ended for certain, since no function may run for longer.
    pub(crate) fn latest_end(&self) -> Instant {
        self.began + FUNCTION_TIMEOUT_MAX
    }

    /// Waits until the call has ended.
    pub(crate) async fn ended(self) {
        let latest = self.latest_end();
        // After this time there is nothing more to wait for.
        let _ = timeout_at(latest, self.call).await;
    }
}

impl fmt::Debug for OverdueCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OverdueCall")
    }
}
