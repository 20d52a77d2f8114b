//! The times when the messages of an open loop are due. They do not depend on the answers.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::bail;
use tokio::sync::mpsc;

/// The most messages of one connection that may be due and not yet written. With more, the target
/// does not keep up with the rate, and the latency would only depend on the length of the run.
const BEHIND_MAX: usize = 4096;

/// Messages at equal intervals. The connections take turns.
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

    /// A queue for each connection, with the times when its messages are due.
    pub(super) fn queues(&self) -> (Vec<mpsc::Sender<Instant>>, Vec<mpsc::Receiver<Instant>>) {
        (0..self.connections).map(|_| mpsc::channel(BEHIND_MAX)).unzip()
    }

    /// Puts each message into its queue when it is due. Runs on a thread of its own: a sleeping
    /// thread wakes within about 60 us, Tokio's timers only within milliseconds.
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
                // The connection's task has failed, and returns its own error.
                Err(mpsc::error::TrySendError::Closed(_)) => return Ok(()),
            }
        }
        Ok(())
    }
}
