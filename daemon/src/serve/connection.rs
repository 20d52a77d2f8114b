//! One HTTP connection, and its end after the stop of the listener.

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use http::{Request, Response, StatusCode, header};
use hyper::{body::Incoming, server::conn::http1};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::sleep,
};
use tokio_util::sync::CancellationToken;
use tower::{Service, ServiceExt, service_fn};

use super::{
    OverTls, PeerAddress, capacity::ConnectionPermit, exchange, host::host_problem,
    http_stream::HttpStream,
};
use crate::{
    activity::Activity,
    body::RequestBody,
    health::is_probe,
    http::Body,
    proxies::Proxies,
    stream::Peek,
    tls::{Tls, Uncertified},
};

/// An accepted connection.
#[derive(Debug)]
pub(super) struct Connection<T> {
    pub(super) stream: T,
    /// The address of the client, as far as the connection says it.
    pub(super) peer: SocketAddr,
    pub(super) proxies: Proxies,
    /// The TLS of the listener, if the client should have shown a certificate and has not. Nothing
    /// but probes of health is served then.
    pub(super) uncertified: Option<Tls>,
    pub(super) activity: Activity,
    pub(super) permit: ConnectionPermit,
    pub(super) stop: CancellationToken,
    pub(super) linger: Duration,
}

impl<T: AsyncRead + AsyncWrite + Peek + Unpin + Send + 'static> Connection<T> {
    /// Serves until the client leaves. After `stop` the connection ends in one of two ways, so that
    /// no request is lost. The answer to a running request says `Connection: close`. A connection
    /// without a request is closed after `linger`: if it were closed at once, a request could be on
    /// its way, and the client would not know whether it was carried out. For the same reason a
    /// connection that has to give way, and has a request unread, is closed after the answer.
    pub(super) async fn serve<S>(self, http: &http1::Builder, service: S) -> hyper::Result<()>
    where
        S: Service<Request<RequestBody>, Response = Response<Body>, Error = Infallible>,
        S: Clone + Send + Sync + 'static,
        S::Future: Send,
    {
        let Self { stream, peer, proxies, uncertified, activity, permit, stop, linger } = self;
        let (evicted, has_unread) = (activity.clone(), stream.has_unread());
        let over_tls = stream.has_tls().then_some(OverTls);
        let busy = Arc::new(AtomicBool::new(false));
        let (is_busy, stopped) = (Arc::clone(&busy), stop.clone());
        let stream = HttpStream::new(stream, peer, activity.clone());
        let next_head = stream.next_head();
        let stream = TokioIo::new(stream);
        let service = service_fn(move |request: Request<Incoming>| {
            let asked_first = request.headers().contains_key(header::EXPECT);
            let mut request = exchange::begin(request, &activity);
            let client = proxies.client_of(peer, request.headers());
            request.extensions_mut().insert(PeerAddress(client));
            request.extensions_mut().insert(permit.clone());
            if let Some(over_tls) = over_tls {
                request.extensions_mut().insert(over_tls);
            }
            let (activity, permit, service) = (activity.clone(), permit.clone(), service.clone());
            let (busy, stop) = (Arc::clone(&is_busy), stopped.clone());
            let (next_head, uncertified) = (next_head.clone(), uncertified.clone());
            async move {
                busy.store(true, Ordering::Relaxed);
                let problem = host_problem(request.version(), request.headers());
                let mut response = if let Some(problem) = problem {
                    drop(request);
                    exchange::bad_request(problem)
                } else if let Some(tls) = uncertified.filter(|_| !is_probe(&request)) {
                    drop(request);
                    tls.log_uncertified(peer, Uncertified::Nothing, None);
                    exchange::no_certificate()
                } else if is_probe(&request) || permit.take().await {
                    service.oneshot(request).await?
                } else {
                    drop(request);
                    exchange::no_permit()
                };
                busy.store(false, Ordering::Relaxed);
                if response.status() == StatusCode::SWITCHING_PROTOCOLS {
                    next_head.is_switching();
                } else if let Some(headers) = response.extensions_mut().remove() {
                    next_head.is_spelled(headers);
                }
                exchange::end(&mut response, &activity, asked_first).await;
                if problem.is_some() {
                    // What follows may be meant for another server.
                    activity.discard();
                    exchange::close(&mut response);
                }
                // For the next request. An upgraded connection needs no permit.
                if stop.is_cancelled() || activity.is_spared() || !permit.try_take() {
                    exchange::close(&mut response);
                }
                Ok::<_, Infallible>(response)
            }
        });
        let service = TowerToHyperService::new(service);
        let connection = http.serve_connection(stream, service).with_upgrades();
        tokio::pin!(connection);
        let lingered = async {
            stop.cancelled().await;
            sleep(linger).await;
        };
        tokio::select! {
            ended = connection.as_mut() => return ended,
            // The connection waits for its peer, so no request is lost that has been read.
            () = evicted.evicted() => {
                if !evicted.is_spared_if(has_unread) {
                    return Ok(());
                }
            }
            () = lingered => {}
        }
        // The answer to a running request ends the connection.
        if !evicted.is_spared() && !busy.load(Ordering::Relaxed) {
            connection.as_mut().graceful_shutdown();
        }
        connection.await
    }
}

#[cfg(test)]
mod tests;
