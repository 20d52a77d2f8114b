//! One open connection. Its task owns the socket; others hold its mailbox.
//!
//! One select waits for frames, pushes, the call in flight and time, so that none of them waits for
//! another. Messages reach the function one at a time and in order. The task ends when the socket
//! has ended and all received messages have been forwarded. It knows no HTTP handshake and no JSON.

mod decoder;
mod expiry;
mod flood;
mod forward;
mod inbox;
mod intake;
mod keepalive;
mod life;
mod linger;
mod mail;
mod memory;
mod messages;
mod outbound;
mod socket;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod time;
mod wire;

use std::{future::pending, mem, pin::pin, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    task::coop::unconstrained,
    time::{Instant, sleep_until},
};
use tracing::{debug, info};

use self::{
    decoder::Violation,
    flood::Flood,
    forward::{Forward, Forwarded, Forwarding},
    inbox::{Inbox, Received},
    intake::Intake,
    keepalive::Keepalive,
    life::{Action, Event, Life},
    linger::Linger,
    outbound::Outbound,
    socket::{Socket, SocketEvent},
};
pub(crate) use self::{expiry::Expiry, memory::ReceiveMemory};
use crate::{
    call::{FunctionClient, UnendedCall},
    registry::{End, Entry},
    settings::ConnectionSettings,
};

/// A connection whose handshake is done.
pub(crate) struct Connection<S> {
    entry: Entry,
    socket: Socket<S>,
    inbox: Inbox,
    intake: Intake,
    forward: Forward,
    keepalive: Keepalive,
    flood: Flood,
    outbound: Outbound,
    /// The message that the function has at present.
    forwarding: Option<Forwarding>,
    /// A call whose function may still run, although the connection no longer waits for it.
    unended: Option<UnendedCall>,
    /// How many bytes had come with the last event of the socket.
    bytes_read: u64,
    life: Life,
    close_timeout: Duration,
    /// When the connection is closed, because the proof of its client expires.
    expiry: Option<Expiry>,
    /// The stream after the end of the connection, while the client may still send.
    linger: Option<Linger<S>>,
}

/// A connection that has ended.
#[derive(Debug)]
pub(crate) struct Ended<S> {
    pub(crate) end: End,
    /// The call whose function may still run, if there is one.
    pub(crate) unended: Option<UnendedCall>,
    /// The stream, if the client may still send.
    pub(crate) linger: Option<Linger<S>>,
}

/// What has happened.
enum Work {
    Socket(SocketEvent),
    Mail,
    Forwarded(Forwarded),
    Memory,
    Lingered,
    Time,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// A connection over `stream`, on which `early` bytes have already been read.
    pub(crate) fn new(
        stream: S,
        early: Vec<u8>,
        entry: Entry,
        settings: &ConnectionSettings,
        memory: &ReceiveMemory,
        functions: FunctionClient,
    ) -> Self {
        let now = Instant::now();
        let config = entry.handle.api.config();
        Self {
            socket: Socket::new(stream, early, entry.handle.message_bytes_max),
            inbox: Inbox::new(settings.receive_queue),
            intake: Intake::new(memory.of(&entry.handle.api), settings.read_timeout),
            forward: Forward::new(functions, Arc::clone(&entry.handle)),
            keepalive: Keepalive::new(now, settings, config.settings.idle_timeout),
            flood: Flood::new(now),
            outbound: Outbound::new(settings.write_timeout),
            forwarding: None,
            unended: None,
            bytes_read: 0,
            life: Life::new(settings.close_timeout),
            close_timeout: settings.close_timeout,
            expiry: None,
            linger: None,
            entry,
        }
    }

    /// The same connection. It is closed at this time, because the proof of its client expires.
    #[must_use]
    pub(crate) fn closed_at(self, expiry: Option<Expiry>) -> Self {
        Self { expiry, ..self }
    }

    /// Runs until the connection has ended.
    pub(crate) async fn run(mut self) -> Ended<S> {
        self.entry.handle.mailbox.open();
        let end = self.run_inner().await;
        let open_for = self.entry.handle.info.opened_at.elapsed().unwrap_or_default();
        debug!(connection.id = %self.entry.handle.info.id, ?end, ?open_for, "connection closed");
        Ended { end, unended: self.unended, linger: self.linger }
    }

    async fn run_inner(&mut self) -> End {
        let mut timer = pin!(sleep_until(self.next_deadline()));
        loop {
            self.forward_next();
            self.close_drained();
            if let (Some(end), None) = (self.life.ended(), &self.forwarding) {
                return end;
            }
            self.outbound.watch(&self.socket);
            let received = self.socket.bytes_received().filter(|_| self.has_room());
            self.intake.watch(Instant::now, received);
            // The timer is moved only if it would be late. If it fires early, nothing is due. So a
            // message does not have to move the timer.
            let deadline = self.next_deadline();
            if deadline < timer.deadline() || timer.is_elapsed() {
                timer.as_mut().reset(deadline);
            }
            let (live, reads) = (self.life.ended().is_none(), self.reads());
            self.keepalive.set_reading(reads, Instant::now);
            let allowance = reads.then(|| self.intake.allowance());
            // The socket comes before the timer, so that a pong that has arrived is read before the
            // client counts as lost. The first two branches cannot starve the others: a connection
            // has one call in flight, and its mailbox has a bound.
            let work = tokio::select! {
                biased;
                forwarded = in_flight(&mut self.forwarding) => Work::Forwarded(forwarded),
                () = self.entry.handle.mailbox.arrived() => Work::Mail,
                event = self.socket.next(allowance), if live => Work::Socket(event),
                () = self.intake.memory(), if live => Work::Memory,
                () = lingered(&mut self.linger) => Work::Lingered,
                // A client whose bytes never end uses up the budget that tokio gives a task for one
                // turn. The timer must not need any of it.
                () = unconstrained(timer.as_mut()), if live => Work::Time,
            };
            match work {
                Work::Socket(event) => self.on_socket(event),
                Work::Mail => self.on_mail(),
                Work::Forwarded(forwarded) => self.on_forwarded(forwarded),
                // The message has it, and the client is read from again.
                Work::Memory => {}
                Work::Lingered => self.linger = None,
                Work::Time => self.on_time(Instant::now()),
            }
        }
    }

    fn on_socket(&mut self, event: SocketEvent) {
        let now = Instant::now();
        let bytes_read = self.socket.bytes_read();
        let has_come = mem::replace(&mut self.bytes_read, bytes_read) != bytes_read;
        // A flush proves that the client reads only if the flush had to wait for the client.
        if has_come || matches!(event, SocketEvent::Taken | SocketEvent::Flushed { waited: true }) {
            self.keepalive.heard(now);
        }
        match event {
            SocketEvent::Message(message) => {
                self.keepalive.message(now);
                let memory = self.intake.whole(message.as_bytes().len());
                // A message that crosses with our Close was sent before the client could know.
                self.inbox.push(Received { message, memory });
            }
            SocketEvent::Heard => {}
            SocketEvent::NeedsMemory { bytes_max } => self.intake.take(bytes_max),
            SocketEvent::Taken => {
                self.outbound.taken(now, &self.socket);
                self.entry.handle.mailbox.progress(now);
                self.on_event_at(Event::Taken, now);
            }
            SocketEvent::Flushed { waited } => {
                self.outbound.flushed();
                if waited {
                    self.on_event_at(Event::Taken, now);
                }
                self.on_mail();
            }
            SocketEvent::Closing(end) => self.on_event_at(Event::SocketClosing(end), now),
            SocketEvent::Violated(violation) => {
                self.report_violation(&violation);
                self.on_event_at(Event::SocketClosing(violation.end()), now);
            }
            SocketEvent::Ended => self.on_event_at(Event::SocketEnded, now),
        }
        if self.flood.is_over(now, self.socket.empty_frames()) {
            self.on_event_at(Event::Close(End::FLOOD), now);
        }
        // A client that sends without a pause would starve the timer. Something has come, so it is
        // not lost.
        if has_come && now >= self.next_deadline() {
            self.on_time(now);
        }
    }

    fn report_violation(&self, error: &Violation) {
        let (id, api) = (self.entry.handle.info.id, &self.entry.handle.api);
        // Some libraries send a wrong code by default, and the end looks like a lost network.
        if matches!(error, Violation::CloseCode(_)) && api.is_first_wrong_close_code() {
            info!(
                connection.id = %id, api.id = api.id(), %error,
                "client broke the protocol; further wrong close codes are logged at debug",
            );
        } else {
            debug!(connection.id = %id, api.id = api.id(), %error, "client broke the protocol");
        }
    }

    fn on_event(&mut self, event: Event) {
        self.on_event_at(event, Instant::now());
    }

    /// Passes an event to the life of the connection, and does what the life says.
    fn on_event_at(&mut self, event: Event, now: Instant) {
        let was_held_back = !self.reads();
        let mailbox = &self.entry.handle.mailbox;
        match self.life.on(event, now) {
            Action::Nothing => {}
            Action::QueueClose(end) => drop(mailbox.close(end)),
            Action::SendClose(end) => {
                mailbox.shut();
                self.socket.close(end);
            }
            Action::ShutMailbox => mailbox.shut(),
            Action::Abandon => {
                mailbox.shut();
                self.outbound.lost();
                self.intake.release();
                let wire = self.socket.abandon(was_held_back);
                self.linger = wire.map(|wire| Linger::new(wire, now + self.close_timeout));
            }
        }
        if self.life.is_fault() {
            self.intake.release();
            self.socket.drop_messages();
        }
    }

    /// Whether the client is read from. After a fault always, because what it sends is dropped
    /// then. Not while the gateway drains, and not while there is no memory.
    fn reads(&self) -> bool {
        !self.intake.is_waiting() && (self.life.is_fault() || self.has_room())
    }

    /// Whether messages of the client can be taken.
    fn has_room(&self) -> bool {
        self.inbox.has_room() && !self.life.is_draining()
    }
}

async fn lingered<S: AsyncRead + AsyncWrite + Unpin>(linger: &mut Option<Linger<S>>) {
    match linger {
        Some(linger) => linger.run().await,
        None => pending().await,
    }
}

async fn in_flight(forwarding: &mut Option<Forwarding>) -> Forwarded {
    match forwarding {
        Some(forwarding) => forwarding.await,
        None => pending().await,
    }
}
