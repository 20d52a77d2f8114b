//! An HTTP/1.1 server with one handler.

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Request, body::Incoming, header::CONTENT_TYPE, server::conn::http1, service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

pub(crate) type Response = hyper::Response<Full<Bytes>>;

/// Serves until the process ends. If the handler fails, the connection is closed.
pub(crate) async fn serve<H>(
    listener: TcpListener,
    handle: impl Fn(Request<Incoming>) -> H + Clone + Send + 'static,
) -> anyhow::Result<()>
where
    H: Future<Output = anyhow::Result<Response>> + Send + 'static,
{
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let connection = http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service_fn(handle.clone()));
        tokio::spawn(connection);
    }
}

/// The response to an event and to a push.
pub(crate) fn ok() -> Response {
    let mut response = Response::new(Full::from(r#"{"errNo":0,"errMsg":"ok"}"#));
    let json = "application/json".parse().expect("the text is constant");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}
