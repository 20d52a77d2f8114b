//! One exchange with a function: the call is sent, alone or in a batch, and its answer is read.

use std::{pin::Pin, sync::Arc};

use batch::{Batcher, Item, LoneExchange};
use bytes::{Bytes, BytesMut};
use reqwest::RequestBuilder;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use url::Url;

use super::{CallError, FunctionClient, LateAnswer};

/// What a function may return (documented).
const REPLY_BYTES_MAX: usize = 6 << 20;

/// An answer that has not come yet.
pub(super) struct Exchange {
    pub(super) answer: Answer,
    /// Where a permit must be taken to keep the exchange after its deadline. None if it must not be
    /// kept.
    late: Option<Arc<Semaphore>>,
}

/// The body of a response that says success, or why there is none.
pub(super) type Answer = Pin<Box<dyn Future<Output = Result<Bytes, CallError>> + Send>>;

impl Exchange {
    /// In a batch with others. `late` has a permit for each exchange that may be kept after its
    /// deadline.
    pub(super) fn in_batch(batcher: Batcher, item: Item, late: Arc<Semaphore>) -> Self {
        Self { answer: Box::pin(in_batch(batcher, item)), late: Some(late) }
    }

    /// As a request of its own. `lone` has others sent in batches meanwhile.
    pub(super) fn alone(
        functions: FunctionClient,
        url: Url,
        request: RequestBuilder,
        lone: Option<LoneExchange>,
    ) -> Self {
        let answer = async move {
            let _lone = lone;
            alone(functions, url, request).await
        };
        Self { answer: Box::pin(answer), late: None }
    }

    /// The answer that may still come after the deadline. None if the exchange must end here.
    pub(super) fn into_late(self) -> Option<LateAnswer> {
        let permit = self.late?.try_acquire_owned().ok()?;
        Some(LateAnswer::overdue(has_ended(self.answer, permit)))
    }
}

/// Waits for an answer after its deadline. Returns whether the function has ended.
async fn has_ended(answer: Answer, permit: OwnedSemaphorePermit) -> bool {
    let outcome = answer.await;
    drop(permit);
    outcome.map_or_else(|error| !error.may_still_run(), |_| true)
}

async fn in_batch(batcher: Batcher, item: Item) -> Result<Bytes, CallError> {
    let answer = batcher.exchange(item).await.map_err(CallError::no_answer)?;
    match answer.status {
        200..=299 if answer.body.len() > REPLY_BYTES_MAX => Err(CallError::too_large()),
        200..=299 => Ok(answer.body),
        status => Err(CallError::status(status)),
    }
}

async fn alone(
    functions: FunctionClient,
    url: Url,
    request: RequestBuilder,
) -> Result<Bytes, CallError> {
    let mut response = request.send().await.map_err(CallError::transport)?;
    functions.learn(&url, response.headers());
    let status = response.status();
    // The body of an error is read as well, so that the connection can be reused. A body that is
    // too large is read to its end, because the function has ended only then.
    let (mut body, mut is_too_large) = (BytesMut::new(), false);
    while let Some(chunk) = response.chunk().await.map_err(CallError::transport)? {
        is_too_large |= body.len() + chunk.len() > REPLY_BYTES_MAX;
        if is_too_large {
            body = BytesMut::new();
        } else {
            body.extend_from_slice(&chunk);
        }
    }
    if is_too_large {
        return Err(CallError::too_large());
    }
    match status.as_u16() {
        200..=299 => Ok(body.freeze()),
        status if functions.name_of(&url).is_some() => Err(CallError::status(status)),
        status => Err(CallError::status_of_other(status)),
    }
}
