//! A stream in memory that a test works by hand, and the frames of a client.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    collections::VecDeque,
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, Waker},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::tungstenite::protocol::frame::{Frame, FrameHeader, coding::OpCode};

use crate::registry::End;

/// A stream whose client is the test. Wakes nobody: the test polls again after it has changed
/// something.
#[derive(Debug, Default)]
pub(super) struct HandStream {
    /// What the client has sent.
    pub(super) sent: VecDeque<u8>,
    /// Whether the client sends nothing more.
    pub(super) has_ended: bool,
    /// How many bytes the client will take.
    pub(super) room: usize,
    /// What the client has taken.
    pub(super) taken: Vec<u8>,
    /// How many pieces each write had.
    pub(super) pieces: Vec<usize>,
}

impl HandStream {
    /// A stream whose client takes everything.
    pub(super) fn with_room() -> Self {
        Self { room: usize::MAX, ..Self::default() }
    }
}

impl AsyncRead for HandStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let bytes = self.sent.len().min(buffer.remaining());
        if bytes == 0 && !self.has_ended {
            return Poll::Pending;
        }
        let bytes: Vec<u8> = self.sent.drain(..bytes).collect();
        buffer.put_slice(&bytes);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for HandStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let bytes: Vec<u8> = slices.iter().flat_map(|slice| slice.iter().copied()).collect();
        let written = bytes.len().min(self.room);
        if written == 0 {
            return Poll::Pending;
        }
        self.room -= written;
        self.taken.extend_from_slice(&bytes[..written]);
        self.pieces.push(slices.len());
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Polls once, for streams that wake nobody.
pub(super) fn poll_once<T>(poll: impl FnOnce(&mut Context<'_>) -> T) -> T {
    poll(&mut Context::from_waker(Waker::noop()))
}

/// A frame as a client sends it.
pub(super) fn client_frame(opcode: u8, is_final: bool, payload: &[u8]) -> Vec<u8> {
    let mask = Some([0x12, 0x34, 0x56, 0x78]);
    let head = FrameHeader { is_final, opcode: OpCode::from(opcode), mask, ..Default::default() };
    let mut bytes = Vec::new();
    Frame::from_payload(head, payload.to_vec().into()).format(&mut bytes).unwrap();
    bytes
}

/// The Close that announces an end, as the client gets it.
pub(super) fn close_bytes(end: End) -> Vec<u8> {
    let mut bytes = Vec::new();
    Frame::close(end.close_frame()).format(&mut bytes).unwrap();
    bytes
}
