//! Encodes each message of a push once, for all connections that it is for.

use crate::{
    dialect::Effect,
    registry::{Frame, Message},
};

/// What is to happen to a connection, with the message as a frame. Clones share its bytes.
pub(super) enum EncodedPush {
    Send(Frame),
    Close,
}

/// Encodes messages. Equal messages that follow one another in a batch are one frame.
#[derive(Default)]
pub(super) struct Encoder {
    last: Option<Frame>,
}

impl Encoder {
    pub(super) fn action(&mut self, effect: Effect) -> EncodedPush {
        match effect {
            Effect::Send(message) => EncodedPush::Send(self.frame(message)),
            Effect::Close => EncodedPush::Close,
        }
    }

    fn frame(&mut self, message: Message) -> Frame {
        if let Some(last) = self.last.as_ref().filter(|last| last.is_of(&message)) {
            return last.clone();
        }
        let frame = Frame::from(message);
        self.last = Some(frame.clone());
        frame
    }
}
