//! The highest memory of the processes of a target while they are watched.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use crate::{
    process::{ProcessTree, memory_of},
    target::running::RunningTarget,
};

/// Reading the memory of a process takes its lock on memory, so it is not read more often.
const INTERVAL: Duration = Duration::from_millis(200);

/// Watches until it is asked for the result.
#[derive(Debug)]
pub(super) struct PeakMemory {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<u64>>,
}

impl PeakMemory {
    /// Watches all processes of the target from a thread of its own.
    pub(super) fn watch(running: &RunningTarget) -> Self {
        let pids: Vec<i32> = running.processes.iter().map(ProcessTree::pid).collect();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            let mut peak = 0;
            while !stopped.load(Ordering::Relaxed) {
                peak = pids.iter().filter_map(|pid| memory_of(*pid).ok()).fold(peak, u64::max);
                thread::sleep(INTERVAL);
            }
            peak
        });
        Self { stop, thread: Some(thread) }
    }

    /// The highest memory that one of the processes had, in megabytes.
    pub(super) fn megabytes(mut self) -> f64 {
        self.stop.store(true, Ordering::Relaxed);
        let peak = self.thread.take().and_then(|thread| thread.join().ok());
        peak.unwrap_or_default() as f64 / 1e6
    }
}

impl Drop for PeakMemory {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}
