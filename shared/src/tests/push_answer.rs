//! The answer to a push.

use serde_json::json;

use super::check_golden;
use crate::push::{FailedPush, PushAnswer, PushError};

#[test]
fn answers_are_golden() {
    check_golden(include_str!("../../golden/push-answer-ok.json"), &PushAnswer::ok());
    let failed = vec![
        FailedPush::new("first".to_owned(), &PushError::Gone),
        FailedPush::new("second".to_owned(), &PushError::TooLarge { bytes: 9, limit: 8 }),
    ];
    let golden = include_str!("../../golden/push-answer-failed.json");
    check_golden(golden, &PushAnswer::batch(failed));
    let golden = include_str!("../../golden/push-answer-error.json");
    check_golden(golden, &PushAnswer::from(&PushError::Gone));
}

/// `errMsg` is for people: programs look at `errNo` only.
#[test]
fn an_answer_without_err_msg_is_read() {
    let answer: PushAnswer = serde_json::from_value(json!({ "errNo": 410 })).unwrap();
    assert_eq!(answer, PushAnswer { err_no: 410, err_msg: String::new(), failed: Vec::new() });
}

/// A push that could be read is answered 200, even if it was not delivered.
#[test]
fn each_error_has_its_number_and_its_http_status() {
    let errors = [
        (PushError::Gone, 410, 200),
        (PushError::SlowReader, 429, 200),
        (PushError::TooLarge { bytes: 9, limit: 8 }, 413, 200),
        (PushError::Invalid("data is missing".to_owned()), 422, 200),
        (PushError::TooMany, 429, 429),
        (PushError::TooManyOfCaller, 429, 429),
        (PushError::TooManyIds("more than 9".to_owned()), 413, 413),
        (PushError::BadRequest("not JSON".to_owned()), 400, 400),
        (PushError::Unauthorized("no token".to_owned()), 401, 401),
        (PushError::UnknownApi("api-nope".to_owned()), 404, 404),
        (PushError::ShuttingDown, 503, 503),
    ];
    for (error, err_no, http_status) in errors {
        assert_eq!((error.err_no(), error.http_status()), (err_no, http_status), "{error}");
    }
}
