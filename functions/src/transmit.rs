//! The transmit function of the chat: sends a message to all other connections.

use std::{collections::BTreeSet, sync::Arc};

use serde_json::{Value, json};
use shared::{
    data::Payload,
    event::TransmitEvent,
    push::{FailedPush, Push, PushAction, Targets},
};

use crate::{
    environment::Environment,
    event,
    function::{BoxFuture, Context, Function, FunctionError},
    push_client::{PushClient, is_gone},
    roster::Roster,
    start_error::StartError,
};

struct Transmit {
    roster: Roster,
    push_client: PushClient,
}

/// How many connections one push request may name: `push.max_ids` of the gateway.
const IDS_PER_PUSH: usize = 10_000;

/// Some connections that are still open did not get the message.
#[derive(Debug, thiserror::Error)]
#[error(
    "{missed} of {recipients} connections did not get the message, first: errNo {err_no}, {err_msg}"
)]
struct Missed {
    missed: usize,
    recipients: usize,
    err_no: u16,
    err_msg: String,
}

pub(crate) fn check(environment: &Environment) -> Result<(), StartError> {
    PushClient::check(environment)?;
    Roster::check(environment)
}

pub(crate) fn start(environment: &Environment) -> Result<Arc<dyn Function>, StartError> {
    let push_client = PushClient::start(environment)?;
    Ok(Arc::new(Transmit { roster: Roster::start(environment)?, push_client }))
}

impl Function for Transmit {
    fn call<'a>(
        &'a self,
        event: &'a [u8],
        context: &'a Context,
    ) -> BoxFuture<'a, Result<Value, FunctionError>> {
        Box::pin(self.transmit(event, context))
    }
}

impl Transmit {
    async fn transmit(&self, event: &[u8], context: &Context) -> Result<Value, FunctionError> {
        let TransmitEvent { websocket } = event::parse(event, "data send")?;
        let sender = websocket.connection_id.clone();
        let payload = websocket.into_payload().map_err(FunctionError::bad_event)?;

        let online = self.roster.list().await?;
        let payload = with_online(payload, online.len());
        let others: Vec<_> = online.into_iter().filter(|id| *id != sender).collect();
        if !others.is_empty() {
            self.push(others, payload, context).await?;
        }
        Ok(json!({ "errNo": 0, "errMsg": "ok" }))
    }

    /// Sends the message to all `others` with as few requests as possible. With one request for
    /// each, every message in a chat of 1000 connections would cost 999 requests.
    async fn push(
        &self,
        others: Vec<String>,
        payload: Payload,
        context: &Context,
    ) -> Result<(), FunctionError> {
        let recipients = others.len();
        let mut failed = Vec::new();
        for others in others.chunks(IDS_PER_PUSH) {
            let targets = Targets::Many(others.to_vec());
            let push = Push { targets, action: PushAction::Send(payload.clone()) };
            failed.extend(self.push_client.push(&push, context).await?.failed);
        }

        let (gone, missed): (Vec<_>, Vec<_>) =
            failed.into_iter().partition(|failed| is_gone(failed.err_no));
        tracing::debug!(recipients, gone = gone.len(), missed = missed.len(), "message pushed");
        // A set, so that no id is removed twice at the same time if the answer repeats an id.
        let gone: BTreeSet<_> = gone.into_iter().map(|failed| failed.connection_id).collect();
        self.roster.remove_all(gone).await?;
        nobody_missed(&missed, recipients)
    }
}

fn nobody_missed(missed: &[FailedPush], recipients: usize) -> Result<(), FunctionError> {
    let Some(first) = missed.first() else { return Ok(()) };
    Err(FunctionError::raised(Missed {
        missed: missed.len(),
        recipients,
        err_no: first.err_no,
        err_msg: first.err_msg.clone(),
    }))
}

/// Appends the number of open connections, including the sender, to a text. A binary message is
/// not changed.
pub(crate) fn with_online(payload: Payload, online: usize) -> Payload {
    match payload {
        Payload::Text(text) => Payload::Text(format!("{text}(===Online people:{online}===)")),
        Payload::Binary(bytes) => Payload::Binary(bytes),
    }
}

#[cfg(test)]
mod tests;
