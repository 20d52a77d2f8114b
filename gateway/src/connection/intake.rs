//! The message that is being received: the memory that it may take, and the rate at which it must
//! come.
//!
//! A message takes memory when more than a few bytes of it have come. While it waits for memory,
//! its client is not read from. A message that is whole needs nothing more: it keeps its memory
//! until its call has ended, which frees the memory in any case.

use std::{future::pending, mem, pin::Pin, time::Duration};

use daemon::pace::{MinRate, Pace};
use tokio::time::Instant;

use super::memory::{ApiMemory, MessageMemory};
use crate::registry::End;

/// A message of up to this many bytes takes nothing of the memory that is bounded.
const FREE_BYTES: usize = 8 << 10;
/// How many bytes of a message must come in each read timeout, unless it ends before.
const BYTES_PER_TIMEOUT: u64 = 64 << 10;

/// What one connection is receiving.
pub(super) struct Intake {
    memory: ApiMemory,
    rate: MinRate,
    held: MessageMemory,
    waiting: Option<Waiting>,
    /// How fast the message comes, if one has begun.
    pace: Option<Pace>,
}

/// A message that waits for memory.
struct Waiting {
    memory: Pin<Box<dyn Future<Output = MessageMemory> + Send>>,
    /// When the connection gives up.
    deadline: Instant,
}

impl Intake {
    pub(super) fn new(memory: ApiMemory, read_timeout: Duration) -> Self {
        Self {
            memory,
            rate: MinRate { bytes: BYTES_PER_TIMEOUT, timeout: read_timeout },
            held: MessageMemory::default(),
            waiting: None,
            pace: None,
        }
    }

    /// How many bytes the message may take now.
    pub(super) fn allowance(&self) -> usize {
        FREE_BYTES + self.held.bytes()
    }

    /// Whether the message cannot grow until others have given memory back.
    pub(super) fn is_waiting(&self) -> bool {
        self.waiting.is_some()
    }

    /// The message needs memory. It has at most so many bytes in all.
    pub(super) fn take(&mut self, bytes_max: usize) {
        match self.memory.try_take(bytes_max) {
            Some(memory) => self.held = memory,
            None => {
                let memory = Box::pin(self.memory.clone().take(bytes_max));
                let deadline = Instant::now() + self.rate.timeout;
                self.waiting = Some(Waiting { memory, deadline });
            }
        }
    }

    /// Waits until there is memory, if the message waits for some. Can be dropped without loss.
    pub(super) async fn memory(&mut self) {
        let Some(waiting) = &mut self.waiting else { return pending().await };
        self.held = (&mut waiting.memory).await;
        self.waiting = None;
        // The client was not read from, so its time begins anew.
        self.pace = None;
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
    use std::path::Path;

    use tokio::time::advance;

    use super::*;
    use crate::{api::Apis, connection::ReceiveMemory, settings::Settings};

    const SECOND: Duration = Duration::from_secs(1);
    const TIMEOUT: Duration = Duration::from_secs(30);
    const MIB: usize = 1 << 20;

    /// Memory for two large messages of one API, and a connection of the API.
    fn intake() -> (ApiMemory, Intake) {
        let text = r#"api = [{ id = "a", path = "/a", transmit = "echo" }]"#;
        let settings = Settings::parse(Path::new(""), text, &Default::default()).unwrap();
        let api = Apis::new(settings.apis, settings.runner).by_id("a").unwrap();
        let memory = ReceiveMemory::new(4 * MIB).of(&api);
        (memory.clone(), Intake::new(memory, TIMEOUT))
    }

    #[tokio::test(start_paused = true)]
    async fn time_in_which_a_message_waits_for_memory_does_not_count_for_its_rate() {
        let (memory, mut intake) = intake();
        let others = memory.try_take(2 * MIB).unwrap();
        intake.watch(Instant::now, Some(10));
        advance(20 * SECOND).await;
        intake.take(MIB);
        assert!(intake.is_waiting());
        assert_eq!(intake.allowance(), FREE_BYTES);
        assert_eq!(intake.deadline(), Some(Instant::now() + TIMEOUT));
        advance(29 * SECOND).await;
        assert_eq!(intake.end(), End::NO_MEMORY);
        drop(others);
        intake.memory().await;
        assert!(intake.allowance() > MIB);
        intake.watch(Instant::now, Some(FREE_BYTES));
        assert_eq!(intake.deadline(), Some(Instant::now() + TIMEOUT));
        assert_eq!(intake.end(), End::SLOW_SENDER);
    }

    /// A message in fragments does not say its length before its end.
    #[test]
    fn a_whole_message_keeps_memory_of_its_own_size_until_its_call_has_ended() {
        let (memory, mut intake) = intake();
        intake.take(2 * MIB);
        assert!(memory.try_take(MIB).is_none());
        let received = intake.whole(MIB);
        assert_eq!(intake.allowance(), FREE_BYTES);
        assert!(memory.try_take(MIB + 1).is_none());
        assert!(memory.try_take(MIB).is_some());
        drop(received);
        assert!(memory.try_take(2 * MIB).is_some());
    }

    #[test]
    fn a_message_that_does_not_come_to_its_end_gives_its_memory_back() {
        let (memory, mut intake) = intake();
        intake.take(2 * MIB);
        intake.release();
        assert!(memory.try_take(2 * MIB).is_some());
        let others = memory.try_take(2 * MIB);
        intake.take(2 * MIB);
        assert!(intake.is_waiting());
        intake.release();
        drop(others);
        assert!(memory.try_take(2 * MIB).is_some());
    }
}
