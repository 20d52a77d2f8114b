//! One message of a client, as the connection's life sees it. Knows no frame and no JSON.

use bytes::Bytes;
use tokio_tungstenite::tungstenite::Utf8Bytes;

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
