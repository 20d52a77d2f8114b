//! The body of a reverse push: one push to one connection or to many, or an array of pushes.

use std::{borrow::Cow, cell::Cell, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{DeserializeSeed, SeqAccess, Visitor},
    ser::SerializeMap,
};
use serde_json::value::RawValue;

use crate::{
    data::{DataType, Payload},
    json_text::json_text,
};

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

/// The body cannot be carried out. The text says what is wrong with it.
#[derive(Debug, thiserror::Error)]
pub enum NotAPush {
    /// The body is not the documented JSON (HTTP 400).
    #[error("body is not {{\"websocket\":{{\"action\":…,\"secConnectionID\":…}}}}: {0}")]
    Malformed(#[from] serde_json::Error),
    /// The body names more connections than one request may (HTTP 413).
    #[error("more than {0} connection ids in one push")]
    TooManyIds(usize),
}

impl PushRequest {
    /// Reads the body of a push to at most `ids_max` connections. If one push of an array cannot be
    /// read, the whole body is [`NotAPush`].
    pub fn parse(body: &[u8], ids_max: usize) -> Result<Self, NotAPush> {
        let body = json_text(body).map_err(wrong)?;
        // Serde also reads a struct from an array of its fields.
        if body.trim_ascii_start().starts_with(b"[") {
            return Err(wrong("body is an array, not an object").into());
        }
        let left = IdsLeft { count: Cell::new(ids_max), exceeded: Cell::new(false) };
        Self::parse_counted(body, &left).map_err(|error| match left.exceeded.get() {
            true => NotAPush::TooManyIds(ids_max),
            false => NotAPush::Malformed(error),
        })
    }

    fn parse_counted(body: &[u8], left: &IdsLeft) -> Result<Self, serde_json::Error> {
        let WireBody { websocket } = serde_json::from_slice(body)?;
        // The first byte tells an array from an object. An untagged enum would hide the error
        // inside the value.
        if websocket.get().starts_with('[') {
            // The array itself is bounded too: a push without ids costs as much as one with an id.
            let pushes = IdsLeft { count: left.count.clone(), exceeded: Cell::new(false) };
            let raw: Result<Vec<&RawValue>, _> = read_bounded(websocket, &pushes);
            left.exceeded.set(pushes.exceeded.get());
            let pushes = raw?.into_iter().map(|raw| parse_push(raw, left));
            return Ok(Self::Many(pushes.collect::<Result<_, _>>()?));
        }
        Ok(Self::One(parse_push(websocket, left)?))
    }
}

fn parse_push(
    raw: &RawValue,
    left: &IdsLeft,
) -> Result<Result<Push, InvalidPush>, serde_json::Error> {
    if !raw.get().starts_with('{') {
        return Err(wrong("websocket is not an object, or an array of objects"));
    }
    serde_json::from_str::<WirePush<'_>>(raw.get())?.into_push(left)
}

/// How many ids may still come. Ids are counted while they are read, so that a body of a few
/// megabytes does not become millions of strings.
struct IdsLeft {
    count: Cell<usize>,
    exceeded: Cell<bool>,
}

impl IdsLeft {
    /// Counts one more.
    fn take<E: serde::de::Error>(&self) -> Result<(), E> {
        let Some(left) = self.count.get().checked_sub(1) else {
            self.exceeded.set(true);
            return Err(E::custom("too many connection ids"));
        };
        self.count.set(left);
        Ok(())
    }
}

/// Reads an array of as many values as are left.
fn read_bounded<'de, T: Deserialize<'de>>(
    raw: &'de RawValue,
    left: &IdsLeft,
) -> Result<Vec<T>, serde_json::Error> {
    let mut json = serde_json::Deserializer::from_str(raw.get());
    Bounded { left, value: PhantomData }.deserialize(&mut json)
}

struct Bounded<'a, T> {
    left: &'a IdsLeft,
    value: PhantomData<T>,
}

impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for Bounded<'_, T> {
    type Value = Vec<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<T>, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Bounded<'_, T> {
    type Value = Vec<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a sequence")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Vec<T>, A::Error> {
        let mut all = Vec::new();
        while let Some(value) = values.next_element()? {
            self.left.take()?;
            all.push(value);
        }
        Ok(all)
    }
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
    #[serde(rename = "secConnectionIDs", borrow, default)]
    many: Option<&'a RawValue>,
    #[serde(rename = "dataType", borrow, default)]
    data_type: Option<&'a RawValue>,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
}

impl WirePush<'_> {
    fn into_push(self, left: &IdsLeft) -> Result<Result<Push, InvalidPush>, serde_json::Error> {
        let action = self.action();
        let targets = match (self.one, self.many) {
            (Some(one), None) => {
                left.take()?;
                Targets::One(one)
            }
            (None, Some(many)) => Targets::Many(read_bounded(many, left)?),
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
