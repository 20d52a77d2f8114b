//! The JSON of an event and of a push, which have the same shape in the floor.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// `{"websocket":{…}}`, with the documented fields of a text message.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct JsonMessage<'a> {
    #[serde(borrow)]
    pub(crate) websocket: Fields<'a>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Fields<'a> {
    action: &'a str,
    #[serde(rename = "secConnectionID", borrow)]
    pub(crate) connection_id: Cow<'a, str>,
    #[serde(rename = "dataType")]
    data_type: &'a str,
    #[serde(borrow)]
    pub(crate) data: Cow<'a, str>,
}

impl<'a> JsonMessage<'a> {
    pub(crate) fn text(connection_id: &'a str, data: &'a str) -> Self {
        let (connection_id, data) = (connection_id.into(), data.into());
        let (action, data_type) = ("data send", "text");
        Self { websocket: Fields { action, connection_id, data_type, data } }
    }
}
