//! The connections of a child to its runtime API.
//!
//! Not those of `daemon::serve`: how the connection of an event ends says whether the child has
//! read the event.

use std::{convert::Infallible, sync::Arc, time::Duration};

use daemon::{
    credentials::AccessToken,
    http::{Body, message, method_not_allowed},
    path::normal,
};
use http::{HeaderValue, Request, Response, StatusCode, header};
use hyper::{body::Incoming, service::service_fn};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{debug, warn};

use super::{
    Requests, SECRET, answer,
    caller::Callers,
    idle::{IdleConnections, Use},
    names::{Asked, TLS, asked, switches},
    next,
    routes::{self, Route},
    serve::serve_until,
    stream::ChildStream,
};
use crate::runtime::subprocess::delivery::Deliveries;

/// How many connections a child may have. Further ones wait in the queue of the system, until
/// others end or give way.
pub(super) const CONNECTIONS_MAX: usize = 64;
/// A child sends no request for as long as its function runs.
const HEAD_TIMEOUT: Duration = Duration::from_secs(3600);
/// The pause after a failed accept.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Who is served.
#[derive(Debug, Clone)]
pub(super) struct Access {
    pub(super) callers: Callers,
    /// Each request has to carry it, if there is one.
    pub(super) secret: Option<AccessToken>,
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
    let idle = IdleConnections::default();
    let accept = async {
        loop {
            let permit = tokio::select! {
                biased;
                permit = Arc::clone(&permits).acquire_owned() => permit.expect("it is never closed"),
                never = idle.give_way() => never,
            };
            match listener.accept().await {
                Ok((stream, peer)) => {
                    let admitted = access.callers.clone().admit(peer);
                    let (requests, access) = (requests.clone(), access.clone());
                    let (stop, connected) = (stop.clone(), requests.exchange.connected());
                    let (permits, used) = (Arc::clone(&permits), idle.connected());
                    connections.spawn(async move {
                        if stop.run_until_cancelled(admitted).await == Some(true) {
                            let child = Child { requests, access, permits, stop };
                            serve_one(stream, child, used).await;
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

/// What the connections of a child have in common.
#[derive(Debug, Clone)]
struct Child {
    requests: Requests,
    access: Access,
    permits: Arc<Semaphore>,
    stop: CancellationToken,
}

async fn serve_one(stream: TcpStream, child: Child, used: Use) {
    // Small messages must not wait for more bytes.
    if let Err(error) = stream.set_nodelay(true) {
        debug!(%error, "connection to the runtime API ended early");
        return;
    }
    let (stop, used) = (child.stop.clone(), Arc::new(used));
    if let Some(names) = &child.requests.names {
        match stop.run_until_cancelled(begins_with_tls(&stream)).await {
            Some(true) if names.knows_connections() => {
                return names.clone().serve_tls(stream, Some(used)).await;
            }
            // Nothing before the handshake could say whose the connection is.
            Some(true) | None => return,
            Some(false) => {}
        }
    }
    let deliveries = Deliveries::default();
    let stream = ChildStream::new(stream.into(), deliveries.clone());
    let gives_way = Arc::clone(&used);
    let service = service_fn(move |request| {
        let (child, deliveries, used) = (child.clone(), deliveries.clone(), Arc::clone(&used));
        async move { Ok::<_, Infallible>(child.answer(request, &deliveries, &used).await) }
    });
    let ended = serve_until(stream, service, HEAD_TIMEOUT, gives_way.gives_way(), &stop).await;
    if let Some(Err(error)) = ended {
        debug!(%error, "connection to the runtime API ended early");
    }
}

/// Whether the child begins with TLS. Waits for the first byte, as for the head of a request.
async fn begins_with_tls(stream: &TcpStream) -> bool {
    let mut first = [0];
    let peeked = timeout(HEAD_TIMEOUT, stream.peek(&mut first)).await;
    matches!(peeked, Ok(Ok(1))) && first == [TLS]
}

impl Child {
    async fn answer(
        &self,
        request: Request<Incoming>,
        deliveries: &Deliveries,
        used: &Use,
    ) -> Response<Body> {
        if let Some(names) = &self.requests.names {
            match asked(&names.led, Some(self.requests.port), &request) {
                Asked::Listener => {}
                name => {
                    let method = request.method().clone();
                    used.push_begins();
                    let answer = names.answer(name, request).await;
                    used.push_ends();
                    return if switches(&method, &answer) {
                        answer
                    } else {
                        self.making_way(answer)
                    };
                }
            }
        }
        let path = normal(request.uri().path()).into_owned();
        let found = match routes::find(request.method(), &path) {
            Ok((Route::Push, _)) => {
                used.push_begins();
                let answer = self.requests.pushes.answer(request).await;
                used.push_ends();
                return self.making_way(answer);
            }
            Ok((Route::Runtime(route), id)) => Ok((route, id)),
            Err(methods) => Err(methods),
        };
        used.is_runtimes();
        if !self.access.knows(&request) {
            return message(StatusCode::FORBIDDEN, "this is not your runtime API");
        }
        let (route, id) = match found {
            Ok(found) => found,
            Err(methods) => return method_not_allowed(&methods),
        };
        // Processes that the child has left behind may still send requests. The end of the instance
        // does not wait for them.
        let answer = answer(&self.requests, deliveries, route, id, request);
        self.stop.run_until_cancelled(answer).await.unwrap_or_else(next::none)
    }

    /// While other connections may wait, each connection is closed after a push.
    fn making_way(&self, mut answer: Response<Body>) -> Response<Body> {
        if self.permits.available_permits() == 0 {
            answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        answer
    }
}

impl Access {
    /// Whether the request carries the secret, if there is one.
    fn knows<B>(&self, request: &Request<B>) -> bool {
        let presented = || request.headers().get(SECRET)?.to_str().ok();
        self.secret.as_ref().is_none_or(|secret| presented().is_some_and(|it| secret.matches(it)))
    }
}
