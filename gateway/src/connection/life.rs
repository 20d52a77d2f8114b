//! The life of a connection as a state machine: open, draining, closing, ended.
//!
//! Pure: takes events and `now`, and returns what to do. Does no I/O, holds no timer and knows
//! neither messages nor the socket. The connection's task acts.

use std::time::Duration;

use tokio::time::Instant;

use crate::registry::{End, EndReason};

/// How far a connection's life is, and how it ends.
#[derive(Debug)]
pub(super) struct Life {
    stage: Stage,
    /// A Close that waits until the client has read what is being written.
    waiting: Option<Closing>,
    /// Whether messages of the client are still handed to the function.
    forwards: bool,
    /// How long a closing handshake may take, from when the client last read something.
    close_timeout: Duration,
}

#[derive(Debug, Clone, Copy)]
enum Stage {
    Open,
    /// The gateway drains. Received messages are still forwarded, and pushes are written.
    Draining {
        /// Whether all of them have been forwarded, so that the Close has been asked for.
        forwarded: bool,
    },
    /// A Close has been sent or received.
    Closing(Closing),
    Ended(End),
}

#[derive(Debug, Clone, Copy)]
struct Closing {
    end: End,
    /// When the socket is given up if it has not ended before.
    deadline: Instant,
}

/// What happened.
#[derive(Debug, Clone, Copy)]
pub(super) enum Event {
    /// The gateway drains.
    Drain,
    /// All received messages have been forwarded.
    Forwarded,
    /// The drain has no more time for forwarding.
    Cut,
    /// A Close was asked for, and must wait until the client has read what is being written.
    CloseWaits(End),
    /// A Close is to be sent now.
    Close(End),
    /// The client has read some of what is being written. What was begun is finished, so a Close
    /// waits.
    Taken,
    /// The socket has received a Close, or has sent one because the client broke the protocol.
    SocketClosing(End),
    /// A message was lost, and the client must learn of it.
    Fault(End),
    /// The client cannot be reached any more.
    Unreachable(End),
    /// The socket has ended.
    SocketEnded,
    /// Time has passed.
    Time,
}

/// What the connection's task has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Nothing,
    /// Ask the mailbox for a Close behind the messages in it.
    QueueClose(End),
    /// Write a Close, and refuse pushes from now on.
    SendClose(End),
    /// Refuse pushes from now on.
    ShutMailbox,
    /// Refuse pushes from now on, and drop the socket.
    Abandon,
}

impl Life {
    /// The life of a connection that has just been opened.
    pub(super) fn new(close_timeout: Duration) -> Self {
        Self { stage: Stage::Open, waiting: None, forwards: true, close_timeout }
    }

    /// Takes an event, and says what to do.
    pub(super) fn on(&mut self, event: Event, now: Instant) -> Action {
        match event {
            Event::Drain => {
                if let Stage::Open = self.stage {
                    self.stage = Stage::Draining { forwarded: false };
                }
                Action::Nothing
            }
            Event::Forwarded => match &mut self.stage {
                Stage::Draining { forwarded: forwarded @ false } => {
                    *forwarded = true;
                    Action::QueueClose(End::DRAIN)
                }
                Stage::Open | Stage::Draining { .. } | Stage::Closing(_) | Stage::Ended(_) => {
                    Action::Nothing
                }
            },
            Event::Cut => {
                self.forwards = false;
                Action::Nothing
            }
            Event::CloseWaits(end) => {
                if self.is_open() {
                    let deadline = now + self.close_timeout;
                    self.waiting.get_or_insert(Closing { end, deadline });
                }
                Action::Nothing
            }
            Event::Taken => {
                // After the cut a slow client must not hold up the drain.
                let deadline = now + self.close_timeout;
                if let (true, Some(closing)) = (self.forwards, self.pending_close()) {
                    closing.deadline = deadline;
                }
                Action::Nothing
            }
            Event::Close(end) => self.close(end, now),
            Event::SocketClosing(end) if self.is_open() => {
                self.closing(end, now);
                Action::ShutMailbox
            }
            Event::SocketClosing(_) => Action::Nothing,
            Event::Fault(end) => self.fault(end, now),
            Event::Unreachable(end) => self.end(end),
            Event::SocketEnded => self.end(End::LOST),
            Event::Time => self.time(now),
        }
    }

    /// How the connection ended, if it has.
    pub(super) fn ended(&self) -> Option<End> {
        match self.stage {
            Stage::Ended(end) => Some(end),
            Stage::Open | Stage::Draining { .. } | Stage::Closing(_) => None,
        }
    }

    /// Whether frames may be written: no Close has been sent or received.
    pub(super) fn is_open(&self) -> bool {
        matches!(self.stage, Stage::Open | Stage::Draining { .. })
    }

    /// Whether the client's messages are left unread: a client that goes on sending would hold up
    /// the drain for ever.
    pub(super) fn is_draining(&self) -> bool {
        matches!(self.stage, Stage::Draining { .. })
    }

    /// Whether messages of the client are still handed to the function.
    pub(super) fn forwards(&self) -> bool {
        self.forwards
    }

    /// Whether the client has been closed because messages may be lost, or its token has expired:
    /// what it sends is dropped.
    pub(super) fn is_fault(&self) -> bool {
        match self.stage {
            Stage::Open | Stage::Draining { .. } => false,
            Stage::Closing(Closing { end, .. }) | Stage::Ended(end) => {
                matches!(end.reason, EndReason::Fault | EndReason::Limit | EndReason::Expired)
            }
        }
    }

    /// When [`Event::Time`] has something to do.
    pub(super) fn deadline(&self) -> Option<Instant> {
        match self.stage {
            Stage::Open | Stage::Draining { .. } => self.waiting.map(|waiting| waiting.deadline),
            Stage::Closing(closing) => Some(closing.deadline),
            Stage::Ended(_) => None,
        }
    }

    /// The Close that was sent or received, or that waits.
    fn pending_close(&mut self) -> Option<&mut Closing> {
        match &mut self.stage {
            Stage::Open | Stage::Draining { .. } => self.waiting.as_mut(),
            Stage::Closing(closing) => Some(closing),
            Stage::Ended(_) => None,
        }
    }

    /// Closes, unless a Close has been sent or received. An end without a code cannot be announced.
    fn close(&mut self, end: End, now: Instant) -> Action {
        match end.code {
            _ if !self.is_open() => Action::Nothing,
            None => self.end(end),
            Some(_) => {
                self.closing(end, now);
                Action::SendClose(end)
            }
        }
    }

    fn closing(&mut self, end: End, now: Instant) {
        let deadline = now + self.close_timeout;
        self.stage = Stage::Closing(Closing { end, deadline });
        self.waiting = None;
    }

    /// Where a Close has been sent or received already, the cleanup function at least learns why.
    fn fault(&mut self, fault: End, now: Instant) -> Action {
        match &mut self.stage {
            Stage::Open | Stage::Draining { .. } => self.close(fault, now),
            Stage::Closing(Closing { end, .. }) | Stage::Ended(end) => {
                end.reason = fault.reason;
                Action::Nothing
            }
        }
    }

    /// Ends with `end`, or with what the Close has said before.
    fn end(&mut self, end: End) -> Action {
        let end = match self.stage {
            Stage::Open | Stage::Draining { .. } => end,
            Stage::Closing(Closing { end, .. }) => end,
            Stage::Ended(_) => return Action::Nothing,
        };
        self.stage = Stage::Ended(end);
        self.waiting = None;
        Action::Abandon
    }

    fn time(&mut self, now: Instant) -> Action {
        if self.deadline().is_none_or(|deadline| now < deadline) {
            return Action::Nothing;
        }
        match (self.stage, self.waiting) {
            (Stage::Closing(Closing { end, .. }), _) => self.end(end),
            // The client has not seen the Close: it is behind what the client does not read.
            (_, Some(Closing { end, .. })) => self.end(End::of(None, end.reason)),
            (_, None) => Action::Nothing,
        }
    }
}

#[cfg(test)]
mod tests;
