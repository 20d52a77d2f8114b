//! What is behind nchan: publishes each message to the channel that it came from, over HTTP.

use std::net::SocketAddr;

use anyhow::Context;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, StatusCode, body::Incoming};
use tokio::net::TcpListener;

use crate::{
    caller::Caller,
    http::{Answer, serve},
};

pub(crate) async fn run(listener: TcpListener, publish: SocketAddr) -> anyhow::Result<()> {
    let nchan = Caller::new(publish);
    serve(listener, move |request| echo(nchan.clone(), request)).await
}

async fn echo(nchan: Caller, request: Request<Incoming>) -> anyhow::Result<Answer> {
    let channel = request.headers().get("x-channel").context("no channel")?.to_str()?;
    let path = format!("/publish/{channel}");
    let body = request.into_body().collect().await?.to_bytes();
    nchan.post(&path, body).await?;
    // 204 tells nchan not to publish the message itself.
    let mut answer = Response::new(Full::new(Bytes::new()));
    *answer.status_mut() = StatusCode::NO_CONTENT;
    Ok(answer)
}
