//! Whose call it is: what log lines of a call say beside its outcome.

use std::sync::Arc;

use shared::connection_id::ConnectionId;

/// The event of a call, and the connection and the API that it is of.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    pub(crate) event: EventName,
    pub(crate) api_id: Arc<str>,
    pub(crate) connection_id: ConnectionId,
}

/// Which of the three functions is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum EventName {
    Register,
    Transmit,
    Cleanup,
}

impl EventName {
    /// The word for the event in logs.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Register => "register",
            Self::Transmit => "transmit",
            Self::Cleanup => "cleanup",
        }
    }
}
