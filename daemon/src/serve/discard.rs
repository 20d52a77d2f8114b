//! Reads and drops what a peer still sends after the last answer.
//!
//! If a socket is closed while bytes of the peer are unread, the system resets the connection, and
//! the peer may lose the answer.

use std::{
    mem::MaybeUninit,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, ReadBuf},
    time::{Instant, Sleep, sleep_until},
};

/// How long the peer may send nothing before the connection is closed.
const SILENCE: Duration = Duration::from_secs(1);
/// How long the peer may send before the connection is closed.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How much the peer may send before the connection is closed.
const BYTES_MAX: usize = 64 << 20;

/// The dropping of what one peer sends.
#[derive(Debug)]
pub(super) struct Discard {
    give_up: Instant,
    bytes: usize,
    timer: Pin<Box<Sleep>>,
}

impl Discard {
    pub(super) fn begin() -> Self {
        let now = Instant::now();
        Self { give_up: now + TIMEOUT, bytes: 0, timer: Box::pin(sleep_until(now + SILENCE)) }
    }

    /// Ready when the peer has ended its sending side, or has had its time.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        stream: &mut (impl AsyncRead + Unpin),
    ) -> Poll<()> {
        let mut space = [MaybeUninit::uninit(); 8 << 10];
        loop {
            let mut buffer = ReadBuf::uninit(&mut space);
            let Poll::Ready(read) = Pin::new(&mut *stream).poll_read(cx, &mut buffer) else {
                break;
            };
            self.bytes += buffer.filled().len();
            if read.is_err() || buffer.filled().is_empty() || self.bytes > BYTES_MAX {
                return Poll::Ready(());
            }
            self.timer.as_mut().reset((Instant::now() + SILENCE).min(self.give_up));
        }
        ready!(self.timer.as_mut().poll(cx));
        Poll::Ready(())
    }
}
