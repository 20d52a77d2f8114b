//! A message on its way to clients: a WebSocket frame, encoded once however many it goes to.

use bytes::Bytes;
use shared::data::{DataType, Payload};
use tokio_tungstenite::tungstenite::protocol::frame::{
    FrameHeader,
    coding::{Data, OpCode},
};

/// A frame of a server, so without a mask. Cloning it shares the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    kind: DataType,
    head: Bytes,
    payload: Bytes,
}

impl Frame {
    /// Bytes of its payload.
    pub(crate) fn len(&self) -> usize {
        self.payload.len()
    }

    /// Whether it is the frame of this.
    pub(crate) fn is_of(&self, payload: &Payload) -> bool {
        self.kind == payload.data_type() && self.payload == payload.as_bytes()
    }

    /// What it counts for in a queue with a bound: its payload, and some for itself, so that empty
    /// ones have a bound too.
    pub(crate) fn weight(&self) -> usize {
        const OVERHEAD: usize = 64;
        self.len() + OVERHEAD
    }

    /// Head and payload, as they go over the wire.
    pub(crate) fn into_parts(self) -> [Bytes; 2] {
        [self.head, self.payload]
    }
}

impl From<Payload> for Frame {
    fn from(payload: Payload) -> Self {
        let kind = payload.data_type();
        let opcode = OpCode::Data(match kind {
            DataType::Text => Data::Text,
            DataType::Binary => Data::Binary,
        });
        let payload = Bytes::from(payload.into_bytes());
        let mut head = Vec::new();
        FrameHeader { opcode, ..FrameHeader::default() }
            .format(payload.len() as u64, &mut head)
            .expect("a Vec takes all that is written");
        Self { kind, head: head.into(), payload }
    }
}
