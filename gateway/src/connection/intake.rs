//! The message that is being received: the memory that it may take, and the rate at which it must
//! come.
//!
//! The memory of all connections together is bounded. A message grows in steps. When no step is
//! left, its connection waits for a step, or for a part of the reserve that is enough for all of
//! the rest. So connections that each have a part of a message cannot wait for each other. While a
//! message waits, its client is not read from. A message that is whole needs nothing more: it keeps
//! its memory until its call has ended, which frees the memory in any case.

use std::{future::pending, mem, pin::Pin, sync::Arc, time::Duration};

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
const STEP_UNITS: u32 = (STEP_BYTES / UNIT) as u32;
/// How many bytes of a message must come in each read timeout, unless it ends before.
const BYTES_PER_TIMEOUT: u64 = 64 << 10;

/// The memory for messages from their first bytes until their calls have ended. All clones are one
/// memory.
#[derive(Debug, Clone)]
pub(crate) struct ReceiveMemory {
    steps: Arc<Semaphore>,
    reserve: Arc<Semaphore>,
    reserve_units: usize,
}

/// The memory of one message. Dropping it gives the memory back.
#[derive(Debug, Default)]
pub(super) struct MessageMemory(Vec<OwnedSemaphorePermit>);

/// What one connection is receiving.
pub(super) struct Intake {
    memory: ReceiveMemory,
    rate: MinRate,
    message_bytes_max: usize,
    /// How many bytes the message may take now.
    allowance: usize,
    held: MessageMemory,
    waiting: Option<Waiting>,
    /// How fast the message comes, if one has begun.
    pace: Option<Pace>,
}

/// A message that waits for memory.
struct Waiting {
    permit: Pin<Box<dyn Future<Output = OwnedSemaphorePermit> + Send>>,
    /// When the connection gives up.
    deadline: Instant,
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

    /// Waits for one step, or for so many units of the reserve.
    async fn wait(self, units: u32) -> OwnedSemaphorePermit {
        let permit = tokio::select! {
            biased;
            permit = self.steps.acquire_many_owned(STEP_UNITS) => permit,
            permit = self.reserve.acquire_many_owned(units) => permit,
        };
        permit.expect("the semaphores are never closed")
    }
}

impl MessageMemory {
    /// The message is whole and has so many bytes.
    fn shrink_to(&mut self, bytes: usize) {
        let mut units = bytes.div_ceil(UNIT);
        self.0.retain_mut(|permit| {
            let kept = units.min(permit.num_permits());
            units -= kept;
            drop(permit.split(permit.num_permits() - kept));
            kept > 0
        });
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
            held: MessageMemory::default(),
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
        if let Ok(permit) = steps.try_acquire_many_owned(STEP_UNITS) {
            return self.add(permit);
        }
        let rest = self.message_bytes_max.saturating_sub(self.allowance) + STEP_BYTES;
        let units = rest.div_ceil(UNIT).min(self.memory.reserve_units);
        let units = u32::try_from(units).unwrap_or(u32::MAX);
        let permit = Box::pin(self.memory.clone().wait(units));
        self.waiting = Some(Waiting { permit, deadline: Instant::now() + self.rate.timeout });
    }

    /// Waits until there is memory, if the message waits for some. Can be dropped without loss.
    pub(super) async fn memory(&mut self) {
        let Some(waiting) = &mut self.waiting else { return pending().await };
        let permit = (&mut waiting.permit).await;
        self.waiting = None;
        // The client was not read from, so its time begins anew.
        self.pace = None;
        self.add(permit);
    }

    fn add(&mut self, permit: OwnedSemaphorePermit) {
        self.allowance += permit.num_permits() * UNIT;
        self.held.0.push(permit);
    }

    /// The message is whole and has so many bytes. Returns its memory.
    pub(super) fn whole(&mut self, bytes: usize) -> MessageMemory {
        let mut held = mem::take(&mut self.held);
        self.release();
        held.shrink_to(bytes);
        held
    }

    /// Nothing more is received.
    pub(super) fn release(&mut self) {
        self.waiting = None;
        self.held = MessageMemory::default();
        self.allowance = FREE_BYTES;
        self.pace = None;
    }

    /// Looks at how many bytes of a message have come. None if none has begun, or if the client is
    /// held back because of its function.
    pub(super) fn watch(&mut self, now: impl FnOnce() -> Instant, bytes: Option<usize>) {
        match (bytes, &mut self.pace) {
            (None, pace) => *pace = None,
            (Some(bytes), Some(pace)) => pace.moved(now, bytes as u64),
            (Some(bytes), pace) => *pace = Some(Pace::begin(now(), self.rate, bytes as u64)),
        }
    }

    /// When the client will have been too slow, or will have waited for memory for too long.
    pub(super) fn deadline(&self) -> Option<Instant> {
        match &self.waiting {
            Some(waiting) => Some(waiting.deadline),
            None => self.pace.map(|pace| pace.deadline()),
        }
    }

    /// How a connection ends whose message did not come in time.
    pub(super) fn end(&self) -> End {
        if self.is_waiting() { End::NO_MEMORY } else { End::SLOW_SENDER }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const TIMEOUT: Duration = Duration::from_secs(30);
    const MESSAGE_BYTES_MAX: usize = 1 << 20;

    fn intake(memory: &ReceiveMemory) -> Intake {
        Intake::new(memory.clone(), TIMEOUT, MESSAGE_BYTES_MAX)
    }

    fn units_left(memory: &ReceiveMemory) -> usize {
        memory.steps.available_permits() + memory.reserve.available_permits()
    }

    #[tokio::test(start_paused = true)]
    async fn time_in_which_a_message_waits_for_memory_does_not_count_for_its_rate() {
        let memory = ReceiveMemory::new(4 * STEP_BYTES);
        let others = Arc::clone(&memory.steps).acquire_many_owned(3 * STEP_UNITS).await.unwrap();
        let reserve = Arc::clone(&memory.reserve).acquire_many_owned(STEP_UNITS).await.unwrap();
        let mut intake = intake(&memory);
        intake.watch(Instant::now, Some(10));
        advance(20 * SECOND).await;
        intake.grow();
        assert!(intake.is_waiting());
        assert_eq!(intake.deadline(), Some(Instant::now() + TIMEOUT));
        advance(29 * SECOND).await;
        assert_eq!(intake.end(), End::NO_MEMORY);
        drop(others);
        intake.memory().await;
        intake.watch(Instant::now, Some(FREE_BYTES));
        assert_eq!(intake.deadline(), Some(Instant::now() + TIMEOUT));
        assert_eq!(intake.end(), End::SLOW_SENDER);
        drop(reserve);
    }

    #[tokio::test]
    async fn a_whole_message_keeps_memory_of_its_own_size_until_its_call_has_ended() {
        let memory = ReceiveMemory::new(16 * STEP_BYTES);
        let all = units_left(&memory);
        let mut intake = intake(&memory);
        intake.grow();
        intake.grow();
        let received = intake.whole(STEP_BYTES + 1);
        assert_eq!(units_left(&memory), all - STEP_BYTES / UNIT - 1);
        assert_eq!(intake.allowance(), FREE_BYTES);
        drop(received);
        assert_eq!(units_left(&memory), all);
    }

    /// Messages that wait for their calls hold all steps: another one can be read all the same.
    #[tokio::test]
    async fn a_message_that_finds_no_step_has_the_reserve_to_its_end() {
        let memory = ReceiveMemory::new(4 * MESSAGE_BYTES_MAX);
        let steps = memory.steps.available_permits() as u32;
        let _others = Arc::clone(&memory.steps).acquire_many_owned(steps).await.unwrap();
        let mut intake = intake(&memory);
        intake.grow();
        intake.memory().await;
        assert!(intake.allowance() > MESSAGE_BYTES_MAX);
        let received = intake.whole(MESSAGE_BYTES_MAX);
        assert_eq!(units_left(&memory), 0);
        drop(received);
        assert_eq!(units_left(&memory), MESSAGE_BYTES_MAX / UNIT);
    }
}
