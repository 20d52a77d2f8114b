//! Received messages: handed to the function one at a time and in order.

use tokio::io::{AsyncRead, AsyncWrite};
use tracing::warn;

use super::{Connection, forward::Forwarded, life::Event};
use crate::registry::End;

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Hands the next message to the function, unless the function still has one or the client has
    /// not read the reply to the last one.
    pub(super) fn forward_next(&mut self) {
        if !self.life.forwards() {
            return self.cut();
        }
        let holds = self.socket.is_flushing() && self.entry.handle.api.config().settings.reply;
        if self.forwarding.is_none() && !holds {
            self.forwarding = self.inbox.pop().map(|message| self.forward.start(message));
        }
    }

    /// Gives up forwarding, because the drain has no more time. If messages may be lost, the client
    /// is closed with 1011.
    fn cut(&mut self) {
        let in_flight = self.forwarding.take();
        if in_flight.is_none() && self.inbox.is_empty() {
            return;
        }
        if let Some(forwarding) = in_flight {
            self.unended = Some(forwarding.give_up());
        }
        self.drop_unforwarded();
        self.on_event(Event::Fault(End::FAULT));
    }

    /// Closes when the gateway drains and all received messages have been forwarded.
    pub(super) fn close_drained(&mut self) {
        if self.life.is_draining() && self.forwarding.is_none() && self.inbox.is_empty() {
            self.on_event(Event::Forwarded);
        }
    }

    pub(super) fn on_forwarded(&mut self, forwarded: Forwarded) {
        self.forwarding = None;
        match forwarded {
            Forwarded::Done(None) => {}
            Forwarded::Done(Some(reply)) => self.write_message(reply, None),
            Forwarded::TooLarge => {
                self.drop_unforwarded();
                self.on_event(Event::Fault(End::TOO_LARGE));
            }
            Forwarded::Fault(unended) => {
                self.unended = unended;
                // The client learns that messages may be lost, so the function must not act on
                // those that the client sent after this one.
                self.drop_unforwarded();
                self.on_event(Event::Fault(End::FAULT));
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
}
