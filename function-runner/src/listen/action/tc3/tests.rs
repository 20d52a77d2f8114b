//! The documented example, and all that can be wrong with a signature.

use std::time::{Duration, SystemTime};

use http::{Request, request::Parts};
use shared::action::{ActionError, ActionErrorCode as Code, ActionErrorCode};

use super::SignedHead;
use crate::settings::SecretPair;

/// The example of the documentation.
const SIGNED_AT: u64 = 1_551_113_065;
const BODY: &str =
    r#"{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}"#;
const CREDENTIAL: &str = "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE/2019-02-25/cvm/tc3_request";
const SIGNATURE: &str = "72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168";

fn pair() -> SecretPair {
    SecretPair::new("AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE", "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE")
}

fn authorization(credential: &str, signed_headers: &str, signature: &str) -> String {
    format!(
        "TC3-HMAC-SHA256 Credential={credential}, SignedHeaders={signed_headers}, \
         Signature={signature}"
    )
}

/// The example with this header `Authorization`, and `change` made to it.
fn head(authorization: &str, change: impl FnOnce(&mut Parts)) -> Parts {
    let request = Request::post("/")
        .header("host", "cvm.tencentcloudapi.com")
        .header("content-type", "application/json; charset=utf-8")
        .header("x-tc-timestamp", SIGNED_AT)
        .header("authorization", authorization);
    let (mut head, ()) = request.body(()).unwrap().into_parts();
    change(&mut head);
    head
}

fn documented(change: impl FnOnce(&mut Parts)) -> Parts {
    head(&authorization(CREDENTIAL, "content-type;host", SIGNATURE), change)
}

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn verify(
    pair: &SecretPair,
    head: &Parts,
    body: &[u8],
    now: SystemTime,
) -> Result<(), ActionError> {
    SignedHead::check(pair, head, now)?.verify(body)
}

#[track_caller]
fn check_refused(head: &Parts, body: &str, seconds: u64, code: ActionErrorCode, words: &str) {
    let error = verify(&pair(), head, body.as_bytes(), at(seconds)).unwrap_err();
    assert_eq!(error.code, code, "{error:?}");
    assert!(error.message.contains(words), "{error:?}");
    assert!(!error.message.contains("Gu5t9x"), "the key is shown: {error:?}");
}

#[test]
fn the_documented_example_is_accepted_for_five_minutes() {
    let head = documented(|_| {});
    for seconds in [SIGNED_AT, SIGNED_AT - 300, SIGNED_AT + 300] {
        assert_eq!(verify(&pair(), &head, BODY.as_bytes(), at(seconds)), Ok(()));
    }
    let words = "301 seconds ago, and 300 are allowed";
    check_refused(&head, BODY, SIGNED_AT + 301, Code::SignatureExpire, words);
    let words = "301 seconds ahead";
    check_refused(&head, BODY, SIGNED_AT - 301, Code::SignatureExpire, words);
}

/// Nobody could say which of them was signed.
#[test]
fn a_header_that_counts_is_there_once() {
    for (name, code, words) in [
        ("authorization", Code::InvalidAuthorization, "Authorization is missing, there twice"),
        ("x-tc-timestamp", Code::MissingParameter, "X-TC-Timestamp is missing, or there twice"),
        ("content-type", Code::SignatureFailure, "or there twice"),
        ("host", Code::SignatureFailure, "or there twice"),
    ] {
        let head = documented(|head| {
            let value = head.headers[name].clone();
            head.headers.append(name, value);
        });
        check_refused(&head, BODY, SIGNED_AT, code, words);
    }
}

#[test]
fn whatever_is_signed_cannot_be_changed() {
    let refused = |head: &Parts, body: &str| {
        check_refused(head, body, SIGNED_AT, Code::SignatureFailure, "not that of this request");
    };
    refused(&documented(|_| {}), "{}");
    refused(&documented(|head| head.method = http::Method::PUT), BODY);
    refused(&documented(|head| head.uri = "/elsewhere".parse().unwrap()), BODY);
    for (name, value) in [
        ("host", "scf.tencentcloudapi.com"),
        ("content-type", "application/json"),
        ("x-tc-timestamp", "1551113066"),
    ] {
        let change = |head: &mut Parts| {
            head.headers.insert(name, value.parse().unwrap());
        };
        refused(&documented(change), BODY);
    }
    let other_service = CREDENTIAL.replace("cvm", "scf");
    for text in [
        authorization(&other_service, "content-type;host", SIGNATURE),
        authorization(CREDENTIAL, "content-type;host;x-tc-timestamp", SIGNATURE),
        authorization(CREDENTIAL, "content-type;host", &SIGNATURE.replace('7', "8")),
        authorization(CREDENTIAL, "content-type;host", &SIGNATURE[1..]),
        authorization(CREDENTIAL, "content-type;host", &SIGNATURE[2..]),
        authorization(CREDENTIAL, "content-type;host", ""),
        authorization(CREDENTIAL, "content-type;host", "not hexadecimal"),
    ] {
        refused(&head(&text, |_| {}), BODY);
    }
}

#[test]
fn another_key_makes_another_signature() {
    let other = SecretPair::new("AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE", "another");
    let error = verify(&other, &documented(|_| {}), BODY.as_bytes(), at(SIGNED_AT)).unwrap_err();
    assert_eq!(error.code, Code::SignatureFailure);
}

#[test]
fn what_cannot_be_a_signature_is_told_what_would_be() {
    let refused = |text: &str, code, words: &str| {
        check_refused(&head(text, |_| {}), BODY, SIGNED_AT, code, words);
    };
    let form = "use TC3-HMAC-SHA256 Credential=";
    let whole = authorization(CREDENTIAL, "content-type;host", SIGNATURE);
    for text in ["", "SKIP", "TC3-HMAC-SHA256", "TC3-HMAC-SHA256 Credential=a, Signature=b"] {
        refused(text, Code::InvalidAuthorization, form);
    }
    refused(&whole.replace("SHA256", "SHA1"), Code::InvalidAuthorization, form);
    refused(&whole.replace("tc3_request", "aws4_request"), Code::InvalidAuthorization, form);
    refused(&whole.replace("EXAMPLE", "ANOTHER"), Code::SecretIdNotFound, "secret id is not");
    refused(&whole.replace("02-25", "02-26"), Code::SignatureFailure, "use the date in UTC");
    refused(&whole.replace("2019-02-25", ""), Code::SignatureFailure, "use the date in UTC");
    refused(&whole.replace(";host", ""), Code::SignatureFailure, "host is not signed");
    refused(&whole.replace(";host", ";host;x-none"), Code::SignatureFailure, "not in the request");
    let none = documented(|head| drop(head.headers.remove("authorization")));
    check_refused(&none, BODY, SIGNED_AT, Code::InvalidAuthorization, form);
    let none = documented(|head| drop(head.headers.remove("x-tc-timestamp")));
    check_refused(&none, BODY, SIGNED_AT, Code::MissingParameter, "seconds since 1970");
    for value in ["-1", "noon"] {
        let change = |head: &mut Parts| {
            head.headers.insert("x-tc-timestamp", value.parse().unwrap());
        };
        let words = "use the seconds since 1970";
        check_refused(&documented(change), BODY, SIGNED_AT, Code::SignatureExpire, words);
    }
    let unsigned = documented(|head| {
        head.headers.insert("x-tc-content-sha256", "UNSIGNED-PAYLOAD".parse().unwrap());
    });
    check_refused(&unsigned, BODY, SIGNED_AT, Code::SignatureFailure, "sign the body");
}
