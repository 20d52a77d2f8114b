//! What a push does to the connections that it is for.

use shared::push::PushAction;

use crate::{
    dialect::tencent,
    registry::{Frame, Message},
};

/// What to do, with the frame as the connection takes it: shared by all that it goes to.
pub(super) enum Action {
    Send(Frame),
    Close,
}

/// Encodes messages; those that stand one after another in a batch and say the same are one frame.
#[derive(Default)]
pub(super) struct Encoder {
    last: Option<Frame>,
}

impl Encoder {
    pub(super) fn action(&mut self, action: PushAction) -> Action {
        match action {
            PushAction::Send(payload) => Action::Send(self.frame(tencent::message(payload))),
            PushAction::Close => Action::Close,
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
