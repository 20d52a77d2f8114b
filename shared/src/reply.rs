//! The reply of a register function, in all the forms that existing functions return.
//!
//! Documented: `{"errNo":0,"errMsg":"ok","websocket":{…}}`. Also accepted, because functions in
//! production return them: no `websocket` key, extra keys, the object as a JSON string, an
//! `errNo` that is a string of digits, and `false`, `null` or a bare string as a refusal.

use serde_json::{Map, Value};

use crate::json_text::json_text;

/// A register reply. `docs/functions.md` has the table of forms under "Register".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegisterReply {
    /// `errNo` is 0.
    Accepted {
        /// `secWebSocketProtocol` as the function gave it: one value, or the whole offered list.
        protocol: Option<String>,
    },
    /// `errNo` is not 0. The function says by this that there is nothing to clean up.
    Refused {
        /// The `errNo` of the reply.
        err_no: i64,
        /// The `errMsg` of the reply, for the client; empty if it is missing or not a string.
        err_msg: String,
    },
    /// `null`: the function returned nothing. A refusal as the next one.
    Nothing,
    /// `false` or a bare string: a refusal after which a cleanup may be needed.
    Declined {
        /// The message for the client: the bare string, or empty.
        err_msg: String,
    },
}

/// The body is none of the forms of a register reply. The text says what is wrong with it.
#[derive(Debug, thiserror::Error)]
#[error("register reply is not {{\"errNo\":…,\"errMsg\":…}}: {0}")]
pub struct UnreadableReply(String);

impl RegisterReply {
    /// Reads the body of a register function's response.
    pub fn parse(body: &[u8]) -> Result<Self, UnreadableReply> {
        let body = json_text(body).map_err(|problem| UnreadableReply(problem.to_owned()))?;
        if body.trim_ascii().is_empty() {
            return Err(UnreadableReply("a body was expected, and there is none".to_owned()));
        }
        let value =
            serde_json::from_slice(body).map_err(|error| UnreadableReply(error.to_string()))?;
        match value {
            Value::String(text) => match serde_json::from_str(&text) {
                Ok(Value::Object(object)) => Self::from_object(&object),
                _ => Ok(Self::Declined { err_msg: text }),
            },
            Value::Null => Ok(Self::Nothing),
            Value::Bool(false) => Ok(Self::Declined { err_msg: String::new() }),
            Value::Object(object) => Self::from_object(&object),
            Value::Array(_) => Err(UnreadableReply("it is an array".to_owned())),
            Value::Number(_) => Err(UnreadableReply("it is a number".to_owned())),
            Value::Bool(true) => Err(UnreadableReply("it is true".to_owned())),
        }
    }

    /// Only `errNo` is required. Other fields are ignored if they have the wrong type.
    fn from_object(object: &Map<String, Value>) -> Result<Self, UnreadableReply> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let err_no = object.get("errNo").ok_or(UnreadableReply("errNo is missing".to_owned()))?;
        let err_no = whole_number(err_no)
            .ok_or_else(|| UnreadableReply("errNo is not a whole number".to_owned()))?;
        if err_no != 0 {
            let err_msg = object.get("errMsg").and_then(text).unwrap_or_default();
            return Ok(Self::Refused { err_no, err_msg });
        }
        let websocket = object.get("websocket").and_then(Value::as_object);
        let protocol = websocket.and_then(|websocket| websocket.get("secWebSocketProtocol"));
        Ok(Self::Accepted { protocol: protocol.and_then(text) })
    }
}

/// Reads `0`, also written as `0.0` (by languages without whole numbers) or as `"0"`.
fn whole_number(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| {
            let number = number.as_f64().filter(|number| number.fract() == 0.0)?;
            format!("{number:.0}").parse().ok()
        }),
        Value::String(digits) => digits.parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}
