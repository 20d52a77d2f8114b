//! The event of the cleanup function: a connection has ended.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use strum::VariantArray;

/// The documented event: `{"websocket":{"action":"closing","secConnectionID":"…",…}}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CleanupEvent {
    /// The one field of the event.
    pub websocket: Closing,
}

/// The `websocket` part: `action` and `secConnectionID` are documented, `closeCode` and
/// `closeReason` are ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename = "closing")]
pub struct Closing {
    /// The connection that has ended.
    #[serde(rename = "secConnectionID")]
    pub connection_id: String,
    /// The close code (RFC 6455 section 7.4) in decimal; absent if no code was sent or received.
    #[serde(rename = "closeCode", default, skip_serializing_if = "Option::is_none")]
    pub close_code: Option<String>,
    /// What ended the connection. Tencent's own gateway does not send this field.
    #[serde(rename = "closeReason", default, skip_serializing_if = "Option::is_none")]
    pub close_reason: Option<CloseReason>,
}

/// What ended a connection. On the wire: the variant's name in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, VariantArray)]
#[serde(rename_all = "lowercase")]
pub enum CloseReason {
    /// The client closed the connection.
    Client,
    /// A function pushed `closing`.
    Server,
    /// No message passed in either direction for the API's idle timeout.
    Idle,
    /// The network connection broke, a ping was not answered in time, or the client violated the
    /// WebSocket protocol.
    Lost,
    /// The client sent a message that is too large, or did not read for the write timeout.
    Limit,
    /// The token of the client expired.
    Expired,
    /// The transmit function could not be called or failed, so a message may be lost.
    Fault,
    /// The gateway shut down.
    Drain,
    /// The gateway's process died before the connection ended.
    Crash,
    /// The connection was never opened, but its register function may have run.
    Unregistered,
}

/// The text is not the wire form of any [`CloseReason`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no such close reason")]
pub struct NotACloseReason;

impl CloseReason {
    /// All reasons.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// The reason as it stands on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Server => "server",
            Self::Idle => "idle",
            Self::Lost => "lost",
            Self::Limit => "limit",
            Self::Expired => "expired",
            Self::Fault => "fault",
            Self::Drain => "drain",
            Self::Crash => "crash",
            Self::Unregistered => "unregistered",
        }
    }
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for CloseReason {
    type Err = NotACloseReason;

    fn from_str(word: &str) -> Result<Self, NotACloseReason> {
        Self::ALL.iter().copied().find(|reason| reason.as_str() == word).ok_or(NotACloseReason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_is_found_by_its_word_on_the_wire() {
        for &reason in CloseReason::ALL {
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.as_str());
            assert_eq!(reason.as_str().parse(), Ok(reason));
        }
        assert_eq!("bored".parse::<CloseReason>(), Err(NotACloseReason));
    }
}
