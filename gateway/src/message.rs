//! One WebSocket message, as the connection's life sees it. Knows no frame and no JSON.

use bytes::Bytes;
use shared::data::Payload;
use tokio_tungstenite::tungstenite::{self, Utf8Bytes};

/// A message. Cloning it shares the content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Message {
    Text(Utf8Bytes),
    Binary(Bytes),
}

impl Message {
    /// What it counts for in a queue with a bound: its bytes, and some for itself, so that empty
    /// ones have a bound too.
    pub(crate) fn weight(&self) -> usize {
        const OVERHEAD: usize = 64;
        self.len() + OVERHEAD
    }

    /// Bytes of its content.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Binary(bytes) => bytes.len(),
        }
    }
}

impl From<Message> for tungstenite::Message {
    fn from(message: Message) -> Self {
        match message {
            Message::Text(text) => Self::Text(text),
            Message::Binary(bytes) => Self::Binary(bytes),
        }
    }
}

impl From<Payload> for Message {
    fn from(payload: Payload) -> Self {
        match payload {
            Payload::Text(text) => Self::Text(text.into()),
            Payload::Binary(bytes) => Self::Binary(bytes.into()),
        }
    }
}
