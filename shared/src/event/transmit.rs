//! The event of the transmit function: a client sent a message.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::data::{DataType, NotBase64, Payload};

/// The documented event:
/// `{"websocket":{"action":"data send","secConnectionID":"…","dataType":"text","data":"…"}}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransmitEvent<'a> {
    /// The one field of the event.
    #[serde(borrow)]
    pub websocket: DataSend<'a>,
}

/// The `websocket` part: the documented four fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename = "data send")]
pub struct DataSend<'a> {
    /// The connection that the message was received on.
    #[serde(rename = "secConnectionID", borrow)]
    pub connection_id: Cow<'a, str>,
    /// The encoding of `data`.
    #[serde(rename = "dataType")]
    pub data_type: DataType,
    /// The message; `""` for an empty one.
    #[serde(borrow)]
    pub data: Cow<'a, str>,
}

impl DataSend<'_> {
    /// The message, decoded.
    pub fn into_payload(self) -> Result<Payload, NotBase64> {
        Payload::decode(self.data_type, self.data)
    }
}
