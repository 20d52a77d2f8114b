//! Reverse push: carries out what a function asks for, and says truly what came of it.
//!
//! A message is answered for when it has been handed to the operating system, or when it is
//! certain that it will not be. The one exception is a message to a connection that is still being
//! opened: it is held, and answered at once, since register may wait for the answer.

mod admission;
mod batch;
mod body;
mod encoder;
mod source;

use std::{mem, sync::Arc};

use ::batch::wire::Malformed;
use bytes::Bytes;
use daemon::offload::offload;
use shared::connection_id::ConnectionId;
use tokio::{
    task::coop::consume_budget,
    time::{Instant, timeout_at},
};

use self::encoder::{EncodedPush, Encoder};
pub(crate) use self::{
    admission::{PushTokens, TokenScope},
    batch::BatchPush,
    body::{HeldPush, PushBodies},
    source::PushSource,
};
use crate::{
    api::PushTarget,
    dialect::{Effect, NotPushed, PushOutcome, PushRefusal, Pushes},
    registry::{Delivery, End, Handle, NotOffered, Offered, Overflow, Receipt, Registry, Terms},
    settings::PushSettings,
};

/// Carries out pushes; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Pusher {
    registry: Registry,
    bodies: PushBodies,
    settings: PushSettings,
    overflow: Overflow,
}

/// Bytes that a push holds for each connection until it is answered, beside the id.
const BYTES_PER_ID: usize = 256;

/// What is known of one target before anything is waited for.
type Begun = Result<Option<QueuedPush>, NotPushed>;

/// A message that waits in a mailbox.
struct QueuedPush {
    handle: Arc<Handle>,
    receipt: Receipt,
}

impl Pusher {
    pub(crate) fn new(registry: Registry, bodies: PushBodies, settings: PushSettings) -> Self {
        let overflow = Overflow::new(settings.memory);
        Self { registry, bodies, settings, overflow }
    }

    /// Carries out the push that `held` asks for. Takes the bytes out of `held` and leaves the
    /// memory, as [`Self::carry_out`] does.
    pub(crate) async fn push(&self, target: &PushTarget, held: &mut HeldPush) -> PushOutcome {
        let bytes = mem::take(&mut held.body.bytes);
        let (dialect, ids_max) = (target.api().config().dialect, self.settings.max_ids);
        let asked = offload(bytes.len(), move || dialect.read_push(&bytes, ids_max)).await;
        self.carry_out(target, asked, held).await
    }

    /// The pushes in `batch`, which came for `target`.
    pub(crate) async fn read_batch(
        &self,
        target: &PushTarget,
        batch: Bytes,
    ) -> Result<Vec<BatchPush>, Malformed> {
        batch::read(target.api().config().dialect, self.settings.max_ids, batch).await
    }

    /// Carries out what a push asks for. `held` has the memory of its body. Leaves the memory for
    /// what the push still holds, which the caller keeps until the answer has been written.
    pub(crate) async fn carry_out(
        &self,
        target: &PushTarget,
        asked: Result<Pushes, PushRefusal>,
        held: &mut HeldPush,
    ) -> PushOutcome {
        let pushes = match asked {
            Ok(pushes) => pushes,
            Err(refusal) => return PushOutcome::Refused(refusal),
        };
        if self.registry.is_drained() && pushes.send_any() {
            return PushOutcome::Refused(PushRefusal::ShuttingDown);
        }
        // The time of a message begins when it can be queued, not before a long body has been read.
        let began = Instant::now();
        let deadline = began + self.settings.timeout;
        let terms = Terms { began, deadline, overflow: &self.overflow };
        let pushes = match pushes {
            Pushes::One(id, effect) => {
                // The message is in a mailbox soon, which has its own bound.
                let bytes = id.len() + BYTES_PER_ID;
                let begun = match effect {
                    Ok(effect) => {
                        self.begin(target, &id, &Encoder::default().action(effect), terms)
                    }
                    Err(problem) => Err(NotPushed::Invalid(problem)),
                };
                held.body.shrink_to(bytes);
                let outcome = match settle_until(begun, deadline).await {
                    Ok(Some(queued)) => queued.written().await,
                    Ok(None) => Ok(()),
                    Err(error) => Err(error),
                };
                return PushOutcome::One(outcome);
            }
            Pushes::Many(pushes) => pushes,
        };
        let ids = pushes.iter().flat_map(|(ids, _)| ids);
        let bytes = ids.map(|id| id.len() + BYTES_PER_ID).sum();
        if let Err(refusal) = self.bodies.take_for_ids(held, bytes).await {
            return PushOutcome::Refused(refusal);
        }
        // All are begun before any is waited for: one slow client must not hold up the others.
        let begun = self.begin_each(target, pushes, terms).await;
        // The messages are in mailboxes, which have their own bounds.
        held.body.shrink_to(bytes);
        PushOutcome::Many(settle_each(begun, deadline).await)
    }

    async fn begin_each(
        &self,
        target: &PushTarget,
        pushes: Vec<(Vec<String>, Result<Effect, String>)>,
        terms: Terms<'_>,
    ) -> Vec<(String, Begun)> {
        let mut encoder = Encoder::default();
        let mut begun = Vec::new();
        for (ids, effect) in pushes {
            let action = match effect {
                Ok(effect) => Ok(encoder.action(effect)),
                Err(problem) => Err(NotPushed::Invalid(problem)),
            };
            for id in ids {
                // Other tasks have their turns, however many ids there are.
                consume_budget().await;
                let outcome = match &action {
                    Ok(action) => self.begin(target, &id, action, terms),
                    Err(error) => Err(error.clone()),
                };
                begun.push((id, outcome));
            }
        }
        begun
    }

    fn begin(
        &self,
        target: &PushTarget,
        id: &str,
        action: &EncodedPush,
        terms: Terms<'_>,
    ) -> Begun {
        let handle = self.find(target, id);
        // A message over the API's limit is too large even if its connection is gone.
        let limit = match &handle {
            Some(handle) => handle.message_bytes_max(),
            None => target.api().config().settings.max_message,
        };
        if let EncodedPush::Send(frame) = action
            && frame.len() > limit
        {
            return Err(NotPushed::TooLarge { bytes: frame.len(), limit });
        }
        let handle = handle.ok_or(NotPushed::Gone)?;
        let frame = match action {
            EncodedPush::Close if handle.mailbox.close(End::SERVER) => return Ok(None),
            EncodedPush::Close => return Err(NotPushed::Gone),
            EncodedPush::Send(frame) => frame.clone(),
        };
        match handle.mailbox.offer(frame, terms) {
            Ok(Offered::Held) => Ok(None),
            Ok(Offered::Queued(receipt)) => Ok(Some(QueuedPush { handle, receipt })),
            Err(NotOffered::Full) => Err(NotPushed::SlowReader),
            Err(NotOffered::Gone) => Err(NotPushed::Gone),
        }
    }

    /// The connection, if it is one of this target. Credentials for one API's URL must not reach
    /// the connections of another.
    fn find(&self, target: &PushTarget, id: &str) -> Option<Arc<Handle>> {
        let id: ConnectionId = id.parse().ok()?;
        self.registry.get(&id).filter(|handle| target.has(handle.api.id()))
    }
}

/// Waits until it is certain of each message whether it was written.
async fn settle_each(begun: Vec<(String, Begun)>, deadline: Instant) -> Vec<(String, NotPushed)> {
    let mut failed = Vec::new();
    let mut being_written = Vec::new();
    for (id, begun) in begun {
        match settle_until(begun, deadline).await {
            Ok(None) => {}
            Ok(Some(queued)) => being_written.push((id, queued)),
            Err(error) => failed.push((id, error)),
        }
    }
    // Only now is a message waited for that is being written: no other message is held up by its
    // client.
    for (id, queued) in being_written {
        if let Err(error) = queued.written().await {
            failed.push((id, error));
        }
    }
    failed
}

/// Waits for a message that is still queued, until the deadline. Returns a message that is being
/// written then.
async fn settle_until(begun: Begun, deadline: Instant) -> Begun {
    let Some(mut queued) = begun? else { return Ok(None) };
    if let Ok(delivery) = timeout_at(deadline, &mut queued.receipt.written).await {
        return outcome(delivery.ok()).map(|()| None);
    }
    match queued.handle.mailbox.withdraw(&queued.receipt, deadline) {
        true => Err(NotPushed::SlowReader),
        false => Ok(Some(queued)),
    }
}

impl QueuedPush {
    /// Waits for a message that is being written. That ends by the write timeout at the latest.
    async fn written(mut self) -> Result<(), NotPushed> {
        outcome((&mut self.receipt.written).await.ok())
    }
}

/// The caller may leave before its answer. Then no message of the push stays beyond the room of a
/// mailbox.
impl Drop for QueuedPush {
    fn drop(&mut self) {
        if self.receipt.overflows {
            self.handle.mailbox.withdraw(&self.receipt, Instant::now());
        }
    }
}

fn outcome(delivery: Option<Delivery>) -> Result<(), NotPushed> {
    match delivery {
        Some(Delivery::Written) => Ok(()),
        Some(Delivery::Expired) => Err(NotPushed::SlowReader),
        None => Err(NotPushed::Gone),
    }
}

#[cfg(test)]
mod tests;
