//! What is behind Pushpin: WebSocket-over-HTTP. A client's own channel is the path that it asked
//! for; its messages are published there, over HTTP.

use std::net::SocketAddr;

use anyhow::Context;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Incoming};
use serde_json::json;
use tokio::net::TcpListener;

use crate::{
    caller::Caller,
    http::{Answer, serve},
};

pub(crate) async fn run(listener: TcpListener, publish: SocketAddr) -> anyhow::Result<()> {
    let pushpin = Caller::new(publish);
    serve(listener, move |request| take(pushpin.clone(), request)).await
}

/// A request has one or more events of one connection, in order.
async fn take(pushpin: Caller, request: Request<Incoming>) -> anyhow::Result<Answer> {
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
    Ok(Response::builder()
        .header("Content-Type", "application/websocket-events")
        .header("Sec-WebSocket-Extensions", "grip; message-prefix=\"\"")
        .body(Full::from(answer))?)
}

/// Accepts, and has Pushpin send to the client what is published to `channel`.
fn open(channel: &str) -> String {
    let subscribe = format!("c:{}", json!({ "type": "subscribe", "channel": channel }));
    format!("OPEN\r\nTEXT {:x}\r\n{subscribe}\r\n", subscribe.len())
}

async fn publish(pushpin: &Caller, channel: &str, text: &str) -> anyhow::Result<()> {
    let formats = json!({ "ws-message": { "content": text } });
    let body = json!({ "items": [{ "channel": channel, "formats": formats }] });
    pushpin.post("/publish/", body.to_string()).await?;
    Ok(())
}

/// `NAME\r\n`, or `NAME <length in hex>\r\n<content>\r\n`.
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
