//! The second process of the floor: a function that echoes by a push.

use std::net::SocketAddr;

use http_body_util::BodyExt;
use hyper::{Request, body::Incoming};
use tokio::net::TcpListener;

use crate::{
    caller::Caller,
    http::{Answer, ok, serve},
    message::Message,
};

pub(crate) async fn run(listener: TcpListener, gateway: SocketAddr) -> anyhow::Result<()> {
    let gateway = Caller::new(gateway);
    serve(listener, move |request| echo(gateway.clone(), request)).await
}

async fn echo(gateway: Caller, request: Request<Incoming>) -> anyhow::Result<Answer> {
    let body = request.into_body().collect().await?.to_bytes();
    let event: Message<'_> = serde_json::from_slice(&body)?;
    gateway.post("/", serde_json::to_vec(&event)?).await?;
    Ok(ok())
}
