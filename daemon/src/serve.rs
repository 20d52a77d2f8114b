//! Serving HTTP/1.1 on one listener until told to stop.
//!
//! Knows nothing of paths: that is the service's affair. A connection that is upgraded leaves this
//! module's care at that moment, so whoever upgrades it must keep track of it.

use std::{convert::Infallible, io, net::SocketAddr, time::Duration};

use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::{body::Incoming, server::conn::http1};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    time::sleep,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::{Service, ServiceBuilder, ServiceExt, service_fn};
use tower_http::catch_panic::CatchPanicLayer;
use tracing::{debug, error, warn};

use crate::http::{Body, message};

/// How long to wait after a failed accept: it fails when file descriptors run out, and trying
/// again at once would spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How connections of a listener are treated.
#[derive(Debug, Clone, Copy)]
pub struct ServeSettings {
    /// A connection that has sent no whole request head for this long is closed. For clients that
    /// pool connections it must be longer than they keep them, or they meet closed ones.
    pub head_timeout: Duration,
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
    http.timer(TokioTimer::new()).header_read_timeout(settings.head_timeout);
    let connections = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => break,
        };
        let (stream, peer) = match accepted.and_then(prepare) {
            Ok(accepted) => accepted,
            Err(error) => {
                warn!(%error, "connection not accepted");
                sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let service = service.clone();
        let service = TowerToHyperService::new(service_fn(move |mut request: Request<_>| {
            request.extensions_mut().insert(PeerAddress(peer));
            service.clone().oneshot(request)
        }));
        let connection = http.serve_connection(TokioIo::new(stream), service).with_upgrades();
        let stop = stop.clone();
        connections.spawn(async move {
            tokio::pin!(connection);
            let ended = tokio::select! {
                ended = connection.as_mut() => ended,
                () = stop.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = ended {
                debug!(%error, client.address = %peer, "http connection ended early");
            }
        });
    }
    drop(listener);
    connections.close();
    connections.wait().await;
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
fn prepare((stream, peer): (TcpStream, SocketAddr)) -> io::Result<(TcpStream, SocketAddr)> {
    stream.set_nodelay(true)?;
    Ok((stream, peer))
}
