//! The memory for the bodies of requests.

use daemon::body::BodyMemory;

use super::{MEMORY_TIMEOUT, action};

/// The memory for the bodies of requests. Clones are the same.
#[derive(Debug, Clone)]
pub(super) struct Bodies {
    /// Of invocations of services, which have shown a token.
    pub(super) of_services: BodyMemory,
    /// Of the action. A signature covers the body, so that bodies of strangers are read: they must
    /// not take the memory of services.
    pub(super) of_actions: BodyMemory,
}

impl Bodies {
    /// `bytes` for services. The action has half as much beside, and at least one largest body.
    pub(super) fn new(bytes: usize) -> Self {
        let of_actions = (bytes / 2).max(action::BODY_BYTES_MAX);
        Self {
            of_services: BodyMemory::new(bytes, MEMORY_TIMEOUT),
            of_actions: BodyMemory::new(of_actions, MEMORY_TIMEOUT),
        }
    }
}
