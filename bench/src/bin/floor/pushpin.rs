//! The backend of Pushpin, over WebSocket-over-HTTP. The path of a client's URL is the client's
//! channel; its messages are published to this channel over HTTP.

use std::net::SocketAddr;

use anyhow::Context;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, body::Incoming};
use serde_json::json;
use tokio::net::TcpListener;

use crate::{
    http::{Response, serve},
    http_client::HttpClient,
};

pub(crate) async fn run(listener: TcpListener, publish: SocketAddr) -> anyhow::Result<()> {
    let pushpin = HttpClient::new(publish);
    serve(listener, move |request| take(pushpin.clone(), request)).await
}

/// Handles a request, which has one or more events of one connection, in order.
async fn take(pushpin: HttpClient, request: Request<Incoming>) -> anyhow::Result<Response> {
    let channel = request.uri().path().to_owned();
    let mut body = request.into_body().collect().await?.to_bytes();
    let mut answer = String::new();
    while !body.is_empty() {
        let (name, content) = next_event(&mut body)?;
        match &name[..] {
            b"OPEN" => answer += &open(&channel),
            b"TEXT" => publish(&pushpin, &channel, std::str::from_utf8(&content)?).await?,
            b"CLOSE" => answer += "CLOSE\r\n",
            _ => {}
        }
    }
    Ok(hyper::Response::builder()
        .header("Content-Type", "application/websocket-events")
        .header("Sec-WebSocket-Extensions", "grip; message-prefix=\"\"")
        .body(Full::from(answer))?)
}

/// Accepts the connection and subscribes it to `channel`.
fn open(channel: &str) -> String {
    let subscribe = format!("c:{}", json!({ "type": "subscribe", "channel": channel }));
    format!("OPEN\r\nTEXT {:x}\r\n{subscribe}\r\n", subscribe.len())
}

async fn publish(pushpin: &HttpClient, channel: &str, text: &str) -> anyhow::Result<()> {
    let formats = json!({ "ws-message": { "content": text } });
    let body = json!({ "items": [{ "channel": channel, "formats": formats }] });
    pushpin.post("/publish/", body.to_string()).await?;
    Ok(())
}

/// Takes an event off the body: `NAME\r\n`, or `NAME <length in hex>\r\n<content>\r\n`.
fn next_event(body: &mut Bytes) -> anyhow::Result<(Bytes, Bytes)> {
    let end = body.windows(2).position(|two| two == b"\r\n").context("not an event")?;
    let line = body.split_to(end + 2).slice(..end);
    let Some(space) = line.iter().position(|byte| *byte == b' ') else {
        return Ok((line, Bytes::new()));
    };
    let bytes = usize::from_str_radix(std::str::from_utf8(&line[space + 1..])?, 16)?;
    anyhow::ensure!(body.len() >= bytes + 2, "an event is cut off");
    let content = body.split_to(bytes + 2).slice(..bytes);
    Ok((line.slice(..space), content))
}
