//! Tells the runner that this gateway drains. A runner that is stopped at the same moment goes on
//! admitting calls as long as this request is open, so that connections and cleanups do not fail.

use std::{convert::Infallible, future::pending, time::Duration};

use http::StatusCode;
use reqwest::Client;
use tokio::time::sleep;
use tracing::debug;

/// The pause before a request that has ended or failed is repeated.
const PAUSE: Duration = Duration::from_millis(500);

/// Keeps a request open at `address` until dropped.
pub(super) async fn keep_open(http: &Client, address: &str) -> Infallible {
    loop {
        match http.post(address).send().await {
            Ok(mut response) if response.status() == StatusCode::OK => {
                // Until the runner has ended, or the connection is lost.
                while let Ok(Some(_)) = response.chunk().await {}
            }
            // Another server, or a runner of a version that does not know this request.
            Ok(response) => {
                debug!(status = %response.status(), "the runner does not wait for this gateway");
                return pending().await;
            }
            Err(error) => debug!(error = %error.without_url(), "the runner was not reached"),
        }
        sleep(PAUSE).await;
    }
}
