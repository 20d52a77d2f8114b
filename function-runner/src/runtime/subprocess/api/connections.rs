//! The connections of a child to its runtime API.
//!
//! Not those of `daemon::serve`: how the connection of an event ends says whether the child has
//! read the event.

use std::{convert::Infallible, sync::Arc, time::Duration};

use daemon::http::message;
use http::{Request, StatusCode};
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{debug, warn};

use super::{Requests, SECRET, answer, caller::Callers, next, stream::ChildStream};
use crate::runtime::subprocess::delivery::Deliveries;

/// How many connections a child may have. Further ones wait in the queue of the system.
const CONNECTIONS_MAX: usize = 64;
/// A child sends no request for as long as its function runs.
const HEAD_TIMEOUT: Duration = Duration::from_secs(3600);
/// How many bytes of a connection are read at once, and the longest request head.
const BUFFER_BYTES: usize = 32 << 10;
/// The pause after a failed accept.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How long a connection may take to end after the stop.
const END_TIMEOUT: Duration = Duration::from_secs(1);

/// Who is served.
#[derive(Debug, Clone)]
pub(super) struct Access {
    pub(super) callers: Callers,
    /// Each request has to carry it, if there is one.
    pub(super) secret: Option<Arc<str>>,
}

/// Serves the child on `listener` until `stop`, then ends its connections. Connections of others
/// are closed, and nothing is read from them.
pub(super) async fn serve(
    listener: TcpListener,
    requests: Requests,
    access: Access,
    stop: CancellationToken,
) {
    let connections = TaskTracker::new();
    let permits = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let accept = async {
        loop {
            let permit = Arc::clone(&permits).acquire_owned().await.expect("it is never closed");
            match listener.accept().await {
                Ok((stream, peer)) => {
                    let admitted = access.callers.clone().admit(peer);
                    let (requests, access) = (requests.clone(), access.clone());
                    let (stop, connected) = (stop.clone(), requests.exchange.connected());
                    connections.spawn(async move {
                        if stop.run_until_cancelled(admitted).await == Some(true) {
                            serve_one(stream, requests, access, stop).await;
                        }
                        drop((connected, permit));
                    });
                }
                Err(error) => {
                    warn!(%error, "connection to the runtime API not accepted");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    };
    stop.run_until_cancelled(accept).await;
    drop(listener);
    connections.close();
    connections.wait().await;
}

async fn serve_one(stream: TcpStream, requests: Requests, access: Access, stop: CancellationToken) {
    // Small messages must not wait for more bytes.
    if let Err(error) = stream.set_nodelay(true) {
        debug!(%error, "connection to the runtime API ended early");
        return;
    }
    let deliveries = Deliveries::default();
    let stream = ChildStream::new(stream.into(), deliveries.clone());
    let stopped = stop.clone();
    let service = service_fn(move |request| {
        let (requests, deliveries) = (requests.clone(), deliveries.clone());
        let (access, stopped) = (access.clone(), stopped.clone());
        async move {
            if !access.knows(&request) {
                return Ok(message(StatusCode::FORBIDDEN, "this is not your runtime API"));
            }
            // Processes that the child has left behind may still send requests. The end of the
            // instance does not wait for them.
            let answer = answer(&requests, &deliveries, request);
            let answer = stopped.run_until_cancelled(answer).await;
            Ok::<_, Infallible>(answer.unwrap_or_else(next::none))
        }
    });
    let connection = http1::Builder::new()
        .max_buf_size(BUFFER_BYTES)
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            timeout(END_TIMEOUT, connection).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = ended {
        debug!(%error, "connection to the runtime API ended early");
    }
}

impl Access {
    /// Whether the request carries the secret, if there is one.
    fn knows<B>(&self, request: &Request<B>) -> bool {
        self.secret.as_deref().is_none_or(|secret| {
            request.headers().get(SECRET).is_some_and(|value| value.as_bytes() == secret.as_bytes())
        })
    }
}
