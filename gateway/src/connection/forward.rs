//! Calls the transmit function with one message at a time, and says what the outcome means for the
//! connection.

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use shared::invocation::Disposition;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::inbox::Received;
use crate::{
    api::ApiConfig,
    call::{Call, CallError, FunctionClient, LateAnswer, UnendedCall, call_until, log_failed},
    registry::{Frame, Handle},
};

/// Forwards messages of one connection.
#[derive(Debug)]
pub(super) struct Forward {
    functions: FunctionClient,
    handle: Arc<Handle>,
}

/// A message that the function has at present.
pub(super) struct Forwarding {
    /// The settings with which the call began.
    config: Arc<ApiConfig>,
    given_up: CancellationToken,
    outcome: Pin<Box<dyn Future<Output = Forwarded> + Send>>,
}

/// The outcome of a message.
#[derive(Debug)]
pub(super) enum Forwarded {
    /// The function has run. With a reply for the sender, if the API sends replies.
    Done(Option<Frame>),
    /// The function refused the message because of its size.
    TooLarge,
    /// Nobody knows whether the function has run, or it did not run within the timeout. With the
    /// call, if the function may still run.
    Fault(Option<UnendedCall>),
}

impl Forward {
    pub(super) fn new(functions: FunctionClient, handle: Arc<Handle>) -> Self {
        Self { functions, handle }
    }

    pub(super) fn start(&self, received: Received) -> Forwarding {
        let Received { message, memory } = received;
        let handle = Arc::clone(&self.handle);
        let config = handle.api.config();
        let mut call = config.dialect.message_call(&config, &handle.info, &message);
        drop(message);
        call.permits = Some(handle.api.transmits());
        let given_up = CancellationToken::new();
        call.given_up = Some(given_up.clone());
        let functions = self.functions.clone();
        let began = Arc::clone(&config);
        let outcome = Box::pin(async move {
            let outcome = call_until(&functions, &call, began.settings.timeout).await;
            // The event takes the memory of the message until the call has ended.
            drop(memory);
            match outcome {
                Ok(body) => Forwarded::Done(reply(&began, &handle, &body)),
                Err(error) => failed(&functions, &call, error),
            }
        });
        Forwarding { config, given_up, outcome }
    }
}

impl Forwarding {
    /// The call of a message for which the connection no longer waits. It began before now, and
    /// begins no second time: the cleanup does not wait for a call of which the runner knows
    /// nothing yet.
    pub(super) fn give_up(self) -> UnendedCall {
        let Self { config, given_up, outcome } = self;
        given_up.cancel();
        let answer = async move { !matches!(outcome.await, Forwarded::Fault(Some(_))) };
        UnendedCall::new(&config.transmit, Instant::now())
            .with_late(Some(LateAnswer::in_time(answer)))
    }
}

impl Future for Forwarding {
    type Output = Forwarded;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Forwarded> {
        self.outcome.as_mut().poll(context)
    }
}

impl fmt::Debug for Forwarding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Forwarding")
    }
}

/// The reply of the function to the sender, unless it is larger than the client accepts.
fn reply(config: &ApiConfig, handle: &Handle, body: &[u8]) -> Option<Frame> {
    let reply = config.dialect.reply_to_sender(config, &handle.info, body)?;
    let frame = Frame::from(reply);
    let (bytes, bytes_max) = (frame.len(), handle.message_bytes_max());
    if bytes > bytes_max {
        let id = handle.info.id;
        warn!(connection.id = %id, bytes, bytes_max, "reply too large for its sender");
        return None;
    }
    Some(frame)
}

/// If the function has run and failed, the connection stays open. docs/functions.md has a table.
fn failed(functions: &FunctionClient, call: &Call, error: CallError) -> Forwarded {
    let failed = functions.failed(call, &error);
    match error.disposition {
        Disposition::Ran => {
            log_failed!(info, failed, "transmit failed");
            Forwarded::Done(None)
        }
        Disposition::Faulted if error.is_event_too_large() => {
            log_failed!(info, failed, "transmit failed: the message is too large for the function");
            Forwarded::TooLarge
        }
        Disposition::NotRun | Disposition::Faulted => {
            let api = &call.origin.api_id;
            log_failed!(warn, failed, "closed connection with 1011: transmit of {api} failed");
            Forwarded::Fault(error.unended)
        }
    }
}
