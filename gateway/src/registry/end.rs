//! How a connection ended, or is to be closed.

use std::str::FromStr;

use strum::VariantArray;
use tokio_tungstenite::tungstenite::{
    Utf8Bytes,
    protocol::{CloseFrame, frame::coding::CloseCode},
};

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

    /// The Close that announces this end. None if it cannot be announced.
    pub(crate) fn close_frame(self) -> Option<CloseFrame> {
        let reason = Utf8Bytes::from_static(self.text());
        self.code.map(|code| CloseFrame { code, reason })
    }

    /// What the Close says, for people who look at what their client got.
    fn text(self) -> &'static str {
        match (self.reason, self.code) {
            (EndReason::Server, _) => "closed by a function",
            (EndReason::Drain, _) => "the gateway is shutting down",
            (EndReason::Idle, _) => "no message for too long",
            (EndReason::Fault, _) => "a function failed, so messages may be lost",
            (EndReason::Limit, Some(CloseCode::Size)) => "message is too long",
            (EndReason::Limit, Some(CloseCode::Again)) => "no memory for messages, try again later",
            (EndReason::Limit, _) => {
                "a message came too slowly, or there were too many empty frames or fragments"
            }
            (EndReason::Lost, _) => "the protocol was broken",
            // The gateway sends no Close of its own then.
            (EndReason::Client | EndReason::Crash | EndReason::Unregistered, _) => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_close_of_the_gateway_has_a_short_text_of_its_own_kind() {
        let ends = [
            End::SERVER,
            End::DRAIN,
            End::IDLE,
            End::STALLED,
            End::FLOOD,
            End::SLOW_SENDER,
            End::NO_MEMORY,
            End::TOO_LARGE,
            End::FAULT,
            End::sent(CloseCode::Protocol, EndReason::Lost),
        ];
        for end in ends {
            let frame = end.close_frame().unwrap();
            let (text, code) = (frame.reason.as_str(), end.code.unwrap());
            assert_eq!(frame.code, code);
            // RFC 6455, section 5.5: a control frame has 125 bytes, two of them for the code.
            assert!((1..=123).contains(&text.len()), "{text}");
            assert!(text.starts_with(char::is_lowercase) && !text.ends_with('.'), "{text}");
        }
        assert_eq!(End::LOST.close_frame(), None);
    }

    #[test]
    fn each_reason_is_found_by_its_word() {
        for &reason in EndReason::ALL {
            assert_eq!(reason.as_str().parse(), Ok(reason));
        }
        assert_eq!("bored".parse::<EndReason>(), Err(NotAnEndReason));
    }
}
