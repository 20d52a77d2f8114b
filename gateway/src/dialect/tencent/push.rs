//! Pushes in Tencent's form, and the answers to them.

use bytes::Bytes;
use daemon::body::ACCEPTED_ENCODINGS;
use http::{HeaderValue, Response, StatusCode, header};
use shared::{
    data::Payload,
    push::{
        FailedPush, InvalidPush, NotAPush, Push, PushAction, PushAnswer, PushError, PushRequest,
        Targets,
    },
};
use tracing::debug;

use crate::{
    dialect::{Effect, NotPushed, PushOutcome, PushRefusal, Pushes},
    registry::{ConnectionInfo, Message},
};

/// Reads the body of a push to at most `ids_max` connections.
pub(in crate::dialect) fn read_push(body: &[u8], ids_max: usize) -> Result<Pushes, PushRefusal> {
    let request = PushRequest::parse(body, ids_max).map_err(|error| match error {
        NotAPush::Malformed(_) => PushRefusal::BadRequest(error.to_string()),
        NotAPush::TooManyIds(_) => PushRefusal::TooManyIds(error.to_string()),
    })?;
    Ok(match request {
        PushRequest::One(push) => match parts(push) {
            (Targets::One(id), effect) => Pushes::One(id, effect),
            (Targets::Many(ids), effect) => Pushes::Many(vec![(ids, effect)]),
        },
        PushRequest::Many(pushes) => {
            let with_ids = |push| match parts(push) {
                (Targets::One(id), effect) => (vec![id], effect),
                (Targets::Many(ids), effect) => (ids, effect),
            };
            Pushes::Many(pushes.into_iter().map(with_ids).collect())
        }
    })
}

/// What the transmit function's answer says to the sender, if it is a `data send` to the sender.
pub(in crate::dialect) fn reply_to_sender(info: &ConnectionInfo, body: &[u8]) -> Option<Message> {
    match read_push(body, 1) {
        Ok(Pushes::One(id, Ok(Effect::Send(message)))) if id == info.id.to_string() => {
            Some(message)
        }
        Ok(_) | Err(_) => None,
    }
}

/// The answer to a push.
pub(in crate::dialect) fn answer_push(outcome: PushOutcome) -> Response<Bytes> {
    let bytes = outcome.answer_bytes();
    match outcome {
        PushOutcome::One(Ok(())) => json(StatusCode::OK, &PushAnswer::ok()),
        PushOutcome::One(Err(error)) => answer_error(&error.into()),
        PushOutcome::Many(failed) => {
            let failed = failed.into_iter();
            let failed = failed.map(|(id, error)| FailedPush::new(id, &error.into())).collect();
            json_of(bytes, StatusCode::OK, &PushAnswer::batch(failed))
        }
        PushOutcome::Refused(refusal) => refuse(&refusal.into()),
    }
}

/// The answer to a request that was refused as a whole.
fn refuse(error: &PushError) -> Response<Bytes> {
    let mut response = answer_error(error);
    if let PushError::UnknownEncoding(_) = error {
        // RFC 9110, section 15.5.16.
        response.headers_mut().insert(header::ACCEPT_ENCODING, ACCEPTED_ENCODINGS);
    }
    response
}

fn answer_error(error: &PushError) -> Response<Bytes> {
    // Not the text: it may quote what was sent.
    debug!(push.err_no = error.err_no(), "push not carried out");
    let status = StatusCode::from_u16(error.http_status()).expect("the numbers are constant");
    json(status, &PushAnswer::from(error))
}

/// Always JSON, because callers read every answer as such.
fn json(status: StatusCode, answer: &PushAnswer) -> Response<Bytes> {
    json_of(0, status, answer)
}

/// The same for an answer of about so many bytes. A long one that had to grow would exist twice.
fn json_of(bytes: usize, status: StatusCode, answer: &PushAnswer) -> Response<Bytes> {
    let mut body = Vec::with_capacity(bytes);
    serde_json::to_writer(&mut body, answer).expect("an answer has only string keys");
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let content_type = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    response
}

fn parts(push: Result<Push, InvalidPush>) -> (Targets, Result<Effect, String>) {
    match push {
        Ok(Push { targets, action: PushAction::Send(payload) }) => {
            (targets, Ok(Effect::Send(message(payload))))
        }
        Ok(Push { targets, action: PushAction::Close }) => (targets, Ok(Effect::Close)),
        Err(InvalidPush { targets, problem }) => (targets, Err(problem)),
    }
}

fn message(payload: Payload) -> Message {
    match payload {
        Payload::Text(text) => Message::Text(text.into()),
        Payload::Binary(bytes) => Message::Binary(bytes.into()),
    }
}

impl From<NotPushed> for PushError {
    fn from(error: NotPushed) -> Self {
        match error {
            NotPushed::Gone => Self::Gone,
            NotPushed::TooLarge { bytes, limit } => Self::TooLarge { bytes, limit },
            NotPushed::Invalid(problem) => Self::Invalid(problem),
            NotPushed::SlowReader => Self::SlowReader,
        }
    }
}

impl From<PushRefusal> for PushError {
    fn from(refusal: PushRefusal) -> Self {
        match refusal {
            PushRefusal::BodyTooLarge(problem) => Self::BodyTooLarge(problem),
            PushRefusal::UnknownEncoding(problem) => Self::UnknownEncoding(problem),
            PushRefusal::BadRequest(problem) => Self::BadRequest(problem),
            PushRefusal::TooManyIds(problem) => Self::TooManyIds(problem),
            PushRefusal::Unauthorized(problem) => Self::Unauthorized(problem),
            PushRefusal::UnknownApi(id) => Self::UnknownApi(id),
            PushRefusal::TooMany => Self::TooMany,
            PushRefusal::TooManyOfCaller => Self::TooManyOfCaller,
            PushRefusal::ShuttingDown => Self::ShuttingDown,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(push: &Value) -> Result<Pushes, PushRefusal> {
        read_push(push.to_string().as_bytes(), 10)
    }

    fn send(text: &str) -> Result<Effect, String> {
        Ok(Effect::Send(Message::Text(text.into())))
    }

    #[test]
    fn only_one_push_for_one_connection_is_answered_with_its_own_number() {
        let hi = json!({"action": "data send", "secConnectionID": "a", "data": "hi"});
        let close = json!({"action": "closing", "secConnectionIDs": ["a", "b"]});
        assert_eq!(read(&json!({"websocket": hi})), Ok(Pushes::One("a".into(), send("hi"))));
        let ids = vec!["a".to_owned(), "b".to_owned()];
        let many = Pushes::Many(vec![(ids.clone(), Ok(Effect::Close))]);
        assert_eq!(read(&json!({"websocket": close})), Ok(many));
        let both = Pushes::Many(vec![(vec!["a".into()], send("hi")), (ids, Ok(Effect::Close))]);
        assert_eq!(read(&json!({"websocket": [hi, close]})), Ok(both));
    }

    #[test]
    fn a_push_that_makes_no_sense_is_not_a_refused_request() {
        let odd = json!({"websocket": {"action": "dance", "secConnectionID": "a"}});
        assert!(matches!(read(&odd), Ok(Pushes::One(id, Err(_))) if id == "a"));
        assert!(matches!(read(&json!({})), Err(PushRefusal::BadRequest(_))));
    }

    #[test]
    fn statuses_and_numbers_are_those_of_the_contract() {
        use PushOutcome::{Many, One, Refused};
        let large = NotPushed::TooLarge { bytes: 2, limit: 1 };
        for (outcome, status, err_no) in [
            (One(Ok(())), 200, 0),
            (Many(vec![("a".to_owned(), NotPushed::Gone)]), 200, 0),
            (One(Err(NotPushed::Gone)), 200, 410),
            (One(Err(large)), 200, 413),
            (One(Err(NotPushed::Invalid(String::new()))), 200, 422),
            (One(Err(NotPushed::SlowReader)), 200, 429),
            (Refused(PushRefusal::BadRequest(String::new())), 400, 400),
            (Refused(PushRefusal::UnknownApi(String::new())), 404, 404),
            (Refused(PushRefusal::BodyTooLarge(String::new())), 413, 413),
            (Refused(PushRefusal::TooManyIds(String::new())), 413, 413),
            (Refused(PushRefusal::UnknownEncoding(String::new())), 415, 415),
            (Refused(PushRefusal::TooMany), 429, 429),
            (Refused(PushRefusal::TooManyOfCaller), 429, 429),
            (Refused(PushRefusal::ShuttingDown), 503, 503),
        ] {
            let response = answer_push(outcome);
            assert_eq!(response.status(), status);
            let answer: PushAnswer = serde_json::from_slice(response.body()).unwrap();
            assert_eq!(answer.err_no, err_no);
        }
    }
}
