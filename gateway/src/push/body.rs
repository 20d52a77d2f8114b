//! The bodies of push requests, which together have a bound in bytes.
//!
//! A body counts from before it is read until it has been taken apart: from then on its messages
//! are in mailboxes, which have bounds of their own.

use std::{sync::Arc, time::Duration};

use daemon::http::{BODY_TIMEOUT, BodyError, read_body};
use http_body_util::BodyExt;
use hyper::body::{Body, Bytes, Incoming};
use shared::push::PushError;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use crate::settings::PushSettings;

/// What a permit stands for, in bytes.
const UNIT: usize = 1 << 10;

/// Reads the bodies of push requests.
#[derive(Debug)]
pub(crate) struct PushBodies {
    bytes_max: usize,
    /// How long a push waits for room.
    patience: Duration,
    room: Arc<Semaphore>,
}

/// A body, or a part of one, and the room that the whole of it takes.
#[derive(Debug)]
pub(crate) struct PushBody {
    pub(crate) bytes: Bytes,
    room: Arc<OwnedSemaphorePermit>,
}

/// Why there is no body.
#[derive(Debug)]
pub(crate) enum NoBody {
    /// It is larger than one body may be.
    TooLarge(BodyError),
    Push(PushError),
}

impl PushBodies {
    pub(crate) fn new(settings: &PushSettings) -> Self {
        let room = Arc::new(Semaphore::new(settings.memory.div_ceil(UNIT)));
        Self { bytes_max: settings.max_body, patience: settings.timeout, room }
    }

    /// Reads a body, once there is room for it. One that does not say its length may be as long as
    /// any.
    pub(crate) async fn read(&self, body: Incoming) -> Result<PushBody, NoBody> {
        let said = body.size_hint().upper().and_then(|bytes| usize::try_from(bytes).ok());
        let units = said.unwrap_or(self.bytes_max).min(self.bytes_max).div_ceil(UNIT);
        let units = u32::try_from(units).unwrap_or(u32::MAX);
        let Ok(room) =
            timeout(self.patience, Arc::clone(&self.room).acquire_many_owned(units)).await
        else {
            discard(body).await;
            return Err(NoBody::Push(PushError::TooMany));
        };
        let room = Arc::new(room.expect("the semaphore is never closed"));
        match read_body(body, self.bytes_max).await {
            Ok(bytes) => Ok(PushBody { bytes, room }),
            Err(error @ BodyError::TooLarge(_)) => Err(NoBody::TooLarge(error)),
            Err(error) => Err(NoBody::Push(PushError::BadRequest(error.to_string()))),
        }
    }
}

impl PushBody {
    /// A part of it, which takes the room for as long as it is there.
    pub(crate) fn part(&self, bytes: Bytes) -> Self {
        Self { bytes, room: Arc::clone(&self.room) }
    }
}

/// Reads a body and keeps nothing of it: who is still sending when the connection is closed may
/// not see the answer.
async fn discard(mut body: Incoming) {
    let end = async { while let Some(Ok(_)) = body.frame().await {} };
    // One that never ends is not answered.
    let _ = timeout(BODY_TIMEOUT, end).await;
}
