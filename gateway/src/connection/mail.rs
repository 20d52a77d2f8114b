//! What others ask of the connection: messages to write, a Close, a drain.

use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::oneshot,
    time::Instant,
};

use super::{Connection, life::Event};
use crate::registry::{Delivery, Frame, Requests};

/// Bytes of messages that are written with one flush.
const BATCH_BYTES: usize = 64 << 10;

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Takes up what others ask of the connection, and writes one batch of messages. The other
    /// messages wait in the mailbox, where they are counted and can be taken back.
    pub(super) fn on_mail(&mut self) {
        let Requests { close, drain, cut } = self.entry.handle.mailbox.requests();
        if drain {
            self.on_event(Event::Drain);
        }
        if cut {
            self.on_event(Event::Cut);
        }
        if !self.life.is_open() {
            return;
        }
        if self.socket.is_flushing() {
            if let Some(end) = close {
                self.on_event(Event::CloseWaits(end));
            }
            return;
        }
        let batch = self.entry.handle.mailbox.take(BATCH_BYTES, Instant::now());
        for (frame, written) in batch.letters {
            self.write_message(frame, Some(written));
        }
        if let Some(end) = batch.close {
            self.on_event(Event::Close(end));
        }
    }

    pub(super) fn write_message(
        &mut self,
        frame: Frame,
        written: Option<oneshot::Sender<Delivery>>,
    ) {
        if !self.life.is_open() {
            return;
        }
        self.keepalive.message(Instant::now());
        self.outbound.write(&mut self.socket, frame, written);
    }
}
