//! Memory for messages that come faster than they can be written.
//!
//! A full mailbox takes messages beyond its room, while its client reads. The memory for them is
//! bounded for all mailboxes together, and each mailbox may have a part of it. So clients that read
//! slowly cannot take all of it.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Frame;

/// One mailbox may have this part of the memory.
const PARTS: usize = 4;
/// Bytes of a message beside its payload.
const OVERHEAD: usize = 256;

/// The memory beyond the room of mailboxes. Clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct Overflow {
    memory: Arc<Semaphore>,
    bytes_each: usize,
}

impl Overflow {
    /// Memory for `bytes` in all.
    pub(crate) fn new(bytes: usize) -> Self {
        Self { memory: Arc::new(Semaphore::new(bytes)), bytes_each: bytes / PARTS }
    }

    /// Memory for a message to a mailbox that has taken so much already.
    pub(super) fn take(&self, frame: &Frame, taken: usize) -> Option<OwnedSemaphorePermit> {
        let bytes = frame.len() + OVERHEAD;
        if taken + bytes > self.bytes_each {
            return None;
        }
        let permits = u32::try_from(bytes).ok()?;
        Arc::clone(&self.memory).try_acquire_many_owned(permits).ok()
    }
}
