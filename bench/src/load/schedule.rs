//! When each message of an open loop is due, whether or not the ones before it were answered.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::bail;
use tokio::sync::mpsc;

/// Messages that may be due on one connection and not written yet. More are a target that does
/// not keep up, whose latency would only be the length of the run.
const BEHIND_MAX: usize = 4096;

/// Evenly spread over time, and dealt out to the connections in turn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Schedule {
    pub(super) start: Instant,
    pub(super) rate: f64,
    pub(super) connections: usize,
    /// How many messages there are.
    pub(super) count: u32,
}

impl Schedule {
    /// How many of the messages are for this connection.
    pub(super) fn share(&self, connection: usize) -> usize {
        let count = self.count as usize;
        count / self.connections + usize::from(connection < count % self.connections)
    }

    /// The queues in which each connection finds when its next message was due.
    pub(super) fn queues(&self) -> (Vec<mpsc::Sender<Instant>>, Vec<mpsc::Receiver<Instant>>) {
        (0..self.connections).map(|_| mpsc::channel(BEHIND_MAX)).unzip()
    }

    /// Keeps to the schedule, on a thread of its own: the runtime's timers have milliseconds, and
    /// a thread sleeps to some 60 us.
    pub(super) fn keep(self, queues: &[mpsc::Sender<Instant>]) -> anyhow::Result<()> {
        for number in 0..self.count {
            let due = self.start + Duration::from_secs_f64(f64::from(number) / self.rate);
            let early = due.saturating_duration_since(Instant::now());
            if !early.is_zero() {
                thread::sleep(early);
            }
            let queue = &queues[number as usize % self.connections];
            match queue.try_send(due) {
                Ok(()) => {}
                Err(mpsc::error::TrySendError::Full(_)) => {
                    bail!("the target does not keep up with {:.0} messages/s", self.rate)
                }
                // The connection has failed, and says so itself.
                Err(mpsc::error::TrySendError::Closed(_)) => return Ok(()),
            }
        }
        Ok(())
    }
}
