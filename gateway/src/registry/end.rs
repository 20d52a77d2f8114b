//! How a connection ended, or is to be ended.

use shared::event::cleanup::CloseReason;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

/// The close code that was sent or received, if any was, and what ended the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) code: Option<CloseCode>,
    pub(crate) reason: CloseReason,
}

impl End {
    /// A function pushed `closing`.
    pub(crate) const SERVER: Self = Self::sent(CloseCode::Normal, CloseReason::Server);
    /// The gateway shuts down.
    pub(crate) const DRAIN: Self = Self::sent(CloseCode::Away, CloseReason::Drain);
    /// No message for the idle timeout.
    pub(crate) const IDLE: Self = Self::sent(CloseCode::Away, CloseReason::Idle);
    /// The client takes nothing for the write timeout, so it never sees the code.
    pub(crate) const STALLED: Self = Self::sent(CloseCode::Policy, CloseReason::Limit);
    /// A message is larger than may be.
    pub(crate) const TOO_LARGE: Self = Self::sent(CloseCode::Size, CloseReason::Limit);
    /// The function could not be called, so a message may be lost.
    pub(crate) const FAULT: Self = Self::sent(CloseCode::Error, CloseReason::Fault);
    /// The network went away.
    pub(crate) const LOST: Self = Self { code: None, reason: CloseReason::Lost };
    /// The connection was never opened, but register may have run.
    pub(crate) const UNREGISTERED: Self = Self { code: None, reason: CloseReason::Unregistered };
    /// The process died before the connection did.
    pub(crate) const CRASH: Self = Self { code: None, reason: CloseReason::Crash };

    /// An end that the gateway announces with `code`.
    pub(crate) const fn sent(code: CloseCode, reason: CloseReason) -> Self {
        Self { code: Some(code), reason }
    }
}
