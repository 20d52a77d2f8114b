//! The message that is being received: the memory that it may take, and the rate at which it must come.
//!
//! The memory of all connections together is bounded. A message grows in steps. When no step is left, its
//! connection waits for a part of the reserve that is enough for all of the rest, so that connections that
//! each have a part of a message cannot wait for each other. While it waits, the client is not read from.

use std::{future::pending, pin::Pin, sync::Arc, time::Duration};

use daemon::pace::{MinRate, Pace};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

use crate::registry::End;

/// A message of up to this many bytes takes nothing of the memory that is bounded.
const FREE_BYTES: usize = 8 << 10;
/// By how many bytes a message grows.
const STEP_BYTES: usize = 64 << 10;
/// The bytes that one permit stands for.
const UNIT: usize = 1 << 10;
/// How many bytes of a message must come in each read timeout, unless it ends before.
const BYTES_PER_TIMEOUT: u64 = 64 << 10;

/// The memory for messages that are being received. All clones are one memory.
#[derive(Debug, Clone)]
pub(crate) struct ReceiveMemory {
    steps: Arc<Semaphore>,
    reserve: Arc<Semaphore>,
    reserve_units: usize,
}

/// What one connection is receiving.
pub(super) struct Intake {
    memory: ReceiveMemory,
    rate: MinRate,
    message_bytes_max: usize,
    /// How many bytes the message may take now.
    allowance: usize,
    permits: Vec<OwnedSemaphorePermit>,
    waiting: Option<Pin<Box<dyn Future<Output = OwnedSemaphorePermit> + Send>>>,
    /// How fast the message comes, if one has begun.
    pace: Option<Pace>,
}

impl ReceiveMemory {
    /// Memory of this many bytes, a quarter of which is the reserve.
    pub(crate) fn new(bytes: usize) -> Self {
        let reserve_units = (bytes / UNIT / 4).max(1);
        let steps = (bytes / UNIT).saturating_sub(reserve_units);
        Self {
            steps: Arc::new(Semaphore::new(steps)),
            reserve: Arc::new(Semaphore::new(reserve_units)),
            reserve_units,
        }
    }
}

impl Intake {
    pub(super) fn new(
        memory: ReceiveMemory,
        read_timeout: Duration,
        message_bytes_max: usize,
    ) -> Self {
        Self {
            memory,
            rate: MinRate { bytes: BYTES_PER_TIMEOUT, timeout: read_timeout },
            message_bytes_max,
            allowance: FREE_BYTES,
            permits: Vec::new(),
            waiting: None,
            pace: None,
        }
    }

    /// How many bytes the message may take now.
    pub(super) fn allowance(&self) -> usize {
        self.allowance
    }

    /// Whether the message cannot grow until others have given memory back.
    pub(super) fn is_waiting(&self) -> bool {
        self.waiting.is_some()
    }

    /// The message needs more memory.
    pub(super) fn grow(&mut self) {
        let steps = Arc::clone(&self.memory.steps);
        if let Ok(permit) = steps.try_acquire_many_owned((STEP_BYTES / UNIT) as u32) {
            return self.add(permit);
        }
        let rest = self.message_bytes_max.saturating_sub(self.allowance) + STEP_BYTES;
        let units = rest.div_ceil(UNIT).min(self.memory.reserve_units);
        let units = u32::try_from(units).unwrap_or(u32::MAX);
        let reserve = Arc::clone(&self.memory.reserve);
        self.waiting = Some(Box::pin(async move {
            reserve.acquire_many_owned(units).await.expect("the semaphore is never closed")
        }));
    }

    /// Waits until there is memory, if the message waits for some. Can be dropped without loss.
    pub(super) async fn memory(&mut self) {
        let Some(waiting) = &mut self.waiting else { return pending().await };
        let permit = waiting.await;
        self.waiting = None;
        self.add(permit);
    }

    fn add(&mut self, permit: OwnedSemaphorePermit) {
        self.allowance += permit.num_permits() * UNIT;
        self.permits.push(permit);
    }

    /// The message is whole, or nothing more is received: its memory is given back.
    pub(super) fn release(&mut self) {
        self.waiting = None;
        self.permits = Vec::new();
        self.allowance = FREE_BYTES;
        self.pace = None;
    }

    /// Looks at how many bytes of a message have come. None if none has begun, or if the client is held back
    /// because of its function.
    pub(super) fn watch(&mut self, now: impl FnOnce() -> Instant, bytes: Option<usize>) {
        match (bytes, &mut self.pace) {
            (None, pace) => *pace = None,
            (Some(bytes), Some(pace)) => pace.moved(now, bytes as u64),
            (Some(bytes), pace) => *pace = Some(Pace::begin(now(), self.rate, bytes as u64)),
        }
    }

    /// When the client will have been too slow, if nothing more comes.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.pace.map(|pace| pace.deadline())
    }

    /// How a connection ends whose message did not come in time.
    pub(super) fn end(&self) -> End {
        if self.is_waiting() { End::NO_MEMORY } else { End::SLOW_SENDER }
    }
}
