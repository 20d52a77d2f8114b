//! Serves HTTP/1.1 on one listener until the stop.
//!
//! Knows no paths but those of health: the service does. After an upgrade this module no longer
//! counts the connection, so the code that upgrades it has to.

mod capacity;
mod connection;
mod discard;
mod exchange;
mod handshake;
mod host;
mod http_stream;
mod refusal;
mod request_deadline;
mod spelling;
mod write_deadline;

use std::{convert::Infallible, io, net::SocketAddr, time::Duration};

use http::{Extensions, Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::server::conn::http1;
use tokio::{
    net::{TcpListener, TcpStream},
    time::sleep,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::{Service, ServiceBuilder};
use tower_http::catch_panic::CatchPanicLayer;
use tracing::{debug, error, warn};

pub use self::{
    capacity::ConnectionPermit, exchange::EndsWithPeer, host::host_problem,
    http_stream::take_stream, spelling::SpelledHeaders,
};
use self::{
    capacity::{Capacity, RESERVE_TIMEOUT},
    connection::Connection,
    handshake::Handshake,
};
use crate::{
    activity::{Activity, Timeouts},
    body::RequestBody,
    http::{Body, message},
    listen::BACKLOG,
    proxies::Proxies,
    stream::set_send_buffer,
    tls::Tls,
};

/// The pause after a failed accept. It fails when file descriptors run out; without a pause the
/// loop would spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How many bytes of a connection are read at once, and the longest request head. Without this,
/// hyper's buffer grows to 400 KiB under large bodies and never shrinks.
const BUFFER_BYTES: usize = 32 << 10;

/// How many bytes the system keeps for a peer that reads slowly; Linux doubles it. With more,
/// thousands of peers that read nothing would make it copy gigabytes; a push would be answered long
/// before the client has the message; and a ping would wait behind messages for longer than its
/// timeout.
const SEND_BUFFER_BYTES: usize = 128 << 10;

/// How connections of a listener are treated.
#[derive(Debug, Clone, Copy)]
pub struct ServeSettings {
    /// A connection on which no request begins for this long is closed. Clients that pool
    /// connections must close idle ones sooner, or they send requests on closed connections.
    pub idle_timeout: Duration,
    /// A connection whose request head takes longer than this, from its first byte on, is closed.
    /// So is one whose TLS handshake takes longer.
    pub head_timeout: Duration,
    /// How many connections that are not upgraded may be open. When there are more, a connection
    /// that waits for its peer gives way, or the newcomer waits. Health is answered in any case.
    pub connections_max: usize,
    /// How long a connection without a request stays open after the stop, for a request that may
    /// be on its way. Zero if clients can repeat such a request.
    pub linger: Duration,
}

impl ServeSettings {
    /// How many connections, and so how many files, the listener may have.
    pub fn files_max(&self) -> usize {
        // The listener itself is one.
        1 + self.connections_max + capacity::RESERVE
    }
}

/// The address of the client: that of its connection, or the one that a trusted proxy tells, whose
/// port is 0 if it tells none. It is an extension of each request.
#[derive(Debug, Clone, Copy)]
pub struct PeerAddress(pub SocketAddr);

impl PeerAddress {
    /// That of the request with these extensions, which has come through [`serve`].
    pub fn of(extensions: &Extensions) -> SocketAddr {
        let Self(address) =
            *extensions.get().expect("the listener puts the address into every request");
        address
    }
}

/// The request came over TLS of the listener. It is an extension of such a request.
#[derive(Debug, Clone, Copy)]
pub struct OverTls;

/// A listener, and what lies between its TCP and HTTP.
#[derive(Debug)]
pub struct Listener {
    /// Where connections are accepted.
    pub tcp: TcpListener,
    /// With this the listener speaks HTTP over TLS only.
    pub tls: Option<Tls>,
    /// The proxies in front of the listener, which say who the clients are.
    pub proxies: Proxies,
}

/// HTTP on TCP, without anything between.
impl From<TcpListener> for Listener {
    fn from(tcp: TcpListener) -> Self {
        Self { tcp, tls: None, proxies: Proxies::default() }
    }
}

/// Serves `service` on `listener` until `stop`, then waits until running requests have ended.
pub async fn serve<S>(
    listener: impl Into<Listener>,
    settings: ServeSettings,
    stop: CancellationToken,
    service: S,
) where
    S: Service<Request<RequestBody>, Response = Response<Body>, Error = Infallible>,
    S: Clone + Send + Sync + 'static,
    S::Future: Send,
{
    let Listener { tcp: listener, tls, proxies } = listener.into();
    let service = layers(service);
    let mut http = http1::Builder::new();
    // A client that has ended its sending side may still read its answer, so its request is
    // answered, except one for which the service has called `HttpConnection::end_with_peer`, and
    // one whose response has the extension `EndsWithPeer`.
    http.max_buf_size(BUFFER_BYTES).half_close(true);
    let capacity = Capacity::new(settings.connections_max);
    let timeouts = Timeouts {
        idle: settings.idle_timeout,
        head: settings.head_timeout,
        reserve: RESERVE_TIMEOUT,
    };
    let connections = TaskTracker::new();
    let mut late = 0;
    // Of those that come after the stop, at most as many are accepted as were queued: any more were
    // opened later.
    while late < BACKLOG
        && let Some(accepted) = accept(&listener, &stop).await
    {
        late += u32::from(stop.is_cancelled());
        let (tcp, peer) = match accepted.and_then(prepare) {
            Ok(accepted) => accepted,
            Err(error) => {
                warn!(%error, "connection not accepted");
                sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let activity = Activity::new(timeouts);
        let permit = capacity.enter(activity.clone()).await;
        let (stop, linger) = (stop.clone(), settings.linger);
        let (http, service) = (http.clone(), service.clone());
        let (proxies, tls) = (proxies.clone(), tls.clone());
        connections.spawn(async move {
            let (stream, peer, proxies) = if tls.is_none() && !proxies.begin_with_header(peer) {
                (tcp.into(), peer, proxies)
            } else {
                let handshake = Handshake { peer, activity: &activity, stop: &stop, linger };
                // Boxed, so that a connection without a handshake takes no memory for it.
                match Box::pin(handshake.run(proxies, tls.as_ref(), tcp)).await {
                    Some(entered) => entered,
                    None => return,
                }
            };
            let uncertified = tls.filter(|it| it.wants_certificates() && !stream.has_certificate());
            let connection =
                Connection { stream, peer, proxies, uncertified, activity, permit, stop, linger };
            if let Err(error) = connection.serve(&http, service).await {
                debug!(%error, client.address = %peer, "http connection ended early");
            }
        });
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

/// The next connection. After `stop` only those that the system has already accepted, because
/// closing the listener would reset them.
async fn accept(
    listener: &TcpListener,
    stop: &CancellationToken,
) -> Option<io::Result<(TcpStream, SocketAddr)>> {
    tokio::select! {
        biased;
        accepted = listener.accept() => Some(accepted),
        () = stop.cancelled() => None,
    }
}

/// The layers around every request, outermost first.
fn layers<S>(
    service: S,
) -> impl Service<Request<RequestBody>, Response = Response<Body>, Error = Infallible, Future: Send>
+ Clone
+ Send
+ Sync
+ 'static
where
    S: Service<Request<RequestBody>, Response = Response<Body>, Error = Infallible>,
    S: Clone + Send + Sync + 'static,
    S::Future: Send,
{
    ServiceBuilder::new()
        .map_response(|response: Response<_>| {
            response.map(|body: tower_http::body::UnsyncBoxBody<_, _>| body.boxed_unsync())
        })
        // A panic is a mistake in this program. It ends one request only.
        .layer(CatchPanicLayer::custom(|_| {
            error!("a request panicked");
            message(StatusCode::INTERNAL_SERVER_ERROR, "internal error")
        }))
        .service(service)
}

/// Small messages must not wait for more bytes, and the system must not keep many for one peer.
fn prepare((tcp, peer): (TcpStream, SocketAddr)) -> io::Result<(TcpStream, SocketAddr)> {
    tcp.set_nodelay(true)?;
    set_send_buffer(&tcp, SEND_BUFFER_BYTES)?;
    Ok((tcp, peer))
}

#[cfg(test)]
mod tests;
