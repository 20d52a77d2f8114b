//! The life of one connection: its task owns the socket, others hold its mailbox.
//!
//! One select serves all: frames, pushes, the function call in flight, and time, so that none of
//! them waits for another. Messages reach the function one at a time and in order. The task ends
//! when the socket has ended and what the client had sent until then has been forwarded. Knows
//! nothing of HTTP handshakes and of JSON.

mod forward;
mod inbox;
mod keepalive;
mod outbound;
mod socket;
mod stall;
mod wire;

use std::{future::pending, pin::pin, sync::Arc};

use shared::event::cleanup::CloseReason;
use tokio::{
    net::TcpStream,
    sync::oneshot,
    time::{Instant, sleep_until},
};
use tracing::{debug, warn};

use self::{
    forward::{Forward, Forwarded, Forwarding},
    inbox::Inbox,
    keepalive::{Due, Keepalive},
    outbound::Outbound,
    socket::{Socket, SocketEvent},
};
use crate::{
    call::{Caller, Rest},
    registry::{End, Entry, Frame},
    settings::ConnectionSettings,
};

/// Bytes of messages that are written with one flush.
const BATCH_BYTES: usize = 64 << 10;

/// A connection whose handshake is done.
pub(crate) struct Connection {
    entry: Entry,
    settings: Arc<ConnectionSettings>,
    socket: Socket,
    inbox: Inbox,
    forward: Forward,
    keepalive: Keepalive,
    outbound: Outbound,
    /// The message that the function has at present.
    forwarding: Option<Forwarding>,
    /// The rest of a call whose time ran out.
    rest: Option<Rest>,
    /// What had been read when the client's liveness was last looked at.
    bytes_read: u64,
    phase: Phase,
    /// When a client that does not take what is being flushed has had its time, because the
    /// connection is to be closed.
    close_by: Option<(Instant, End)>,
    drain: Drain,
}

/// Whether the gateway drains, and what the connection still has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Drain {
    No,
    /// What the client had sent goes out; nothing more is read.
    Forwarding,
    /// All of it has gone out. The Close comes after what is on its way to the client.
    Done,
}

/// How far the connection's life is.
#[derive(Debug, Clone, Copy)]
enum Phase {
    Open,
    /// A Close has been sent or received; the socket has until `deadline` to end.
    Closing {
        end: End,
        deadline: Instant,
    },
    /// The socket has ended.
    Ended(End),
}

/// What the select found to do.
enum Work {
    Socket(SocketEvent),
    Mail,
    Forwarded(Forwarded),
    Time,
}

impl Connection {
    /// A connection over `stream`, on which `early` bytes have already been read.
    pub(crate) fn new(
        stream: TcpStream,
        early: Vec<u8>,
        entry: Entry,
        settings: Arc<ConnectionSettings>,
        caller: Caller,
    ) -> Self {
        let now = Instant::now();
        let config = entry.handle.api.config();
        Self {
            socket: Socket::new(stream, early, entry.handle.message_bytes_max),
            inbox: Inbox::new(settings.receive_queue),
            forward: Forward::new(caller, Arc::clone(&entry.handle), entry.id),
            keepalive: Keepalive::new(now, &settings, config.settings.idle_timeout),
            outbound: Outbound::new(now, settings.write_timeout),
            forwarding: None,
            rest: None,
            bytes_read: 0,
            phase: Phase::Open,
            close_by: None,
            drain: Drain::No,
            settings,
            entry,
        }
    }

    /// Lives until the end, which it gives, with the rest of a call that nobody waits for.
    pub(crate) async fn run(mut self) -> (End, Option<Rest>) {
        self.entry.handle.mailbox.open();
        let end = self.run_inner().await;
        debug!(connection.id = %self.entry.id, ?end, "connection closed");
        (end, self.rest)
    }

    async fn run_inner(&mut self) -> End {
        let mut timer = pin!(sleep_until(self.next_deadline()));
        loop {
            self.forward_next();
            self.close_drained();
            if let (Phase::Ended(end), None) = (self.phase, &self.forwarding) {
                return end;
            }
            // The timer is only moved when it would be late; one that fires early finds nothing
            // due. So a message costs no timer.
            let deadline = self.next_deadline();
            if deadline < timer.deadline() || timer.is_elapsed() {
                timer.as_mut().reset(deadline);
            }
            let (live, reads) = (!self.is_ended(), self.reads());
            // In this order: a pong that has arrived is seen before the client is taken for lost.
            // Neither of the first two can keep the others waiting: a connection has one call in
            // flight, and arrivals have a bound.
            let work = tokio::select! {
                biased;
                forwarded = in_flight(&mut self.forwarding) => Work::Forwarded(forwarded),
                () = self.entry.handle.mailbox.arrived() => Work::Mail,
                event = self.socket.next(reads), if live => Work::Socket(event),
                () = timer.as_mut(), if live => Work::Time,
            };
            match work {
                Work::Socket(event) => self.on_socket(event),
                Work::Mail => self.on_mail(),
                Work::Forwarded(forwarded) => self.on_forwarded(forwarded),
                Work::Time => self.on_time(Instant::now()),
            }
        }
    }

    /// Hands the next message to the function, unless it still has one, or a reply to the last
    /// one has not been taken by the client yet.
    fn forward_next(&mut self) {
        if self.entry.registry.is_cut() {
            return self.cut();
        }
        let holds = self.socket.is_flushing() && self.entry.handle.api.config().settings.reply;
        if self.forwarding.is_none() && !holds {
            self.forwarding = self.inbox.pop().map(|message| self.forward.start(&message));
        }
    }

    /// The time of the drain is up: the client is told that messages may be lost, if any may be.
    fn cut(&mut self) {
        let in_flight = self.forwarding.take();
        if in_flight.is_none() && self.inbox.is_empty() {
            return;
        }
        self.rest = in_flight.map(forward::rest).or(self.rest.take());
        self.drop_unforwarded();
        self.fail(End::FAULT);
    }

    /// Closes when the gateway drains and all that the client had sent has gone out.
    fn close_drained(&mut self) {
        let is_done = self.forwarding.is_none() && self.inbox.is_empty();
        if self.drain == Drain::Forwarding && is_done {
            self.drain = Drain::Done;
            self.entry.handle.mailbox.close(End::DRAIN);
        }
    }

    fn on_socket(&mut self, event: SocketEvent) {
        let now = Instant::now();
        // That the system has room proves nothing; that room came to be proves that the client
        // reads.
        if !matches!(event, SocketEvent::Flushed { waited: false }) {
            self.keepalive.heard(now);
        }
        match (event, self.phase) {
            (SocketEvent::Message(message), phase) => {
                self.keepalive.message(now);
                // What crosses with our Close was sent before the client could know.
                if !phase.is_fault() {
                    self.inbox.push(message);
                }
            }
            // A client that pings all the time and reads nothing leaves no time for the timer.
            (SocketEvent::Heard, Phase::Open) if now >= self.next_deadline() => self.on_time(now),
            (SocketEvent::Heard, _) => {}
            (SocketEvent::Flushed { .. }, _) => {
                self.outbound.flushed();
                self.on_mail();
            }
            (SocketEvent::Closing(end), Phase::Open) => self.closing(end),
            (SocketEvent::Closing(_), _) => {}
            (SocketEvent::Ended, Phase::Open) => self.ended(End::LOST),
            (SocketEvent::Ended, Phase::Closing { end, .. } | Phase::Ended(end)) => self.ended(end),
        }
    }

    fn on_forwarded(&mut self, forwarded: Forwarded) {
        self.forwarding = None;
        match forwarded {
            Forwarded::Done(None) => {}
            Forwarded::Done(Some(reply)) => self.write_message(reply, None),
            Forwarded::TooLarge => {
                self.drop_unforwarded();
                self.fail(End::TOO_LARGE);
            }
            Forwarded::Fault(rest) => {
                self.rest = rest;
                // The client is told that messages may be lost, so what it sent after this one
                // must not be acted on.
                self.drop_unforwarded();
                self.fail(End::FAULT);
            }
        }
    }

    fn drop_unforwarded(&mut self) {
        let messages = self.inbox.clear();
        if messages > 0 {
            let id = self.entry.id;
            warn!(connection.id = %id, messages, "messages of connection {id} were not forwarded");
        }
    }

    /// Closes because of a message that was lost. Where a Close has been exchanged already, the
    /// cleanup function at least learns why.
    fn fail(&mut self, end: End) {
        match &mut self.phase {
            Phase::Open => self.close(end),
            Phase::Closing { end: known, .. } | Phase::Ended(known) => known.reason = end.reason,
        }
    }

    fn on_time(&mut self, now: Instant) {
        if let Phase::Closing { end, deadline } = self.phase {
            if now >= deadline {
                self.ended(end);
            }
            return;
        }
        if self.socket.is_flushing() {
            if let Some((_, end)) = self.close_by.filter(|(by, _)| now >= *by) {
                // The Close is behind what the client does not take.
                self.ended(End { code: None, ..end });
            } else if self.outbound.is_stalled(now, &self.socket) {
                let id = self.entry.id;
                warn!(connection.id = %id, "connection {id} closed: the client takes nothing");
                // Nothing more can be written, so no Close either.
                self.ended(End::STALLED);
            }
            return;
        }
        let bytes_read = self.socket.bytes_read();
        if !self.reads() || bytes_read != self.bytes_read {
            // Whether the client lives cannot be known while nothing is read from it; and one that
            // is in the middle of a long message cannot answer a ping.
            self.bytes_read = bytes_read;
            self.keepalive.heard(now);
        }
        match self.keepalive.due(now) {
            Due::Nothing => {}
            Due::Ping => self.outbound.ping(now, &mut self.socket),
            Due::Lost => self.ended(End::LOST),
            // A function at work is activity, even if the client is silent meanwhile.
            Due::Idle if self.forwarding.is_some() => self.keepalive.message(now),
            Due::Idle => self.close(End::IDLE),
        }
    }

    /// Writes what the mailbox has: one batch at a time, so that what is not written yet waits
    /// there, where it is counted and can be taken back.
    fn on_mail(&mut self) {
        let mailbox = &self.entry.handle.mailbox;
        if !self.is_open() {
            return;
        }
        if self.drain == Drain::No && mailbox.is_draining() {
            self.drain = Drain::Forwarding;
        }
        if self.socket.is_flushing() {
            let by = Instant::now() + self.settings.close_timeout;
            self.close_by = self.close_by.or(mailbox.asked_to_close().map(|end| (by, end)));
            return;
        }
        let batch = mailbox.take(BATCH_BYTES);
        for (frame, written) in batch.letters {
            self.write_message(frame, Some(written));
        }
        if let Some(end) = batch.close {
            self.close(end);
        }
    }

    fn write_message(&mut self, frame: Frame, written: Option<oneshot::Sender<()>>) {
        if !self.is_open() {
            return;
        }
        let now = Instant::now();
        self.keepalive.message(now);
        self.outbound.write(now, &mut self.socket, frame, written);
    }

    /// Sends a Close.
    fn close(&mut self, end: End) {
        if let (Phase::Open, Some(code)) = (self.phase, end.code) {
            self.socket.close(code);
            self.closing(end);
        }
    }

    /// The closing handshake has begun. From here on the connection is gone for pushers.
    fn closing(&mut self, end: End) {
        let deadline = Instant::now() + self.settings.close_timeout;
        self.phase = Phase::Closing { end, deadline };
        self.entry.handle.mailbox.shut();
    }

    fn ended(&mut self, end: End) {
        self.phase = Phase::Ended(end);
        self.entry.handle.mailbox.shut();
        self.outbound.lost();
        self.socket.abandon();
    }

    fn is_ended(&self) -> bool {
        matches!(self.phase, Phase::Ended(_))
    }

    fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Open)
    }

    /// Whether more is read from the client. After a fault always: what it sends is not kept. Not
    /// while the gateway drains, or a client that goes on sending would never be done.
    fn reads(&self) -> bool {
        let drains = self.is_open() && self.drain != Drain::No;
        self.phase.is_fault() || self.inbox.has_room() && !drains
    }

    fn next_deadline(&self) -> Instant {
        match self.phase {
            Phase::Closing { deadline, .. } => deadline,
            Phase::Open if self.socket.is_flushing() => {
                let stall = self.outbound.deadline();
                self.close_by.map_or(stall, |(by, _)| stall.min(by))
            }
            // Once ended only the call in flight is waited for, which has its own deadline.
            Phase::Open | Phase::Ended(_) => self.keepalive.deadline(),
        }
    }
}

impl Phase {
    /// Whether the client has been told that messages may be lost.
    fn is_fault(self) -> bool {
        match self {
            Self::Open => false,
            Self::Closing { end, .. } | Self::Ended(end) => {
                matches!(end.reason, CloseReason::Fault | CloseReason::Limit)
            }
        }
    }
}

async fn in_flight(forwarding: &mut Option<Forwarding>) -> Forwarded {
    match forwarding {
        Some(forwarding) => forwarding.await,
        None => pending().await,
    }
}
