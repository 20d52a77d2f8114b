//! Messages that the client has sent and that wait for the function.

use std::{collections::VecDeque, mem};

use crate::registry::Message;

/// A queue with a bound in bytes. Past it the client is no longer read from, so that TCP holds it
/// back; what one more message may exceed it by is the API's message limit.
#[derive(Debug)]
pub(super) struct Inbox {
    messages: VecDeque<Message>,
    bytes: usize,
    capacity: usize,
}

impl Inbox {
    pub(super) fn new(capacity: usize) -> Self {
        Self { messages: VecDeque::new(), bytes: 0, capacity }
    }

    pub(super) fn push(&mut self, message: Message) {
        self.bytes += message.weight();
        self.messages.push_back(message);
    }

    pub(super) fn pop(&mut self) -> Option<Message> {
        let message = self.messages.pop_front()?;
        self.bytes -= message.weight();
        if self.messages.is_empty() {
            // A burst must not cost memory for as long as the connection lives.
            self.messages.shrink_to(4);
        }
        Some(message)
    }

    /// Throws all of it away; how many messages that were.
    pub(super) fn clear(&mut self) -> usize {
        self.bytes = 0;
        mem::take(&mut self.messages).len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// Whether another message may be read.
    pub(super) fn has_room(&self) -> bool {
        self.bytes < self.capacity
    }
}
