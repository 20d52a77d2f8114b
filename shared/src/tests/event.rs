//! The three events.

use std::borrow::Cow;

use proptest::prelude::*;
use serde::Serialize;
use serde_json::{Value, json};

use super::{ID, check_golden, data::payloads, parse};
use crate::{
    data::{DataType, Payload},
    event::{
        CleanupEvent, RegisterEvent, TransmitEvent,
        cleanup::{CloseReason, Closing},
        register::{Connecting, Identity, Map, RequestContext},
        transmit::DataSend,
    },
};

const DOCUMENTED: &str = include_str!("../../golden/register-documented.json");
const FULL: &str = include_str!("../../golden/register-full.json");

const REASONS: [CloseReason; 10] = [
    CloseReason::Client,
    CloseReason::Server,
    CloseReason::Idle,
    CloseReason::Lost,
    CloseReason::Limit,
    CloseReason::Expired,
    CloseReason::Fault,
    CloseReason::Drain,
    CloseReason::Crash,
    CloseReason::Unregistered,
];

fn map(entries: &[(&str, &str)]) -> Map {
    entries.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn bare_register() -> RegisterEvent {
    RegisterEvent {
        request_context: RequestContext {
            service_id: String::new(),
            service_name: "testsvc".to_owned(),
            path: "/chat".to_owned(),
            http_method: "GET".to_owned(),
            request_id: "c6af9ac6-7b61-11e6-9a41-93e8deadbeef".to_owned(),
            identity: Identity::default(),
            source_ip: "10.0.2.14".to_owned(),
            stage: "release".to_owned(),
            websocket_enable: true,
        },
        websocket: Connecting { connection_id: ID.to_owned(), protocol: None, extensions: None },
        headers: Map::new(),
        path: String::new(),
        http_method: String::new(),
        query_string: Map::new(),
        query_string_parameters: Map::new(),
        path_parameters: Map::new(),
        header_parameters: Map::new(),
        stage_variables: Map::new(),
    }
}

/// The event in Tencent's documentation, without our fields.
fn documented_register() -> RegisterEvent {
    let bare = bare_register();
    RegisterEvent {
        request_context: RequestContext {
            path: "/test/{testvar}".to_owned(),
            identity: Identity {
                secret_id: Some("abdcdxxxxxxxsdfs".to_owned()),
                ..Identity::default()
            },
            stage: "prod".to_owned(),
            ..bare.request_context
        },
        websocket: Connecting {
            protocol: Some("chat,binary".to_owned()),
            extensions: Some("extension1,extension2".to_owned()),
            ..bare.websocket
        },
        ..bare
    }
}

fn full_register() -> RegisterEvent {
    let documented = documented_register();
    RegisterEvent {
        request_context: RequestContext {
            service_id: "service-f94sy04v".to_owned(),
            ..documented.request_context
        },
        headers: map(&[("host", "gateway.test"), ("upgrade", "websocket")]),
        path: "/test/value".to_owned(),
        http_method: "GET".to_owned(),
        query_string: map(&[("bob", "alice"), ("foo", "bar")]),
        query_string_parameters: map(&[("foo", "bar")]),
        path_parameters: map(&[("testvar", "value")]),
        header_parameters: map(&[("host", "gateway.test")]),
        stage_variables: map(&[("stage", "prod")]),
        ..documented
    }
}

fn register_with_token() -> RegisterEvent {
    let bare = bare_register();
    let claims = json!({ "sub": "anna", "aud": ["chat"], "exp": 1_800_000_000 });
    let identity = Identity { claims: claims.as_object().cloned(), ..Identity::default() };
    RegisterEvent { request_context: RequestContext { identity, ..bare.request_context }, ..bare }
}

fn transmit(data_type: DataType, data: &str) -> TransmitEvent<'_> {
    let (connection_id, data) = (Cow::Borrowed(ID), Cow::Borrowed(data));
    TransmitEvent { websocket: DataSend { connection_id, data_type, data } }
}

fn cleanup(close_code: Option<&str>, close_reason: Option<CloseReason>) -> CleanupEvent {
    let close_code = close_code.map(str::to_owned);
    CleanupEvent { websocket: Closing { connection_id: ID.to_owned(), close_code, close_reason } }
}

#[test]
fn register_is_golden() {
    check_golden(include_str!("../../golden/register-bare.json"), &bare_register());
    check_golden(FULL, &full_register());
    check_golden(include_str!("../../golden/register-claims.json"), &register_with_token());
}

#[test]
fn the_documented_register_event_is_read_without_our_fields() {
    assert_eq!(serde_json::from_str::<RegisterEvent>(DOCUMENTED).unwrap(), documented_register());
}

/// We only add fields: our event has every field of the documented one, unchanged.
#[test]
fn our_register_event_contains_the_documented_one() {
    fn assert_within(documented: &Value, ours: &Value) {
        let Some(documented) = documented.as_object() else {
            return assert_eq!(documented, ours);
        };
        for (key, value) in documented {
            assert_within(value, &ours[key]);
        }
    }
    assert_within(&parse(DOCUMENTED), &serde_json::to_value(full_register()).unwrap());
    assert_eq!(parse(DOCUMENTED)["websocket"], parse(FULL)["websocket"]);
}

#[test]
fn transmit_is_golden() {
    let text = include_str!("../../golden/transmit-text.json");
    check_golden(text, &transmit(DataType::Text, "he said \"你好\"\n"));
    let binary = include_str!("../../golden/transmit-binary.json");
    check_golden(binary, &transmit(DataType::Binary, "AAH+/w=="));
    let empty = include_str!("../../golden/transmit-empty.json");
    check_golden(empty, &transmit(DataType::Text, ""));
}

#[test]
fn a_transmitted_message_is_decoded() {
    let decoded = transmit(DataType::Binary, "AAH+/w==").websocket.into_payload();
    assert_eq!(decoded, Ok(Payload::Binary(vec![0, 1, 0xfe, 0xff])));
    assert!(transmit(DataType::Binary, "?").websocket.into_payload().is_err());
}

#[test]
fn cleanup_is_golden() {
    check_golden(include_str!("../../golden/cleanup.json"), &cleanup(None, None));
    let why = cleanup(Some("1001"), Some(CloseReason::Idle));
    check_golden(include_str!("../../golden/cleanup-reason.json"), &why);
}

#[test]
fn a_close_reason_is_one_word_everywhere() {
    let words = REASONS.map(CloseReason::as_str);
    let documented = [
        "client",
        "server",
        "idle",
        "lost",
        "limit",
        "expired",
        "fault",
        "drain",
        "crash",
        "unregistered",
    ];
    assert_eq!(words, documented);
    for reason in REASONS {
        assert_eq!(serde_json::to_value(reason).unwrap(), json!(reason.as_str()));
        assert_eq!(serde_json::from_value::<CloseReason>(json!(reason.as_str())).unwrap(), reason);
        assert_eq!(reason.to_string(), reason.as_str());
    }
}

/// Tencent's samples concatenate the values of `websocket`, which only works with strings.
#[test]
fn every_value_in_websocket_is_a_string() {
    fn check(event: &impl Serialize, keys: usize) {
        let event = serde_json::to_value(event).unwrap();
        let websocket = event["websocket"].as_object().unwrap();
        assert_eq!(websocket.len(), keys, "{event}");
        assert!(websocket.values().all(Value::is_string), "{event}");
    }
    check(&full_register(), 4);
    check(&bare_register(), 2);
    check(&transmit(DataType::Text, ""), 4);
    check(&transmit(DataType::Binary, "AAH+/w=="), 4);
    check(&cleanup(None, None), 2);
    for reason in REASONS {
        check(&cleanup(Some("1011"), Some(reason)), 4);
    }
}

proptest! {
    #[test]
    fn a_transmit_event_reads_back(connection_id: String, payload in payloads()) {
        let event = TransmitEvent {
            websocket: DataSend {
                connection_id: connection_id.into(),
                data_type: payload.data_type(),
                data: payload.to_data(),
            },
        };
        let json = serde_json::to_string(&event).unwrap();
        let again: TransmitEvent<'_> = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(&again, &event);
        prop_assert_eq!(again.websocket.into_payload(), Ok(payload));
    }
}

/// Reading a message does not copy it if its JSON has no escapes.
#[test]
fn a_plain_message_is_borrowed() {
    let json = include_str!("../../golden/transmit-binary.json");
    let event: TransmitEvent<'_> = serde_json::from_str(json).unwrap();
    assert!(matches!(event.websocket.data, Cow::Borrowed(_)));
}
