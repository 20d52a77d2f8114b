//! Messages from the client that wait for the function.

use std::{collections::VecDeque, mem};

use super::memory::MessageMemory;
use crate::registry::Message;

/// A message from the client, with its memory.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) message: Message,
    pub(super) memory: MessageMemory,
}

/// A queue with a limit in bytes. When the limit is reached, nothing more is read from the client,
/// and TCP makes the client wait. The last message may exceed the limit.
#[derive(Debug)]
pub(super) struct Inbox {
    messages: VecDeque<Received>,
    bytes: usize,
    capacity: usize,
}

impl Inbox {
    pub(super) fn new(capacity: usize) -> Self {
        Self { messages: VecDeque::new(), bytes: 0, capacity }
    }

    pub(super) fn push(&mut self, received: Received) {
        self.bytes += received.message.weight();
        self.messages.push_back(received);
    }

    pub(super) fn pop(&mut self) -> Option<Received> {
        let received = self.messages.pop_front()?;
        self.bytes -= received.message.weight();
        if self.messages.is_empty() {
            // The memory of a burst is freed.
            self.messages.shrink_to(4);
        }
        Some(received)
    }

    /// Drops all messages, and returns their number.
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
