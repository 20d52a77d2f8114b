//! Serves HTTP on one connection of a child.

use std::{convert::Infallible, time::Duration};

use daemon::http::Body;
use http::{Request, Response};
use hyper::{body::Incoming, server::conn::http1, service::Service};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

/// How many bytes of a connection are read at once, and the longest request head.
const BUFFER_BYTES: usize = 32 << 10;
/// How long a connection may take to end after the stop.
const END_TIMEOUT: Duration = Duration::from_secs(1);

/// Serves HTTP on `io` until the connection ends, gives way or is stopped. A head may take
/// `head_timeout`. None if it had not ended in time after the stop.
pub(super) async fn serve_until<I, F>(
    io: I,
    service: impl Service<Request<Incoming>, Response = Response<Body>, Error = Infallible, Future = F>,
    head_timeout: Duration,
    gives_way: impl Future<Output = ()>,
    stop: &CancellationToken,
) -> Option<hyper::Result<()>>
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    F: Future<Output = Result<Response<Body>, Infallible>> + Send + 'static,
{
    let connection = http1::Builder::new()
        .max_buf_size(BUFFER_BYTES)
        .timer(TokioTimer::new())
        .header_read_timeout(head_timeout)
        .serve_connection(TokioIo::new(io), service)
        .with_upgrades();
    tokio::pin!(connection, gives_way);
    let mut has_given_way = false;
    loop {
        tokio::select! {
            ended = connection.as_mut() => return Some(ended),
            () = stop.cancelled() => {
                connection.as_mut().graceful_shutdown();
                return timeout(END_TIMEOUT, connection).await.ok();
            }
            () = &mut gives_way, if !has_given_way => {
                // A request that has just come is answered before.
                connection.as_mut().graceful_shutdown();
                has_given_way = true;
            }
        }
    }
}
