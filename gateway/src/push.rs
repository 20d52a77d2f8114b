//! Reverse push: carries out what a function asks, and answers with the truth.
//!
//! A message is answered for when it has been handed to the operating system, or when it is
//! certain that it will not be. The one exception is a message to a connection that is still being
//! opened: it is held, and answered at once, since register may wait for the answer.

mod body;
mod encoder;

use std::sync::Arc;

use shared::{
    connection_id::ConnectionId,
    push::{
        FailedPush, InvalidPush, Push, PushAction, PushAnswer, PushError, PushRequest, Targets,
    },
};
use tokio::time::{Instant, timeout_at};

pub(crate) use self::body::{NoBody, PushBodies, PushBody};
use self::encoder::{Action, Encoder};
use crate::{
    api::Api,
    registry::{End, Handle, NotOffered, Offered, Receipt, Registry},
    settings::PushSettings,
};

/// Carries out pushes; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Pusher {
    registry: Registry,
    settings: PushSettings,
}

/// What is known of one target before anything is waited for.
type Begun = Result<Option<Delivery>, PushError>;

/// A message that waits in a mailbox.
struct Delivery {
    handle: Arc<Handle>,
    receipt: Receipt,
}

impl Pusher {
    pub(crate) fn new(registry: Registry, settings: PushSettings) -> Self {
        Self { registry, settings }
    }

    /// Carries out the push that `body` asks for.
    pub(crate) async fn push(&self, api: &Api, body: PushBody) -> Result<PushAnswer, PushError> {
        let deadline = Instant::now() + self.settings.timeout;
        let request = PushRequest::parse(&body.bytes)
            .map_err(|error| PushError::BadRequest(error.to_string()))?;
        // Not held while slow clients are waited for.
        drop(body);
        if self.registry.is_drained() && sends(&request) {
            return Err(PushError::ShuttingDown);
        }
        let pushes = match request {
            PushRequest::One(Ok(Push { targets: Targets::One(id), action })) => {
                let begun = self.begin(api, &id, &Encoder::default().action(action));
                return settle(begun, deadline).await.map(|()| PushAnswer::ok());
            }
            PushRequest::One(Err(InvalidPush { targets: Targets::One(_), problem })) => {
                return Err(PushError::Invalid(problem));
            }
            PushRequest::One(push) => vec![push],
            PushRequest::Many(pushes) => pushes,
        };
        // All are begun before any is waited for: one slow client must not hold up the others.
        let begun = self.begin_each(api, pushes);
        let mut failed = Vec::new();
        for (id, begun) in begun {
            if let Err(error) = settle(begun, deadline).await {
                failed.push(FailedPush::new(id, &error));
            }
        }
        Ok(PushAnswer::batch(failed))
    }

    fn begin_each(
        &self,
        api: &Api,
        pushes: Vec<Result<Push, InvalidPush>>,
    ) -> Vec<(String, Begun)> {
        let mut encoder = Encoder::default();
        pushes.into_iter().flat_map(|push| self.begin_all(api, &mut encoder, push)).collect()
    }

    fn begin_all(
        &self,
        api: &Api,
        encoder: &mut Encoder,
        push: Result<Push, InvalidPush>,
    ) -> Vec<(String, Begun)> {
        let (targets, action) = match push {
            Ok(Push { targets, action }) => (targets, Ok(encoder.action(action))),
            Err(InvalidPush { targets, problem }) => (targets, Err(PushError::Invalid(problem))),
        };
        let begin = |id: String| {
            let begun = match &action {
                Ok(action) => self.begin(api, &id, action),
                Err(error) => Err(error.clone()),
            };
            (id, begun)
        };
        match targets {
            Targets::One(id) => vec![begin(id)],
            Targets::Many(ids) => ids.into_iter().map(begin).collect(),
        }
    }

    fn begin(&self, api: &Api, id: &str, action: &Action) -> Begun {
        let handle = self.find(api, id);
        // One that is too large is so whoever it is for.
        let limit = match &handle {
            Some(handle) => handle.message_bytes_max(),
            None => api.config().settings.max_message,
        };
        if let Action::Send(frame) = action
            && frame.len() > limit
        {
            return Err(PushError::TooLarge { bytes: frame.len(), limit });
        }
        let handle = handle.ok_or(PushError::Gone)?;
        let frame = match action {
            Action::Close if handle.mailbox.close(End::SERVER) => return Ok(None),
            Action::Close => return Err(PushError::Gone),
            Action::Send(frame) => frame.clone(),
        };
        match handle.mailbox.offer(frame) {
            Ok(Offered::Held) => Ok(None),
            Ok(Offered::Queued(receipt)) => Ok(Some(Delivery { handle, receipt })),
            Err(NotOffered::Full) => Err(PushError::SlowReader),
            Err(NotOffered::Gone) => Err(PushError::Gone),
        }
    }

    /// The connection, if it is one of this API: an id must not be a way around another API's URL.
    fn find(&self, api: &Api, id: &str) -> Option<Arc<Handle>> {
        let id: ConnectionId = id.parse().ok()?;
        self.registry.get(&id).filter(|handle| handle.api.id() == api.id())
    }
}

fn sends(request: &PushRequest) -> bool {
    let sends =
        |push: &Result<Push, _>| matches!(push, Ok(Push { action: PushAction::Send(_), .. }));
    match request {
        PushRequest::One(push) => sends(push),
        PushRequest::Many(pushes) => pushes.iter().any(sends),
    }
}

/// Waits until it is certain whether the message was written.
async fn settle(begun: Begun, deadline: Instant) -> Result<(), PushError> {
    let Some(mut delivery) = begun? else { return Ok(()) };
    if let Ok(written) = timeout_at(deadline, &mut delivery.receipt.written).await {
        return written.map_err(|_| PushError::Gone);
    }
    if delivery.handle.mailbox.withdraw(&delivery.receipt) {
        return Err(PushError::SlowReader);
    }
    // It is being written at this moment, which ends: at the latest by the write timeout.
    delivery.receipt.written.await.map_err(|_| PushError::Gone)
}
