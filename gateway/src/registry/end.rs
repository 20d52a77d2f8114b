//! How a connection ended, or is to be closed.

use std::str::FromStr;

use strum::VariantArray;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

/// The close code that was sent or received, if any was, and what ended the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) code: Option<CloseCode>,
    pub(crate) reason: EndReason,
}

/// What ended a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, VariantArray)]
pub(crate) enum EndReason {
    /// The client closed the connection.
    Client,
    /// A function closed the connection.
    Server,
    /// There was no message for the idle timeout.
    Idle,
    /// The network went away, or the client broke the protocol.
    Lost,
    /// The client crossed a limit.
    Limit,
    /// A function could not be called, so a message may be lost.
    Fault,
    /// The gateway shut down.
    Drain,
    /// The process died.
    Crash,
    /// The connection was never opened, but register may have run.
    Unregistered,
}

/// The word stands for no reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotAnEndReason;

impl EndReason {
    pub(crate) const ALL: &[Self] = Self::VARIANTS;

    /// The word for the reason, in the journal and for operators.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Server => "server",
            Self::Idle => "idle",
            Self::Lost => "lost",
            Self::Limit => "limit",
            Self::Fault => "fault",
            Self::Drain => "drain",
            Self::Crash => "crash",
            Self::Unregistered => "unregistered",
        }
    }
}

impl FromStr for EndReason {
    type Err = NotAnEndReason;

    fn from_str(word: &str) -> Result<Self, NotAnEndReason> {
        Self::ALL.iter().copied().find(|reason| reason.as_str() == word).ok_or(NotAnEndReason)
    }
}

impl End {
    /// A function pushed `closing`.
    pub(crate) const SERVER: Self = Self::sent(CloseCode::Normal, EndReason::Server);
    /// The gateway shuts down.
    pub(crate) const DRAIN: Self = Self::sent(CloseCode::Away, EndReason::Drain);
    /// No message for the idle timeout.
    pub(crate) const IDLE: Self = Self::sent(CloseCode::Away, EndReason::Idle);
    /// The client reads nothing for the write timeout, so it never sees the code.
    pub(crate) const STALLED: Self = Self::sent(CloseCode::Policy, EndReason::Limit);
    /// The client sends too many frames without a payload, or too many fragments.
    pub(crate) const FLOOD: Self = Self::sent(CloseCode::Policy, EndReason::Limit);
    /// A message came too slowly.
    pub(crate) const SLOW_SENDER: Self = Self::sent(CloseCode::Policy, EndReason::Limit);
    /// The messages that are being received take all the memory that they may.
    pub(crate) const NO_MEMORY: Self = Self::sent(CloseCode::Again, EndReason::Limit);
    /// A message is over the limit.
    pub(crate) const TOO_LARGE: Self = Self::sent(CloseCode::Size, EndReason::Limit);
    /// The function could not be called, so a message may be lost.
    pub(crate) const FAULT: Self = Self::sent(CloseCode::Error, EndReason::Fault);
    /// The network went away.
    pub(crate) const LOST: Self = Self { code: None, reason: EndReason::Lost };
    /// The connection was never opened, but register may have run.
    pub(crate) const UNREGISTERED: Self = Self { code: None, reason: EndReason::Unregistered };
    /// The process died before the connection did.
    pub(crate) const CRASH: Self = Self { code: None, reason: EndReason::Crash };

    /// An end that the gateway announces with `code`.
    pub(crate) const fn sent(code: CloseCode, reason: EndReason) -> Self {
        Self { code: Some(code), reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_is_found_by_its_word() {
        for &reason in EndReason::ALL {
            assert_eq!(reason.as_str().parse(), Ok(reason));
        }
        assert_eq!("bored".parse::<EndReason>(), Err(NotAnEndReason));
    }
}
