//! The replies of register functions.

use proptest::{collection::vec, prelude::*};

use crate::reply::RegisterReply;

fn accepted(protocol: Option<&str>) -> RegisterReply {
    RegisterReply::Accepted { protocol: protocol.map(str::to_owned) }
}

fn refused(err_no: i64, err_msg: &str) -> RegisterReply {
    RegisterReply::Refused { err_no, err_msg: err_msg.to_owned() }
}

fn declined(err_msg: &str) -> RegisterReply {
    RegisterReply::Declined { err_msg: err_msg.to_owned() }
}

#[track_caller]
fn check(input: &str, expected: &RegisterReply) {
    match RegisterReply::parse(input.as_bytes()) {
        Ok(reply) => assert_eq!(reply, *expected, "{input}"),
        Err(error) => panic!("{input}: {error}"),
    }
}

#[track_caller]
fn check_unreadable(input: &str, problem: &str) {
    let error = RegisterReply::parse(input.as_bytes()).unwrap_err().to_string();
    assert!(error.contains(problem), "{input}: {error}");
}

#[test]
fn the_documented_reply_is_read() {
    check(include_str!("../../golden/register-reply.json"), &accepted(Some("chat")));
    check(r#"{"errNo":1,"errMsg":"no"}"#, &refused(1, "no"));
}

#[test]
fn the_accepting_replies_of_existing_functions_are_read() {
    check(r#"{"errNo":0}"#, &accepted(None));
    check(r#"{"errNo":0,"errMsg":"ok"}"#, &accepted(None));
    check(r#"{"errNo":0,"errMsg":null,"websocket":null}"#, &accepted(None));
    check(r#"{"errNo":0,"websocket":{}}"#, &accepted(None));
    check(r#"{"errNo":0,"websocket":{"secWebSocketProtocol":null}}"#, &accepted(None));
    check(r#"{"errNo":0,"websocket":{"secWebSocketProtocol":""}}"#, &accepted(Some("")));
    // Some functions return the whole offered list. The gateway chooses the entry.
    let list = r#"{"errNo":0,"websocket":{"secWebSocketProtocol":"chat,binary"}}"#;
    check(list, &accepted(Some("chat,binary")));
    check(r#"{"errNo":0,"websocket":{"secWebSocketExtensions":""}}"#, &accepted(None));
    let extra = r#"{"statusCode":200,"errNo":0,"websocket":{"secWebSocketProtocol":"a","x":[1]}}"#;
    check(extra, &accepted(Some("a")));
    check(r#"{"errNo":"0"}"#, &accepted(None));
    check(" \n{\"errNo\":0}\n", &accepted(None));
}

#[test]
fn the_object_as_a_string_is_unwrapped_once() {
    check(r#""{\"errNo\":0}""#, &accepted(None));
    check(r#"" {\"errNo\":2,\"errMsg\":\"no\"}""#, &refused(2, "no"));
    let twice = r#""\"{\\\"errNo\\\":0}\"""#;
    check(twice, &declined(r#""{\"errNo\":0}""#));
}

#[test]
fn refused_and_declined_replies_are_distinguished() {
    check(r#"{"errNo":1}"#, &refused(1, ""));
    check(r#"{"errNo":-1,"errMsg":null}"#, &refused(-1, ""));
    check(r#"{"errNo":"403","errMsg":"no"}"#, &refused(403, "no"));
    check(
        r#"{"errNo":1,"errMsg":"no","websocket":{"secWebSocketProtocol":"a"}}"#,
        &refused(1, "no"),
    );
    check("false", &declined(""));
    check("null", &RegisterReply::Nothing);
    check(r#""""#, &declined(""));
    check(r#""not today""#, &declined("not today"));
    check(r#""{not an object""#, &declined("{not an object"));
    check(r#""[{\"errNo\":0}]""#, &declined(r#"[{"errNo":0}]"#));
    check(r#""0""#, &declined("0"));
}

#[test]
fn any_other_reply_is_unreadable() {
    check_unreadable("", "a body was expected, and there is none");
    check_unreadable("ok", "expected value");
    check_unreadable(r#"{"errNo":0} {}"#, "trailing characters");
    check_unreadable("true", "it is true");
    check_unreadable("0", "it is a number");
    check_unreadable("[]", "it is an array");
    check_unreadable(r#"[0,"ok"]"#, "it is an array");
    check_unreadable("{}", "errNo is missing");
    check_unreadable(r#"{"errno":0}"#, "errNo is missing");
    check_unreadable(r#""{}""#, "errNo is missing");
    check_unreadable(r#"{"errNo":null}"#, "errNo is not a whole number");
    check_unreadable(r#"{"errNo":false}"#, "errNo is not a whole number");
    check_unreadable(r#"{"errNo":0.5}"#, "errNo is not a whole number");
    check_unreadable(r#"{"errNo":""}"#, "errNo is not a whole number");
}

#[test]
fn other_fields_of_a_wrong_type_are_ignored() {
    let accepted = RegisterReply::Accepted { protocol: None };
    check(r#"{"errNo":0.0}"#, &accepted);
    check(r#"{"errNo":0,"websocket":""}"#, &accepted);
    check(r#"{"errNo":0,"websocket":{"secWebSocketProtocol":["a"]}}"#, &accepted);
    check(r#"{"errNo":3,"errMsg":404}"#, &refused(3, ""));
}

proptest! {
    #[test]
    fn no_bytes_panic(body in vec(any::<u8>(), 0..200)) {
        let _ = RegisterReply::parse(&body);
    }

    #[test]
    fn no_json_panics(value in super::push_request::json_values()) {
        let _ = RegisterReply::parse(value.to_string().as_bytes());
    }
}

#[test]
fn a_byte_order_mark_is_taken_off_and_what_is_no_text_is_named() {
    check("\u{feff}{\"errNo\":0}", &accepted(None));
    for empty in ["", " \n", "\u{feff}"] {
        check_unreadable(empty, "a body was expected, and there is none");
    }
    check_unreadable("{\0}\0", "UTF-16");
    let error = RegisterReply::parse(b"\x1f\x8b\x08\0").unwrap_err().to_string();
    assert!(error.contains("compressed with gzip"), "{error}");
}
