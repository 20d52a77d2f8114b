//! The life of one connection: its task owns the socket, others hold its mailbox.
//!
//! One select serves all: frames, pushes, the function call in flight, and time, so that none of
//! them waits for another. Messages reach the function one at a time and in order. The task ends
//! when the socket has ended and what the client had sent until then has been forwarded. Knows
//! nothing of HTTP handshakes and of JSON.

mod decoder;
mod forward;
mod inbox;
mod keepalive;
mod life;
mod outbound;
mod socket;
mod stall;
#[cfg(test)]
mod testing;
mod wire;

use std::{future::pending, pin::pin, sync::Arc};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::oneshot,
    time::{Instant, sleep_until},
};
use tracing::{debug, warn};

use self::{
    forward::{Forward, Forwarded, Forwarding},
    inbox::Inbox,
    keepalive::{Due, Keepalive},
    life::{Action, Event, Life},
    outbound::Outbound,
    socket::{Socket, SocketEvent},
};
use crate::{
    call::{Caller, Rest},
    registry::{End, Entry, Frame, Requests},
    settings::ConnectionSettings,
};

/// Bytes of messages that are written with one flush.
const BATCH_BYTES: usize = 64 << 10;

/// A connection whose handshake is done.
pub(crate) struct Connection<S> {
    entry: Entry,
    socket: Socket<S>,
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
    life: Life,
}

/// What the select found to do.
enum Work {
    Socket(SocketEvent),
    Mail,
    Forwarded(Forwarded),
    Time,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// A connection over `stream`, on which `early` bytes have already been read.
    pub(crate) fn new(
        stream: S,
        early: Vec<u8>,
        entry: Entry,
        settings: &ConnectionSettings,
        caller: Caller,
    ) -> Self {
        let now = Instant::now();
        let config = entry.handle.api.config();
        Self {
            socket: Socket::new(stream, early, entry.handle.message_bytes_max),
            inbox: Inbox::new(settings.receive_queue),
            forward: Forward::new(caller, Arc::clone(&entry.handle)),
            keepalive: Keepalive::new(now, settings, config.settings.idle_timeout),
            outbound: Outbound::new(now, settings.write_timeout),
            forwarding: None,
            rest: None,
            bytes_read: 0,
            life: Life::new(settings.close_timeout),
            entry,
        }
    }

    /// Lives until the end, which it gives, with the rest of a call that nobody waits for.
    pub(crate) async fn run(mut self) -> (End, Option<Rest>) {
        self.entry.handle.mailbox.open();
        let end = self.run_inner().await;
        let open_for = self.entry.handle.info.opened_at.elapsed().unwrap_or_default();
        debug!(connection.id = %self.entry.handle.info.id, ?end, ?open_for, "connection closed");
        (end, self.rest)
    }

    async fn run_inner(&mut self) -> End {
        let mut timer = pin!(sleep_until(self.next_deadline()));
        loop {
            self.forward_next();
            self.close_drained();
            if let (Some(end), None) = (self.life.ended(), &self.forwarding) {
                return end;
            }
            // The timer is only moved when it would be late; one that fires early finds nothing
            // due. So a message costs no timer.
            let deadline = self.next_deadline();
            if deadline < timer.deadline() || timer.is_elapsed() {
                timer.as_mut().reset(deadline);
            }
            let (live, reads) = (self.life.ended().is_none(), self.reads());
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
        if !self.life.forwards() {
            return self.cut();
        }
        let holds = self.socket.is_flushing() && self.entry.handle.api.config().settings.reply;
        if self.forwarding.is_none() && !holds {
            self.forwarding = self.inbox.pop().map(|message| self.forward.start(&message));
        }
    }

    /// The drain has no more time: the client is told that messages may be lost, if any may be.
    fn cut(&mut self) {
        let in_flight = self.forwarding.take();
        if in_flight.is_none() && self.inbox.is_empty() {
            return;
        }
        self.rest = in_flight.map(forward::rest).or(self.rest.take());
        self.drop_unforwarded();
        self.tell(Event::Fault(End::FAULT));
    }

    /// Closes when the gateway drains and all that the client had sent has been forwarded.
    fn close_drained(&mut self) {
        if self.life.is_draining() && self.forwarding.is_none() && self.inbox.is_empty() {
            self.tell(Event::Forwarded);
        }
    }

    fn on_socket(&mut self, event: SocketEvent) {
        let now = Instant::now();
        // That the system has room proves nothing; that room came to be proves that the client
        // reads.
        if !matches!(event, SocketEvent::Flushed { waited: false }) {
            self.keepalive.heard(now);
        }
        if matches!(event, SocketEvent::Heard) {
            self.outbound.heard(now, &self.socket);
        }
        match event {
            SocketEvent::Message(message) => {
                self.keepalive.message(now);
                // A message that crosses with our Close was sent before the client could know.
                if !self.life.is_fault() {
                    self.inbox.push(message);
                }
            }
            // A client that pings all the time and reads nothing leaves no time for the timer.
            SocketEvent::Heard if self.life.is_open() && now >= self.next_deadline() => {
                self.on_time(now);
            }
            SocketEvent::Heard => {}
            SocketEvent::Flushed { .. } => {
                self.outbound.flushed();
                self.on_mail();
            }
            SocketEvent::Closing(end) => self.tell_at(Event::SocketClosing(end), now),
            SocketEvent::Ended => self.tell_at(Event::SocketEnded, now),
        }
    }

    fn on_forwarded(&mut self, forwarded: Forwarded) {
        self.forwarding = None;
        match forwarded {
            Forwarded::Done(None) => {}
            Forwarded::Done(Some(reply)) => self.write_message(reply, None),
            Forwarded::TooLarge => {
                self.drop_unforwarded();
                self.tell(Event::Fault(End::TOO_LARGE));
            }
            Forwarded::Fault(rest) => {
                self.rest = rest;
                // The client is told that messages may be lost, so what it sent after this one
                // must not be acted on.
                self.drop_unforwarded();
                self.tell(Event::Fault(End::FAULT));
            }
        }
    }

    fn drop_unforwarded(&mut self) {
        let messages = self.inbox.clear();
        if messages > 0 {
            let id = self.entry.handle.info.id;
            warn!(connection.id = %id, messages, "messages of connection {id} were not forwarded");
        }
    }

    fn on_time(&mut self, now: Instant) {
        // The deadline of a Close that waits for a flush counts as well as that of a Close that
        // was written.
        self.tell_at(Event::Time, now);
        if !self.life.is_open() {
            return;
        }
        if self.socket.is_flushing() {
            if self.outbound.is_stalled(now, &self.socket) {
                let id = self.entry.handle.info.id;
                warn!(connection.id = %id, "connection {id} closed: the client takes nothing");
                // Nothing more can be written, so no Close either.
                self.tell_at(Event::Unreachable(End::STALLED), now);
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
            Due::Lost => self.tell_at(Event::Unreachable(End::LOST), now),
            // A function at work is activity, even if the client is silent meanwhile.
            Due::Idle if self.forwarding.is_some() => self.keepalive.message(now),
            Due::Idle => self.tell_at(Event::Close(End::IDLE), now),
        }
    }

    /// Writes what the mailbox has: one batch at a time, so that what is not written yet waits
    /// there, where it is counted and can be taken back.
    fn on_mail(&mut self) {
        let Requests { close, drain, cut } = self.entry.handle.mailbox.requests();
        if drain {
            self.tell(Event::Drain);
        }
        if cut {
            self.tell(Event::Cut);
        }
        if !self.life.is_open() {
            return;
        }
        if self.socket.is_flushing() {
            if let Some(end) = close {
                self.tell(Event::CloseWaits(end));
            }
            return;
        }
        let batch = self.entry.handle.mailbox.take(BATCH_BYTES);
        for (frame, written) in batch.letters {
            self.write_message(frame, Some(written));
        }
        if let Some(end) = batch.close {
            self.tell(Event::Close(end));
        }
    }

    fn write_message(&mut self, frame: Frame, written: Option<oneshot::Sender<()>>) {
        if !self.life.is_open() {
            return;
        }
        let now = Instant::now();
        self.keepalive.message(now);
        self.outbound.write(now, &mut self.socket, frame, written);
    }

    fn tell(&mut self, event: Event) {
        self.tell_at(event, Instant::now());
    }

    /// Tells the life of the connection what happened, and does what follows from that.
    fn tell_at(&mut self, event: Event, now: Instant) {
        let mailbox = &self.entry.handle.mailbox;
        match self.life.on(event, now) {
            Action::Nothing => {}
            Action::QueueClose(end) => drop(mailbox.close(end)),
            Action::SendClose(code) => {
                mailbox.shut();
                self.socket.close(code);
            }
            Action::ShutMailbox => mailbox.shut(),
            Action::Abandon => {
                mailbox.shut();
                self.outbound.lost();
                self.socket.abandon();
            }
        }
    }

    /// Whether more is read from the client. After a fault always: what the client sends is
    /// dropped. Not while the gateway drains.
    fn reads(&self) -> bool {
        self.life.is_fault() || self.inbox.has_room() && !self.life.is_draining()
    }

    fn next_deadline(&self) -> Instant {
        let others = match self.life.is_open() && self.socket.is_flushing() {
            true => self.outbound.deadline(),
            // Once ended only the call in flight is waited for, which has its own deadline.
            false => self.keepalive.deadline(),
        };
        match self.life.deadline() {
            Some(deadline) if self.life.is_open() => deadline.min(others),
            Some(deadline) => deadline,
            None => others,
        }
    }
}

async fn in_flight(forwarding: &mut Option<Forwarding>) -> Forwarded {
    match forwarding {
        Some(forwarding) => forwarding.await,
        None => pending().await,
    }
}
