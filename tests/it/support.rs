//! Shared by the tests: a gateway with scripted functions, clients, processes, and a test timeout.

pub(crate) mod access;
pub(crate) mod backend;
pub(crate) mod between;
pub(crate) mod browser;
pub(crate) mod client;
pub(crate) mod machine;
pub(crate) mod oracle;
pub(crate) mod process;
pub(crate) mod program;
pub(crate) mod python;
pub(crate) mod s3;
pub(crate) mod stack;
pub(crate) mod tls;
pub(crate) mod world;

use std::time::Duration;

use tokio::time::timeout;

/// How long a test waits for an event that must come. Far longer than any of them takes, so it only
/// ends tests that would wait for ever.
const TEST_TIMEOUT: Duration = Duration::from_secs(60);

/// `connection.close_timeout` in tests. It is short because many tests leave clients open that
/// never answer a Close.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(100);

/// Waits for an event that must come. Panics after [`TEST_TIMEOUT`].
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    timeout(TEST_TIMEOUT, future).await.unwrap_or_else(|_| panic!("{what} never came"))
}
