//! How a connection ended, or is to be closed.

use std::str::FromStr;

use strum::VariantArray;
use tokio_tungstenite::tungstenite::{
    Utf8Bytes,
    protocol::{CloseFrame, frame::coding::CloseCode},
};

/// The close code that was sent or received, if any was, what ended the connection, and what the
/// Close says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) code: Option<CloseCode>,
    pub(crate) reason: EndReason,
    /// What the Close of the gateway says, for people who look at what their client got.
    text: &'static str,
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
    /// The proof of who the client is has expired.
    Expired,
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
            Self::Expired => "expired",
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
    pub(crate) const SERVER: Self =
        Self::sent(CloseCode::Normal, EndReason::Server, "closed by a function");
    /// The gateway shuts down.
    pub(crate) const DRAIN: Self =
        Self::sent(CloseCode::Away, EndReason::Drain, "the gateway is shutting down");
    /// No message for the idle timeout.
    pub(crate) const IDLE: Self =
        Self::sent(CloseCode::Away, EndReason::Idle, "no message for too long");
    /// The client reads nothing for the write timeout, so it never sees the Close.
    pub(crate) const STALLED: Self =
        Self::sent(CloseCode::Policy, EndReason::Limit, "the client does not read");
    /// The client sends too many frames without a payload.
    pub(crate) const FLOOD: Self = Self::sent(
        CloseCode::Policy,
        EndReason::Limit,
        "more than 1000 frames without a payload in a second",
    );
    /// A message is in too many fragments.
    pub(crate) const FRAGMENTS: Self =
        Self::sent(CloseCode::Policy, EndReason::Limit, "message has too many fragments");
    /// A message came too slowly.
    pub(crate) const SLOW_SENDER: Self = Self::sent(
        CloseCode::Policy,
        EndReason::Limit,
        "message came too slowly: less than 64 KiB of it in connection.read_timeout",
    );
    /// The messages that are being received take all the memory that they may.
    pub(crate) const NO_MEMORY: Self =
        Self::sent(CloseCode::Again, EndReason::Limit, "no memory for messages, try again later");
    /// The proof of who the client is has expired.
    pub(crate) const EXPIRED: Self =
        Self::sent(CloseCode::Policy, EndReason::Expired, "the token has expired");
    /// A message is over the limit.
    pub(crate) const TOO_LARGE: Self =
        Self::sent(CloseCode::Size, EndReason::Limit, "message is too long");
    /// A text is not UTF-8.
    pub(crate) const NOT_UTF8: Self =
        Self::sent(CloseCode::Invalid, EndReason::Lost, "text is not UTF-8");
    /// The client broke the protocol.
    pub(crate) const PROTOCOL: Self =
        Self::sent(CloseCode::Protocol, EndReason::Lost, "the protocol was broken");
    /// The function could not be called, so a message may be lost.
    pub(crate) const FAULT: Self = Self::sent(
        CloseCode::Error,
        EndReason::Fault,
        "a function failed, so messages may be lost",
    );
    /// The gateway itself has made a mistake. Cleanup is told the reason `fault`.
    pub(crate) const MISTAKE: Self =
        Self::sent(CloseCode::Error, EndReason::Fault, "internal error of the gateway");
    /// The network went away.
    pub(crate) const LOST: Self = Self::of(None, EndReason::Lost);
    /// The connection was never opened, but register may have run.
    pub(crate) const UNREGISTERED: Self = Self::of(None, EndReason::Unregistered);
    /// The process died before the connection did.
    pub(crate) const CRASH: Self = Self::of(None, EndReason::Crash);

    /// An end for which the gateway sends no Close of its own: the client closed, or the end is
    /// past.
    pub(crate) const fn of(code: Option<CloseCode>, reason: EndReason) -> Self {
        Self { code, reason, text: "" }
    }

    /// An end that the gateway announces with `code` and `text`.
    const fn sent(code: CloseCode, reason: EndReason, text: &'static str) -> Self {
        Self { code: Some(code), reason, text }
    }

    /// The Close that announces this end. None if it cannot be announced.
    pub(crate) fn close_frame(self) -> Option<CloseFrame> {
        let reason = Utf8Bytes::from_static(self.text);
        self.code.map(|code| CloseFrame { code, reason })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// The document for authors of functions and clients.
    const CLOSE_CODES: &str = include_str!("../../../docs/functions.md");

    #[test]
    fn each_close_of_the_gateway_has_a_short_text_of_its_own() {
        let ends = [
            End::SERVER,
            End::DRAIN,
            End::IDLE,
            End::STALLED,
            End::FLOOD,
            End::FRAGMENTS,
            End::SLOW_SENDER,
            End::NO_MEMORY,
            End::TOO_LARGE,
            End::NOT_UTF8,
            End::PROTOCOL,
            End::EXPIRED,
            End::FAULT,
            End::MISTAKE,
        ];
        let code = include_str!("end.rs").split("#[cfg(test)]").next().unwrap();
        assert_eq!(code.matches("Self::sent(").count(), ends.len(), "an end is not in this list");
        let texts: HashSet<_> = ends.iter().map(|end| end.text).collect();
        assert_eq!(texts.len(), ends.len(), "{texts:?}");
        for end in ends {
            let frame = end.close_frame().unwrap();
            let (text, code) = (frame.reason.as_str(), end.code.unwrap());
            assert_eq!(frame.code, code);
            // RFC 6455, section 5.5: a control frame has 125 bytes, two of them for the code.
            assert!((1..=123).contains(&text.len()), "{text}");
            assert!(text.starts_with(char::is_lowercase) && !text.ends_with('.'), "{text}");
            let row = format!("\n| {} |", u16::from(code));
            assert!(CLOSE_CODES.contains(&row), "docs/functions.md has no row for {code}");
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
