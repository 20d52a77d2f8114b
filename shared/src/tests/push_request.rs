//! The body of a push.

use proptest::{
    collection::{btree_map, vec},
    prelude::*,
};
use serde_json::{Value, json};

use super::{ID, data::payloads, parse};
use crate::{
    data::Payload,
    push::{InvalidPush, NotAPush, Push, PushAction, PushRequest, Targets},
};

const IDS_MAX: usize = 1000;

/// Whoever counts them: ids of one push, of several pushes, and pushes without an id.
#[test]
fn a_request_has_a_bound_of_ids() {
    let ids = |count: usize| json!({ "action": "closing", "secConnectionIDs": vec!["x"; count] });
    let one = json!({ "action": "closing", "secConnectionID": "x" });
    for (websocket, ids_max, is_read) in [
        (ids(3), 3, true),
        (ids(4), 3, false),
        (json!([ids(2), one]), 3, true),
        (json!([ids(2), one, one]), 3, false),
        (json!([ids(0), ids(0), ids(0)]), 3, true),
        (json!([ids(0), ids(0), ids(0), ids(0)]), 3, false),
        (one, 1, true),
    ] {
        let body = json!({ "websocket": websocket }).to_string();
        match PushRequest::parse(body.as_bytes(), ids_max) {
            Ok(_) => assert!(is_read, "{body}"),
            Err(NotAPush::TooManyIds(max)) => assert!(!is_read && max == ids_max, "{body}"),
            Err(error) => panic!("{body}: {error}"),
        }
    }
}

fn one(id: &str) -> Targets {
    Targets::One(id.to_owned())
}

fn many(ids: &[&str]) -> Targets {
    Targets::Many(ids.iter().map(|id| (*id).to_owned()).collect())
}

fn send(targets: Targets, payload: Payload) -> Push {
    Push { targets, action: PushAction::Send(payload) }
}

fn send_text(targets: Targets, text: &str) -> Push {
    send(targets, Payload::Text(text.to_owned()))
}

fn close(id: &str) -> Push {
    Push { targets: one(id), action: PushAction::Close }
}

#[track_caller]
fn check(body: &str, expected: &PushRequest) {
    match PushRequest::parse(body.as_bytes(), IDS_MAX) {
        Ok(request) => assert_eq!(request, *expected, "{body:.200}"),
        Err(error) => panic!("{body:.200}: {error}"),
    }
}

#[track_caller]
fn check_push(websocket: &str, expected: Push) {
    check(&format!(r#"{{"websocket":{websocket}}}"#), &PushRequest::One(Ok(expected)));
}

/// The push has readable targets but is invalid: errNo 422 for these targets.
#[track_caller]
fn check_invalid(websocket: &str, targets: Targets, problem: &str) {
    let invalid = InvalidPush { targets, problem: problem.to_owned() };
    check(&format!(r#"{{"websocket":{websocket}}}"#), &PushRequest::One(Err(invalid)));
}

/// The body is not the documented JSON: HTTP 400.
#[track_caller]
fn check_malformed(body: impl AsRef<[u8]>, problem: &str) {
    let error = PushRequest::parse(body.as_ref(), IDS_MAX).unwrap_err().to_string();
    let body = String::from_utf8_lossy(body.as_ref());
    assert!(error.contains(problem), "{body:.200}: {error}");
}

#[test]
fn pushes_are_golden() {
    let check_golden = |golden: &str, push: Push| {
        assert_eq!(serde_json::from_slice::<Value>(&push.to_body()).unwrap(), parse(golden));
        check(golden, &PushRequest::One(Ok(push)));
    };
    let text = send_text(one(ID), "he said \"你好\"\n");
    check_golden(include_str!("../../golden/push-text.json"), text);
    let binary = send(one(ID), Payload::Binary(vec![0, 1, 0xfe, 0xff]));
    check_golden(include_str!("../../golden/push-binary.json"), binary);
    check_golden(include_str!("../../golden/push-closing.json"), close(ID));
    let many = send_text(many(&["first", "second"]), "hello");
    check_golden(include_str!("../../golden/push-many-ids.json"), many);
}

#[test]
fn an_array_of_pushes_is_golden() {
    let golden = include_str!("../../golden/push-array.json");
    let pushes = [send_text(one("first"), "hello"), close("second")];
    assert_eq!(json!({ "websocket": &pushes }), parse(golden));
    check(golden, &PushRequest::Many(pushes.into_iter().map(Ok).collect()));
}

#[test]
fn the_forms_that_callers_write_are_read() {
    // No dataType means text; keys in any order; extra keys.
    check_push(
        r#"{"data":"hi","extra":{"a":[1]},"secConnectionID":"a","action":"data send"}"#,
        send_text(one("a"), "hi"),
    );
    // Escapes in every string that is read.
    check_push(
        r#"{"action":"data\u0020send","secConnectionID":"\u0061\/","dataType":"\u0074ext","data":"\ud83d\ude00\"\n"}"#,
        send_text(one("a/"), "😀\"\n"),
    );
    check_push(
        r#"{"action":"data send","secConnectionID":"a","dataType":"binary","data":"AAH\u002b\/w=="}"#,
        send(one("a"), Payload::Binary(vec![0, 1, 0xfe, 0xff])),
    );
    check_push(r#"{"action":"data send","secConnectionID":"","data":""}"#, send_text(one(""), ""));
    check_push(
        r#"{"action":"data send","secConnectionIDs":[],"data":"a"}"#,
        send_text(many(&[]), "a"),
    );
    check_push(
        r#"{"action":"data send","secConnectionID":null,"secConnectionIDs":["a"],"data":"a"}"#,
        send_text(many(&["a"]), "a"),
    );
    check(r#"{"websocket":[]}"#, &PushRequest::Many(vec![]));
    check(" {\r\n\t\"websocket\" : \n [ ] , \"more\" : null } \n", &PushRequest::Many(vec![]));
}

/// Existing Go code sends `dataType` and `data` with `closing`.
#[test]
fn closing_ignores_data() {
    check_push(r#"{"action":"closing","secConnectionID":"a","dataType":"","data":""}"#, close("a"));
    check_push(
        r#"{"action":"closing","secConnectionID":"a","dataType":7,"data":[{}]}"#,
        close("a"),
    );
    check_push(
        r#"{"action":"closing","secConnectionID":"a","dataType":"binary","data":"?"}"#,
        close("a"),
    );
}

#[test]
fn a_bad_action_data_type_or_data_is_invalid() {
    check_invalid(
        r#"{"action":"data  send","secConnectionID":"a","data":"b"}"#,
        one("a"),
        r#"action is "data  send", not "data send" or "closing""#,
    );
    check_invalid(
        r#"{"action":"","secConnectionIDs":["a","b"]}"#,
        many(&["a", "b"]),
        r#"action is "", not "data send" or "closing""#,
    );
    for data in ["1", "true", "[]", r#"{"text":"hi"}"#] {
        check_invalid(
            &format!(r#"{{"action":"data send","secConnectionID":"a","data":{data}}}"#),
            one("a"),
            "data is not a string",
        );
    }
    for data in ["", r#","data":null"#] {
        check_invalid(
            &format!(r#"{{"action":"data send","secConnectionID":"a"{data}}}"#),
            one("a"),
            "data is missing",
        );
    }
    for data_type in [r#""Text""#, r#""""#, "1", r#"["text"]"#] {
        check_invalid(
            &format!(
                r#"{{"action":"data send","secConnectionID":"a","dataType":{data_type},"data":""}}"#
            ),
            one("a"),
            &format!(r#"dataType is {data_type}, not "text" or "binary""#),
        );
    }
    // A lone surrogate is valid JSON, but it has no UTF-8 form to send to a client.
    check_invalid(
        r#"{"action":"data send","secConnectionID":"a","data":"\ud800"}"#,
        one("a"),
        "data is not a string",
    );
}

#[test]
fn bad_base64_is_invalid() {
    for data in ["?", "A", "AA=A", "-_8=", "AAH+/w==\\n"] {
        let body = format!(
            r#"{{"websocket":{{"action":"data send","secConnectionID":"a","dataType":"binary","data":"{data}"}}}}"#
        );
        let PushRequest::One(Err(invalid)) = PushRequest::parse(body.as_bytes(), IDS_MAX).unwrap()
        else {
            panic!("{body} is valid");
        };
        assert_eq!(invalid.targets, one("a"));
        assert!(invalid.problem.starts_with("data is not standard base64: "), "{invalid:?}");
    }
}

/// One invalid push in an array does not affect the others.
#[test]
fn an_array_may_hold_invalid_pushes() {
    let body = r#"{"websocket":[
        {"action":"data send","secConnectionID":"a"}, {"action":"closing","secConnectionID":"b"}
    ]}"#;
    let invalid = InvalidPush { targets: one("a"), problem: "data is missing".to_owned() };
    check(body, &PushRequest::Many(vec![Err(invalid), Ok(close("b"))]));
}

#[test]
fn a_body_that_is_not_the_documented_json_is_malformed() {
    let closing = r#"{"action":"closing","secConnectionID":"a"}"#;
    check_malformed("", "EOF");
    check_malformed("action=closing", "expected value");
    check_malformed("null", "expected an object");
    check_malformed(r#""websocket""#, "expected an object");
    check_malformed("{}", "missing field `websocket`");
    check_malformed(closing, "missing field `websocket`");
    check_malformed(format!("[{closing}]"), "body is an array, not an object");
    check_malformed(format!(r#"{{"websocket":{closing}"#), "EOF");
    check_malformed(format!(r#"{{"websocket":{closing}}},"#), "trailing characters");
    check_malformed(format!(r#"{{"websocket":{closing},"websocket":{closing}}}"#), "duplicate");
    for websocket in ["null", "7", r#""closing""#, "[7]", r#"[["closing","a"]]"#, "[null]"] {
        check_malformed(format!(r#"{{"websocket":{websocket}}}"#), "websocket is not an object");
    }
    check_malformed([br#"{"websocket":""#.as_slice(), b"\xff", br#""}"#].concat(), "unicode");
}

#[test]
fn pushes_without_a_readable_action_or_target_are_malformed() {
    for (websocket, problem) in [
        ("{}", "missing field `action`"),
        (r#"{"secConnectionID":"a"}"#, "missing field `action`"),
        (r#"{"action":null,"secConnectionID":"a"}"#, "invalid type: null"),
        (r#"{"action":1,"secConnectionID":"a"}"#, "invalid type: integer"),
        (r#"{"action":"closing"}"#, "secConnectionID is missing"),
        (r#"{"action":"closing","secConnectionId":"a"}"#, "secConnectionID is missing"),
        (r#"{"action":"closing","secConnectionID":null}"#, "secConnectionID is missing"),
        (r#"{"action":"closing","secConnectionID":7}"#, "invalid type: integer"),
        (r#"{"action":"closing","secConnectionID":["a"]}"#, "invalid type: sequence"),
        (r#"{"action":"closing","secConnectionIDs":"a"}"#, "invalid type: string"),
        (r#"{"action":"closing","secConnectionIDs":["a",1]}"#, "invalid type: integer"),
        (
            r#"{"action":"closing","secConnectionID":"a","secConnectionIDs":["a"]}"#,
            "secConnectionID and secConnectionIDs are both there: use one",
        ),
    ] {
        check_malformed(format!(r#"{{"websocket":{websocket}}}"#), problem);
        // One such push in an array makes the whole body malformed.
        let closing = r#"{"action":"closing","secConnectionID":"a"}"#;
        check_malformed(format!(r#"{{"websocket":[{closing},{websocket}]}}"#), problem);
    }
}

/// JSON nested deeper than the stack allows is skipped or rejected.
#[test]
fn deep_nesting_does_no_harm() {
    let deep = "[".repeat(200_000) + &"]".repeat(200_000);
    check_push(
        &format!(r#"{{"action":"closing","secConnectionID":"a","data":{deep}}}"#),
        close("a"),
    );
    check_malformed(format!(r#"{{"websocket":{deep}}}"#), "websocket is not an object");
    check_malformed(deep, "body is an array, not an object");
}

/// Any JSON, in which the keys and values of the contract are frequent.
pub(super) fn json_values() -> impl Strategy<Value = Value> {
    let word = || {
        let words = "websocket|action|secConnectionIDs?|dataType|data|data send|closing|text|binary|AAH=|errNo|errMsg|secWebSocketProtocol";
        prop_oneof![3 => words.boxed(), 1 => any::<String>().boxed()]
    };
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            btree_map(word(), inner, 0..6).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn a_push_reads_back(
        targets in prop_oneof![
            any::<String>().prop_map(Targets::One),
            vec(any::<String>(), 0..5).prop_map(Targets::Many),
        ],
        action in prop_oneof![payloads().prop_map(PushAction::Send), Just(PushAction::Close)],
    ) {
        let push = Push { targets, action };
        let request = PushRequest::parse(&push.to_body(), IDS_MAX).unwrap();
        prop_assert_eq!(request, PushRequest::One(Ok(push)));
    }

    #[test]
    fn no_bytes_panic(body in vec(any::<u8>(), 0..200)) {
        let _ = PushRequest::parse(&body, IDS_MAX);
    }

    #[test]
    fn no_json_panics(value in json_values()) {
        let _ = PushRequest::parse(value.to_string().as_bytes(), IDS_MAX);
        let _ = PushRequest::parse(json!({ "websocket": value }).to_string().as_bytes(), IDS_MAX);
    }
}
