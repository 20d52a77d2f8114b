//! The body of a reverse push: one push to one connection or to many, or an array of pushes.

use std::borrow::Cow;

use serde::{Deserialize, Serialize, Serializer, ser::SerializeMap};
use serde_json::value::RawValue;

use crate::data::{DataType, Payload};

/// The whole body, `{"websocket":{…}}` or `{"websocket":[{…},{…}]}`.
#[derive(Debug, PartialEq, Eq)]
pub enum PushRequest {
    /// `websocket` is one object.
    One(Result<Push, InvalidPush>),
    /// `websocket` is an array (ours).
    Many(Vec<Result<Push, InvalidPush>>),
}

/// One push:
/// `{"action":"data send","secConnectionID":"…","dataType":"text","data":"…"}` (documented).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Push {
    /// The connections that the push is for.
    pub targets: Targets,
    /// What the gateway does with these connections.
    pub action: PushAction,
}

/// The connections that a push is for. The ids are not parsed here: an id that no gateway made is
/// answered with errNo 410, as an id whose connection is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Targets {
    /// `secConnectionID` (documented).
    One(String),
    /// `secConnectionIDs` (ours).
    Many(Vec<String>),
}

/// The `action` of a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PushAction {
    /// `data send`: write a message. Without `dataType` the payload is text.
    Send(Payload),
    /// `closing`: close the connection. `dataType` and `data` are ignored.
    Close,
}

/// A push with readable targets whose `action`, `dataType` or `data` is invalid (errNo 422).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidPush {
    /// The connections that the push was for.
    pub targets: Targets,
    /// What is wrong, and what would be right.
    pub problem: String,
}

/// The body is not the documented JSON (HTTP 400). The text says what is wrong with it.
#[derive(Debug, thiserror::Error)]
#[error("body is not {{\"websocket\":{{\"action\":…,\"secConnectionID\":…}}}}: {0}")]
pub struct NotAPush(#[from] serde_json::Error);

impl PushRequest {
    /// Reads the body of a push. If one push of an array cannot be read, the whole body is
    /// [`NotAPush`].
    pub fn parse(body: &[u8]) -> Result<Self, NotAPush> {
        // Serde also reads a struct from an array of its fields.
        if body.trim_ascii_start().starts_with(b"[") {
            return Err(wrong("body is an array, not an object").into());
        }
        let WireBody { websocket } = serde_json::from_slice(body)?;
        // The first byte tells an array from an object. An untagged enum would hide the error
        // inside the value.
        if websocket.get().starts_with('[') {
            let pushes: Vec<&RawValue> = serde_json::from_str(websocket.get())?;
            let pushes = pushes.into_iter().map(parse_push).collect::<Result<_, _>>()?;
            return Ok(Self::Many(pushes));
        }
        Ok(Self::One(parse_push(websocket)?))
    }
}

fn parse_push(raw: &RawValue) -> Result<Result<Push, InvalidPush>, serde_json::Error> {
    if !raw.get().starts_with('{') {
        return Err(wrong("websocket is not an object, or an array of objects"));
    }
    serde_json::from_str::<WirePush<'_>>(raw.get())?.into_push()
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct WireBody<'a> {
    #[serde(borrow)]
    websocket: &'a RawValue,
}

#[derive(Deserialize)]
struct WirePush<'a> {
    #[serde(borrow)]
    action: Cow<'a, str>,
    #[serde(rename = "secConnectionID", default)]
    one: Option<String>,
    #[serde(rename = "secConnectionIDs", default)]
    many: Option<Vec<String>>,
    #[serde(rename = "dataType", borrow, default)]
    data_type: Option<&'a RawValue>,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
}

impl WirePush<'_> {
    fn into_push(self) -> Result<Result<Push, InvalidPush>, serde_json::Error> {
        let action = self.action();
        let targets = match (self.one, self.many) {
            (Some(one), None) => Targets::One(one),
            (None, Some(many)) => Targets::Many(many),
            (Some(_), Some(_)) => {
                return Err(wrong("secConnectionID and secConnectionIDs are both there: use one"));
            }
            (None, None) => return Err(wrong("secConnectionID is missing")),
        };
        Ok(match action {
            Ok(action) => Ok(Push { targets, action }),
            Err(problem) => Err(InvalidPush { targets, problem }),
        })
    }

    fn action(&self) -> Result<PushAction, String> {
        match self.action.as_ref() {
            "closing" => Ok(PushAction::Close),
            "data send" => Ok(PushAction::Send(self.payload()?)),
            other => {
                let other = excerpt(other);
                Err(format!("action is {other:?}, not \"data send\" or \"closing\""))
            }
        }
    }

    fn payload(&self) -> Result<Payload, String> {
        let data_type = match self.data_type {
            None => DataType::Text,
            Some(raw) => serde_json::from_str(raw.get()).map_err(|_| {
                format!("dataType is {}, not \"text\" or \"binary\"", excerpt(raw.get()))
            })?,
        };
        let raw = self.data.ok_or("data is missing")?;
        let data: CowStr<'_> =
            serde_json::from_str(raw.get()).map_err(|_| "data is not a string")?;
        Payload::decode(data_type, data.0).map_err(|error| error.to_string())
    }
}

/// A string that is borrowed if it has no escapes.
#[derive(Deserialize)]
struct CowStr<'a>(#[serde(borrow)] Cow<'a, str>);

/// The first characters of `text`, enough to recognize it. An answer must not quote a payload.
fn excerpt(text: &str) -> &str {
    const CHARACTERS: usize = 32;
    text.char_indices().nth(CHARACTERS).map_or(text, |(end, _)| &text[..end])
}

fn wrong(problem: &str) -> serde_json::Error {
    serde::de::Error::custom(problem)
}

impl Serialize for Push {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("action", self.action.name())?;
        match &self.targets {
            Targets::One(id) => map.serialize_entry("secConnectionID", id)?,
            Targets::Many(ids) => map.serialize_entry("secConnectionIDs", ids)?,
        }
        if let PushAction::Send(payload) = &self.action {
            map.serialize_entry("dataType", &payload.data_type())?;
            map.serialize_entry("data", &payload.to_data())?;
        }
        map.end()
    }
}

impl PushAction {
    fn name(&self) -> &'static str {
        match self {
            Self::Send(_) => "data send",
            Self::Close => "closing",
        }
    }
}

impl Push {
    /// The body of a request with only this push: `{"websocket":{…}}`.
    pub fn to_body(&self) -> Vec<u8> {
        #[derive(Serialize)]
        struct Body<'a> {
            websocket: &'a Push,
        }
        serde_json::to_vec(&Body { websocket: self }).expect("strings always serialize")
    }
}
