//! Makes messages of the bytes of a client: RFC 6455, sections 5 and 8.1.
//!
//! Pure: the caller reads the bytes and acts on what comes out. tungstenite parses the head of a
//! frame. Its own reader is not used because it gives back neither the bytes that it has read nor
//! the fragments of a message.

use std::{io::Cursor, str};

use bytes::{Buf, Bytes, BytesMut};
use tokio_tungstenite::tungstenite::{
    Utf8Bytes,
    protocol::{
        CloseFrame,
        frame::{
            FrameHeader,
            coding::{CloseCode, Control, Data, OpCode},
        },
    },
};

use crate::registry::{End, Message};

/// The longest payload of a control frame.
const CONTROL_BYTES_MAX: u64 = 125;
/// A message may have this many fragments, and one more for each [`BYTES_PER_FRAGMENT`] of it, so
/// that a client cannot send empty fragments for ever.
const FRAGMENTS_MAX: usize = 1024;
const BYTES_PER_FRAGMENT: usize = 16;

/// The state of decoding between two frames. Plain data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Decoder {
    message_bytes_max: usize,
    /// The message whose last fragment has not come.
    partial: Option<PartialMessage>,
    /// How many frames without a payload have come.
    empty_frames: u64,
    /// If messages are dropped: how many bytes of a dropped frame have not come.
    dropping: Option<u64>,
}

/// The fragments of a message so far.
#[derive(Debug, Clone, PartialEq, Eq)]
struct PartialMessage {
    kind: Kind,
    bytes: Vec<u8>,
    fragments: usize,
    /// How many of the bytes are known to be UTF-8.
    bytes_valid: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Binary,
}

/// What came out of the bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Decoded {
    Message(Message),
    Ping(Bytes),
    Pong,
    Close(Option<CloseFrame>),
}

/// The next of something, if all its bytes are there.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next<T> {
    Whole(T),
    Incomplete {
        /// How many bytes the next frame lacks, as far as is known.
        missing: usize,
    },
}

/// The client broke the protocol.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Violation {
    #[error("message is longer than {0} bytes")]
    TooLarge(usize),
    #[error("message of {bytes} bytes has more than {fragments} fragments")]
    TooManyFragments { bytes: usize, fragments: usize },
    #[error("text is not UTF-8")]
    NotUtf8,
    /// A Close with a code that no endpoint may send (RFC 6455, section 7.4).
    #[error("close code {0} must not be sent")]
    CloseCode(u16),
    #[error("{0}")]
    Protocol(&'static str),
}

impl Violation {
    /// How the connection ends: RFC 6455, section 7.1.7.
    pub(super) fn end(&self) -> End {
        match self {
            Self::TooLarge(_) => End::TOO_LARGE,
            Self::TooManyFragments { .. } => End::FRAGMENTS,
            Self::NotUtf8 => End::NOT_UTF8,
            Self::CloseCode(_) | Self::Protocol(_) => End::PROTOCOL,
        }
    }
}

/// A frame whose mask has been taken off.
struct ClientFrame {
    opcode: OpCode,
    is_final: bool,
    payload: BytesMut,
}

impl Decoder {
    /// For messages of at most this many bytes.
    pub(super) fn new(message_bytes_max: usize) -> Self {
        Self { message_bytes_max, partial: None, empty_frames: 0, dropping: None }
    }

    /// How many bytes of a message in fragments have come. None between messages.
    pub(super) fn partial_bytes(&self) -> Option<usize> {
        self.partial.as_ref().map(|partial| partial.bytes.len())
    }

    /// How many bytes the message has in all whose frame begins in `unread`. If that is not its
    /// last frame, the most that a message may have.
    pub(super) fn message_bytes_max(&self, unread: &[u8]) -> usize {
        let partial = self.partial_bytes().unwrap_or(0);
        let head = FrameHeader::parse(&mut Cursor::new(unread));
        let Ok(Some((FrameHeader { is_final: true, opcode: OpCode::Data(_), .. }, bytes))) = head
        else {
            return self.message_bytes_max;
        };
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        partial.saturating_add(bytes).min(self.message_bytes_max)
    }

    /// How many frames without a payload have come.
    pub(super) fn empty_frames(&self) -> u64 {
        self.empty_frames
    }

    /// Drops messages from here on, also the one that is coming, and takes no memory for them.
    pub(super) fn drop_messages(&mut self) {
        self.partial = None;
        self.dropping.get_or_insert(0);
    }

    /// Takes frames out of `unread`, up to one that the caller has to know of. After a violation
    /// or a Close nothing more can be decoded.
    pub(super) fn decode(&mut self, unread: &mut BytesMut) -> Result<Next<Decoded>, Violation> {
        loop {
            if self.dropped_lacks_bytes(unread) {
                return Ok(Next::Incomplete { missing: 1 });
            }
            let frame = match self.next_frame(unread)? {
                Next::Whole(Some(frame)) => frame,
                Next::Whole(None) => continue,
                Next::Incomplete { missing } => return Ok(Next::Incomplete { missing }),
            };
            self.empty_frames += u64::from(frame.payload.is_empty());
            let decoded = match frame.opcode {
                OpCode::Control(Control::Ping) => Decoded::Ping(frame.payload.freeze()),
                OpCode::Control(Control::Pong) => Decoded::Pong,
                OpCode::Control(Control::Close) => Decoded::Close(close(frame.payload.freeze())?),
                OpCode::Control(Control::Reserved(_)) => return Err(UNKNOWN_OPCODE),
                OpCode::Data(data) => match self.assemble(data, frame)? {
                    Some(message) => Decoded::Message(message),
                    None => continue,
                },
            };
            return Ok(Next::Whole(decoded));
        }
    }

    /// Drops what has come of a dropped frame. Returns whether more of the frame is to come.
    fn dropped_lacks_bytes(&mut self, unread: &mut BytesMut) -> bool {
        let Some(missing) = self.dropping.as_mut().filter(|missing| **missing > 0) else {
            return false;
        };
        let bytes = usize::try_from(*missing).unwrap_or(usize::MAX).min(unread.len());
        *missing -= bytes as u64;
        unread.advance(bytes);
        if unread.is_empty() {
            *unread = BytesMut::new();
        }
        *missing > 0
    }

    /// None for a frame that is dropped.
    fn next_frame(
        &mut self,
        unread: &mut BytesMut,
    ) -> Result<Next<Option<ClientFrame>>, Violation> {
        let mut cursor = Cursor::new(&*unread);
        // It refuses a head only for its opcode.
        let head = FrameHeader::parse(&mut cursor).map_err(|_| UNKNOWN_OPCODE)?;
        let Some((head, bytes)) = head else { return Ok(Next::Incomplete { missing: 1 }) };
        let head_bytes = usize::try_from(cursor.position()).expect("a head is short");
        let mask = check(&head, head_bytes, bytes)?;
        if let (OpCode::Data(_), Some(missing)) = (head.opcode, &mut self.dropping) {
            *missing = bytes;
            unread.advance(head_bytes);
            return Ok(Next::Whole(None));
        }
        let bytes_max = self.bytes_max(head.opcode);
        let bytes = usize::try_from(bytes).ok().filter(|bytes| *bytes <= bytes_max);
        let bytes = bytes.ok_or(Violation::TooLarge(self.message_bytes_max))?;
        let frame_bytes = head_bytes + bytes;
        if unread.len() < frame_bytes {
            return Ok(Next::Incomplete { missing: frame_bytes - unread.len() });
        }
        unread.advance(head_bytes);
        let mut payload = unread.split_to(bytes);
        if unread.is_empty() {
            // From here on the memory belongs to the payload alone.
            *unread = BytesMut::new();
        }
        unmask(&mut payload, mask);
        let (opcode, is_final) = (head.opcode, head.is_final);
        Ok(Next::Whole(Some(ClientFrame { opcode, is_final, payload })))
    }

    /// The longest payload that a frame may have now.
    fn bytes_max(&self, opcode: OpCode) -> usize {
        match (opcode, &self.partial) {
            (OpCode::Data(Data::Continue), Some(partial)) => {
                self.message_bytes_max.saturating_sub(partial.bytes.len())
            }
            (OpCode::Data(_) | OpCode::Control(_), _) => self.message_bytes_max,
        }
    }

    /// Puts a fragment to its message. Returns the message if this was its last fragment.
    fn assemble(&mut self, data: Data, frame: ClientFrame) -> Result<Option<Message>, Violation> {
        let kind = match (data, &self.partial) {
            (Data::Continue, Some(_)) => None,
            (Data::Text, None) => Some(Kind::Text),
            (Data::Binary, None) => Some(Kind::Binary),
            (Data::Continue, None) => return Err(Violation::Protocol("fragment of no message")),
            (Data::Text | Data::Binary, Some(_)) => {
                return Err(Violation::Protocol("message between the fragments of another"));
            }
            (Data::Reserved(_), _) => return Err(UNKNOWN_OPCODE),
        };
        match kind {
            Some(kind) if frame.is_final => return message(kind, frame.payload.freeze()).map(Some),
            Some(kind) => self.partial = Some(PartialMessage::new(kind)),
            None => {}
        }
        let partial = self.partial.as_mut().expect("it is there or was just made");
        partial.extend(&frame.payload)?;
        if !frame.is_final {
            return Ok(None);
        }
        let whole = self.partial.take();
        whole.map(|whole| message(whole.kind, whole.bytes.into())).transpose()
    }
}

impl PartialMessage {
    fn new(kind: Kind) -> Self {
        Self { kind, bytes: Vec::new(), fragments: 0, bytes_valid: 0 }
    }

    fn extend(&mut self, fragment: &[u8]) -> Result<(), Violation> {
        self.bytes.extend_from_slice(fragment);
        self.fragments += 1;
        let bytes = self.bytes.len();
        let fragments = FRAGMENTS_MAX + bytes / BYTES_PER_FRAGMENT;
        if self.fragments > fragments {
            return Err(Violation::TooManyFragments { bytes, fragments });
        }
        match self.kind {
            Kind::Text => self.check_text(),
            Kind::Binary => Ok(()),
        }
    }

    /// A fragment may end within a character.
    fn check_text(&mut self) -> Result<(), Violation> {
        match str::from_utf8(&self.bytes[self.bytes_valid..]) {
            Ok(valid) => self.bytes_valid += valid.len(),
            Err(error) if error.error_len().is_none() => self.bytes_valid += error.valid_up_to(),
            Err(_) => return Err(Violation::NotUtf8),
        }
        Ok(())
    }
}

const UNKNOWN_OPCODE: Violation = Violation::Protocol("unknown opcode");

/// Checks the head of a frame with a payload of so many bytes, and returns the frame's mask.
fn check(head: &FrameHeader, head_bytes: usize, bytes: u64) -> Result<[u8; 4], Violation> {
    if head.rsv1 || head.rsv2 || head.rsv3 {
        return Err(Violation::Protocol("reserved bits without an extension"));
    }
    if head_bytes != head.len(bytes) {
        return Err(Violation::Protocol("length is not in its shortest form"));
    }
    if let OpCode::Control(_) = head.opcode {
        if !head.is_final {
            return Err(Violation::Protocol("control frame in fragments"));
        }
        if bytes > CONTROL_BYTES_MAX {
            return Err(Violation::Protocol("control frame is too long"));
        }
    }
    head.mask.ok_or(Violation::Protocol("frame without a mask"))
}

fn unmask(payload: &mut [u8], mask: [u8; 4]) {
    let (words, rest) = payload.as_chunks_mut();
    for word in words {
        *word = (u32::from_ne_bytes(*word) ^ u32::from_ne_bytes(mask)).to_ne_bytes();
    }
    for (byte, mask) in rest.iter_mut().zip(mask) {
        *byte ^= mask;
    }
}

fn message(kind: Kind, bytes: Bytes) -> Result<Message, Violation> {
    Ok(match kind {
        Kind::Text => Message::Text(text(bytes)?),
        Kind::Binary => Message::Binary(bytes),
    })
}

fn close(mut payload: Bytes) -> Result<Option<CloseFrame>, Violation> {
    if payload.is_empty() {
        return Ok(None);
    }
    let code = payload.try_get_u16().map_err(|_| Violation::Protocol("close code is cut off"))?;
    let reason = text(payload)?;
    if !may_be_sent(code) {
        return Err(Violation::CloseCode(code));
    }
    Ok(Some(CloseFrame { code: code.into(), reason }))
}

/// Whether an endpoint may send this code. 1014 is registered with IANA; tungstenite does not know
/// it.
fn may_be_sent(code: u16) -> bool {
    code == 1014 || CloseCode::from(code).is_allowed()
}

fn text(bytes: Bytes) -> Result<Utf8Bytes, Violation> {
    Utf8Bytes::try_from(bytes).map_err(|_| Violation::NotUtf8)
}

#[cfg(test)]
mod tests;
