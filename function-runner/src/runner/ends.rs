//! When the running invocations of a function will have ended.
//!
//! A gateway that has no answer to its call asks for it, and calls cleanup only afterwards.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use tokio::time::Instant;

/// What an event and the end of a process may need beside the times in the settings.
const MARGIN: Duration = Duration::from_secs(2);
/// An invocation that should have ended ends within this time.
const ANY_MOMENT: Duration = Duration::from_secs(1);

/// When each running invocation will have ended. A handle: all functions of one name have the same,
/// because invocations of an earlier one may still run.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ends(Arc<Mutex<Running>>);

#[derive(Debug, Default)]
struct Running {
    next: u64,
    ends: HashMap<u64, Instant>,
}

/// [`Ends`] by the name of the function. A function that is removed may still have invocations when
/// another one gets its name.
#[derive(Debug, Default)]
pub(super) struct AllEnds(Mutex<HashMap<String, Ends>>);

/// Counts an invocation as running, until dropped.
#[derive(Debug)]
pub(crate) struct RunningGuard {
    ends: Ends,
    number: u64,
}

impl AllEnds {
    /// Those of the functions called `name`: the one that there is, and those that there were.
    pub(super) fn of(&self, name: &str) -> Ends {
        let mut all = self.0.lock().expect("nothing panics with the lock held");
        all.retain(|_, ends| ends.is_in_use());
        all.entry(name.to_owned()).or_default().clone()
    }
}

impl Ends {
    /// An invocation begins that may take `longest`.
    pub(super) fn enter(&self, longest: Duration) -> RunningGuard {
        let mut running = self.lock();
        running.next += 1;
        let number = running.next;
        running.ends.insert(number, Instant::now() + longest + MARGIN);
        drop(running);
        RunningGuard { ends: self.clone(), number }
    }

    /// Within which time all invocations will have ended that run now. Zero if none runs.
    pub(super) fn within(&self) -> Duration {
        let last = self.lock().ends.values().max().copied();
        last.map_or(Duration::ZERO, |last| {
            last.saturating_duration_since(Instant::now()).max(ANY_MOMENT)
        })
    }

    /// Whether a function or an invocation has a handle too.
    fn is_in_use(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }

    fn lock(&self) -> MutexGuard<'_, Running> {
        self.0.lock().expect("nothing panics with the lock held")
    }
}

impl RunningGuard {
    /// From now on the invocation may take `longest`.
    pub(super) fn set(&self, longest: Duration) {
        self.ends.lock().ends.insert(self.number, Instant::now() + longest + MARGIN);
    }
}

impl Drop for RunningGuard {
    fn drop(&mut self) {
        self.ends.lock().ends.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_last_of_the_running_invocations_counts() {
        let seconds = Duration::from_secs;
        let ends = Ends::default();
        assert_eq!(ends.within(), Duration::ZERO);
        let long = ends.enter(seconds(60));
        let short = ends.enter(seconds(5));
        assert_eq!(ends.within(), seconds(62));
        // It has waited for an instance until now.
        tokio::time::advance(seconds(10)).await;
        long.set(seconds(3));
        assert_eq!(ends.within(), seconds(5));
        drop(long);
        // It takes longer than it may.
        assert_eq!(ends.within(), seconds(1));
        drop(short);
        assert_eq!(ends.within(), Duration::ZERO);
    }
}
