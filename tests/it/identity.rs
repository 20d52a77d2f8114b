//! Who a client is: APIs that let a client in only with a proof.

mod key_pair;
mod key_set;
mod pages;
mod token;

use http::{HeaderName, HeaderValue, Request};
use serde_json::Value;

use crate::support::{
    client::{Client, Refused, request},
    world::{PATH, World},
};

/// A handshake at `path` with these headers, which may come more than once.
fn handshake(world: &World, path: &str, headers: &[(&str, &str)]) -> Request<()> {
    let mut request = request(world.listeners.public, path);
    for (name, value) in headers {
        let name = HeaderName::try_from(*name).unwrap();
        request.headers_mut().append(name, HeaderValue::try_from(*value).unwrap());
    }
    request
}

/// The identity in the event of register, for a client that is let in.
async fn identity(world: &World, headers: &[(&str, &str)]) -> Value {
    let connected = Client::connect_with(handshake(world, PATH, headers)).await;
    let _client = connected.unwrap_or_else(|refused| panic!("{headers:?}: {refused:?}"));
    let event = world.backend.next("register").await.event;
    // Whoever has it can be the client for a while.
    let passed = event["headers"].as_object().is_some_and(|it| it.contains_key("authorization"));
    assert!(!passed, "a function sees the proof of {headers:?}: {event}");
    event["requestContext"]["identity"].clone()
}

/// The answer to a client that is not let in. No function may know of it.
async fn refused(world: &World, request: Request<()>) -> Refused {
    let shown = format!("{request:?}");
    let Err(refused) = Client::connect_with(request).await else { panic!("let in: {shown}") };
    assert!(!world.backend.was_called("register").await, "{shown}");
    refused
}

fn message(refused: &Refused) -> String {
    let body: Value = serde_json::from_slice(refused.body()).unwrap();
    body["message"].as_str().unwrap().to_owned()
}

fn challenge(refused: &Refused) -> &str {
    refused.headers().get("www-authenticate").unwrap().to_str().unwrap()
}
