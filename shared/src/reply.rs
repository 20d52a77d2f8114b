//! What a register function answers, in all the forms that real functions use.
//!
//! Documented: `{"errNo":0,"errMsg":"ok","websocket":{…}}`. Tolerated beside it, because code in
//! production returns them: no `websocket` key, extra keys, the object as a JSON string, an
//! `errNo` that is a string of digits, and `false`, `null` or a bare string to refuse.

use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::Value;

/// A register reply, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegisterReply {
    /// `errNo` is 0.
    Accepted {
        /// `secWebSocketProtocol` as the function gave it: one value, or the whole offered list.
        protocol: Option<String>,
    },
    /// `errNo` is not 0: the function itself says that there is nothing to clean up.
    Refused {
        /// The function's own number.
        err_no: i64,
        /// The function's own words, for the client.
        err_msg: String,
    },
    /// `false`, `null` or a bare string: a refusal that does not say whether anything was stored.
    Declined {
        /// Words for the client: the bare string, or empty.
        err_msg: String,
    },
}

/// The body is none of the forms of a register reply. The text says what is wrong with it.
#[derive(Debug, thiserror::Error)]
#[error("register reply is not {{\"errNo\":…,\"errMsg\":…}}: {0}")]
pub struct UnreadableReply(String);

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Wire {
    #[serde(rename = "errNo", deserialize_with = "number_or_digits")]
    err_no: i64,
    #[serde(rename = "errMsg", default)]
    err_msg: Option<String>,
    #[serde(default)]
    websocket: Option<Websocket>,
}

#[derive(Default, Deserialize)]
#[serde(expecting = "an object")]
struct Websocket {
    #[serde(rename = "secWebSocketProtocol", default)]
    protocol: Option<String>,
}

impl RegisterReply {
    /// Reads the body of a register function's answer.
    pub fn parse(body: &[u8]) -> Result<Self, UnreadableReply> {
        let value =
            serde_json::from_slice(body).map_err(|error| UnreadableReply(error.to_string()))?;
        match value {
            Value::String(text) => match serde_json::from_str(&text) {
                Ok(object @ Value::Object(_)) => Self::from_object(object),
                _ => Ok(Self::Declined { err_msg: text }),
            },
            Value::Null | Value::Bool(false) => Ok(Self::Declined { err_msg: String::new() }),
            // Serde would read the object from an array of its fields too.
            Value::Array(_) => Err(UnreadableReply("it is an array".to_owned())),
            object => Self::from_object(object),
        }
    }

    fn from_object(object: Value) -> Result<Self, UnreadableReply> {
        let wire = Wire::deserialize(object).map_err(|error| UnreadableReply(error.to_string()))?;
        if wire.err_no != 0 {
            let err_msg = wire.err_msg.unwrap_or_default();
            return Ok(Self::Refused { err_no: wire.err_no, err_msg });
        }
        Ok(Self::Accepted { protocol: wire.websocket.unwrap_or_default().protocol })
    }
}

fn number_or_digits<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let number = match &value {
        Value::Number(number) => number.as_i64(),
        Value::String(digits) => digits.parse().ok(),
        _ => None,
    };
    number.ok_or_else(|| D::Error::custom(format!("errNo is {value}, not a whole number")))
}
