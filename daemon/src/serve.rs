//! Serving HTTP/1.1 on one listener until told to stop.
//!
//! Knows nothing of paths: that is the service's affair. A connection that is upgraded leaves this
//! module's care at that moment, so whoever upgrades it must keep track of it.

mod connection;

use std::{convert::Infallible, io, net::SocketAddr, sync::Arc, time::Duration};

use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::{body::Incoming, server::conn::http1};
use hyper_util::rt::TokioTimer;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::sleep,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::{Service, ServiceBuilder};
use tower_http::catch_panic::CatchPanicLayer;
use tracing::{debug, error, warn};

use self::connection::Connection;
use crate::{
    http::{Body, message},
    stream::Stream,
};

/// How long to wait after a failed accept: it fails when file descriptors run out, and trying
/// again at once would spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What is read of a connection at once, and the longest request head. Hyper would let it grow to
/// 400 KiB under large bodies, and keep it for as long as the connection lives.
const BUFFER_BYTES: usize = 32 << 10;

/// Connections that the system takes in before we do (tokio's default). More than that can only
/// have come after the stop.
const BACKLOG: usize = 1024;

/// How connections of a listener are treated.
#[derive(Debug, Clone, Copy)]
pub struct ServeSettings {
    /// A connection that has sent no whole request head for this long is closed. For clients that
    /// pool connections it must be longer than they keep them, or they meet closed ones.
    pub head_timeout: Duration,
    /// Connections at once that are not upgraded. Further ones wait in the system's queue, so that
    /// idle ones cannot use up the files that the process may have open.
    pub connections_max: usize,
    /// How long a connection without a request stays open after the stop, for a request that may
    /// be on its way. Zero where clients do not mind.
    pub linger: Duration,
}

/// The address of the client, found among the extensions of each request.
#[derive(Debug, Clone, Copy)]
pub struct PeerAddress(pub SocketAddr);

/// Serves `service` on `listener` until `stop`, then lets the requests in hand end.
pub async fn serve<S>(
    listener: TcpListener,
    settings: ServeSettings,
    stop: CancellationToken,
    service: S,
) where
    S: Service<Request<Incoming>, Response = Response<Body>, Error = Infallible>,
    S: Clone + Send + Sync + 'static,
    S::Future: Send,
{
    let service = layers(service);
    let mut http = http1::Builder::new();
    http.max_buf_size(BUFFER_BYTES);
    http.timer(TokioTimer::new()).header_read_timeout(settings.head_timeout);
    let connections = TaskTracker::new();
    let places = Arc::new(Semaphore::new(settings.connections_max));
    let mut late = 0;
    while late < BACKLOG
        && let Some((place, accepted)) = accept(&listener, &places, &stop).await
    {
        late += usize::from(stop.is_cancelled());
        let (stream, peer) = match accepted.and_then(prepare) {
            Ok(accepted) => accepted,
            Err(error) => {
                warn!(%error, "connection not accepted");
                sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let connection = Connection { stream, peer, stop: stop.clone(), linger: settings.linger };
        let (http, service) = (http.clone(), service.clone());
        connections.spawn(async move {
            if let Err(error) = connection.serve(&http, service).await {
                debug!(%error, client.address = %peer, "http connection ended early");
            }
            drop(place);
        });
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

/// The next connection. After `stop` those that the system has taken in already, since closing
/// the listener would reset them, then none.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
    stop: &CancellationToken,
) -> Option<(OwnedSemaphorePermit, io::Result<(TcpStream, SocketAddr)>)> {
    let accepted = async {
        let place = Arc::clone(places).acquire_owned().await.expect("it is never closed");
        (place, listener.accept().await)
    };
    tokio::select! {
        biased;
        accepted = accepted => Some(accepted),
        () = stop.cancelled() => None,
    }
}

/// What happens around every request, outermost first.
fn layers<S>(
    service: S,
) -> impl Service<Request<Incoming>, Response = Response<Body>, Error = Infallible, Future: Send>
+ Clone
+ Send
+ Sync
+ 'static
where
    S: Service<Request<Incoming>, Response = Response<Body>, Error = Infallible>,
    S: Clone + Send + Sync + 'static,
    S::Future: Send,
{
    ServiceBuilder::new()
        .map_response(|response: Response<_>| {
            response.map(|body: tower_http::body::UnsyncBoxBody<_, _>| body.boxed_unsync())
        })
        // A panic is a bug of ours, and the affair of one request alone.
        .layer(CatchPanicLayer::custom(|_| {
            error!("a request panicked");
            message(StatusCode::INTERNAL_SERVER_ERROR, "internal error")
        }))
        .service(service)
}

/// Small messages must not wait for each other.
fn prepare((tcp, peer): (TcpStream, SocketAddr)) -> io::Result<(Stream, SocketAddr)> {
    tcp.set_nodelay(true)?;
    Ok((tcp.into(), peer))
}

#[cfg(test)]
mod tests;
