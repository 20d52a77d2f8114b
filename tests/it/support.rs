//! What the tests share: a gateway with scripted functions behind it, clients, and patience.

pub(crate) mod backend;
pub(crate) mod browser;
pub(crate) mod client;
pub(crate) mod oracle;
pub(crate) mod process;
pub(crate) mod s3;
pub(crate) mod stack;
pub(crate) mod world;

use std::time::Duration;

use tokio::time::timeout;

/// Far longer than anything here takes. It ends a test that waits for what will never come; no
/// test passes or fails by how long something took.
const PATIENCE: Duration = Duration::from_secs(20);

/// Clients that a test has left lying do not answer a Close, and are not waited for.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(100);

/// Waits for something that should come soon.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("{what} never came"))
}
