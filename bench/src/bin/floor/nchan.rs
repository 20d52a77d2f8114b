//! The backend of nchan: publishes each message to the channel that it came from, over HTTP.

use std::net::SocketAddr;

use anyhow::Context;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, StatusCode, body::Incoming};
use tokio::net::TcpListener;

use crate::{
    http::{Response, serve},
    http_client::HttpClient,
};

pub(crate) async fn run(listener: TcpListener, publish: SocketAddr) -> anyhow::Result<()> {
    let nchan = HttpClient::new(publish);
    serve(listener, move |request| echo(nchan.clone(), request)).await
}

async fn echo(nchan: HttpClient, request: Request<Incoming>) -> anyhow::Result<Response> {
    let channel = request.headers().get("x-channel").context("no channel")?.to_str()?;
    let path = format!("/publish/{channel}");
    let body = request.into_body().collect().await?.to_bytes();
    nchan.post(&path, body).await?;
    // 204 tells nchan not to publish the message itself.
    let mut response = Response::new(Full::new(Bytes::new()));
    *response.status_mut() = StatusCode::NO_CONTENT;
    Ok(response)
}
