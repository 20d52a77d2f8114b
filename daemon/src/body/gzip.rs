//! A body in gzip, as its plain bytes. They come in parts that are never much larger than the
//! bytes that came, so that a small body that would become a huge one is refused early.

use std::{
    io::Write,
    mem,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use flate2::write::MultiGzDecoder;
use hyper::body::{Body, Frame, SizeHint};

use super::BodyError;

/// How many bytes are decoded at once.
const PIECE_BYTES: usize = 512;
/// One byte becomes this many at most (RFC 1951: 258 bytes for two bits).
const GROWTH_MAX: u64 = 1032;
/// After so many plain bytes, or what is as much work, other tasks have a turn.
const TURN_BYTES: usize = 256 << 10;
/// One encoded byte counts as this many plain ones. A body may be of empty members: 20 bytes each,
/// and as much work as some KiB of zeros.
const ENCODED_WEIGHT: usize = 64;

/// The plain bytes of a body in gzip.
pub(super) struct GzipBody<B> {
    body: B,
    /// Bytes that have come and are not decoded.
    came: Bytes,
    decoder: MultiGzDecoder<Vec<u8>>,
    has_ended: bool,
    /// The work of this turn, in plain bytes.
    worked: usize,
    /// The limit of the plain bytes.
    limit: usize,
    /// How many bytes may still come.
    room: usize,
    /// What is wrong with the body. The plain body ends there.
    pub(super) problem: Option<BodyError>,
}

impl<B> GzipBody<B> {
    /// A body of at most `limit` plain bytes. Not many more may come: empty members have no plain
    /// bytes, and could come for ever.
    pub(super) fn new(body: B, limit: usize) -> Self {
        Self {
            body,
            came: Bytes::new(),
            decoder: MultiGzDecoder::new(Vec::new()),
            has_ended: false,
            worked: 0,
            limit,
            room: came_max(limit),
            problem: None,
        }
    }

    /// Decodes one piece of what has come.
    fn decode(&mut self) {
        let piece = self.came.split_to(self.came.len().min(PIECE_BYTES));
        self.worked += piece.len() * ENCODED_WEIGHT;
        if let Err(error) = self.decoder.write_all(&piece) {
            self.problem = Some(BodyError::NotGzip(error.to_string()));
        }
    }

    /// More bytes have come.
    fn take(&mut self, bytes: Bytes) {
        match self.room.checked_sub(bytes.len()) {
            Some(room) => (self.room, self.came) = (room, bytes),
            None => self.problem = Some(BodyError::TooLarge(self.limit)),
        }
    }

    fn end(&mut self) {
        self.has_ended = true;
        if let Err(error) = self.decoder.try_finish() {
            self.problem = Some(BodyError::NotGzip(error.to_string()));
        }
    }
}

/// At most how many bytes a body of so many plain bytes has. Assumed is an encoder that begins a
/// block for every 80 plain bytes or more. A block that is not compressed has a head of 5 bytes
/// (RFC 1951, section 3.2.4), and an encoder that is flushed puts an empty block of 5 bytes behind.
/// Heads of members with names, and small bodies, are in the rest.
fn came_max(plain: usize) -> usize {
    plain.saturating_add(plain / 8).saturating_add(64 << 10)
}

impl<B: Body<Data = Bytes, Error = hyper::Error> + Unpin> Body for GzipBody<B> {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let this = self.get_mut();
        loop {
            let plain = mem::take(this.decoder.get_mut());
            if !plain.is_empty() {
                this.worked += plain.len();
                return Poll::Ready(Some(Ok(Frame::data(plain.into()))));
            }
            if this.problem.is_some() || this.has_ended {
                return Poll::Ready(None);
            }
            if this.worked >= TURN_BYTES {
                this.worked = 0;
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            if !this.came.is_empty() {
                this.decode();
                continue;
            }
            match ready!(Pin::new(&mut this.body).poll_frame(cx)).transpose() {
                Ok(Some(frame)) => this.take(frame.into_data().unwrap_or_default()),
                Ok(None) => this.end(),
                Err(error) => return Poll::Ready(Some(Err(error))),
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        let mut hint = SizeHint::new();
        if let Some(upper) = self.body.size_hint().upper() {
            hint.set_upper(upper.saturating_mul(GROWTH_MAX));
        }
        hint
    }
}

#[cfg(test)]
mod tests;
