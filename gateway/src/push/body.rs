//! The bodies of push requests, and what pushes hold until they are answered. The memory of both is
//! bounded.
//!
//! A body counts from its first byte until its messages have been taken out. From then on the
//! messages are in mailboxes, which have their own bounds. What the push itself holds, its ids and
//! its answer, counts until the answer has been written.

use std::sync::Arc;

use daemon::body::{
    AnswerHold, BodyError, BodyMemory, Encoding, HeldBody, HttpConnection, RequestBody,
};
use http::Request;

use super::{PushSource, source::Shares};
use crate::{dialect::PushRefusal, settings::PushSettings};

/// Reads the bodies of push requests. Clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct PushBodies(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    bytes_max: usize,
    bodies: BodyMemory,
    shares: Shares,
    /// For ids and answers beyond the length of their body. This memory is another one, so that no
    /// push waits for memory of its kind while it has some.
    ids: BodyMemory,
}

/// The body of one push, and the memory that its ids and its answer take beyond it.
#[derive(Debug)]
pub(crate) struct HeldPush {
    pub(super) body: HeldBody,
    ids: Option<HeldBody>,
}

impl PushBodies {
    pub(crate) fn new(settings: &PushSettings) -> Self {
        let PushSettings { timeout, max_body, memory, .. } = *settings;
        Self(Arc::new(Inner {
            bytes_max: max_body,
            bodies: BodyMemory::new(memory, timeout),
            shares: Shares::default(),
            ids: BodyMemory::new(memory / 2, timeout),
        }))
    }

    /// Reads the body of a push of `source`, within its share of the memory.
    pub(crate) async fn read(
        &self,
        source: PushSource,
        request: Request<RequestBody>,
    ) -> Result<HeldBody, PushRefusal> {
        let encoding = Encoding::of(request.headers())
            .map_err(|error| PushRefusal::UnknownEncoding(error.to_string()))?;
        let Inner { bytes_max: limit, bodies, shares, .. } = &*self.0;
        let limit = *limit;
        let bodies = bodies.within(shares.of(source, || bodies.share(limit)));
        let body = bodies.read_encoded(request.into_body(), encoding, limit).await;
        body.map_err(|error| match error {
            BodyError::NoMemory => PushRefusal::TooMany,
            BodyError::NoShare => PushRefusal::TooManyOfCaller,
            BodyError::TooLarge(_) => PushRefusal::BodyTooLarge(error.to_string()),
            BodyError::TooSlow | BodyError::Broken(_) | BodyError::NotGzip(_) => {
                PushRefusal::BadRequest(error.to_string())
            }
        })
    }

    /// The answers of `connection` hold the memory of a body until the hold is dropped.
    pub(crate) fn hold_body(&self, body: &HeldBody, connection: HttpConnection) -> AnswerHold {
        self.0.bodies.hold(body, connection)
    }

    /// The answer of `connection` holds the memory of `push` until the holds are dropped.
    pub(crate) fn hold(
        &self,
        push: &HeldPush,
        connection: HttpConnection,
    ) -> (AnswerHold, Option<AnswerHold>) {
        let ids = push.ids.as_ref().map(|ids| self.0.ids.hold(ids, connection.clone()));
        (self.hold_body(&push.body, connection), ids)
    }

    /// Takes memory for ids and an answer of so many bytes, as far as the body has less.
    pub(super) async fn take_for_ids(
        &self,
        push: &mut HeldPush,
        bytes: usize,
    ) -> Result<(), PushRefusal> {
        let missing = bytes.saturating_sub(push.body.held());
        if missing > 0 {
            let ids = self.0.ids.take(missing).await.map_err(|_| PushRefusal::TooMany)?;
            push.ids = Some(ids);
        }
        Ok(())
    }
}

impl From<HeldBody> for HeldPush {
    fn from(body: HeldBody) -> Self {
        Self { body, ids: None }
    }
}
