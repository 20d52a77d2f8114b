//! Hands one message at a time to the transmit function, and says what that means for the
//! connection.

use std::{error::Error, pin::Pin, sync::Arc};

use shared::{connection_id::ConnectionId, invocation::Disposition};
use tokio::time::Instant;
use tracing::{info, warn};

use crate::{
    api::ApiConfig,
    call::{Call, CallError, Caller, Rest, call_until},
    registry::{Frame, Handle, Message},
};

/// Forwards messages of one connection.
#[derive(Debug)]
pub(super) struct Forward {
    caller: Caller,
    handle: Arc<Handle>,
}

/// A message on its way.
pub(super) type Forwarding = Pin<Box<dyn Future<Output = Forwarded> + Send>>;

/// What is left of a message on its way that the connection does not wait for any more.
pub(super) fn rest(forwarding: Forwarding) -> Rest {
    Rest::new(Instant::now(), async move {
        if let Forwarded::Fault(Some(rest)) = forwarding.await {
            rest.ended().await;
        }
    })
}

/// What came of a message.
#[derive(Debug)]
pub(super) enum Forwarded {
    /// The function had it. With a reply for the sender where the API is set up so.
    Done(Option<Frame>),
    /// The function would not take it for its size.
    TooLarge,
    /// Whether the function had it is not known, or it provably had not until time ran out. With
    /// the rest of the call, if the function may still be at work.
    Fault(Option<Rest>),
}

impl Forward {
    pub(super) fn new(caller: Caller, handle: Arc<Handle>) -> Self {
        Self { caller, handle }
    }

    pub(super) fn start(&self, message: &Message) -> Forwarding {
        let handle = Arc::clone(&self.handle);
        let config = handle.api.config();
        let call = config.dialect.message_call(&config, &handle.info, message);
        let caller = self.caller.clone();
        Box::pin(async move {
            match call_until(&caller, &call, config.settings.timeout).await {
                Ok(body) => Forwarded::Done(reply(&config, &handle, &body)),
                Err(error) => failed(handle.info.id, &call, error),
            }
        })
    }
}

/// What the function's answer says to the sender, if the client can take it.
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

/// A function that had the message and failed on it keeps its socket. docs/functions.md has a table.
fn failed(id: ConnectionId, call: &Call, error: CallError) -> Forwarded {
    let source = error.source();
    let request_id = &*call.request_id;
    match error.disposition {
        Disposition::Ran => {
            info!(connection.id = %id, invocation.id = request_id, %error, source, "transmit failed");
            Forwarded::Done(None)
        }
        Disposition::Faulted if error.is_event_too_large() => Forwarded::TooLarge,
        Disposition::NotRun | Disposition::Faulted => {
            warn!(
                connection.id = %id, invocation.id = request_id, %error, source,
                "connection {id} closed: its message may be lost",
            );
            Forwarded::Fault(error.rest)
        }
    }
}
