//! Tells the runner that this gateway drains. A runner that is stopped at the same moment goes on
//! admitting calls as long as this request is open, so that connections and cleanups do not fail.

use std::{convert::Infallible, future::pending, time::Duration};

use http::StatusCode;
use reqwest::Client;
use tokio::time::sleep;
use tracing::debug;

use super::runner_url::RunnerUrl;

/// The pause before a request that has ended or failed is repeated.
const PAUSE: Duration = Duration::from_millis(500);

/// Keeps a request open at the runner until dropped.
pub(super) async fn keep_open(http: &Client, runner: &RunnerUrl) -> Infallible {
    loop {
        match http.post(runner.drain()).headers(runner.headers().clone()).send().await {
            Ok(mut response) if response.status() == StatusCode::OK => {
                // Until the runner has ended, or the connection is lost.
                while let Ok(Some(_)) = response.chunk().await {}
            }
            // The runner has too many connections or callers, or a proxy in front of it does not
            // reach it.
            Ok(response) if is_for_now(response.status()) => {
                debug!(status = %response.status(), "the runner takes no notice at present");
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

/// Whether a later request may have another answer.
fn is_for_now(status: StatusCode) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
        time::timeout,
    };
    use url::Url;

    use super::*;

    /// A busy runner, and then one that has room. Its answer goes on until the gateway has gone.
    #[tokio::test]
    async fn a_runner_that_has_no_room_is_told_again() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let token = HeaderValue::from_static("Bearer hunter2");
        let url = RunnerUrl::new(&Url::parse(&address).unwrap(), token);
        let runner = async {
            for status in ["503 Busy", "429 Busy", "502 Busy", "200 OK"] {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = vec![0; 4096];
                let bytes = stream.read(&mut request).await.unwrap();
                let request = str::from_utf8(&request[..bytes]).unwrap();
                assert!(request.starts_with("POST /~/drain HTTP/1.1\r\n"), "{request}");
                assert!(request.contains("authorization: Bearer hunter2\r\n"), "{request}");
                let head = format!("HTTP/1.1 {status}\r\nconnection: close\r\n\r\n");
                stream.write_all(head.as_bytes()).await.unwrap();
            }
        };
        let http = Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
        let told = timeout(Duration::from_secs(60), async {
            tokio::select! {
                () = runner => {}
                never = keep_open(&http, &url) => match never {},
            }
        });
        told.await.expect("each request comes within a minute");
    }
}
