//! The push client against a scripted gateway: its requests, and the meaning of each answer.

use std::error::Error;

use reqwest::header::HeaderValue;
use shared::push::{Push, PushAction, Targets};

use super::{PushClient, PushFailed};
use crate::{
    Environment, PushCredential,
    testing::{ClosedPort, FakeGateway, context},
};

fn client(url: &str) -> PushClient {
    PushClient::start(&Environment::from([("url", url)])).unwrap()
}

fn closing() -> Push {
    Push { targets: Targets::One("a==".to_owned()), action: PushAction::Close }
}

async fn fails(status: u16, body: &str) -> PushFailed {
    let gateway = FakeGateway::start([(status, body.to_owned())]).await;
    client(gateway.url()).push(&closing(), &context()).await.unwrap_err()
}

#[test]
fn a_bad_address_is_named_without_its_value() {
    let check = |url: &str, expected: &str| {
        let environment = Environment::from([("url", url)]);
        let error = PushClient::start(&environment).err().unwrap();
        assert_eq!(error.to_string(), format!("environment key url {expected}"));
    };
    let right = "http://127.0.0.1:9001/api-chat would be right";
    check("", "is missing: set it in the environment of the function");
    check("me:secret@gateway", &format!("has the scheme me, not http or https: {right}"));
    check("/api-chat", &format!("is not a URL: {right}"));
    check("ftp://gateway/api", &format!("has the scheme ftp, not http or https: {right}"));
}

#[tokio::test]
async fn a_push_is_posted_as_json_with_the_trace_context() {
    let gateway = FakeGateway::start([]).await;
    let client = client(gateway.url());
    client.push(&closing(), &context()).await.unwrap();
    let mut untraced = context();
    untraced.traceparent = Some("no\nheader".to_owned());
    client.push(&closing(), &untraced).await.unwrap();

    let requests = gateway.requests();
    assert_eq!(requests[0].method(), "POST");
    assert_eq!(requests[0].uri(), "/api-chat");
    assert_eq!(requests[0].headers()["content-type"], "application/json");
    assert_eq!(requests[0].headers()["traceparent"], context().traceparent.unwrap().as_str());
    assert!(!requests[1].headers().contains_key("traceparent"));
}

/// Alone and in batches. No other server gets the token.
#[tokio::test]
async fn a_push_to_the_gateway_presents_the_credential_of_its_function() {
    let gateway = FakeGateway::start([]).await;
    let mut authorization = HeaderValue::from_static("Bearer hunter2");
    authorization.set_sensitive(true);
    let credential = PushCredential::new(authorization, "chat", None).unwrap();
    for (at, presented) in [(gateway.url(), Some("Bearer hunter2")), ("http://127.0.0.1:1", None)] {
        let credential = credential.clone().for_gateway(Some(at.parse().unwrap()));
        let url = gateway.url().to_owned() + "/inner";
        let environment = Environment::from([("url", &*url)]).with_push_credential(credential);
        assert!(environment.iter().all(|(_, value)| !value.contains("hunter2")));
        let client = PushClient::start(&environment).unwrap();
        assert!(!format!("{client:?} {environment:?}").contains("hunter2"));
        client.push(&closing(), &context()).await.unwrap();
        let headers = gateway.requests().pop().unwrap().headers().clone();
        let found = headers.get("authorization").map(|value| value.to_str().unwrap());
        assert_eq!(found, presented);
        assert_eq!(headers.contains_key("longhold-function"), presented.is_some());
    }
}

#[tokio::test]
async fn err_no_counts_and_the_http_status_does_not() {
    let body = r#"{"errNo":404,"errMsg":"no api with id"}"#;
    let error = fails(404, body).await.to_string();
    assert!(error.ends_with("HTTP 404 Not Found: errNo 404, no api with id"), "{error}");

    let gateway = FakeGateway::start([(500, r#"{"errNo":0,"errMsg":"ok"}"#.to_owned())]).await;
    client(gateway.url()).push(&closing(), &context()).await.unwrap();
}

#[tokio::test]
async fn the_error_for_an_unreadable_answer_names_the_status() {
    for body in ["<html>Bad Gateway</html>", "", r#"{"ok":true}"#] {
        let error = fails(502, body).await;
        assert!(matches!(error, PushFailed::Unreadable { .. }), "{error}");
        assert!(error.to_string().contains("HTTP 502"), "{error}");
    }
}

#[tokio::test]
async fn the_error_for_a_missing_answer_names_the_address_without_credentials() {
    let closed = ClosedPort::hold();
    let url = closed.url().replace("http://", "http://me:secret@") + "?token=secret";
    let mut error: Option<&dyn Error> =
        Some(&client(&url).push(&closing(), &context()).await.unwrap_err());
    let mut chain = Vec::new();
    while let Some(link) = error {
        chain.push(link.to_string());
        error = link.source();
    }
    let text = chain.join(": ");
    assert!(text.starts_with("push to http://127.0.0.1:"), "{text}");
    assert!(!text.contains("secret"), "{text}");
}
