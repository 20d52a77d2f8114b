//! Transmit against a scripted gateway: who gets a message, and what happens to the ids of
//! connections that are gone.

use std::error::Error;

use serde_json::json;

use super::start;
use crate::{
    FunctionError,
    roster::Roster,
    testing::{FakeGateway, chat, context, message},
};

async fn roster_of(environment: &crate::Environment, ids: &[&str]) -> Roster {
    let roster = Roster::start(environment).unwrap();
    for id in ids {
        roster.add(id).await.unwrap();
    }
    roster
}

#[tokio::test]
async fn text_goes_to_all_others_in_one_push_with_the_number_of_people() {
    let gateway = FakeGateway::start([]).await;
    let environment = chat(gateway.url(), "transmit-text");
    roster_of(&environment, &["a==", "b==", "c=="]).await;

    let transmit = start(&environment).unwrap();
    let reply = transmit.call(&message("b==", "text", "hi"), &context()).await.unwrap();

    assert_eq!(reply["errNo"], 0);
    assert_eq!(
        gateway.bodies(),
        [json!({"websocket": {
            "action": "data send",
            "secConnectionIDs": ["a==", "c=="],
            "dataType": "text",
            "data": "hi(===Online people:3===)",
        }})]
    );
}

#[tokio::test]
async fn a_binary_message_is_passed_on_unchanged() {
    let gateway = FakeGateway::start([]).await;
    let environment = chat(gateway.url(), "transmit-binary");
    roster_of(&environment, &["a==", "b=="]).await;

    let transmit = start(&environment).unwrap();
    transmit.call(&message("a==", "binary", "AP8="), &context()).await.unwrap();

    let websocket = &gateway.bodies()[0]["websocket"];
    assert_eq!(websocket["dataType"], "binary");
    assert_eq!(websocket["data"], "AP8=");
}

#[tokio::test]
async fn nothing_is_pushed_if_there_are_no_other_connections() {
    let gateway = FakeGateway::start([]).await;
    let environment = chat(gateway.url(), "transmit-alone");
    roster_of(&environment, &["a=="]).await;

    let transmit = start(&environment).unwrap();
    transmit.call(&message("a==", "text", "hi"), &context()).await.unwrap();
    assert!(gateway.bodies().is_empty());
}

#[tokio::test]
async fn gone_connections_are_removed_and_a_missed_connection_raises() {
    let failed = json!([
        {"secConnectionID": "b==", "errNo": 410, "errMsg": "gone"},
        {"secConnectionID": "c==", "errNo": 429, "errMsg": "slow"},
        {"secConnectionID": "d==", "errNo": 410, "errMsg": "gone"},
    ]);
    let answer = json!({"errNo": 0, "errMsg": "ok", "failed": failed});
    let gateway = FakeGateway::start([(200, answer.to_string())]).await;
    let environment = chat(gateway.url(), "transmit-gone");
    let roster = roster_of(&environment, &["a==", "b==", "c==", "d==", "e=="]).await;

    let transmit = start(&environment).unwrap();
    let error = transmit.call(&message("a==", "text", "hi"), &context()).await.unwrap_err();

    assert_eq!(roster.list().await.unwrap(), ["a==", "c==", "e=="]);
    assert_eq!(
        error.source().unwrap().to_string(),
        "1 of 4 connections did not get the message, first: errNo 429, slow"
    );
}

#[tokio::test]
async fn a_refused_push_raises_and_bad_base64_is_a_bad_event() {
    let answer = r#"{"errNo":503,"errMsg":"not delivered: the gateway is shutting down"}"#;
    let gateway = FakeGateway::start([(503, answer.to_owned())]).await;
    let environment = chat(gateway.url(), "transmit-refused");
    roster_of(&environment, &["a==", "b=="]).await;
    let transmit = start(&environment).unwrap();

    let error = transmit.call(&message("a==", "text", "hi"), &context()).await.unwrap_err();
    assert!(error.source().unwrap().to_string().contains("shutting down"), "{error:?}");

    let error = transmit.call(&message("a==", "binary", "!"), &context()).await.unwrap_err();
    assert!(matches!(error, FunctionError::BadEvent(_)), "{error}");
}
