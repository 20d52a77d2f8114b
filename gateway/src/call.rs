//! Calling functions over HTTP: the outcome of a call, and retries of calls that did not run.
//!
//! Knows an address and a body, and does not read the body.

mod batching;
mod client;
mod drain_notice;
mod exchange;
mod failed;
mod origin;
mod outcome;
mod retry;
mod run_time;
mod runner_answer;
mod runner_times;
mod runner_url;
mod unended;

use std::{future::pending, sync::Arc};

use batch::Item;
use bytes::Bytes;
use http::HeaderValue;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout_at},
};
use tokio_util::sync::CancellationToken;
use url::Url;
use uuid::Uuid;

pub(crate) use self::{
    batching::LATE_MAX,
    client::FunctionClient,
    failed::{Repeated, log_failed, shown},
    origin::{EventName, Origin},
    outcome::CallError,
    retry::{RetryBackoff, call_until},
    unended::{LateAnswer, UnendedCall},
};

/// A call of a function: its address and its event.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// The address of the function.
    pub(crate) url: Url,
    /// Whose call it is, for the log.
    pub(crate) origin: Origin,
    /// The event.
    pub(crate) event: Bytes,
    /// Names the invocation. All attempts of one call have the same id in logs.
    pub(crate) request_id: Arc<str>,
    /// The W3C Trace Context of the client's handshake, for the call that the handshake causes.
    pub(crate) traceparent: Option<HeaderValue>,
    /// The number of this attempt, if the function is to know it.
    pub(crate) attempt: Option<u32>,
    /// One permit for each call that may run at once, if they are limited here.
    pub(crate) permits: Option<Arc<Semaphore>>,
    /// When this is cancelled, no further attempt begins.
    pub(crate) given_up: Option<CancellationToken>,
}

impl Call {
    /// A call that no handshake waits for.
    pub(crate) fn new(url: &Url, origin: Origin, event: impl Into<Bytes>) -> Self {
        let request_id = Uuid::new_v4().to_string().into();
        Self {
            url: url.clone(),
            origin,
            event: event.into(),
            request_id,
            traceparent: None,
            attempt: None,
            permits: None,
            given_up: None,
        }
    }

    /// Waits for the turn of the call. A call that has none by `deadline`, or that is given up
    /// before it has one, did not run.
    async fn turn(&self, deadline: Instant) -> Result<Option<OwnedSemaphorePermit>, CallError> {
        let permit = async {
            let Some(permits) = self.permits.clone() else { return Ok(None) };
            let permit = timeout_at(deadline, permits.acquire_owned()).await;
            let permit = permit.map_err(|_| CallError::no_turn())?;
            Ok(Some(permit.expect("the semaphore is never closed")))
        };
        tokio::select! {
            biased;
            () = self.given_up() => Err(CallError::no_turn()),
            permit = permit => permit,
        }
    }

    /// Waits until the call is given up.
    async fn given_up(&self) {
        match &self.given_up {
            Some(given_up) => given_up.cancelled().await,
            None => pending().await,
        }
    }

    /// The call as an item of a batch. The runner does not use the number of the attempt.
    fn to_item(&self) -> Item {
        let traceparent = self.traceparent.as_ref().and_then(|value| value.to_str().ok());
        Item {
            id: (*self.request_id).into(),
            traceparent: traceparent.map(Into::into),
            body: self.event.clone(),
        }
    }
}
