//! One message, from a client or to one. Knows no frame and no JSON.

use bytes::Bytes;
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// A message. Cloning it shares the content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Message {
    Text(Utf8Bytes),
    Binary(Bytes),
}

impl Message {
    /// The bytes that it counts for in a bounded queue: its content, and a fixed number more, so
    /// that the number of empty messages is bounded too.
    pub(crate) fn weight(&self) -> usize {
        const OVERHEAD: usize = 64;
        self.as_bytes().len() + OVERHEAD
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Binary(bytes) => bytes,
        }
    }

    pub(crate) fn into_bytes(self) -> Bytes {
        match self {
            Self::Text(text) => text.into(),
            Self::Binary(bytes) => bytes,
        }
    }
}
