//! A message on its way to clients: a WebSocket frame, encoded once however many it goes to.

use bytes::Bytes;
use tokio_tungstenite::tungstenite::protocol::frame::{
    FrameHeader,
    coding::{Data, OpCode},
};

use super::Message;

/// A payload of up to this many bytes is copied behind its head: the system takes one piece of
/// memory in less time than two. To copy a longer payload costs more time than that saves.
const JOINED_BYTES_MAX: usize = 4 << 10;

/// A frame of a server, so without a mask. Cloning it shares the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    /// `Text` or `Binary`.
    kind: Data,
    head_bytes: usize,
    /// The head, and a short payload.
    start: Bytes,
    /// A long payload.
    rest: Bytes,
}

impl Frame {
    /// Bytes of its payload.
    pub(crate) fn len(&self) -> usize {
        self.payload().len()
    }

    /// Whether it is the frame of this message.
    pub(crate) fn is_of(&self, message: &Message) -> bool {
        self.kind == kind(message) && self.payload() == message.as_bytes()
    }

    /// The bytes that it counts for in a bounded queue: its payload, and a fixed number more, so
    /// that the number of empty frames is bounded too.
    pub(crate) fn weight(&self) -> usize {
        const OVERHEAD: usize = 64;
        self.len() + OVERHEAD
    }

    /// The whole frame, as it goes over the wire.
    pub(crate) fn into_parts(self) -> impl Iterator<Item = Bytes> {
        [self.start, self.rest].into_iter().filter(|part| !part.is_empty())
    }

    fn payload(&self) -> &[u8] {
        if self.rest.is_empty() { &self.start[self.head_bytes..] } else { &self.rest }
    }
}

fn kind(message: &Message) -> Data {
    match message {
        Message::Text(_) => Data::Text,
        Message::Binary(_) => Data::Binary,
    }
}

impl From<Message> for Frame {
    fn from(message: Message) -> Self {
        let kind = kind(&message);
        let payload = message.into_bytes();
        let (joined, rest) = match payload.len() {
            ..=JOINED_BYTES_MAX => (payload, Bytes::new()),
            _ => (Bytes::new(), payload),
        };
        let bytes = (joined.len() + rest.len()) as u64;
        let head = FrameHeader { opcode: OpCode::Data(kind), ..FrameHeader::default() };
        let head_bytes = head.len(bytes);
        let mut start = Vec::with_capacity(head_bytes + joined.len());
        head.format(bytes, &mut start).expect("a Vec takes all that is written");
        start.extend_from_slice(&joined);
        Self { kind, head_bytes, start: start.into(), rest }
    }
}

#[cfg(test)]
mod tests {
    use super::{Frame, JOINED_BYTES_MAX, Message};

    /// Heads as in RFC 6455 section 5.2, by hand.
    #[test]
    fn a_frame_is_its_head_and_its_payload_however_long_that_is() {
        let long = JOINED_BYTES_MAX + 1;
        for (bytes, head, parts) in [
            (0, vec![0x82, 0], 1),
            (125, vec![0x82, 125], 1),
            (126, vec![0x82, 126, 0, 126], 1),
            (JOINED_BYTES_MAX, vec![0x82, 126, 0x10, 0], 1),
            (long, vec![0x82, 126, 0x10, 1], 2),
            (1 << 16, vec![0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0], 2),
        ] {
            let message = Message::Binary(vec![7; bytes].into());
            let frame = Frame::from(message.clone());
            assert!(frame.is_of(&message), "{bytes} bytes");
            assert_eq!(frame.len(), bytes);
            let whole: Vec<_> = frame.into_parts().collect();
            assert_eq!(whole.len(), parts, "{bytes} bytes");
            assert_eq!(whole.concat(), [head, vec![7; bytes]].concat());
        }
        let text = Frame::from(Message::Text("hi".into()));
        assert!(!text.is_of(&Message::Binary("hi".into())));
        assert_eq!(text.into_parts().collect::<Vec<_>>().concat(), b"\x81\x02hi");
    }
}
