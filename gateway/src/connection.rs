//! The life of one connection: its task owns the socket, others hold its mailbox.
//!
//! One select serves all: frames, pushes, the function call in flight, and time, so that none of
//! them waits for another. Messages reach the function one at a time and in order. The task ends
//! when the socket has ended and what the client had sent until then has been forwarded. Knows
//! nothing of HTTP handshakes and of JSON.

mod forward;
mod inbox;
mod keepalive;
mod metered;
mod outbound;
mod socket;
mod stall;

use std::{future::pending, pin::pin, sync::Arc};

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
    calls::Caller, end::End, mailbox::Batch, message::Message, registry::Registered,
    settings::ConnectionSettings,
};

/// Bytes of messages that are written with one flush.
const BATCH_BYTES: usize = 64 << 10;

/// A connection whose handshake is done.
pub(crate) struct Connection {
    registered: Registered,
    settings: Arc<ConnectionSettings>,
    socket: Socket,
    inbox: Inbox,
    forward: Forward,
    keepalive: Keepalive,
    outbound: Outbound,
    /// The message that the function has at present.
    forwarding: Option<Forwarding>,
    phase: Phase,
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
    pub(crate) async fn new(
        stream: TcpStream,
        early: Vec<u8>,
        registered: Registered,
        settings: Arc<ConnectionSettings>,
        caller: Caller,
    ) -> Self {
        let now = Instant::now();
        let api = &registered.handle.api;
        Self {
            socket: Socket::new(stream, early, api.settings.max_message).await,
            inbox: Inbox::new(settings.receive_queue),
            forward: Forward::new(caller, Arc::clone(api), registered.id),
            keepalive: Keepalive::new(now, &settings, api.settings.idle_timeout),
            outbound: Outbound::new(settings.write_timeout),
            forwarding: None,
            phase: Phase::Open,
            settings,
            registered,
        }
    }

    /// Lives until the end, which it gives.
    pub(crate) async fn run(mut self) -> End {
        self.registered.handle.mailbox.open();
        let end = self.run_inner().await;
        debug!(connection.id = %self.registered.id, ?end, "connection closed");
        end
    }

    async fn run_inner(&mut self) -> End {
        let mut timer = pin!(sleep_until(self.next_deadline()));
        loop {
            self.forward_next();
            if let (Phase::Ended(end), None) = (self.phase, &self.forwarding) {
                return end;
            }
            // The timer is only moved when it would be late; one that fires early finds nothing
            // due. So a message costs no timer.
            let deadline = self.next_deadline();
            if deadline < timer.deadline() || timer.is_elapsed() {
                timer.as_mut().reset(deadline);
            }
            let (live, reads, writes) = (!self.is_ended(), self.reads(), self.writes());
            let work = tokio::select! {
                event = self.socket.next(reads), if live => Work::Socket(event),
                () = self.registered.handle.mailbox.arrived(), if writes => Work::Mail,
                forwarded = in_flight(&mut self.forwarding) => Work::Forwarded(forwarded),
                () = timer.as_mut(), if live => Work::Time,
            };
            match work {
                Work::Socket(event) => self.on_socket(event),
                Work::Mail => self.write(self.registered.handle.mailbox.take(BATCH_BYTES)),
                Work::Forwarded(forwarded) => self.on_forwarded(forwarded),
                Work::Time => self.on_time(Instant::now()),
            }
        }
    }

    /// Hands the next message to the function, unless it still has one, or a reply to the last
    /// one has not been taken by the client yet.
    fn forward_next(&mut self) {
        let holds = self.registered.handle.api.settings.reply && self.socket.is_flushing();
        if self.forwarding.is_none() && !holds {
            self.forwarding = self.inbox.pop().map(|message| self.forward.start(&message));
        }
    }

    fn on_socket(&mut self, event: SocketEvent) {
        if !matches!(event, SocketEvent::Flushed) {
            self.keepalive.heard(Instant::now());
        }
        match (event, self.phase) {
            (SocketEvent::Message(message), Phase::Open) => {
                self.keepalive.message(Instant::now());
                self.inbox.push(message);
            }
            (SocketEvent::Heard | SocketEvent::Message(_), _) => {}
            (SocketEvent::Flushed, _) => self.outbound.flushed(),
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
            Forwarded::Fault => {
                // The client is told that messages may be lost, so what it sent after this one
                // must not be acted on.
                self.inbox.clear();
                self.close(End::FAULT);
            }
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
            if self.outbound.is_stalled(now, &self.socket) {
                let id = self.registered.id;
                warn!(connection.id = %id, "connection {id} closed: the client takes nothing");
                // Nothing more can be written, so no Close either.
                self.ended(End::STALLED);
            }
            return;
        }
        if !self.reads() {
            // Whether the client lives cannot be known while nothing is read from it.
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

    /// Writes what the mailbox gave.
    fn write(&mut self, batch: Batch) {
        for (message, written) in batch.letters {
            self.write_message(message, Some(written));
        }
        if let Some(end) = batch.close {
            self.close(end);
        }
    }

    fn write_message(&mut self, message: Message, written: Option<oneshot::Sender<()>>) {
        if !matches!(self.phase, Phase::Open) {
            return;
        }
        let now = Instant::now();
        self.keepalive.message(now);
        self.outbound.write(now, &mut self.socket, message, written);
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
        self.registered.handle.mailbox.shut();
    }

    fn ended(&mut self, end: End) {
        self.phase = Phase::Ended(end);
        self.registered.handle.mailbox.shut();
        self.outbound.lost();
        self.socket.abandon();
    }

    fn is_ended(&self) -> bool {
        matches!(self.phase, Phase::Ended(_))
    }

    /// Whether pushed messages are written: one batch at a time, so that what is not written yet
    /// waits in the mailbox, where it is counted and can be taken back.
    fn writes(&self) -> bool {
        matches!(self.phase, Phase::Open) && !self.socket.is_flushing()
    }

    /// Whether more is read from the client: while it closes always, so that its answer is seen.
    fn reads(&self) -> bool {
        !matches!(self.phase, Phase::Open) || self.inbox.has_room()
    }

    fn next_deadline(&self) -> Instant {
        match self.phase {
            Phase::Closing { deadline, .. } => deadline,
            Phase::Open if self.socket.is_flushing() => self.outbound.deadline(),
            // Once ended only the call in flight is waited for, which has its own deadline.
            Phase::Open | Phase::Ended(_) => self.keepalive.deadline(),
        }
    }
}

async fn in_flight(forwarding: &mut Option<Forwarding>) -> Forwarded {
    match forwarding {
        Some(forwarding) => forwarding.await,
        None => pending().await,
    }
}
