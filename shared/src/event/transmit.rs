//! The event of the transmit function: a client sent a message.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::data::{DataType, NotBase64, Payload};

/// The documented event: `{"websocket":{"action":"data send",…}}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransmitEvent<'a> {
    /// Its one field.
    #[serde(borrow)]
    pub websocket: DataSend<'a>,
}

/// The `websocket` part: the documented four fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename = "data send")]
pub struct DataSend<'a> {
    /// The connection that the message came in on.
    #[serde(rename = "secConnectionID", borrow)]
    pub connection_id: Cow<'a, str>,
    /// How `data` is to be read.
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
