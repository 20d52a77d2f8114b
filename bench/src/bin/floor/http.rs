//! An HTTP/1.1 server around one handler.

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Request, Response, body::Incoming, header::CONTENT_TYPE, server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

pub(crate) type Answer = Response<Full<Bytes>>;

/// Serves for as long as the process lives. A request whose handler fails ends its connection.
pub(crate) async fn serve<H>(
    listener: TcpListener,
    handle: impl Fn(Request<Incoming>) -> H + Clone + Send + 'static,
) -> anyhow::Result<()>
where
    H: Future<Output = anyhow::Result<Answer>> + Send + 'static,
{
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let connection = http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service_fn(handle.clone()));
        tokio::spawn(connection);
    }
}

/// What a function answers, and a push.
pub(crate) fn ok() -> Answer {
    let mut answer = Response::new(Full::from(r#"{"errNo":0,"errMsg":"ok"}"#));
    let json = "application/json".parse().expect("the text is constant");
    answer.headers_mut().insert(CONTENT_TYPE, json);
    answer
}
