//! The role `function` of the floor: echoes each message by a push.

use std::net::SocketAddr;

use http_body_util::BodyExt;
use hyper::{Request, body::Incoming};
use tokio::net::TcpListener;

use crate::{
    http::{Response, ok, serve},
    http_client::HttpClient,
    message::JsonMessage,
};

pub(crate) async fn run(listener: TcpListener, gateway: SocketAddr) -> anyhow::Result<()> {
    let gateway = HttpClient::new(gateway);
    serve(listener, move |request| echo(gateway.clone(), request)).await
}

async fn echo(gateway: HttpClient, request: Request<Incoming>) -> anyhow::Result<Response> {
    let body = request.into_body().collect().await?.to_bytes();
    let event: JsonMessage<'_> = serde_json::from_slice(&body)?;
    gateway.post("/", serde_json::to_vec(&event)?).await?;
    Ok(ok())
}
