//! The bodies of push requests. The memory of all bodies together is bounded.
//!
//! A body counts from before it is read until its messages have been taken out. From then on the
//! messages are in mailboxes, which have their own bounds.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use daemon::body::{BodyError, RequestBody, read_body};
use hyper::body::Body;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use crate::{dialect::PushRefusal, settings::PushSettings};

/// The bytes that one permit stands for.
const UNIT: usize = 1 << 10;

/// Reads the bodies of push requests.
#[derive(Debug)]
pub(crate) struct PushBodies {
    bytes_max: usize,
    /// How long a push waits for memory.
    timeout: Duration,
    memory: Arc<Semaphore>,
}

/// A body, or a part of one, with the permit for the memory of the whole body.
#[derive(Debug)]
pub(crate) struct PushBody {
    pub(crate) bytes: Bytes,
    permit: Arc<OwnedSemaphorePermit>,
}

impl PushBodies {
    pub(crate) fn new(settings: &PushSettings) -> Self {
        let memory = Arc::new(Semaphore::new(settings.memory.div_ceil(UNIT)));
        Self { bytes_max: settings.max_body, timeout: settings.timeout, memory }
    }

    /// Reads a body, once there is memory for it. A body that does not say its length counts as
    /// one of the greatest length.
    pub(crate) async fn read(&self, body: RequestBody) -> Result<PushBody, PushRefusal> {
        let said = body.size_hint().upper().and_then(|bytes| usize::try_from(bytes).ok());
        let units = said.unwrap_or(self.bytes_max).min(self.bytes_max).div_ceil(UNIT);
        let units = u32::try_from(units).unwrap_or(u32::MAX);
        let Ok(permit) =
            timeout(self.timeout, Arc::clone(&self.memory).acquire_many_owned(units)).await
        else {
            return Err(PushRefusal::TooMany);
        };
        let permit = Arc::new(permit.expect("the semaphore is never closed"));
        match read_body(body, self.bytes_max).await {
            Ok(bytes) => Ok(PushBody { bytes, permit }),
            Err(error @ BodyError::TooLarge(_)) => {
                Err(PushRefusal::BodyTooLarge(error.to_string()))
            }
            Err(error) => Err(PushRefusal::BadRequest(error.to_string())),
        }
    }
}

impl PushBody {
    /// A part of the body. The memory of the whole body is in use until all parts are dropped.
    pub(crate) fn part(&self, bytes: Bytes) -> Self {
        Self { bytes, permit: Arc::clone(&self.permit) }
    }
}
