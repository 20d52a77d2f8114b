//! The bodies of push requests. The memory of all bodies together is bounded.
//!
//! A body counts from its first byte until its messages have been taken out. From then on the
//! messages are in mailboxes, which have their own bounds. What the push itself holds, its ids and
//! its answer, counts until the answer has been written.

use daemon::body::{AnswerHold, BodyError, BodyMemory, HeldBody, HttpConnection, RequestBody};

use crate::{dialect::PushRefusal, settings::PushSettings};

/// Reads the bodies of push requests.
#[derive(Debug)]
pub(crate) struct PushBodies {
    bytes_max: usize,
    memory: BodyMemory,
}

impl PushBodies {
    pub(crate) fn new(settings: &PushSettings) -> Self {
        let PushSettings { timeout, max_body, memory, .. } = *settings;
        Self { bytes_max: max_body, memory: BodyMemory::new(memory, timeout) }
    }

    /// The answer of `connection` holds the memory of `body` until the hold is dropped.
    pub(crate) fn hold(&self, body: &HeldBody, connection: HttpConnection) -> AnswerHold {
        self.memory.hold(body, connection)
    }

    pub(crate) async fn read(&self, body: RequestBody) -> Result<HeldBody, PushRefusal> {
        self.memory.read(body, self.bytes_max).await.map_err(|error| match error {
            BodyError::NoMemory => PushRefusal::TooMany,
            BodyError::TooLarge(_) => PushRefusal::BodyTooLarge(error.to_string()),
            BodyError::TooSlow | BodyError::Broken(_) => PushRefusal::BadRequest(error.to_string()),
        })
    }
}
