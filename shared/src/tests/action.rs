//! The action `Invoke`: requests and responses.

use serde_json::{json, to_value};

use super::parse;
use crate::action::{
    ActionAnswer, ActionError, ActionErrorCode as Code, ActionOutcome, ActionResponse,
    InvocationType, Invoke, InvokeResult, LogType,
};

const REQUEST_ID: &str = "c2af8a64-c922-4d55-aee0-bd86a5c2cd12";

fn answer(outcome: ActionOutcome) -> serde_json::Value {
    let response = ActionResponse { outcome, request_id: REQUEST_ID.to_owned() };
    to_value(ActionAnswer { response }).unwrap()
}

#[test]
fn a_request_is_golden() {
    let expected = Invoke {
        function_name: "chat-transmit".to_owned(),
        client_context: "{\"key\": \"\u{4f60}\"}".to_owned(),
        invocation_type: InvocationType::RequestResponse,
        log_type: LogType::Tail,
    };
    let golden = include_str!("../../golden/action-invoke.json");
    assert_eq!(Invoke::parse(golden.as_bytes()), Ok(expected));
}

#[test]
fn a_missing_parameter_has_its_documented_default() {
    let expected = Invoke {
        function_name: "f".to_owned(),
        client_context: "{}".to_owned(),
        invocation_type: InvocationType::RequestResponse,
        log_type: LogType::None,
    };
    assert_eq!(Invoke::parse(br#"{"FunctionName":"f","Unknown":1}"#), Ok(expected));
}

#[test]
fn a_result_is_golden() {
    let result = InvokeResult {
        function_request_id: "6add56fa-58f1-11e8-89a9-5254005d5fdb".to_owned(),
        ret_msg: "\"hello from scf\"".to_owned(),
        duration: 0.826,
        bill_duration: 1,
        mem_usage: 3_207_168,
        ..InvokeResult::default()
    };
    let golden = include_str!("../../golden/action-result.json");
    assert_eq!(answer(ActionOutcome::Result(result)), parse(golden));
}

#[test]
fn an_error_is_golden() {
    let error = ActionError::new(Code::NoSuchFunction, "no function has this name");
    let golden = include_str!("../../golden/action-error.json");
    assert_eq!(answer(ActionOutcome::Error(error)), parse(golden));
}

#[test]
fn a_bad_request_gets_a_code_and_a_message_that_says_what_would_be_right() {
    let large = json!({"FunctionName": "f", "InvocationType": "Event",
        "ClientContext": format!("{:?}", "x".repeat(128 << 10))});
    let large = large.to_string();
    let cases = [
        ("", Code::InvalidParameter, "body is not the JSON of Invoke: "),
        (r#"["f"]"#, Code::InvalidParameter, "an array, not an object"),
        (r#"{"FunctionName":1}"#, Code::InvalidParameter, "expected a string"),
        (r#"{"FunctionName":"f","ClientContext":{}}"#, Code::InvalidParameter, "expected a string"),
        ("{}", Code::MissingParameter, "use the name of a function"),
        (r#"{"FunctionName":""}"#, Code::MissingParameter, "FunctionName is missing"),
        (
            r#"{"FunctionName":"f","ClientContext":"{"}"#,
            Code::InvalidClientContext,
            "use the event as JSON text",
        ),
        (r#"{"FunctionName":"f","ClientContext":""}"#, Code::InvalidClientContext, "not JSON"),
        (
            r#"{"FunctionName":"f","InvocationType":"event"}"#,
            Code::InvalidInvocationType,
            "use \"RequestResponse\" or \"Event\"",
        ),
        (
            r#"{"FunctionName":"f","LogType":"All"}"#,
            Code::InvalidParameterValue,
            "use \"None\" or \"Tail\"",
        ),
        (
            r#"{"FunctionName":"f","Qualifier":"3"}"#,
            Code::NoSuchQualifier,
            "use \"$LATEST\" or \"$DEFAULT\"",
        ),
        (r#"{"FunctionName":"f","Namespace":"n"}"#, Code::NoSuchNamespace, "use \"default\""),
        (&large, Code::RequestSizeLimitExceeded, "use \"RequestResponse\""),
    ];
    for (body, code, words) in cases {
        let error = Invoke::parse(body.as_bytes()).unwrap_err();
        assert_eq!(error.code, code, "{error:?}");
        assert!(error.message.contains(words), "{error:?}");
    }
}
